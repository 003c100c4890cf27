//! Version 4: whatever is written, appended and compacted, each series is what its symbol's bars make.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{DAY, MINUTE, Rows, append, assert_sound, bar, bars, in_memory, of_version, options, rows, write};
use fxd::store::{Filter, OnTaken, Store, WriteOptions, compact, upgrade};
use fxd::{Bar, FxdError, Interval, Version};
use proptest::prelude::*;

fn options_4(block_records: u32) -> WriteOptions {
    of_version(Version::Rollups, options(block_records))
}

fn interval(text: &str) -> Interval {
    text.parse().unwrap()
}

/// Bars of an interval, the slow way.
fn rolled(bars: &[Bar], nanos: u64) -> Vec<Bar> {
    let mut buckets: BTreeMap<u64, Vec<Bar>> = BTreeMap::new();
    for bar in bars {
        buckets.entry(bar.ts / nanos * nanos).or_default().push(*bar);
    }
    let bar = |(ts, bars): (u64, Vec<Bar>)| Bar {
        ts,
        open: bars[0].open,
        high: bars.iter().map(|bar| bar.high).max().unwrap(),
        low: bars.iter().map(|bar| bar.low).min().unwrap(),
        close: bars[bars.len() - 1].close,
        volume: bars.iter().map(|bar| bar.volume).sum(),
        flags: bars.iter().fold(0, |flags, bar| flags | bar.flags),
    };
    buckets.into_iter().map(bar).collect()
}

