//! The main job from end to end.

use crate::support::{Home, files, manifest, sample_data, trades};

fn small_root(home: &Home) {
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 30));
    home.put("data/AAPL/Trade/2024-01-04.jsonl", trades("AAPL", "2024-01-04", 20));
    home.put("data/MSFT/Trade/2024-01-03.jsonl", trades("MSFT", "2024-01-03", 10));
}

#[test]
fn create_validate_list_import_and_create_again() {
    let home = Home::new();
    let sample = sample_data();
    for layout in ["ByDate", "BySymbol", "ByType", "Flat"] {
        let at = ["--created-at", "2024-02-01T12:00:00Z", "--layout", layout];
        let first = home.create(&[&["--data-root", &sample, "--output", &format!("one-{layout}")], &at[..]].concat());
        let package = first.to_str().unwrap();
        assert_eq!(home.pdp(&["validate", package, "--json"]).ok().json()["valid"], true);
        let listed = home.pdp(&["list", package, "--json"]).ok().json();
        let total = listed["totalFiles"].as_u64().unwrap();
        assert_eq!(listed["files"].as_array().unwrap().len() as u64, total);

        let there = format!("imported-{layout}");
        let report = home.pdp(&["import", package, "--destination", &there, "--json"]).ok().json();
        assert_eq!(report["totalFiles"], total);
        let again = home.create(&[&["--data-root", &there, "--output", &format!("two-{layout}")], &at[..]].concat());
        home.pdp(&["import", again.to_str().unwrap(), "--destination", &format!("again-{layout}")]).ok();
        let (one, two) = (manifest(&home.join(&there)), manifest(&home.join(&format!("again-{layout}"))));
        let facts = |manifest: &serde_json::Value| {
            let entries = manifest["files"].as_array().unwrap().iter();
            entries.map(|f| (f["path"].to_string(), f["checksumSha256"].to_string())).collect::<Vec<_>>()
        };
        assert_eq!(facts(&one), facts(&two), "{layout}: the same members, byte for byte");
        assert_eq!(one["files"], two["files"], "{layout}: and the same said of them");
        assert_eq!(one["packageId"], two["packageId"]);
    }
}

#[test]
fn documented_spellings() {
    let home = Home::new();
    small_root(&home);
    let line = "--package --package-name my-research --package-symbols aapl --package-events TRADE --package-compression max \
                --package-from 2024-01-01 --package-to 2024-01-03 --package-output out --package-format zip";
    home.pdp(&line.split_whitespace().collect::<Vec<_>>()).ok();
    let made: Vec<_> = home.files("out");
    let package = made.iter().find(|name| name.ends_with(".zip")).unwrap();
    assert!(package.starts_with("my-research_2"), "{package}");
    let package = format!("out/{package}");
    home.pdp(&["--validate-package", &package]).ok();
    let listed = home.pdp(&["--list-package", &package]).ok();
    assert!(listed.out.contains("1 file, 30 records"), "{}", listed.out);
    home.pdp(&["--import-package", &package, "--import-destination", "there", "--merge"]).ok();
    assert!(home.files("there").contains(&"data/2024-01-03/AAPL/Trade/2024-01-03.jsonl".to_owned()));
    let stored = manifest(&home.join("there"));
    assert_eq!(stored["compressionLevel"], "maximum");
    assert_eq!(stored["filters"]["symbols"][0], "aapl");
}

