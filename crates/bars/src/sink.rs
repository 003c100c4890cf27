//! Where bars go.

use fxd::{Bar, Columns, Scale};

use crate::{BarsError, Ids};

/// How prices and fractional volumes are stored in Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Prices {
    /// As the nearest double, which every reader takes.
    #[default]
    Double,
    /// As a double, where that says the decimal; other values are refused.
    ExactDouble,
    /// As `DECIMAL(18, scale)`, exactly.
    Decimal,
}

/// How to write bars.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WriteOptions {
    /// Decimals of prices.
    pub price_scale: Scale,
    /// Decimals of volumes.
    pub volume_scale: Scale,
    /// Whether to write flags. Bars that have any are refused otherwise, as a reader would not know of them.
    pub flags: bool,
    /// Whether CSV and Parquet have a column `publisher_id`.
    pub publisher: bool,
    /// Whether CSV and Parquet have a column `instrument_id`.
    pub instrument: bool,
    /// How Parquet stores prices.
    pub prices: Prices,
}

impl WriteOptions {
    /// Without flags, and with prices as doubles where there is a choice.
    #[must_use]
    pub const fn new(price_scale: Scale, volume_scale: Scale) -> Self {
        Self { price_scale, volume_scale, flags: false, publisher: false, instrument: false, prices: Prices::Double }
    }

    /// Refuses a bar with flags where none are written.
    pub(crate) fn check_flags(&self, symbol: &str, bar: Bar) -> Result<(), BarsError> {
        if bar.flags == 0 || self.flags { Ok(()) } else { Err(unasked_flags(symbol, bar)) }
    }
}

/// Takes bars and writes them.
pub trait BarSink {
    /// Writes bars of a symbol, behind those before.
    ///
    /// # Errors
    ///
    /// When the output cannot be written or cannot hold a value.
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError>;

    /// Says whose the bars are that follow, for an output that has columns for it.
    fn identify(&mut self, ids: Ids) {
        let _ = ids;
    }

    /// Writes what is left and returns how many bars were written. Without this the output is not whole.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    fn finish(self: Box<Self>) -> Result<u64, BarsError>;
}

/// Refuses symbols that would break a line of text.
pub(crate) fn check_symbol(symbol: &str) -> Result<(), BarsError> {
    if symbol.is_empty() || symbol.chars().any(char::is_control) {
        return Err(BarsError::Unwritable {
            symbol: crate::problem::shown(symbol.as_bytes()),
            why: "expected a symbol of one character or more and without control characters".to_owned(),
        });
    }
    Ok(())
}

/// The error for a bar with flags where no flags are written.
#[cold]
fn unasked_flags(symbol: &str, bar: Bar) -> BarsError {
    BarsError::Unwritable {
        symbol: symbol.to_owned(),
        why: format!(
            "the bar at {} has flags {}, expected none: ask for a column of flags",
            crate::calendar::rfc3339(bar.ts),
            bar.flags
        ),
    }
}
