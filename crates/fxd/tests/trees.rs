//! Indexes of several levels, and bytes that follow from the bars alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use common::{DAY, Rows, append, assert_sound, bar, bars, in_memory, options, rows, write};
use fxd::format::symbol_index::SymbolEntry;
use fxd::format::time_index::TimeEntry;
use fxd::format::tree::Entry;
use fxd::store::{Existing, OnTaken, Store, WriteOptions, Writer, compact};

/// One bar a day.
fn daily(days: u64, n: u64) -> Vec<fxd::Bar> {
    (0..days).map(|day| bar(day * DAY + n, n)).collect()
}

/// Levels of a tree, the leaves' offsets and their chain.
fn levels<E: Entry>(file: &[u8], root: u64) -> (u8, Vec<(u64, u64)>) {
    let node = E::decode_node(file, root).unwrap();
    if node.level == 0 {
        return (0, vec![(node.at, node.next)]);
    }
    let mut leaves = Vec::new();
    for entry in &node.entries {
        let (level, below) = levels::<E>(file, entry.offset());
        assert_eq!(level + 1, node.level);
        leaves.extend(below);
    }
    (node.level, leaves)
}

#[test]
fn trees_of_several_levels_are_built_with_their_leaves_in_a_chain() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    for (days, symbols, time_level, symbol_level) in
        [(255, 1, 0, 1), (256, 1, 1, 1), (256, 2, 1, 1), (481, 2, 1, 2), (1000, 31, 1, 3)]
    {
        let series: Rows = (0..symbols).map(|n| (format!("S{n:02}"), daily(days, n))).collect();
        let written = write(&path, &options(1440), &series);
        assert_eq!(written.blocks, days * symbols);
        assert_sound(&path);
        let store = Store::open(&path).unwrap();
        assert_eq!(rows(&store).unwrap(), series);
        let (level, leaves) = levels::<TimeEntry>(store.file(), store.header().index_offset);
        assert_eq!((level, leaves.len() as u64), (time_level, written.blocks.div_ceil(255)));
        for pair in leaves.windows(2) {
            assert_eq!(pair[0].1, pair[1].0, "the leaves are a chain");
        }
        assert_eq!(leaves.last().unwrap().1, 0);
        let (level, leaves) = levels::<SymbolEntry>(store.file(), store.metadata().symbol_root);
        assert_eq!((level, leaves.len() as u64), (symbol_level, written.blocks.div_ceil(31)));
        // A range in the middle, and its ends.
        let id = store.symbols()[0].id;
        for (from, to) in [(0, 1), (30 * DAY, 32 * DAY), (254 * DAY, 256 * DAY), ((days - 1) * DAY, u64::MAX)] {
            let wanted = series["S00"].iter().filter(|bar| (from..to).contains(&bar.ts)).count();
            assert_eq!(store.blocks(id, from..to).unwrap().len(), wanted);
            let of_all = series.values().flatten().filter(|bar| (from..to).contains(&bar.ts)).count();
            assert_eq!(store.blocks_by_time(from..to).unwrap().len(), of_all);
        }
    }
}

#[test]
fn many_blocks_of_one_time_are_found_by_the_time_index() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let series: Rows = (0..600).map(|n| (format!("S{n:03}"), vec![bar(DAY, n), bar(2 * DAY, n)])).collect();
    write(&path, &options(1440), &series);
    let more: Rows = (600..1300).map(|n| (format!("S{n:04}"), vec![bar(DAY, n)])).collect();
    append(&path, &options(1440), OnTaken::Refuse, &more).unwrap();
    // Bars that come before those there are: all these blocks are replaced.
    let before: Rows = (0..600).map(|n| (format!("S{n:03}"), vec![bar(2 * DAY + 5, n)])).collect();
    append(&path, &options(1440), OnTaken::Refuse, &before).unwrap();
    assert_sound(&path);
    let store = Store::open(&path).unwrap();
    assert_eq!(store.blocks_by_time(DAY..DAY + 1).unwrap().len(), 1300);
    assert_eq!(store.blocks_by_time(2 * DAY..2 * DAY + 1).unwrap().len(), 600);
    assert_eq!(store.blocks_by_time(DAY + 1..2 * DAY).unwrap(), []);
    assert_eq!(store.record_count(), 600 * 3 + 700);
}

