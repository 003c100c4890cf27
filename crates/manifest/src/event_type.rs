//! Kinds of market events.

use std::str::FromStr;

use thiserror::Error;

use crate::words::text_newtype;

/// The kind of the records in a file, such as `Trade`.
///
/// The collector's own kinds are known and written in its spelling whatever the case they were read in; any other word
/// of letters, digits, `_` and `-` is kept as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventType(String);

/// Text that cannot be an event type.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{shown}\" cannot be an event type: it must be 1 to 64 letters, digits, _ or - and begin with a letter", shown = .0.escape_debug())]
pub struct EventTypeError(String);

/// The collector's event types; the position in the list is the number that its records carry.
pub const KNOWN: [&str; 25] = [
    "Unknown",
    "L2Snapshot",
    "BboQuote",
    "Trade",
    "OrderFlow",
    "Heartbeat",
    "ConnectionStatus",
    "Integrity",
    "HistoricalBar",
    "HistoricalQuote",
    "HistoricalTrade",
    "HistoricalAuction",
    "AggregateBar",
    "Quote",
    "Depth",
    "OptionQuote",
    "OptionTrade",
    "OptionGreeks",
    "OptionChain",
    "OpenInterest",
    "OrderAdd",
    "OrderModify",
    "OrderCancel",
    "OrderExecute",
    "OrderReplace",
];

/// Names that other parts of the collector and its users give to the same kinds.
const ALIASES: [(&str, &str); 14] = [
    ("trades", "Trade"),
    ("bbo", "BboQuote"),
    ("bboquotes", "BboQuote"),
    ("quotes", "Quote"),
    ("l2", "L2Snapshot"),
    ("l2snapshots", "L2Snapshot"),
    ("lobsnapshot", "L2Snapshot"),
    ("orderbook", "L2Snapshot"),
    ("historicalbars", "HistoricalBar"),
    ("aggregatebars", "AggregateBar"),
    ("bar", "AggregateBar"),
    ("bars", "AggregateBar"),
    ("depthsnapshot", "Depth"),
    ("heartbeats", "Heartbeat"),
];

/// Values of `payload.kind` and the event type each belongs to.
const KINDS: [(&str, &str); 24] = [
    ("trade", "Trade"),
    ("bbo", "BboQuote"),
    ("l2", "L2Snapshot"),
    ("l2payload", "L2Snapshot"),
    ("historical_bar", "HistoricalBar"),
    ("aggregate_bar", "AggregateBar"),
    ("orderflow", "OrderFlow"),
    ("integrity", "Integrity"),
    ("depth_integrity", "Integrity"),
    ("heartbeat", "Heartbeat"),
    ("historical_quote", "HistoricalQuote"),
    ("historical_trade", "HistoricalTrade"),
    ("historical_auction", "HistoricalAuction"),
    ("option_quote", "OptionQuote"),
    ("option_trade", "OptionTrade"),
    ("greeks", "OptionGreeks"),
    ("option_chain", "OptionChain"),
    ("open_interest", "OpenInterest"),
    ("order_add", "OrderAdd"),
    ("order_modify", "OrderModify"),
    ("order_cancel", "OrderCancel"),
    ("order_execute", "OrderExecute"),
    ("order_replace", "OrderReplace"),
    ("connection_status", "ConnectionStatus"),
];

/// Bars, whatever their timeframe.
const BARS: &str = "AggregateBar";

impl EventType {
    /// The type of data whose kind nothing tells.
    #[must_use]
    pub fn unknown() -> Self {
        Self("Unknown".to_owned())
    }

    /// The collector's type with this number in its records.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|n| KNOWN.get(n)).map(|name| Self((*name).to_owned()))
    }

    /// The type that a record's `payload.kind` names.
    #[must_use]
    pub fn from_kind(kind: &str) -> Option<Self> {
        KINDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind)).map(|(_, name)| Self((*name).to_owned()))
    }

    /// The collector's type of this name in any case, or by one of its other names.
    #[must_use]
    pub fn known(text: &str) -> Option<Self> {
        KNOWN
            .iter()
            .find(|name| name.eq_ignore_ascii_case(text))
            .or_else(|| ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(text)).map(|(_, name)| name))
            .map(|name| Self((*name).to_owned()))
            .or_else(|| {
                let timeframe = text.get(BARS.len()..)?.strip_prefix('-')?;
                let bars = text.get(..BARS.len()).is_some_and(|start| start.eq_ignore_ascii_case(BARS));
                Self::bars_of(timeframe).filter(|_| bars)
            })
    }

    /// Bars of one timeframe: `AggregateBar-15s` of `15s`. Nothing for what is no timeframe.
    #[must_use]
    pub fn bars_of(timeframe: &str) -> Option<Self> {
        let unit = timeframe.trim_start_matches(|character: char| character.is_ascii_digit());
        let count = timeframe.len() - unit.len();
        let is_one = (1..=5).contains(&count) && !timeframe.starts_with('0');
        // `1m` and `1min` are one timeframe.
        let name = if unit == "m" { format!("{timeframe}in") } else { timeframe.to_owned() };
        (is_one && matches!(unit, "s" | "min" | "m" | "h" | "d")).then(|| Self(format!("{BARS}-{name}")))
    }

    /// Whether data of a type are also data of a more general one: bars of 15 seconds are bars.
    #[must_use]
    pub fn is_kind_of(&self, general: &Self) -> bool {
        self == general || (general.0 == BARS && self.0.strip_prefix(BARS).is_some_and(|rest| rest.starts_with('-')))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the type of data whose kind nothing tells.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0 == "Unknown"
    }
}

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(name) = KNOWN.iter().find(|name| name.eq_ignore_ascii_case(text)) {
            return Ok(Self((*name).to_owned()));
        }
        if let Some(bars) = text.contains('-').then(|| Self::known(text)).flatten() {
            return Ok(bars);
        }
        let legal = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if legal { Ok(Self(text.to_owned())) } else { Err(EventTypeError(text.chars().take(64).collect())) }
    }
}

text_newtype!(EventType, {
    "type": "string",
    "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,63}$",
    "description": "kind of the records, such as Trade, BboQuote, L2Snapshot",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        assert_eq!("tRaDe".parse::<EventType>().map(|t| t.to_string()), Ok("Trade".to_owned()));
        assert_eq!(EventType::from_number(12).map(|t| t.to_string()).as_deref(), Some("AggregateBar"));
        assert_eq!(EventType::from_number(25), None);
        let bars = EventType::bars_of("15s").unwrap();
        assert_eq!((bars.as_str(), EventType::known("aggregatebar-15s")), ("AggregateBar-15s", Some(bars.clone())));
        assert!(
            bars.is_kind_of(&"AggregateBar".parse().unwrap()) && !bars.is_kind_of(&"HistoricalBar".parse().unwrap())
        );
        assert_eq!(
            (EventType::bars_of("soon"), EventType::bars_of("015s"), EventType::known("Trade-15s")),
            (None, None, None)
        );
        assert_eq!(EventType::from_kind("bbo").map(|t| t.to_string()).as_deref(), Some("BboQuote"));
        assert_eq!(EventType::known("orderbook").map(|t| t.to_string()).as_deref(), Some("L2Snapshot"));
        assert_eq!("Funding_Rate".parse::<EventType>().map(|t| t.to_string()), Ok("Funding_Rate".to_owned()));
        for bad in ["", "1Trade", "a b", "../x", "Ünknown"] {
            assert!(bad.parse::<EventType>().is_err(), "{bad}");
        }
    }
}
