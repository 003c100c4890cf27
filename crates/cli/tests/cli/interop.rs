//! What other tools make of our packages, on sample data and on real trees.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Ran, files, oracle, program, python, sample_data, shared, trades};

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

/// GNU tar, bsdtar and Python must list and extract a TAR.GZ as `pdp import` does.
fn check_tar(home: &Home, package: &Path) {
    let ours = home.join("by-pdp");
    home.pdp(&["import", package.to_str().unwrap(), "--destination", ours.to_str().unwrap()]).ok();
    let listed = home.pdp(&["list", package.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(listed["format"], "TarGz");
    for tool in ["tar", "bsdtar"] {
        let Some(tar) = program(tool) else { continue };
        let theirs = home.join(tool);
        std::fs::create_dir(&theirs).unwrap();
        let mut command = Command::new(tar);
        let ran = Ran::of(command.arg("-xzf").arg(package).arg("-C").arg(&theirs).output().unwrap()).ok();
        assert_eq!(ran.err, "", "{tool}");
        same_trees(&ours, &theirs);
        std::fs::remove_dir_all(&theirs).unwrap();
    }
    if let Some(python) = python() {
        let theirs = home.join("by-python");
        let script = "import sys, tarfile\nwith tarfile.open(sys.argv[1]) as tar:\n    assert all(m.isreg() and m.mode == 0o644 and m.uid == 0 for m in tar)\n    tar.extractall(sys.argv[2], filter='data')";
        Ran::of(Command::new(python).args(["-c", script]).arg(package).arg(&theirs).output().unwrap()).ok();
        same_trees(&ours, &theirs);
        std::fs::remove_dir_all(&theirs).unwrap();
    }
    std::fs::remove_dir_all(&ours).unwrap();
}

fn same_trees(one: &Path, other: &Path) {
    let names = files(one);
    assert_eq!(names, files(other));
    for name in names {
        assert!(std::fs::read(one.join(&name)).unwrap() == std::fs::read(other.join(&name)).unwrap(), "{name}");
    }
}

#[test]
fn tar_gz_is_read_by_every_tar() {
    let home = Home::new();
    let long = format!("data/{}/Trade/2024-01-03.jsonl", "L".repeat(130));
    home.put(&long, trades("LONG", "2024-01-03", 5));
    home.put("data/\u{e9}t\u{e9}/Trade/2024-01-03.jsonl", trades("ETE", "2024-01-03", 5));
    home.put("data/BIG/Trade/2024-01-03.jsonl", trades("BIG", "2024-01-03", 60_000));
    home.put("data/BIG/Trade/2024-01-04.jsonl", "");
    for level in ["none", "fast", "balanced", "max"] {
        let package = home.create(&["--format", "tar.gz", "--compression", level, "--name", level]);
        check_tar(&home, &package);
    }
    let sample = sample_data();
    let package = home.create(&["--format", "tgz", "--data-root", &sample, "--name", "sample"]);
    check_tar(&home, &package);
    if let Some(events) = shared("events") {
        let package = home.create(&["--format", "tar.gz", "--data-root", events.to_str().unwrap(), "--name", "real"]);
        check_tar(&home, &package);
    }
}

#[test]
fn tar_gz_of_other_tools_is_read() {
    let home = Home::new();
    let sample = sample_data();
    let package = home.create(&["--format", "tar.gz", "--data-root", &sample]);
    home.pdp(&["import", package.to_str().unwrap(), "--destination", "unpacked"]).ok();
    let mut made = Vec::new();
    if let Some(tar) = program("tar") {
        for format in ["gnu", "posix", "ustar", "v7"] {
            let path = home.join(&format!("{format}.tar.gz"));
            let mut command = Command::new(&tar);
            command.args(["--format", format, "-czf"]).arg(&path).arg("-C").arg(home.join("unpacked")).arg(".");
            // V7 cannot name everything; what it cannot name it leaves out, with an error.
            if command.output().unwrap().status.success() {
                made.push(path);
            }
        }
    }
    if let Some(python) = python() {
        let path = home.join("python.tar.gz");
        let script =
            "import sys, tarfile\nwith tarfile.open(sys.argv[1], 'w:gz') as tar:\n    tar.add(sys.argv[2], '.')";
        Ran::of(Command::new(python).args(["-c", script]).arg(&path).arg(home.join("unpacked")).output().unwrap()).ok();
        made.push(path);
    }
    if let Some(bsdtar) = program("bsdtar") {
        let path = home.join("bsdtar.tar.gz");
        Ran::of(
            Command::new(bsdtar).arg("-czf").arg(&path).arg("-C").arg(home.join("unpacked")).arg(".").output().unwrap(),
        )
        .ok();
        made.push(path);
    }
    assert!(!made.is_empty() || program("tar").is_none());
    for path in made {
        let shown = path.to_str().unwrap();
        let report = home.pdp(&["validate", shown, "--json"]).ok().json();
        assert!(report["warnings"].to_string().contains("packed anew by another tool"), "{report}");
        home.pdp(&["import", shown, "--destination", "again"]).ok();
        same_trees(&home.join("unpacked"), &home.join("again"));
        std::fs::remove_dir_all(home.join("again")).unwrap();
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
