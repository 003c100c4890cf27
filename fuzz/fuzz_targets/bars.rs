//! No bytes make a reader of bars panic, in whatever shape they come.
//!
//! The first byte chooses the kind and the name of the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pdp_bars::{Fit, Order, ReadOptions, open};

const NAMES: [&str; 6] = ["a.csv", "a.csv.gz", "a.csv.zst", "a.parquet", "a.dbn", "a.dbn.zst"];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let directory = pdp_fuzz::directory();
    let path = directory.path().join(NAMES[usize::from(*choice) % NAMES.len()]);
    std::fs::write(&path, bytes).expect("room for a temporary file");
    let mut options = ReadOptions::new(Fit::version_1());
    options.symbol = Some("A".into());
    options.zone = "EST".parse().ok();
    options.order = if choice % 2 == 0 { Order::Checked } else { Order::AsIs };
    let Ok(mut source) = open(&path, None, &options) else { return };
    while let Ok(Some(chunk)) = source.next() {
        for run in chunk.runs {
            let unit = i64::from(u32::MAX);
            assert!(run.bars.iter().all(|bar| (0..=unit).contains(&bar.open)), "a price that does not fit");
        }
    }
});
