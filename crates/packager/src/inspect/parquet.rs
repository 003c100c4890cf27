//! Apache Parquet: counted by its footer, its times and symbols read from their columns alone.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, Int96};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use serde_json::Value;

use super::Findings;
use super::clock::{self, Stamp};
use super::shape::{Kind, Shape};
use super::tally::Tally;

/// Rows read at a time.
const BATCH: usize = 8192;

/// Looks into a Parquet file; `Err` says in words why it cannot be read.
pub(crate) fn inspect(file: &File) -> Result<Findings, String> {
    // The reader is another project's; a file that makes it panic is a file that cannot be read.
    catch_unwind(AssertUnwindSafe(|| read(file).map_err(|error| error.to_string())))
        .unwrap_or_else(|_| Err("its structure is damaged".to_owned()))
}

fn read(file: &File) -> parquet::errors::Result<Findings> {
    let reader = SerializedFileReader::new(file.try_clone()?)?;
    let metadata = reader.metadata();
    let schema = metadata.file_metadata().schema_descr();
    let mut findings = Findings { counted: true, ..Findings::default() };
    let rows = u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0);

    let mut shape = Shape::default();
    shape.note(Kind::Object, 1);
    shape.seen = rows;
    for column in schema.columns() {
        if let Some(at) = shape.field(&column.path().string(), 0, Default::default)
            && let Some((_, field)) = shape.fields.get_mut(at)
        {
            field.note(kind(column), 1);
            field.seen = if column.max_def_level() == 0 { rows } else { 0 };
            field.example = example(&reader, column, at);
        }
    }
    let named = |wanted: &[&str]| {
        wanted
            .iter()
            .find_map(|name| schema.columns().iter().position(|c| c.path().string().eq_ignore_ascii_case(name)))
    };
    // The footer counts the rows; a column that cannot be decoded takes its values away and not the count.
    if let Err(error) = columns(&reader, &named, rows, &mut findings) {
        findings.tally = Tally::default();
        findings.tally.span(rows, []);
        findings.damage = Some(format!("its columns cannot be read: {error}"));
    } else if findings.tally.records != rows {
        findings.damage = Some(format!("its footer says {rows} rows, its time column has {}", findings.tally.records));
    }
    findings.event_type = super::columns::event_type(schema.columns().iter().map(|column| column.name()));
    findings.guessed_type = true;
    findings.already_compressed = metadata
        .row_groups()
        .iter()
        .flat_map(|group| group.columns())
        .any(|chunk| chunk.compression() != Compression::UNCOMPRESSED);
    findings.flat = Some(shape);
    Ok(findings)
}

/// Reads the columns that tell symbol, source and time.
fn columns(
    reader: &dyn FileReader,
    named: &dyn Fn(&[&str]) -> Option<usize>,
    rows: u64,
    findings: &mut Findings,
) -> parquet::errors::Result<()> {
    if let Some(at) = named(&["symbol", "ticker"]) {
        texts(reader, at, |text| findings.symbols.note(text))?;
    }
    if let Some(at) = named(&["source"]) {
        texts(reader, at, |text| {
            findings.source.get_or_insert_with(|| text.to_owned());
        })?;
    }
    let time = named(&["timestamp", "ts_event", "time", "datetime", "date", "starttime", "open_time", "ts_init"]);
    match time {
        Some(at) => times(reader, at, rows, findings),
        None => {
            findings.tally.span(rows, []);
            Ok(())
        }
    }
}

fn kind(column: &ColumnDescriptor) -> Kind {
    if column.max_rep_level() > 0 {
        return Kind::Array;
    }
    match (column.logical_type_ref(), column.converted_type(), column.physical_type()) {
        (Some(LogicalType::Timestamp(_)), ..)
        | (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS, _)
        | (_, _, Physical::INT96) => Kind::DateTime,
        (Some(LogicalType::Date), ..) | (_, ConvertedType::DATE, _) => Kind::Date,
        (Some(LogicalType::Decimal(_)), ..) | (_, ConvertedType::DECIMAL, _) => Kind::Decimal,
        (_, _, Physical::BOOLEAN) => Kind::Boolean,
        (_, _, Physical::INT32 | Physical::INT64) => Kind::Long,
        (_, _, Physical::FLOAT | Physical::DOUBLE) => Kind::Decimal,
        (_, _, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY) => Kind::String,
    }
}

