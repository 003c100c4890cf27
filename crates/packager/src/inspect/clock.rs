//! Times in data: text in several forms, and numbers since 1970 whose unit shows in their size.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use pdp_manifest::TimeUnit;

/// A time, and whether its text (or being a count since 1970) fixes its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) time: DateTime<Utc>,
    pub(crate) zoned: bool,
}

/// Reads a time as collectors and vendors write them.
pub(crate) fn parse(text: &str) -> Option<Stamp> {
    if let Some(time) = utc_iso(text.as_bytes()) {
        return Some(Stamp { time, zoned: true });
    }
    if let Some((time, zoned)) = pdp_manifest::time::parse_zoned(text) {
        return Some(Stamp { time, zoned });
    }
    let text = text.trim();
    if let Some(time) = compact(text) {
        return Some(Stamp { time, zoned: false });
    }
    match text.parse::<i64>() {
        Ok(count) => from_epoch(count),
        Err(_) => from_epoch_fraction(text.parse().ok()?),
    }
}

/// The commonest form, `2024-01-03T12:00:00[.fraction](Z|+00:00)`, without the cost of a general parser.
fn utc_iso(bytes: &[u8]) -> Option<DateTime<Utc>> {
    let (head, rest) = bytes.split_at_checked(19)?;
    let digits = |from: usize, to: usize| {
        head.get(from..to)?
            .iter()
            .try_fold(0_u32, |value, b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| head.get(*at) != Some(mark)) {
        return None;
    }
    let (fraction, zone) = match rest.split_first() {
        Some((b'.', after)) => {
            let len = after.iter().take_while(|b| b.is_ascii_digit()).count();
            after.split_at_checked(len).filter(|_| (1..=9).contains(&len))?
        }
        _ => (<&[u8]>::default(), rest),
    };
    if zone != b"Z" && zone != b"+00:00" {
        return None;
    }
    let mut nanos = fraction.iter().fold(0_u32, |value, b| value * 10 + u32::from(b - b'0'));
    for _ in fraction.len()..9 {
        nanos *= 10;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(digits(0, 4)?).ok()?, digits(5, 7)?, digits(8, 10)?)?;
    let time = NaiveTime::from_hms_nano_opt(digits(11, 13)?, digits(14, 16)?, digits(17, 19)?, nanos)?;
    Some(date.and_time(time).and_utc())
}

/// `YYYYMMDD HHMMSS` with an optional millisecond, as HistData writes it; `YYYYMMDD` alone is not told from a number.
fn compact(text: &str) -> Option<DateTime<Utc>> {
    let (date, time) = text.split_once(' ')?;
    let (hms, millis) = (time.get(..6)?, time.get(6..)?);
    if date.len() != 8
        || !date.bytes().chain(time.bytes()).all(|b| b.is_ascii_digit())
        || !matches!(millis.len(), 0 | 3)
    {
        return None;
    }
    let part = |text: &str, from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(date.get(..4)?.parse().ok()?, part(date, 4, 6)?, part(date, 6, 8)?)?;
    let millis = if millis.is_empty() { 0 } else { millis.parse().ok()? };
    let time = NaiveTime::from_hms_milli_opt(part(hms, 0, 2)?, part(hms, 2, 4)?, part(hms, 4, 6)?, millis)?;
    Some(date.and_time(time).and_utc())
}

/// A count since 1970 in seconds, milliseconds, microseconds or nanoseconds, told apart by size.
pub(crate) fn from_epoch(count: i64) -> Option<Stamp> {
    let time = match TimeUnit::of_count(count)? {
        TimeUnit::Days => None,
        TimeUnit::Seconds => DateTime::from_timestamp(count, 0),
        TimeUnit::Millis => DateTime::from_timestamp_millis(count),
        TimeUnit::Micros => DateTime::from_timestamp_micros(count),
        TimeUnit::Nanos => Some(DateTime::from_timestamp_nanos(count)),
    }?;
    Some(Stamp { time, zoned: true })
}

/// Nanoseconds since 1970, however few.
pub(crate) const fn from_epoch_nanos(nanos: i64) -> Option<Stamp> {
    Some(Stamp { time: DateTime::from_timestamp_nanos(nanos), zoned: true })
}

/// Seconds since 1970 with a fraction, kept to the microsecond that a double can hold.
pub(crate) fn from_epoch_fraction(seconds: f64) -> Option<Stamp> {
    if !(1e8..1e10).contains(&seconds) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between 1e14 and 1e16 after scaling")]
    let micros = (seconds * 1e6).round() as i64;
    DateTime::from_timestamp_micros(micros).map(|time| Stamp { time, zoned: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected, zoned) in [
            ("2019-10-11T00:00:11.62+00:00", "2019-10-11T00:00:11.620Z", true),
            ("2019-10-11T00:00:11Z", "2019-10-11T00:00:11Z", true),
            ("2019-10-11T00:00:11.123456789Z", "2019-10-11T00:00:11.123456789Z", true),
            ("2019-10-11T02:00:11+02:00", "2019-10-11T00:00:11Z", true),
            ("2019-10-11 00:00:11", "2019-10-11T00:00:11Z", false),
            ("20250101 180000", "2025-01-01T18:00:00Z", false),
            ("20200101 170000065", "2020-01-01T17:00:00.065Z", false),
            ("1672531436", "2023-01-01T00:03:56Z", true),
            ("1667346579146", "2022-11-01T23:49:39.146Z", true),
            ("1598918403696000", "2020-09-01T00:00:03.696Z", true),
            ("1598918403696000000", "2020-09-01T00:00:03.696Z", true),
            ("1672531436.5", "2023-01-01T00:03:56.500Z", true),
        ] {
            let stamp = parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(pdp_manifest::time::format(stamp.time), expected, "{text}");
            assert_eq!(stamp.zoned, zoned, "{text}");
        }
        for bad in ["", "12.5", "86399000", "AAPL", "2019-13-11T00:00:11Z", "20259901 180000", "nan"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_short_cut_agrees_with_the_general_parser(secs in 0_i64..4_000_000_000, nanos in 0_u32..1_000_000_000) {
            let time = DateTime::from_timestamp(secs, nanos).unwrap();
            let text = pdp_manifest::time::format(time);
            proptest::prop_assert_eq!(utc_iso(text.as_bytes()), Some(time));
        }
    }
}
