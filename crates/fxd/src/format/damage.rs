//! What is wrong with a file, and where.

use std::fmt;

/// A place in a file that is not as the format says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The position in the file, in bytes.
    pub at: u64,
    /// What is there, and what should be.
    pub what: String,
}

impl Damage {
    pub(crate) fn new(at: u64, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// A checksum that is not the one computed.
    pub(crate) fn checksum(at: u64, of: &str, expected: u32, found: u32) -> Self {
        Self::new(at, format!("checksum of {of}: {found:08x}, but its bytes give {expected:08x}"))
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.what)
    }
}

/// Whether a checksum is the one computed. A fuzzer is let past: chance would never find one, and behind them is what it is
/// to look at.
pub(crate) const fn holds(expected: u32, found: u32) -> bool {
    cfg!(fuzzing) || expected == found
}

/// What decoding gives.
pub type Decoded<T> = Result<T, Damage>;
