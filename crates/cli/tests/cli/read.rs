//! `pdp read`: one file of a package, verified.

use std::fs;
use std::path::Path;

use crate::support::{Home, trades};

const DATE: &str = "2024-01-03";
const MEMBER: &str = "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl";

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_member_of_every_container_is_printed_and_written_as_it_was_packed() {
    let home = Home::new();
    // More than one block.
    let data = trades("AAPL", DATE, 4_000);
    assert!(data.len() > 512 << 10);
    home.put("data/AAPL/Trade/2024-01-03.jsonl", &data);
    for format in ["folder", "zip", "tar.gz"] {
        let package = text(&home.create(&["--name", "read", "--format", format]));
        let output = home.command(&["read", &package, MEMBER]).output().unwrap();
        assert!(output.status.success() && output.stdout == data.as_bytes(), "{format}");

        let target = home.put("out.jsonl", "what was there");
        let report = home.pdp(&["read", &package, MEMBER, "--output", "out.jsonl", "--json"]).ok().json();
        assert_eq!(fs::read_to_string(&target).unwrap(), data, "{format}");
        assert_eq!((&report["path"], report["sizeBytes"].as_u64().unwrap()), (&MEMBER.into(), data.len() as u64));
        assert_eq!(report["checksumSha256"].as_str().unwrap().len(), 64);

        let printed = home.pdp(&["read", &package, "manifest.json"]).ok().json();
        assert_eq!(printed["name"], "read");
        for none in ["data/none.jsonl", "../x", "/etc/passwd", ""] {
            home.pdp(&["read", &package, none]).fails(4, "member not found");
        }
    }
    home.pdp(&["read", "none.zip", MEMBER]).fails(4, "package not found");
}

#[test]
fn of_a_damaged_member_too_little_is_printed_and_nothing_is_written() {
    let home = Home::new();
    let data = trades("AAPL", DATE, 4_000);
    home.put("data/AAPL/Trade/2024-01-03.jsonl", &data);
    let package = home.create(&["--name", "damaged", "--format", "folder"]);
    let file = package.join(MEMBER);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 20;
    bytes[last] ^= 1;
    fs::write(&file, &bytes).unwrap();

    let package = text(&package);
    let output = home.command(&["read", &package, MEMBER]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(output.stdout.len() < data.len() && data.as_bytes().starts_with(&output.stdout));
    assert!(!output.stdout.is_empty());
    home.put("out.jsonl", "what was there");
    home.pdp(&["read", &package, MEMBER, "--output", "out.jsonl"]).fails(3, "sha256: expected");
    assert_eq!(fs::read_to_string(home.join("out.jsonl")).unwrap(), "what was there");

    // What the manifest does not speak of is no part of the package.
    home.put(&format!("{package}/data/other.jsonl"), "x");
    home.pdp(&["read", &package, "data/other.jsonl"]).fails(3, "not declared in the manifest");
    // Nor is what has another size.
    fs::write(&file, "short").unwrap();
    home.pdp(&["read", &package, MEMBER]).fails(3, "size: expected");
    let leftovers: Vec<_> = home.files("").into_iter().filter(|name| name.contains(".partial")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}
