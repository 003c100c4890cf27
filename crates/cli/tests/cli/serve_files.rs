//! `pdp serve` as other programs exchange packages with it: `requests`, the tus client of Python, `tarfile`, GNU tar.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Home, oracle, program, python, skipped, trades};

/// A server that ends with the test.
struct Server(Child, String);

impl Server {
    fn start(home: &Home) -> Self {
        let mut command = home.command(&["serve", "--json", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut text = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut text).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let url = report["listening"][0].as_str().unwrap().trim_end_matches('/').to_owned();
        Self(child, url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

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
    let server = Server::start(&home);
    let done = oracle(&python, "serve_files.py", &[Path::new(&server.1), &package, &home.join("work"), &tar]);
    assert_eq!(done["ranges"], 40 + 1);
    assert!(done["members"].as_u64().unwrap() > 24, "{done}");
    // Of the piece that broke off, something was kept.
    assert!(done["resumed.zip"].as_u64().unwrap() > 0, "{done}");
}
