//! The fields of an event type's records.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EventType;

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
}

/// The type of a field.
///
/// Written as one word. A word that is not known, from a newer or another writer, is kept as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// A whole number of 64 bits.
    Long,
    /// A number with a fraction, as written.
    Decimal,
    /// Text.
    String,
    /// A point in time.
    DateTime,
    /// A calendar date.
    Date,
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

impl FieldType {
    const WORDS: [(Self, &'static str); 10] = [
        (Self::Boolean, "boolean"),
        (Self::Long, "long"),
        (Self::Decimal, "decimal"),
        (Self::String, "string"),
        (Self::DateTime, "datetime"),
        (Self::Date, "date"),
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
