//! The values of a column, batch by batch, in one form.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};

use super::kinds::Meaning;

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Bytes(ByteArray),
    /// A list; its elements together give a hash.
    List(u64),
}

/// The values of one batch, row by row, none for null.
pub(super) type Cells = Vec<Option<Cell>>;

/// Reads at most `rows` rows.
pub(super) fn read(
    reader: &mut ColumnReader,
    meaning: &Meaning,
    rows: usize,
    cells: &mut Cells,
) -> parquet::errors::Result<()> {
    match reader {
        ColumnReader::BoolColumnReader(reader) => batch(reader, meaning, rows, cells, |value| Cell::Boolean(*value)),
        ColumnReader::Int32ColumnReader(reader) => {
            let unsigned = meaning.unsigned;
            batch(reader, meaning, rows, cells, |value| {
                Cell::Integer(if unsigned { i64::from(value.cast_unsigned()) } else { i64::from(*value) })
            })
        }
        ColumnReader::Int64ColumnReader(reader) => batch(reader, meaning, rows, cells, |value| Cell::Integer(*value)),
        ColumnReader::Int96ColumnReader(reader) => {
            batch(reader, meaning, rows, cells, |value| Cell::Integer(value.to_nanos()))
        }
        ColumnReader::FloatColumnReader(reader) => {
            batch(reader, meaning, rows, cells, |value| Cell::Double(f64::from(*value)))
        }
        ColumnReader::DoubleColumnReader(reader) => batch(reader, meaning, rows, cells, |value| Cell::Double(*value)),
        ColumnReader::ByteArrayColumnReader(reader) => {
            batch(reader, meaning, rows, cells, |value| Cell::Bytes(value.clone()))
        }
        ColumnReader::FixedLenByteArrayColumnReader(reader) => {
            batch(reader, meaning, rows, cells, |value| Cell::Bytes(ByteArray::from(value.data().to_vec())))
        }
    }
}

fn batch<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    meaning: &Meaning,
    rows: usize,
    cells: &mut Cells,
    make: impl Fn(&T::T) -> Cell,
) -> parquet::errors::Result<()> {
    cells.clear();
    let (full, deepest) = meaning.levels;
    let (mut values, mut levels, mut repeats) = (Vec::new(), Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(
        rows,
        (full > 0).then_some(&mut levels),
        (deepest > 0).then_some(&mut repeats),
        &mut values,
    )?;
    let mut left = values.iter();
    if deepest == 0 {
        let entries = if full > 0 { levels.len() } else { records };
        for entry in 0..entries {
            let there = levels.get(entry).is_none_or(|level| *level == full);
            cells.push(if there { left.next().map(&make) } else { None });
        }
        return Ok(());
    }
    // A level of zero begins a row.
    let hasher = FixedState::default();
    for (level, repeat) in levels.iter().zip(&repeats) {
        let value = if *level == full { left.next().map(&make) } else { None };
        if *repeat == 0 {
            cells.push(Some(Cell::List(0)));
        }
        if let Some(Some(Cell::List(hash))) = cells.last_mut() {
            *hash = hasher.hash_one((*hash, level, value.map(|value| value.hash(&hasher))));
        }
    }
    Ok(())
}

impl Cell {
    /// A hash that is the same for the same value.
    pub(super) fn hash(&self, hasher: &FixedState) -> u64 {
        match self {
            Self::Boolean(value) => hasher.hash_one(value),
            Self::Integer(value) => hasher.hash_one(value),
            Self::Double(value) => hasher.hash_one(value.to_bits()),
            Self::Bytes(value) => hasher.hash_one(value.data()),
            Self::List(hash) => *hash,
        }
    }

    /// As text, if it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok(),
            _ => None,
        }
    }
}