#[test]
fn filters_choose_whole_files() {
    let home = Home::new();
    small_root(&home);
    // Without a date in its name a file is asked for its records.
    home.put("data/TSLA/Trade/data.jsonl", trades("TSLA", "2024-01-04", 5));
    for (args, count) in [
        (vec!["--symbols", "AAPL,MSFT"], 3),
        (vec!["--symbols", "tsla"], 1),
        (vec!["--from", "2024-01-04"], 2),
        (vec!["--to", "2024-01-03"], 2),
        (vec!["--from", "2024-01-04", "--to", "2024-01-04"], 2),
        (vec!["--events", "Trade,BboQuote"], 4),
    ] {
        let mut all = vec![
            "create",
            "--json",
            "--output",
            "out",
            "--skip-checksums",
            "--overwrite",
            "--created-at",
            "1700000000",
        ];
        all.extend(&args);
        assert_eq!(home.pdp(&all).ok().json()["totalFiles"], count, "{args:?}");
    }
    let nothing = home.pdp(&["create", "--symbols", "IBM", "--from", "2024-01-01"]);
    let nothing = nothing.fails(4, "No data files found matching the specified criteria");
    assert!(nothing.err.contains("symbols IBM") && nothing.err.contains("AAPL, MSFT, TSLA"), "{}", nothing.err);
    assert!(!home.join("packages").exists(), "nothing is made when nothing matches");
}

#[test]
fn papers_can_be_left_out() {
    let home = Home::new();
    small_root(&home);
    let package =
        home.create(&["--no-quality-report", "--no-data-dictionary", "--no-loader-scripts", "--format", "folder"]);
    let papers: Vec<_> = files(&package).into_iter().filter(|name| !name.starts_with("data/")).collect();
    assert_eq!(papers, ["README.md", "manifest.json", "metadata/schemas/Trade.json"]);
    assert!(manifest(&package).get("quality").is_none());
    home.pdp(&["validate", package.to_str().unwrap()]).ok();
}

#[test]
fn tags_and_metadata_reach_the_manifest() {
    let home = Home::new();
    small_root(&home);
    let package = home.create(&[
        "--format",
        "folder",
        "--tag",
        "q1",
        "--tag",
        "research",
        "--meta",
        "owner=desk 4",
        "--meta",
        "a=b=c",
        "--description",
        "for the paper",
    ]);
    let manifest = manifest(&package);
    assert_eq!(manifest["tags"], serde_json::json!(["q1", "research"]));
    assert_eq!(manifest["customMetadata"], serde_json::json!({ "owner": "desk 4", "a": "b=c" }));
    assert_eq!(manifest["description"], "for the paper");
}

#[test]
fn importing_twice_changes_nothing_and_replacing_is_said() {
    let home = Home::new();
    small_root(&home);
    let package = home.create(&[]);
    let package = package.to_str().unwrap();
    let import = |extra: &[&str]| {
        let mut args = vec!["import", package, "--destination", "there", "--json"];
        args.extend(extra);
        home.pdp(&args)
    };
    let first = import(&[]).ok().json();
    assert_eq!((first["added"].as_u64().unwrap() > 3, first["replaced"].as_u64()), (true, Some(0)));
    let before = home.files("there");
    let second = import(&[]).ok().json();
    assert_eq!(
        (second["added"].as_u64(), second["replaced"].as_u64(), second["bytesWritten"].as_u64()),
        (Some(0), Some(0), Some(0))
    );
    assert_eq!(home.files("there"), before);

    let changed = home.put("there/data/2024-01-03/MSFT/Trade/2024-01-03.jsonl", "{\"mine\":1}\n");
    // A record without a time cannot be put in order, so the file cannot be merged.
    import(&["--merge"]).fails(1, "exist with other content");
    assert_eq!(std::fs::read_to_string(&changed).unwrap(), "{\"mine\":1}\n");
    import(&["--on-conflict", "keep"]).fails(2, "--merge");
    let kept = import(&["--merge", "--on-conflict", "keep"]).ok().json();
    assert_eq!(kept["kept"], serde_json::json!(["data/2024-01-03/MSFT/Trade/2024-01-03.jsonl"]));
    let renamed = import(&["--merge", "--on-conflict", "rename"]).ok().json();
    assert_eq!(renamed["renamed"], serde_json::json!(["data/2024-01-03/MSFT/Trade/2024-01-03.2.jsonl"]));
    assert_eq!(import(&["--merge", "--on-conflict", "rename"]).ok().json()["bytesWritten"], 0);
    assert_eq!(std::fs::read_to_string(&changed).unwrap(), "{\"mine\":1}\n");
    std::fs::remove_file(home.join("there/data/2024-01-03/MSFT/Trade/2024-01-03.2.jsonl")).unwrap();
    assert_eq!(import(&[]).ok().json()["replaced"], 1);
    assert_eq!(home.files("there"), before);
}

