//! Bits, the lowest of a byte first, and numbers of as many bytes as they need.

/// Bits that are put one number behind the other.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    /// How many bits of `pending` are taken; fewer than 32.
    taken: u32,
}

impl BitWriter {
    /// Adds the lowest `bits` bits of a number, whose others are zero.
    pub(super) fn put(&mut self, value: u64, bits: u32) {
        if bits > 32 {
            self.put(value & 0xFFFF_FFFF, 32);
            self.put(value >> 32, bits - 32);
            return;
        }
        self.pending |= value << self.taken;
        self.taken += bits;
        if self.taken >= 32 {
            let [a, b, c, d, ..] = self.pending.to_le_bytes();
            self.bytes.extend_from_slice(&[a, b, c, d]);
            self.pending >>= 32;
            self.taken -= 32;
        }
    }

    /// The bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let used = self.taken.div_ceil(8) as usize;
        self.bytes.extend_from_slice(self.pending.to_le_bytes().get(..used).unwrap_or_default());
        self.bytes
    }
}

/// At least 57 bits from a position on; zeros behind the end.
#[inline(always)]
pub(super) fn word(bytes: &[u8], bit: usize) -> u64 {
    let at = bit >> 3;
    let word = match bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        Some(eight) => u64::from_le_bytes(*eight),
        None => last_word(bytes, at),
    };
    word >> (bit & 7)
}

#[cold]
fn last_word(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    for (place, byte) in eight.iter_mut().zip(bytes.get(at..).unwrap_or_default()) {
        *place = *byte;
    }
    u64::from_le_bytes(eight)
}

/// Up to 64 bits from a position on.
#[inline(always)]
pub(super) fn bits(bytes: &[u8], bit: usize, count: u32) -> u64 {
    let low = word(bytes, bit);
    if count <= 56 {
        return low & ((1 << count) - 1);
    }
    let high = word(bytes, bit + 56) & ((1 << (count - 56)) - 1);
    (low & ((1 << 56) - 1)) | high << 56
}

/// Adds a number, seven bits a byte, the lowest first; the highest bit of a byte says that another follows.
pub(super) fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Bytes that are read from the front.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How far it came.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    /// A number as [`put_number`] writes it; `None` where it is cut off, longer than it need be, or of more than 64 bits.
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7F);
            if shift == 63 && part > 1 {
                return None;
            }
            number |= part << shift;
            if byte < 0x80 {
                // In as many bytes as it needs, and no more.
                return (byte > 0 || shift == 0).then_some(number);
            }
        }
        None
    }
}

/// Small for numbers near zero of either sign: 0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
#[inline(always)]
pub(super) const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

/// The reverse of [`zigzag`].
#[inline(always)]
pub(super) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_come_back(values in prop::collection::vec((0_u32..=64, any::<u64>()), 0..100)) {
            let mut writer = BitWriter::default();
            for (count, value) in &values {
                writer.put(if *count == 64 { *value } else { value & ((1 << count) - 1) }, *count);
            }
            let bytes = writer.finish();
            let mut at = 0;
            for (count, value) in &values {
                let expected = if *count == 64 { *value } else { value & ((1 << count) - 1) };
                let found = if *count == 64 {
                    bits(&bytes, at, 32) | bits(&bytes, at + 32, 32) << 32
                } else {
                    bits(&bytes, at, *count)
                };
                prop_assert_eq!(found, expected);
                at += *count as usize;
            }
            prop_assert_eq!(bytes.len(), at.div_ceil(8));
        }

        #[test]
        fn numbers_come_back(number: u64, value: i64) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.number(), reader.at()), (Some(number), bytes.len()));
            prop_assert_eq!(Reader::new(&bytes[..bytes.len() - 1]).number(), None);
            prop_assert_eq!(unzigzag(zigzag(value)), value);
        }
    }

    #[test]
    fn numbers_of_more_than_64_bits_are_none() {
        let mut bytes = vec![0xFF; 9];
        bytes.push(2);
        assert_eq!(Reader::new(&bytes).number(), None);
        assert_eq!(Reader::new(&[0xFF; 11]).number(), None);
        assert_eq!(Reader::new(&[0x81, 0]).number(), None);
        assert_eq!(Reader::new(&[0]).number(), Some(0));
        assert_eq!([0, -1, 1, -2, 2].map(zigzag), [0, 1, 2, 3, 4]);
    }
}
