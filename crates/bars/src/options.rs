//! How to read a file.

use std::fmt;
use std::str::FromStr;

use crate::{Fit, Zone};

/// What is asked of the order of a symbol's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Order {
    /// Each row of a symbol must be later than the one before it.
    #[default]
    Checked,
    /// Rows may be in any order, and repeat times: for a caller that sorts. Rows of a symbol must still be of one publisher,
    /// where the file says publishers, unless they are read apart.
    AsIs,
}

/// What a CSV file looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CsvFormat {
    /// Told from the first lines.
    #[default]
    Auto,
    /// `20120201 000000;open;high;low;close;volume`, in the time of a zone that the file does not say.
    HistData,
    /// `ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume[,symbol]`. Prices without a point are in units of
    /// 1e-9; the first row decides for the file.
    Databento,
    /// The twelve columns of a Binance kline file.
    Binance,
    /// Columns as its header names them, or `timestamp,open,high,low,close[,volume]` without one.
    Plain,
}

impl CsvFormat {
    /// Each with its name.
    const NAMES: [(Self, &str); 5] = [
        (Self::Auto, "auto"),
        (Self::HistData, "histdata"),
        (Self::Databento, "databento"),
        (Self::Binance, "binance"),
        (Self::Plain, "plain"),
    ];
}

impl fmt::Display for CsvFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES.iter().find(|(format, _)| format == self).map_or("", |(_, name)| name))
    }
}

/// A text names no kind of file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not known, expected one of {expected}")]
pub struct UnknownName {
    pub(crate) text: String,
    pub(crate) expected: &'static str,
}

impl FromStr for CsvFormat {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(format, _)| *format).ok_or_else(
            || UnknownName {
                text: crate::problem::shown(text.as_bytes()),
                expected: "auto, histdata, databento, binance, plain",
            },
        )
    }
}

/// What one bar is made of where a file has bids and asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QuoteSide {
    /// The mean of both, exactly; the one that is there where the other is not.
    #[default]
    Mid,
    /// The bids.
    Bid,
    /// The asks.
    Ask,
}

/// How to read a file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReadOptions {
    /// What values the target takes.
    pub fit: Fit,
    /// The zone of timestamps that name none. Without it they are errors.
    pub zone: Option<Zone>,
    /// What a CSV file looks like.
    pub csv_format: CsvFormat,
    /// The symbol of rows that name none; without it, the one that the file's name says.
    pub symbol: Option<String>,
    /// What is asked of the order of rows.
    pub order: Order,
    /// Whether rows of a symbol from several publishers or of several instruments are runs of their own. Otherwise several
    /// publishers are an error, and instruments are looked at only where rows name no symbol.
    pub apart: bool,
    /// Whether instruments are not told apart, where rows are read apart.
    pub merge_instruments: bool,
    /// What is read where a file has bids and asks.
    pub side: QuoteSide,
    /// How many threads parse; 0 is one for each core.
    pub threads: usize,
}

impl ReadOptions {
    /// Rows checked for order, all else told from the file.
    #[must_use]
    pub const fn new(fit: Fit) -> Self {
        Self {
            fit,
            zone: None,
            csv_format: CsvFormat::Auto,
            symbol: None,
            order: Order::Checked,
            apart: false,
            merge_instruments: false,
            side: QuoteSide::Mid,
            threads: 0,
        }
    }
}
