//! RO-Crate 1.1: a description of the package and every file in it as linked data.

use pdp_manifest::{FileEntry, Manifest, time};
use serde_json::{Map, Value, json};

use super::{Member, licence, media};
use crate::show;

pub(super) const METADATA: &str = "ro-crate-metadata.json";

const VERSION: &str = "https://w3id.org/ro/crate/1.1";
const CONTEXT: &str = "https://w3id.org/ro/crate/1.1/context";

/// `ro-crate-metadata.json`. `papers` are the members beside the data that it describes.
pub(super) fn metadata(manifest: &Manifest, papers: &[Member]) -> String {
    let (licence_id, licence) = licence(manifest);
    let mut graph = vec![
        json!({
            "@id": METADATA,
            "@type": "CreativeWork",
            "conformsTo": { "@id": VERSION },
            "about": { "@id": "./" },
        }),
        root(manifest, papers, &licence_id),
        licence,
    ];
    graph.extend(manifest.files.iter().map(data));
    graph.extend(papers.iter().map(paper));
    // Version 1.1 has no word for a SHA-256; schema.org, which it builds on, has.
    let context = json!([CONTEXT, { "sha256": "https://schema.org/sha256" }]);
    show::json(&json!({ "@context": context, "@graph": graph }))
}

fn root(manifest: &Manifest, papers: &[Member], licence_id: &str) -> Value {
    let mut out = Map::new();
    out.insert("@id".into(), json!("./"));
    out.insert("@type".into(), json!("Dataset"));
    out.insert("identifier".into(), json!(manifest.package_id.as_str()));
    out.insert("name".into(), json!(manifest.name.as_str()));
    let stated = manifest.description.clone().filter(|text| !text.trim().is_empty());
    out.insert("description".into(), json!(stated.unwrap_or_else(|| summary(manifest))));
    out.insert("datePublished".into(), json!(time::format(manifest.created_at)));
    out.insert("license".into(), json!({ "@id": licence_id }));
    if !manifest.tags.is_empty() {
        out.insert("keywords".into(), json!(manifest.tags));
    }
    if let Some(range) = &manifest.date_range {
        out.insert("temporalCoverage".into(), json!(interval(range.start, range.end)));
    }
    let data = manifest.files.iter().map(|file| file.path.as_str());
    let parts = data.chain(papers.iter().map(|paper| paper.path.as_str()));
    out.insert("hasPart".into(), parts.map(|path| json!({ "@id": id(path) })).collect());
    Value::Object(out)
}

/// What can be said of a package that has no description.
fn summary(manifest: &Manifest) -> String {
    let types: Vec<String> = manifest.event_types.iter().map(ToString::to_string).collect();
    let (records, files) = (manifest.total_events, manifest.total_files);
    format!("{} market data: {} records in {} files", types.join(", "), show::count(records), show::count(files))
}

/// The licence, which RO-Crate requires: what the maker says, else that nothing is said.
fn licence(manifest: &Manifest) -> (String, Value) {
    let (id, name, description) = match licence::stated(manifest) {
        Some(text) if licence::is_address(&text) => (text.clone(), text, None),
        Some(text) => ("#license".to_owned(), text, None),
        None => {
            let description = "The maker of this package states no licence for the data. Ask the maker, or the source of \
                               the data, before you pass it on.";
            ("#license".to_owned(), "No licence stated".to_owned(), Some(description))
        }
    };
    let mut out = Map::new();
    out.insert("@id".into(), json!(id));
    out.insert("@type".into(), json!("CreativeWork"));
    out.insert("name".into(), json!(name));
    if let Some(description) = description {
        out.insert("description".into(), json!(description));
    }
    (id, Value::Object(out))
}

fn data(file: &FileEntry) -> Value {
    let mut out = entity(file.path.as_str(), file.size_bytes.to_string(), media::stored(file));
    let records = file.event_count.map(|count| format!(", {} records", show::count(count))).unwrap_or_default();
    out.insert("description".into(), json!(format!("{} of {}{records}", file.event_type, file.symbol)));
    if let Some(digest) = &file.checksum_sha256 {
        out.insert("sha256".into(), json!(digest.to_string()));
    }
    if let (Some(first), Some(last)) = (file.first_timestamp, file.last_timestamp) {
        out.insert("temporalCoverage".into(), json!(interval(first, last)));
    }
    Value::Object(out)
}

fn paper(member: &Member) -> Value {
    let mut out = entity(&member.path, member.size.to_string(), media::paper(&member.path));
    out.insert("sha256".into(), json!(member.digest.to_string()));
    Value::Object(out)
}

fn entity(path: &str, size: String, media_type: &str) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("@id".into(), json!(id(path)));
    out.insert("@type".into(), json!("File"));
    out.insert("name".into(), json!(path.rsplit('/').next().unwrap_or(path)));
    out.insert("encodingFormat".into(), json!(media_type));
    out.insert("contentSize".into(), json!(size));
    out
}

fn interval(from: chrono::DateTime<chrono::Utc>, to: chrono::DateTime<chrono::Utc>) -> String {
    format!("{}/{}", time::format(from), time::format(to))
}

/// A path as a URI that is relative to the package.
fn id(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_uris() {
        assert_eq!(id("data/a b/é%20#1.csv"), "data/a%20b/%C3%A9%2520%231.csv");
    }
}
