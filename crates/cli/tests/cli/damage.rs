//! Damage is noticed, named, and leaves nothing behind.

use crate::support::{Home, files, trades};

fn package(home: &Home, args: &[&str]) -> std::path::PathBuf {
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 200));
    home.put("data/MSFT/Trade/2024-01-03.csv", "timestamp,price\n2024-01-03T00:00:00Z,1\n");
    home.create(args)
}

#[test]
fn a_flipped_bit_in_any_member_is_named_with_both_hashes() {
    for level in ["none", "balanced"] {
        let home = Home::new();
        let path = package(&home, &["--compression", level]);
        let good = std::fs::read(&path).unwrap();
        let listed = home.pdp(&["list", path.to_str().unwrap(), "--json"]).ok().json();
        let members: Vec<String> = listed["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| file["path"].as_str().unwrap().to_owned())
            .chain(listed["supplementaryFiles"].as_array().unwrap().iter().map(|p| p.as_str().unwrap().to_owned()))
            .collect();
        assert!(members.len() > 6);
        for member in members {
            // The first occurrence of the name is in the local header; the member's bytes follow it.
            let name = member.as_bytes();
            let header = |at: usize| good[at.saturating_sub(30)..].starts_with(b"PK\x03\x04");
            let at = (30..good.len() - name.len()).find(|&at| good[at..].starts_with(name) && header(at)).unwrap();
            let mut bytes = good.clone();
            bytes[at + name.len() + 3] ^= 0x10;
            std::fs::write(&path, &bytes).unwrap();
            let report = home.pdp(&["validate", path.to_str().unwrap(), "--json"]);
            assert_eq!(report.code, 3, "{level} {member}: {}", report.out);
            let json = report.json();
            let of_member =
                |finding: &&serde_json::Value| finding["member"] == member.as_str() && finding["check"] == "sha256";
            let found = json["findings"].as_array().unwrap().iter().find(of_member).unwrap();
            let hash = |key: &str| found[key].as_str().unwrap()[..64].to_owned();
            assert!(
                hash("expected") != hash("actual") && hash("actual").bytes().all(|b| b.is_ascii_hexdigit()),
                "{found}"
            );
            let findings = json["findings"].to_string();
            assert!(findings.contains(&member) && findings.contains("sidecar"), "{level} {member}: {findings}");
            home.pdp(&["import", path.to_str().unwrap(), "--destination", "there"]).fails(3, "");
            assert!(!home.join("there").exists(), "{level} {member}");
            // Without the sidecar the member's own checksums still tell.
            let sidecar = home.join(&format!("{}.sha256", path.display()));
            let kept = std::fs::read(&sidecar).unwrap();
            std::fs::remove_file(&sidecar).unwrap();
            home.pdp(&["validate", path.to_str().unwrap()]).fails(3, &member);
            let ran = home.pdp(&["import", path.to_str().unwrap(), "--destination", "there"]).fails(3, &member);
            assert!(ran.err.contains("Some files failed checksum validation"), "{}", ran.err);
            assert!(!home.join("there").exists(), "{level} {member}");
            std::fs::write(&sidecar, kept).unwrap();
        }
        std::fs::write(&path, &good).unwrap();
        home.pdp(&["validate", path.to_str().unwrap()]).ok();
    }
}

#[test]
fn a_folder_tells_expected_and_actual_hash() {
    let home = Home::new();
    let path = package(&home, &["--format", "folder"]);
    let member = "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl";
    let mut bytes = std::fs::read(path.join(member)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(path.join(member), &bytes).unwrap();
    let report = home.pdp(&["validate", path.to_str().unwrap(), "--json"]);
    assert_eq!(report.code, 3);
    let finding =
        report.json()["findings"].as_array().unwrap().iter().find(|f| f["check"] == "sha256").unwrap().clone();
    assert_eq!(finding["member"], member);
    assert_eq!(finding["expected"].as_str().map(str::len), Some(64));
    assert_ne!(finding["expected"], finding["actual"]);
    home.pdp(&["import", path.to_str().unwrap(), "--destination", "there"])
        .fails(3, "Some files failed checksum validation");
    assert!(!home.join("there").exists());
    // Asked to, it imports what no checksum vouches for.
    home.pdp(&["import", path.to_str().unwrap(), "--destination", "there", "--skip-validation"]).ok();
}

#[test]
fn t070_t071_missing_and_undeclared_members() {
    let home = Home::new();
    let path = package(&home, &["--format", "folder"]);
    std::fs::write(path.join("scripts/evil.py"), "x").unwrap();
    std::fs::remove_file(path.join("metadata/data_dictionary.md")).unwrap();
    let ran = home.pdp(&["validate", path.to_str().unwrap()]).fails(3, "scripts/evil.py: declaration");
    assert!(ran.out.contains("metadata/data_dictionary.md: presence"), "{}", ran.out);
    for extra in [&[][..], &["--skip-validation"]] {
        let args = [&["import", path.to_str().unwrap(), "--destination", "there"], extra].concat();
        home.pdp(&args).fails(3, "scripts/evil.py");
        assert!(!home.join("there").exists());
    }
}

#[test]
fn what_is_no_package() {
    let home = Home::new();
    home.put("text.zip", "not a zip");
    home.put("empty.zip", "");
    home.put("no-manifest/a.txt", "x");
    for command in ["validate", "list", "import"] {
        home.pdp(&[command, "absent.zip"]).fails(4, "package not found");
        home.pdp(&[command, "text.zip"]).fails(3, "not a package");
        home.pdp(&[command, "empty.zip"]).fails(3, "empty");
        home.pdp(&[command, "no-manifest"]).fails(3, "no manifest.json");
    }
    let json = home.pdp(&["list", "absent.zip", "--json"]);
    assert_eq!(json.json()["error"]["kind"], "notFound");
}

#[test]
fn t022_t024_what_lies_in_the_way_at_the_destination() {
    let home = Home::new();
    let path = package(&home, &[]);
    let path = path.to_str().unwrap();
    home.put("there/data", "a file where a directory must be");
    home.pdp(&["import", path, "--destination", "there"]).fails(1, "is a file where a directory should be");
    assert_eq!(home.files("there"), ["data"]);
    #[cfg(unix)]
    {
        let outside = home.join("outside");
        std::fs::create_dir(&outside).unwrap();
        std::fs::create_dir(home.join("linked")).unwrap();
        std::os::unix::fs::symlink(&outside, home.join("linked/data")).unwrap();
        home.pdp(&["import", path, "--destination", "linked"]).fails(1, "symbolic link");
        assert!(files(&outside).is_empty());
    }
    home.put("plain", "x");
    home.pdp(&["import", path, "--destination", "plain"]).fails(2, "not a directory");
}

#[test]
fn a_package_cannot_bring_what_speaks_for_an_import() {
    let home = Home::new();
    let path = package(&home, &["--format", "folder"]);
    // A member that another import would take for its own journal, declared like any other.
    let text = b"{\"moves\":[]}";
    std::fs::create_dir(path.join(".pdp-import")).unwrap();
    std::fs::write(path.join(".pdp-import/journal.json"), text).unwrap();
    let mut manifest = crate::support::manifest(&path);
    let digest = "9ed8e2e1e1a5f3ea38c5ec0b4a5d8b4b4b6d32ed9d6f9e06e0e9d3b7dc0ad6ac";
    let entry =
        serde_json::json!({ "path": ".pdp-import/journal.json", "sizeBytes": text.len(), "checksumSha256": digest });
    manifest["supplementaryFiles"].as_array_mut().unwrap().push(entry);
    std::fs::write(path.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    for args in [&["import", "--destination", "there", "--skip-validation"][..], &["validate"], &["list"]] {
        home.pdp(&[args, &[path.to_str().unwrap()]].concat()).fails(3, "names that begin with .pdp- are reserved");
        assert!(!home.join("there").exists());
    }
}

#[test]
fn a_manifest_whose_own_sums_are_wrong_is_refused_by_both() {
    type Change = fn(&mut serde_json::Value);
    let cases: [(&str, Change); 5] = [
        ("totalEvents", |m| m["totalEvents"] = 7.into()),
        ("totalFiles", |m| m["totalFiles"] = 7.into()),
        ("symbols", |m| m["symbols"] = serde_json::json!(["IBM"])),
        ("uncompressedSizeBytes", |m| m["uncompressedSizeBytes"] = 7.into()),
        ("dateRange", |m| m["dateRange"]["end"] = "2099-01-01T00:00:00Z".into()),
    ];
    let home = Home::new();
    let path = package(&home, &["--format", "folder"]);
    let good = crate::support::manifest(&path);
    for (name, change) in cases {
        let mut manifest = good.clone();
        change(&mut manifest);
        // Of the same length, so that nothing but the claim is wrong.
        let size = std::fs::metadata(path.join("manifest.json")).unwrap().len();
        let mut text = serde_json::to_vec(&manifest).unwrap();
        text.resize(usize::try_from(size).unwrap(), b' ');
        std::fs::write(path.join("manifest.json"), text).unwrap();
        let report = home.pdp(&["validate", path.to_str().unwrap(), "--json"]);
        assert_eq!(report.code, 3, "{name}");
        let findings = report.json()["findings"].as_array().unwrap().clone();
        assert!(findings.iter().all(|finding| finding["check"] == name) && findings.len() == 1, "{name}: {findings:?}");
        home.pdp(&["import", path.to_str().unwrap(), "--destination", "there"]).fails(3, name);
        assert!(!home.join("there").exists());
    }
}
