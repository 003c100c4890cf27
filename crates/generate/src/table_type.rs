//! The type of a column as Table Schema says it.

use chrono::NaiveDate;
use pdp_manifest::{Field, FieldType, TimeUnit};
use serde_json::Value;

/// The type of a column, and how its text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableType {
    /// Nothing is known: every cell is empty.
    Any,
    Boolean,
    /// A whole number; of what since 1970 where it is a time.
    Integer(Option<TimeUnit>),
    /// A number with a fraction; of seconds since 1970 where it is a time.
    Number(Option<TimeUnit>),
    Date,
    /// A time in text, in this format.
    Datetime(&'static str),
    String,
}

/// ISO 8601 with a `T`: what Table Schema reads without being told.
const ISO: &str = "default";
/// ISO 8601 with a blank, with and without fraction and offset, as pandas writes it; no one pattern has all of these.
const SPACED: &str = "any";
/// `20240103 170000`, and with milliseconds, as HistData has it.
const COMPACT: &str = "%Y%m%d %H%M%S";
const COMPACT_MILLIS: &str = "%Y%m%d %H%M%S%f";

impl TableType {
    /// The type of a column as it was found in one file.
    pub(crate) fn of(found: &Field) -> Self {
        match &found.field_type {
            FieldType::Boolean => Self::Boolean,
            FieldType::Long | FieldType::UnsignedLong => Self::Integer(None),
            FieldType::Decimal | FieldType::Double => Self::Number(None),
            FieldType::DateTime => time(&text(found.example.as_ref())),
            FieldType::Date => match text(found.example.as_ref()).parse::<NaiveDate>() {
                Ok(_) => Self::Date,
                Err(_) => Self::String,
            },
            FieldType::Null => Self::Any,
            _ => Self::String,
        }
    }

    /// The type that covers a column of several files.
    pub(crate) fn wider(self, other: Self) -> Self {
        match (self, other) {
            _ if self == other => self,
            (Self::Any, known) | (known, Self::Any) => known,
            (Self::Integer(_), Self::Integer(_)) => Self::Integer(None),
            (Self::Integer(one), Self::Number(two)) | (Self::Number(two), Self::Integer(one)) => {
                Self::Number(if one == two { one } else { None })
            }
            (Self::Number(_), Self::Number(_)) => Self::Number(None),
            (Self::Datetime(ISO | SPACED), Self::Datetime(ISO | SPACED)) => Self::Datetime(SPACED),
            _ => Self::String,
        }
    }

    /// The word of Table Schema.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Boolean => "boolean",
            Self::Integer(_) => "integer",
            Self::Number(_) => "number",
            Self::Date => "date",
            Self::Datetime(_) => "datetime",
            Self::String => "string",
        }
    }

    /// How the text is to be read, where it is not by default.
    pub(crate) fn format(self) -> Option<&'static str> {
        match self {
            Self::Datetime(format) => Some(format).filter(|format| *format != ISO),
            _ => None,
        }
    }

    /// What a number counts since 1970.
    pub(crate) const fn unit(self) -> Option<TimeUnit> {
        match self {
            Self::Integer(unit) | Self::Number(unit) => unit,
            _ => None,
        }
    }
}

/// The value as the file has it.
fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// The type of a column of times whose first is `example`.
fn time(example: &str) -> TableType {
    if let Ok(count) = example.parse::<i64>() {
        return TimeUnit::of_count(count).map_or(TableType::Integer(None), |unit| TableType::Integer(Some(unit)));
    }
    if example.parse::<f64>().is_ok() {
        return TableType::Number(Some(TimeUnit::Seconds));
    }
    let form: String = example.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    match form.as_str() {
        "00000000 000000" => return TableType::Datetime(COMPACT),
        "00000000 000000000" => return TableType::Datetime(COMPACT_MILLIS),
        _ => {}
    }
    if form.strip_prefix("0000-00-00T").is_some_and(is_clock) {
        TableType::Datetime(ISO)
    } else if form.strip_prefix("0000-00-00 ").is_some_and(is_clock) {
        TableType::Datetime(SPACED)
    } else {
        TableType::String
    }
}

/// Whether a text whose digits are zeros is `00:00:00`, with or without a fraction and an offset.
fn is_clock(form: &str) -> bool {
    let Some(rest) = form.strip_prefix("00:00:00") else { return false };
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => {
            let offset = fraction.trim_start_matches('0');
            if offset.len() == fraction.len() {
                return false;
            }
            offset
        }
        None => rest,
    };
    matches!(rest, "" | "Z" | "+00:00" | "-00:00" | "+0000" | "-0000" | "+00" | "-00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_times() {
        for (example, expected) in [
            ("2024-01-03T12:00:00Z", TableType::Datetime("default")),
            ("2024-01-03T12:00:00.123456789+00:00", TableType::Datetime("default")),
            ("2024-01-03 12:00:00", TableType::Datetime("any")),
            ("2024-01-03 12:00:00.5-05:00", TableType::Datetime("any")),
            ("20240103 170000", TableType::Datetime("%Y%m%d %H%M%S")),
            ("20240103 170000065", TableType::Datetime("%Y%m%d %H%M%S%f")),
            ("1672531436", TableType::Integer(Some(TimeUnit::Seconds))),
            ("1667346579146", TableType::Integer(Some(TimeUnit::Millis))),
            ("1598918403696000", TableType::Integer(Some(TimeUnit::Micros))),
            ("1598918403696000000", TableType::Integer(Some(TimeUnit::Nanos))),
            ("1672531436.5", TableType::Number(Some(TimeUnit::Seconds))),
            ("2024-01-03T12:00Z", TableType::String),
            ("2024-01-03 12:00:00.", TableType::String),
            ("2024-01-03 12:00:00 UTC", TableType::String),
            ("3 January 2024", TableType::String),
            ("", TableType::String),
        ] {
            let field = Field { example: Some(example.into()), ..Field::new("t".to_owned(), FieldType::DateTime) };
            assert_eq!(TableType::of(&field), expected, "{example}");
        }
    }

    #[test]
    fn types_of_several_files_widen() {
        use TableType::{Any, Boolean, Datetime, Integer, Number, String};
        let (ms, us) = (Some(TimeUnit::Millis), Some(TimeUnit::Micros));
        for (one, other, expected) in [
            (Any, Boolean, Boolean),
            (Integer(None), Number(None), Number(None)),
            (Integer(ms), Integer(us), Integer(None)),
            (Integer(ms), Number(ms), Number(ms)),
            (Datetime(ISO), Datetime(SPACED), Datetime(SPACED)),
            (Datetime(ISO), Datetime(COMPACT), String),
            (Integer(ms), Datetime(ISO), String),
            (Boolean, Number(None), String),
        ] {
            assert_eq!(one.wider(other), expected);
            assert_eq!(other.wider(one), expected);
        }
    }
}
