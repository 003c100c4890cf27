//! `pdp bars deliver`, and packages of the pipeline's layouts.

use std::process::Command;

use pdp_databento_server::{KEY, Server, Store};

use crate::support::{Home, Ran, python};

/// Two months of a symbol, fetched and resampled.
fn made() -> Home {
    let (home, server) = (Home::new(), Server::start(Store::sample()).unwrap());
    let mut fetch =
        home.command(&["bars", "fetch", "--symbol", "ES.c.0", "--stype", "continuous", "--dataset", "GLBX.MDP3"]);
    fetch.args(["--start", "2024-01-01", "--end", "2024-02-29", "--base-url", &server.url()]);
    fetch.env("DATABENTO_API_KEY", KEY).env("NO_PROXY", "127.0.0.1");
    Ran::of(fetch.output().unwrap()).ok();
    home.pdp(&["bars", "resample", "--all", "--timeframes", "15s,1min"]).ok();
    home
}

const DELIVER: [&str; 5] = ["bars", "deliver", "--allow-gaps", "--created-at", "2024-03-01T00:00:00Z"];

fn deliver(home: &Home, more: &[&str]) -> Ran {
    home.pdp(&[DELIVER.as_slice(), more].concat())
}

/// The checklist of a delivery that was made as a folder.
fn checklist_of(home: &Home, report: &serde_json::Value) -> String {
    let folder = home.join(report["packagePath"].as_str().unwrap());
    std::fs::read_to_string(folder.join("metadata/delivery/CHECKLIST.md")).unwrap()
}

#[test]
fn a_delivery_is_a_package_with_all_that_belongs_to_it() {
    let home = made();
    let report = deliver(&home, &["--format", "folder", "--json"]).ok().json();
    let folder = report["packagePath"].as_str().unwrap().to_owned();
    home.pdp(&["validate", &folder, "--deep"]).ok();
    let files = home.files(&folder);
    for wanted in [
        "metadata/delivery/CHECKLIST.md",
        "metadata/delivery/ES.c.0/condition.json",
        "metadata/delivery/ES.c.0/fetch.json",
        "metadata/delivery/ES.c.0/symbology.json",
        "metadata/delivery/validation.html",
        "metadata/delivery/validation.json",
        "metadata/delivery/validation.txt",
        "data/2024-01/ES.c.0/AggregateBar-15s/ES.c.0_2024_01_15s.csv",
        "data/2024-02/ES.c.0/AggregateBar-1min/ES.c.0_2024_02_1min.csv",
    ] {
        assert!(files.contains(&wanted.to_owned()), "{wanted} is not in {files:?}");
    }
    assert!(!files.iter().any(|name| name.contains("-1s/") || name.contains(".env")), "{files:?}");
    let read = |name: &str| std::fs::read_to_string(home.join(&folder).join("metadata/delivery").join(name)).unwrap();
    let checklist = read("CHECKLIST.md");
    assert!(checklist.contains("- [x] equal to the raw bars, volumes to the unit"), "{checklist}");
    assert!(!checklist.contains("- [ ] every row") && checklist.contains("| ES.c.0 | 15s |"), "{checklist}");
    assert!(
        checklist.contains("- [x] the raw bars are what was fetched") && !checklist.contains("  - [ ]"),
        "{checklist}"
    );
    assert!(checklist.contains("- [x] every gap is explained") && checklist.contains("Nothing wrong"), "{checklist}");
    assert!(!read("validation.json").contains(home.path().to_str().unwrap()));
    // The same again is the same package.
    let again = deliver(&home, &["--format", "zip", "--output", "one", "--json"]).ok().json();
    let other = deliver(&home, &["--format", "zip", "--output", "two", "--json"]).ok().json();
    let bytes = |report: &serde_json::Value| std::fs::read(home.join(report["packagePath"].as_str().unwrap())).unwrap();
    assert_eq!(bytes(&again), bytes(&other));
}

