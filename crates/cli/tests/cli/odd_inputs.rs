//! Inputs that are not as one would wish, each with its defined outcome.

use std::process::Command;

use crate::support::{Home, Ran, manifest, program, python, trades};

#[test]
fn unicode_names_spaces_and_empty_files() {
    let home = Home::new();
    home.put("data/名前/Trade/2024-01-03 pre market.jsonl", trades("名前", "2024-01-03", 4));
    home.put("data/BRK.B/Trade/2024-01-03.jsonl", "");
    home.put("data/ÄÖ Ü/Trade/2024-01-03.jsonl", "\n\n");
    home.put("data/BTC_USD/Trade/2024-01-03.jsonl", trades("BTC/USD", "2024-01-03", 2));
    let package = home.create(&["--format", "folder"]);
    home.pdp(&["validate", package.to_str().unwrap()]).ok();
    let found: Vec<_> = manifest(&package)["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap().to_owned(),
                file["symbol"].as_str().unwrap().to_owned(),
                file["eventCount"].as_u64(),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("data/2024-01-03/BRK.B/Trade/2024-01-03.jsonl".to_owned(), "BRK.B".to_owned(), Some(0)),
            ("data/2024-01-03/BTC_USD/Trade/2024-01-03.jsonl".to_owned(), "BTC/USD".to_owned(), Some(2)),
            ("data/2024-01-03/ÄÖ_Ü/Trade/2024-01-03.jsonl".to_owned(), "ÄÖ Ü".to_owned(), Some(0)),
            ("data/2024-01-03/名前/Trade/2024-01-03 pre market.jsonl".to_owned(), "名前".to_owned(), Some(4)),
        ]
    );
}

#[test]
fn two_sources_for_one_path_get_a_number() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 1));
    home.put("data/IEX/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 2));
    home.put("data/live/AAPL/Trade/2024-01-03.JSONL", trades("AAPL", "2024-01-03", 3));
    for (layout, expected) in [
        (
            "ByDate",
            [
                "data/2024-01-03/AAPL/Trade/2024-01-03.2.jsonl",
                "data/2024-01-03/AAPL/Trade/2024-01-03.3.JSONL",
                "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl",
            ],
        ),
        (
            "Flat",
            [
                "data/AAPL_Trade_2024-01-03.2.jsonl",
                "data/AAPL_Trade_2024-01-03.3.jsonl",
                "data/AAPL_Trade_2024-01-03.jsonl",
            ],
        ),
    ] {
        let package = home.create(&["--format", "folder", "--layout", layout, "--name", layout]);
        let manifest = manifest(&package);
        let paths: Vec<_> =
            manifest["files"].as_array().unwrap().iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(paths, expected);
    }
}

#[test]
fn data_wins_over_paths_and_says_so() {
    let home = Home::new();
    home.put("data/IBM/Trade/2024-01-09.jsonl", trades("AAPL", "2024-01-03", 2));
    let ran = home.pdp(&["create", "--json"]).ok();
    let report = ran.json();
    assert_eq!(report["symbols"][0], "AAPL");
    let warnings = report["warnings"].to_string();
    assert!(
        warnings.contains("its path says symbol IBM") && warnings.contains("its path says 2024-01-09"),
        "{warnings}"
    );
    assert!(ran.err.contains("its path says symbol IBM"), "{}", ran.err);
}

