//! `pdp bars`, as a person runs it.

use std::process::Command;

use crate::support::{Home, Ran, python, shared, tell};

const DATABENTO: &str = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";

/// Holds every timeframe against pandas.
const PANDAS: &str = r#"
import glob, sys
import pandas as pd
raw, out, symbol, column = sys.argv[1:]
frame = pd.concat(pd.read_csv(path) for path in sorted(glob.glob(raw)))
frame["t"] = pd.to_datetime(frame[column], utc=True)
frame = frame.set_index("t")
how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
for tf in ["15s", "30s", "45s", "1min", "2min", "5min", "15min", "30min", "1h", "7min", "1d"]:
    expected = frame.resample(tf.replace("1d", "1D"), label="left", closed="left", origin="epoch").agg(how).dropna()
    files = sorted(glob.glob(f"{out}/{tf}/{symbol}_????_??_{tf}.csv"))
    found = pd.concat(pd.read_csv(path) for path in files)
    found.index = pd.to_datetime(found["timestamp"], utc=True)
    for path in files:
        months = set(pd.read_csv(path)["timestamp"].str[:7])
        assert months == {"-".join(path.rsplit("/", 1)[1][len(symbol) + 1:].split("_")[:2])}, (path, months)
    assert list(found.index) == list(expected.index), tf
    for name in how:
        assert (found[name].values == expected[name].values).all(), (tf, name)
print(len(frame))
"#;

const ALL: &str = "15s,30s,45s,1min,2min,5min,15min,30min,1h,7min,1d";

fn same_as_pandas(home: &Home, raw: &str, symbol: &str, column: &str) {
    let Some(python) = python() else { return };
    home.put("reference.py", PANDAS);
    let args = ["reference.py", raw, "data/aggregated", symbol, column];
    let ran = Ran::of(Command::new(python).args(args).current_dir(home.path()).output().unwrap()).ok();
    tell(&format!("{symbol}: {} bars in eleven timeframes as pandas makes them", ran.out.trim()));
}

/// Seconds from a moment on, with gaps, as Databento's files have them.
pub(crate) fn seconds(start: &str, count: u64) -> String {
    let start = chrono::DateTime::parse_from_rfc3339(start).unwrap();
    let mut text = DATABENTO.to_owned();
    let (mut state, mut price) = (7_u64, 50_000_u64);
    let mut at = 0;
    for _ in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = state >> 33;
        let close = price + bits % 5 - 2;
        let time = (start + chrono::Duration::seconds(at)).format("%Y-%m-%dT%H:%M:%S.000000000Z");
        let shown = |price: u64| format!("{}.{:02}", price / 100, price % 100);
        let (open, high, low, close_) = (
            shown(price),
            shown(price.max(close) + bits / 5 % 3),
            shown(price.min(close) - bits / 15 % 3),
            shown(close),
        );
        text += &format!("{time},32,2,118,{open},{high},{low},{close_},{},ES.c_0\n", bits % 300);
        price = close;
        at += if bits % 97 == 0 { 3000 } else { 1 + i64::from(bits % 3 == 0) };
    }
    text
}

