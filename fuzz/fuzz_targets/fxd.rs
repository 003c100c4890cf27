//! No bytes make the reader of a store panic, or answer bars that are not in order or not of the time asked for. A store that
//! is sound to the verifier gives as many bars as it says.
//!
//! Checksums are not compared here: chance would never find one.
#![no_main]

use fxd::store::{Filter, Store};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(store) = Store::from_bytes(bytes) else { return };
    let findings = store.verify(true).findings;
    let mut bars = 0;
    for symbol in store.symbols() {
        for range in [0..u64::MAX, symbol.first_ts..symbol.last_ts] {
            let Ok(columns) = store.query(symbol.id, range.clone(), &Filter::default()) else { continue };
            assert!(columns.ts().is_sorted_by(|a, b| a < b), "bars out of order");
            assert!(columns.ts().iter().all(|ts| range.contains(ts)), "bars of another time");
            bars += if range.end == u64::MAX { columns.len() as u64 } else { 0 };
        }
    }
    let _ = store.blocks_by_time(0..u64::MAX);
    assert!(!findings.is_empty() || bars == store.record_count(), "a sound store with other bars than it says");
});
