//! Intervals that bars are rolled up to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A whole number of seconds, minutes, hours or days. Its bars begin at multiples of it since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    unit: Unit,
    count: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Unit {
    Second,
    Minute,
    Hour,
    Day,
}

/// A text says no interval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no interval: expected a number from 1 to 16383 and s, m, h or d, as 30s, 5m, 1h, 1d")]
pub struct NoInterval(String);

/// The most that a count can be: what is left of 16 bits beside the unit.
const MOST: u16 = (1 << 14) - 1;

impl Unit {
    const ALL: [(Self, &str, u64); 4] = [
        (Self::Second, "s", 1_000_000_000),
        (Self::Minute, "m", 60_000_000_000),
        (Self::Hour, "h", 3_600_000_000_000),
        (Self::Day, "d", super::date::DAY),
    ];

    const fn code(self) -> u16 {
        self as u16
    }
}

impl Interval {
    /// How long it is, in nanoseconds.
    #[must_use]
    pub fn nanos(self) -> u64 {
        let (_, _, nanos) = Unit::ALL.iter().find(|(unit, ..)| *unit == self.unit).copied().unwrap_or(Unit::ALL[0]);
        // 16,383 days are fewer than the 106,751 that fit into 63 bits.
        nanos * u64::from(self.count)
    }

    /// The flags of a symbol whose bars are of this interval.
    #[must_use]
    pub const fn flags(self) -> u16 {
        self.unit.code() << 14 | self.count
    }

    /// The interval that a symbol's flags say; none for 0, and for flags that say none.
    #[must_use]
    pub fn of_flags(flags: u16) -> Option<Self> {
        let (unit, count) = (flags >> 14, flags & MOST);
        let (unit, ..) = Unit::ALL.into_iter().find(|(other, ..)| other.code() == unit)?;
        (count > 0).then_some(Self { unit, count })
    }

    /// The name of the series of a symbol's bars of this interval.
    #[must_use]
    pub fn name_of(self, symbol: &str) -> String {
        format!("{symbol}@{self}")
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = Unit::ALL.iter().find(|(unit, ..)| *unit == self.unit).map_or("", |(_, name, _)| name);
        write!(f, "{}{unit}", self.count)
    }
}

impl FromStr for Interval {
    type Err = NoInterval;

    fn from_str(text: &str) -> Result<Self, NoInterval> {
        let no = || NoInterval(text.chars().take(40).collect());
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(no)?;
        let (count, unit) = text.split_at_checked(end).ok_or_else(no)?;
        let unit = match unit {
            "min" => "m",
            unit => unit,
        };
        let (unit, ..) = Unit::ALL.into_iter().find(|(_, name, _)| *name == unit).ok_or_else(no)?;
        let plain = !count.starts_with('0');
        let count = count.parse().ok().filter(|count| plain && (1..=MOST).contains(count)).ok_or_else(no)?;
        Ok(Self { unit, count })
    }
}

impl TryFrom<String> for Interval {
    type Error = NoInterval;

    /// As a file writes it, and in no other spelling.
    fn try_from(text: String) -> Result<Self, NoInterval> {
        text.parse().ok().filter(|interval: &Self| interval.to_string() == text).ok_or(NoInterval(text))
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> Self {
        interval.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_and_written() {
        for (text, nanos, flags) in [
            ("1s", 1_000_000_000, 1),
            ("15s", 15_000_000_000, 15),
            ("5m", 300_000_000_000, 0x4005),
            ("1h", 3_600_000_000_000, 0x8001),
            ("1d", 86_400_000_000_000, 0xC001),
            ("16383d", 1_415_491_200_000_000_000, 0xFFFF),
        ] {
            let interval: Interval = text.parse().unwrap();
            assert_eq!((interval.nanos(), interval.flags(), interval.to_string().as_str()), (nanos, flags, text));
            assert_eq!(Interval::of_flags(flags), Some(interval));
        }
        assert_eq!("5min".parse::<Interval>().unwrap().name_of("EURUSD"), "EURUSD@5m");
        for text in ["", "5", "m", "0m", "05m", "16384s", "5 m", "-5m", "5w", "5M", "٥m"] {
            text.parse::<Interval>().unwrap_err();
        }
        assert!(
            serde_json::from_str::<Interval>("\"5m\"").is_ok() && serde_json::from_str::<Interval>("\"5min\"").is_err()
        );
        for flags in [0, 0x4000, 0x8000, 0xC000] {
            assert_eq!(Interval::of_flags(flags), None);
        }
    }
}
