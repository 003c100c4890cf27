//! T111: a reader and writer that was made from the format's description alone reads what this crate writes, and the reverse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::{DAY, Rows, append, assert_sound, bar, bars, in_memory, options, rows, write};
use fxd::Bar;
use fxd::store::{Filter, OnTaken, Store, WriteOptions, compact, train};

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PDP_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: PDP_TEST_PYTHON names no Python with zstandard");
    }
    python
}

fn run(python: &Path, arguments: &[&str], file: &Path, input: &str) -> Output {
    let mut child = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/fxd.py"))
        .arg(arguments.first().unwrap())
        .arg(file)
        .args(arguments.get(1..).unwrap_or_default())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

const COLUMNS: &str = "timestamp_ns,symbol,open,high,low,close,volume,flags\n";

fn csv(series: &Rows) -> String {
    let mut text = COLUMNS.to_owned();
    for (name, bars) in series {
        for bar in bars {
            let fxd::Bar { ts, open, high, low, close, volume, flags } = bar;
            writeln!(text, "{ts},{name},{open},{high},{low},{close},{volume},{flags}").unwrap();
        }
    }
    text
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

/// Holds what the other reader says of a store against its rows.
fn accepts(python: &Path, path: &Path, what: &str) {
    let store = Store::open(path).unwrap();
    // By the order of the symbol table, which the symbol index has.
    let all = rows(&store).unwrap();
    let mut expected = COLUMNS.to_owned();
    for symbol in store.series() {
        let bars = all.get(&symbol.name).unwrap().clone();
        let of_symbol = csv(&[(symbol.name.clone(), bars)].into());
        expected.push_str(of_symbol.strip_prefix(COLUMNS).unwrap());
    }
    let read = run(python, &["read"], path, "");
    assert!(read.status.success(), "{what}: {}", String::from_utf8_lossy(&read.stderr));
    assert!(String::from_utf8(read.stdout).unwrap() == expected, "{what}: other rows");
    let series = run(python, &["read", "--series"], path, "");
    assert!(series.status.success(), "{what}: {}", String::from_utf8_lossy(&series.stderr));
    let mut of_series = COLUMNS.to_owned();
    for symbol in store.symbols().iter().filter(|symbol| symbol.interval().is_some()) {
        let bars = store.query(symbol.id, 0..u64::MAX, &Filter::default()).unwrap().iter().collect();
        of_series.push_str(csv(&[(symbol.name.clone(), bars)].into()).strip_prefix(COLUMNS).unwrap());
    }
    assert!(String::from_utf8(series.stdout).unwrap() == of_series, "{what}: other series");
    let by_time = run(python, &["read-by-time"], path, "");
    assert!(by_time.status.success(), "{what}: {}", String::from_utf8_lossy(&by_time.stderr));
    assert!(sorted(&String::from_utf8(by_time.stdout).unwrap()) == sorted(&expected), "{what}: other rows by time");
    let verified = run(python, &["verify"], path, "");
    assert!(verified.status.success(), "{what}: {}", String::from_utf8_lossy(&verified.stdout));
}

fn series() -> Rows {
    (0..7).map(|n| (format!("SYM{n}é"), (100 * n..100 * n + 50).flat_map(|day| bars(day, 3 + n)).collect())).collect()
}

/// Values that only columns hold, in any order, some of them in steps.
fn wide() -> Rows {
    let bar = |n: u64| {
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let price = |by: u32| noise.rotate_left(by).cast_signed() >> (n % 60);
        Bar {
            ts: n * 60_000_000_000 + noise % 50_000_000_000,
            open: price(1),
            high: price(9),
            low: price(17),
            close: price(25),
            volume: noise >> (n % 64),
            flags: noise.to_le_bytes()[7],
        }
    };
    let steps = |n: u64| {
        let price = (n * n % 300).cast_signed() * 2500 - 100_000;
        let stray = i64::from(n % 50 == 7);
        Bar {
            ts: n * n * 1000,
            open: price,
            high: price + 5000,
            low: price - stray,
            close: price,
            volume: n * 100,
            flags: 1,
        }
    };
    [("NOISE".into(), (0..900).map(bar).collect()), ("STEPS".into(), (0..3000).map(steps).collect())].into()
}

#[test]
fn t111_what_another_program_writes_opens_here() {
    let Some(python) = python() else { return };
    let home = in_memory();
    let path = home.path().join("other.fxd");
    let many: Rows = [("A".into(), (0..1200).map(|day| bar(day * DAY, 1)).collect())].into();
    let mut files = 0;
    let day: Rows = [("X".into(), bars(20_000, 1440))].into();
    for (series, version, compression) in [
        (series(), "1", "1"),
        (series(), "1", "0"),
        (many.clone(), "1", "1"),
        (day.clone(), "1", "1"),
        (series(), "2", "1"),
        (many.clone(), "2", "1"),
        // Of columns it writes every coding that the page has, and not the shortest one.
        (series(), "3", "1"),
        (many, "3", "1"),
        (day, "3", "1"),
        (wide(), "3", "1"),
        (series(), "4", "1"),
    ] {
        let mut options_of = vec!["write", "--version", version, "--compression", compression, "--created", "123"];
        if version == "4" {
            options_of.extend(["--rollups", "5m,1h,1d"]);
        }
        let written = run(&python, &options_of, &path, &csv(&series));
        assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
        assert_sound(&path);
        let store = Store::open(&path).unwrap();
        assert_eq!(rows(&store).unwrap(), series);
        assert_eq!((store.header().created_ts, store.info().creator.as_deref()), (123, Some("fxd.py")));
        // And can be gone on with.
        let more: Rows = [("NEW".into(), bars(7, 90)), ("A".into(), bars(5000, 3))].into();
        append(&path, &options(20), OnTaken::Refuse, &more).unwrap();
        assert_sound(&path);
        accepts(&python, &path, "appended to");
        compact(&path, &options(20)).unwrap();
        assert_sound(&path);
        accepts(&python, &path, "compacted");
        files += 1;
    }
    eprintln!("files of the other writer: {files}");
}

#[test]
fn t111_what_is_written_here_opens_in_another_program() {
    let Some(python) = python() else { return };
    let home = in_memory();
    let path = home.path().join("ours.fxd");
    let training: Vec<Vec<fxd::Bar>> =
        (0..4).map(|n| (0..60).flat_map(|day| bars(day * 3 + n, 60)).collect()).collect();
    let dictionary = Some(train(&training, &options(60)).unwrap());
    let mut files = 0;
    for (what, options) in [
        ("fresh", options(2)),
        ("not compressed", WriteOptions { level: None, ..options(5) }),
        ("with a dictionary", WriteOptions { dictionary, ..options(1440) }),
        ("differences", WriteOptions { version: fxd::Version::Delta, ..options(30) }),
        ("columns", WriteOptions { version: fxd::Version::Columns, ..options(16_384) }),
        ("columns in small blocks", WriteOptions { version: fxd::Version::Columns, ..options(9) }),
        ("series", common::of_version(fxd::Version::Rollups, options(200))),
    ] {
        write(&path, &options, &series());
        accepts(&python, &path, what);
        // In between, behind, a new symbol, one without bars; three times.
        for n in 0..3_u64 {
            let more: Rows = [
                ("SYM2é".to_owned(), (210..230).flat_map(|day| bars(day, 9 + n)).collect()),
                ("SYM3é".to_owned(), bars(900 + n, 40)),
                (format!("NEW{n}"), bars(n, 20)),
                (format!("EMPTY{n}"), Vec::new()),
            ]
            .into();
            append(&path, &options, OnTaken::Keep, &more).unwrap();
            accepts(&python, &path, &format!("{what}, appended to {n}"));
        }
        append(&path, &options, OnTaken::Keep, &[("ALONE".to_owned(), Vec::new())].into()).unwrap();
        accepts(&python, &path, &format!("{what}, with another symbol and no bars"));
        compact(&path, &options).unwrap();
        accepts(&python, &path, &format!("{what}, compacted"));
        files += 6;
    }
    write(&path, &options(2), &Rows::new());
    accepts(&python, &path, "empty");
    write(&path, &WriteOptions { version: fxd::Version::Columns, ..options(5000) }, &wide());
    accepts(&python, &path, "any values");
    files += 1;
    eprintln!("files that the other reader took: {}", files + 1);
}
