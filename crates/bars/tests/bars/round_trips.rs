//! What is written reads back.

use fxd::{Bar, Columns, MAX_TS, Scale};
use pdp_bars::{BarSink, Fit, Prices, ReadOptions, WriteOptions, csv_sink, json_sink, parquet_sink};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::support::{flat, read, read_text, ts};

fn write_options(price: u8, volume: u8) -> WriteOptions {
    WriteOptions::new(Scale::new(price).unwrap(), Scale::new(volume).unwrap())
}

fn csv(series: &[(&str, Vec<Bar>)], options: &WriteOptions) -> String {
    let mut out = Vec::new();
    let mut sink = csv_sink(&mut out, options);
    for (symbol, bars) in series {
        sink.write(symbol, &bars.iter().copied().collect()).unwrap();
    }
    let rows = Box::new(sink).finish().unwrap();
    assert_eq!(rows, series.iter().map(|(_, bars)| bars.len() as u64).sum::<u64>());
    String::from_utf8(out).unwrap()
}

fn json(symbol: &str, bars: &[Bar], options: &WriteOptions) -> String {
    let mut out = Vec::new();
    let mut sink = json_sink(&mut out, options);
    sink.write(symbol, &bars.iter().copied().collect()).unwrap();
    Box::new(sink).finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn parquet(series: &[(&str, Vec<Bar>)], options: &WriteOptions) -> Vec<u8> {
    let mut out = Vec::new();
    let mut sink = parquet_sink(&mut out, options).unwrap();
    for (symbol, bars) in series {
        sink.write(symbol, &bars.iter().copied().collect()).unwrap();
    }
    Box::new(sink).finish().unwrap();
    out
}

#[test]
fn csv_looks_as_promised() {
    let bars = vec![
        Bar {
            ts: ts("2024-01-03T00:00:00Z"),
            open: 105_432,
            high: 105_440,
            low: 100_000,
            close: 5,
            volume: 12,
            flags: 0,
        },
        Bar { volume: 7, ..flat("2024-01-03T00:00:00.5Z", -105_432) },
        flat("2024-01-03T00:00:00.500001Z", 0),
        flat("2024-01-04T00:00:00.000000001Z", 1),
    ];
    assert_eq!(
        csv(&[("EURUSD", bars), ("A,\"B\"", vec![flat("1970-01-01T00:00:00Z", 100_000)])], &write_options(5, 0)),
        "timestamp,symbol,open,high,low,close,volume\n\
         2024-01-03T00:00:00Z,EURUSD,1.05432,1.05440,1.00000,0.00005,12\n\
         2024-01-03T00:00:00.500Z,EURUSD,-1.05432,-1.05432,-1.05432,-1.05432,7\n\
         2024-01-03T00:00:00.500001Z,EURUSD,0.00000,0.00000,0.00000,0.00000,0\n\
         2024-01-04T00:00:00.000000001Z,EURUSD,0.00001,0.00001,0.00001,0.00001,0\n\
         1970-01-01T00:00:00Z,\"A,\"\"B\"\"\",1.00000,1.00000,1.00000,1.00000,0\n"
    );
    assert_eq!(csv(&[], &write_options(5, 0)), "timestamp,symbol,open,high,low,close,volume\n");
    let scaled = csv(&[("X", vec![Bar { volume: 5, ..flat("1970-01-01T00:00:00Z", 7) }])], &write_options(0, 2));
    assert!(scaled.ends_with("\n1970-01-01T00:00:00Z,X,7,7,7,7,0.05\n"), "{scaled}");
}

#[test]
fn json_looks_as_promised() {
    let bars = [Bar { volume: 12, ..flat("2024-01-03T00:00:00Z", 105_432) }];
    assert_eq!(
        json("EUR\"\\USD", &bars, &write_options(5, 0)),
        "{\"timestamp\":\"2024-01-03T00:00:00Z\",\"symbol\":\"EUR\\\"\\\\USD\",\"open\":1.05432,\"high\":1.05432,\
         \"low\":1.05432,\"close\":1.05432,\"volume\":12}\n"
    );
    let value: serde_json::Value = serde_json::from_str(&json("EUR\"\\USD", &bars, &write_options(5, 0))).unwrap();
    assert_eq!(value["symbol"], "EUR\"\\USD");
    assert_eq!(value["open"], 1.05432);
}

#[test]
fn flags_are_written_when_asked_for_and_never_lost() {
    let bars = [Bar { flags: 6, ..flat("2024-01-03T00:00:00Z", 100_000) }];
    let columns: Columns = bars.iter().copied().collect();
    let plain = write_options(5, 0);
    let mut asked = plain.clone();
    asked.flags = true;
    let mut sinks: Vec<Box<dyn BarSink>> = vec![
        Box::new(csv_sink(Vec::new(), &plain)),
        Box::new(json_sink(Vec::new(), &plain)),
        Box::new(parquet_sink(Vec::new(), &plain).unwrap()),
    ];
    for sink in &mut sinks {
        let error = sink.write("X", &columns).unwrap_err().to_string();
        assert_eq!(error, "X: the bar at 2024-01-03T00:00:00Z has flags 6, expected none: ask for a column of flags");
    }
    let text = csv(&[("X", bars.to_vec())], &asked);
    assert!(
        text.starts_with("timestamp,symbol,open,high,low,close,volume,flags\n") && text.ends_with(",6\n"),
        "{text}"
    );
    let options = ReadOptions::new(Fit::any(Scale::PRICE, Scale::VOLUME));
    assert_eq!(read_text("X.csv", text, &options).unwrap()[0].1, bars);
    assert_eq!(read_text("X.parquet", parquet(&[("X", bars.to_vec())], &asked), &options).unwrap()[0].1, bars);
    assert!(json("X", &bars, &asked).ends_with(",\"flags\":6}\n"));
}

#[test]
fn symbols_that_would_break_lines_are_refused() {
    let columns: Columns = [flat("2024-01-03T00:00:00Z", 1)].into_iter().collect();
    for symbol in ["", "A\nB", "A\rB", "A\0"] {
        let error = csv_sink(Vec::new(), &write_options(5, 0)).write(symbol, &columns).unwrap_err().to_string();
        assert!(error.contains("without control characters"), "{error}");
    }
}

#[test]
fn parquet_refuses_what_its_columns_cannot_hold() {
    let mut decimal = write_options(5, 0);
    decimal.prices = Prices::Decimal;
    for (options, bar, why) in [
        (&decimal, flat("2024-01-03T00:00:00Z", i64::MAX), "open is 92233720368547.75807, expected 18 digits at most"),
        (
            &write_options(5, 0),
            Bar { volume: u64::MAX, ..flat("2024-01-03T00:00:00Z", 1) },
            "volume is 18446744073709551615",
        ),
    ] {
        let error = parquet_sink(Vec::new(), options)
            .unwrap()
            .write("X", &[bar].into_iter().collect())
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn large_parquet_files_have_several_row_groups() {
    let bars = |from: u64, count: u64| {
        (from..from + count)
            .map(|at| Bar { ts: at * 1_000_000_000, open: 3, high: 4, low: 2, close: 3, volume: at, flags: 0 })
            .collect::<Vec<_>>()
    };
    let series = [("A", bars(0, 700_000)), ("B", bars(5, 700_000)), ("A", bars(800_000, 10))];
    let bytes = parquet(&series, &write_options(5, 0));
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("x.parquet");
    std::fs::write(&file, &bytes).unwrap();
    let found = read(&file, &ReadOptions::new(Fit::any(Scale::PRICE, Scale::VOLUME))).unwrap();
    let [(_, a), (_, b), (_, more)] = series;
    assert_eq!(found, [("A".to_owned(), [a, more].concat()), ("B".to_owned(), b)]);
}

#[test]
fn order_is_checked_across_parquet_chunks() {
    let mut bars: Vec<Bar> = (0..100_000_u64).map(|at| Bar { ts: at * 1_000_000_000, ..Bar::default() }).collect();
    bars.push(Bar { ts: 5_000_000_000, ..Bar::default() });
    let bytes = parquet(&[("A", bars)], &write_options(5, 0));
    let error = read_text("x.parquet", bytes, &ReadOptions::new(Fit::any(Scale::PRICE, Scale::VOLUME))).unwrap_err();
    assert_eq!(
        error,
        "row 100001: A: 1970-01-01T00:00:05Z steps back behind 1970-01-02T03:46:39Z at row 100000, expected a later time"
    );
}

fn series(prices: i64) -> impl Strategy<Value = Vec<Bar>> {
    proptest::collection::btree_map(
        0..=MAX_TS,
        (proptest::array::uniform4(-prices..=prices), any::<u64>(), any::<u8>()),
        1..20,
    )
    .prop_map(|bars| {
        bars.into_iter()
            .map(|(ts, ([open, high, low, close], volume, flags))| Bar { ts, open, high, low, close, volume, flags })
            .collect()
    })
}

proptest! {
    #[test]
    fn csv_reads_back(bars in series(i64::MAX), price in 0_u8..=18, volume in 0_u8..=18, symbol in "[^\\p{Cc}]{1,7}") {
        let mut options = write_options(price, volume);
        options.flags = true;
        let text = csv(&[(&symbol, bars.clone()), ("next", bars.clone())], &options);
        let read = ReadOptions::new(Fit::any(options.price_scale, options.volume_scale));
        let expected = if symbol == "next" { None } else { Some(vec![(symbol, bars.clone()), ("next".to_owned(), bars)]) };
        if let Some(expected) = expected {
            prop_assert_eq!(read_text("x.csv", text, &read), Ok(expected));
        }
    }

    #[test]
    fn parquet_reads_back(bars in series(999_999_999_999_999_999), price in 0_u8..=18, volume in 0_u8..=18, symbol in "[^\\p{Cc}]{1,7}") {
        let mut options = write_options(price, volume);
        options.flags = true;
        options.prices = Prices::Decimal;
        let largest = if volume == 0 { i64::MAX as u64 } else { 999_999_999_999_999_999 };
        let bars: Vec<Bar> = bars.into_iter().map(|bar| Bar { volume: bar.volume.min(largest), ..bar }).collect();
        let bytes = parquet(&[(&symbol, bars.clone())], &options);
        let read = ReadOptions::new(Fit::any(options.price_scale, options.volume_scale));
        prop_assert_eq!(read_text("x.parquet", bytes, &read), Ok(vec![(symbol, bars)]));
    }

    #[test]
    fn doubles_read_back_exactly(bars in series(999_999_999_999_999), price in 0_u8..=18, volume in 0_u8..=18) {
        let mut options = write_options(price, volume);
        options.flags = true;
        // A double holds fifteen digits.
        let bars: Vec<Bar> = bars.into_iter().map(|bar| Bar { volume: bar.volume % 1_000_000_000_000_000, ..bar }).collect();
        let bytes = parquet(&[("X", bars.clone())], &options);
        let read = ReadOptions::new(Fit::any(options.price_scale, options.volume_scale));
        prop_assert_eq!(read_text("x.parquet", bytes, &read), Ok(vec![("X".to_owned(), bars)]));
    }
}
