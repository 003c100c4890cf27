//! Whatever is written, appended, compacted and asked for, in any order: the answers are those of a sorted map.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use common::{DAY, MINUTE, Rows, VERSIONS, append, assert_sound, in_memory, of_version, options, rows, write};
use fxd::store::{Appended, Filter, OnTaken, Store, compact};
use fxd::{Bar, FxdError, Version};
use proptest::prelude::*;

/// A bar of a symbol, by numbers: symbol, day, minute, value.
type Given = (u64, u64, u64, u64);

#[derive(Debug, Clone)]
enum Step {
    Append { on_taken: OnTaken, block_records: u32, given: Vec<Given>, empty: Option<u64> },
    Compact { block_records: u32 },
    Query { symbol: u64, from: (u64, u64), to: (u64, u64), low: i64, volume: u64 },
}

type Model = BTreeMap<(String, u64), Bar>;

fn name(symbol: u64) -> String {
    format!("S{symbol}")
}

fn bar_of((_, day, minute, value): Given) -> Bar {
    common::bar(day * DAY + minute * MINUTE, value)
}

fn given(symbols: u64, days: u64, most: usize) -> impl Strategy<Value = Vec<Given>> {
    // Few values, so that bars of one time are often the same.
    prop::collection::vec((0..symbols, 0..days, 0..8_u64, 0..2_u64), 0..most)
}

fn step(symbols: u64, days: u64, most: usize) -> impl Strategy<Value = Step> {
    let on_taken = prop_oneof![
        Just(OnTaken::Refuse),
        Just(OnTaken::RefuseDifferent),
        Just(OnTaken::Keep),
        Just(OnTaken::Keep),
        Just(OnTaken::Replace),
        Just(OnTaken::Replace)
    ];
    let time = move || (0..days, 0..9_u64);
    prop_oneof![
        4 => (on_taken, 1..8_u32, given(symbols, days, most), prop::option::of(0..symbols + 3))
            .prop_map(|(on_taken, block_records, given, empty)| Step::Append { on_taken, block_records, given, empty }),
        1 => (1..8_u32).prop_map(|block_records| Step::Compact { block_records }),
        3 => (0..symbols, time(), time(), 99_000..105_000_i64, 0..1000_u64)
            .prop_map(|(symbol, from, to, low, volume)| Step::Query { symbol, from, to, low, volume }),
    ]
}

/// What a store is to hold after an append, and what the append is to say; `None` where it is refused.
fn appended(model: &Model, on_taken: OnTaken, given: &[Given]) -> Option<(Model, Appended)> {
    let mut next = model.clone();
    let mut report = Appended::default();
    for given in given {
        let bar = bar_of(*given);
        let key = (name(given.0), bar.ts);
        match (next.get(&key).copied(), on_taken) {
            (None, _) => {
                next.insert(key, bar);
                report.added += 1;
            }
            (Some(_), OnTaken::Keep) => report.skipped += 1,
            (Some(there), OnTaken::RefuseDifferent | OnTaken::Replace) if there == bar => report.skipped += 1,
            (Some(_), OnTaken::Replace) => {
                next.insert(key, bar);
                report.replaced += 1;
            }
            (Some(_), OnTaken::Refuse | OnTaken::RefuseDifferent) => return None,
        }
    }
    Some((next, report))
}

fn by_symbol(model: &Model, symbols: &BTreeSet<String>) -> Rows {
    let mut rows: Rows = symbols.iter().map(|name| (name.clone(), Vec::new())).collect();
    for ((name, _), bar) in model {
        rows.entry(name.clone()).or_default().push(*bar);
    }
    rows
}

/// Holds everything that a store says against the model.
fn check(path: &Path, model: &Model, symbols: &BTreeSet<String>) {
    assert_sound(path);
    let store = Store::open(path).unwrap();
    assert_eq!(rows(&store).unwrap(), by_symbol(model, symbols));
    assert_eq!(store.record_count(), model.len() as u64);
    let mut of_symbols: Vec<(u64, u64)> = Vec::new();
    for symbol in store.symbols() {
        let blocks = store.blocks(symbol.id, 0..u64::MAX).unwrap();
        assert_eq!(blocks.len(), symbol.block_count as usize);
        of_symbols.extend(blocks.iter().map(|entry| (entry.first_ts, entry.offset)));
    }
    of_symbols.sort_unstable();
    let by_time = store.blocks_by_time(0..u64::MAX).unwrap();
    assert_eq!(by_time.iter().map(|entry| (entry.ts, entry.offset)).collect::<Vec<_>>(), of_symbols);
}

