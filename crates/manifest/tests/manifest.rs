//! The manifest's JSON: round trip, tolerance, refusals, published schema.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use pdp_manifest::json::{self, ManifestError};
use pdp_manifest::{ContentEncoding, Layout, Manifest, ManifestText, PackageCompression};
use serde_json::{Value, json};

fn sample() -> Value {
    json!({
        "packageVersion": "1.0.0",
        "packageId": "abc123def456",
        "name": "my-package",
        "description": "Research data package",
        "createdAt": "2024-01-03T12:00:00Z",
        "creatorVersion": "1.0.0",
        "format": "Zip",
        "compression": "Deflate",
        "packageChecksum": format!("sha256:{}", "ab".repeat(32)),
        "packageSizeBytes": 1048576,
        "uncompressedSizeBytes": 5242880,
        "dateRange": { "start": "2024-01-01T00:00:00Z", "end": "2024-03-31T23:59:59Z", "tradingDays": 63, "calendarDays": 90 },
        "symbols": ["AAPL", "MSFT", "SPY"],
        "eventTypes": ["Trade", "BboQuote"],
        "totalFiles": 189,
        "totalEvents": 5000000,
        "files": [{
            "path": "data/2024-01-03/AAPL/Trade/data.jsonl",
            "symbol": "AAPL",
            "eventType": "Trade",
            "date": "2024-01-03T00:00:00Z",
            "format": "jsonl",
            "sizeBytes": 10240,
            "eventCount": 1500,
            "checksumSha256": "cd".repeat(32)
        }],
        "schemas": { "Trade": { "eventType": "Trade", "version": "1.0", "fields": [
            { "name": "Timestamp", "type": "datetime", "description": "Event timestamp in UTC" },
            { "name": "Price", "type": "decimal", "description": "Trade price" }
        ] } }
    })
}

fn read(value: &Value) -> Result<Manifest, ManifestError> {
    json::parse(&serde_json::to_vec(value).unwrap())
}

#[test]
fn the_documents_sample_is_read() {
    let manifest = read(&sample()).unwrap();
    assert_eq!(manifest.files[0].symbol.as_str(), "AAPL");
    assert_eq!(manifest.files[0].event_count, Some(1500));
    assert_eq!(manifest.compression, Some(PackageCompression::Deflate));
    assert_eq!(manifest.schemas.values().next().unwrap().fields.len(), 2);
    assert!(manifest.supplementary_files.is_empty());
}

#[test]
fn what_is_written_is_read_back_the_same() {
    let mut value = sample();
    value["layout"] = json!("byDATE");
    value["tags"] = json!(["research", "ü"]);
    value["customMetadata"] = json!({ "owner": "desk 4", "nested": { "a": [1, 2] } });
    value["supplementaryFiles"] = json!([{ "path": "README.md", "sizeBytes": 3, "checksumSha256": "ef".repeat(32) }]);
    value["files"][0]["compressionType"] = json!("GZIP");
    let manifest = read(&value).unwrap();
    assert_eq!(manifest.layout, Some(Layout::ByDate));
    assert_eq!(manifest.files[0].encoding, ContentEncoding::Gzip);

    let text = ManifestText::new(&manifest);
    assert_eq!(text.render(7).len(), text.render(u64::MAX).len());
    let again = json::parse(&text.render(1_048_576)).unwrap();
    assert_eq!(again, manifest);
    assert_eq!(ManifestText::new(&again).render(9), text.render(9));
}

