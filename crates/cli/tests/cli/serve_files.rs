//! `pdp serve` as other programs exchange packages with it: `requests`, the tus client of Python, `tarfile`, GNU tar.

use std::path::Path;
use std::process::Command;

use crate::served::Served;
use crate::support::{Home, oracle, program, python, skipped, trades};

#[test]
fn t138_t139_other_programs_upload_resume_download_and_unpack() {
    let (Some(python), Some(tar)) = (python(), program("tar")) else { return };
    let has = Command::new(&python).args(["-c", "import requests, tusclient"]).output().unwrap();
    if !has.status.success() {
        return skipped("the Python has no requests or tuspy; `cargo xtask test` installs them");
    }
    let home = Home::new();
    for day in 2..=9 {
        for symbol in ["AAPL", "MSFT", "SPY"] {
            let date = format!("2024-01-{day:02}");
            home.put(&format!("data/{symbol}/Trade/{date}.jsonl"), trades(symbol, &date, 3_000));
        }
    }
    let package = home.create(&["--name", "served", "--output", "elsewhere", "--compression", "none"]);
    std::fs::create_dir(home.join("work")).unwrap();
    let server = Served::start(&home, "data", "packages", false, &[]);
    let done = oracle(
        &python,
        "serve_files.py",
        &[Path::new(server.url.trim_end_matches('/')), &package, &home.join("work"), &tar],
    );
    assert_eq!(done["ranges"], 40 + 1);
    assert!(done["members"].as_u64().unwrap() > 24, "{done}");
    // Of the piece that broke off, something was kept.
    assert!(done["resumed.zip"].as_u64().unwrap() > 0, "{done}");
}
