//! Packages that keep to other standards too, held against the tools of those standards.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Home, Ran, files, oracle, program, python, shared, skipped, trades};

const ALL: &str = "bagit,frictionless,ro-crate";

/// Data of several formats under names that are awkward somewhere.
fn data(home: &Home) {
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 20));
    home.put("data/AAPL/Trade/2024-01-04.jsonl", "");
    home.put("data/a b/Trade/50% \u{e9}t\u{e9} #1..2.csv", "timestamp,price,size\n2024-01-03T12:00:00Z,1.5,3\n");
    home.put("data/\u{65e5}\u{672c}/Trade/2024-01-03.csv", "timestamp,price,size\n2024-01-03 12:00:00.5+00:00,1.5,3\n");
    // The same columns with times of every form, delimiters, no header, blank lines, quotes and empty cells.
    let csv = [
        "Timestamp;Price;Size\n20240103 170000;1.5;3\n20240103 170001;2;\n",
        "1704292200000,1.5,x\n\n1704292260000,2,y\n",
        "# a note\ntimestamp\tprice\tok\n1704292200.5\t-1e-3\ttrue\n1704292201\t2\tFALSE\n",
        "\u{feff}timestamp|price|note\n2024-01-03T12:00:00|7|\"a|\"\"b\"\"\nc\"\n",
        "timestamp,price,size\n",
        "timestamp,price,size\n2024-01-03T12:00:00Z,1.5,3\n2024-01-03T12:00:01Z\n1,2,3,4\n",
        "",
    ];
    for (i, text) in csv.into_iter().enumerate() {
        home.put(&format!("data/C{i}/Trade/2024-01-03.csv"), text);
    }
    home.put("data/L1/Trade/2024-01-03.csv", b"timestamp,price,note\n1704292200,1,\xe9t\xe9\n");
    home.put("data/L2/Trade/2024-01-03.csv", b"timestamp,price,\xe9t\xe9\n1704292200,1,2\n");
    let bars = "timestamp,open,high,low,close,volume\n2024-01-03 12:00:00,1,2,0.5,1.5,10\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, bars.as_bytes()).unwrap();
    home.put("data/EURUSD/AggregateBar/2024-01-03.csv.gz", gzip.finish().unwrap());
    // Zstandard with one block that is not compressed.
    let size = u8::try_from(bars.len()).unwrap();
    let block = (u32::from(size) << 3 | 1).to_le_bytes();
    let zstd = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, size][..], &block[..3], bars.as_bytes()].concat();
    home.put("data/EURUSD/AggregateBar/2024-01-04.csv.zst", zstd);
}

/// The tool of the tests' Python with this module, or a word that the test skips.
fn tool(module: &str) -> Option<PathBuf> {
    let python = python()?;
    let there = Command::new(&python).args(["-c", &format!("import {module}")]).output().unwrap().status.success();
    if !there {
        skipped(&format!("{module} is not installed; `cargo xtask test` installs it"));
    }
    there.then_some(python)
}

/// What bagit-python says of a folder.
fn bagit(folder: &Path) -> Option<Ran> {
    let python = tool("bagit")?;
    Some(Ran::of(Command::new(python).args(["-m", "bagit", "--validate"]).arg(folder).output().unwrap()))
}

/// What the frictionless validator says of a folder.
fn frictionless(folder: &Path) -> Option<(Ran, Value)> {
    let python = tool("frictionless")?;
    let mut command = Command::new(python);
    command.args(["-m", "frictionless", "validate", "--json", "datapackage.json"]).current_dir(folder);
    let ran = Ran::of(command.output().unwrap());
    let report = ran.json();
    Some((ran, report))
}

/// What roc-validator and ro-crate-py say of a folder.
fn ro_crate(folder: &Path) -> Option<Value> {
    let python = tool("rocrate_validator, rocrate")?;
    Some(oracle(&python, "check_crate.py", &[folder]))
}

/// Holds a folder against every standard whose texts are in it, and says which those were.
fn check(folder: &Path) -> Vec<&'static str> {
    let mut checked = Vec::new();
    if folder.join("bagit.txt").exists() {
        if let Some(ran) = bagit(folder) {
            ran.ok();
        }
        checked.push("bagit");
    }
    if folder.join("datapackage.json").exists() {
        if let Some((ran, report)) = frictionless(folder) {
            ran.ok();
            let data = files(folder).iter().filter(|name| name.starts_with("data/")).count();
            assert_eq!(report["stats"]["tasks"], data, "{report}");
        }
        checked.push("frictionless");
    }
    if folder.join("ro-crate-metadata.json").exists() {
        if let Some(report) = ro_crate(folder) {
            assert_eq!(report["findings"], Value::Array(Vec::new()), "{report}");
            assert_eq!(report["license"], "No licence stated", "{report}");
            let described = report["files"].as_object().unwrap();
            let data = files(folder).into_iter().filter(|name| name.starts_with("data/"));
            for name in data.chain(["README.md".to_owned()]) {
                assert_eq!(described.get(&name), Some(&Value::Bool(true)), "{name}: {report}");
            }
        }
        checked.push("ro-crate");
    }
    checked
}

