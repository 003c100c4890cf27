//! How many decimals a whole number stands for.

use std::fmt;

/// The number of decimals of prices or volumes: at 5, the whole number 105432 means 1.05432.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scale(u8);

impl Scale {
    /// Five decimals: the scale of prices in the format document.
    pub const PRICE: Self = Self(5);
    /// None: volumes are whole.
    pub const VOLUME: Self = Self(0);
    /// The most decimals: one unit of the 18th still leaves an i64 nine units before the point.
    pub const MAX: Self = Self(18);

    /// A number of decimals, if it is at most 18.
    #[must_use]
    pub const fn new(decimals: u8) -> Option<Self> {
        if decimals <= Self::MAX.0 { Some(Self(decimals)) } else { None }
    }

    /// The decimals.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.0
    }

    /// Ten to the decimals: the whole number that stands for 1.
    #[must_use]
    pub const fn unit(self) -> u64 {
        10_u64.pow(self.0 as u32)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
