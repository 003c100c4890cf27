//! Files of every version as they were once written: they are read for as long as there is this crate.
//!
//! `FXD_WRITE_GOLDEN=1 cargo test -p fxd --test golden` makes those that are not there; none is ever written anew.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use std::path::{Path, PathBuf};

use common::{DAY, MINUTE, Rows, VERSIONS, append, assert_sound, of_version, rows, write};
use fxd::store::{OnTaken, Store, WriteOptions};
use fxd::{Bar, Info, Version};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Numbers that are the same for ever.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// A walk of prices in steps of `tick`.
fn walk(seed: u64, count: u64, start: u64, tick: i64, volume: u64) -> Vec<Bar> {
    let mut numbers = Numbers(seed);
    let (mut ts, mut close) = (start, 100_000 * tick);
    let mut made = Vec::new();
    for _ in 0..count {
        let mut small = |most: u64| numbers.below(most).cast_signed() * tick;
        let open = if small(10) == 0 { close + small(7) - 3 * tick } else { close };
        close = open + small(21) - 10 * tick;
        let (high, low) = (open.max(close) + small(6), open.min(close) - small(6));
        let flags = u8::try_from(if numbers.below(50) == 0 { 5 } else { 1 }).unwrap();
        let volume = if numbers.below(3) == 0 { 0 } else { numbers.below(volume) };
        made.push(Bar { ts, open, high, low, close, volume, flags });
        ts += MINUTE * if numbers.below(40) == 0 { 1 + numbers.below(90) } else { 1 };
    }
    made
}

fn series(version: Version) -> Rows {
    let mut series: Rows = [
        ("EURUSD".into(), walk(1, 2500, 17_000 * DAY, 1, 100)),
        ("ESZ4".into(), walk(2, 700, 17_001 * DAY + 7, 250, 5000)),
        ("ONE".into(), walk(3, 1, 17_002 * DAY, 1, 9)),
        ("QUIET".into(), (0..300).map(|n| Bar { ts: 17_000 * DAY + n * MINUTE, ..Bar::default() }).collect()),
    ]
    .into();
    if !version.has_rows() {
        let mut numbers = Numbers(4);
        let noise = |n: u64| Bar {
            ts: n * n,
            open: numbers.below(1 << 31).cast_signed() << 30,
            high: -numbers.below(1 << 31).cast_signed(),
            low: i64::MIN + n.cast_signed(),
            close: i64::MAX - numbers.below(1000).cast_signed(),
            volume: u64::MAX - n,
            flags: numbers.below(256).to_le_bytes()[0],
        };
        // Its volumes are more than can be added up.
        if version != Version::Rollups {
            series.insert("NOISE".into(), (1..200).map(noise).collect());
        }
        // Ticks of 0.0025 with a stray price here and there, in the wrong order at times.
        let mut strays = walk(5, 400, 17_003 * DAY, 2500, 1_000_000_000);
        for at in [7, 100, 399] {
            strays[at].low -= 1;
            strays[at].volume += 1;
        }
        (strays[50].high, strays[50].low) = (strays[50].low, strays[50].high);
        series.insert("STRAYS".into(), strays);
    }
    series
}

fn more() -> Rows {
    [("EURUSD".into(), walk(6, 90, 17_200 * DAY, 1, 100)), ("NEW".into(), walk(7, 40, 17_000 * DAY, 1, 9))].into()
}

#[test]
fn what_was_written_once_is_read() {
    for version in VERSIONS {
        let number = version.number();
        let options = WriteOptions {
            block_records: Some(1440),
            info: Info { creator: Some("golden".into()), bar_interval: Some(60), ..Info::default() },
            now: 1_700_000_000_000_000_000,
            ..WriteOptions::default()
        };
        let options = of_version(version, options);
        let (fresh, appended) = (path(&format!("v{number}.fxd")), path(&format!("v{number}-appended.fxd")));
        if std::env::var_os("FXD_WRITE_GOLDEN").is_some() && !fresh.exists() {
            std::fs::create_dir_all(fresh.parent().unwrap()).unwrap();
            write(&fresh, &options, &series(version));
            std::fs::copy(&fresh, &appended).unwrap();
            append(&appended, &options, OnTaken::Refuse, &more()).unwrap();
        }
        let mut expected = series(version);
        for file in [fresh, appended] {
            assert_sound(&file);
            let store = Store::open(&file).unwrap();
            assert_eq!((store.header().version, store.info()), (number, &options.info));
            assert_eq!(rows(&store).unwrap(), expected, "{}", file.display());
            for (name, bars) in more() {
                expected.entry(name).or_default().extend(bars);
            }
        }
    }
}
