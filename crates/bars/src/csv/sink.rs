//! Bars as CSV.

use std::io::Write;

use fxd::{Columns, Scale};

use crate::print::{Date, decimal_into};
use crate::{BarSink, BarsError, WriteOptions};

/// How much text is gathered before it is written.
const BUFFER: usize = 1 << 20;

/// Writes CSV; see [`csv_sink`].
#[derive(Debug)]
pub struct CsvSink<W> {
    out: W,
    text: Vec<u8>,
    options: WriteOptions,
    rows: u64,
}

/// A sink for CSV with the header `timestamp,symbol,open,high,low,close,volume`, and `flags` where they are asked for.
///
/// Timestamps are RFC 3339 in UTC with the decimals they need, prices and volumes have exactly the decimals of their scales.
/// A symbol is quoted only where it must be.
pub fn csv_sink<W: Write>(out: W, options: &WriteOptions) -> CsvSink<W> {
    let mut text = Vec::with_capacity(BUFFER + (64 << 10));
    text.extend_from_slice(b"timestamp,symbol,open,high,low,close,volume");
    text.extend_from_slice(if options.flags { b",flags\n" } else { b"\n" });
    CsvSink { out, text, options: options.clone(), rows: 0 }
}

impl<W> CsvSink<W> {
    /// Without the header, to go on with a file that has one. Only before anything was written.
    pub(crate) fn without_header(mut self) -> Self {
        self.text.clear();
        self
    }
}

impl<W: Write> BarSink for CsvSink<W> {
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        let name = quoted(symbol)?;
        let WriteOptions { price_scale, volume_scale, flags, .. } = self.options;
        let mut date = Date::default();
        for bar in bars.iter() {
            self.options.check_flags(symbol, bar)?;
            let text = &mut self.text;
            date.write(bar.ts, text);
            text.push(b',');
            text.extend_from_slice(&name);
            for price in [bar.open, bar.high, bar.low, bar.close] {
                text.push(b',');
                decimal_into(price < 0, price.unsigned_abs(), price_scale, text);
            }
            text.push(b',');
            decimal_into(false, bar.volume, volume_scale, text);
            if flags {
                text.push(b',');
                decimal_into(false, u64::from(bar.flags), Scale::VOLUME, text);
            }
            text.push(b'\n');
            self.rows += 1;
            if text.len() >= BUFFER {
                self.out.write_all(text)?;
                text.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, BarsError> {
        self.out.write_all(&self.text)?;
        self.out.flush()?;
        Ok(self.rows)
    }
}

/// A symbol as a field.
fn quoted(symbol: &str) -> Result<Vec<u8>, BarsError> {
    crate::sink::check_symbol(symbol)?;
    if symbol.contains([',', ';', '"']) {
        return Ok(format!("\"{}\"", symbol.replace('"', "\"\"")).into_bytes());
    }
    Ok(symbol.as_bytes().to_vec())
}
