//! The HTTP interface of `pdp serve` in the hands of others: curl, Python's requests, schemathesis.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::served::{Served, TOKEN};
use crate::support::{Home, files, oracle, program, python, sample_data, skipped};

fn with_data() -> Home {
    let home = Home::new();
    let sample = sample_data();
    for name in files(Path::new(&sample)) {
        home.put(&format!("data/{name}"), std::fs::read(Path::new(&sample).join(&name)).unwrap());
    }
    home
}

#[test]
fn every_documented_request_works_with_curl_and_with_requests() {
    let (Some(python), Some(_)) = (python(), program("curl")) else { return };
    let home = with_data();
    let served = Served::start(&home, "data", "packages", false, &[]);
    let done = oracle(&python, "serve_api.py", &[Path::new(&served.url), home.path()]);
    for client in ["curl", "requests"] {
        let answers = &done[client];
        for (step, status) in
            [("create", 201), ("import", 200), ("validate", 200), ("contents", 200), ("list", 200), ("download", 200)]
        {
            assert_eq!(answers[step]["status"], status, "{client} {step}: {}", answers[step]);
        }
        let made = &answers["create"]["answer"];
        assert_eq!(made["symbols"], json!(["AAPL", "MSFT"]));
        assert_eq!(answers["import"]["answer"]["destination"], "imported");
        assert_eq!(answers["validate"]["answer"]["valid"], true);
        assert_eq!(answers["contents"]["answer"]["totalEvents"], made["totalEvents"]);
        assert_eq!(answers["list"]["answer"]["packages"][0]["fileName"], made["packagePath"]);
        let download = &answers["download"];
        assert_eq!((&download["same"], &download["bad"]), (&json!(true), &json!(null)));
        assert_eq!(download["sha256"], made["archiveSha256"]);
        assert_eq!(download["totalEvents"], made["totalEvents"]);
    }
    assert!(home.join("data/imported/manifest.json").is_file());
}

#[test]
fn t144_schemathesis_finds_no_server_error_and_nothing_undocumented() {
    let Some(python) = python() else { return };
    let tool = python.with_file_name("schemathesis");
    if !tool.is_file() {
        return skipped("schemathesis is not installed");
    }
    let home = with_data();
    let served = Served::start(&home, "data", "packages", true, &["--max-upload-size", "1MB", "--queue", "4"]);
    // Something that its examples find.
    let made = home.pdp(&[
        "create",
        "--data-root",
        "data",
        "--output",
        "packages",
        "--name",
        "my-package",
        "--created-at",
        "2024-01-03T12:00:00Z",
    ]);
    made.ok();
    let oracles = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let output = Command::new(tool)
        .current_dir(home.path())
        .arg("--config-file")
        .arg(oracles.join("schemathesis.toml"))
        .env("PYTHONPATH", &oracles)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "schemathesis_hooks")
        .arg("run")
        .arg(format!("{}api/openapi.json", served.url))
        .args(["--header", &format!("Authorization: Bearer {TOKEN}"), "--no-color"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    // Bodies of requests are long; what is wrong with them is not.
    let lines = text.lines().map(|line| line.chars().take(300).collect::<String>()).filter(|line| !line.is_empty());
    let said: Vec<String> = lines.skip_while(|line| !line.contains("FAILURES") && !line.contains("ERRORS")).collect();
    assert!(output.status.success(), "{}\n{}", said.join("\n"), String::from_utf8_lossy(&output.stderr));
}
