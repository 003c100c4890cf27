//! What other tools make of our packages, on sample data and on real trees.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Ran, oracle, program, python, sample_data, shared};

/// Every claim of the manifest recomputed by Python; the archive opened by `unzip` and 7-Zip without a warning.
fn check(package: &Path, source: Option<&Path>) {
    if let Some(python) = python() {
        let args: Vec<&Path> = [package].into_iter().chain(source).collect();
        oracle(&python, "check_package.py", &args);
    }
    if let Some(unzip) = program("unzip") {
        let ran = Ran::of(Command::new(unzip).arg("-t").arg(package).output().unwrap()).ok();
        assert!(ran.out.contains("No errors detected") && !ran.out.contains("warning"), "{}", ran.out);
    }
    if let Some(seven) = program("7z") {
        let ran = Ran::of(Command::new(seven).arg("t").arg(package).output().unwrap()).ok();
        assert!(ran.out.contains("Everything is Ok") && !ran.out.to_lowercase().contains("warning"), "{}", ran.out);
    }
    if let Some(sha256sum) = program("sha256sum") {
        let sidecar = format!("{}.sha256", package.file_name().unwrap().to_str().unwrap());
        let mut command = Command::new(sha256sum);
        Ran::of(command.arg("-c").arg(sidecar).current_dir(package.parent().unwrap()).output().unwrap()).ok();
    }
}

#[test]
fn sample_data_in_every_layout_and_compression() {
    let home = Home::new();
    let sample = sample_data();
    for layout in ["ByDate", "BySymbol", "ByType", "Flat"] {
        let package = home.create(&["--data-root", &sample, "--layout", layout, "--name", layout]);
        check(&package, Some(Path::new(&sample)));
    }
    for level in ["none", "fast", "balanced", "max"] {
        let package = home.create(&["--data-root", &sample, "--compression", level, "--name", level]);
        check(&package, Some(Path::new(&sample)));
    }
}

#[test]
fn real_event_trees() {
    let Some(events) = shared("events") else { return };
    let home = Home::new();
    for (tree, expected) in [
        (
            "ByDate",
            vec![
                ("XRPETH", "Trade", "2019-10-11"),
                ("XRPETH", "Trade", "2019-10-12"),
                ("BTCUSDT", "L2Snapshot", "2020-09-01"),
            ],
        ),
        (
            "BySymbol",
            vec![
                ("BTCUSD", "AggregateBar", "2017-12-17"),
                ("EURUSD", "BboQuote", "2014-05-01"),
                ("XRPETH", "Trade", "2019-10-11"),
                ("XRPETH", "Trade", "2019-10-12"),
                ("XRPUSDT", "L2Snapshot", "2024-12-01"),
            ],
        ),
        ("ByType", vec![("EURUSD", "BboQuote", "2014-05-01")]),
        ("Flat", vec![("XRPETH", "Trade", "2019-10-12")]),
    ] {
        let root = events.join(tree);
        let package = home.create(&["--data-root", root.to_str().unwrap(), "--name", tree]);
        check(&package, Some(&root));
        let listed = home.pdp(&["list", package.to_str().unwrap(), "--json"]).ok().json();
        let mut found: Vec<_> = listed["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| {
                let text = |key: &str| file[key].as_str().unwrap().to_owned();
                (text("symbol"), text("eventType"), text("date"))
            })
            .collect();
        let mut expected: Vec<_> =
            expected.into_iter().map(|(s, t, d)| (s.to_owned(), t.to_owned(), d.to_owned())).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{tree}");
    }
    let package = home.create(&["--data-root", events.to_str().unwrap(), "--name", "all"]);
    check(&package, Some(&events));
}

#[test]
fn real_files_of_other_formats() {
    let home = Home::new();
    for name in ["ticks", "parquet_market", "databento", "histdata", "bars_1m", "bars_1s"] {
        let Some(root) = shared(name) else { continue };
        let package = home.create(&["--data-root", root.to_str().unwrap(), "--name", name]);
        check(&package, Some(&root));
    }
}
