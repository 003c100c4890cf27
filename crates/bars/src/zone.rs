//! The zone whose clock wrote the timestamps that name none.

use std::fmt;
use std::str::FromStr;

use chrono_tz::Tz;

/// A time zone for timestamps that carry none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Zone {
    /// The same distance from UTC all year: so many seconds east of Greenwich.
    Fixed(i32),
    /// A zone of the IANA database, with its changes of clock.
    Named(Tz),
}

impl Zone {
    /// Universal time.
    pub const UTC: Self = Self::Fixed(0);
    /// Five hours behind UTC all year, as HISTDATA says its files are. No place keeps it so: New York has summer time.
    pub const EST: Self = Self::Fixed(-5 * 3600);
}

/// A text names no time zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "time zone \"{text}\" is not known, expected a name as America/New_York, an offset as +02:00 or UTC-5, EST or UTC"
)]
pub struct UnknownZone {
    text: String,
}

impl FromStr for Zone {
    type Err = UnknownZone;

    /// Takes `UTC`, `Z`, `GMT`, `EST` (which is UTC-5 all year), an offset as `+02:00`, `-0500`, `+2`, `UTC-5` or `GMT+1`
    /// (hours ahead of UTC, as everywhere but in names like `Etc/GMT-1`), or a name of the IANA database.
    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        let upper = text.to_ascii_uppercase();
        match upper.as_str() {
            "UTC" | "Z" | "GMT" => return Ok(Self::UTC),
            "EST" => return Ok(Self::EST),
            _ => {}
        }
        let offset = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper);
        if let Some(seconds) = parse_offset(offset.as_bytes()) {
            return Ok(Self::Fixed(seconds));
        }
        text.parse().map(Self::Named).map_err(|_| UnknownZone { text: crate::problem::shown(text.as_bytes()) })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(0) => f.write_str("UTC"),
            Self::Fixed(seconds) => {
                let sign = if *seconds < 0 { '-' } else { '+' };
                let minutes = seconds.unsigned_abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Self::Named(zone) => f.write_str(zone.name()),
        }
    }
}

/// Seconds east of Greenwich of `+HH:MM`, `+HHMM`, `+HH` or `+H`; at most 18 hours.
pub(crate) fn parse_offset(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    let (hours, minutes) = match digits {
        [h] => (digit(h)?, 0),
        [h1, h2] => (digit(h1)? * 10 + digit(h2)?, 0),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?),
        _ => return None,
    };
    let total = hours * 3600 + minutes * 60;
    (minutes < 60 && total <= 18 * 3600).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_read() {
        for (text, zone) in [
            ("UTC", Zone::UTC),
            ("utc", Zone::UTC),
            ("Z", Zone::UTC),
            ("+00:00", Zone::UTC),
            ("EST", Zone::Fixed(-18_000)),
            ("UTC-5", Zone::Fixed(-18_000)),
            ("-0500", Zone::Fixed(-18_000)),
            ("+02:00", Zone::Fixed(7200)),
            ("GMT+1", Zone::Fixed(3600)),
            ("+0530", Zone::Fixed(19_800)),
            ("America/New_York", Zone::Named(Tz::America__New_York)),
            ("Etc/GMT+5", Zone::Named(Tz::Etc__GMTPlus5)),
        ] {
            assert_eq!(text.parse(), Ok(zone), "{text}");
            assert_eq!(zone.to_string().parse(), Ok(zone), "{text} read back");
        }
    }

    #[test]
    fn what_is_no_zone_is_refused() {
        for text in
            ["", "+", "+25", "+02:60", "+1900", "New York", "Europe/Nowhere", "UTC5", "+2:0", "1e5", "UTC+٣", "+5:30"]
        {
            let error = text.parse::<Zone>().unwrap_err();
            assert!(error.to_string().contains("expected a name"), "{text}: {error}");
        }
    }
}
