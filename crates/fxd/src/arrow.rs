//! Columns as Arrow record batches.

use std::sync::Arc;

use arrow_array::types::{Decimal128Type, TimestampNanosecondType};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch, UInt8Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};

use crate::{Columns, Info, Scale};

/// The digits of the largest u64.
const PRECISION: u8 = 20;

/// Bars as a record batch: `timestamp` (nanoseconds, UTC), `open`, `high`, `low`, `close` and `volume` (decimals at the scales of
/// `info`), `flags`.
///
/// # Errors
/// Arrow's, for timestamps beyond [`MAX_TS`](crate::MAX_TS), which no store has.
pub fn record_batch(columns: &Columns, info: &Info) -> Result<RecordBatch, ArrowError> {
    let times = columns.ts().iter().map(|ts| i64::try_from(*ts)).collect::<Result<Vec<_>, _>>();
    let times = times.map_err(|_| ArrowError::CastError("a timestamp beyond the year 2262".into()))?;
    let times = PrimitiveArray::<TimestampNanosecondType>::from(times).with_timezone("UTC");
    let price = |values: &[i64]| decimals(values.iter().map(|value| i128::from(*value)), info.price_scale);
    let arrays: [(&str, ArrayRef); 7] = [
        ("timestamp", Arc::new(times)),
        ("open", price(columns.open())?),
        ("high", price(columns.high())?),
        ("low", price(columns.low())?),
        ("close", price(columns.close())?),
        ("volume", decimals(columns.volume().iter().map(|value| i128::from(*value)), info.volume_scale)?),
        ("flags", Arc::new(UInt8Array::from(columns.flags().to_vec()))),
    ];
    let fields: Vec<Field> =
        arrays.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
    debug_assert_eq!(
        fields.first().map(Field::data_type),
        Some(&DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))
    );
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays.into_iter().map(|(_, array)| array).collect())
}

fn decimals(values: impl Iterator<Item = i128>, scale: Scale) -> Result<ArrayRef, ArrowError> {
    let array = PrimitiveArray::<Decimal128Type>::from_iter_values(values);
    let decimals = i8::try_from(scale.decimals()).unwrap_or(i8::MAX);
    Ok(Arc::new(array.with_precision_and_scale(PRECISION, decimals)?))
}

#[cfg(test)]
mod tests {
    use arrow_array::Array as _;
    use arrow_array::cast::AsArray as _;

    use super::*;
    use crate::Bar;

    #[test]
    fn a_batch_has_the_bars_as_decimals_and_times() {
        let bars =
            [1_u64, 2].map(|n| Bar { ts: n, open: -5, high: 105_432, low: -6, close: 1, volume: u64::MAX, flags: 3 });
        let batch = record_batch(&bars.into_iter().collect(), &Info::default()).unwrap();
        assert_eq!(batch.num_rows(), 2);
        let high = batch.column_by_name("high").unwrap().as_primitive::<Decimal128Type>();
        assert_eq!(high.value_as_string(1), "1.05432");
        assert_eq!(
            batch.column_by_name("open").unwrap().as_primitive::<Decimal128Type>().value_as_string(0),
            "-0.00005"
        );
        let volume = batch.column_by_name("volume").unwrap().as_primitive::<Decimal128Type>();
        assert_eq!(volume.value_as_string(0), u64::MAX.to_string());
        assert_eq!(batch.column(0).as_primitive::<TimestampNanosecondType>().value(1), 2);
        assert_eq!(batch.column(0).null_count(), 0);
    }
}
