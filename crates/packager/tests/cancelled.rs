//! A stop is a stop, whatever was going on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::atomic::{AtomicU64, Ordering};

use pdp_packager::{
    CreateOptions, ErrorKind, ImportOptions, Progress, Silent, ValidateOptions, create, import, validate,
};

/// Asks to stop once so many bytes have gone by.
struct StopAfter(u64, AtomicU64);

impl Progress for StopAfter {
    fn advance(&self, _: u64, bytes: u64) {
        self.1.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.1.load(Ordering::Relaxed) >= self.0
    }
}

#[test]
fn validating_a_sound_package_is_interrupted_and_no_verdict() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().join("data/AAPL/Trade");
    std::fs::create_dir_all(&root).unwrap();
    let line = "{\"timestamp\":\"2024-01-03T10:00:00Z\",\"symbol\":\"AAPL\",\"price\":1.5}\n";
    std::fs::write(root.join("2024-01-03.jsonl"), line.repeat(40_000)).unwrap();
    let options = CreateOptions::new(
        home.path().join("data"),
        home.path().join("packages"),
        "2024-05-06T07:08:09Z".parse().unwrap(),
    );
    let package = create(&options, &Silent).unwrap().package_path;
    for after in [0, 1, 1_000_000] {
        let stop = || StopAfter(after, AtomicU64::new(0));
        let error = validate(&package, &ValidateOptions::default(), &stop()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        let there = home.path().join("there");
        let error = import(&ImportOptions::new(&package, &there), &stop()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
        assert!(!there.exists());
    }
    assert!(validate(&package, &ValidateOptions::default(), &Silent).unwrap().valid);
}
