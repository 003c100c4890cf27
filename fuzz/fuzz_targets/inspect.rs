//! No data file makes the scan panic, whatever its name promises. The first byte chooses the name.
//!
//! Parquet is left out: its reader is another project's and does panic, which the scan catches and the fuzzer would not
//! let it; a test of the packager damages Parquet files byte by byte instead.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pdp_packager::Silent;
use pdp_packager::manifest::Filters;
use pdp_packager::scan::{ScanOptions, scan};

const NAMES: [&str; 6] = ["x.jsonl", "x.jsonl.gz", "x.jsonl.zst", "x.csv", "x.csv.gz", "x.dbn"];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, content)) = bytes.split_first() else { return };
    if content.starts_with(b"PAR1") {
        return;
    }
    let Ok(home) = tempfile::tempdir() else { return };
    let name = NAMES[usize::from(*choice) % NAMES.len()];
    if std::fs::write(home.path().join(name), content).is_err() {
        return;
    }
    // A date filter has an undated file read to its end.
    let filters = Filters { start_date: "2024-01-01".parse().ok(), ..Filters::default() };
    if let Ok(found) = scan(home.path(), &ScanOptions::default(), &Silent) {
        let _ = found.filtered(&filters);
    }
});
