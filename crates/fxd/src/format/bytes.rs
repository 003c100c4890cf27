//! Fields of fixed places in byte strings whose length is known.

use std::ops::Range;

/// Where a field lies in its structure. The tables of the specification are held against these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The field's name.
    pub name: &'static str,
    /// The offset of its first byte.
    pub offset: usize,
    /// How many bytes it has.
    pub len: usize,
}

impl Field {
    pub(crate) const fn new(name: &'static str, offset: usize, len: usize) -> Self {
        Self { name, offset, len }
    }

    /// The field right behind this one.
    pub(crate) const fn then(self, name: &'static str, len: usize) -> Self {
        Self { name, offset: self.end(), len }
    }

    pub(crate) const fn end(self) -> usize {
        self.offset + self.len
    }

    pub(crate) const fn range(self) -> Range<usize> {
        self.offset..self.end()
    }

    /// The field's bytes as a number; zero where the structure is too short, which its decoder has ruled out.
    pub(crate) fn read(self, bytes: &[u8]) -> u64 {
        let mut word = [0; 8];
        if let (Some(from), Some(to)) = (bytes.get(self.range()), word.get_mut(..self.len)) {
            to.copy_from_slice(from);
        }
        u64::from_le_bytes(word)
    }

    pub(crate) fn read_u32(self, bytes: &[u8]) -> u32 {
        u32::try_from(self.read(bytes)).unwrap_or(u32::MAX)
    }

    pub(crate) fn read_u16(self, bytes: &[u8]) -> u16 {
        u16::try_from(self.read(bytes)).unwrap_or(u16::MAX)
    }

    pub(crate) fn read_u8(self, bytes: &[u8]) -> u8 {
        u8::try_from(self.read(bytes)).unwrap_or(u8::MAX)
    }

    /// Puts a number into the field.
    pub(crate) fn write(self, bytes: &mut [u8], value: impl Into<u64>) {
        let word = value.into().to_le_bytes();
        self.put(bytes, word.get(..self.len).unwrap_or(&word));
    }

    /// Puts bytes into the field.
    pub(crate) fn put(self, bytes: &mut [u8], value: &[u8]) {
        if let Some(place) = bytes.get_mut(self.range()).and_then(|place| place.get_mut(..value.len())) {
            place.copy_from_slice(value);
        }
    }
}

/// Everything of these bytes that lies at `at`, `len` bytes long, if it lies there.
pub(crate) fn slice(bytes: &[u8], at: u64, len: usize) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    bytes.get(start..start.checked_add(len)?)
}

/// The next multiple of [`ALIGNMENT`](super::ALIGNMENT), or `None` beyond what a u64 can say.
pub(crate) const fn align(at: u64) -> Option<u64> {
    at.checked_next_multiple_of(super::ALIGNMENT)
}

/// How many zeros lead from a position to the next multiple of [`ALIGNMENT`](super::ALIGNMENT).
pub(crate) fn padding(at: u64) -> usize {
    usize::try_from(at.wrapping_neg() % super::ALIGNMENT).unwrap_or(0)
}