#[test]
fn numbers_of_seventeen_digits_survive() {
    let mut value = sample();
    value["customMetadata"] = serde_json::from_str(r#"{ "a": 184.44444444444446, "b": 0.1, "c": 1e-7 }"#).unwrap();
    let manifest = read(&value).unwrap();
    let again = json::parse(&ManifestText::new(&manifest).render(1_048_576)).unwrap();
    assert_eq!(again, manifest);
}

#[test]
fn the_size_is_found_even_when_a_description_imitates_it() {
    let mut value = sample();
    value["description"] = json!(format!("\n  \"packageSizeBytes\": {}", u64::MAX));
    let manifest = read(&value).unwrap();
    let again = json::parse(&ManifestText::new(&manifest).render(5)).unwrap();
    assert_eq!(again.package_size_bytes, Some(5));
    assert_eq!(again.description, manifest.description);
}

#[test]
fn reading_is_tolerant_where_other_writers_differ() {
    let mut value = sample();
    value["unknownField"] = json!({ "any": ["thing"] });
    value["format"] = json!("zip");
    value["compression"] = json!("deflate");
    value["createdAt"] = json!("2024-01-03T12:00:00.1234567");
    value["tags"] = Value::Null;
    value["customMetadata"] = Value::Null;
    value["quality"] = json!({ "somebodyElses": 1 });
    value["supplementaryFiles"] =
        json!([{ "path": "README.md", "sizeBytes": 0, "checksumSha256": "" }, "scripts/x.py"]);
    value["files"][0]["checksumSha256"] = json!(format!("SHA256:{}", "CD".repeat(32)));
    value["files"][0]["date"] = Value::Null;
    let manifest = read(&value).unwrap();
    assert_eq!(manifest.files[0].date, None);
    assert_eq!(manifest.supplementary_files[0].checksum_sha256, None);
    assert_eq!(manifest.supplementary_files[0].size_bytes, None);
    assert_eq!(manifest.supplementary_files.len(), 2);
    assert_eq!(manifest.quality, None);
}

#[test]
fn t069_to_t075_damaged_and_foreign_manifests_are_refused() {
    type Change = fn(&mut Value);
    let cases: &[(&str, Change, &str)] = &[
        (
            "no version",
            |v| {
                v.as_object_mut().unwrap().remove("packageVersion");
            },
            "packageVersion",
        ),
        ("newer major", |v| v["packageVersion"] = json!("2.0.0"), "needs format version 2.0.0"),
        ("newer minimum", |v| v["minRequiredVersion"] = json!("1.5.0"), "needs format version 1.5.0"),
        ("unsafe path", |v| v["files"][0]["path"] = json!("../x"), "unsafe"),
        ("absolute path", |v| v["files"][0]["path"] = json!("/etc/x"), "absolute"),
        ("empty checksum", |v| v["files"][0]["checksumSha256"] = json!(""), "not a SHA-256"),
        ("short checksum", |v| v["files"][0]["checksumSha256"] = json!("abcd"), "not a SHA-256"),
        ("other algorithm", |v| v["files"][0]["checksumSha256"] = json!("md5:00"), "unsupported checksum algorithm"),
        ("unknown word", |v| v["format"] = json!("rar"), "allowed: Zip, TarGz, Folder"),
        ("bad time", |v| v["createdAt"] = json!("soon"), "not an ISO 8601 time"),
        ("negative size", |v| v["files"][0]["sizeBytes"] = json!(-1), "invalid"),
        ("fractional count", |v| v["files"][0]["eventCount"] = json!(1.5), "invalid"),
        (
            "twice",
            |v| {
                let f = v["files"][0].clone();
                v["files"].as_array_mut().unwrap().push(f);
            },
            "twice",
        ),
        ("itself", |v| v["files"][0]["path"] = json!("manifest.json"), "cannot be"),
    ];
    for (name, change, expected) in cases {
        let mut value = sample();
        change(&mut value);
        let message = read(&value).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
    let text = serde_json::to_string(&sample()).unwrap();
    let doubled = text.replacen("\"name\":", "\"name\":\"other\",\"name\":", 1);
    let doubled_tag = text.replacen("\"schemas\":", "\"customMetadata\":{\"a\":1,\"a\":2},\"schemas\":", 1);
    let deep =
        text.replacen("\"schemas\":", &format!("\"x\":{}{},\"schemas\":", "[".repeat(10_000), "]".repeat(10_000)), 1);
    for (name, bytes, expected) in [
        ("bom", format!("\u{feff}{text}"), "byte order mark"),
        ("not json", "manifest".to_owned(), "line 1"),
        ("empty", String::new(), "line 1"),
        ("cut", text[..text.len() / 2].to_owned(), "line 1"),
        ("trailing", format!("{text}x"), "trailing"),
        ("NaN", text.replace("1048576", "NaN"), "line 1"),
        ("duplicate field", doubled, "is there twice"),
        ("duplicate key", doubled_tag, "is there twice"),
        ("deep", deep, "nested deeper"),
    ] {
        let message = json::parse(bytes.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains(expected), "{name}: {message}");
    }
}

#[test]
fn the_published_schema_is_the_codes_schema() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/manifest.schema.json");
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == json::schema(), "docs/formats/manifest.schema.json is stale: run `cargo xtask fixtures`");
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        let _ = json::parse(&bytes);
    }

    #[test]
    fn no_flipped_byte_makes_the_reader_panic(at in 0_usize..1200, to in proptest::prelude::any::<u8>()) {
        let mut bytes = serde_json::to_vec(&sample()).unwrap();
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = json::parse(&bytes);
    }
}
