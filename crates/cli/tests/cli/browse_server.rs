//! The page of `pdp serve`, used in a real browser by mouse and by keyboard.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::served::{Served, TOKEN};
use crate::support::{Home, Ran, files, program, python, sample_data, skipped, tell};

fn copy(from: &Path, to: &Path) {
    for name in files(from) {
        let target = to.join(&name);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&name), target).unwrap();
    }
}

/// So much data that packing it takes long enough to be looked at: it compresses badly.
fn bulk(home: &Home) {
    let mut number = 1_u64;
    for day in 1..=12 {
        let mut text = String::new();
        while text.len() < 12 << 20 {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (minute, second) = (number >> 40 & 31, number >> 50 & 31);
            let (price, size) = (number >> 20 & 0xf_ffff, number >> 8 & 0xff_ffff);
            writeln!(
                text,
                "{{\"timestamp\":\"2023-12-{day:02}T14:{minute:02}:{second:02}Z\",\"symbol\":\"ZBULK\",\"price\":{price}.{size},\"size\":{size}}}"
            )
            .unwrap();
        }
        home.put(&format!("data/ZBULK/Trade/2023-12-{day:02}.jsonl"), text);
    }
}

#[test]
fn the_page_in_a_real_browser() {
    let Some(python) = python() else { return };
    let Some(browser) = program("chromium") else { return };
    let home = Home::new();
    copy(Path::new(&sample_data()), &home.join("data"));
    bulk(&home);
    let second = home.create(&["--data-root", &sample_data(), "--output", "elsewhere", "--name", "uploaded-elsewhere"]);
    // Several requests long, for it is not compressed.
    let large = home.create(&[
        "--symbols",
        "ZBULK",
        "--to",
        "2023-12-02",
        "--compression",
        "none",
        "--no-quality-report",
        "--output",
        "elsewhere",
        "--name",
        "large",
    ]);
    let [main, guarded, read_only] = [
        Served::start(&home, "data", "packages", false, &[]),
        Served::start(&home, "data", "guarded", false, &["--token-file", home.put("token", TOKEN).to_str().unwrap()]),
        {
            std::fs::create_dir(home.join("nothing")).unwrap();
            Served::start(&home, "data", "nothing", false, &["--read-only"])
        },
    ];
    // A person who wants to look at the screenshots says where they go.
    let kept = std::env::var_os("PDP_TEST_SCREENSHOTS").map(std::path::PathBuf::from);
    let out = kept.unwrap_or_else(|| home.join("out"));
    std::fs::create_dir_all(&out).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/browse_server.py");
    let mut command = Command::new(&python);
    command.arg(script).arg(&main.url).arg(&out).arg(&browser).arg(&second).arg(&large).arg("ZBULK");
    command.args([&guarded.url, TOKEN, &read_only.url]);
    let found = Ran::of(command.output().unwrap()).ok().json();
    if let Some(reason) = found["cannot"].as_str() {
        skipped(&format!("no browser can be started here: {reason}"));
        return;
    }
    for hand in ["mouse", "keyboard"] {
        let journey = &found["journeys"][hand];
        assert_eq!(journey["console"], json!([]), "{hand}");
        assert_eq!(journey["elsewhere"], json!([]), "{hand}");
        // Only the import to a place outside the data root.
        assert_eq!(journey["refused"], json!(["404 POST /api/packaging/import"]), "{hand}");
        assert!(journey["asked"].as_u64() > Some(50), "the log of requests is nearly empty: {journey}");
        assert_eq!(journey["unseenFocus"], json!([]), "stops of Tab that cannot be seen");
        let downloads = journey["download"].as_array().unwrap();
        let bytes = |i: usize| std::fs::read(out.join(downloads[i].as_str().unwrap())).unwrap();
        assert!(bytes(0) == std::fs::read(&second).unwrap(), "{hand}: the download is not what was uploaded");
        // The same package in the other container.
        home.put("again.tar.gz", bytes(1));
        home.pdp(&["validate", "again.tar.gz"]).ok();
        let imported = home.files(&format!("data/imported/{hand}"));
        assert!(imported.iter().any(|name| name.ends_with("AAPL/Trade/2024-01-03.jsonl")), "{imported:?}");
    }
    let resumed = &found["resumed"];
    assert!(resumed["attempts"].as_u64() > Some(2), "it was not tried again: {resumed}");
    assert!(resumed["resumedAt"].as_u64() > Some(0), "it began anew: {resumed}");
    assert_eq!(resumed["left"], 0, "a finished upload is still listed as unfinished");
    let arrived = std::fs::read(out.join(resumed["file"].as_str().unwrap())).unwrap();
    assert!(arrived == std::fs::read(&large).unwrap(), "what was resumed is not what was sent");
    let dropped = &found["dropped"];
    assert!(dropped["told"].as_str().unwrap().contains("The package is invalid"), "{dropped}");
    assert_eq!(dropped["left"], 0, "what was refused is still listed as unfinished");
    // What was packed, uploaded and deleted has left nothing, and nothing came to lie outside the data root.
    let left = home.files("packages").into_iter().filter(|name| !name.starts_with(".pdp-"));
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
    assert!(!home.join("outside").exists());
    assert_eq!(found["guarded"], json!({"scriptsSeeCookie": false, "cookies": 1}));
    assert_eq!(found["readOnly"], json!({"offered": []}));
    check_views(&found);
    tell("the page was used in a real browser");
}

/// Every view, narrow and wide, light and dark.
fn check_views(found: &Value) {
    let views = found["views"].as_array().unwrap();
    for view in views {
        assert!(view["contentWidth"].as_u64() <= view["width"].as_u64(), "scrolls sideways: {view}");
        assert_eq!(view["axe"], json!([]), "{view}");
        assert_eq!(view["headings"], 1, "{view}");
        assert!(view["title"].as_str().unwrap().ends_with(" · Portable Data Packager"), "{view}");
    }
    assert_eq!(views.len(), 18 * 4);
    assert_eq!(found["lookedConsole"], json!([]));
    assert_eq!(found["lookedElsewhere"], json!([]));
}
