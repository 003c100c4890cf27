//! `pdp bars import`, held against another program's reading of the same files.

use std::io::Write as _;
use std::process::Command;

use crate::support::{Home, Ran, python, shared, tell, workspace};

/// A zip with one member.
fn zip(member: &str, text: &str) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let python = format!(
        "import sys,zipfile\nwith zipfile.ZipFile(sys.stdout.buffer,'w',zipfile.ZIP_DEFLATED) as z: z.writestr({member:?},{text:?})"
    );
    let made = Command::new("python3").args(["-c", &python]).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    out.write_all(&made.stdout).unwrap();
    out.into_inner()
}

/// A decimal without zeros at its end.
fn bare(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// What was imported of a symbol, as the other program prints rows.
fn rows(home: &Home, directory: &str) -> String {
    let mut all = String::new();
    for file in home.files(directory).iter().filter(|name| name.ends_with(".csv")) {
        let text = std::fs::read_to_string(home.join(directory).join(file)).unwrap();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let [time, _, open, high, low, close, volume] = fields.as_slice() else { panic!("{line}") };
            let values = [open, high, low, close, volume].map(|value| bare(value)).join(",");
            all += &format!("{time},{values}\n");
        }
    }
    all
}

#[test]
fn real_files_are_what_another_program_reads() {
    let Some(python) = python() else { return };
    let lean: Vec<(&str, &[&str])> = vec![
        ("bars_1m/lean/cfd_oanda_minute_xauusd_20140507_quote.zip", &["mid", "bid", "ask"]),
        ("bars_1m/lean/crypto_binance_minute_btcbusd_20221213_trade.zip", &["trade"]),
        ("bars_1m/lean/crypto_coinbase_minute_btcusd_20171217_trade.zip", &["trade"]),
        ("bars_1m/lean/cryptofuture_dydx_minute_btcusd_20260101_trade.zip", &["trade"]),
        ("bars_1m/lean/forex_fxcm_minute_eurusd_20140504_quote.zip", &["mid", "bid", "ask"]),
        ("bars_1s/lean/equity_usa_second_ibm_20131007_quote.zip", &["mid", "bid", "ask"]),
        ("bars_1s/lean/equity_usa_second_spy_20131007_trade.zip", &["trade"]),
        ("bars_1s/lean/forex_fxcm_second_eurusd_20140511_quote.zip", &["mid"]),
        ("bars_1s/lean/crypto_coinbase_second_btcusd_20161008_trade.zip", &["trade"]),
    ];
    let files = lean.into_iter().map(|(file, sides)| ("lean", file, sides, &[][..])).chain([
        ("binance", "bars_1m/ADABTC-1m-2021-11-27.csv", &["trade"][..], &[][..]),
        ("histdata", "histdata/DAT_ASCII_EURUSD_M1_202501.csv", &["trade"], &["--tz", "EST"]),
        ("histdata", "histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip", &["trade"], &["--tz", "America/New_York"]),
    ]);
    let oracle = workspace().join("crates/bars/tests/oracle/import.py");
    let mut compared = 0;
    for (kind, name, sides, zone) in files {
        let Some(file) = shared(name) else { return };
        for side in sides {
            let home = Home::new();
            let file = file.to_str().unwrap();
            let mut args = vec!["bars", "import", file, "--output-dir", "out"];
            args.extend(zone);
            if *side != "trade" {
                args.extend(["--side", side]);
            }
            home.pdp(&args).ok();
            let mut command = Command::new(&python);
            command.arg(&oracle).args([kind, file]).args(zone);
            if *side != "trade" {
                command.args(["--side", side]);
            }
            let theirs = Ran::of(command.output().unwrap()).ok().out;
            let ours = rows(&home, "out");
            let differs = ours.lines().zip(theirs.lines()).find(|(ours, theirs)| ours != theirs);
            assert_eq!((differs, ours.lines().count()), (None, theirs.lines().count()), "{name} {side}");
            compared += ours.lines().count();
        }
    }
    tell(&format!("{compared} imported bars as another program reads them"));
}