/// Walks column `at` of every row group in batches; `each` gets the values of a batch and, for optional columns, the
/// levels that tell which rows have one.
fn batches<T: DataType>(
    reader: &dyn FileReader,
    at: usize,
    typed: fn(ColumnReader) -> Option<ColumnReaderImpl<T>>,
    mut each: impl FnMut(&[T::T], &[i16]) -> bool,
) -> parquet::errors::Result<()> {
    for group in 0..reader.num_row_groups() {
        let Some(mut column) = typed(reader.get_row_group(group)?.get_column_reader(at)?) else { return Ok(()) };
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        loop {
            values.clear();
            levels.clear();
            let (records, ..) = column.read_records(BATCH, Some(&mut levels), None, &mut values)?;
            if records == 0 {
                break;
            }
            if !each(&values, &levels) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The values of a batch row by row, `None` for null.
fn row_by_row<'a, V>(values: &'a [V], levels: &'a [i16], full: i16) -> impl Iterator<Item = Option<&'a V>> {
    let mut values_left = values.iter();
    let rows = if levels.is_empty() { values.len() } else { levels.len() };
    (0..rows).map(move |row| match levels.get(row) {
        Some(level) if *level < full => None,
        _ => values_left.next(),
    })
}

fn texts(reader: &dyn FileReader, at: usize, mut each: impl FnMut(&str)) -> parquet::errors::Result<()> {
    batches(reader, at, byte_arrays, |values, _| {
        for value in values {
            if let Ok(text) = std::str::from_utf8(value.data()) {
                each(text);
            }
        }
        true
    })
}

fn byte_arrays(reader: ColumnReader) -> Option<ColumnReaderImpl<parquet::data_type::ByteArrayType>> {
    match reader {
        ColumnReader::ByteArrayColumnReader(reader) => Some(reader),
        _ => None,
    }
}

fn times(reader: &dyn FileReader, at: usize, rows: u64, findings: &mut Findings) -> parquet::errors::Result<()> {
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let column = schema.column(at);
    if column.max_rep_level() > 0 {
        findings.tally.span(rows, []);
        return Ok(());
    }
    let full = column.max_def_level();
    let unit = unit(&column);
    let mut row = 0_u64;
    let mut add = |tally: &mut Tally, stamp: Option<Stamp>| {
        row += 1;
        tally.record(row, stamp, None);
    };
    let tally = &mut findings.tally;
    match column.physical_type() {
        Physical::INT64 => batches(
            reader,
            at,
            |reader| match reader {
                ColumnReader::Int64ColumnReader(reader) => Some(reader),
                _ => None,
            },
            |values, levels| {
                row_by_row(values, levels, full).for_each(|value| add(tally, value.and_then(|v| unit.stamp(*v))));
                true
            },
        ),
        Physical::INT32 => batches(
            reader,
            at,
            |reader| match reader {
                ColumnReader::Int32ColumnReader(reader) => Some(reader),
                _ => None,
            },
            |values, levels| {
                row_by_row(values, levels, full)
                    .for_each(|value| add(tally, value.and_then(|v| unit.stamp(i64::from(*v)))));
                true
            },
        ),
        Physical::INT96 => batches(
            reader,
            at,
            |reader| match reader {
                ColumnReader::Int96ColumnReader(reader) => Some(reader),
                _ => None,
            },
            |values: &[Int96], levels| {
                row_by_row(values, levels, full)
                    .for_each(|value| add(tally, value.and_then(|v| clock::from_epoch(v.to_nanos()))));
                true
            },
        ),
        Physical::BYTE_ARRAY => batches(reader, at, byte_arrays, |values: &[ByteArray], levels| {
            row_by_row(values, levels, full).for_each(|value| {
                let text = value.and_then(|v| std::str::from_utf8(v.data()).ok());
                add(tally, text.and_then(clock::parse));
            });
            true
        }),
        _ => {
            tally.span(rows, []);
            Ok(())
        }
    }
}

/// What the numbers of a time column count.
#[derive(Clone, Copy)]
enum Unit {
    Days,
    Millis,
    Micros,
    Nanos,
    /// Told by the size of each number.
    BySize,
}

impl Unit {
    fn stamp(self, count: i64) -> Option<Stamp> {
        let nanos = match self {
            Self::BySize => return clock::from_epoch(count),
            Self::Days => count.checked_mul(86_400_000_000_000),
            Self::Millis => count.checked_mul(1_000_000),
            Self::Micros => count.checked_mul(1000),
            Self::Nanos => Some(count),
        }?;
        Some(Stamp { time: chrono::DateTime::from_timestamp_nanos(nanos), zoned: true })
    }
}

fn unit(column: &ColumnDescriptor) -> Unit {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => match timestamp.unit {
            TimeUnit::MILLIS => Unit::Millis,
            TimeUnit::MICROS => Unit::Micros,
            TimeUnit::NANOS => Unit::Nanos,
        },
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Unit::Days,
        (_, ConvertedType::TIMESTAMP_MILLIS) => Unit::Millis,
        (_, ConvertedType::TIMESTAMP_MICROS) => Unit::Micros,
        _ => Unit::BySize,
    }
}

/// The first value of a column, as text or number.
fn example(reader: &dyn FileReader, column: &ColumnDescriptor, at: usize) -> Option<Value> {
    if column.max_rep_level() > 0 || reader.num_row_groups() == 0 {
        return None;
    }
    let column_reader = reader.get_row_group(0).ok()?.get_column_reader(at).ok()?;
    match column_reader {
        ColumnReader::Int64ColumnReader(reader) => {
            let value = first(reader)?;
            let stamp = if kind(column) == Kind::DateTime { unit(column).stamp(value) } else { None };
            Some(stamp.map_or_else(|| value.into(), |stamp| pdp_manifest::time::format(stamp.time).into()))
        }
        ColumnReader::Int32ColumnReader(reader) if kind(column) == Kind::Long => first(reader).map(Into::into),
        ColumnReader::DoubleColumnReader(reader) => first(reader).map(Into::into),
        ColumnReader::FloatColumnReader(reader) => first(reader).map(Into::into),
        ColumnReader::BoolColumnReader(reader) => first(reader).map(Into::into),
        ColumnReader::ByteArrayColumnReader(reader) if kind(column) == Kind::String => {
            first(reader)?.as_utf8().ok().map(|text| text.chars().take(120).collect::<String>().into())
        }
        _ => None,
    }
}

fn first<T: DataType>(mut reader: ColumnReaderImpl<T>) -> Option<T::T> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    reader.read_records(64, Some(&mut levels), None, &mut values).ok()?;
    values.into_iter().next()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn look(bytes: &[u8]) -> Result<Findings, String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        inspect(&file)
    }

    #[test]
    fn every_cut_and_every_damaged_byte_ends_in_findings_or_an_error() {
        let sample =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/sample-data/MSFT/BboQuote/2024-01-03.parquet");
        let good = std::fs::read(sample).unwrap();
        let findings = look(&good).unwrap();
        assert_eq!((findings.tally.records, findings.symbols.first()), (200, Some("MSFT")));
        assert!(findings.already_compressed && findings.damage.is_none());
        // The default hook would print every panic that is caught.
        std::panic::set_hook(Box::new(|_| {}));
        for len in (0..good.len()).step_by(7) {
            assert!(look(&good[..len]).is_err(), "cut to {len}");
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 0x11;
            let _ = look(&bytes);
        }
        let _ = std::panic::take_hook();
    }
}
