//! Values of options: times, decimals, versions.

use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime};
use fxd::{Scale, Version};

/// The version of the format to write.
pub(crate) fn format_version(text: &str) -> Result<Version, String> {
    match text.parse().ok().and_then(Version::of) {
        Some(version) => Ok(version),
        None => Err("expected 1, 2, 3 or 4".to_owned()),
    }
}

/// A number of decimals.
pub(crate) fn scale(text: &str) -> Result<Scale, String> {
    text.parse().ok().and_then(Scale::new).ok_or_else(|| "expected 0 to 18 decimals".to_owned())
}

/// A moment in nanoseconds since 1970; one that no store holds is the nearest end.
pub(crate) fn time(text: &str) -> Result<u64, String> {
    let nanos = |time: DateTime<chrono::Utc>| match time.timestamp_nanos_opt() {
        Some(nanos) => u64::try_from(nanos).unwrap_or(0),
        None if time.timestamp() < 0 => 0,
        None => u64::MAX,
    };
    if text.len() != 8 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| "more nanoseconds than 64 bits hold".to_owned());
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(nanos(time.to_utc()));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    date.map(|date| nanos(date.and_time(NaiveTime::MIN).and_utc())).map_err(|_| {
        "expected a time with its zone as 2024-01-31T12:00:00Z, a date as 2024-01-31, or nanoseconds since 1970"
            .to_owned()
    })
}

/// A decimal number as it was typed, to be brought to a scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound {
    negative: bool,
    whole: u64,
    decimals: String,
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && decimals.is_empty()) || !plain(whole) || !plain(decimals) {
            return Err("expected a decimal number as 1.05432".to_owned());
        }
        let whole = if whole.is_empty() { Ok(0) } else { whole.parse() };
        let whole = whole.map_err(|_| "the number is too large".to_owned())?;
        Ok(Self { negative, whole, decimals: decimals.trim_end_matches('0').to_owned() })
    }
}

impl Bound {
    /// The smallest whole number at a scale that is not below.
    pub(crate) fn at_least(&self, scale: Scale) -> i128 {
        let (floor, exact) = self.floor(scale);
        if exact { floor } else { floor + 1 }
    }

    /// The largest whole number at a scale that is not above.
    pub(crate) fn at_most(&self, scale: Scale) -> i128 {
        self.floor(scale).0
    }

    /// The largest whole number at a scale that is not above, and whether it is the number.
    fn floor(&self, scale: Scale) -> (i128, bool) {
        let kept = usize::from(scale.decimals());
        let fraction = (0..kept).fold(0_i128, |value, position| {
            let digit = self.decimals.as_bytes().get(position).map_or(0, |digit| digit - b'0');
            value * 10 + i128::from(digit)
        });
        let exact = self.decimals.len() <= kept;
        let size = i128::from(self.whole) * i128::from(scale.unit()) + fraction;
        match (self.negative, exact) {
            (false, _) => (size, exact),
            (true, true) => (-size, true),
            (true, false) => (-size - 1, false),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_rounded_inward() {
        let two = Scale::new(2).unwrap();
        for (text, least, most) in [
            ("1.05", 105, 105),
            ("1.050", 105, 105),
            ("1.051", 106, 105),
            ("-1.051", -105, -106),
            ("-1.05", -105, -105),
            ("7", 700, 700),
            (".5", 50, 50),
            ("0.001", 1, 0),
            ("18446744073709551615", 1_844_674_407_370_955_161_500, 1_844_674_407_370_955_161_500),
        ] {
            let bound: Bound = text.parse().unwrap();
            assert_eq!((bound.at_least(two), bound.at_most(two)), (least, most), "{text}");
        }
        for text in ["", "-", ".", "1e5", "1,5", "NaN", "--1", "٣"] {
            assert!(text.parse::<Bound>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read() {
        for (text, ts) in [
            ("1970-01-01", 0),
            ("1970-01-02", 86_400_000_000_000),
            ("1970-01-01T00:00:01Z", 1_000_000_000),
            ("1970-01-01T01:00:00+01:00", 0),
            ("1960-01-01", 0),
            ("9999-01-01", u64::MAX),
            ("42", 42),
        ] {
            assert_eq!(time(text), Ok(ts), "{text}");
        }
        for text in ["", "20240131", "2024-01-31T12:00:00", "yesterday", "99999999999999999999"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