#[test]
fn torn_and_unreadable_records_are_counted_apart() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", format!("{}{{\"torn\":", trades("AAPL", "2024-01-03", 5)));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, trades("MSFT", "2024-01-03", 500).as_bytes()).unwrap();
    let gz = gz.finish().unwrap();
    home.put("data/MSFT/Trade/2024-01-03.jsonl.gz", &gz[..gz.len() - 30]);
    let package = home.create(&["--format", "folder"]);
    let manifest = manifest(&package);
    let counts: Vec<_> =
        manifest["files"].as_array().unwrap().iter().map(|f| f["eventCount"].as_u64().unwrap()).collect();
    assert_eq!(counts[0], 5);
    assert!((300..500).contains(&counts[1]), "{counts:?}");
    let issues = manifest["quality"]["issues"].to_string();
    assert!(issues.contains("torn after") && issues.contains("1 torn last line (line 6)"), "{issues}");
    if let Some(python) = python() {
        // The loader gives as many rows as the manifest counts.
        let line = "import sys; sys.path.insert(0, 'scripts'); import load_data; print(len(load_data.load_data()))";
        let ran = Ran::of(Command::new(python).arg("-c").arg(line).current_dir(&package).output().unwrap()).ok();
        assert_eq!(ran.out.trim(), manifest["totalEvents"].to_string(), "{}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn links_loops_and_pipes_are_skipped_and_named() {
    use std::os::unix::fs::symlink;
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    home.put("elsewhere/MSFT/Trade/2024-01-03.jsonl", trades("MSFT", "2024-01-03", 3));
    symlink("..", home.join("data/AAPL/loop")).unwrap();
    symlink("../elsewhere/MSFT", home.join("data/MSFT")).unwrap();
    symlink("2024-01-03.jsonl", home.join("data/AAPL/Trade/latest.jsonl")).unwrap();
    if let Some(mkfifo) = program("mkfifo") {
        assert!(Command::new(mkfifo).arg(home.join("data/pipe.jsonl")).status().unwrap().success());
    }
    let report = home.pdp(&["create", "--json", "--name", "a"]).ok().json();
    assert_eq!(report["totalFiles"], 1);
    let skipped = report["skipped"].to_string();
    for (path, reason) in [
        ("AAPL/loop", "symbolic link"),
        ("MSFT", "symbolic link"),
        ("AAPL/Trade/latest.jsonl", "symbolic link"),
        ("pipe.jsonl", "no regular file"),
    ] {
        assert!(skipped.contains(path) && skipped.contains(reason), "{path}: {skipped}");
    }
    let report = home.pdp(&["create", "--json", "--name", "b", "--follow-links"]).ok().json();
    assert_eq!(report["totalFiles"], 3, "{report:#}");
    assert!(report["skipped"].to_string().contains("a link back to"), "{report:#}");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_fails_or_is_skipped_by_option() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    let closed = home.put("data/MSFT/Trade/2024-01-03.jsonl", trades("MSFT", "2024-01-03", 3));
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Nobody keeps root from reading, so root runs this as nobody.
    let root = std::fs::read(&closed).is_ok();
    let mut prefix: Vec<String> = Vec::new();
    if root {
        let Some(setpriv) = program("setpriv") else { return };
        prefix = vec![
            setpriv.to_str().unwrap().into(),
            "--reuid=65534".into(),
            "--regid=65534".into(),
            "--clear-groups".into(),
        ];
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    }
    let binary = home.join("pdp-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_pdp"), &binary).unwrap();
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).unwrap();
    let run = |extra: &[&str]| {
        let mut words: Vec<&str> = prefix.iter().map(String::as_str).collect();
        words.push(binary.to_str().unwrap());
        words.extend(["create", "--json"]);
        words.extend(extra);
        Ran::of(Command::new(words[0]).args(&words[1..]).current_dir(home.path()).output().unwrap())
    };
    let failed = run(&[]).fails(1, "MSFT/Trade/2024-01-03.jsonl cannot be packed");
    assert!(failed.err.contains("--skip-unreadable"), "{}", failed.err);
    assert!(home.files("packages").is_empty(), "nothing half-made");
    let report = run(&["--skip-unreadable"]).ok().json();
    assert_eq!(report["totalFiles"], 1);
    assert!(report["skipped"].to_string().contains("MSFT/Trade/2024-01-03.jsonl"));
}

#[test]
fn a_file_of_300_mb_in_bounded_memory() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let block = trades("AAPL", "2024-01-03", 3600);
    let times = (300 << 20) / block.len() + 1;
    home.put("data/AAPL/Trade/2024-01-03.jsonl", block.repeat(times));
    // Python's resource module knows the peak memory of its children, in KiB.
    let script = "import resource, subprocess, sys\nsubprocess.run(sys.argv[1:], check=True)\nprint(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let run = |args: &[&str]| {
        let mut command = Command::new(&python);
        command.arg("-c").arg(script).arg(env!("CARGO_BIN_EXE_pdp")).args(args).current_dir(home.path());
        let ran = Ran::of(command.output().unwrap()).ok();
        let mib = ran.out.lines().last().unwrap().parse::<u64>().unwrap() / 1024;
        assert!(mib < 256, "{args:?}: {mib} MiB");
        ran
    };
    run(&["create", "--quiet", "--name", "big", "--created-at", "2024-01-03T12:00:00Z", "--threads", "2"]);
    let package = "packages/big_20240103_120000.zip";
    run(&["validate", package]);
    run(&["import", package, "--destination", "there"]);
    let stored = manifest(&home.join("there"));
    assert_eq!(stored["totalEvents"].as_u64(), Some(3600 * times as u64));
    let there = std::fs::read(home.join("there/data/2024-01-03/AAPL/Trade/2024-01-03.jsonl")).unwrap();
    assert!(there == block.repeat(times).into_bytes());
}
