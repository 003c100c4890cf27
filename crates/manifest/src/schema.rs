//! The fields of an event type's records.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EventType;
use crate::words::word_enum;

/// The fields of one event type's records, as they were found in the data.
#[derive(Debug, Clone, PartialEq)]
pub struct EventSchema {
    /// The event type.
    pub event_type: EventType,
    /// The version of the schema, from the records' `schemaVersion` where they have one.
    pub version: String,
    /// The fields, in the order in which the data has them.
    pub fields: Vec<Field>,
}

/// One field of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The column that a loader makes of it.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What it means.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether some record lacks it or has null for it.
    #[serde(default)]
    pub nullable: bool,
    /// Where it stands in the record, names joined by dots, where that is not [`name`](Self::name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A value of it from the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
    /// Of a point in time that is stored as a count since 1970: what it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<TimeUnit>,
    /// Of a decimal: most digits in all, before and behind the point, that a value of the data (or, in Parquet, the
    /// column's type) has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<u32>,
    /// Of a decimal: most digits behind the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<u32>,
    /// The smallest number or earliest time in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Value>,
    /// The largest number or latest time in the data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Value>,
    /// Every value in the data, sorted, of text, booleans and enumerated numbers with no more than 16 different ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl Field {
    /// A field of which nothing but name and type is known.
    #[must_use]
    pub fn new(name: String, field_type: FieldType) -> Self {
        Self {
            name,
            field_type,
            description: String::new(),
            nullable: false,
            path: None,
            example: None,
            unit: None,
            precision: None,
            scale: None,
            minimum: None,
            maximum: None,
            values: Vec::new(),
        }
    }
}

word_enum! {
    /// What a time that is stored as a number counts since 1970-01-01T00:00:00Z.
    TimeUnit, "time unit" {
        /// Days.
        Days = "d",
        /// Seconds.
        Seconds = "s",
        /// Milliseconds.
        Millis = "ms",
        /// Microseconds.
        Micros = "us",
        /// Nanoseconds.
        Nanos = "ns",
    }
}

/// The type of a field.
///
/// Written as one word. A word that is not known, from a newer or another writer, is kept as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 64 bits with a sign.
    Long,
    /// A whole number between 0 and 2^64 - 1, some value of which 64 bits with a sign do not hold.
    UnsignedLong,
    /// A number with a fraction, exact as written in decimal.
    Decimal,
    /// A binary floating-point number.
    Double,
    /// Text.
    String,
    /// A point in time.
    DateTime,
    /// A calendar date.
    Date,
    /// Bytes that are no text.
    Binary,
    /// A list.
    Array,
    /// A record within the record.
    Object,
    /// Values of several of the other types.
    Mixed,
    /// Null in every record.
    Null,
    /// A word this library does not know.
    Other(String),
}

impl TimeUnit {
    /// What a count since 1970 counts, told by its size; none for counts that are no times, such as a bar's index.
    ///
    /// The borders lie so that every unit covers 1973 to 2286.
    #[must_use]
    pub const fn of_count(count: i64) -> Option<Self> {
        match count {
            100_000_000..10_000_000_000 => Some(Self::Seconds),
            10_000_000_000..10_000_000_000_000 => Some(Self::Millis),
            10_000_000_000_000..10_000_000_000_000_000 => Some(Self::Micros),
            10_000_000_000_000_000.. => Some(Self::Nanos),
            _ => None,
        }
    }

    /// Nanoseconds in one.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Days => 86_400_000_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Millis => 1_000_000,
            Self::Micros => 1000,
            Self::Nanos => 1,
        }
    }
}

impl FieldType {
    const WORDS: [(Self, &'static str); 13] = [
        (Self::Boolean, "boolean"),
        (Self::Long, "long"),
        (Self::UnsignedLong, "ulong"),
        (Self::Decimal, "decimal"),
        (Self::Double, "double"),
        (Self::String, "string"),
        (Self::DateTime, "datetime"),
        (Self::Date, "date"),
        (Self::Binary, "binary"),
        (Self::Array, "array"),
        (Self::Object, "object"),
        (Self::Mixed, "mixed"),
        (Self::Null, "null"),
    ];

    /// The type with this word, in any case.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::WORDS
            .into_iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(word))
            .map_or_else(|| Self::Other(word.chars().take(64).collect()), |(kind, _)| kind)
    }
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self {
            Self::Other(word) => word,
            known => Self::WORDS.iter().find(|(kind, _)| kind == known).map_or("mixed", |(_, word)| word),
        };
        f.pad(word)
    }
}

impl Serialize for FieldType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_word(&<std::borrow::Cow<'de, str>>::deserialize(deserializer)?))
    }
}

impl JsonSchema for FieldType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FieldType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "examples": Self::WORDS.map(|(_, word)| word) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for (kind, word) in FieldType::WORDS {
            assert_eq!(FieldType::from_word(&word.to_uppercase()), kind);
            assert_eq!(kind.to_string(), word);
        }
        assert_eq!(FieldType::from_word("uuid").to_string(), "uuid");
    }
}
