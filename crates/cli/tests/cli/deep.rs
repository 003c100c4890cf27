//! `pdp validate --deep`: records counted again and held to their schemas.

use std::path::Path;

use pdp_packager::manifest::json;
use serde_json::Value;

use crate::support::{Home, files, sample_data, shared, skipped};

/// A folder package of two files whose records are easily changed.
fn package(home: &Home) -> std::path::PathBuf {
    let line = |n: u32| {
        format!(
            "{{\"timestamp\":\"2024-01-03T10:00:{n:02}Z\",\"symbol\":\"A\",\"type\":3,\"payload\":{{\"kind\":\"trade\",\"price\":1.5,\"size\":{n}}}}}\n"
        )
    };
    home.put("data/A/Trade/2024-01-03.jsonl", (0..20).map(line).collect::<String>());
    home.put(
        "data/B/AggregateBar/2024-01-03.csv",
        "timestamp,open,high,low,close,volume\n2024-01-03T10:00:00Z,1,2,1,2,5\n",
    );
    home.create(&["--format", "folder"])
}

/// Changes a data file, and the manifest's checksums and sizes so that only a deep look can find it.
fn change(package: &Path, member: &str, from: &str, to: &str) {
    let path = package.join(member);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    let text = text.replacen(from, to, 1);
    std::fs::write(&path, &text).unwrap();
    let manifest_path = package.join("manifest.json");
    let mut manifest = json::parse(&std::fs::read(&manifest_path).unwrap()).unwrap();
    let digest = pdp_packager::manifest::Sha256Digest::of(text.as_bytes());
    let size = u64::try_from(text.len()).unwrap();
    for file in &mut manifest.files {
        if file.path.as_str() == member {
            file.checksum_sha256 = Some(digest);
            file.size_bytes = size;
            file.uncompressed_size_bytes = Some(size);
        }
    }
    let total = manifest.files.iter().filter_map(|file| file.uncompressed_size_bytes).sum();
    manifest.uncompressed_size_bytes = Some(total);
    // What a forger who is no fool would leave out.
    manifest.package_checksum = None;
    let text = json::ManifestText::new(&manifest);
    let others: u64 = files(package)
        .iter()
        .filter(|name| *name != "manifest.json")
        .map(|name| std::fs::metadata(package.join(name)).unwrap().len())
        .sum();
    let own = u64::try_from(text.render(0).len()).unwrap();
    std::fs::write(&manifest_path, text.render(others + own)).unwrap();
}

#[test]
fn sound_packages_pass_with_every_record_counted() {
    let home = Home::new();
    let real = shared("events").map(|path| path.to_str().unwrap().to_owned());
    if real.is_none() {
        skipped("the real trees of events");
    }
    for (i, root) in [Some(sample_data()), real].into_iter().flatten().enumerate() {
        for format in ["zip", "tar.gz", "folder"] {
            let name = format!("p{i}");
            let package = home.create(&["--data-root", &root, "--format", format, "--name", &name]);
            let report = home.pdp(&["validate", "--deep", "--json", package.to_str().unwrap()]).ok().json();
            let listed = home.pdp(&["list", "--json", package.to_str().unwrap()]).ok().json();
            assert_eq!(report["checks"]["deepRecords"], listed["totalEvents"], "{format}");
            assert_eq!(report["checks"]["deepFiles"], listed["totalFiles"], "{format}");
        }
    }
    let package = package(&home);
    let shallow = home.pdp(&["validate", "--json", package.to_str().unwrap()]).ok().json();
    assert_eq!(shallow["checks"]["deep"], Value::Bool(false));
    let text = home.pdp(&["validate", "--deep", package.to_str().unwrap()]).ok();
    assert!(text.out.contains("21 records in 2 files counted again"), "{}", text.out);
}

#[test]
fn what_only_a_deep_look_finds() {
    for (member, from, to, finding) in [
        (
            "data/2024-01-03/A/Trade/2024-01-03.jsonl",
            "\"size\":7",
            "\"size\":\"7\"",
            "payload.size: expected integer, found string",
        ),
        ("data/2024-01-03/A/Trade/2024-01-03.jsonl", "\"price\":1.5,", "", "payload: price is missing"),
        (
            "data/2024-01-03/A/Trade/2024-01-03.jsonl",
            "{\"timestamp\":\"2024-01-03T10:00:05Z\"",
            "[\"timestamp\":\"2024-01-03T10:00:05Z\"",
            "eventCount",
        ),
        ("data/2024-01-03/A/Trade/2024-01-03.jsonl", "10:00:00Z", "09:00:00Z", "firstTimestamp"),
        (
            "data/2024-01-03/B/AggregateBar/2024-01-03.csv",
            "2,5\n",
            "2,5\n2024-01-03T10:00:00Z,1,2,1,2,5\n",
            "eventCount",
        ),
        ("data/2024-01-03/B/AggregateBar/2024-01-03.csv", "2,5\n", "2,many\n", "volume of type long"),
        ("data/2024-01-03/B/AggregateBar/2024-01-03.csv", ",volume", ",amount", "column amount"),
    ] {
        let home = Home::new();
        let package = package(&home);
        change(&package, member, from, to);
        let path = package.to_str().unwrap();
        home.pdp(&["validate", path]).ok();
        let ran = home.pdp(&["validate", "--deep", path]);
        assert_eq!(ran.code, 3, "{finding}: {}", ran.out);
        assert!(ran.out.contains(finding) && ran.out.contains(member), "{finding}: {}", ran.out);
    }
}

#[test]
fn what_the_manifest_says_of_fields_and_quality_is_counted_again() {
    for (from, to, finding) in [
        ("\"type\": \"decimal\"", "\"type\": \"doubles\"", "Trade.price"),
        ("\"maximum\": 19", "\"maximum\": 18", "Trade.size"),
        ("\"overallScore\": 100.0", "\"overallScore\": 199.0", "quality"),
    ] {
        let home = Home::new();
        let package = package(&home);
        let manifest = package.join("manifest.json");
        let text = std::fs::read_to_string(&manifest).unwrap();
        assert!(text.contains(from), "{from}: {text}");
        // Of the same length, so that the size still holds.
        std::fs::write(&manifest, text.replacen(from, to, 1)).unwrap();
        home.pdp(&["validate", package.to_str().unwrap()]).ok();
        let ran = home.pdp(&["validate", "--deep", package.to_str().unwrap()]);
        assert_eq!(ran.code, 3, "{finding}: {}", ran.out);
        assert!(ran.out.contains(finding), "{finding}: {}", ran.out);
    }
}