#[test]
fn t112_t113_all_timeframes_are_those_of_pandas() {
    let home = Home::new();
    // A symbol with a dot and an underscore, over the end of a year, its last second included.
    let last = "2023-12-31T23:59:59.000000000Z,32,2,118,1.00,1.00,1.00,1.00,5,ES.c_0\n";
    home.put("data/raw_1s/ES.c_0/ES.c_0_2023_12.csv", seconds("2023-12-30T22:10:00Z", 900) + last);
    home.put("data/raw_1s/ES.c_0/ES.c_0_2024_01.csv", seconds("2024-01-01T00:00:00Z", 3000));
    home.pdp(&["bars", "resample", "--symbol", "ES.c_0", "--timeframes", ALL]).ok();
    same_as_pandas(&home, "data/raw_1s/ES.c_0/*.csv", "ES.c_0", "ts_event");
    let left: Vec<_> = home.files("data").into_iter().filter(|name| name.contains(".partial")).collect();
    assert!(left.is_empty(), "{left:?}");
    // Whatever is read, the same is made: of a store of the same bars, of a file for all.
    std::fs::create_dir_all(home.join("stores/ES.c_0")).unwrap();
    home.pdp(&[
        "fxd",
        "convert",
        "data/raw_1s/ES.c_0/ES.c_0_2023_12.csv",
        "data/raw_1s/ES.c_0/ES.c_0_2024_01.csv",
        "stores/ES.c_0/all.fxd",
        "--price-scale",
        "2",
    ])
    .ok();
    home.pdp(&["bars", "resample", "--all", "--input-dir", "stores", "--output-dir", "other", "--timeframes", ALL])
        .ok();
    let files = home.files("data/aggregated");
    assert_eq!(files.len(), 22);
    for file in files {
        let read = |directory: &str| std::fs::read_to_string(home.join(directory).join(&file)).unwrap();
        // A store has no numbers of publishers and instruments.
        let raw = read("data/aggregated").replace(",publisher_id,instrument_id", "").replace(",2,118,", ",");
        assert_eq!(raw, read("other"), "{file}");
    }
}

#[test]
fn real_seconds_become_what_pandas_makes_of_them() {
    let Some(spy) = shared("bars_1s/derived/spy_20131007.ohlcv-1s.csv.gz") else { return };
    let home = Home::new();
    home.put("data/raw_1s/SPY/SPY_2013_10.csv.gz", std::fs::read(spy).unwrap());
    let json = home.pdp(&["bars", "resample", "--symbol", "SPY", "--timeframes", ALL, "--json"]).ok().json();
    assert_eq!((&json[0]["bars"], &json[0]["made"][3]["timeframe"]), (&16_675.into(), &"1min".into()));
    same_as_pandas(&home, "data/raw_1s/SPY/*.csv.gz", "SPY", "ts_event");
}

#[test]
fn what_cannot_be_merged_is_refused_by_line() {
    let home = Home::new();
    let row = |second: u32, publisher: u32, instrument: u32| {
        format!("2024-01-02T00:00:{second:02}.000000000Z,32,{publisher},{instrument},1.5,1.5,1.5,1.5,7,SPY\n")
    };
    let raw = "data/raw_1s/SPY/SPY_2024_01.csv";
    let resample = ["bars", "resample", "--symbol", "SPY", "--timeframes", "1min"];
    home.put(raw, DATABENTO.to_owned() + &row(0, 40, 1) + &row(1, 39, 1));
    home.pdp(&resample).fails(3, "SPY_2024_01.csv: line 3: SPY: 2024-01-02T00:00:01Z is from publisher 39");
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(1, 40, 1).replace("1.5,7", "1.5,8"));
    home.pdp(&resample).fails(3, "line 3");
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(0, 40, 1));
    home.pdp(&resample).fails(3, "line 3");
    assert!(home.files("data/aggregated").is_empty(), "{:?}", home.files("data/aggregated"));
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(1, 40, 1));
    let text = home.pdp(&resample).ok().out;
    assert!(text.contains("1 dropped"), "{text}");
    home.pdp(&[resample.as_slice(), &["--on-duplicate", "error"]].concat()).fails(3, "line 3");
    home.pdp(&["bars", "resample", "--symbol", "QQQ"]).fails(4, "QQQ");
    home.pdp(&["bars", "resample", "--all", "--input-dir", "none"]).fails(4, "none");
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1week"]).fails(2, "no timeframe");
    home.pdp(&["bars", "resample", "--all", "--session", "17:00"]).fails(2, "--tz");
    home.pdp(&["bars", "resample"]).fails(2, "--symbol");
}

