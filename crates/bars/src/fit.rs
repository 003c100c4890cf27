//! What values a target takes.

use std::ops::RangeInclusive;

use fxd::{Scale, Version};

/// The scales and ranges of the target's values.
///
/// A value that lies outside, or that is not exactly representable at its scale, is an error that names file, line, field and
/// value. Nothing is rounded, wrapped or cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// Decimals of prices.
    pub price_scale: Scale,
    /// Decimals of volumes.
    pub volume_scale: Scale,
    /// The prices that fit, in units of the price scale.
    pub prices: RangeInclusive<i64>,
    /// The largest volume that fits, in units of the volume scale.
    pub volume_max: u64,
}

impl Fit {
    /// Whatever a [`Bar`](fxd::Bar) can hold at these scales.
    #[must_use]
    pub const fn any(price_scale: Scale, volume_scale: Scale) -> Self {
        Self { price_scale, volume_scale, prices: i64::MIN..=i64::MAX, volume_max: u64::MAX }
    }

    /// What a store of a version holds, at the scales of the format's description: 5 decimals of prices, whole volumes.
    #[must_use]
    pub const fn of(version: Version) -> Self {
        if version.has_rows() { Self::version_1() } else { Self::any(Scale::PRICE, Scale::VOLUME) }
    }

    /// What the unsigned 32-bit fields of a version 1 store hold: prices up to 42949.67295, whole volumes up to 4294967295.
    #[must_use]
    pub const fn version_1() -> Self {
        Self {
            price_scale: Scale::PRICE,
            volume_scale: Scale::VOLUME,
            prices: 0..=u32::MAX as i64,
            volume_max: u32::MAX as u64,
        }
    }
}
