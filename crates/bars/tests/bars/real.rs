//! Real files, where they are.

use std::path::Path;

use fxd::Bar;
use pdp_bars::{Order, ReadOptions};

use crate::support::{Series, options, read, real, ts};

/// Reads a real file if it is there.
fn series(name: &str, options: &ReadOptions) -> Option<Vec<Series>> {
    let file = real(name)?;
    Some(read(&file, options).unwrap_or_else(|error| panic!("{error}")))
}

/// The one series of a file: its symbol, how many bars, and the first.
fn only(mut series: Vec<Series>) -> (String, usize, Bar) {
    assert_eq!(series.len(), 1);
    let (symbol, bars) = series.remove(0);
    (symbol, bars.len(), bars[0])
}

fn bar(time: &str, prices: [i64; 4], volume: u64) -> Bar {
    let [open, high, low, close] = prices;
    Bar { ts: ts(time), open, high, low, close, volume, flags: 0 }
}

fn zoned(zone: &str, price: u8, volume: u8) -> ReadOptions {
    let mut options = options(price, volume);
    options.zone = Some(zone.parse().unwrap());
    options
}

#[test]
fn one_minute_files_are_read() {
    for (name, options, symbol, count, first) in [
        (
            "bars_1m/gbpusd-m1-bid-2012.csv",
            options(5, 0),
            "gbpusd",
            30_117,
            bar("2012-02-01T00:00:00Z", [157_597, 157_606, 157_576, 157_576], 0),
        ),
        (
            "bars_1m/usdjpy-m1-ask-2013.csv",
            options(3, 0),
            "usdjpy",
            28_761,
            bar("2013-02-01T00:00:00Z", [91_717, 91_717, 91_655, 91_655], 0),
        ),
        (
            "bars_1m/btc-perp-20211231-20220201_1m.csv",
            zoned("UTC", 3, 11),
            "btc-perp",
            45_031,
            bar("2021-12-31T23:01:00Z", [46_319_000, 46_385_000, 46_319_000, 46_377_000], 230_041_372_950_000_000),
        ),
        (
            "bars_1m/ADABTC-1m-2021-11-27.csv",
            options(8, 1),
            "ADABTC",
            10,
            bar("2021-11-27T00:00:00Z", [2853, 2854, 2851, 2854], 363_042),
        ),
        (
            "histdata/DAT_ASCII_EURUSD_M1_202501.csv",
            zoned("EST", 5, 0),
            "EURUSD",
            31_603,
            bar("2025-01-01T22:00:00Z", [103_503, 103_514, 103_503, 103_514], 0),
        ),
        (
            "histdata/EURUSD_M1_2012_Q1.csv.gz",
            zoned("UTC", 5, 0),
            "EURUSD",
            92_936,
            bar("2012-01-02T07:00:00Z", [129_324, 129_381, 129_324, 129_332], 0),
        ),
        (
            "histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip",
            zoned("America/New_York", 3, 0),
            "USDJPY",
            371_800,
            bar("2018-01-01T22:00:00Z", [112_645; 4], 0),
        ),
    ] {
        let Some(series) = series(name, &options) else { continue };
        let (found, bars, start) = only(series);
        assert_eq!(found, symbol, "{name}");
        assert_eq!((bars, start), (count, first), "{name}");
    }
}

#[test]
fn files_without_a_zone_ask_for_one() {
    for name in ["histdata/DAT_ASCII_EURUSD_M1_202501.csv", "bars_1m/btc-perp-20211231-20220201_1m.csv"] {
        let Some(file) = real(name) else { continue };
        let error = read(&file, &options(5, 4)).unwrap_err().to_string();
        assert!(error.contains("--tz") && error.contains("line "), "{error}");
    }
}

#[test]
fn what_a_price_scale_cannot_say_is_refused() {
    for (name, scale) in [("bars_1m/ADABTC-1m-2021-11-27.csv", 5), ("bars_1m/gbpusd-m1-bid-2012.csv", 4)] {
        let Some(file) = real(name) else { continue };
        let error = read(&file, &options(scale, 8)).unwrap_err().to_string();
        assert!(error.contains(&format!("a price of {scale} decimals at most")), "{error}");
    }
}

#[test]
fn t106_the_hour_that_histdata_has_twice_is_refused_by_line() {
    let Some(file) = real("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip") else { return };
    let error = read(&file, &zoned("EST", 6, 0)).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "line 306019: EURUSD: 2019-10-28T00:00:00Z steps back behind 2019-10-28T00:59:00Z at line 306018, expected a later time"
        ),
        "{error}"
    );
    let mut as_is = zoned("EST", 6, 0);
    as_is.order = Order::AsIs;
    let series = read(&file, &as_is).unwrap();
    let mut times: Vec<u64> = series[0].1.iter().map(|bar| bar.ts).collect();
    let all = times.len();
    times.sort_unstable();
    times.dedup();
    assert_eq!(all - times.len(), 60);
}

