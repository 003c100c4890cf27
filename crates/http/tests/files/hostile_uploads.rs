//! T139: archives that are unsafe, made as their makers would, none of which may leave anything behind.

use std::fs;

use serde_json::Value;

use crate::support::{Server, names, skipped};

const FIELDS: [(&str, &str); 1] = [("Content-Type", "application/octet-stream")];

#[test]
fn t139_every_hostile_archive_is_refused() {
    let Some(python) = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|directory| directory.join("python3")).find(|path| path.is_file())
    }) else {
        return skipped("no Python 3, which makes the hostile archives");
    };
    let server = Server::new();
    let home = tempfile::tempdir().unwrap();
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/hostile/make.py");
    let made = std::process::Command::new(python).arg(generator).arg(home.path()).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let index: Vec<Value> = serde_json::from_slice(&fs::read(home.path().join("index.json")).unwrap()).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for case in &index {
        let file = case["file"].as_str().unwrap();
        let name = if case["container"] == "zip" { "case.zip" } else { "case.tar.gz" };
        let bytes = fs::read(home.path().join(file)).unwrap();
        let answer = server.ask("POST", &format!("/api/packaging/upload?fileName={name}"), &FIELDS, &bytes);
        match case["verdict"].as_str().unwrap() {
            "accept" => {
                assert_eq!(answer.status, 201, "{file}: {}", answer.text());
                assert_eq!(server.ask("DELETE", &format!("/api/packaging/{name}"), &[], b"").status, 204, "{file}");
                accepted += 1;
            }
            _ => {
                assert_eq!(answer.status, 422, "{file}: {}", answer.text());
                answer.refuses(422, "");
                refused += 1;
            }
        }
        let (names, left) = (server.names(), server.uploads());
        assert!(names.is_empty() && left.is_empty(), "{file}: {names:?} {left:?}");
    }
    assert!(accepted > 100 && refused > 1000, "{accepted} accepted, {refused} refused");
    assert_eq!(names(server.home.path()), ["data", "packages"]);
    assert!(names(&server.home.path().join("data")).is_empty());
}