#[test]
fn data_are_delivered_as_they_are_asked_for() {
    let home = made();
    let all = deliver(&home, &["--data", "all", "--format", "folder", "--json"]).ok().json();
    let files = home.files(all["packagePath"].as_str().unwrap());
    assert!(files.contains(&"data/2024-01/ES.c.0/AggregateBar-1s/ES.c.0_2024_01.csv".to_owned()), "{files:?}");
    let none = deliver(&home, &["--data", "none", "--output", "papers", "--json"]).ok().json();
    let package = none["packagePath"].as_str().unwrap();
    home.pdp(&["validate", package]).ok();
    let listed = home.pdp(&["list", package, "--json"]).ok().json();
    assert_eq!(listed["totalFiles"], 0, "{listed}");
    // The checksums hold where the data lie.
    let sums = home.pdp(&["read", package, "metadata/delivery/SHA256SUMS"]).ok().out;
    home.put("data/SHA256SUMS", &sums);
    let check =
        Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]).current_dir(home.join("data")).output();
    assert!(check.unwrap().status.success() && sums.lines().count() == 4, "{sums}");
    // Without saying so, gaps that nothing explains stop it; so do raw bars that are no longer what was fetched.
    let condition = home.join("data/raw_1s/ES.c.0/condition.json");
    let days: serde_json::Value = serde_json::from_slice(&std::fs::read(&condition).unwrap()).unwrap();
    let missing = |mut days: serde_json::Value| {
        let day = days.as_array_mut().unwrap().iter_mut().find(|day| day["date"] == "2024-02-20").unwrap();
        day["condition"] = "missing".into();
        days.to_string()
    };
    std::fs::write(&condition, missing(days)).unwrap();
    home.pdp(&["bars", "deliver", "--output", "gaps"]).fails(3, "the vendor says missing");
    let allowed = deliver(&home, &["--output", "gaps", "--format", "folder", "--json"]).ok().json();
    let delivered = home.join(allowed["packagePath"].as_str().unwrap()).join("metadata/delivery");
    let checklist = std::fs::read_to_string(delivered.join("CHECKLIST.md")).unwrap();
    assert!(
        checklist.contains("- [ ] every gap is explained") && checklist.contains("are not explained"),
        "{checklist}"
    );
    let text = std::fs::read_to_string(delivered.join("validation.txt")).unwrap();
    assert!(text.contains("WARNING: missing data: 1 times without bars that nothing explains"), "{text}");
    let one = deliver(&home, &["--timeframes", "1min", "--output", "one", "--json"]).ok().json();
    let listed = home.pdp(&["list", one["packagePath"].as_str().unwrap(), "--json"]).ok().json();
    assert_eq!(listed["totalFiles"], 2, "{listed}");
    deliver(&home, &["--symbol", "SPY"]).fails(4, "SPY");
    deliver(&home, &["--data-root", "nowhere"]).fails(4, "nowhere");
    let raw = home.join("data/raw_1s/ES.c.0/ES.c.0_2024_01.csv");
    let good = std::fs::read(&raw).unwrap();
    // Another moment of the same bar, which no result shows.
    let later = String::from_utf8(good.clone()).unwrap().replacen(".000000000Z", ".000000001Z", 1);
    std::fs::write(&raw, later).unwrap();
    deliver(&home, &["--output", "changed"]).fails(3, "no longer what was fetched");
    std::fs::write(&raw, &good).unwrap();
    // What is not said of every day and month that has bars is not ticked.
    let first = |text: &str, key: &str| text.split(&format!("\"{key}\": \"")).nth(1).unwrap()[..10].to_owned();
    type Change<'a> = (&'a str, &'a str, &'a dyn Fn(String) -> String);
    let changes: [Change<'_>; 7] = [
        ("symbology.json", "what symbols stood for", &|_| "{}".to_owned()),
        ("symbology.json", "what symbols stood for", &|text| {
            let day = first(&text, "start_date");
            text.replacen(&format!("\"start_date\": \"{day}"), "\"start_date\": \"2024-01-20", 1)
        }),
        ("symbology.json", "what symbols stood for", &|text| text.replace("\"symbol\": \"", "\"symbol\": \"9")),
        ("condition.json", "what the vendor says", &|text| {
            text.replacen("\"date\":\"2024-01-01", "\"date\":\"2023-01-01", 1)
        }),
        ("condition.json", "what the vendor says", &|_| "[]".to_owned()),
        ("fetch.json", "the raw bars are what was fetched", &|text| text.replace("\"2024-02\":", "\"2023-02\":")),
        ("fetch.json", "the raw bars are what was fetched", &|text| text.replace("2024-03-01T00", "2024-02-20T00")),
    ];
    for (number, (name, item, change)) in changes.into_iter().enumerate() {
        let path = home.join("data/raw_1s/ES.c.0").join(name);
        let kept = std::fs::read_to_string(&path).unwrap();
        let ticked = |output: String| {
            let json =
                deliver(&home, &["--output", &output, "--allow-findings", "--format", "folder", "--json"]).ok().json();
            let text = checklist_of(&home, &json);
            assert!(text.contains(&format!("] {item}")), "{text}");
            text.contains(&format!("- [x] {item}"))
        };
        assert!(ticked(format!("whole-{number}")), "{name}");
        std::fs::write(&path, change(kept.clone())).unwrap();
        assert!(!ticked(format!("lacking-{number}")), "{number}: {name}");
        std::fs::write(&path, kept).unwrap();
    }
    // Raw bars that are delivered are held to the rules, too.
    let bad = Home::new();
    let rows = "timestamp,open,high,low,close,volume\n2024-01-02T10:00:00Z,5,4,6,5,3\n2024-01-02T10:00:30Z,5,7,4,5,3\n";
    bad.put("data/raw_1s/S/S_2024_01.csv", rows);
    bad.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
    deliver(&bad, &["--output", "results"]).ok();
    deliver(&bad, &["--output", "all", "--data", "all"]).fails(3, "raw_1s/S/S_2024_01.csv: line 2: ohlc");
    let all = ["--output", "all", "--data", "all", "--allow-findings", "--format", "folder", "--json"];
    let json = deliver(&bad, &all).ok().json();
    let checklist = checklist_of(&bad, &json);
    assert!(
        checklist.contains("- [ ] OHLC rules")
            && checklist.contains("- [x] equal to the raw bars")
            && checklist.contains("| S | 1s |"),
        "{checklist}"
    );
    // So are their gaps, and what is sent says what was allowed.
    let gap = "timestamp,open,high,low,close,volume\n2024-01-02T10:00:00Z,5,6,4,5,3\n2024-01-02T10:30:00Z,5,7,4,5,3\n";
    bad.put("data/raw_1s/S/S_2024_01.csv", gap);
    bad.pdp(&["bars", "resample", "--all", "--timeframes", "1h"]).ok();
    std::fs::remove_dir_all(bad.join("data/aggregated/1min")).unwrap();
    let all = ["bars", "deliver", "--data", "all", "--name", "gap", "--format", "folder", "--json"];
    let all = [all.as_slice(), &["--created-at", "2024-03-01T00:00:00Z"]].concat();
    bad.pdp(&all).fails(3, "");
    let first = bad.pdp(&[all.as_slice(), &["--allow-gaps"]].concat()).ok().json();
    let checklist = checklist_of(&bad, &first);
    assert!(
        checklist.contains("- [ ] every gap is explained")
            && checklist.contains("Bars of S (1h, 1s)")
            && checklist.contains("1 time without bars is not explained"),
        "{checklist}"
    );
    // Another package of the name takes its place only where one says so.
    bad.put("data/raw_1s/S/S_2024_01.csv", gap.replace(",3\n", ",4\n"));
    bad.pdp(&["bars", "resample", "--all", "--timeframes", "1h"]).ok();
    deliver(&bad, &["--name", "gap"]).ok();
    bad.put("data/raw_1s/S/S_2024_01.csv", gap);
    bad.pdp(&["bars", "resample", "--all", "--timeframes", "1h"]).ok();
    deliver(&bad, &["--name", "gap"]).fails(1, "--overwrite to replace it");
    deliver(&bad, &["--name", "gap", "--overwrite"]).ok();
    // Raw bars that are asked for are there, and can be packed.
    deliver(&home, &["--raw-dir", "nope"]).fails(4, "raw bars not found: nope");
    std::fs::rename(home.join("data/raw_1s"), home.join("data/bought")).unwrap();
    deliver(&home, &["--raw-dir", "data/bought", "--data", "all"]).fails(2, "expected a directory like raw_1s");
    deliver(&home, &["--data", "all"]).fails(4, "raw bars not found");
    std::fs::rename(home.join("data/bought"), home.join("data/raw_1s")).unwrap();
    // What is wrong is not delivered, unless one says so.
    let file = "data/aggregated/1min/ES.c.0_2024_02_1min.csv";
    let text = std::fs::read_to_string(home.join(file)).unwrap();
    let (head, last) = text.trim_end().rsplit_once(',').unwrap();
    home.put(file, format!("{head},{}\n", last.parse::<u64>().unwrap() + 1));
    deliver(&home, &["--output", "bad"]).fails(3, "ERROR: against raw data");
    assert!(home.files("bad").is_empty());
    let forced = deliver(&home, &["--output", "bad", "--allow-findings", "--format", "folder", "--json"]).ok().json();
    assert!(checklist_of(&home, &forced).contains("- [ ] equal to the raw bars"));
}

