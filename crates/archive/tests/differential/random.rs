//! Numbers that look random and are the same on every run, and damage to bytes by them.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    /// A number below `end`, or 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A number of `bits` bits, most often one at a border.
    pub(crate) fn number(&mut self, bits: u32) -> u64 {
        let most = u64::MAX >> (64 - bits);
        let near = *self.pick(&[0, 1, 2, 3, 8, 20, 46, 64, 0x5f, most / 2, most / 2 + 1, most - 1, most]);
        match self.below(4) {
            0 => self.next() & most,
            1 => 1 << self.below(bits as usize),
            _ => near,
        }
    }

    /// Changes bytes: one, a bit, a piece cut out, put in, moved or doubled, or the end cut off.
    pub(crate) fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let len = (1 + self.below(24)).min(bytes.len() - at);
        match self.below(10) {
            _ if bytes.is_empty() => bytes.push(self.byte()),
            0 | 1 => bytes[at] ^= 1 << self.below(8),
            2 | 3 => bytes[at] = self.byte(),
            4 => bytes[at] = *self.pick(&[0, 1, 0x7f, 0x80, 0xff, b' ', b'/', b'0', b'7']),
            5 => bytes.truncate(at),
            6 => drop(bytes.drain(at..at + len)),
            7 => {
                let piece: Vec<u8> = (0..len).map(|_| self.byte()).collect();
                bytes.splice(at..at, piece);
            }
            8 => {
                let piece = bytes[at..at + len].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            _ => {
                let piece: Vec<u8> = bytes.drain(at..at + len).collect();
                let to = self.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
}
