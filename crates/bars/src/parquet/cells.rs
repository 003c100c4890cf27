//! The values of a column, whatever its physical type.

use parquet::basic::Type as Physical;
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::guard::Guard;

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Whole(i64),
    Float(f32),
    Double(f64),
    /// Nanoseconds of a day, and the Julian day.
    Int96(u64, u32),
    Bytes(&'a [u8]),
    Null,
}

/// A column's values, some rows at a time.
pub(super) enum Cells {
    Int32(Column<Int32Type>),
    Int64(Column<Int64Type>),
    Int96(Column<Int96Type>),
    Float(Column<FloatType>),
    Double(Column<DoubleType>),
    Bytes(Column<ByteArrayType>),
    Fixed(Column<FixedLenByteArrayType>),
}

impl Cells {
    /// Reads a column that is not nested; `None` is one of booleans.
    pub(super) fn new(column: ColumnDescPtr, pages: Box<dyn PageReader>) -> Option<Self> {
        let width = usize::try_from(column.type_length()).unwrap_or(0);
        Some(match column.physical_type() {
            Physical::BOOLEAN => return None,
            Physical::INT32 => Self::Int32(Column::new(column, pages, 4)),
            Physical::INT64 => Self::Int64(Column::new(column, pages, 8)),
            Physical::INT96 => Self::Int96(Column::new(column, pages, 12)),
            Physical::FLOAT => Self::Float(Column::new(column, pages, 4)),
            Physical::DOUBLE => Self::Double(Column::new(column, pages, 8)),
            Physical::BYTE_ARRAY => Self::Bytes(Column::new(column, pages, 4)),
            Physical::FIXED_LEN_BYTE_ARRAY => Self::Fixed(Column::new(column, pages, width)),
        })
    }

    /// Reads so many rows, and hands each with its number among them to `take` until that fails.
    pub(super) fn read<E>(
        &mut self,
        rows: usize,
        mut take: impl FnMut(usize, Cell<'_>) -> Result<(), E>,
    ) -> Result<Result<(), E>> {
        match self {
            Self::Int32(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Whole((*value).into()))))
            }
            Self::Int64(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Whole(*value))))
            }
            Self::Float(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Float(*value))))
            }
            Self::Double(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Double(*value))))
            }
            Self::Bytes(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Bytes(value.data()))))
            }
            Self::Fixed(column) => {
                column.read(rows, |at, value| take(at, value.map_or(Cell::Null, |value| Cell::Bytes(value.data()))))
            }
            Self::Int96(column) => column.read(rows, |at, value| {
                take(
                    at,
                    match value.map(parquet::data_type::Int96::data) {
                        Some(&[low, high, day]) => Cell::Int96(u64::from(low) | (u64::from(high) << 32), day),
                        _ => Cell::Null,
                    },
                )
            }),
        }
    }
}

/// A column of one physical type.
pub(super) struct Column<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
    levels: Vec<i16>,
    /// The definition level of a value that is there; 0 if all are.
    there: i16,
}

impl<T: DataType> Column<T> {
    fn new(column: ColumnDescPtr, pages: Box<dyn PageReader>, least: usize) -> Self {
        let there = column.max_def_level();
        let reader = ColumnReaderImpl::new(column, Box::new(Guard::new(pages, least)));
        Self { reader, values: Vec::new(), levels: Vec::new(), there }
    }

    fn read<E>(
        &mut self,
        rows: usize,
        mut take: impl FnMut(usize, Option<&T::T>) -> Result<(), E>,
    ) -> Result<Result<(), E>> {
        self.values.clear();
        self.levels.clear();
        let mut found = 0;
        while found < rows {
            let levels = (self.there > 0).then_some(&mut self.levels);
            let (records, _, _) = self.reader.read_records(rows - found, levels, None, &mut self.values)?;
            if records == 0 {
                return Err(ParquetError::EOF(format!("the column ends {} rows early", rows - found)));
            }
            found += records;
        }
        if self.there == 0 {
            for (at, value) in self.values.iter().enumerate() {
                if let Err(error) = take(at, Some(value)) {
                    return Ok(Err(error));
                }
            }
            return Ok(Ok(()));
        }
        let mut values = self.values.iter();
        for (at, level) in self.levels.iter().enumerate() {
            let value = if *level == self.there { values.next() } else { None };
            if let Err(error) = take(at, value) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(()))
    }
}
