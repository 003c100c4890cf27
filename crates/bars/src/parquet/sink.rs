//! Bars as Parquet.

use std::io::Write;
use std::sync::Arc;

use fxd::{Columns, Scale};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::decimal::decimal_text;
use crate::{BarSink, BarsError, Ids, Prices, WriteOptions};

/// How many rows a row group has.
const GROUP: usize = 1 << 20;
/// How many symbols are handed to the writer at once.
const BATCH: usize = 8192;

/// Writes Parquet; see [`parquet_sink`].
pub struct ParquetSink<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    options: WriteOptions,
    bars: Columns,
    /// The symbols of `bars`, each with how many rows it has in a row.
    symbols: Vec<(ByteArray, usize)>,
    ids: Ids,
    /// Of each of `bars`, where they are asked for.
    publishers: Vec<Option<u32>>,
    instruments: Vec<Option<u32>>,
    rows: u64,
}

/// A sink for Parquet with the columns `timestamp` (nanoseconds in UTC), `symbol`, `open`, `high`, `low`, `close`, `volume` and,
/// where they are asked for, `publisher_id`, `instrument_id` and `flags`, in row groups of a million rows, compressed with zstd. It holds one row group in memory,
/// some 60 MB.
///
/// Volumes are INT64 if they are whole, and stored as prices are if not.
///
/// # Errors
///
/// When the output cannot be written.
pub fn parquet_sink<W: Write + Send>(out: W, options: &WriteOptions) -> Result<ParquetSink<W>, BarsError> {
    let schema = parse_message_type(&schema(options)).map_err(failed)?;
    let level = ZstdLevel::try_new(3).map_err(failed)?;
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("pdp-bars ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(None);
    // Whole numbers that follow each other are close to each other; as doubles they are not, but few differ.
    let whole = ["timestamp", "volume"].into_iter().chain(["open", "high", "low", "close"]);
    for name in whole {
        if name == "timestamp" || is_whole(name, options) {
            let path = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties.build())).map_err(failed)?;
    Ok(ParquetSink {
        writer,
        options: options.clone(),
        bars: Columns::default(),
        symbols: Vec::new(),
        ids: Ids::default(),
        publishers: Vec::new(),
        instruments: Vec::new(),
        rows: 0,
    })
}

/// Whether a price or volume column is stored as INT64.
fn is_whole(name: &str, options: &WriteOptions) -> bool {
    options.prices == Prices::Decimal || (name == "volume" && options.volume_scale == Scale::VOLUME)
}

/// The schema, as Parquet writes them.
fn schema(options: &WriteOptions) -> String {
    let number = |name: &str, scale: Scale| match options.prices {
        Prices::Double | Prices::ExactDouble => format!("REQUIRED DOUBLE {name};"),
        Prices::Decimal => format!("REQUIRED INT64 {name} (DECIMAL(18,{scale}));"),
    };
    let mut text =
        "message bars { REQUIRED INT64 timestamp (TIMESTAMP(NANOS,true)); REQUIRED BYTE_ARRAY symbol (STRING);"
            .to_owned();
    for (asked, name) in [(options.publisher, "publisher_id"), (options.instrument, "instrument_id")] {
        if asked {
            text += &format!("OPTIONAL INT64 {name};");
        }
    }
    for name in ["open", "high", "low", "close"] {
        text += &number(name, options.price_scale);
    }
    text += &if options.volume_scale == Scale::VOLUME {
        "REQUIRED INT64 volume;".to_owned()
    } else {
        number("volume", options.volume_scale)
    };
    if options.flags {
        text += "REQUIRED INT32 flags (INTEGER(8,false));";
    }
    text += "}";
    text
}

/// An output error, whether the output or the writer made it.
fn failed(error: ParquetError) -> BarsError {
    match error {
        ParquetError::External(source) => match source.downcast::<std::io::Error>() {
            Ok(source) => BarsError::Write(*source),
            Err(source) => BarsError::Write(std::io::Error::other(source)),
        },
        other => BarsError::Write(std::io::Error::other(other)),
    }
}

impl<W: Write + Send> ParquetSink<W> {
    /// Refuses what the columns cannot hold.
    fn check(&self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        let unwritable = |field: &str, value: i128, scale: Scale, expected: &str| BarsError::Unwritable {
            symbol: symbol.to_owned(),
            why: format!("{field} is {}, expected {expected}", decimal_text(value, scale)),
        };
        for bar in bars.iter() {
            self.options.check_flags(symbol, bar)?;
            if self.options.prices == Prices::Decimal {
                for (field, price) in [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)] {
                    if price.unsigned_abs() >= DECIMAL {
                        return Err(unwritable(field, price.into(), self.options.price_scale, "18 digits at most"));
                    }
                }
            }
            let whole = self.options.volume_scale == Scale::VOLUME;
            if self.options.prices == Prices::ExactDouble {
                let prices = [("open", bar.open), ("high", bar.high), ("low", bar.low), ("close", bar.close)];
                let long = prices.into_iter().find(|(_, price)| price.unsigned_abs() >= DIGITS);
                let expected = "15 digits at most, which a double says exactly: CSV and stores hold more";
                if let Some((field, price)) = long {
                    return Err(unwritable(field, price.into(), self.options.price_scale, expected));
                }
                if !whole && bar.volume >= DIGITS {
                    return Err(unwritable("volume", bar.volume.into(), self.options.volume_scale, expected));
                }
            }
            if whole && i64::try_from(bar.volume).is_err() {
                return Err(unwritable(
                    "volume",
                    bar.volume.into(),
                    Scale::VOLUME,
                    "what a signed number of 64 bits holds",
                ));
            }
            if !whole && self.options.prices == Prices::Decimal && bar.volume >= DECIMAL {
                return Err(unwritable("volume", bar.volume.into(), self.options.volume_scale, "18 digits at most"));
            }
        }
        Ok(())
    }

    /// Writes the rows so far as a row group.
    fn write_group(&mut self) -> Result<(), BarsError> {
        let (bars, options) = (&self.bars, &self.options);
        let mut group = self.writer.next_row_group().map_err(failed)?;
        let times: Vec<i64> = bars.ts().iter().map(|ts| ts.cast_signed()).collect();
        column::<Int64Type, _>(&mut group, &times)?;
        let mut writer = group.next_column().map_err(failed)?.ok_or_else(lost)?;
        for (symbol, count) in &self.symbols {
            let batch = vec![symbol.clone(); BATCH.min(*count)];
            let mut left = *count;
            while left > 0 {
                let now = left.min(BATCH);
                let values = batch.get(..now).unwrap_or(&batch);
                writer.typed::<ByteArrayType>().write_batch(values, None, None).map_err(failed)?;
                left -= now;
            }
        }
        writer.close().map_err(failed)?;
        if options.publisher {
            optional(&mut group, &self.publishers)?;
        }
        if options.instrument {
            optional(&mut group, &self.instruments)?;
        }
        for prices in [bars.open(), bars.high(), bars.low(), bars.close()] {
            match options.prices {
                Prices::Decimal => column::<Int64Type, _>(&mut group, prices)?,
                Prices::Double | Prices::ExactDouble => {
                    let doubles =
                        prices.iter().map(|price| double((*price).into(), options.price_scale)).collect::<Vec<_>>();
                    column::<DoubleType, _>(&mut group, &doubles)?;
                }
            }
        }
        if is_whole("volume", options) {
            let volumes: Vec<i64> = bars.volume().iter().map(|volume| volume.cast_signed()).collect();
            column::<Int64Type, _>(&mut group, &volumes)?;
        } else {
            let doubles =
                bars.volume().iter().map(|volume| double((*volume).into(), options.volume_scale)).collect::<Vec<_>>();
            column::<DoubleType, _>(&mut group, &doubles)?;
        }
        if options.flags {
            let flags: Vec<i32> = bars.flags().iter().map(|flags| i32::from(*flags)).collect();
            column::<Int32Type, _>(&mut group, &flags)?;
        }
        group.close().map_err(failed)?;
        self.bars.clear();
        self.symbols.clear();
        self.publishers.clear();
        self.instruments.clear();
        Ok(())
    }
}

