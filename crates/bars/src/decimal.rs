//! Decimal numbers as whole numbers at a scale, exactly.
//!
//! No value ever passes through a float. This is the complete reader, for whatever a file may hold; `csv/quick.rs` has a
//! faster one for the plainest numbers, which leaves the others to this.

use std::borrow::Cow;

use fxd::Scale;

use crate::{Fit, Problem};

/// Why a text is no number at a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not a decimal number at all.
    NotANumber,
    /// It has digits beyond the scale.
    Inexact,
    /// It is too far from zero for any target.
    TooLarge,
}

/// A number as `mantissa * 10^exponent`, where the mantissa does not end with a zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal {
    pub(crate) negative: bool,
    /// `None` is one of more than 38 digits.
    pub(crate) mantissa: Option<u128>,
    pub(crate) exponent: i64,
}

impl Decimal {
    /// Reads `[+-]digits[.digits][e[+-]digits]`, where one side of the point may be empty.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (negative, mut rest) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, text),
        };
        let mut mantissa = Some(0_u128);
        let mut zeros = 0_u32;
        let mut digits = 0_i64;
        let mut decimals = None;
        while let Some((byte, after)) = rest.split_first() {
            match byte {
                b'0'..=b'9' => {
                    digits += 1;
                    // Zeros wait until a digit follows them, so that those at the end never count.
                    zeros = zeros.saturating_add(1);
                    if *byte != b'0' {
                        mantissa = mantissa
                            .and_then(|so_far| {
                                if so_far == 0 { Some(0) } else { so_far.checked_mul(10_u128.checked_pow(zeros)?) }
                            })
                            .and_then(|so_far| so_far.checked_add(u128::from(byte - b'0')));
                        zeros = 0;
                    }
                }
                b'.' if decimals.is_none() => decimals = Some(digits),
                b'e' | b'E' if digits > 0 => break,
                _ => return None,
            }
            rest = after;
        }
        if digits == 0 {
            return None;
        }
        let written = match rest.split_first() {
            Some((_, exponent)) => exponent_of(exponent)?,
            None => 0,
        };
        let behind_point = decimals.map_or(0, |before| digits - before);
        let exponent = written.saturating_sub(behind_point).saturating_add(i64::from(zeros));
        Some(Self { negative, mantissa, exponent })
    }

    /// The whole number that stands for this one at a scale.
    pub(crate) fn at(self, scale: Scale) -> Result<i128, Refusal> {
        let power = self.exponent.saturating_add(i64::from(scale.decimals()));
        match self.mantissa {
            Some(0) => Ok(0),
            // The mantissa ends with no zero, so nothing can be divided off.
            _ if power < 0 => Err(Refusal::Inexact),
            mantissa => mantissa
                .and_then(|mantissa| mantissa.checked_mul(10_u128.checked_pow(u32::try_from(power).ok()?)?))
                .and_then(|value| i128::try_from(value).ok())
                .map(|value| if self.negative { -value } else { value })
                .ok_or(Refusal::TooLarge),
        }
    }
}

/// The number behind an `e`; one beyond all use is as good as the largest.
fn exponent_of(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for byte in digits {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0')).min(1 << 40);
    }
    Some(if negative { -value } else { value })
}

impl Fit {
    /// The price that a text says, in units of the price scale.
    pub(crate) fn price(&self, field: &'static str, text: &[u8]) -> Result<i64, Problem> {
        Decimal::parse(text)
            .ok_or(Refusal::NotANumber)
            .and_then(|decimal| decimal.at(self.price_scale))
            .and_then(|value| self.price_units(value))
            .map_err(|refusal| self.price_problem(field, text, refusal))
    }

    /// A price in units of the price scale, if it is in the range.
    pub(crate) fn price_units(&self, value: i128) -> Result<i64, Refusal> {
        i64::try_from(value).ok().filter(|value| self.prices.contains(value)).ok_or(Refusal::TooLarge)
    }