/// The same bars as CSV and as DBN.
#[test]
fn databento_csv_and_dbn_hold_the_same() {
    for (csv, dbn, symbol, count) in [
        (
            "bars_1s/derived/spy_20131007.ohlcv-1s.csv.gz",
            "bars_1s/derived/spy_20131007.ohlcv-1s.dbn.zst",
            "SPY",
            16_675,
        ),
        (
            "bars_1s/derived/esu4_20240701_2358_0002.ohlcv-1s.csv.gz",
            "bars_1s/derived/esu4_20240701_2358_0002.ohlcv-1s.dbn.zst",
            "ESU4",
            44,
        ),
    ] {
        let mut options = options(5, 0);
        // The metadata of one of them leaves out its second day.
        options.symbol = Some(symbol.to_owned());
        let (Some(csv), Some(dbn)) = (series(csv, &options), series(dbn, &options)) else { continue };
        assert_eq!(csv, dbn);
        let (found, bars, _) = only(csv);
        assert_eq!((found.as_str(), bars), (symbol, count));
    }
}

#[test]
fn rows_that_lose_their_symbol_on_the_way_are_refused() {
    let folder = "bars_1s/derived/esu4_20240701_2358_0002.ohlcv-1s";
    for (end, why) in [
        ("csv.gz", "line 20: the row names no symbol"),
        ("dbn.zst", "record 19: instrument_id is \"118\", expected a symbol for it"),
    ] {
        let Some(file) = real(&format!("{folder}.{end}")) else { continue };
        let error = read(&file, &options(5, 0)).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn dbn_files_of_all_versions_are_read() {
    let folder = "databento/dbn_tests";
    for (schema, names) in [
        ("1s", &["test_data.ohlcv-1s.dbn", "test_data.ohlcv-1s.v2.dbn.zst", "test_data.ohlcv-1s.v3.dbn.zst"][..]),
        ("1m", &["test_data.ohlcv-1m.dbn", "test_data.ohlcv-1m.v3.dbn.zst"]),
        ("1h", &["test_data.ohlcv-1h.dbn", "test_data.ohlcv-1h.v3.dbn.zst"]),
        ("1d", &["test_data.ohlcv-1d.dbn", "test_data.ohlcv-1d.v3.dbn.zst"]),
    ] {
        let mut first: Option<Vec<Series>> = None;
        for name in names {
            let Some(series) = series(&format!("{folder}/{name}"), &options(9, 0)) else { continue };
            if schema != "1d" {
                assert!(series.iter().all(|(symbol, bars)| symbol == "ESH1" && bars.len() == 2), "{name}: {series:?}");
            }
            match &first {
                Some(first) => assert_eq!(&series, first, "{name}"),
                None => first = Some(series),
            }
        }
    }
}

#[test]
fn dbn_files_without_bars_are_refused() {
    let Some(file) = real("databento/dbn_tests/test_data.trades.dbn") else { return };
    let error = read(&file, &options(9, 0)).unwrap_err().to_string();
    assert!(error.contains("record 1: rtype is \"0\", expected an OHLCV record"), "{error}");
}

#[test]
fn dbn_files_cut_short_are_refused() {
    for name in ["databento/dbn_tests/test_data.ohlcv-1s.dbn", "databento/dbn_tests/test_data.ohlcv-1s.v3.dbn.zst"] {
        let Some(file) = real(name) else { continue };
        let bytes = std::fs::read(&file).unwrap();
        let whole = read(&file, &options(9, 0)).unwrap();
        let name = Path::new(name).file_name().unwrap().to_str().unwrap();
        for length in 0..bytes.len() {
            match crate::support::read_text(name, &bytes[..length], &options(9, 0)) {
                Err(error) => assert!(!error.is_empty()),
                // A stream may end between two records; nothing says how many there should be.
                Ok(series) => assert!(
                    name.ends_with(".dbn")
                        && series.iter().map(|(_, bars)| bars.len()).sum::<usize>() < whole[0].1.len(),
                    "{name} cut to {length}"
                ),
            }
        }
    }
}

#[test]
fn parquet_whose_prices_have_no_scale_is_refused() {
    let Some(file) = real("parquet_market/nautilus-64bit-bars.parquet") else { return };
    let error = read(&file, &options(8, 8)).unwrap_err().to_string();
    assert!(error.contains("column open: bytes without a scale"), "{error}");
}

#[test]
fn parquet_without_bars_is_explained() {
    let Some(file) = real("parquet_market/nautilus-64bit-trades.parquet") else { return };
    let error = read(&file, &options(8, 8)).unwrap_err().to_string();
    assert!(error.contains("but there is none for open, high, low, close"), "{error}");
}