#[test]
fn the_same_bars_give_the_same_bytes() {
    let home = in_memory();
    let (a, b) = (home.path().join("a.fxd"), home.path().join("b.fxd"));
    let series: Rows =
        (0..5).map(|n| (format!("S{n}"), (0..30).flat_map(|day| bars(day, 100 + n)).collect())).collect();
    write(&a, &options(64), &series);
    for threads in [1, 7] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(&b, &options(64), &series));
        assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap(), "{threads} threads");
    }
    // However the bars of a symbol are handed over.
    let mut writer = Writer::create(&b, options(64)).unwrap();
    for (name, bars) in &series {
        let id = writer.symbol(name).unwrap();
        for piece in bars.chunks(37) {
            writer.push(id, piece).unwrap();
        }
    }
    writer.finish(Existing::Replace).unwrap();
    assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap(), "pieces");
    // An append is as determined.
    let more: Rows = [("S1".into(), bars(3, 300)), ("X".into(), bars(40, 9))].into();
    let appended = [&a, &b].map(|path| {
        append(path, &options(64), OnTaken::Keep, &more).unwrap();
        std::fs::read(path).unwrap()
    });
    assert!(appended[0] == appended[1]);
}

#[test]
fn compaction_after_any_history_gives_the_bytes_of_a_fresh_store() {
    let home = in_memory();
    let (a, b) = (home.path().join("a.fxd"), home.path().join("b.fxd"));
    let series: Rows = (0..4).map(|n| (format!("S{n}"), (0..40).flat_map(|day| bars(day, 20 + n)).collect())).collect();
    let all = WriteOptions { created: Some(5), ..options(7) };
    write(&b, &all, &series);
    for seed in 0..6_u64 {
        // The symbols first, so that their order is the same; then the bars in another order each time.
        let empty: Rows = series.keys().map(|name| (name.clone(), Vec::new())).collect();
        write(&a, &WriteOptions { now: 5, ..options(3) }, &empty);
        let mut left: Vec<(String, Vec<fxd::Bar>)> = series
            .iter()
            .flat_map(|(name, bars)| {
                bars.chunks(usize::try_from(11 + seed).unwrap()).map(|piece| (name.clone(), piece.to_vec()))
            })
            .collect();
        let mut at = 0;
        while !left.is_empty() {
            let count = left.len().min(30);
            let mut now = Rows::new();
            for _ in 0..count {
                at = (at * 31 + 17 + usize::try_from(seed).unwrap()) % left.len();
                let (name, bars) = left.swap_remove(at);
                now.entry(name).or_default().extend(bars);
            }
            append(&a, &options(2), OnTaken::Refuse, &now).unwrap();
        }
        assert_sound(&a);
        assert_eq!(rows(&Store::open(&a).unwrap()).unwrap(), series);
        let before = std::fs::metadata(&a).unwrap().len();
        let written = compact(&a, &all).unwrap();
        assert!(written.bytes < before);
        assert!(std::fs::read(&a).unwrap() == std::fs::read(&b).unwrap(), "history {seed}");
    }
}

#[test]
fn an_unfinished_writer_and_a_refused_one_leave_the_target_as_it_is() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let series: Rows = [("A".into(), bars(3, 50))].into();
    let mut writer = Writer::create(&path, options(7)).unwrap();
    let id = writer.symbol("A").unwrap();
    writer.push(id, &bars(1, 2000)[..900]).unwrap();
    assert!(!path.exists(), "nothing is there before the end");
    drop(writer);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0, "nothing is left behind");
    write(&path, &options(7), &series);
    let there = std::fs::read(&path).unwrap();
    for existing in [Existing::Refuse, Existing::Replace] {
        let mut writer = Writer::create(&path, options(7)).unwrap();
        let id = writer.symbol("B").unwrap();
        for day in 0..200 {
            writer.push(id, &bars(day, 20)).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), there);
        }
        // As it would be left by a process that is killed now.
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2);
        match existing {
            Existing::Refuse => {
                assert!(matches!(writer.finish(existing), Err(fxd::FxdError::Exists { .. })));
                assert_eq!(std::fs::read(&path).unwrap(), there);
            }
            Existing::Replace => {
                writer.finish(existing).unwrap();
                assert_sound(&path);
                assert_eq!(Store::open(&path).unwrap().record_count(), 4000);
            }
        }
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    }
    // A compaction that comes upon damage leaves the store and its file alone.
    let mut damaged = std::fs::read(&path).unwrap();
    damaged[64 + 64 + 40] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    compact(&path, &options(7)).unwrap_err();
    assert_eq!(std::fs::read(&path).unwrap(), damaged);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_day_appended_to_ten_years_writes_little_besides_its_blocks() {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let series: Rows = (0..50).map(|n| (format!("S{n:02}"), daily(2600, n))).collect();
    let written = write(&path, &options(1440), &series);
    let day: Rows = (0..50).map(|n| (format!("S{n:02}"), vec![bar(2600 * DAY + n, n)])).collect();
    let appended = append(&path, &options(1440), OnTaken::Refuse, &day).unwrap();
    eprintln!(
        "a day of 50 symbols appended to {} blocks, {} bytes: {} bytes of blocks, {} others",
        written.blocks, written.bytes, appended.block_bytes, appended.other_bytes
    );
    assert_eq!((written.blocks, appended.blocks), (130_000, 50));
    assert!(appended.other_bytes < 300_000, "{}", appended.other_bytes);
    assert_sound(&path);
}
