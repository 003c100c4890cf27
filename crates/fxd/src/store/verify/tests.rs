//! Every truncation and every flipped bit of small stores.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::*;
use crate::format::date::DAY;
use crate::store::filter::Filter;
use crate::store::map::Bytes;
use crate::store::{Appender, Existing, OnTaken, Source, Store, WriteOptions, Writer, repair};
use crate::{Bar, Version};

type Rows = BTreeMap<String, Vec<Bar>>;

fn bars(day: u64, count: u64) -> Vec<Bar> {
    let bar = |n: u64| {
        let price = i64::try_from(100_000 + day * 100 + n).unwrap();
        let ts = day * DAY + n * 60_000_000_000;
        Bar { ts, open: price, high: price + 5, low: price - 5, close: price + 1, volume: n * day, flags: 0 }
    };
    (0..count).map(bar).collect()
}

const VERSIONS: [Version; 4] = [Version::Rows, Version::Delta, Version::Columns, Version::Rollups];

fn options(version: Version) -> WriteOptions {
    let rollups =
        if version == Version::Rollups { vec!["5m".parse().unwrap(), "1d".parse().unwrap()] } else { Vec::new() };
    WriteOptions { version, now: 5, info: crate::Info { rollups, ..crate::Info::default() }, ..WriteOptions::default() }
}

/// Three blocks of two symbols, or two where a block may hold several days.
fn fresh(path: &Path, version: Version) {
    let _ = std::fs::remove_file(path);
    let mut writer = Writer::create(path, options(version)).unwrap();
    let (a, b) = (writer.symbol("EURUSD").unwrap(), writer.symbol("USDJPY").unwrap());
    writer.push(a, &bars(19_000, 20)).unwrap();
    writer.push(a, &bars(19_001, 7)).unwrap();
    writer.push(b, &bars(19_000, 12)).unwrap();
    writer.finish(Existing::Refuse).unwrap();
}

/// The same with two appends: a block that is replaced, a new symbol.
fn appended(path: &Path, version: Version) {
    fresh(path, version);
    for (symbol, day, count) in [("EURUSD", 19_001, 9), ("XAUUSD", 19_002, 5)] {
        let mut appender = Appender::open(path, options(version), OnTaken::Keep).unwrap();
        appender.push(symbol, &bars(day, count)).unwrap();
        appender.commit().unwrap();
    }
}

fn open(file: &[u8]) -> Option<Snapshot> {
    Snapshot::of(Bytes::Owned(file.into())).ok()
}

fn store(snapshot: Snapshot) -> Store {
    Store::of(At(PathBuf::from("memory")), snapshot)
}

fn rows(store: &Store) -> Rows {
    let query = |symbol: &crate::Symbol| store.query(symbol.id, 0..u64::MAX, &Filter::default()).unwrap();
    store.series().map(|symbol| (symbol.name.clone(), query(symbol).iter().collect())).collect()
}

fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Flips every bit of a file; says how many there are, and how many were noticed when the file was opened.
fn flips(file: &[u8]) -> (usize, usize) {
    let whole = store(open(file).unwrap());
    let expected = rows(&whole);
    let by_time = whole.blocks_by_time(0..u64::MAX).unwrap();
    let at_once = AtomicUsize::new(0);
    (0..file.len() * 8).into_par_iter().for_each(|bit| {
        let mut file = file.to_vec();
        file[bit / 8] ^= 1 << (bit % 8);
        let Some(snapshot) = open(&file) else {
            at_once.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut verified = Verified::default();
        look(&snapshot, true, &mut verified);
        assert!(!verified.is_sound(), "bit {} of byte {} is not noticed", bit % 8, bit / 8);
        let store = store(snapshot);
        assert_eq!(store.series().count(), expected.len());
        for (name, bars) in &expected {
            let id = store.symbol(name).unwrap().id;
            for range in [0..u64::MAX, 19_001 * DAY..19_002 * DAY] {
                if let Ok(columns) = store.query(id, range.clone(), &Filter::default()) {
                    let wanted = bars.iter().copied().filter(|bar| range.contains(&bar.ts));
                    assert!(columns.iter().eq(wanted), "bit {} of byte {}: wrong rows", bit % 8, bit / 8);
                }
            }
        }
        if let Ok(blocks) = store.blocks_by_time(0..u64::MAX) {
            assert_eq!(blocks, by_time, "bit {} of byte {}", bit % 8, bit / 8);
        }
    });
    (file.len() * 8, at_once.into_inner())
}

#[test]
fn t098_every_flipped_bit_is_noticed_and_gives_no_wrong_rows() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    for version in VERSIONS {
        fresh(&path, version);
        let (bits, at_once) = flips(&std::fs::read(&path).unwrap());
        eprintln!("{version}, fresh store: {bits} bits, all noticed, {at_once} of them by opening");
        appended(&path, version);
        let (bits, at_once) = flips(&std::fs::read(&path).unwrap());
        eprintln!("{version}, store with two appends: {bits} bits, all noticed, {at_once} of them by opening");
    }
}

