//! Decimals that are written as one before them.
//!
//! Most prices of a file have as many digits before and behind the point as the price before. Such a one is read without a
//! search for its end, so the processor need not wait for that before it begins the next field.

use super::swar::{HIGH, ZEROS, eight, load};

/// What eight bytes must be to be some digits and other bytes at known places.
#[derive(Debug, Clone, Copy)]
struct Word {
    /// `0` where a digit must be, and what must be elsewhere.
    text: u64,
    /// What carries a byte that may not be there into its highest bit.
    limits: u64,
    /// The bytes that matter.
    mask: u64,
    /// The bytes before the point.
    whole: u64,
    /// What brings the digits to the top.
    shift: u32,
}

impl Word {
    /// The digits as a number, if these bytes are such.
    #[inline(always)]
    const fn read(self, word: u64) -> Option<u64> {
        let word = (word ^ self.text) & self.mask;
        if (((word & !HIGH) + self.limits) | word) & HIGH != 0 {
            return None;
        }
        let joined = (word & self.whole) | ((word >> 8) & !self.whole);
        Some(eight(joined << self.shift))
    }
}

/// How a decimal of 16 bytes at most is written: how long it is, where its point is, which byte ends it, and how many of its
/// last digits are 0 and do not count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern {
    low: Word,
    /// What the bytes from the ninth on must be; nothing of a shorter one.
    high: Word,
    /// Ten to the power of the digits in `high`.
    unit: u64,
    long: bool,
}

impl Pattern {
    /// What nothing is written like.
    pub(crate) const NONE: Self = {
        let none = Word { text: 0, limits: HIGH, mask: 0, whole: 0, shift: 0 };
        Self { low: none, high: none, unit: 0, long: false }
    };

    /// That of the decimal here: its length, what is before the point if it has one, and how many of its last bytes are zeros
    /// that do not count.
    #[inline]
    pub(crate) fn of(data: &[u8], at: usize, length: u32, point: Option<u32>, zeros: u32) -> Option<Self> {
        /// So many of the lowest bytes.
        const fn low(bytes: u32) -> u128 {
            if bytes >= 16 { u128::MAX } else { !(u128::MAX << (8 * bytes)) }
        }
        const fn both(word: u64) -> u128 {
            ((word as u128) << 64) | word as u128
        }
        let long = length > 7;
        let text = u128::from(load(data, at)?) | if long { u128::from(load(data, at + 8)?) << 64 } else { 0 };
        // Where the digits that count end.
        let end = length.checked_sub(zeros).filter(|_| length <= 16)?;
        let point = point.filter(|point| *point < end);
        let mask = low(length + 1);
        // The point and what ends it are as they are here, the zeros are zeros.
        let others = (mask & !low(length)) | point.map_or(0, |point| low(point + 1) & !low(point));
        let fixed = (mask & !low(end)) | others;
        let digits = mask & !fixed;
        let expected = (both(ZEROS) & mask & !others) | (text & others);
        let limits = (both(0x7676_7676_7676_7676) & digits) | (both(!HIGH) & fixed);
        let word = |number: u32| {
            let start = 8 * number;
            let point = point.and_then(|point| point.checked_sub(start)).filter(|point| *point < 8);
            let count = end.saturating_sub(start).min(8) - u32::from(point.is_some());
            let of = |wide: u128| u64::try_from((wide >> (8 * start)) & u128::from(u64::MAX)).unwrap_or_default();
            let word = Word {
                text: of(expected),
                limits: of(limits),
                mask: of(mask),
                whole: point.map_or(u64::MAX, |point| !(u64::MAX << (8 * point))),
                shift: if count == 0 { 0 } else { 64 - 8 * count },
            };
            (word, count)
        };
        let ((low, before), (high, behind)) = (word(0), word(1));
        // 18 digits at most, so that nothing overflows; and one that counts.
        (1..=18).contains(&(before + behind)).then_some(Self { low, high, unit: 10_u64.pow(behind), long })
    }