/// Unpacks an archive as somebody without `pdp` would.
fn unpack(package: &Path, into: &Path) -> bool {
    std::fs::create_dir_all(into).unwrap();
    let (tool, args): (_, &[&str]) = if package.extension().is_some_and(|extension| extension == "zip") {
        (python(), &["-m", "zipfile", "-e"])
    } else {
        (program("tar"), &["-xzf"])
    };
    let Some(tool) = tool else { return false };
    let mut command = Command::new(&tool);
    command.args(args).arg(package);
    if args.len() == 1 {
        command.arg("-C");
    }
    Ran::of(command.arg(into).output().unwrap()).ok();
    true
}

#[test]
fn each_profile_and_all_of_them_in_every_container() {
    let home = Home::new();
    data(&home);
    for (i, profiles) in ["bagit", "frictionless", "ro-crate", ALL].into_iter().enumerate() {
        for format in ["zip", "tar.gz", "folder"] {
            // Each alone in one of the containers is enough; all of them in every one.
            if profiles != ALL && format != ["zip", "tar.gz", "folder"][i] {
                continue;
            }
            let package = home.create(&["--format", format, "--profile", profiles, "--name", profiles]);
            home.pdp(&["validate", package.to_str().unwrap()]).ok();
            let folder = match format {
                "folder" => package,
                _ => {
                    let folder = home.join(&format!("unpacked-{i}-{format}"));
                    if !unpack(&package, &folder) {
                        continue;
                    }
                    folder
                }
            };
            assert_eq!(check(&folder), profiles.split(',').collect::<Vec<_>>(), "{format}");
        }
    }
    // What pdp itself unpacks into an empty place is as valid.
    let package = home.create(&["--profile", "bagit", "--profile", "Frictionless,RO-Crate", "--name", "own"]);
    let listed = home.pdp(&["list", package.to_str().unwrap(), "--json"]).ok().json();
    assert!(listed["supplementaryFiles"].to_string().contains("\"tagmanifest-sha256.txt\""), "{listed}");
    home.pdp(&["import", package.to_str().unwrap(), "--destination", "imported"]).ok();
    let imported = home.join("imported");
    if let Some(ran) = bagit(&imported) {
        ran.ok();
    }
    if let Some((ran, _)) = frictionless(&imported) {
        ran.ok();
    }
}

#[test]
fn every_part_is_valid_by_itself() {
    let home = Home::new();
    for i in 0..12 {
        let symbol = format!("S{i:02}");
        home.put(&format!("data/{symbol}/Trade/2024-01-03.jsonl"), trades(&symbol, "2024-01-03", 1000));
        home.put(&format!("data/{symbol}/Trade/2024-01-04.csv"), format!("price,size\n{i}.25,{i}\n"));
    }
    let package = home.create(&["--profile", ALL, "--max-size", "1MiB", "--compression", "none", "--name", "parts"]);
    let parts: Vec<String> = home.files("packages").into_iter().filter(|name| !name.ends_with(".sha256")).collect();
    assert!(parts.len() > 2 && package.exists(), "{parts:?}");
    for (i, part) in parts.iter().enumerate() {
        let folder = home.join(&format!("unpacked/{i}"));
        if unpack(&home.join("packages").join(part), &folder) {
            assert_eq!(check(&folder).len(), 3);
            let info = std::fs::read_to_string(folder.join("bag-info.txt")).unwrap();
            assert!(info.contains(&format!(" of {}\n", parts.len())), "{info}");
        }
    }
}