#[test]
fn t098_the_public_verify_finds_a_flip_in_every_part_and_accepts_the_whole() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    appended(&path, Version::Rows);
    let file = std::fs::read(&path).unwrap();
    let sound = verify(&path, true).unwrap();
    assert!(sound.is_sound() && sound.checksums, "{:?}", sound.findings);
    assert_eq!((sound.symbols, sound.blocks, sound.commits, sound.tail), (3, 4, 3, 0));
    for at in (0..file.len()).step_by(211) {
        let mut flipped = file.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&path, &flipped).unwrap();
        let found = verify(&path, true);
        assert!(found.as_ref().map_or(true, |found| !found.is_sound()), "byte {at}: {found:?}");
    }
}

/// Where the commits of a file end, the oldest first, and their rows.
fn commits(file: &[u8]) -> Vec<(usize, Rows)> {
    let mut found = Vec::new();
    let mut at = open(file).unwrap().metadata.at;
    loop {
        let metadata = Metadata::decode(file, at, Depth::All).unwrap();
        let snapshot = Snapshot::with_header(Bytes::Owned(file.into()), &metadata.header_image).unwrap();
        found.push((usize::try_from(metadata.end).unwrap(), rows(&store(snapshot))));
        if metadata.commit.number == 0 {
            found.reverse();
            return found;
        }
        at = metadata.commit.previous;
    }
}

/// Cuts a file at every length; says how many repairs brought back a commit, and how many blocks.
fn truncations(file: &[u8]) -> (usize, usize, usize) {
    let commits = commits(file);
    let whole = store(open(file).unwrap());
    let names: Vec<String> = whole.symbols().iter().map(|symbol| symbol.name.clone()).collect();
    let mut blocks = Vec::new();
    let mut at = 64;
    while at < file.len() {
        if let Ok(block) = Block::decode(file, at as u64) {
            let end = at + crate::format::block::HEADER_LEN + block.stored().len() + crate::format::block::TRAILER_LEN;
            let id = block.header.symbol_id;
            at += 64;
            if whole.symbols()[id.position()].flags != 0 {
                continue;
            }
            at -= 64;
            let range = block.header.first_ts..block.header.last_ts + 1;
            let (_, of_commit) = commits.iter().find(|(commit, _)| *commit >= end).unwrap();
            let of_block: Vec<Bar> =
                of_commit[&names[id.position()]].iter().copied().filter(|bar| range.contains(&bar.ts)).collect();
            blocks.push((end, id.position(), of_block));
        }
        at += 64;
    }
    assert!(blocks.len() >= 2);
    let (from_commit, from_blocks, refused) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    (0..file.len()).into_par_iter().for_each_init(in_memory, |home, len| {
        let cut = &file[..len];
        assert!(open(cut).is_none(), "{len} bytes open");
        let path = home.path().join(format!("{len}.fxd"));
        std::fs::write(&path, cut).unwrap();
        let repaired = repair(&path, None, Some((crate::Scale::PRICE, crate::Scale::VOLUME)), &options(Version::Rows));
        if let Some((_, expected)) = commits.iter().find(|(end, _)| *end == len) {
            assert_eq!(repaired.unwrap().source, Source::Commit, "{len}");
            assert_eq!(&rows(&Store::open(&path).unwrap()), expected, "{len}");
            from_commit.fetch_add(1, Ordering::Relaxed);
        } else if blocks.iter().any(|(end, ..)| *end <= len) {
            assert_eq!(repaired.unwrap().source, Source::Blocks, "{len}");
            let mut expected: BTreeMap<usize, BTreeMap<u64, Bar>> = BTreeMap::new();
            for (_, id, bars) in blocks.iter().filter(|(end, ..)| *end <= len) {
                expected.entry(*id).or_default().extend(bars.iter().map(|bar| (bar.ts, *bar)));
            }
            let mut expected: Vec<Vec<Bar>> = expected.into_values().map(|bars| bars.into_values().collect()).collect();
            let mut found: Vec<Vec<Bar>> =
                rows(&Store::open(&path).unwrap()).into_values().filter(|bars| !bars.is_empty()).collect();
            // A symbol whose name is lost has another, and so another place among them.
            let key = |bars: &Vec<Bar>| bars.first().map(|bar| (bar.open, bar.ts));
            expected.sort_by_key(key);
            found.sort_by_key(key);
            assert_eq!(found, expected, "{len}");
            from_blocks.fetch_add(1, Ordering::Relaxed);
        } else {
            repaired.unwrap_err();
            assert_eq!(std::fs::read(&path).unwrap(), cut, "{len}: a file that cannot be repaired stays as it is");
            refused.fetch_add(1, Ordering::Relaxed);
            std::fs::remove_file(&path).unwrap();
            return;
        }
        assert!(open(&std::fs::read(&path).unwrap()).is_some_and(|snapshot| {
            let mut verified = Verified::default();
            look(&snapshot, true, &mut verified);
            verified.is_sound()
        }));
        let kept = home.path().join(format!("{len}.fxd.damaged"));
        assert_eq!(std::fs::read(&kept).unwrap(), cut, "{len}");
        std::fs::remove_file(&path).unwrap();
        std::fs::remove_file(&kept).unwrap();
    });
    (from_commit.into_inner(), from_blocks.into_inner(), refused.into_inner())
}

