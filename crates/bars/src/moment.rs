//! Timestamps as text says them.

use std::fmt;

use crate::calendar::{DAY_SECONDS, SECOND, day_of};
use crate::zone::parse_offset;

/// What a timestamp's digits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
    /// Not a count: a date and time without separators.
    Calendar,
}

impl Unit {
    /// How an error names it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
            Self::Calendar => "years, months and days",
        }
    }

    /// Nanoseconds in one.
    const fn nanos(self) -> u64 {
        match self {
            Self::Seconds => SECOND,
            Self::Milliseconds => 1_000_000,
            Self::Microseconds => 1_000,
            Self::Nanoseconds | Self::Calendar => 1,
        }
    }

    /// The unit of a count since 1970, told by its size: each takes 1970 to 2262 but for the first three months of 1970, which
    /// look like a coarser unit. Zero is zero in any unit.
    pub(crate) const fn of(count: u64) -> Option<Self> {
        Some(match count {
            0 => return None,
            1..10_000_000_000 => Self::Seconds,
            10_000_000_000..10_000_000_000_000 => Self::Milliseconds,
            10_000_000_000_000..10_000_000_000_000_000 => Self::Microseconds,
            _ => Self::Nanoseconds,
        })
    }

    /// A count of this unit in nanoseconds, if a store takes the moment.
    pub(crate) fn to_nanos(self, count: u64) -> Option<u64> {
        count.checked_mul(self.nanos()).filter(|ts| *ts <= fxd::MAX_TS)
    }
}

/// A timestamp before any zone was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A count since 1970 in UTC.
    Count { count: u64 },
    /// What a clock showed, in seconds as if it were UTC. `east` is the clock's distance from UTC, if the text says it.
    Clock { seconds: i64, nanos: u32, east: Option<i32>, unit: Option<Unit> },
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { count } => count.fmt(f),
            Self::Clock { seconds, nanos, .. } => match chrono::DateTime::from_timestamp(*seconds, *nanos) {
                Some(time) => time.naive_utc().fmt(f),
                None => write!(f, "{seconds} seconds since 1970"),
            },
        }
    }
}

/// What a timestamp may look like.
pub(crate) const EXPECTED: &str = "a timestamp as 2024-01-31T12:00:00Z, 2024-01-31 12:00:00, 20240131 120000 or a count of \
     seconds, milliseconds, microseconds or nanoseconds since 1970";
/// Why a whole number was refused.
const SHORT: &str = "a date as 20240131, or a count since 1970 of nine digits or more";
/// Why a date with strokes was refused.
const AMBIGUOUS: &str = "a date as 2024-01-31, as the order of day and month cannot be told here";

impl Moment {
    /// Reads a timestamp; the error says what was expected.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, &'static str> {
        if !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
            return digits_only(text);
        }
        if is_stroke_date(text) {
            return Err(AMBIGUOUS);
        }
        separated(text).ok_or(EXPECTED)
    }

    /// A count since 1970, if it is one.
    pub(crate) const fn of_count(count: u64) -> Result<Self, &'static str> {
        match count {
            // Time of day in milliseconds, a row number, a day count: nothing says which.
            1..100_000_000 => Err(SHORT),
            count => Ok(Self::Count { count }),
        }
    }

    /// Reads a date and a time of day that stand in fields of their own.
    pub(crate) fn parse_parts(date: &[u8], time: &[u8]) -> Result<Self, &'static str> {
        if is_stroke_date(date) {
            return Err(AMBIGUOUS);
        }
        let (seconds, rest) = date_of(date).ok_or("a date as 2024-01-31 or 20240131")?;
        if !rest.is_empty() {
            return Err("a date as 2024-01-31 or 20240131");
        }
        let (day, nanos, east) = time_and_zone(time).ok_or("a time of day as 12:00:00 or 120000")?;
        Ok(Self::Clock { seconds: seconds + day, nanos, east, unit: None })
    }
}

/// A number: a date and time written without separators, or else a count.
fn digits_only(text: &[u8]) -> Result<Moment, &'static str> {
    if matches!(text.len(), 8 | 12 | 14 | 17) {
        // Read as a count, each of these would be a moment of the seventies: no file means that.
        if let Some((seconds, rest)) = date_of(text)
            && (19_700_101..=22_620_411).contains(&whole(text.get(..8).unwrap_or_default()).unwrap_or(0))
        {
            if rest.is_empty() {
                return Ok(Moment::Clock { seconds, nanos: 0, east: None, unit: Some(Unit::Calendar) });
            }
            if let Some((day, nanos, None)) = time_and_zone(rest) {
                return Ok(Moment::Clock { seconds: seconds + day, nanos, east: None, unit: Some(Unit::Calendar) });
            }
        }
    }
    match whole(text) {
        Some(count) => Moment::of_count(count),
        None => Err("a moment from 1970-01-01 to 2262-04-11"),
    }
}

