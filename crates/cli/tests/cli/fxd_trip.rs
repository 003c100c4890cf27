//! T108: bars there and back again. `PDP_TEST_ROWS=10000000` makes it as many as the case asks for.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::Command;

use crate::fxd::{HEADER, fx};
use crate::support::{Home, Ran, python, skipped, tell};

const ROWS: u64 = 50_000;
/// Minutes of a symbol.
const MINUTES: u64 = 1440 * 250;

/// What pyarrow and DuckDB find: counts and exact sums, of doubles that were decimals.
const SUMS: &str = r#"
import sys
import pyarrow.compute as pc, pyarrow.parquet as pq
parquet, rows, volume, closes = sys.argv[1], *map(int, sys.argv[2:])
file, found = pq.ParquetFile(parquet), [0, 0, 0]
for batch in file.iter_batches(columns=["close", "volume"]):
    ticks = pc.cast(pc.round(pc.multiply(batch.column("close"), 1e5)), "int64")
    for at, value in enumerate((len(batch), pc.sum(batch.column("volume")).as_py(), pc.sum(ticks).as_py())):
        found[at] += value
assert found == [rows, volume, closes], (found, rows, volume, closes)
try:
    import duckdb
except ImportError:
    print("no duckdb")
else:
    query = "select count(*), sum(volume), sum(round(close * 1e5)::bigint) from read_parquet(?)"
    found = [int(value) for value in duckdb.execute(query, [parquet]).fetchone()]
    assert found == [rows, volume, closes], (found, rows, volume, closes)
    print("duckdb")
"#;

/// Writes rows of several symbols, and says the sums of volumes and closes.
fn write(path: &Path, rows: u64) -> (u64, u64) {
    let mut out = BufWriter::new(File::create(path).unwrap());
    out.write_all(HEADER.as_bytes()).unwrap();
    let (mut state, mut price) = (9_u64, 105_000_u64);
    let (mut volumes, mut closes) = (0, 0);
    let mut line = String::new();
    for row in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = state >> 32;
        let (symbol, minute) = (row / MINUTES, row % MINUTES);
        let open = price;
        price = 100_000 + (price + bits % 21).saturating_sub(10).saturating_sub(100_000).min(20_000);
        let at = |units: u64| format!("{}.{:05}", units / 100_000, units % 100_000);
        let (high, low) = (open.max(price) + bits / 32 % 9, open.min(price) - bits / 512 % 9);
        let volume = bits >> 20;
        let (day, time) = (minute / 1440, minute % 1440);
        line.clear();
        writeln!(
            line,
            "2024-{:02}-{:02}T{:02}:{:02}:00Z,S{symbol:03},{},{},{},{},{volume}",
            day / 25 + 1,
            day % 25 + 1,
            time / 60,
            time % 60,
            at(open),
            at(high),
            at(low),
            at(price)
        )
        .unwrap();
        out.write_all(line.as_bytes()).unwrap();
        volumes += volume;
        closes += price;
    }
    out.flush().unwrap();
    (volumes, closes)
}

fn same(home: &Home, one: &str, other: &str) {
    let compared = Command::new("cmp").args([one, other]).current_dir(home.path()).output().unwrap();
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stdout));
}

#[test]
fn t108_bars_come_back_as_they_went() {
    let rows = std::env::var("PDP_TEST_ROWS").map_or(ROWS, |rows| rows.parse().unwrap());
    let home = Home::new();
    let (volumes, closes) = write(&home.join("a.csv"), rows);
    fx(&home, &["convert", "a.csv", "a.fxd", "--quiet"]).ok();
    fx(&home, &["convert", "a.fxd", "b.csv", "--quiet"]).ok();
    same(&home, "a.csv", "b.csv");
    fx(&home, &["convert", "a.fxd", "a.parquet", "--quiet"]).ok();
    fx(&home, &["convert", "a.parquet", "b.fxd", "--quiet"]).ok();
    fx(&home, &["convert", "b.fxd", "b.csv", "--quiet", "--overwrite"]).ok();
    same(&home, "a.csv", "b.csv");
    fx(&home, &["verify", "--file", "b.fxd", "--checksums"]).ok();
    tell(&format!("{rows} rows went there and back twice"));
    let Some(python) = python() else { return };
    home.put("sums.py", SUMS);
    let sums = [rows, volumes, closes].map(|sum| sum.to_string());
    let read = Command::new(python).args(["sums.py", "a.parquet"]).args(sums).current_dir(home.path()).output();
    if Ran::of(read.unwrap()).ok().out.starts_with("no duckdb") {
        skipped("no DuckDB for Python");
    }
}