fn run(version: Version, first: &[Given], steps: &[Step]) {
    let home = in_memory();
    let path = home.path().join("a.fxd");
    let mut model = Model::new();
    for given in first {
        let bar = bar_of(*given);
        model.insert((name(given.0), bar.ts), bar);
    }
    let mut symbols: BTreeSet<String> = model.keys().map(|(name, _)| name.clone()).collect();
    write(&path, &of_version(version, options(3)), &by_symbol(&model, &symbols));
    check(&path, &model, &symbols);
    for step in steps {
        match step {
            Step::Append { on_taken, block_records, given, empty } => {
                let mut series = Rows::new();
                for given in given {
                    series.entry(name(given.0)).or_default().push(bar_of(*given));
                }
                series.extend(
                    empty.map(|symbol| (name(symbol), Vec::new())).filter(|(name, _)| !series.contains_key(name)),
                );
                let before = std::fs::read(&path).unwrap();
                let done = append(&path, &options(*block_records), *on_taken, &series);
                match appended(&model, *on_taken, given) {
                    Some((next, expected)) => {
                        let done = done.unwrap();
                        let new = series.keys().filter(|name| !symbols.contains(*name)).count() as u64;
                        assert_eq!(
                            (done.added, done.skipped, done.replaced, done.new_symbols),
                            (expected.added, expected.skipped, expected.replaced, new)
                        );
                        model = next;
                        symbols.extend(series.into_keys());
                    }
                    None => {
                        assert!(matches!(done, Err(FxdError::Bar(_))), "{done:?}");
                        assert!(
                            std::fs::read(&path).unwrap().starts_with(&before),
                            "a refused append changed the store"
                        );
                    }
                }
                check(&path, &model, &symbols);
            }
            Step::Compact { block_records } => {
                compact(&path, &options(*block_records)).unwrap();
                check(&path, &model, &symbols);
            }
            Step::Query { symbol, from, to, low, volume } => {
                let store = Store::open(&path).unwrap();
                let range = from.0 * DAY + from.1 * MINUTE..to.0 * DAY + to.1 * MINUTE;
                let filter = Filter { price: Some(*low..=*low + 3000), close: None, volume: Some(*volume..=u64::MAX) };
                let Ok(symbol) = store.symbol(&name(*symbol)) else {
                    assert!(!symbols.contains(&name(*symbol)));
                    continue;
                };
                for filter in [&Filter::default(), &filter] {
                    let passes = |bar: &Bar| {
                        filter.is_all() || bar.low >= *low && bar.high <= *low + 3000 && bar.volume >= *volume
                    };
                    let expected: Vec<Bar> = model
                        .iter()
                        .filter(|((name, ts), bar)| *name == symbol.name && range.contains(ts) && passes(bar))
                        .map(|(_, bar)| *bar)
                        .collect();
                    // Twice: the second answer is from what was kept.
                    for _ in 0..2 {
                        let found = store.query(symbol.id, range.clone(), filter).unwrap();
                        assert_eq!(found.iter().collect::<Vec<_>>(), expected);
                    }
                    let mut scanned = Vec::new();
                    store
                        .scan(symbol.id, range.clone(), filter, |columns| {
                            scanned.extend(columns.iter());
                            Ok::<_, FxdError>(())
                        })
                        .unwrap();
                    assert_eq!(scanned, expected);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn few_symbols(version in prop::sample::select(&VERSIONS[..]), first in given(3, 12, 60), steps in prop::collection::vec(step(3, 12, 60), 1..10)) {
        run(version, &first, &steps);
    }

    #[test]
    fn many_symbols_and_deep_trees(version in prop::sample::select(&VERSIONS[..]), first in given(60, 40, 900), steps in prop::collection::vec(step(60, 40, 900), 1..6)) {
        run(version, &first, &steps);
    }
}