/// HISTDATA's year of repeated rows, and what the week says of the zone that it is read in.
#[test]
fn a_wrong_zone_is_warned_of() {
    let Some(usdjpy) = shared("histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip") else { return };
    let Some(eurusd) = shared("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip") else { return };
    let home = Home::new();
    let import = |file: &std::path::Path, zone: &[&str]| {
        let args = [&["bars", "import", file.to_str().unwrap(), "--output-dir", "out", "--json"], zone].concat();
        home.pdp(&args)
    };
    import(&usdjpy, &[]).fails(2, "says no time zone");
    let est = import(&usdjpy, &["--tz", "EST"]).ok();
    assert!(
        est.err.contains("17 of 52 weekends") && est.err.contains("America/New_York it would be 52"),
        "{}",
        est.err
    );
    // Bars read in two zones are not joined.
    import(&usdjpy, &["--tz", "America/New_York"]).fails(2, "give another --output-dir");
    let right = home
        .pdp(&["bars", "import", usdjpy.to_str().unwrap(), "--output-dir", "right", "--tz", "America/New_York"])
        .ok();
    assert!(right.err.is_empty(), "{}", right.err);
    let euro = import(&eurusd, &["--tz", "EST"]).ok().json();
    assert_eq!((&euro[0]["bars"], &euro[0]["dropped"]), (&372_470.into(), &60.into()));
}