#[test]
fn gaps_are_filled_and_sessions_kept() {
    let home = Home::new();
    let rows = "timestamp,open,high,low,close,volume\n\
                2024-03-08T21:59:00Z,1.1,1.2,1.0,1.15,5\n2024-03-08T22:00:00Z,1.2,1.2,1.1,1.2,1\n\
                2024-03-08T22:03:30Z,1.3,1.4,1.3,1.4,2\n2024-03-11T20:59:59Z,1.5,1.5,1.5,1.5,4\n2024-03-11T21:00:00Z,1.6,1.6,1.6,1.6,8\n";
    home.put("data/raw_1s/EURUSD_2024_03.csv", rows);
    let read = |file: &str| std::fs::read_to_string(home.join(file)).unwrap();
    let week =
        ["bars", "resample", "--all", "--timeframes", "1min,1d", "--session", "17:00", "--tz", "America/New_York"];
    home.pdp(&week).ok();
    let expected = "timestamp,symbol,open,high,low,close,volume\n\
                    2024-03-07T22:00:00Z,EURUSD,1.10,1.20,1.00,1.15,5\n2024-03-08T22:00:00Z,EURUSD,1.20,1.40,1.10,1.40,3\n\
                    2024-03-10T21:00:00Z,EURUSD,1.50,1.50,1.50,1.50,4\n2024-03-11T21:00:00Z,EURUSD,1.60,1.60,1.60,1.60,8\n";
    assert_eq!(read("data/aggregated/1d/EURUSD_2024_03_1d.csv"), expected);
    home.pdp(&["bars", "resample", "--symbol", "EURUSD", "--timeframes", "1min", "--fill", "--output-dir", "filled"])
        .ok();
    let filled = read("filled/1min/EURUSD_2024_03_1min.csv");
    let lines: Vec<_> = filled.lines().take(6).collect();
    assert_eq!(
        lines[..6],
        [
            "timestamp,symbol,open,high,low,close,volume,flags",
            "2024-03-08T21:59:00Z,EURUSD,1.10,1.20,1.00,1.15,5,0",
            "2024-03-08T22:00:00Z,EURUSD,1.20,1.20,1.10,1.20,1,0",
            "2024-03-08T22:01:00Z,EURUSD,1.20,1.20,1.20,1.20,0,6",
            "2024-03-08T22:02:00Z,EURUSD,1.20,1.20,1.20,1.20,0,6",
            "2024-03-08T22:03:00Z,EURUSD,1.30,1.40,1.30,1.40,2,0",
        ]
    );
    assert_eq!(filled.lines().count(), 1 + 4262);
}

/// Holds resampled files against pandas, series by series: what is read, where the results are, and how their rows are told apart.
const APART: &str = r#"
import glob, sys
import pandas as pd
raw, out, keys = sys.argv[1], sys.argv[2], sys.argv[3].split(",")
read = lambda path: pd.read_parquet(path) if path.endswith(".parquet") else pd.read_csv(path)
frame = pd.concat(pd.read_csv(path) for path in sorted(glob.glob(raw))).drop_duplicates()
frame["timestamp"] = pd.to_datetime(frame["ts_event"], utc=True)
how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
for tf in ["15s", "1min", "1h", "1d"]:
    grid = pd.Grouper(key="timestamp", freq=tf.replace("1d", "1D"), label="left", closed="left", origin="epoch")
    expected = frame.groupby(keys + [grid]).agg(how).reset_index().sort_values(["timestamp"] + keys)
    found = pd.concat(read(path) for path in sorted(glob.glob(f"{out}/{tf}/*_{tf}.*")))
    found["timestamp"] = pd.to_datetime(found["timestamp"], utc=True)
    assert found["timestamp"].is_monotonic_increasing, tf
    found = found.sort_values(["timestamp"] + keys)
    assert len(found) == len(expected) and len(found) > 0, (tf, len(found), len(expected))
    for name in keys + ["timestamp"] + list(how):
        assert (found[name].values == expected[name].values).all(), (tf, name)
print(len(frame))
"#;