    /// The volume that a text says, in units of the volume scale; none is zero.
    pub(crate) fn volume(&self, text: &[u8]) -> Result<u64, Problem> {
        if text.is_empty() {
            return Ok(0);
        }
        Decimal::parse(text)
            .ok_or(Refusal::NotANumber)
            .and_then(|decimal| decimal.at(self.volume_scale))
            .and_then(|value| self.volume_units(value))
            .map_err(|refusal| self.volume_problem(text, refusal))
    }

    /// A volume in units of the volume scale, if it is in the range.
    pub(crate) fn volume_units(&self, value: i128) -> Result<u64, Refusal> {
        u64::try_from(value).ok().filter(|value| *value <= self.volume_max).ok_or(Refusal::TooLarge)
    }

    /// A price that counts units of so many decimals.
    pub(crate) fn price_at(&self, value: i128, decimals: u32) -> Result<i64, Refusal> {
        rescaled(value, decimals, self.price_scale).and_then(|value| self.price_units(value))
    }

    /// A volume that counts units of so many decimals.
    pub(crate) fn volume_at(&self, value: i128, decimals: u32) -> Result<u64, Refusal> {
        rescaled(value, decimals, self.volume_scale).and_then(|value| self.volume_units(value))
    }

    /// Why a price was refused, with what is expected.
    pub(crate) fn price_problem(&self, field: &'static str, text: &[u8], refusal: Refusal) -> Problem {
        let scale = self.price_scale;
        let expected = match refusal {
            Refusal::NotANumber => Cow::Borrowed("a decimal number as 1.05432"),
            Refusal::Inexact => {
                let expected = format!("a price of {scale} decimals at most (the price scale)");
                return Problem::decimals(field, text, expected.into());
            }
            Refusal::TooLarge => format!(
                "a price from {} to {}",
                decimal_text(i128::from(*self.prices.start()), scale),
                decimal_text(i128::from(*self.prices.end()), scale)
            )
            .into(),
        };
        Problem::value(field, text, expected)
    }

    /// Why a volume was refused, with what is expected.
    pub(crate) fn volume_problem(&self, text: &[u8], refusal: Refusal) -> Problem {
        let scale = self.volume_scale;
        let expected = match refusal {
            Refusal::NotANumber => Cow::Borrowed("a decimal number as 1200, or nothing"),
            Refusal::Inexact => {
                let expected = match scale.decimals() {
                    0 => Cow::Borrowed("a whole volume (--volume-scale says how many decimals volumes may have)"),
                    _ => format!("a volume of {scale} decimals at most (the volume scale)").into(),
                };
                return Problem::decimals("volume", text, expected);
            }
            Refusal::TooLarge => {
                format!("a volume from 0 to {}", decimal_text(i128::from(self.volume_max), scale)).into()
            }
        };
        Problem::value("volume", text, expected)
    }
}

/// A count of units of so many decimals as one of units of a scale.
fn rescaled(value: i128, decimals: u32, scale: Scale) -> Result<i128, Refusal> {
    let power = u32::from(scale.decimals());
    if decimals <= power {
        let unit = 10_i128.checked_pow(power - decimals).ok_or(Refusal::TooLarge)?;
        return value.checked_mul(unit).ok_or(Refusal::TooLarge);
    }
    match 10_i128.checked_pow(decimals - power) {
        Some(unit) if value % unit == 0 => Ok(value / unit),
        None if value == 0 => Ok(0),
        _ => Err(Refusal::Inexact),
    }
}