/// The loader of a package finds the timeframes apart.
#[test]
fn timeframes_are_types_of_their_own() {
    let home = made();
    let package = home.create(&["--format", "folder"]);
    let list = home.pdp(&["list", package.to_str().unwrap(), "--json"]).ok().json();
    let types: Vec<_> = list["eventTypes"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
    assert_eq!(types, ["AggregateBar-15s", "AggregateBar-1min", "AggregateBar-1s"]);
    // Bars of any timeframe are bars.
    let some = home.create(&["--format", "folder", "--events", "AggregateBar", "--output", "some"]);
    assert_eq!(home.pdp(&["list", some.to_str().unwrap(), "--json"]).ok().json()["totalFiles"], 6);
    // A package of an imported package is the same again.
    home.pdp(&["import", package.to_str().unwrap(), "--destination", "imported"]).ok();
    let again = home.create(&["--format", "folder", "--data-root", "imported", "--output", "again"]);
    let again = home.pdp(&["list", again.to_str().unwrap(), "--json"]).ok().json();
    assert_eq!(again["eventTypes"], list["eventTypes"]);
    let Some(python) = python() else { return };
    let script = "import sys; sys.path.insert(0, 'scripts')\nimport load_data\nframe = load_data.load_data(event_type='AggregateBar-1min')\nprint(len(frame))";
    let ran = Ran::of(Command::new(python).args(["-c", script]).current_dir(&package).output().unwrap()).ok();
    let rows = |month: &str| {
        std::fs::read_to_string(home.join(&format!("data/aggregated/1min/ES.c.0_2024_{month}_1min.csv")))
            .unwrap()
            .lines()
            .count()
            - 1
    };
    assert_eq!(ran.out.trim().parse::<usize>().unwrap(), rows("01") + rows("02"));
}
