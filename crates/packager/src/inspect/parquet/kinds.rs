//! What the types of Parquet mean.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit as ParquetUnit, Type as Physical};
use parquet::schema::types::ColumnDescriptor;
use pdp_manifest::TimeUnit;

use super::super::clock::{self, Stamp};
use super::super::shape::Kind;

/// What the values of a column mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) kind: Kind,
    pub(super) is_list: bool,
    pub(super) unsigned: bool,
    /// Digits behind the point of a decimal.
    pub(super) scale: Option<u8>,
    /// What times that are counts count; none where the size of each number tells.
    pub(super) unit: Option<TimeUnit>,
    /// Definition and repetition level of a value that is there.
    pub(super) levels: (i16, i16),
}

impl Meaning {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        let is_list = column.max_rep_level() > 0;
        let logical = column.logical_type_ref();
        let unsigned = matches!(logical, Some(LogicalType::Integer(integer)) if !integer.is_signed)
            || matches!(column.converted_type(), ConvertedType::UINT_64 | ConvertedType::UINT_32);
        let scale = match (logical, column.converted_type()) {
            (Some(LogicalType::Decimal(decimal)), _) => u8::try_from(decimal.scale).ok(),
            (None, ConvertedType::DECIMAL) => u8::try_from(column.type_scale()).ok(),
            _ => None,
        };
        let kind = if is_list { Kind::Array } else { kind(column, scale.is_some()) };
        Self {
            kind,
            is_list,
            unsigned,
            scale,
            unit: unit(column),
            levels: (column.max_def_level(), column.max_rep_level()),
        }
    }

    /// The time that a count stands for.
    pub(super) fn stamp(&self, count: i64) -> Option<Stamp> {
        let Some(unit) = self.unit else { return clock::from_epoch(count) };
        let nanos = count.checked_mul(unit.nanos())?;
        Some(Stamp { time: chrono::DateTime::from_timestamp_nanos(nanos), zoned: true })
    }
}

fn kind(column: &ColumnDescriptor, is_decimal: bool) -> Kind {
    match (column.logical_type_ref(), column.converted_type(), column.physical_type()) {
        (Some(LogicalType::Timestamp(_)), ..)
        | (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS, _)
        | (_, _, Physical::INT96) => Kind::DateTime,
        (Some(LogicalType::Date), ..) | (_, ConvertedType::DATE, _) => Kind::Date,
        _ if is_decimal => Kind::Decimal,
        (_, _, Physical::BOOLEAN) => Kind::Boolean,
        (_, _, Physical::INT32 | Physical::INT64) => Kind::Long,
        (_, _, Physical::FLOAT | Physical::DOUBLE) => Kind::Double,
        (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), ..)
        | (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON, _) => Kind::String,
        (_, _, Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY) => Kind::Binary,
    }
}

fn unit(column: &ColumnDescriptor) -> Option<TimeUnit> {
    match (column.logical_type_ref(), column.converted_type()) {
        (Some(LogicalType::Timestamp(timestamp)), _) => Some(match timestamp.unit {
            ParquetUnit::MILLIS => TimeUnit::Millis,
            ParquetUnit::MICROS => TimeUnit::Micros,
            ParquetUnit::NANOS => TimeUnit::Nanos,
        }),
        (Some(LogicalType::Date), _) | (_, ConvertedType::DATE) => Some(TimeUnit::Days),
        (_, ConvertedType::TIMESTAMP_MILLIS) => Some(TimeUnit::Millis),
        (_, ConvertedType::TIMESTAMP_MICROS) => Some(TimeUnit::Micros),
        _ if column.physical_type() == Physical::INT96 => Some(TimeUnit::Nanos),
        _ => None,
    }
}
