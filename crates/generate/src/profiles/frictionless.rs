//! Frictionless Data Package 1: every data file is a resource, CSV with a dialect and a Table Schema.

use std::collections::HashMap;

use pdp_manifest::{ContentEncoding, CsvDialect, DataFormat, FileEntry, Manifest, time};
use serde_json::{Map, Value, json};

use super::{licence, media};
use crate::csv_table::CsvTables;
use crate::{show, table_schema};

pub(super) const DESCRIPTOR: &str = "datapackage.json";

/// `datapackage.json`.
pub(super) fn descriptor(manifest: &Manifest, tables: &CsvTables) -> String {
    let mut out = Map::new();
    out.insert("profile".into(), json!("data-package"));
    out.insert("name".into(), json!(slug(manifest.name.as_str())));
    out.insert("id".into(), json!(manifest.package_id.as_str()));
    out.insert("title".into(), json!(manifest.name.as_str()));
    if let Some(description) = &manifest.description {
        out.insert("description".into(), json!(description));
    }
    out.insert("created".into(), json!(time::format(manifest.created_at)));
    if !manifest.tags.is_empty() {
        out.insert("keywords".into(), json!(manifest.tags));
    }
    if let Some(text) = licence::stated(manifest) {
        let licence = if licence::is_address(&text) {
            json!({ "path": text })
        } else if licence::is_identifier(&text) {
            json!({ "name": text })
        } else {
            json!({ "name": "other", "title": text })
        };
        out.insert("licenses".into(), json!([licence]));
    }
    if !manifest.sources.is_empty() {
        let sources = manifest.sources.iter().map(|source| json!({ "title": source.as_str() }));
        out.insert("sources".into(), sources.collect());
    }
    let mut taken = Taken::new();
    let resources = manifest.files.iter().map(|file| resource(file, manifest, tables, &mut taken));
    out.insert("resources".into(), resources.collect());
    show::json(&Value::Object(out))
}

fn resource(file: &FileEntry, manifest: &Manifest, tables: &CsvTables, taken: &mut Taken) -> Value {
    let mut out = Map::new();
    let path = file.path.as_str();
    out.insert("name".into(), json!(name(path, taken)));
    out.insert("path".into(), json!(path));
    let described = manifest.schemas.get(&file.event_type);
    // Zstandard is no compression that readers of Data Packages undo.
    let readable = file.encoding != ContentEncoding::Zstd;
    let csv = file.csv.as_ref().filter(|csv| readable && header_leads(csv));
    let table = csv.zip(tables.get(&file.path).and_then(|table| table_schema::of_file(table, described)));
    if table.is_some() {
        // The first for readers of version 1, the second for those of version 2 and for frictionless-py.
        out.insert("profile".into(), json!("tabular-data-resource"));
        out.insert("type".into(), json!("table"));
    } else {
        // So that nested records, or rows of different widths, are not read as a table: without a type, frictionless-py
        // goes by the format.
        out.insert("profile".into(), json!("data-resource"));
        out.insert("type".into(), json!("file"));
    }
    out.insert("description".into(), json!(format!("{} of {}", file.event_type, file.symbol)));
    out.insert("format".into(), json!(file.format.word()));
    // What readers cannot undo is said as what it is.
    let mediatype = if readable { media::content(file.format) } else { media::stored(file) };
    out.insert("mediatype".into(), json!(mediatype));
    if readable && matches!(file.format, DataFormat::Csv | DataFormat::Jsonl) {
        out.insert("encoding".into(), json!("utf-8"));
    }
    if file.encoding == ContentEncoding::Gzip {
        out.insert("compression".into(), json!("gz"));
    }
    out.insert("bytes".into(), json!(file.size_bytes));
    if let Some(digest) = &file.checksum_sha256 {
        out.insert("hash".into(), json!(digest.prefixed()));
    }
    if let Some((csv, schema)) = table {
        out.insert("dialect".into(), dialect(csv));
        out.insert("schema".into(), schema);
    }
    Value::Object(out)
}

/// Whether a header, where there is one, is the first line. One behind comments is not found by frictionless-py, which
/// counts them.
const fn header_leads(csv: &CsvDialect) -> bool {
    !csv.has_header || csv.comment.is_none()
}

/// How the text is split. All of it is said: what is left out, readers guess.
fn dialect(csv: &CsvDialect) -> Value {
    let mut out = Map::new();
    out.insert("delimiter".into(), json!(csv.delimiter));
    out.insert("quoteChar".into(), json!('"'));
    out.insert("doubleQuote".into(), json!(true));
    out.insert("skipInitialSpace".into(), json!(false));
    out.insert("header".into(), json!(csv.has_header));
    if let Some(comment) = csv.comment {
        out.insert("commentChar".into(), json!(comment));
    }
    // Empty lines are no records; frictionless-py takes them for faults unless this is said.
    out.insert("skipBlankRows".into(), json!(true));
    Value::Object(out)
}

/// Names that are taken, and the number to try next for another of the same.
type Taken = HashMap<String, u64>;

/// A name that no other resource has, from the path below `data/`.
fn name(path: &str, taken: &mut Taken) -> String {
    let plain = slug(path.strip_prefix("data/").unwrap_or(path));
    let mut number = *taken.entry(plain.clone()).or_insert(1);
    let mut name = plain.clone();
    if number > 1 {
        name = format!("{plain}-{number}");
        while taken.contains_key(&name) {
            number += 1;
            name = format!("{plain}-{number}");
        }
        taken.insert(name.clone(), 2);
    }
    taken.insert(plain, number + 1);
    name
}

/// What a name may be made of: `a` to `z`, digits, `.`, `_`, `-`.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' | '.' | '_' => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    let trimmed = out.trim_matches('-');
    if trimmed.is_empty() { "unnamed".to_owned() } else { trimmed.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_different() {
        let mut taken = Taken::new();
        let paths = ["A/Été 1%.csv", "a/été 1.csv", "a-t-1-.csv", "日本", "x", "x-2", "X", "x-3", "-x", "x/"];
        let names = paths.map(|path| name(&format!("data/{path}"), &mut taken));
        assert_eq!(
            names,
            ["a-t-1-.csv", "a-t-1.csv", "a-t-1-.csv-2", "unnamed", "x", "x-2", "x-3", "x-3-2", "x-4", "x-5"]
        );
    }
}