#[test]
fn what_is_wrong_is_found_by_their_tools() {
    let home = Home::new();
    data(&home);
    let folder = home.create(&["--format", "folder", "--profile", ALL]);
    let flip = |name: &str| {
        let path = folder.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        (path, whole)
    };
    let csv = files(&folder).into_iter().find(|name| name.starts_with("data/") && name.ends_with("_2.csv")).unwrap();
    for name in [csv.as_str(), "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl", "README.md"] {
        let (path, whole) = flip(name);
        if let Some(ran) = bagit(&folder) {
            ran.fails(1, name.rsplit('/').next().unwrap());
        }
        // A data package lists data alone.
        if name.starts_with("data/")
            && let Some((ran, report)) = frictionless(&folder)
        {
            assert_eq!(ran.code, 1, "{report}");
            assert!(report.to_string().contains("hash-count"), "{report}");
        }
        std::fs::write(path, whole).unwrap();
    }
    // The schema is really held against the data.
    let path = folder.join("data/2024-01-03/C0/Trade/2024-01-03.csv");
    let whole = std::fs::read_to_string(&path).unwrap();
    for (from, to, expected) in
        [("170001", "17000x", "type-error"), ("1.5", "", "constraint-error"), (";3", "", "missing-cell")]
    {
        assert!(whole.contains(from), "{whole}");
        std::fs::write(&path, whole.replace(from, to)).unwrap();
        if let Some((ran, report)) = frictionless(&folder) {
            assert_eq!(ran.code, 1, "{report}");
            assert!(report.to_string().contains(expected), "{report}");
        }
    }
    let metadata = folder.join("ro-crate-metadata.json");
    let text = std::fs::read_to_string(&metadata).unwrap();
    std::fs::write(&metadata, text.replace("datePublished", "dateCreated")).unwrap();
    flip("README.md");
    if let Some(report) = ro_crate(&folder) {
        assert!(report["findings"].to_string().contains("datePublished"), "{report}");
        assert_eq!(report["files"]["README.md"], false, "{report}");
        assert_eq!(report["files"]["data/2024-01-03/AAPL/Trade/2024-01-03.jsonl"], true, "{report}");
    }
}

#[test]
fn table_schemas_are_there_without_a_profile_and_fit_the_files() {
    let home = Home::new();
    data(&home);
    let folder = home.create(&["--format", "folder"]);
    let top: Vec<String> = files(&folder).into_iter().filter(|name| !name.contains('/')).collect();
    assert_eq!(top, ["README.md", "manifest.json"]);
    let schema = |event_type: &str| -> Value {
        let path = folder.join(format!("metadata/schemas/{event_type}.table.json"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let (trade, bar) = (schema("Trade"), schema("AggregateBar"));
    let kinds = |schema: &Value| -> Vec<String> {
        let fields = schema["fields"].as_array().unwrap().iter();
        fields.map(|field| format!("{}:{}", field["name"], field["type"]).replace('"', "")).collect()
    };
    assert!(kinds(&trade).contains(&"price:number".to_owned()), "{trade}");
    assert_eq!(
        kinds(&bar),
        ["timestamp:datetime", "open:integer", "high:integer", "low:number", "close:number", "volume:integer"]
    );
    if let Some(python) = tool("frictionless") {
        let file = "data/2024-01-03/EURUSD/AggregateBar/2024-01-03.csv.gz";
        let mut command = Command::new(python);
        command.args(["-m", "frictionless", "validate", "--schema", "metadata/schemas/AggregateBar.table.json", file]);
        Ran::of(command.current_dir(&folder).output().unwrap()).ok();
    }
}

#[test]
fn real_csv_is_valid() {
    for name in ["bars_1m", "ticks", "histdata"] {
        let Some(root) = shared(name) else { continue };
        let home = Home::new();
        let package = home.create(&["--data-root", root.to_str().unwrap(), "--format", "folder", "--profile", ALL]);
        assert_eq!(check(&package).len(), 3, "{name}");
        let text = std::fs::read_to_string(package.join("datapackage.json")).unwrap();
        let descriptor: Value = serde_json::from_str(&text).unwrap();
        for resource in descriptor["resources"].as_array().unwrap() {
            let expected = if resource["format"] == "csv" { "table" } else { "file" };
            assert_eq!(resource["type"], expected, "{resource}");
        }
    }
}

#[test]
fn a_profile_changes_nothing_else_and_unknown_ones_are_refused() {
    let home = Home::new();
    data(&home);
    let args = ["--created-at", "2024-01-03T12:00:00Z", "--name", "n"];
    let make = |output: &str, more: &[&str]| home.create(&[&args[..], &["--output", output], more].concat());
    let (one, two) = (make("a", &["--profile", ALL, "--threads", "1"]), make("b", &["--profile", ALL]));
    assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap());
    home.pdp(&["create", "--profile", "croissant"]).fails(2, "allowed: bagit, frictionless, ro-crate");
    home.pdp(&["--package", "--profile", "bagit", "--package-name", "old", "--quiet"]).ok();
}
