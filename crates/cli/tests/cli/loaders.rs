//! The loader scripts, run by the real interpreters.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Ran, manifest, oracle, program, python, sample_data, shared, skipped, workspace};

#[test]
fn python_rows_equal_the_manifests_counts_in_every_sample_package() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let packages = workspace().join("fixtures/packages");
    let mut tried = 0;
    for entry in std::fs::read_dir(packages).unwrap() {
        let package = entry.unwrap().path();
        if package.extension().is_none_or(|extension| extension != "zip") {
            continue;
        }
        let there = home.join(package.file_stem().unwrap().to_str().unwrap());
        home.pdp(&["import", package.to_str().unwrap(), "--destination", there.to_str().unwrap()]).ok();
        oracle(&python, "load_package.py", &[&there]);
        tried += 1;
    }
    assert_eq!(tried, 8);
}

#[test]
fn python_loads_all_sample_data_and_real_trees() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let real = shared("events").map(|path| path.to_str().unwrap().to_owned());
    for (i, root) in [Some(sample_data()), real].into_iter().flatten().enumerate() {
        let package = home.create(&["--data-root", &root, "--format", "folder", "--name", &format!("p{i}")]);
        oracle(&python, "load_package.py", &[&package]);
    }
}

#[test]
fn python_loader_as_a_script_and_as_an_import_from_anywhere() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let package = home.create(&["--data-root", &sample_data(), "--format", "folder"]);
    let elsewhere = Home::new();
    let script = package.join("scripts/load_data.py");
    let ran = Ran::of(Command::new(&python).arg(&script).current_dir(elsewhere.path()).output().unwrap()).ok();
    assert!(ran.out.contains("AAPL") && ran.out.contains("Trade"), "{}", ran.out);
    let line = "from scripts.load_data import load_data, get_symbols; print(len(load_data(symbol='AAPL', event_type='Trade', date='2024-01-03')), get_symbols()[0])";
    let ran = Ran::of(Command::new(&python).arg("-c").arg(line).current_dir(&package).output().unwrap()).ok();
    assert_eq!(ran.out.trim(), "200 AAPL");
}

#[test]
fn a_missing_python_package_is_named() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let package = home.create(&["--data-root", &sample_data(), "--format", "folder"]);
    let hide = "import sys; sys.modules['zstandard'] = None; sys.path.insert(0, 'scripts'); import load_data; load_data.load_data(event_type='L2Snapshot')";
    let ran = Ran::of(Command::new(&python).arg("-c").arg(hide).current_dir(&package).output().unwrap());
    ran.fails(1, "zstandard");
    let hide = "import sys; sys.modules['pandas'] = None; sys.path.insert(0, 'scripts'); import load_data; load_data.load_data()";
    Ran::of(Command::new(&python).arg("-c").arg(hide).current_dir(&package).output().unwrap()).fails(1, "pandas");
}

fn r_rows(rscript: &Path, package: &Path, call: &str) -> u64 {
    // Sourced from another directory, under a plain locale.
    let line = format!(
        "source('{}'); df <- {call}; cat(nrow(df), inherits(df$timestamp, 'POSIXct'))",
        package.join("scripts/load_data.R").display()
    );
    let mut command = Command::new(rscript);
    command.arg("-e").arg(line).current_dir("/").env("LC_ALL", "C.UTF-8").env("TZ", "Asia/Tokyo");
    let ran = Ran::of(command.output().unwrap()).ok();
    let (rows, times) = ran.out.trim().split_once(' ').unwrap_or_else(|| panic!("{}", ran.out));
    assert_eq!(times, "TRUE", "{call}");
    rows.parse().unwrap()
}