/// A date, `T` or a space, a time of day, and perhaps a zone; or a date alone.
fn separated(text: &[u8]) -> Option<Moment> {
    let (seconds, rest) = date_of(text)?;
    let (day, nanos, east) = match rest.split_first() {
        None => (0, 0, None),
        Some((b'T' | b't' | b' ', rest)) => time_and_zone(rest)?,
        Some(_) => return None,
    };
    Some(Moment::Clock { seconds: seconds + day, nanos, east, unit: None })
}

/// Whether a text begins like `12/31/2024`.
fn is_stroke_date(text: &[u8]) -> bool {
    let mut parts = text.splitn(3, |byte| *byte == b'/');
    let short = |part: &[u8]| (1..=2).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    parts.next().is_some_and(short) && parts.next().is_some_and(short)
}

/// The seconds since 1970 of a date as `2024-01-31`, `2024/01/31`, `2024.01.31` or `20240131`, and what follows it.
fn date_of(text: &[u8]) -> Option<(i64, &[u8])> {
    let (year, rest) = text.split_at_checked(4)?;
    let (month, day, rest) = match rest {
        [sep @ (b'-' | b'/' | b'.'), m1, m2, sep2, d1, d2, rest @ ..] if sep == sep2 => ([*m1, *m2], [*d1, *d2], rest),
        [m1, m2, d1, d2, rest @ ..] => ([*m1, *m2], [*d1, *d2], rest),
        _ => return None,
    };
    let part = |text: &[u8]| whole(text).and_then(|value| u32::try_from(value).ok());
    let days = day_of(part(year)?, part(&month)?, part(&day)?)?;
    Some((days * DAY_SECONDS, rest))
}

/// A time of day as `HH:MM[:SS[.f]]` or `HHMM[SS[mmm]]` and perhaps a zone: seconds, nanoseconds, seconds east of Greenwich.
fn time_and_zone(text: &[u8]) -> Option<(i64, u32, Option<i32>)> {
    let (hour, rest) = two(text)?;
    let colons = rest.first() == Some(&b':');
    let (minute, rest) = two(if colons { rest.get(1..)? } else { rest })?;
    let (second, rest) = match rest.split_first() {
        Some((b':', rest)) if colons => two(rest)?,
        Some((b'0'..=b'9', _)) if !colons => two(rest)?,
        _ => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (nanos, rest) = match rest.split_first() {
        Some((b'.', rest)) => fraction(rest)?,
        Some((b'0'..=b'9', _)) if !colons => {
            let (millis, rest) = rest.split_at_checked(3)?;
            (u32::try_from(whole(millis)?).ok()? * 1_000_000, rest)
        }
        _ => (0, rest),
    };
    let east = match rest.strip_prefix(b" ").unwrap_or(rest) {
        [] if rest.is_empty() => None,
        b"Z" | b"z" | b"UTC" => Some(0),
        offset => Some(parse_offset(offset)?),
    };
    Some((hour * 3600 + minute * 60 + second, nanos, east))
}

/// One to nine digits behind a point, in nanoseconds.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count)?;
    let missing = 9_u32.checked_sub(u32::try_from(count).ok()?)?;
    let value = u32::try_from(whole(digits)?).ok()?;
    Some((value * 10_u32.pow(missing), rest))
}

/// Two digits.
fn two(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_at_checked(2)?;
    Some((i64::try_from(whole(digits)?).ok()?, rest))
}