#[test]
fn t097_every_truncation_is_noticed_and_repair_saves_all_whole_blocks() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    for version in VERSIONS {
        fresh(&path, version);
        let (commit, blocks, refused) = truncations(&std::fs::read(&path).unwrap());
        eprintln!("{version}, fresh store cut off: {commit} times a commit was saved, {blocks} blocks, {refused} none");
        appended(&path, version);
        let (commit, blocks, refused) = truncations(&std::fs::read(&path).unwrap());
        eprintln!("{version}, appended store cut off: {commit} times a commit, {blocks} blocks, {refused} none");
    }
}

/// One bad block of the newest commit costs that block, and not what else came with it.
#[test]
fn a_bad_block_costs_no_other() {
    VERSIONS.into_iter().for_each(bad_block);
}

fn bad_block(version: Version) {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    appended(&path, version);
    let store = Store::open(&path).unwrap();
    let before = rows(&store);
    let symbol = store.series().max_by_key(|symbol| symbol.block_count).unwrap().clone();
    let newest = store.blocks(symbol.id, 0..u64::MAX).unwrap().into_iter().max_by_key(|block| block.offset).unwrap();
    drop(store);
    let mut file = std::fs::read(&path).unwrap();
    file[usize::try_from(newest.offset).unwrap() + 37] ^= 0x10;
    std::fs::write(&path, &file).unwrap();
    let repaired =
        repair(&path, None, Some((crate::Scale::PRICE, crate::Scale::VOLUME)), &options(Version::Rows)).unwrap();
    assert_eq!(repaired.source, Source::Blocks);
    let after = rows(&Store::open(&path).unwrap());
    for (name, bars) in before {
        let lost = |bar: &Bar| name == symbol.name && (newest.first_ts..=newest.last_ts).contains(&bar.ts);
        // What an earlier commit had of the lost block's day is still there.
        let kept: Vec<Bar> = bars.iter().copied().filter(|bar| !lost(bar) || after[&name].contains(bar)).collect();
        assert_eq!(after[&name], kept, "{name}");
        assert!(bars.iter().filter(|bar| !lost(bar)).all(|bar| after[&name].contains(bar)), "{name}");
    }
}

#[test]
fn t097_a_tail_is_no_fault_and_repair_drops_it() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    appended(&path, Version::Columns);
    let file = std::fs::read(&path).unwrap();
    let mut longer = file.clone();
    longer.extend_from_slice(&file[64..2000]);
    std::fs::write(&path, &longer).unwrap();
    let verified = verify(&path, true).unwrap();
    assert!(verified.is_sound());
    assert_eq!(verified.tail, 1936);
    let repaired =
        repair(&path, None, Some((crate::Scale::PRICE, crate::Scale::VOLUME)), &options(Version::Rows)).unwrap();
    assert_eq!((repaired.source, repaired.damaged), (Source::Sound, None));
    assert_eq!(std::fs::read(&path).unwrap(), file);
}