/// Rows of one second from several publishers and instruments, at random, and some of them twice.
fn mixed(rows: u64) -> String {
    let start = chrono::DateTime::parse_from_rfc3339("2024-03-14T23:40:00Z").unwrap();
    let mut text = DATABENTO.to_owned();
    let (mut state, mut at) = (11_u64, 0);
    for _ in 0..rows {
        let mut bits = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        let time = (start + chrono::Duration::seconds(at)).format("%Y-%m-%dT%H:%M:%S.000000000Z");
        for publisher in [39, 40, 41, 42, 43] {
            // Negative prices and bars without volume are as good as others.
            let (open, close, volume) = (bits() % 900, bits() % 900, bits() % 4);
            if bits() % 3 == 0 {
                continue;
            }
            let shown = |cents: u64| format!("{:.2}", (f64::from(u32::try_from(cents).unwrap()) - 450.0) / 100.0);
            let (high, low) = (shown(open.max(close) + 1), shown(open.min(close)));
            let instrument = if at > 2000 { 7 } else { 5 };
            let (open, close) = (shown(open), shown(close));
            let row = format!("{time},32,{publisher},{instrument},{open},{high},{low},{close},{volume},SPY\n");
            text += &row;
            if bits() % 50 == 0 {
                text += &row;
            }
        }
        at += i64::try_from(1 + bits() % 4 + if bits() % 60 == 0 { 1000 } else { 0 }).unwrap();
    }
    text
}

#[test]
fn t112_t117_t119_publishers_and_instruments_stay_apart() {
    let home = Home::new();
    home.put("data/raw_1s/SPY/SPY_2024_03.csv", mixed(6000));
    let resample = ["bars", "resample", "--symbol", "SPY", "--timeframes", "15s,1min,1h,1d"];
    home.pdp(&resample).fails(3, "--by-publisher");
    let apart = [resample.as_slice(), &["--by-publisher"]].concat();
    let report = home.pdp(&[apart.as_slice(), &["--json"]].concat()).ok().json();
    assert_eq!(report[0]["series"].as_array().unwrap().len(), 10);
    assert!(report[0]["dropped"].as_u64().unwrap() > 100, "{report}");
    home.pdp(&[apart.as_slice(), &["--format", "parquet", "--output-dir", "parquet"]].concat()).ok();
    home.pdp(&[apart.as_slice(), &["--format", "fxd", "--output-dir", "fxd"]].concat()).ok();
    // Stores have the ids in the names of their series.
    let rows = home
        .pdp(&["fxd", "query", "--file", "fxd/1d/SPY_2024_03_1d.fxd", "--symbol", "SPY@5#40", "--format", "csv"])
        .ok()
        .out;
    assert!(rows.lines().nth(1).is_some_and(|row| row.starts_with("2024-03-14T00:00:00Z,SPY@5#40,")), "{rows}");
    // From Parquet, as well as from CSV, with its ids.
    std::fs::create_dir_all(home.join("again/SPY")).unwrap();
    let [fine, one] = ["parquet/15s/SPY_2024_03_15s.parquet", "again/SPY/SPY_2024_03.parquet"];
    std::fs::copy(home.join(fine), home.join(one)).unwrap();
    let again = ["--input-dir", "again", "--output-dir", "from-parquet"];
    home.pdp(&[apart.as_slice(), &again].concat()).ok();
    for tf in ["15s", "1min", "1h", "1d"] {
        let read = |out: &str| std::fs::read_to_string(home.join(&format!("{out}/{tf}/SPY_2024_03_{tf}.csv"))).unwrap();
        assert_eq!(read("data/aggregated"), read("from-parquet"), "{tf}");
    }
    let Some(python) = python() else { return };
    home.put("apart.py", APART);
    for out in ["data/aggregated", "parquet"] {
        let args = ["apart.py", "data/raw_1s/SPY/*.csv", out, "symbol,publisher_id,instrument_id"];
        Ran::of(Command::new(&python).args(args).current_dir(home.path()).output().unwrap()).ok();
    }
}

