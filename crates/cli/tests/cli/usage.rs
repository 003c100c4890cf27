//! Wrong usage: exit code 2 and the allowed values; help, completions and manual pages.

use crate::support::{Home, trades};

#[test]
fn unknown_words_and_unreadable_values_name_what_is_allowed() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    for (args, message) in [
        ("create --compression best", "none, fast, balanced, max"),
        ("create --format rar", "allowed: zip, tar.gz (or tgz), folder"),
        ("create --layout ByMoon", "ByDate, BySymbol, ByType, Flat"),
        ("create --from 2024-1-3", "YYYY-MM-DD"),
        ("create --to 2024-02-30", "YYYY-MM-DD"),
        ("create --from 2024-01-04 --to 2024-01-03", "lies after"),
        ("create --symbols ,", "empty value in the list"),
        ("create --symbols=", "empty value in the list"),
        ("create --events Trade,,Quote", "empty value in the list"),
        ("create --events ../x", "cannot be an event type"),
        ("create --meta novalue", "key=value"),
        ("create --meta a=1 --meta a=2", "gives a twice"),
        ("create --created-at noon", "2024-01-03T12:00:00Z"),
        ("create --name=", "package name"),
        ("create --colour red", "--colour"),
        ("--package --package-compression best", "none, fast, balanced, max"),
        ("--package --package-from yesterday", "YYYY-MM-DD"),
        ("--package --list-package x", "cannot be used together"),
        ("validate", "<PACKAGE>"),
        ("bogus", "bogus"),
        ("list x --threads many", "invalid"),
        ("read x", "<MEMBER>"),
        ("read x data/y --json", "--output"),
        ("list x --progress loud", "auto, bar, json, none"),
    ] {
        let ran = home.pdp(&args.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{args}: {ran:?}");
        assert!(ran.err.contains(message), "{args}: {}", ran.err);
        // Programs that asked for JSON get the error as JSON.
        assert!(ran.out.is_empty() || args.ends_with("--json"), "{args}: {}", ran.out);
    }
    assert!(!home.join("packages").exists());
    home.pdp(&["create", "--data-root", "nowhere"]).fails(4, "data root not found");
}

#[test]
fn names_keep_what_was_typed_and_make_portable_files() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    let package = home.create(&["--name", "../Q1: prices/ÄÖ *final*", "--created-at", "2024-01-03T12:00:00Z"]);
    let name = package.file_name().unwrap().to_str().unwrap();
    assert_eq!(name, "_.._Q1_ prices_ÄÖ _final__20240103_120000.zip");
    let listed = home.pdp(&["list", package.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(listed["name"], "../Q1: prices/ÄÖ *final*");
    // The default name says the day.
    let package = home.create(&["--created-at", "2024-01-03T12:00:00Z"]);
    assert!(package.ends_with("packages/market-data-20240103_20240103_120000.zip"), "{}", package.display());
}

#[test]
fn help_completions_and_manual() {
    let home = Home::new();
    let help = home.pdp(&["--help"]).ok();
    for word in ["create", "validate", "list", "report", "import", "--import-package", "Exit codes", "--data-root"] {
        assert!(help.out.contains(word), "{word}: {}", help.out);
    }
    let help = home.pdp(&["create", "--help"]).ok();
    for option in [
        "--name",
        "--description",
        "--output",
        "--symbols",
        "--events",
        "--from",
        "--to",
        "--format",
        "--compression",
        "--layout",
        "--tag",
        "--meta",
        "--created-at",
        "--no-quality-report",
        "--no-data-dictionary",
        "--no-loader-scripts",
        "--skip-checksums",
        "--json",
        "--quiet",
        "--threads",
    ] {
        assert!(help.out.contains(option), "{option}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(home.pdp(&["completions", shell]).ok().out.contains("skip-checksums"), "{shell}");
    }
    assert!(home.pdp(&["man"]).ok().out.contains(".TH"));
    home.pdp(&["man", "--output", "man"]).ok();
    assert!(home.files("man").contains(&"pdp-create.1".to_owned()));
    assert!(home.pdp(&["--version"]).ok().out.starts_with("pdp "));
}

#[test]
fn output_for_programs() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    let quiet = home.pdp(&["create", "--quiet"]).ok();
    assert_eq!(quiet.out.lines().count(), 1);
    assert!(quiet.err.is_empty(), "{}", quiet.err);
    let ran = home.pdp(&["create", "--json", "--progress", "json", "--name", "p"]).ok();
    let report = ran.json();
    assert_eq!((&report["totalFiles"], &report["totalEvents"]), (&1.into(), &3.into()));
    assert_eq!(report["verified"]["valid"], true);
    let stages: Vec<serde_json::Value> = ran.err.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for stage in ["scanning", "packing", "verifying"] {
        assert!(stages.iter().any(|line| line["stage"] == stage), "{stage}");
    }
    assert_eq!(stages.last().unwrap()["done"], true);
}
