//! What is wrong with a row.

use std::borrow::Cow;
use std::fmt;

use fxd::Scale;

use crate::calendar::rfc3339;

/// Where in a file a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A line of text; the first is 1.
    Line(u64),
    /// A row of a table; the first is 1.
    Row(u64),
    /// A record of a stream, or of a symbol in a store; the first is 1.
    Record(u64),
}

impl Place {
    /// The number alone.
    #[must_use]
    pub const fn number(self) -> u64 {
        match self {
            Self::Line(number) | Self::Row(number) | Self::Record(number) => number,
        }
    }

    /// The same kind of place, so many further on.
    pub(crate) const fn later(self, by: u64) -> Self {
        match self {
            Self::Line(at) => Self::Line(at.saturating_add(by)),
            Self::Row(at) => Self::Row(at.saturating_add(by)),
            Self::Record(at) => Self::Record(at.saturating_add(by)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Row(number) => write!(f, "row {number}"),
            Self::Record(number) => write!(f, "record {number}"),
        }
    }
}

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A field does not hold what it should.
    #[error("{field} is \"{value}\", expected {expected}")]
    Value {
        /// The field.
        field: Cow<'static, str>,
        /// What it holds, cut to a readable length.
        value: String,
        /// What it should hold.
        expected: Cow<'static, str>,
    },
    /// A number has more decimals than the target keeps.
    #[error("{field} is \"{value}\", expected {expected}")]
    Decimals {
        /// The field.
        field: &'static str,
        /// What it holds, cut to a readable length.
        value: String,
        /// What it should hold.
        expected: Cow<'static, str>,
        /// The scale at which it could be said, if there is one.
        needed: Option<Scale>,
    },
    /// A line has more or fewer fields than the first.
    #[error("{found} fields, expected {expected}")]
    Fields {
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A line cannot be split into fields.
    #[error("expected {expected}")]
    Line {
        /// What the line should be.
        expected: Cow<'static, str>,
    },
    /// A timestamp says no zone and the caller named none.
    #[error(
        "timestamp \"{value}\" says no time zone: give the one its clock showed with --tz, as \
         America/New_York, +02:00, EST (UTC-5 all year) or UTC"
    )]
    NoZone {
        /// The timestamp.
        value: String,
    },
    /// A local time that its zone's clocks never showed, or showed twice.
    #[error(
        "timestamp \"{value}\" {why} in {zone}, where the clocks were changed: expected a time that names one moment"
    )]
    LocalTime {
        /// The timestamp.
        value: String,
        /// The zone.
        zone: String,
        /// `does not exist` or `happened twice`.
        why: &'static str,
    },
    /// Timestamps of one file count different units.
    #[error("timestamp \"{value}\" counts {unit}, expected {first}, as at {place}: one file must not mix them")]
    MixedUnits {
        /// The timestamp.
        value: String,
        /// Its unit.
        unit: &'static str,
        /// The unit of the first timestamp.
        first: &'static str,
        /// Where that was.
        place: Place,
    },
    /// A row is earlier than the one before it.
    #[error("{symbol}: {} steps back behind {} at {place}, expected a later time", rfc3339(*.ts), rfc3339(*.previous))]
    StepBack {
        /// The symbol.
        symbol: String,
        /// The row's time, in nanoseconds since the Unix epoch.
        ts: u64,
        /// The time of the row before it.
        previous: u64,
        /// Where that row is.
        place: Place,
    },
    /// A row is at the same time as the one before it.
    #[error("{symbol}: {} is a duplicate of {} at {place}, expected a later time", rfc3339(*.ts), rfc3339(*.ts))]
    Duplicate {
        /// The symbol.
        symbol: String,
        /// The time, in nanoseconds since the Unix epoch.
        ts: u64,
        /// Where the first row of that time is.
        place: Place,
    },
    /// Rows of one symbol come from several publishers, which must not be merged.
    #[error(
        "{symbol}: {} is from publisher {publisher}, the row at {place} from publisher {previous}: \
         expected one publisher's bars, as several are several series",
        rfc3339(*.ts)
    )]
    Publishers {
        /// The symbol.
        symbol: String,
        /// The row's time, in nanoseconds since the Unix epoch.
        ts: u64,
        /// The row's publisher.
        publisher: u32,
        /// The publisher of the row before it.
        previous: u32,
        /// Where that row is.
        place: Place,
    },
    /// Neither the row nor the caller says the symbol.
    #[error("the row names no symbol, expected one: give it with --symbol")]
    NoSymbol,
}

impl Problem {
    /// A number with more decimals than are kept; `text` is all of it.
    pub(crate) fn decimals(field: &'static str, text: &[u8], expected: Cow<'static, str>) -> Self {
        let needed = crate::decimal::Decimal::parse(text).and_then(|decimal| decimal.exponent.checked_neg());
        let needed = needed.and_then(|needed| Scale::new(u8::try_from(needed).ok()?));
        Self::Decimals { field, value: shown(text), expected, needed }
    }

    /// A line that is longer than any may be.
    pub(crate) fn long_line() -> Self {
        Self::Line { expected: format!("a line of {} bytes at most", crate::csv::LINE).into() }
    }

    /// A field that does not hold what it should.
    pub(crate) fn value(field: &'static str, value: &[u8], expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Value { field: Cow::Borrowed(field), value: shown(value), expected: expected.into() }
    }

    /// The same, with the places it names so many further on: for a part of a file that did not know where it began.
    pub(crate) fn later(mut self, by: u64) -> Self {
        if let Self::MixedUnits { place, .. }
        | Self::StepBack { place, .. }
        | Self::Duplicate { place, .. }
        | Self::Publishers { place, .. } = &mut self
        {
            *place = place.later(by);
        }
        self
    }
}

/// The longest piece of input that an error repeats, in characters.
const SHOWN: usize = 80;

/// As [`shown`], of a text that has more to say.
#[cfg(feature = "fetch")]
pub(crate) fn shown_at_length(text: &str) -> String {
    shown_up_to(text.as_bytes(), 5 * SHOWN)
}

/// Input as an error shows it: readable, on one line, not too long.
pub(crate) fn shown(value: &[u8]) -> String {
    shown_up_to(value, SHOWN)
}

fn shown_up_to(value: &[u8], most: usize) -> String {
    // Four bytes a character at most, so that a megabyte is not decoded for the sake of its start.
    let start = value.get(..most * 4).unwrap_or(value);
    let mut text = String::new();
    for (count, character) in String::from_utf8_lossy(start).chars().enumerate() {
        if count == most {
            text.push('…');
            break;
        }
        if character.is_control() || character == '"' {
            text.extend(character.escape_default());
        } else {
            text.push(character);
        }
    }
    text
}