/// A whole number at a scale, with exactly the scale's decimals.
pub(crate) fn decimal_text(value: i128, scale: Scale) -> String {
    let unit = u128::from(scale.unit());
    let size = value.unsigned_abs();
    let sign = if value < 0 { "-" } else { "" };
    match usize::from(scale.decimals()) {
        0 => format!("{sign}{size}"),
        width => format!("{sign}{}.{:0width$}", size / unit, size % unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str, decimals: u8) -> Result<i128, Refusal> {
        Decimal::parse(text.as_bytes())
            .ok_or(Refusal::NotANumber)
            .and_then(|decimal| decimal.at(Scale::new(decimals).unwrap()))
    }

    #[test]
    fn numbers_are_exact_at_a_scale() {
        for (text, decimals, value) in [
            ("1.05432", 5, Ok(105_432)),
            ("+1.05432", 5, Ok(105_432)),
            ("-1.05432", 5, Ok(-105_432)),
            ("1.149650", 5, Ok(114_965)),
            ("1.149651", 5, Err(Refusal::Inexact)),
            (".5", 1, Ok(5)),
            ("5.", 1, Ok(50)),
            ("0", 0, Ok(0)),
            ("-0.0", 5, Ok(0)),
            ("0.000000000000000000000000000000000000000000000000", 5, Ok(0)),
            ("1e-05", 5, Ok(1)),
            ("1e-06", 5, Err(Refusal::Inexact)),
            ("10e-06", 5, Ok(1)),
            ("1.5E+3", 0, Ok(1500)),
            ("2.853e-05", 8, Ok(2853)),
            ("1e308", 5, Err(Refusal::TooLarge)),
            ("1e999999999999999999999", 5, Err(Refusal::TooLarge)),
            ("0e999999999999999999999", 5, Ok(0)),
            ("1e-999999999999999999999", 5, Err(Refusal::Inexact)),
            ("00000000000000000000000000000000000000000000000001", 0, Ok(1)),
            ("340282366920938463463374607431768211456", 0, Err(Refusal::TooLarge)),
            ("1000000000000000000000000000000000000000000000000e-48", 0, Ok(1)),
            ("1000000000000000000000000000000000000000000000001e-48", 0, Err(Refusal::Inexact)),
        ] {
            assert_eq!(at(text, decimals), value, "{text} at {decimals}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "+", "-", ".", "e5", ".e5", "1e", "1e+", "1e5.0", "1,5", "1.2.3", "NaN", "nan", "inf", "-inf", "0x10",
            " 1", "1 ", "1_000", "--1", "1-", "١",
        ] {
            assert_eq!(at(text, 5), Err(Refusal::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn t104_prices_of_version_1_are_exact_or_refused() {
        let fit = Fit::version_1();
        for (text, value) in [("0", 0), ("42949.67295", u32::MAX), ("1.05432", 105_432), ("4.294967295e4", u32::MAX)] {
            assert_eq!(fit.price("open", text.as_bytes()), Ok(i64::from(value)), "{text}");
        }
        for (text, expected) in [
            ("42949.67296", "a price from 0.00000 to 42949.67295"),
            ("-1", "a price from 0.00000 to 42949.67295"),
            ("1e308", "a price from 0.00000 to 42949.67295"),
            ("1.054321", "a price of 5 decimals at most (the price scale)"),
            ("NaN", "a decimal number as 1.05432"),
            ("", "a decimal number as 1.05432"),
        ] {
            let problem = fit.price("open", text.as_bytes()).unwrap_err();
            assert_eq!(problem.to_string(), format!("open is \"{text}\", expected {expected}"));
        }
    }

    #[test]
    fn t105_volumes_of_version_1_are_exact_or_refused() {
        let fit = Fit::version_1();
        assert_eq!(fit.volume(b"4294967295"), Ok(u64::from(u32::MAX)));
        assert_eq!(fit.volume(b""), Ok(0));
        assert_eq!(
            fit.volume(b"4294967296").unwrap_err().to_string(),
            "volume is \"4294967296\", expected a volume from 0 to 4294967295"
        );
        for text in ["-1", "1.5", "many"] {
            assert!(fit.volume(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_at_a_scale_read_back(value in any::<i64>(), decimals in 0_u8..=18) {
            let scale = Scale::new(decimals).unwrap();
            prop_assert_eq!(at(&decimal_text(i128::from(value), scale), decimals), Ok(i128::from(value)));
        }

        #[test]
        fn any_spelling_of_a_number_is_the_same_number(
            value in any::<i64>(), shift in 0_usize..40, zeros in 0_usize..30, leading in 0_usize..30,
        ) {
            let sign = if value < 0 { "-" } else { "+" };
            let size = value.unsigned_abs();
            let text = format!("{sign}{}{size}{}.{}e-{shift}", "0".repeat(leading), "0".repeat(shift), "0".repeat(zeros));
            prop_assert_eq!(at(&text, 0), Ok(i128::from(value)));
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Fit::version_1().price("open", &text);
        }
    }
}