    /// The digits that count here, if this is written so.
    #[inline(always)]
    pub(crate) fn read(&self, data: &[u8], at: usize) -> Option<u64> {
        let low = self.low.read(load(data, at)?)?;
        if !self.long {
            return Some(low);
        }
        Some(low * self.unit + self.high.read(load(data, at + 8)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::csv::swar::number;
    use proptest::prelude::*;

    /// Room behind a text for what is read ahead.
    fn padded(text: &str) -> Vec<u8> {
        [text.as_bytes(), b",,,,,,,,,,,,,,,,,,,,,,,,"].concat()
    }

    fn pattern(text: &str, zeros: u32) -> Option<Pattern> {
        let point = text.find('.').map(|point| u32::try_from(point).unwrap());
        Pattern::of(&padded(text), 0, u32::try_from(text.len()).unwrap(), point, zeros)
    }

    #[test]
    fn what_is_written_the_same_is_read() {
        for (text, zeros, same, digits, other) in [
            ("5000.02", 0, "1234.56", 123_456, "123.456"),
            ("5000.02", 0, "0000.00", 0, "5000.021"),
            ("1.2", 0, "3.4", 34, "34"),
            ("1.29324000", 3, "9.87654000", 987_654, "9.87654001"),
            ("5528.750000000", 0, "5528.250000001", 5_528_250_000_001, "5528250000001."),
            ("5528.750000000", 7, "5528.250000000", 552_825, "5528.251000000"),
            ("30000.120000000", 7, "12345.670000000", 1_234_567, "12345.67000000,"),
            ("104321.120000000", 0, "104321.999999999", 104_321_999_999_999, "10432.9999999999"),
            ("5000020000000", 5, "4999980000000", 49_999_800, "4999980000001"),
            ("42000", 0, "41999", 41_999, "4199a"),
            ("12345678", 0, "87654321", 87_654_321, "876543210"),
            ("5.000", 3, "7.000", 7, "7.001"),
        ] {
            let pattern = pattern(text, zeros).unwrap();
            assert_eq!(pattern.read(&padded(same), 0), Some(digits), "{same} as {text}");
            assert_eq!(pattern.read(&padded(other), 0), None, "{other} as {text}");
        }
        assert!(pattern("12345678.123456789", 0).is_none(), "17 bytes");
        assert!(pattern("0.000", 5).is_none(), "no digit would count");
        assert!(Pattern::NONE.read(&padded("0"), 0).is_none());
    }

    proptest! {
        #[test]
        fn a_pattern_reads_what_the_search_reads(
            text in "[0-9]{1,9}(\\.[0-9]{0,9})?", zeros in 0_u32..8, other in "[0-9]{1,9}(\\.[0-9]{0,9})?", digits in any::<[u8; 20]>(), end in "[,;\n0-9.e]",
        ) {
            let Some(pattern) = pattern(&text, zeros) else { return Ok(()) };
            // One that is written the same, and one that may not be.
            let alike: String = text.char_indices().map(|(at, c)| if c == '.' || at + zeros as usize >= text.len() { c } else { char::from(b'0' + digits[at] % 10) }).collect();
            for text in [&text, &alike, &format!("{other}{end}")] {
                let data = padded(text);
                if let Some(value) = pattern.read(&data, 0) {
                    let found = number(&data, 0).unwrap();
                    prop_assert_eq!(value * 10_u64.pow(zeros), found.mantissa, "{}", text);
                }
            }
            let valid = zeros == 0 || text.as_bytes()[text.len() - zeros as usize..].iter().all(|byte| *byte == b'0');
            if valid {
                prop_assert!(pattern.read(&padded(&alike), 0).is_some(), "{} as {}", alike, text);
            }
        }

        #[test]
        fn no_bytes_panic(data in proptest::collection::vec(any::<u8>(), 0..40), at in 0_usize..44, length in 0_u32..20, point in proptest::option::of(0_u32..20), zeros in 0_u32..20) {
            if let Some(pattern) = Pattern::of(&data, at, length, point, zeros) {
                let _ = pattern.read(&data, at);
            }
        }
    }
}
