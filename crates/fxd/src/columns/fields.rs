//! Which fields of bars are wanted.

use super::layout::Part;

/// Fields of bars; timestamps always come along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields(u8);

impl Fields {
    /// First prices.
    pub const OPEN: Self = Self(1);
    /// Highest prices.
    pub const HIGH: Self = Self(1 << 1);
    /// Lowest prices.
    pub const LOW: Self = Self(1 << 2);
    /// Last prices.
    pub const CLOSE: Self = Self(1 << 3);
    /// Volumes.
    pub const VOLUME: Self = Self(1 << 4);
    /// Flags.
    pub const FLAGS: Self = Self(1 << 5);
    /// All of them.
    pub const ALL: Self = Self(0x3F);

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of those is among these.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a part must be read: highs and lows are told from open and close, and all prices from the close before.
    pub(super) const fn need(self, part: Part) -> bool {
        const RANGE: Fields = Fields::HIGH.and(Fields::LOW);
        const PRICES: Fields = RANGE.and(Fields::OPEN).and(Fields::CLOSE);
        match part {
            Part::Gap => true,
            Part::Close => self.has(PRICES),
            Part::Open => self.has(RANGE.and(Self::OPEN)),
            Part::High | Part::HighRest => self.has(Self::HIGH),
            Part::Low | Part::LowRest => self.has(Self::LOW),
            Part::Volume | Part::VolumeRest => self.has(Self::VOLUME),
            Part::Flags => self.has(Self::FLAGS),
            Part::OpenRest => self.has(Self::OPEN),
            Part::CloseRest => self.has(Self::CLOSE),
        }
    }
}
