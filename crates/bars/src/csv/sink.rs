//! Bars as CSV.

use std::io::Write;

use fxd::{Columns, Scale};

use crate::print::{Date, decimal_into};
use crate::{BarSink, BarsError, Ids, WriteOptions};

/// How much text is gathered before it is written.
const BUFFER: usize = 1 << 20;

/// Writes CSV; see [`csv_sink`].
#[derive(Debug)]
pub struct CsvSink<W> {
    out: W,
    text: Vec<u8>,
    options: WriteOptions,
    ids: Ids,
    rows: u64,
}

/// A sink for CSV with the header `timestamp,symbol,open,high,low,close,volume`, and where they are asked for `publisher_id` and
/// `instrument_id` behind the symbol and `flags` at the end.
///
/// Timestamps are RFC 3339 in UTC with the decimals they need, prices and volumes have exactly the decimals of their scales.
/// A symbol is quoted only where it must be.
pub fn csv_sink<W: Write>(out: W, options: &WriteOptions) -> CsvSink<W> {
    let mut text = Vec::with_capacity(BUFFER + (64 << 10));
    text.extend_from_slice(b"timestamp,symbol");
    text.extend_from_slice(if options.publisher { b",publisher_id" } else { b"" });
    text.extend_from_slice(if options.instrument { b",instrument_id" } else { b"" });
    text.extend_from_slice(b",open,high,low,close,volume");
    text.extend_from_slice(if options.flags { b",flags\n" } else { b"\n" });
    CsvSink { out, text, options: options.clone(), ids: Ids::default(), rows: 0 }
}

impl<W: Write> BarSink for CsvSink<W> {
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        let mut name = quoted(symbol)?;
        for (asked, id) in
            [(self.options.publisher, self.ids.publisher), (self.options.instrument, self.ids.instrument)]
        {
            if asked {
                name.push(b',');
                name.extend(id.map(|id| id.to_string()).unwrap_or_default().bytes());
            }
        }
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

    fn identify(&mut self, ids: Ids) {
        self.ids = ids;
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