/// Below this, two neighbouring decimals are never the same double.
const DIGITS: u64 = 1_000_000_000_000_000;

/// The numbers that no decimal of 18 digits is.
const DECIMAL: u64 = 1_000_000_000_000_000_000;

/// The double nearest to a number of units of a scale.
fn double(value: i128, scale: Scale) -> f64 {
    // Beyond this a double does not hold every whole number, and dividing would round twice.
    const EXACT: i128 = 1 << 53;
    if value.abs() > EXACT {
        return decimal_text(value, scale).parse().unwrap_or(f64::NAN);
    }
    #[expect(clippy::cast_precision_loss, reason = "both are whole numbers that doubles hold exactly")]
    let quotient = value as f64 / scale.unit() as f64;
    quotient
}

/// Writes the next column.
fn column<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
) -> Result<(), BarsError> {
    let mut writer = group.next_column().map_err(failed)?.ok_or_else(lost)?;
    writer.typed::<T>().write_batch(values, None, None).map_err(failed)?;
    writer.close().map_err(failed)
}

/// Writes the next column, of numbers that may be missing.
fn optional<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[Option<u32>],
) -> Result<(), BarsError> {
    let there: Vec<i64> = values.iter().flatten().map(|value| i64::from(*value)).collect();
    let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let mut writer = group.next_column().map_err(failed)?.ok_or_else(lost)?;
    writer.typed::<Int64Type>().write_batch(&there, Some(&levels), None).map_err(failed)?;
    writer.close().map_err(failed)
}

/// The error for a column that the schema has and the writer does not.
fn lost() -> BarsError {
    BarsError::Write(std::io::Error::other("the Parquet writer lacks a column"))
}

impl<W: Write + Send> BarSink for ParquetSink<W> {
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        crate::sink::check_symbol(symbol)?;
        self.check(symbol, bars)?;
        let mut symbol = ByteArray::from(symbol);
        if let Some((last, _)) = self.symbols.last().filter(|(last, _)| last.data() == symbol.data()) {
            symbol = last.clone();
        }
        for bar in bars.iter() {
            match self.symbols.last_mut() {
                Some((last, count)) if last.data() == symbol.data() => *count += 1,
                _ => self.symbols.push((symbol.clone(), 1)),
            }
            self.bars.push(bar);
            if self.options.publisher {
                self.publishers.push(self.ids.publisher);
            }
            if self.options.instrument {
                self.instruments.push(self.ids.instrument);
            }
            self.rows += 1;
            if self.bars.len() == GROUP {
                self.write_group()?;
            }
        }
        Ok(())
    }

    fn identify(&mut self, ids: Ids) {
        self.ids = ids;
    }

    fn finish(mut self: Box<Self>) -> Result<u64, BarsError> {
        if !self.bars.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map_err(failed)?;
        Ok(self.rows)
    }
}
