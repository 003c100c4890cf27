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
fn seconds(start: &str, count: u64) -> String {
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
        let read = |directory: &str| std::fs::read(home.join(directory).join(&file)).unwrap();
        assert_eq!(read("data/aggregated"), read("other"), "{file}");
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
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(1, 40, 1));
    home.pdp(&resample).fails(3, "line 3");
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(0, 40, 1));
    home.pdp(&resample).fails(3, "line 3");
    assert!(home.files("data/aggregated").is_empty(), "{:?}", home.files("data/aggregated"));
    home.put(raw, DATABENTO.to_owned() + &row(1, 40, 1) + &row(1, 40, 1));
    let text = home.pdp(&[resample.as_slice(), &["--on-duplicate", "first"]].concat()).ok().out;
    assert!(text.contains("1 dropped"), "{text}");
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