#[test]
fn r_rows_equal_the_manifests_counts() {
    let Some(rscript) = program("Rscript") else { return };
    let ready = Command::new(&rscript).args(["-e", "library(jsonlite); library(dplyr)"]).output().unwrap();
    if !ready.status.success() {
        skipped("R without jsonlite and dplyr");
        return;
    }
    let home = Home::new();
    // Parquet in R needs a package that is not everywhere.
    let package = home.create(&[
        "--data-root",
        &sample_data(),
        "--format",
        "folder",
        "--symbols",
        "AAPL,SPY,EURUSD,GBPUSD,QQQ,BTCUSDT",
    ]);
    let manifest = manifest(&package);
    assert_eq!(r_rows(&rscript, &package, "load_data()"), manifest["totalEvents"].as_u64().unwrap());
    for entry in manifest["files"].as_array().unwrap() {
        let (symbol, kind) = (entry["symbol"].as_str().unwrap(), entry["eventType"].as_str().unwrap());
        let date = &entry["date"].as_str().unwrap()[..10];
        let call = format!("load_data(symbol = '{}', event_type = '{kind}', date = '{date}')", symbol.to_lowercase());
        let rows = if entry["path"].as_str().unwrap().contains("2024-01.jsonl") {
            r_rows(&rscript, &package, &format!("load_data(symbol = '{symbol}', event_type = '{kind}')"))
        } else {
            r_rows(&rscript, &package, &call)
        };
        assert_eq!(rows, entry["eventCount"].as_u64().unwrap(), "{}", entry["path"]);
    }
    let script = package.join("scripts/load_data.R");
    let ran = Ran::of(Command::new(&rscript).arg(script).current_dir("/").output().unwrap()).ok();
    assert!(ran.out.contains("AAPL"), "{}", ran.out);
}

#[test]
fn records_of_several_forms_share_the_columns_that_the_manifest_names() {
    let home = Home::new();
    let envelope = "{\"timestamp\":\"2024-01-03T00:00:00Z\",\"symbol\":\"A\",\"type\":3,\"payload\":{\"kind\":\"trade\",\"timestamp\":\"2024-01-03T00:00:00Z\",\"price\":1.5,\"size\":2}}\n";
    let flat =
        "{\"timestamp\":\"2024-01-03T00:00:01Z\",\"symbol\":\"A\",\"type\":\"Trade\",\"price\":2.5,\"size\":3}\n";
    let pascal = "{\"Timestamp\":\"2024-01-03T00:00:02Z\",\"Symbol\":\"A\",\"Type\":3,\"Payload\":{\"Kind\":\"trade\",\"Price\":3.5,\"Size\":4}}\n";
    for (i, text) in [envelope, flat, pascal].into_iter().enumerate() {
        home.put(&format!("data/V{i}/A/Trade/2024-01-03.jsonl"), text);
    }
    home.put("data/V3/A/Trade/2024-01-03.csv", "Timestamp,Symbol,Price,Size\n2024-01-03T00:00:03Z,A,4.5,5\n");
    let package = home.create(&["--format", "folder"]);
    let manifest = manifest(&package);
    let fields = manifest["schemas"]["Trade"]["fields"].as_array().unwrap();
    let names: Vec<&str> = fields.iter().map(|field| field["name"].as_str().unwrap()).collect();
    let mut known: Vec<(&str, bool)> =
        fields.iter().map(|field| (field["name"].as_str().unwrap(), field["nullable"].as_bool().unwrap())).collect();
    known.sort_unstable();
    let nullable = ["kind", "payload.timestamp", "type"];
    let all = ["kind", "payload.timestamp", "price", "size", "symbol", "timestamp", "type"];
    assert_eq!(known, all.map(|name| (name, nullable.contains(&name))));
    let expected = "[1.5, 2.5, 3.5, 4.5] True";
    if let Some(python) = python() {
        let line = format!(
            "import sys; sys.path.insert(0, 'scripts'); from load_data import load_data; d = load_data(); \
             print(sorted(d.price), set(d.columns) == set({names:?}) and d.timestamp.notna().all() and (d.symbol == 'A').all())"
        );
        let ran = Ran::of(Command::new(python).arg("-c").arg(line).current_dir(&package).output().unwrap()).ok();
        assert_eq!(ran.out.trim(), expected, "{}", ran.err);
    }
    if let Some(rscript) = program("Rscript") {
        let line = "source('scripts/load_data.R'); d <- load_data(); cat(sort(d$price), sum(is.na(d$timestamp)), all(d$symbol == 'A'))";
        let ran = Ran::of(Command::new(rscript).arg("-e").arg(line).current_dir(&package).output().unwrap());
        if ran.code == 0 {
            assert_eq!(ran.out.trim(), "1.5 2.5 3.5 4.5 0 TRUE");
        } else {
            assert!(ran.err.contains("jsonlite") || ran.err.contains("dplyr"), "{}", ran.err);
        }
    }
}