#[test]
fn quotes_without_a_side_months_that_join_and_what_is_refused() {
    let home = Home::new();
    let quotes = "0,1.1,1.3,1.0,1.2,5,1.2,1.4,1.1,1.3,5\n60000,,,,,0,1.2,1.4,1.1,1.3,5\n120000,1.1,1.3,1.0,1.2,5,0,0,0,0,0\n180000,,,,,0,,,,,0\n";
    home.put("lean/forex/oanda/minute/eurusd/20240131_quote.zip", zip("20240131_eurusd_minute_quote.csv", quotes));
    home.pdp(&["bars", "import", "lean", "--output-dir", "out"]).ok();
    assert_eq!(
        rows(&home, "out"),
        "2024-01-31T00:00:00Z,1.15,1.35,1.05,1.25,0\n2024-01-31T00:01:00Z,1.2,1.4,1.1,1.3,0\n2024-01-31T00:02:00Z,1.1,1.3,1,1.2,0\n"
    );
    home.pdp(&["bars", "import", "lean", "--output-dir", "bid", "--side", "bid"]).ok();
    assert_eq!(rows(&home, "bid").lines().count(), 2);
    // Equities count 1/10000, by the clock of New York; its evening is of the next month.
    let day = |name: &str, rows: &str| {
        home.put(
            &format!("usa/equity/usa/second/brk.b/{name}_trade.zip"),
            zip(&format!("{name}_brk.b_second_trade.csv"), rows),
        );
    };
    day("20240131", "72000000,4000000,4000100,3999900,4000050,7\n");
    home.pdp(&["bars", "import", "usa"]).ok();
    day("20240201", "34200000,4010000,4010000,4010000,4010000,9\n");
    let report = home.pdp(&["bars", "import", "usa/equity/usa/second/brk.b/20240201_trade.zip", "--json"]).ok().json();
    assert_eq!((&report[0]["joined"], &report[0]["bars"]), (&1.into(), &2.into()));
    assert_eq!(
        std::fs::read_to_string(home.join("data/raw_1s/BRK.B/BRK.B_2024_02.csv")).unwrap(),
        "timestamp,symbol,open,high,low,close,volume\n2024-02-01T01:00:00Z,BRK.B,400.000,400.010,399.990,400.005,7\n\
         2024-02-01T14:30:00Z,BRK.B,401.000,401.000,401.000,401.000,9\n"
    );
    // Twice the same changes nothing; another price at a time that is there is refused.
    let before = rows(&home, "data/raw_1s");
    home.pdp(&["bars", "import", "usa"]).ok();
    assert_eq!(rows(&home, "data/raw_1s"), before);
    day("20240201", "34200000,4010000,4010000,4010000,4020000,9\n");
    home.pdp(&["bars", "import", "usa"]).fails(3, "BRK.B");
    assert_eq!(rows(&home, "data/raw_1s"), before);
    // Klines: microseconds from 2025 on, a header or none.
    let row = |time: u64| format!("{time},1.5,1.6,1.4,1.55,10.25,{},15.8,3,5,7.7,0\n", time + 1);
    home.put("b/BTCUSDT-1m-2024-12.csv", row(1_733_011_200_000));
    home.put("b/BTCUSDT-1m-2025-01.zip", zip("BTCUSDT-1m-2025-01.csv", &row(1_735_689_600_000_000)));
    home.pdp(&["bars", "import", "b", "--format", "parquet"]).ok();
    assert_eq!(
        home.files("data/raw_1m/BTCUSDT"),
        [".pdp.lock", "BTCUSDT_2024_12.parquet", "BTCUSDT_2025_01.parquet", "import.json"]
    );
    home.pdp(&["bars", "resample", "--all", "--input-dir", "data/raw_1m", "--timeframes", "1h"]).ok();
    let hour = std::fs::read_to_string(home.join("data/aggregated/1h/BTCUSDT_2025_01_1h.csv")).unwrap();
    assert!(hour.contains("2025-01-01T00:00:00Z,BTCUSDT,1.50,1.60,1.40,1.55,10.25"), "{hour}");
    home.put("c/BTCUSD_PERP-1m-2024-12.csv", row(1_733_011_200_000));
    home.pdp(&["bars", "import", "c"]).fails(2, "counts contracts");
    home.put("d/notes.csv", "a,b\n");
    home.pdp(&["bars", "import", "d"]).fails(4, "files to import");
    home.pdp(&["bars", "import", "d/notes.csv"]).fails(2, "none of LEAN's");
    home.pdp(&["bars", "import", "nowhere"]).fails(4, "nowhere");
    home.pdp(&["bars", "import", "b", "--symbol", "../x"]).fails(2, "expected a name");
    let trades = zip("20240131_eurusd_minute_trade.csv", "0,1.1,1.3,1.0,1.2,5\n");
    home.put("lean/forex/oanda/minute/eurusd/20240130_trade.zip", trades);
    home.pdp(&["bars", "import", "lean", "--output-dir", "both"]).fails(2, "as trades and as quotes");
    let bad = zip("20240201_x_second_trade.csv", "0,1,1,1,1,1\n90000000,1,1,1,1,1\n");
    home.put("e/crypto_binance_second_x_20240201_trade.zip", bad);
    home.pdp(&["bars", "import", "e"]).fails(3, "line 2");
}

/// Seconds make the minutes exactly, bids and asks.
#[test]
fn seconds_of_lean_make_its_minutes() {
    let Some(seconds) = shared("bars_1s/lean/cfd_oanda_second_xauusd_20140507_quote.zip") else { return };
    let Some(minutes) = shared("bars_1m/lean/cfd_oanda_minute_xauusd_20140507_quote.zip") else { return };
    for side in ["bid", "ask"] {
        let home = Home::new();
        for file in [&seconds, &minutes] {
            home.pdp(&["bars", "import", file.to_str().unwrap(), "--side", side]).ok();
        }
        let validate = home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
        assert!(validate.out.contains("1min"), "{}", validate.out);
        let made = rows(&home, "data/aggregated/1min");
        assert_eq!(made, rows(&home, "data/raw_1m"), "{side}");
        assert_eq!(made.lines().count(), 1385);
        home.pdp(&["bars", "validate", "--input-dir", "data/raw_1m", "--raw-dir", "data/raw_1s"]).ok();
    }
}
