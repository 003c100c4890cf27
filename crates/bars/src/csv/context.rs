//! What the reading of every block of a file has in common.

use fxd::Scale;

use super::layout::Layout;
use crate::clock::Clock;
use crate::moment::Unit;
use crate::runs::Rules;
use crate::{Fit, Zone};

/// How to read a file's rows.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) layout: Layout,
    pub(crate) fit: Fit,
    pub(crate) zone: Option<Zone>,
    /// The symbol of rows that name none.
    pub(crate) symbol: Option<String>,
    pub(crate) rules: Rules,
}

impl Context {
    pub(crate) const fn clock(&self) -> Clock {
        Clock::new(self.zone, if self.layout.nanoseconds { Some(Unit::Nanoseconds) } else { None })
    }
}

/// How a mantissa with some decimals becomes a whole number at a scale; what [`Fit`] says, laid out for the inner loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scaler {
    scale: u32,
}

impl Scaler {
    pub(crate) fn new(scale: Scale) -> Self {
        Self { scale: u32::from(scale.decimals()) }
    }

    /// The decimals of the scale.
    pub(crate) const fn scale(self) -> u32 {
        self.scale
    }

    /// `mantissa` in units of the scale, if that is exact and fits.
    #[inline(always)]
    pub(crate) fn apply(self, mantissa: u64, decimals: u32) -> Option<u64> {
        if decimals == self.scale {
            return Some(mantissa);
        }
        if decimals < self.scale {
            // A constant factor for each difference: no division, no table.
            return match self.scale - decimals {
                1 => mantissa.checked_mul(10),
                2 => mantissa.checked_mul(100),
                3 => mantissa.checked_mul(1000),
                4 => mantissa.checked_mul(10_000),
                5 => mantissa.checked_mul(100_000),
                more => mantissa.checked_mul(10_u64.checked_pow(more)?),
            };
        }
        match decimals - self.scale {
            1 => exact::<10>(mantissa),
            2 => exact::<100>(mantissa),
            3 => exact::<1000>(mantissa),
            4 => exact::<10_000>(mantissa),
            8 => exact::<100_000_000>(mantissa),
            more => {
                let unit = 10_u64.checked_pow(more)?;
                mantissa.is_multiple_of(unit).then(|| mantissa / unit)
            }
        }
    }
}

/// A division without a rest, by a number that the compiler knows.
#[inline(always)]
const fn exact<const UNIT: u64>(value: u64) -> Option<u64> {
    if value.is_multiple_of(UNIT) { Some(value / UNIT) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn scaling_is_exact(mantissa in any::<u64>(), cut in 0_u32..19, decimals in 0_u32..19, scale in 0_u8..=18) {
            // Multiples of powers of ten too, which a random number hardly ever is.
            let mantissa = mantissa / 10_u64.pow(cut) * 10_u64.pow(cut);
            let text = crate::decimal::Decimal {
                negative: false,
                mantissa: Some(if mantissa == 0 { 0 } else { u128::from(mantissa) / 10_u128.pow(zeros(mantissa)) }),
                exponent: i64::from(zeros(mantissa)) - i64::from(decimals),
            };
            let scale = Scale::new(scale).unwrap();
            let expected = text.at(scale).ok().and_then(|value| u64::try_from(value).ok());
            prop_assert_eq!(Scaler::new(scale).apply(mantissa, decimals), expected);
        }
    }

    fn zeros(mut value: u64) -> u32 {
        let mut count = 0;
        while value != 0 && value.is_multiple_of(10) {
            value /= 10;
            count += 1;
        }
        count
    }
}