/// A run of digits, if it is one and fits.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        byte.is_ascii_digit().then_some(())?;
        value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDateTime;
    use proptest::prelude::*;

    fn clock(text: &str) -> Option<(String, u32, Option<i32>)> {
        match Moment::parse(text.as_bytes()) {
            Ok(Moment::Clock { seconds, nanos, east, .. }) => {
                Some((chrono::DateTime::from_timestamp(seconds, 0)?.naive_utc().to_string(), nanos, east))
            }
            _ => None,
        }
    }

    #[test]
    fn dates_and_times_are_read() {
        for (text, shown, nanos, east) in [
            ("2024-01-31T12:34:56Z", "2024-01-31 12:34:56", 0, Some(0)),
            ("2024-01-31 12:34:56", "2024-01-31 12:34:56", 0, None),
            ("2024-01-31 12:34", "2024-01-31 12:34:00", 0, None),
            ("2024-01-31", "2024-01-31 00:00:00", 0, None),
            ("20240131", "2024-01-31 00:00:00", 0, None),
            ("2024.01.31 12:34", "2024-01-31 12:34:00", 0, None),
            ("2024/01/31 12:34", "2024-01-31 12:34:00", 0, None),
            ("20240131 123456", "2024-01-31 12:34:56", 0, None),
            ("20240131 123456789", "2024-01-31 12:34:56", 789_000_000, None),
            ("20240131123456", "2024-01-31 12:34:56", 0, None),
            ("202401311234", "2024-01-31 12:34:00", 0, None),
            ("20240131T123456Z", "2024-01-31 12:34:56", 0, Some(0)),
            ("2024-01-31T12:34:56.000000001Z", "2024-01-31 12:34:56", 1, Some(0)),
            ("2024-01-31T12:34:56.5+02:00", "2024-01-31 12:34:56", 500_000_000, Some(7200)),
            ("2024-01-31T12:34:56-0500", "2024-01-31 12:34:56", 0, Some(-18_000)),
            ("2024-01-31 12:34:56+00", "2024-01-31 12:34:56", 0, Some(0)),
            ("2024-01-31 12:34:56 UTC", "2024-01-31 12:34:56", 0, Some(0)),
        ] {
            assert_eq!(clock(text), Some((shown.to_owned(), nanos, east)), "{text}");
        }
    }

    #[test]
    fn counts_are_read() {
        for text in ["0", "1637971200", "1637971200000", "1637971200000000", "1637971200000000000"] {
            assert_eq!(Moment::parse(text.as_bytes()), Ok(Moment::Count { count: text.parse().unwrap() }), "{text}");
        }
        for (count, unit) in [
            (1_637_971_200, Unit::Seconds),
            (9_223_372_036, Unit::Seconds),
            (1_637_971_200_000, Unit::Milliseconds),
            (9_223_372_036_854, Unit::Milliseconds),
            (1_637_971_200_000_000, Unit::Microseconds),
            (9_223_372_036_854_775, Unit::Microseconds),
            (1_637_971_200_000_000_000, Unit::Nanoseconds),
            (fxd::MAX_TS, Unit::Nanoseconds),
        ] {
            assert_eq!(Unit::of(count), Some(unit), "{count}");
            assert!(unit.to_nanos(count).is_some(), "{count}");
        }
        assert_eq!(Unit::of(0), None);
        assert_eq!(Unit::Nanoseconds.to_nanos(fxd::MAX_TS + 1), None);
        assert_eq!(Unit::Seconds.to_nanos(9_223_372_037), None);
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for (text, expected) in [
            ("", EXPECTED),
            ("x", EXPECTED),
            ("2024-02-30", EXPECTED),
            ("2024-1-3", EXPECTED),
            ("2024-01/31", EXPECTED),
            ("2024-01-31T24:00:00Z", EXPECTED),
            ("2024-01-31T12:60:00Z", EXPECTED),
            ("2024-01-31T12:34:60Z", EXPECTED),
            ("2024-01-31T12:34:56.Z", EXPECTED),
            ("2024-01-31T12:34:56.1234567890Z", EXPECTED),
            ("2024-01-31T12:34:56+2:00", EXPECTED),
            ("2024-01-31T12:34:56 ", EXPECTED),
            ("2024-01-31T", EXPECTED),
            ("2024-01-31x12:00", EXPECTED),
            ("1637971200.5", EXPECTED),
            ("-1", EXPECTED),
            ("01/02/2024 10:00", AMBIGUOUS),
            ("1/2/24", AMBIGUOUS),
            ("14400000", SHORT),
            ("20241399", SHORT),
            ("99999999999999999999", "a moment from 1970-01-01 to 2262-04-11"),
        ] {
            assert_eq!(Moment::parse(text.as_bytes()), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_date_and_a_time_may_stand_apart() {
        let whole = Moment::parse(b"2019-01-02 17:02");
        for (date, time) in
            [("2019.01.02", "17:02"), ("20190102", "170200"), ("2019-01-02", "17:02:00"), ("20190102", "1702")]
        {
            assert_eq!(Moment::parse_parts(date.as_bytes(), time.as_bytes()), whole, "{date} {time}");
        }
        assert!(Moment::parse_parts(b"2019.01.02 17:02", b"17:02").is_err());
        assert!(Moment::parse_parts(b"01/02/2019", b"17:02").is_err());
    }

    proptest! {
        #[test]
        fn timestamps_are_those_of_chrono(seconds in 0_i64..9_223_372_036, nanos in 0_u32..1_000_000_000) {
            let at = chrono::DateTime::from_timestamp(seconds, nanos).unwrap().naive_utc();
            for format in ["%Y-%m-%dT%H:%M:%S%.9f", "%Y-%m-%d %H:%M:%S%.9f", "%Y.%m.%d %H:%M:%S%.f", "%Y%m%d %H%M%S%.f"] {
                let text = at.format(format).to_string();
                prop_assert_eq!(
                    Moment::parse(text.as_bytes()),
                    Ok(Moment::Clock { seconds, nanos, east: None, unit: None }),
                    "{}", text
                );
            }
        }

        #[test]
        fn what_is_read_as_iso_chrono_reads_too(text in "(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]") {
            let chrono = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S").ok();
            // Chrono takes leap seconds, which no bar opens at.
            let chrono = chrono.filter(|_| !text.ends_with(":60")).map(|at| at.and_utc().timestamp());
            let ours = match Moment::parse(text.as_bytes()) {
                Ok(Moment::Clock { seconds, .. }) => Some(seconds),
                _ => None,
            };
            prop_assert_eq!(ours, chrono, "{}", text);
        }

        #[test]
        fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Moment::parse(&text);
            let _ = Moment::parse_parts(&text, &text);
        }
    }
}
