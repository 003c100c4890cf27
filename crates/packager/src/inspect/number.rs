//! Numbers as text has them.

use serde_json::Value;

/// A number, and what its text says of its kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// A whole number.
    Long(i64),
    /// A whole number above what [`Number::Long`] holds.
    Unsigned(u64),
    /// A number with a fraction, and how many digits it needs behind the point.
    Decimal(f64, u8),
    /// A number with an exponent or more digits than a decimal has.
    Float(f64),
}

const POWERS: [f64; 19] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];
/// Integers up to here are exact in a double.
const EXACT: i64 = 1 << 53;

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "checks and ranges of wide integers need no last digit")]
    pub(crate) const fn value(self) -> f64 {
        match self {
            Self::Long(value) => value as f64,
            Self::Unsigned(value) => value as f64,
            Self::Decimal(value, _) | Self::Float(value) => value,
        }
    }

    /// As a value of JSON.
    pub(crate) fn json(self) -> Value {
        match self {
            Self::Long(value) => value.into(),
            Self::Unsigned(value) => value.into(),
            Self::Decimal(value, _) | Self::Float(value) => value.into(),
        }
    }

    /// A double as its shortest text would have it.
    pub(crate) fn of_double(value: f64) -> Self {
        let text = value.to_string();
        if text.len() > 20 {
            return Self::Float(value);
        }
        let digits = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        Self::Decimal(value, u8::try_from(digits).unwrap_or(u8::MAX))
    }
}

/// A JSON integer of at most 18 digits, and what follows it; it goes on as nothing else.
pub(crate) fn integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    match plain(bytes, 0)? {
        (Number::Long(value), rest) => Some((value, rest)),
        _ => None,
    }
}

/// A JSON number with a fraction and without an exponent, of at most 18 digits, and what follows it. Zeros at its end
/// count as digits up to `known` of them behind the point, for where so many are known they tell nothing.
pub(crate) fn decimal(bytes: &[u8], known: u8) -> Option<(f64, u8, &[u8])> {
    match plain(bytes, known)? {
        (Number::Decimal(value, scale), rest) => Some((value, scale, rest)),
        _ => None,
    }
}

/// What follows a JSON number with a fraction and without an exponent.
pub(crate) fn behind_decimal(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = digits.split_at_checked(len)?;
    if len == 0 || (len > 1 && whole.first() == Some(&b'0')) {
        return None;
    }
    let rest = rest.strip_prefix(b".")?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(len..)?;
    // 300 digits are far below what a double cannot hold.
    (len > 0 && len < 300 && whole.len() < 300 && !matches!(rest.first(), Some(b'e' | b'E'))).then_some(rest)
}

/// A JSON number without an exponent, of at most 18 digits, and what follows it.
fn plain(bytes: &[u8], known: u8) -> Option<(Number, &[u8])> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, bytes),
    };
    let (mut mantissa, mut len, mut point) = (0_i64, 0_usize, None);
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(i64::from(digit));
        } else if *byte == b'.' && point.is_none() {
            point = Some(len);
        } else {
            break;
        }
        len += 1;
    }
    let rest = digits.get(len..)?;
    let whole = point.unwrap_or(len);
    let leading_zero = whole > 1 && digits.first() == Some(&b'0');
    let minus_zero = negative && mantissa == 0 && point.is_none();
    let count = len - usize::from(point.is_some());
    if whole == 0 || leading_zero || minus_zero || count > 18 || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    let signed = if negative { -mantissa } else { mantissa };
    let Some(point) = point else { return Some((Number::Long(signed), rest)) };
    let scale = len - point - 1;
    if scale == 0 {
        return None;
    }
    if mantissa >= EXACT {
        let text = std::str::from_utf8(bytes.get(..bytes.len() - rest.len())?).ok()?;
        return Some((Number::of_double(text.parse().ok()?), rest));
    }
    Some((fraction(signed, scale, usize::from(known)), rest))
}

/// `mantissa`, below 2^53, with `scale` digits behind the point, of which zeros at the end beyond `known` are not needed.
fn fraction(mut mantissa: i64, mut scale: usize, known: usize) -> Number {
    while scale > known && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "both numbers are exact, so that the quotient is the nearest double"
    )]
    let value = mantissa as f64 / POWERS.get(scale).copied().unwrap_or(1.0);
    Number::Decimal(value, u8::try_from(scale).unwrap_or(u8::MAX))
}

/// The number that `text` is, blanks around it aside: as in JSON, or with an exponent or a `+`.
pub(crate) fn parse(text: &str) -> Option<Number> {
    let trimmed = text.trim();
    if let Some((number, [])) = plain(trimmed.as_bytes(), 0) {
        return Some(number);
    }
    // `inf` and `nan` are words, not numbers.
    if !trimmed.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) || trimmed.len() > 400 {
        return None;
    }
    // 00123 is a code whose zeros count.
    let digits = trimmed.trim_start_matches(['-', '+']);
    if digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Ok(value) = trimmed.parse::<i64>() {
        return Some(Number::Long(value));
    }
    if let Ok(value) = trimmed.parse::<u64>() {
        return Some(Number::Unsigned(value));
    }
    let value = trimmed.parse::<f64>().ok().filter(|value| value.is_finite())?;
    let has_exponent = trimmed.contains(['e', 'E']);
    Some(if has_exponent { Number::Float(value) } else { Number::of_double(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("0", Some(Number::Long(0))),
            ("-12", Some(Number::Long(-12))),
            ("9223372036854775807", Some(Number::Long(i64::MAX))),
            ("9223372036854775808", Some(Number::Unsigned(1 << 63))),
            ("007", None),
            ("+7", Some(Number::Long(7))),
            ("12.50", Some(Number::Decimal(12.5, 1))),
            ("0.00001234", Some(Number::Decimal(0.000_012_34, 8))),
            ("-1.0", Some(Number::Decimal(-1.0, 0))),
            ("1e3", Some(Number::Float(1000.0))),
            (".5", Some(Number::Decimal(0.5, 1))),
            ("12.3.4", None),
            ("", None),
            ("-", None),
            ("nan", None),
            ("inf", None),
            ("-inf", None),
            ("AAPL", None),
            ("12-3", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(integer(b"-0"), None, "JSON readers make a double of it");
        assert_eq!(integer(b"12,"), Some((12, &b","[..])));
        assert_eq!(decimal(b"1.50}", 2), Some((1.5, 2, &b"}"[..])));
        assert_eq!(decimal(b"1.25}", 0), Some((1.25, 2, &b"}"[..])));
        for bad in [&b"01"[..], b"1.", b"1.5e3", b"1e3", b"1234567890123456789", b".5", b"--1"] {
            assert_eq!((integer(bad), decimal(bad, 0)), (None, None), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_decimal_is_the_nearest_double(mantissa in -(1_i64 << 53)..(1_i64 << 53), scale in 1_usize..16) {
            let digits = format!("{:0width$}", mantissa.abs(), width = scale + 1);
            let (whole, behind) = digits.split_at(digits.len() - scale);
            let text = format!("{}{whole}.{behind}", if mantissa < 0 { "-" } else { "" });
            let expected: f64 = text.parse().unwrap();
            proptest::prop_assert_eq!(decimal(text.as_bytes(), 0).map(|(value, ..)| value), Some(expected));
        }
    }
}