#[test]
fn a_second_package_does_not_take_the_papers_of_the_first() {
    let home = Home::new();
    small_root(&home);
    let one = home.create(&["--symbols", "AAPL", "--name", "one"]);
    let two = home.create(&["--symbols", "MSFT", "--name", "two"]);
    home.pdp(&["import", one.to_str().unwrap(), "--destination", "there"]).ok();
    let report = home.pdp(&["import", two.to_str().unwrap(), "--destination", "there", "--json"]).ok().json();
    assert_eq!(manifest(&home.join("there"))["name"], "one");
    let papers = home.path().join(report["papersPath"].as_str().unwrap());
    assert_eq!(manifest(&papers)["name"], "two");
    assert!(home.files("there").contains(&"data/2024-01-03/MSFT/Trade/2024-01-03.jsonl".to_owned()));
    // The data root that results is packed as what it is.
    let both = home.pdp(&["create", "--data-root", "there", "--json"]).ok().json();
    assert_eq!(both["totalFiles"], 3);
}

#[test]
fn colliding_flat_names_keep_their_numbers_through_an_import() {
    let home = Home::new();
    for i in 0..12 {
        home.put(&format!("data/V{i:02}/AAPL/Trade/2024-01-03.jsonl"), trades("AAPL", "2024-01-03", i + 1));
    }
    let args = ["--layout", "Flat", "--name", "f", "--created-at", "2024-02-01T00:00:00Z"];
    let one = home.create(&[&args[..], &["--output", "one"]].concat());
    home.pdp(&["import", one.to_str().unwrap(), "--destination", "there"]).ok();
    let two = home.create(&[&args[..], &["--data-root", "there", "--output", "two"]].concat());
    assert!(std::fs::read(one).unwrap() == std::fs::read(two).unwrap());
}

#[test]
fn an_unpacked_package_is_valid_and_can_be_imported() {
    let home = Home::new();
    small_root(&home);
    let package = home.create(&[]);
    home.pdp(&["import", package.to_str().unwrap(), "--destination", "unpacked"]).ok();
    let report = home.pdp(&["validate", "unpacked", "--json"]).ok().json();
    assert!(report["warnings"].to_string().contains("unpacked archive"), "{report:#}");
    home.pdp(&["import", "unpacked", "--destination", "again"]).ok();
    assert_eq!(home.files("unpacked"), home.files("again"));
}

#[test]
fn two_imports_into_one_new_destination_lose_nothing() {
    let home = Home::new();
    for i in 0..30 {
        let symbol = format!("S{i:02}");
        home.put(&format!("data/{symbol}/Trade/2024-01-03.jsonl"), trades(&symbol, "2024-01-03", 2000));
    }
    let one = home.create(&["--to", "2024-01-03", "--name", "one"]);
    home.put("data/OTHER/Trade/2024-01-04.jsonl", trades("OTHER", "2024-01-04", 2000));
    let two = home.create(&["--symbols", "OTHER", "--name", "two"]);
    for i in 0..4 {
        let there = format!("there{i}");
        let start = |package: &std::path::Path| {
            home.command(&["import", package.to_str().unwrap(), "--destination", &there, "--quiet"]).spawn().unwrap()
        };
        let mut running = [start(&one), start(&two)];
        let codes = running.each_mut().map(|child| child.wait().unwrap().code());
        for (package, code) in [&one, &two].into_iter().zip(codes) {
            if code != Some(0) {
                // The other held the lock; nothing was done.
                assert_eq!(code, Some(1));
                home.pdp(&["import", package.to_str().unwrap(), "--destination", &there]).ok();
            }
        }
        let found = home.files(&there);
        assert_eq!(found.iter().filter(|name| name.ends_with(".jsonl")).count(), 31);
        assert_eq!(found.iter().filter(|name| name.ends_with("manifest.json")).count(), 2, "{found:?}");
    }
}
