//! What other programs make of the files, and real data.

use std::path::Path;
use std::process::Command;

use crate::fxd::{HEADER, fx, minutes};
use crate::support::{Home, Ran, python, shared, skipped, tell, workspace};

const PARQUET: &str = r#"
import csv, sys
from decimal import Decimal
import pyarrow.parquet as pq
try:
    import duckdb
except ImportError:
    duckdb = None
parquet, text = sys.argv[1:]
rows = list(csv.DictReader(open(text)))
def same(found):
    assert len(found) == len(rows), (len(found), len(rows))
    for row, (at, symbol, o, h, l, c, v) in zip(rows, found):
        assert at == row["timestamp"], (at, row)
        assert symbol == row["symbol"]
        for name, value in zip(("open", "high", "low", "close"), (o, h, l, c)):
            assert (value if isinstance(value, Decimal) else float(value)) == type(value)(row[name]), (row, name, value)
        assert v == int(row["volume"])
table = pq.read_table(parquet)
assert str(table.schema.field("timestamp").type) == "timestamp[ns, tz=UTC]", table.schema
import datetime
def said(ns):
    return datetime.datetime.fromtimestamp(ns // 10**9, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
stamps = table.column("timestamp").cast("int64").to_pylist()
columns = [table.column(name).to_pylist() for name in ("symbol", "open", "high", "low", "close", "volume")]
same([(said(ns), *row) for ns, row in zip(stamps, zip(*columns))])
if duckdb:
    query = "select epoch_ns(timestamp), symbol, open, high, low, close, volume from read_parquet(?)"
    same([(said(row[0]), *row[1:]) for row in duckdb.execute(query, [parquet]).fetchall()])
print("duckdb" if duckdb else "no duckdb", len(rows))
"#;

#[test]
fn parquet_of_a_store_is_read_row_for_row() {
    let Some(python) = python() else { return };
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("EURUSD", 0..3, 1440) + &minutes("GBPUSD", 1..2, 99));
    home.put("read.py", PARQUET);
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    for (name, more) in [("double.parquet", None), ("decimal.parquet", Some("--decimal"))] {
        let mut args = vec!["convert", "s.fxd", name];
        args.extend(more);
        fx(&home, &args).ok();
        let read = Command::new(&python).args(["read.py", name, "a.csv"]).current_dir(home.path()).output().unwrap();
        let said = Ran::of(read).ok().out;
        if said.starts_with("no duckdb") {
            skipped("no DuckDB for Python");
        }
    }
}

/// Rows as the reader in Python, which was written from the format's text alone, reads them, as CSV with the time of ours.
fn read_by_python(python: &Path, home: &Home, file: &str) -> Vec<String> {
    let script = workspace().join("crates/fxd/tests/oracle/fxd.py");
    let output = Command::new(python).arg(script).args(["read", file]).current_dir(home.path()).output().unwrap();
    let ran = Ran::of(output).ok();
    ran.out.lines().skip(1).map(str::to_owned).collect()
}

/// A row of ours with whole prices and nanoseconds, to be held against the other reader's.
fn plain(line: &str) -> String {
    let fields: Vec<&str> = line.trim_end().split(',').collect();
    let ts = nanos(fields[0]);
    let whole = |price: &str| price.replace('.', "").trim_start_matches('0').to_owned();
    let prices: Vec<String> = fields[2..6].iter().map(|price| whole(price)).collect();
    format!("{ts},{},{},{},0", fields[1], prices.join(","), fields[6])
}

/// Nanoseconds since 1970 of `2019-01-01T22:02:00Z`.
fn nanos(text: &str) -> u64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719_468;
    ((days * 24 + number(11..13)) * 60 + number(14..16)) * 60_000_000_000 + number(17..19) * 1_000_000_000
}

/// Rows of the archive's CSV, as it says them: time of EST, whole prices; sorted, the first of each time.
fn rows_of_zip(python: &Path, zip: &Path, symbol: &str) -> Vec<String> {
    const SCRIPT: &str = r#"
import sys, zipfile, calendar, time
from decimal import Decimal
archive = zipfile.ZipFile(sys.argv[1])
name = next(n for n in archive.namelist() if n.endswith(".csv"))
rows = {}
for line in archive.read(name).decode().splitlines():
    if not line.strip():
        continue
    at, o, h, l, c, v = line.strip().split(";")
    ts = (calendar.timegm(time.strptime(at, "%Y%m%d %H%M%S")) + 5 * 3600) * 10**9
    rows.setdefault(ts, ",".join(str(int(Decimal(x) * 100000)) for x in (o, h, l, c)) + "," + v)
for ts in sorted(rows):
    print(f"{ts},{sys.argv[2]},{rows[ts]},0")
"#;
    let output = Command::new(python).args(["-c", SCRIPT]).arg(zip).arg(symbol).output().unwrap();
    Ran::of(output).ok().out.lines().map(str::to_owned).collect()
}

