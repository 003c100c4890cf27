//! What the fields of a record mean, by their names and by where they stand.

use crate::inspect::amounts::{Amount, amount_named};
use crate::inspect::shape::Role;

/// Where in a book a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) enum Level {
    No,
    /// The best level of a side.
    Best(Amount),
    /// The price of that.
    Price(Amount),
}

impl Level {
    /// Of the element at this position of an array that plays this part.
    pub(in crate::inspect) fn of_element(self, role: Role, position: usize) -> Self {
        match (self, role, position) {
            (Self::No, Role::Bids, 0) => Self::Best(Amount::Bid),
            (Self::No, Role::Asks, 0) => Self::Best(Amount::Ask),
            // A level may be a pair of price and size.
            (Self::Best(side), _, 0) => Self::Price(side),
            _ => Self::No,
        }
    }

    /// Of the field `name` of an object at this level.
    pub(in crate::inspect) fn of_field(self, name: &str) -> Self {
        match self {
            Self::Best(side) if ["price", "px", "p"].iter().any(|word| word.eq_ignore_ascii_case(name)) => {
                Self::Price(side)
            }
            _ => Self::No,
        }
    }

    /// What a value with this part holds here.
    pub(in crate::inspect) const fn amount(self, role: Role) -> Option<Amount> {
        match (self, role) {
            (Self::Price(side), _) => Some(side),
            (_, Role::Amount(amount)) => Some(amount),
            _ => None,
        }
    }
}

/// What a field deep inside means: only codes are told.
pub(super) fn inner_role(name: &str) -> Role {
    if is_code(name) { Role::Code } else { Role::None }
}

/// Whether numbers in the field stand for words.
pub(crate) fn is_code(name: &str) -> bool {
    ["aggressor", "side", "tier", "marketState", "timeframe"].iter().any(|word| word.eq_ignore_ascii_case(name))
}

/// What a field of this name means in a record (depth 0), its payload (1) or a snapshot in that (2).
pub(crate) fn role(name: &str, depth: u8) -> Role {
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    if is("payload") && depth == 0 || is("snapshot") && depth == 1 {
        Role::Inner
    } else if ["timestamp", "ts", "time", "ts_event", "eventTime", "event_time"].iter().any(|word| is(word)) {
        Role::Time
    } else if ["startTime", "sessionDate", "date", "datetime"].iter().any(|word| is(word))
        || ["t", "T", "E"].contains(&name)
    {
        Role::FallbackTime
    } else if is("symbol") || is("ticker") || name == "s" {
        Role::Symbol
    } else if (is("type") || is("eventType")) && depth == 0 {
        Role::Type
    } else if is("kind") && depth <= 1 {
        Role::Kind
    } else if is("sequence") || is("sequenceNumber") {
        Role::Sequence
    } else if is("source") {
        Role::Source
    } else if is("schemaVersion") {
        Role::SchemaVersion
    } else if is("bids") || name == "b" {
        Role::Bids
    } else if is("asks") || name == "a" {
        Role::Asks
    } else if is_code(name) {
        Role::Code
    } else {
        amount_named(name).map_or(Role::None, Role::Amount)
    }
}
