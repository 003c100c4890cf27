//! What was asked for when a package was made.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EventType, Symbol};

/// What was asked for when a package was made, so that a reader knows what was left out.
///
/// An empty list or an absent date is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Filters {
    /// Only these symbols; case does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub symbols: Vec<Symbol>,
    /// Only these event types; case does not count.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<EventType>,
    /// Nothing before this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub start_date: Option<NaiveDate>,
    /// Nothing after this day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub end_date: Option<NaiveDate>,
}

impl Filters {
    /// Whether nothing was asked for, so everything is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}
