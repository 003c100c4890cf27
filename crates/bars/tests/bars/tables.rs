//! Parquet as other programs write it.

use std::sync::Arc;

use fxd::Bar;
use parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType, Int32Type, Int64Type,
    Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use pdp_bars::ReadOptions;

use crate::support::{flat, options, read_text, ts};

/// The values of a column; `None` is null.
enum Values {
    I32(Vec<i32>),
    I64(Vec<i64>),
    I96(Vec<[u32; 3]>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Nullable(Vec<Option<i64>>),
    Text(Vec<&'static str>),
    Fixed(Vec<Vec<u8>>),
}

/// A table with the given columns: the type as Parquet's schemas write it up to the name, the name with what may follow, and
/// the values.
fn table(columns: &[(&str, &str, Values)]) -> Vec<u8> {
    let fields: String = columns
        .iter()
        .map(|(kind, name, values)| {
            let repetition = if matches!(values, Values::Nullable(_)) { "OPTIONAL" } else { "REQUIRED" };
            format!("{repetition} {kind} {name};")
        })
        .collect();
    let schema = Arc::new(parse_message_type(&format!("message table {{ {fields} }}")).unwrap());
    let mut out = Vec::new();
    let mut writer =
        SerializedFileWriter::new(&mut out, schema, Arc::new(WriterProperties::builder().build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, _, values) in columns {
        let mut column = group.next_column().unwrap().unwrap();
        match values {
            Values::I32(values) => column.typed::<Int32Type>().write_batch(values, None, None),
            Values::I64(values) => column.typed::<Int64Type>().write_batch(values, None, None),
            Values::F32(values) => column.typed::<FloatType>().write_batch(values, None, None),
            Values::F64(values) => column.typed::<DoubleType>().write_batch(values, None, None),
            Values::I96(values) => {
                let values: Vec<Int96> = values.iter().map(|value| Int96::from(value.to_vec())).collect();
                column.typed::<Int96Type>().write_batch(&values, None, None)
            }
            Values::Nullable(values) => {
                let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
                let values: Vec<i64> = values.iter().flatten().copied().collect();
                column.typed::<Int64Type>().write_batch(&values, Some(&levels), None)
            }
            Values::Text(values) => {
                let values: Vec<ByteArray> = values.iter().map(|value| ByteArray::from(*value)).collect();
                column.typed::<ByteArrayType>().write_batch(&values, None, None)
            }
            Values::Fixed(values) => {
                let values: Vec<FixedLenByteArray> = values.iter().map(|value| value.clone().into()).collect();
                column.typed::<FixedLenByteArrayType>().write_batch(&values, None, None)
            }
        }
        .unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    out
}

/// A table with the given time column and two rows of prices 1.31 and 1.3101.
fn with_time(kind: &str, name: &str, values: Values) -> Vec<u8> {
    let prices = || Values::F64(vec![1.31, 1.3101]);
    table(&[
        (kind, name, values),
        ("DOUBLE", "Open", prices()),
        ("DOUBLE", "HIGH", prices()),
        ("DOUBLE", "low", prices()),
        ("DOUBLE", "Close", prices()),
    ])
}

/// A table with the given price type and values, and one minute between rows.
fn with_prices(kind: &str, suffix: &str, values: impl Fn() -> Values, rows: i64) -> Vec<u8> {
    let names = ["open", "high", "low", "close"].map(|name| format!("{name} {suffix}"));
    let mut columns = vec![("INT64", "ts", Values::I64((0..rows).map(|row| 1_328_072_400 + row * 60).collect()))];
    columns.extend(names.iter().map(|name| (kind, name.as_str(), values())));
    table(&columns)
}

fn zoned() -> ReadOptions {
    let mut options = options(5, 0);
    options.zone = Some("EST".parse().unwrap());
    options
}

fn expected() -> Vec<Bar> {
    vec![flat("2012-02-01T05:00:00Z", 131_000), flat("2012-02-01T05:01:00Z", 131_010)]
}

#[test]
fn times_of_all_types_are_read() {
    const SECOND: i64 = 1_328_072_400;
    let counts = |unit: i64| Values::I64(vec![SECOND * unit, (SECOND + 60) * unit]);
    // What clocks in UTC-5 showed, as if it were UTC.
    let local = |unit: i64| Values::I64(vec![(SECOND - 18_000) * unit, (SECOND - 17_940) * unit]);
    for (name, bytes) in [
        ("nanoseconds", with_time("INT64", "timestamp (TIMESTAMP(NANOS,true))", counts(1_000_000_000))),
        ("microseconds", with_time("INT64", "TS_EVENT (TIMESTAMP(MICROS,true))", counts(1_000_000))),
        ("milliseconds", with_time("INT64", "datetime (TIMESTAMP(MILLIS,true))", counts(1_000))),
        ("old milliseconds", with_time("INT64", "date (TIMESTAMP_MILLIS)", counts(1_000))),
        ("local", with_time("INT64", "time (TIMESTAMP(MICROS,false))", local(1_000_000))),
        ("counted seconds", with_time("INT64", "open_time", counts(1))),
        ("counted milliseconds", with_time("INT64", "open_time", counts(1_000))),
        ("counted nanoseconds", with_time("INT64", "ts_event (INTEGER(64,false))", counts(1_000_000_000))),
        ("narrow seconds", with_time("INT32", "timestamp", Values::I32(vec![1_328_072_400, 1_328_072_460]))),
        (
            "text",
            with_time(
                "BYTE_ARRAY",
                "timestamp (STRING)",
                Values::Text(vec!["2012-02-01T05:00:00Z", "2012-02-01 00:01:00"]),
            ),
        ),
        (
            "INT96",
            with_time("INT96", "timestamp", Values::I96(vec![[0, 0, 2_455_959], [4_165_425_152, 13, 2_455_959]])),
        ),
    ] {
        let series = read_text("EURUSD.parquet", bytes, &zoned()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(series, [("EURUSD".to_owned(), expected())], "{name}");
    }
    let days = with_time("INT32", "date (DATE)", Values::I32(vec![15_371, 15_372]));
    let bars = &read_text("EURUSD.parquet", days, &zoned()).unwrap()[0].1;
    assert_eq!([bars[0].ts, bars[1].ts], [ts("2012-02-01T05:00:00Z"), ts("2012-02-02T05:00:00Z")]);
}

#[test]
fn times_without_a_zone_ask_for_one() {
    for (name, bytes) in [
        (
            "local",
            with_time(
                "INT64",
                "time (TIMESTAMP(MILLIS,false))",
                Values::I64(vec![1_328_072_400_000, 1_328_072_460_000]),
            ),
        ),
        ("INT96", with_time("INT96", "timestamp", Values::I96(vec![[0, 0, 2_455_959], [1, 0, 2_455_959]]))),
        ("days", with_time("INT32", "date (DATE)", Values::I32(vec![15_371, 15_372]))),
        (
            "text",
            with_time("BYTE_ARRAY", "timestamp", Values::Text(vec!["2012-02-01 05:00:00", "2012-02-01 05:01:00"])),
        ),
    ] {
        let error = read_text("EURUSD.parquet", bytes, &options(5, 0)).unwrap_err();
        assert!(error.starts_with("row 1: timestamp \"2012-02-01") && error.contains("--tz"), "{name}: {error}");
    }
}

#[test]
fn bad_times_are_named_by_row() {
    for (bytes, why) in [
        (
            with_time("INT64", "timestamp (TIMESTAMP(MILLIS,true))", Values::I64(vec![0, -1])),
            "row 2: timestamp is \"1969-12-31 23:59:59.999\"",
        ),
        (
            with_time("INT64", "timestamp (TIMESTAMP(MILLIS,true))", Values::I64(vec![0, i64::MAX])),
            "row 2: timestamp is ",
        ),
        (
            with_time("INT64", "timestamp (TIMESTAMP(NANOS,true))", Values::I64(vec![60, 0])),
            "row 2: EURUSD: 1970-01-01T00:00:00Z steps back",
        ),
        (
            with_time("INT64", "timestamp", Values::I64(vec![1_328_072_400, 1_328_072_460_000])),
            "row 2: timestamp \"1328072460000\" counts milliseconds",
        ),
        (
            with_time("INT64", "timestamp", Values::Nullable(vec![Some(1_328_072_400), None])),
            "row 2: timestamp is \"\", expected a timestamp",
        ),
        (with_time("INT64", "timestamp", Values::I64(vec![5, 6])), "row 1: timestamp is \"5\""),
        (
            with_time("DOUBLE", "timestamp", Values::F64(vec![5.0, 6.0])),
            "column timestamp: DOUBLE, which is no timestamp that can be read",
        ),
    ] {
        let error = read_text("EURUSD.parquet", bytes, &options(5, 0)).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn prices_of_all_types_are_read() {
    let big_endian = || Values::Fixed(vec![vec![0, 1, 0xff, 0xb8], vec![0, 1, 0xff, 0xc2]]);
    for (name, bytes) in [
        ("doubles", with_prices("DOUBLE", "", || Values::F64(vec![1.31, 1.3101]), 2)),
        ("floats", with_prices("FLOAT", "", || Values::F32(vec![1.31, 1.3101]), 2)),
        ("decimals", with_prices("INT64", "(DECIMAL(18,5))", || Values::I64(vec![131_000, 131_010]), 2)),
        (
            "decimals of more digits",
            with_prices("INT64", "(DECIMAL(18,8))", || Values::I64(vec![131_000_000, 131_010_000]), 2),
        ),
        ("narrow decimals", with_prices("INT32", "(DECIMAL(9,4))", || Values::I32(vec![13_100, 13_101]), 2)),
        ("decimals as bytes", with_prices("FIXED_LEN_BYTE_ARRAY(4)", "(DECIMAL(9,5))", big_endian, 2)),
    ] {
        let series =
            read_text("EURUSD.parquet", bytes, &options(5, 0)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(series, [("EURUSD".to_owned(), expected())], "{name}");
    }
    let whole = with_prices("INT32", "", || Values::I32(vec![-3, 7]), 2);
    let bars = &read_text("CL.parquet", whole, &options(2, 0)).unwrap()[0].1;
    assert_eq!([bars[0].open, bars[1].close], [-300, 700]);
}

#[test]
fn bad_prices_are_named_by_row_and_column() {
    for (bytes, why) in [
        (
            with_prices("DOUBLE", "", || Values::F64(vec![1.0, f64::NAN]), 2),
            "row 2: open is \"NaN\", expected a decimal number",
        ),
        (
            with_prices("DOUBLE", "", || Values::F64(vec![1.0, 1.000_001]), 2),
            "row 2: open is \"1.000001\", expected a price of 5 decimals at most",
        ),
        (
            with_prices("INT64", "(DECIMAL(18,8))", || Values::I64(vec![0, 1]), 2),
            "row 2: open is \"0.00000001\", expected a price of 5 decimals",
        ),
        (
            with_prices("INT64", "", || Values::I64(vec![0, i64::MAX]), 2),
            "row 2: open is \"9223372036854775807\", expected a price from ",
        ),
        (
            with_prices("INT64", "", || Values::Nullable(vec![Some(1), None]), 2),
            "row 2: open is \"\", expected a decimal number",
        ),
        (
            with_prices("BYTE_ARRAY", "", || Values::Text(vec!["1", "2"]), 2),
            "column open: BYTE_ARRAY, which is no price",
        ),
        (
            with_prices("FIXED_LEN_BYTE_ARRAY(4)", "", || Values::Fixed(vec![vec![0; 4]; 2]), 2),
            "column open: bytes without a scale",
        ),
    ] {
        let error = read_text("X.parquet", bytes, &options(5, 0)).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn symbols_volumes_and_flags_may_be_there() {
    let prices = || Values::F64(vec![1.0; 3]);
    let with = |volume: (&'static str, &'static str, Values)| {
        table(&[
            ("INT64", "timestamp", Values::I64(vec![1_328_072_400, 1_328_072_400, 1_328_072_460])),
            ("BYTE_ARRAY", "Ticker (STRING)", Values::Text(vec!["A", "B", "A"])),
            ("DOUBLE", "open", prices()),
            ("DOUBLE", "high", prices()),
            ("DOUBLE", "low", prices()),
            ("DOUBLE", "close", prices()),
            volume,
            ("INT32", "flags (INTEGER(8,false))", Values::I32(vec![1, 2, 255])),
            ("DOUBLE", "vwap", prices()),
        ])
    };
    for volume in [
        ("INT64", "volume", Values::I64(vec![5, 0, 7])),
        ("INT64", "volume", Values::Nullable(vec![Some(5), None, Some(7)])),
        ("DOUBLE", "Volume", Values::F64(vec![5.0, 0.0, 7.0])),
        ("INT64", "vol (DECIMAL(18,2))", Values::I64(vec![500, 0, 700])),
    ] {
        let series = read_text("X.parquet", with(volume), &options(5, 0)).unwrap();
        let found: Vec<_> = series
            .iter()
            .map(|(symbol, bars)| (symbol.as_str(), bars.iter().map(|bar| (bar.volume, bar.flags)).collect::<Vec<_>>()))
            .collect();
        assert_eq!(found, [("A", vec![(5, 1), (7, 255)]), ("B", vec![(0, 2)])]);
    }
    for (volume, why) in [
        (("INT64", "volume", Values::I64(vec![5, -1, 7])), "row 2: volume is \"-1\", expected a volume from 0"),
        (("DOUBLE", "volume", Values::F64(vec![5.5, 0.0, 7.0])), "row 1: volume is \"5.5\", expected a whole volume"),
        (
            ("DOUBLE", "tick_volume", Values::F64(vec![5.5, 0.0, 7.0])),
            "the columns are not those of bars: expected a column volume",
        ),
    ] {
        let error = read_text("X.parquet", with(volume), &options(5, 0)).unwrap_err();
        assert!(error.starts_with(why), "{error}");
    }
}

#[test]
fn databento_tables_count_nanos_and_keep_instruments_apart() {
    let prices = || Values::I64(vec![1_310_000_000, 1_310_100_000]);
    let with = |ids: Vec<i32>| {
        table(&[
            (
                "INT64",
                "ts_event (TIMESTAMP(NANOS,true))",
                Values::I64(vec![1_328_072_400_000_000_000, 1_328_072_460_000_000_000]),
            ),
            ("INT32", "instrument_id (INTEGER(32,false))", Values::I32(ids)),
            ("INT64", "open", prices()),
            ("INT64", "high", prices()),
            ("INT64", "low", prices()),
            ("INT64", "close", prices()),
            ("INT64", "volume (INTEGER(64,false))", Values::I64(vec![0, 0])),
        ])
    };
    assert_eq!(read_text("X.parquet", with(vec![5, 5]), &options(5, 0)).unwrap(), [("5".to_owned(), expected())]);
    assert_eq!(read_text("X.parquet", with(vec![5, 6]), &options(5, 0)).unwrap().len(), 2);
    let mut named = options(5, 0);
    named.symbol = Some("ES".to_owned());
    assert_eq!(read_text("X.parquet", with(vec![5, 5]), &named).unwrap(), [("ES".to_owned(), expected())]);
    assert!(read_text("X.parquet", with(vec![5, 6]), &named).unwrap_err().starts_with("row 2: instrument_id is \"6\""));
}
