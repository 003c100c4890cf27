//! Bars as JSON Lines.

use std::io::Write;

use fxd::{Columns, Scale};

use crate::print::{Date, decimal_into};
use crate::{BarSink, BarsError, WriteOptions};

/// How much text is gathered before it is written.
const BUFFER: usize = 1 << 20;

/// Writes JSON Lines; see [`json_sink`].
#[derive(Debug)]
pub struct JsonSink<W> {
    out: W,
    text: Vec<u8>,
    options: WriteOptions,
    rows: u64,
}

/// A sink for JSON Lines: on each line an object with `timestamp`, `symbol`, `open`, `high`, `low`, `close`, `volume` and,
/// where they are asked for, `flags`. Numbers have exactly the decimals of their scales.
pub fn json_sink<W: Write>(out: W, options: &WriteOptions) -> JsonSink<W> {
    JsonSink { out, text: Vec::with_capacity(BUFFER + (64 << 10)), options: options.clone(), rows: 0 }
}

impl<W: Write> BarSink for JsonSink<W> {
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        crate::sink::check_symbol(symbol)?;
        // Control characters were refused, so these two are all that must be escaped.
        let name = symbol.replace('\\', "\\\\").replace('"', "\\\"");
        let WriteOptions { price_scale, volume_scale, flags, .. } = self.options;
        let mut date = Date::default();
        for bar in bars.iter() {
            self.options.check_flags(symbol, bar)?;
            let text = &mut self.text;
            text.extend_from_slice(b"{\"timestamp\":\"");
            date.write(bar.ts, text);
            text.extend_from_slice(b"\",\"symbol\":\"");
            text.extend_from_slice(name.as_bytes());
            let prices: [(&[u8], i64); 4] = [
                (b"\",\"open\":", bar.open),
                (b",\"high\":", bar.high),
                (b",\"low\":", bar.low),
                (b",\"close\":", bar.close),
            ];
            for (key, price) in prices {
                text.extend_from_slice(key);
                decimal_into(price < 0, price.unsigned_abs(), price_scale, text);
            }
            text.extend_from_slice(b",\"volume\":");
            decimal_into(false, bar.volume, volume_scale, text);
            if flags {
                text.extend_from_slice(b",\"flags\":");
                decimal_into(false, u64::from(bar.flags), Scale::VOLUME, text);
            }
            text.extend_from_slice(b"}\n");
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