/// T118: a continuous symbol's bars carry the contract that they are of, and those of a roll's day are not put together.
#[test]
fn t118_bars_carry_their_contract() {
    let home = Home::new();
    let row = |time: &str, instrument: u32, price: u32| {
        format!("2024-03-{time}.000000000Z,32,1,{instrument},{price}.25,{price}.25,{price}.25,{price}.25,1,ES.c.0\n")
    };
    let rows = [row("14T23:59:59", 5602, 5100), row("15T00:00:00", 17077, 5160), row("15T21:00:00", 17077, 5161)];
    home.put("data/raw_1s/ES.c.0/ES.c.0_2024_03.csv", DATABENTO.to_owned() + &rows.concat());
    let session = ["--session", "17:00", "--tz", "America/Chicago", "--timeframes", "1d"];
    home.pdp(&[["bars", "resample", "--all"].as_slice(), &session].concat()).ok();
    let found = std::fs::read_to_string(home.join("data/aggregated/1d/ES.c.0_2024_03_1d.csv")).unwrap();
    assert_eq!(
        found,
        "timestamp,symbol,publisher_id,instrument_id,open,high,low,close,volume\n\
         2024-03-14T22:00:00Z,ES.c.0,1,5602,5100.25,5100.25,5100.25,5100.25,1\n\
         2024-03-14T22:00:00Z,ES.c.0,1,17077,5160.25,5161.25,5160.25,5161.25,2\n"
    );
    // Without a column of symbols the directory's name is that of every contract.
    let header = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume\n";
    let bare = rows.concat().replace(",ES.c.0\n", "\n");
    home.put("data/raw_1s/ES.c.0/ES.c.0_2024_03.csv", header.to_owned() + &bare);
    home.pdp(&[["bars", "resample", "--all"].as_slice(), &session].concat()).ok();
    assert_eq!(found, std::fs::read_to_string(home.join("data/aggregated/1d/ES.c.0_2024_03_1d.csv")).unwrap());
}

/// T116: what unit timestamps count is told for each file, and must not change in one.
#[test]
fn t116_units_of_time() {
    let home = Home::new();
    let file = |name: &str, stamps: &[u64]| {
        let rows: String = stamps.iter().map(|stamp| format!("{stamp},1.5,1.5,1.5,1.5,2\n")).collect();
        home.put(
            &format!("data/raw_1s/BTCUSDT/BTCUSDT_{name}.csv"),
            format!("timestamp,open,high,low,close,volume\n{rows}"),
        );
    };
    file("2024_10", &[1_727_740_800, 1_727_740_801]);
    file("2024_11", &[1_730_419_200_000, 1_730_419_201_000]);
    file("2024_12", &[1_733_011_200_000_000_000, 1_733_011_201_000_000_000]);
    file("2025_01", &[1_735_689_600_000_000, 1_735_689_601_000_000]);
    let resample = ["bars", "resample", "--symbol", "BTCUSDT", "--timeframes", "1d"];
    home.pdp(&resample).ok();
    for month in ["2024_10", "2024_11", "2024_12", "2025_01"] {
        let found = std::fs::read_to_string(home.join(&format!("data/aggregated/1d/BTCUSDT_{month}_1d.csv"))).unwrap();
        let day = month.replace('_', "-");
        assert_eq!(found.lines().nth(1), Some(format!("{day}-01T00:00:00Z,BTCUSDT,1.5,1.5,1.5,1.5,4").as_str()));
    }
    file("2025_01", &[1_735_689_600_000, 1_735_689_601_000_000]);
    home.pdp(&resample).fails(3, "line 3: timestamp");
}

/// Prices in units of 1e-9, as Databento writes them where it is not asked for pretty ones.
#[test]
fn whole_numbers_of_nanos_have_the_decimals_they_need() {
    let home = Home::new();
    let row = |price: &str| format!("2024-01-02T14:30:00.000000000Z,32,1,7,{price},{price},{price},{price},4,NKD\n");
    for (price, shown) in [("3300500", "0.0033005"), ("5528750000000", "5528.75"), ("5000000000", "5")] {
        home.put("data/raw_1s/NKD/NKD_2024_01.csv", DATABENTO.to_owned() + &row(price));
        home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
        let made = std::fs::read_to_string(home.join("data/aggregated/1min/NKD_2024_01_1min.csv")).unwrap();
        assert!(made.contains(&format!(",{shown},{shown},")), "{price}: {made}");
        home.pdp(&["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s"]).ok();
    }
}