fn check(path: &Path, expected: &Rows) {
    assert_sound(path);
    let store = Store::open(path).unwrap();
    assert_eq!(&rows(&store).unwrap(), expected);
    assert_eq!(store.record_count(), expected.values().map(|bars| bars.len() as u64).sum::<u64>());
    for (name, bars) in expected {
        let id = store.symbol(name).unwrap().id;
        for text in ["5m", "1h", "1d"] {
            let series = store.symbol(&interval(text).name_of(name)).unwrap();
            assert_eq!((series.interval(), series.rolled_from()), (Some(interval(text)), Some(name.as_str())));
            let found = store.query(series.id, 0..u64::MAX, &Filter::default()).unwrap();
            assert_eq!(found.iter().collect::<Vec<_>>(), rolled(bars, interval(text).nanos()), "{name} {text}");
        }
        // From the series itself, from one that divides it, and from the bars as they came.
        for text in ["5m", "15m", "2h", "7m", "90s", "1d", "3d"] {
            let all = rolled(bars, interval(text).nanos());
            for range in [0..u64::MAX, DAY + 7 * MINUTE..3 * DAY, DAY..DAY, 2 * DAY + 1..2 * DAY + 50 * MINUTE] {
                let found = store.query_interval(id, range.clone(), interval(text), &Filter::default()).unwrap();
                let wanted = all.iter().copied().filter(|bar| range.contains(&bar.ts));
                assert_eq!(found.iter().collect::<Vec<_>>(), wanted.collect::<Vec<_>>(), "{name} {text} {range:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn series_stay_right(
        first in prop::collection::vec((0..3_u64, 0..5_u64, 0..90_u64, 0..3_u64), 0..120),
        appends in prop::collection::vec(
            (prop::collection::vec((0..4_u64, 0..6_u64, 0..90_u64, 0..3_u64), 1..60), 1..40_u32, any::<bool>()), 0..5)
    ) {
        let home = in_memory();
        let path = home.path().join("a.fxd");
        let named = |given: &[(u64, u64, u64, u64)]| {
            let mut series: BTreeMap<String, BTreeMap<u64, Bar>> = BTreeMap::new();
            for (symbol, day, minute, value) in given {
                let bar = bar(day * DAY + minute * MINUTE, *value);
                series.entry(format!("S{symbol}")).or_default().insert(bar.ts, bar);
            }
            series
        };
        let plain = |series: &BTreeMap<String, BTreeMap<u64, Bar>>| -> Rows {
            series.iter().map(|(name, bars)| (name.clone(), bars.values().copied().collect())).collect()
        };
        let mut all = named(&first);
        write(&path, &options_4(20), &plain(&all));
        check(&path, &plain(&all));
        for (given, block_records, compacted) in appends {
            let more = named(&given);
            append(&path, &options_4(block_records), OnTaken::Replace, &plain(&more)).unwrap();
            for (name, bars) in more {
                all.entry(name).or_default().extend(bars);
            }
            check(&path, &plain(&all));
            if compacted {
                compact(&path, &options(block_records)).unwrap();
                check(&path, &plain(&all));
            }
        }
    }
}

#[test]
fn versions_are_exchanged() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let all: Rows = [("A".into(), bars(1, 300)), ("B".into(), bars(2, 40))].into();
    write(&path, &WriteOptions { version: Version::Columns, ..options(100) }, &all);
    // Any version answers; only this one has the series.
    let store = Store::open(&path).unwrap();
    let id = store.symbol("A").unwrap().id;
    let hours = store.query_interval(id, 0..u64::MAX, interval("1h"), &Filter::default()).unwrap();
    assert_eq!(hours.iter().collect::<Vec<_>>(), rolled(&all["A"], 60 * MINUTE));
    upgrade(&path, &options_4(100)).unwrap();
    check(&path, &all);
    // A compaction keeps the intervals; going back leaves them out.
    compact(&path, &options(7)).unwrap();
    check(&path, &all);
    upgrade(&path, &WriteOptions { version: Version::Columns, ..options(100) }).unwrap();
    let store = Store::open(&path).unwrap();
    assert_eq!((store.symbols().len(), store.info().rollups.len()), (2, 0));
}

#[test]
fn what_is_rolled_up_cannot_be_written_to() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    write(&path, &options_4(9), &[("A".into(), bars(1, 30))].into());
    let before = std::fs::read(&path).unwrap();
    let refused = |rows: Rows| match append(&path, &options(9), OnTaken::Keep, &rows) {
        Err(error @ FxdError::Refused(_)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused([("A@5m".into(), bars(1, 3))].into()).contains("rolls up itself"));
    // Too long with what is behind it.
    assert!(refused([("A-NAME-OF-TWENTY-NINE-BYTES-X".into(), bars(1, 3))].into()).contains("31"));
    // More than can be added up.
    let huge = |minute| Bar { volume: u64::MAX / 2 + 1, ..bar(5 * DAY + minute * MINUTE, 1) };
    let error = append(&path, &options(9), OnTaken::Keep, &[("A".into(), vec![huge(0), huge(1)])].into()).unwrap_err();
    assert!(error.to_string().contains("volume of 18446744073709551616"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap()[..before.len()], before);
    assert_sound(&path);
    for (version, rollups) in
        [(Version::Rollups, &[][..]), (Version::Columns, &["5m"]), (Version::Rollups, &["5m", "5m"])]
    {
        let mut options = WriteOptions { version, ..options(9) };
        options.info.rollups = rollups.iter().map(|text| interval(text)).collect();
        assert!(matches!(fxd::store::Writer::create(home.path().join("b.fxd"), options), Err(FxdError::Refused(_))));
    }
}

/// A series that is not what its bars make is found by a verification.
#[test]
fn wrong_series_are_found() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    write(&path, &options_4(100), &[("A".into(), bars(1, 300))].into());
    let other = home.path().join("b.fxd");
    let mut changed = bars(1, 300);
    changed[100].volume ^= 1;
    write(&other, &options_4(100), &[("A".into(), changed)].into());
    // The same file but for one bar: the blocks of the series of one, in the other.
    let (store, from) = (Store::open(&path).unwrap(), Store::open(&other).unwrap());
    let (mut file, theirs) = (std::fs::read(&path).unwrap(), std::fs::read(&other).unwrap());
    let entry = |store: &Store| store.blocks(store.symbol("A").unwrap().id, 0..u64::MAX).unwrap()[1];
    let (ours, changed) = (entry(&store), entry(&from));
    let len = |at: u64, bytes: &[u8]| fxd::format::block::Block::decode(bytes, at).unwrap().len();
    assert_eq!(len(ours.offset, &file), len(changed.offset, &theirs), "one takes the place of the other");
    let (to, from_at) = (usize::try_from(ours.offset).unwrap(), usize::try_from(changed.offset).unwrap());
    let len = len(ours.offset, &file);
    file[to..to + len].copy_from_slice(&theirs[from_at..from_at + len]);
    std::fs::write(&path, &file).unwrap();
    let found = fxd::store::verify(&path, true).unwrap().findings;
    assert!(found.iter().any(|damage| damage.what.contains("is not what the bars of A make")), "{found:?}");
}