#[test]
fn a_year_of_real_minutes_is_what_its_archive_says() {
    let (Some(python), Some(euro)) = (python(), shared("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip")) else {
        return;
    };
    let home = Home::new();
    let zip = euro.to_str().unwrap();
    // The file repeats an hour; nothing of it is lost or taken twice in silence.
    fx(&home, &["convert", zip, "e.fxd", "--tz", "EST"]).fails(3, "line 306019");
    fx(&home, &["convert", zip, "e.fxd"]).fails(2, "--tz");
    let mut files = vec![("EURUSD", euro.clone())];
    files.extend(shared("histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip").map(|yen| ("USDJPY", yen)));
    for (symbol, zip) in files {
        let (path, file) = (zip.to_str().unwrap(), format!("{symbol}.fxd"));
        let version = if symbol == "EURUSD" { "1" } else { "3" };
        let options = ["--tz", "EST", "--sort", "--on-duplicate", "first", "--format-version", version];
        fx(&home, &[["convert", path, &file].as_slice(), &options].concat()).ok();
        let expected = rows_of_zip(&python, &zip, symbol);
        let ours = fx(&home, &["query", "--file", &file, "--symbol", symbol]).ok().out;
        let ours: Vec<String> = ours.lines().skip(1).map(plain).collect();
        assert!(ours == expected, "{symbol}: {} rows, {} expected", ours.len(), expected.len());
        let theirs = read_by_python(&python, &home, &file);
        assert!(theirs == expected, "{symbol}: {:?}, {:?}", theirs.first(), expected.first());
        fx(&home, &["verify", "--file", &file, "--checksums"]).ok();
        tell(&format!("{symbol}: {} rows, {} bytes", ours.len(), home.join(&file).metadata().unwrap().len()));
    }
}

/// Every real file of bars, into every version that holds its values and out again: the same text as without a store between.
#[test]
fn real_bars_come_back_as_they_went_in_every_version() {
    let Some(data) = shared("INDEX.md").and_then(|index| index.parent().map(Path::to_path_buf)) else { return };
    let (mut files, mut trips) = (0, 0);
    for (path, options) in [
        ("bars_1m/gbpusd-m1-bid-2012.csv", ""),
        ("bars_1m/usdjpy-m1-ask-2013.csv", ""),
        ("bars_1m/ADABTC-1m-2021-11-27.csv", "--price-scale 8 --volume-scale 1"),
        ("bars_1m/btc-perp-20211231-20220201_1m.csv", "--tz UTC --price-scale 4 --volume-scale 11"),
        ("bars_1s/derived/spy_20131007.ohlcv-1s.csv.gz", ""),
        ("bars_1s/derived/spy_20131007.ohlcv-1s.dbn.zst", ""),
        ("histdata/DAT_ASCII_EURUSD_M1_202501.csv", "--tz EST"),
        ("histdata/EURUSD_M1_2012_Q1.csv.gz", "--tz UTC"),
        ("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip", "--tz EST --sort --on-duplicate last"),
        ("histdata/HISTDATA_COM_ASCII_USDJPY_M12018.zip", "--tz EST"),
    ] {
        let file = data.join(path);
        if !file.is_file() {
            skipped(path);
            continue;
        }
        let home = Home::new();
        let file = file.to_str().unwrap();
        let mut args = vec!["convert", file, "expected.csv", "--symbol", "X"];
        args.extend(options.split_whitespace());
        fx(&home, &args).ok();
        let expected = std::fs::read_to_string(home.join("expected.csv")).unwrap();
        assert!(expected.lines().count() > 5, "{path}");
        files += 1;
        for version in ["1", "2", "3", "4"] {
            let name = format!("{version}.fxd");
            let mut args = vec!["convert", file, &name, "--symbol", "X", "--format-version", version];
            args.extend(options.split_whitespace());
            // An hour's volumes of eleven decimals are more than 64 bits hold.
            let rollups = if path.contains("btc-perp") { "30s" } else { "30s,1h" };
            args.extend((version == "4").then_some(["--rollups", rollups]).into_iter().flatten());
            let ran = fx(&home, &args);
            if version < "3" && path.contains("btc-perp") {
                ran.fails(3, "a volume from 0 to");
                continue;
            }
            ran.ok();
            fx(&home, &["verify", "--file", &name, "--checksums"]).ok();
            assert!(fx(&home, &["convert", &name, "-"]).ok().out == expected, "{path}, version {version}");
            trips += 1;
        }
    }
    tell(&format!("{files} real files came back from {trips} stores"));
}
