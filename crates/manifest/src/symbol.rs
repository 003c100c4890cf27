//! Instruments and where their data came from.

use std::str::FromStr;

use thiserror::Error;

use crate::words::text_newtype;

/// Longest symbol or source name, in bytes.
pub const MAX_BYTES: usize = 200;

/// An instrument's ticker as the data spells it, such as `AAPL`, `BTC/USD` or `ES.FUT`.
///
/// Not empty, at most [`MAX_BYTES`], no control characters, no blanks at the ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Symbol(String);

/// A collector's name for a data provider or venue, such as `BINANCE`. The rules of [`Symbol`] hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceName(String);

/// Text that cannot be a symbol or source name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{shown}\" cannot be a {what}: it must have 1 to {MAX_BYTES} bytes, no control characters and no blanks at its ends", shown = .text.escape_debug())]
pub struct SymbolError {
    what: &'static str,
    text: String,
}

fn check(what: &'static str, text: &str) -> Result<String, SymbolError> {
    let legal =
        !text.is_empty() && text.len() <= MAX_BYTES && text.trim() == text && !text.chars().any(char::is_control);
    if legal { Ok(text.to_owned()) } else { Err(SymbolError { what, text: text.chars().take(MAX_BYTES).collect() }) }
}

impl Symbol {
    /// The symbol of data that nothing names.
    #[must_use]
    pub fn unknown() -> Self {
        Self("UNKNOWN".to_owned())
    }

    /// The symbol as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form collectors use in file names: what is not a letter, a digit, `-` or `.` becomes `_`.
    #[must_use]
    pub fn file_form(&self) -> String {
        self.0.chars().map(|c| if c.is_alphanumeric() || c == '-' || c == '.' { c } else { '_' }).collect()
    }

    /// Whether `other` names this instrument when case and characters that file names lose do not count.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0) || self.file_form().to_lowercase() == other.file_form().to_lowercase()
    }
}

impl FromStr for Symbol {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("symbol", text).map(Self)
    }
}

impl SourceName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SourceName {
    type Err = SymbolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        check("source name", text).map(Self)
    }
}

text_newtype!(Symbol, {
    "type": "string",
    "minLength": 1,
    "maxLength": 200,
    "description": "instrument, as the data spells it",
});
text_newtype!(SourceName, { "type": "string", "minLength": 1, "maxLength": 200, "description": "provider or venue of the data" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols() -> Result<(), SymbolError> {
        let pair: Symbol = "BTC/USD".parse()?;
        assert_eq!(pair.file_form(), "BTC_USD");
        assert!(pair.matches(&"btc_usd".parse()?));
        assert!(!pair.matches(&"ETH/USD".parse()?));
        for bad in ["", " AAPL", "A\nB", &"x".repeat(201)] {
            assert!(bad.parse::<Symbol>().is_err(), "{bad:?}");
        }
        Ok(())
    }
}
