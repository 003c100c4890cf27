//! `pdp report`: what was planted in the data shows up, in words, as JSON and as a page.

use std::path::Path;

use serde_json::Value;

use crate::support::{Home, Ran, oracle, program, python, sample_data, skipped, tell, trades};

/// Trades with a line that is no record, a step back in time and numbers missing; and a symbol that lacks a day.
fn planted(home: &Home) {
    let mut lines: Vec<String> = trades("AAPL", "2024-01-03", 60).lines().map(str::to_owned).collect();
    lines[16] = "{\"timestamp\":\"2024-01-03T14:".to_owned();
    lines.swap(30, 31);
    lines.remove(50);
    home.put("data/AAPL/Trade/2024-01-03.jsonl", lines.join("\n") + "\n");
    for date in ["2024-01-03", "2024-01-04", "2024-01-05"] {
        home.put(&format!("data/MSFT/Trade/{date}.jsonl"), trades("MSFT", date, 40));
        if date != "2024-01-04" {
            home.put(&format!("data/SPY/Trade/{date}.jsonl"), trades("SPY", date, 40));
        }
    }
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn planted_findings_show_up_with_file_and_line() {
    let home = Home::new();
    planted(&home);
    for format in ["folder", "zip", "tar.gz"] {
        let package = text(&home.create(&["--name", "planted", "--format", format]));
        let ran = home.pdp(&["report", &package]).ok();
        for line in [
            "Package    planted",
            "Quality    B:",
            "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl: 1 unparsable line (line 17)",
            "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl: 1 step back in time (line 32)",
            "SPY Trade: days without data, 1: 2024-01-04",
            "SPY          Trade        #x# 2/3",
            "AAPL         Trade        #.. 1/1",
        ] {
            assert!(ran.out.contains(line), "{format}: no \"{line}\" in\n{}", ran.out);
        }
        assert_eq!(home.pdp(&["report", &package, "--quiet"]).ok().out, "B\n", "{format}");
    }
}

#[test]
fn the_page_is_the_one_in_the_package() {
    let home = Home::new();
    planted(&home);
    let package = home.create(&["--name", "planted", "--format", "folder"]);
    let member = std::fs::read_to_string(package.join("metadata/quality_report.html")).unwrap();
    for words in
        ["line 17", "line 32", "1 unparsable line", "2024-01-04", "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl"]
    {
        assert!(member.contains(words), "{words}");
    }
    home.put("out/page.html", "an older page");
    let ran = home.pdp(&["report", &text(&package), "--html", "out/page.html"]).ok();
    assert!(ran.err.contains("page.html"), "{}", ran.err);
    assert!(std::fs::read_to_string(home.join("out/page.html")).unwrap() == member);
    assert_eq!(home.files("out"), ["page.html"], "nothing is left beside it");
    assert!(home.pdp(&["report", &text(&package), "--html", "-"]).ok().out == member);
    home.pdp(&["report", &text(&package), "--html", "nowhere/page.html"])
        .fails(1, "writing the page to nowhere/page.html");
    // The page is a member like any other: declared, hashed, checked.
    home.pdp(&["validate", &text(&package)]).ok();
    std::fs::write(package.join("metadata/quality_report.html"), "tampered").unwrap();
    home.pdp(&["validate", &text(&package)]).fails(3, "metadata/quality_report.html");
}

#[test]
fn json_is_the_whole_report() {
    let home = Home::new();
    planted(&home);
    let package = home.create(&["--format", "folder"]);
    let member: Value =
        serde_json::from_slice(&std::fs::read(package.join("metadata/quality_report.json")).unwrap()).unwrap();
    let ran = home.pdp(&["report", &text(&package), "--json", "--html", "page.html"]).ok();
    assert_eq!(ran.json(), member);
    assert!(home.join("page.html").is_file());
}

#[test]
fn a_grade_can_be_demanded() {
    let home = Home::new();
    planted(&home);
    let package = text(&home.create(&[]));
    home.pdp(&["report", &package, "--fail-below", "B"]).ok();
    home.pdp(&["report", &package, "--fail-below", "f"]).ok();
    home.pdp(&["report", &package, "--fail-below", "A"])
        .fails(3, "the grade is B, and --fail-below A asks for A or better");
    home.pdp(&["report", &package, "--fail-below", "E"]).fails(2, "allowed: A, B, C, D, F");
    home.pdp(&["report", &package, "--html", "-", "--json"]).fails(2, "--html - cannot be used with --json");
    home.pdp(&["report", &package, "--html", "-", "--open"]).fails(2, "--html - cannot be used with --open");
}

#[test]
fn a_package_without_a_report_or_with_another_says_what_to_do() {
    let home = Home::new();
    planted(&home);
    let package = text(&home.create(&["--no-quality-report", "--name", "bare"]));
    let ran = home.pdp(&["report", &package]).fails(4, "there is no metadata/quality_report.json in it");
    assert!(ran.err.contains("--no-quality-report"), "{}", ran.err);
    let listed = home.pdp(&["list", &package, "--json"]).ok().json();
    assert!(
        !listed["supplementaryFiles"].as_array().unwrap().iter().any(|path| path.as_str().unwrap().contains("quality"))
    );
    home.pdp(&["report", "nowhere.zip"]).fails(4, "package not found");
    home.put("x.zip", "no archive at all");
    home.pdp(&["report", "x.zip"]).fails(3, "x.zip");

    let package = home.create(&["--format", "folder", "--name", "other"]);
    let member = package.join("metadata/quality_report.json");
    let sound = std::fs::read_to_string(&member).unwrap();
    std::fs::write(&member, sound.replacen("\"count\":1", "\"count\":0", 1)).unwrap();
    home.pdp(&["report", &text(&package)]).fails(3, "SHA-256 expected");
    // Of a maker who gives no checksums and has a report of their own, or one cut short, or one for another package.
    let manifest = package.join("manifest.json");
    let mut claims: Value = serde_json::from_slice(&std::fs::read(&manifest).unwrap()).unwrap();
    claims["supplementaryFiles"] = serde_json::json!([]);
    std::fs::write(&manifest, claims.to_string()).unwrap();
    home.pdp(&["report", &text(&package)]).ok();
    for foreign in ["{\"score\": 0.93}", "[]", "", &sound[..sound.len() / 2], "\u{0}\u{1}", &"[".repeat(100_000)] {
        std::fs::write(&member, foreign).unwrap();
        home.pdp(&["report", &text(&package)]).fails(3, "no quality report of a form that is known here");
    }
    let id = claims["packageId"].as_str().unwrap();
    std::fs::write(&member, sound.replacen(id, "another", 1)).unwrap();
    home.pdp(&["report", &text(&package)]).fails(3, "is on another package");
}

#[test]
fn what_was_typed_does_not_speak_to_the_terminal() {
    let home = Home::new();
    planted(&home);
    let package = text(&home.create(&["--name", "a\u{1b}[31mred<script>alert(1)</script>\u{7}"]));
    let ran = home.pdp(&["report", &package]).ok();
    assert!(ran.out.contains("a\\u{1b}[31mred<script>") && !ran.out.contains('\u{1b}'), "{}", ran.out);
    let page = home.pdp(&["report", &package, "--html", "-"]).ok().out;
    assert!(page.contains("red&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script"), "{page}");
    assert!(!page.contains('\u{1b}'));
}

/// A program called `xdg-open` in a directory of its own, which is then all that the path has.
#[cfg(target_os = "linux")]
fn opened_by(home: &Home, script: Option<&str>, package: &str) -> Ran {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = home.join("opener");
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir(&directory).unwrap();
    if let Some(script) = script {
        let path = home.put("opener/xdg-open", script);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut command = home.command(&["report", package, "--open"]);
    Ran::of(command.env("PATH", directory).env("TMPDIR", home.path()).output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn open_hands_the_page_to_the_system() {
    let home = Home::new();
    planted(&home);
    let package = text(&home.create(&[]));
    opened_by(&home, Some("#!/bin/sh\nprintf %s \"$1\" > opened\n"), &package).ok();
    let opened = std::fs::read_to_string(home.join("opened")).unwrap();
    assert!(opened.starts_with(home.path().to_str().unwrap()), "{opened}");
    assert!(std::fs::read_to_string(&opened).unwrap().contains("<h2 id=\"coverage\">"));
    opened_by(&home, Some("#!/bin/sh\nexit 3\n"), &package).fails(1, "xdg-open could not open it (exit status: 3)");
    let ran = opened_by(&home, None, &package).fails(1, "the page is written, but xdg-open cannot be run");
    assert!(ran.err.contains("pdp-quality-") && ran.err.contains("yourself"), "{}", ran.err);
}

/// Packages whose pages are looked at: planted faults, the samples, nothing with a time, many symbols.
fn pages(home: &Home) -> Vec<std::path::PathBuf> {
    planted(home);
    let mut pages = Vec::new();
    let mut page = |name: &str, root: &str| {
        let package = text(&home.create(&["--name", name, "--data-root", root]));
        let file = format!("{}.html", pages.len());
        home.pdp(&["report", &package, "--html", &file]).ok();
        pages.push(home.join(&file));
    };
    page("</title><script>alert('x')</script> & \"quotes\"", "data");
    page("samples", &sample_data());
    home.put("timeless/AAPL/Trade/x.jsonl", "{\"price\":1}\n{\"price\":2}\n");
    page("timeless", "timeless");
    for symbol in 0..60 {
        for day in 1..=28 {
            if (symbol + day) % 5 > 0 || day == 1 || day == 28 {
                let (name, date) = (format!("A.LONG.NAME.{symbol}"), format!("2024-02-{day:02}"));
                home.put(&format!("many/{name}/Trade/{date}.jsonl"), trades(&name, &date, 1 + symbol * day % 50));
            }
        }
    }
    page("many", "many");
    pages
}

#[test]
fn pages_are_well_formed_html() {
    let Some(python) = python() else { return };
    let home = Home::new();
    for page in pages(&home) {
        let found = oracle(&python, "check_page.py", &[&page]);
        assert_eq!(found["errors"], serde_json::json!([]), "{}", page.display());
        assert_eq!(found["scripts"], 0);
        assert_eq!(found["unnamedDrawings"], 0);
        assert_eq!(found["tablesWithoutHeaders"], 0);
        assert_eq!(found["headings"].as_array().unwrap().first().unwrap(), 1);
    }
}

#[test]
fn pages_in_a_real_browser() {
    let Some(python) = python() else { return };
    let (Some(browser), Some(driver)) = (program("chromium"), program("chromedriver")) else { return };
    let home = Home::new();
    for page in pages(&home) {
        let found = oracle(&python, "browse_page.py", &[&browser, &driver, &page]);
        if let Some(reason) = found["cannot"].as_str() {
            skipped(&format!("no browser can be started here: {reason}"));
            return;
        }
        for view in found["views"].as_array().unwrap() {
            assert!(view["contentWidth"].as_u64() <= view["width"].as_u64(), "{}: {view}", page.display());
            assert_eq!(view["faint"], serde_json::json!([]), "contrast below 4.5: {} {view}", page.display());
        }
        assert_eq!(found["views"].as_array().unwrap().len(), 4);
        assert_eq!(found["loaded"], true, "the log of requests has not even the page");
        assert_eq!(found["console"], serde_json::json!([]), "{}", page.display());
        assert_eq!(found["requests"], serde_json::json!([]), "{}", page.display());
        assert!(found["pdfPages"].as_u64() >= Some(1), "{found}");
    }
    tell("pages were looked at in a real browser");
}