/// Parquet's doubles say what they can say exactly, and no more.
#[test]
fn parquet_is_exact_or_refused() {
    let home = Home::new();
    let rows = |price: &str| {
        format!("timestamp,open,high,low,close,volume\n2024-01-02T14:30:00Z,{price},{price},{price},{price},3\n")
    };
    let parquet = ["bars", "resample", "--all", "--timeframes", "1min", "--format", "parquet"];
    home.put("data/raw_1s/A/A_2024_01.csv", rows("73425.1234567891"));
    home.pdp(&parquet).ok();
    home.pdp(&["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s"]).ok();
    home.put("data/raw_1s/A/A_2024_01.csv", rows("73425.123456789012"));
    home.pdp(&parquet).fails(1, "15 digits at most");
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
}

/// Rows of two instruments in turn are in order, and bars of both where that is asked for.
#[test]
fn merged_instruments_are_read_in_the_order_of_the_file() {
    let home = Home::new();
    let row = |second: u32, instrument: u32| {
        format!("2024-01-02T00:00:{second:02}.000000000Z,32,1,{instrument},1.5,1.5,1.5,1.5,7,ES.c.0\n")
    };
    home.put("data/raw_1s/ES.c.0/ES.c.0_2024_01.csv", DATABENTO.to_owned() + &row(0, 7) + &row(1, 8) + &row(2, 7));
    let merged = ["bars", "resample", "--all", "--timeframes", "1min", "--merge-instruments"];
    home.pdp(&merged).ok();
    let made = std::fs::read_to_string(home.join("data/aggregated/1min/ES.c.0_2024_01_1min.csv")).unwrap();
    assert!(made.ends_with("2024-01-02T00:00:00Z,ES.c.0,1,1.5,1.5,1.5,1.5,21\n"), "{made}");
    let validate = ["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s"];
    home.pdp(&[validate.as_slice(), &["--merge-instruments"]].concat()).ok();
    home.put(
        "data/raw_1s/ES.c.0/ES.c.0_2024_01.csv",
        DATABENTO.to_owned() + &row(0, 7) + &row(0, 8).replace("1.5,7", "1.5,9"),
    );
    home.pdp(&merged).fails(3, "expected one bar at a time");
}

/// Minutes cannot become bars of fifteen or ninety seconds, which is said.
#[test]
fn bars_that_are_too_long_are_warned_of() {
    let home = Home::new();
    let rows: String =
        (0..200).map(|minute| format!("2024-01-02T{:02}:{:02}:00Z,1,1,1,1,1\n", minute / 60, minute % 60)).collect();
    home.put("raw/A/A_2024_01.csv", format!("timestamp,open,high,low,close,volume\n{rows}"));
    let ran = home.pdp(&["bars", "resample", "--all", "--input-dir", "raw", "--timeframes", "15s,90s,2min"]).ok();
    assert!(ran.err.contains("WARNING: A: its bars are 60 seconds apart or more: those of 15s, 90s"), "{}", ran.err);
    let fine = home.pdp(&["bars", "resample", "--all", "--input-dir", "raw", "--timeframes", "2min,1h"]).ok();
    assert!(fine.err.is_empty(), "{}", fine.err);
}

/// What was done before a failure is said.
#[test]
fn symbols_that_are_done_are_named_when_the_next_fails() {
    let home = Home::new();
    let rows = |price: &str| format!("timestamp,open,high,low,close,volume\n2024-01-02T14:30:00Z,{price},9,1,2,3\n");
    home.put("data/raw_1s/A/A_2024_01.csv", rows("5"));
    home.put("data/raw_1s/B/B_2024_01.csv", rows("x"));
    let ran = home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).fails(3, "open is \"x\"");
    assert!(ran.err.contains("WARNING: of 2 symbols these were done before the next failed: A"), "{}", ran.err);
}
