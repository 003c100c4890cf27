//! What the templates show, as ready text.

use pdp_manifest::{Check, DataFormat, EventType, Field, FieldType, FileEntry, Manifest, time};
use serde::Serialize;
use serde_json::Value;

use crate::show::{bytes, count, markdown, one_line};

/// The package as a whole.
#[derive(Debug, Serialize)]
pub(crate) struct Package {
    name: String,
    id: String,
    description: Option<String>,
    created_at: String,
    creator_version: String,
    total_files: String,
    total_events: String,
    uncompressed: String,
    symbols: String,
    event_types: String,
    sources: String,
    range: Option<Range>,
    layout: String,
    pattern: &'static str,
    quality: Option<Quality>,
    filters: Vec<String>,
    tags: String,
    metadata: Vec<(String, String)>,
    example_symbol: String,
    example_event_type: String,
    example_date: Option<String>,
    /// Whether the loaders read any of the files.
    loaded: bool,
    /// Whether there are any.
    has_data: bool,
    /// A member that is a store of bars.
    store: Option<String>,
    formats: String,
}

#[derive(Debug, Serialize)]
struct Range {
    start: String,
    end: String,
    trading_days: String,
    calendar_days: String,
}

#[derive(Debug, Serialize)]
struct Quality {
    grade: String,
    overall: String,
    completeness: String,
    integrity: String,
    issues: Vec<String>,
}

impl Package {
    pub(crate) fn of(manifest: &Manifest) -> Self {
        let loaded = || manifest.files.iter().filter(|file| !matches!(file.format, DataFormat::Fxd | DataFormat::Dbn));
        let first = loaded().find(|file| file.date.is_some()).or_else(|| loaded().next());
        let layout = manifest.layout.unwrap_or(pdp_manifest::Layout::ByDate);
        Self {
            name: markdown(manifest.name.as_str()),
            id: manifest.package_id.to_string(),
            description: manifest.description.as_deref().map(markdown),
            created_at: time::format(manifest.created_at),
            creator_version: manifest.creator_version.clone().unwrap_or_default(),
            total_files: count(manifest.total_files),
            total_events: count(manifest.total_events),
            uncompressed: bytes(manifest.uncompressed_size_bytes.unwrap_or(0)),
            symbols: some(manifest.symbols.iter().map(ToString::to_string)),
            event_types: some(manifest.event_types.iter().map(ToString::to_string)),
            sources: some(manifest.sources.iter().map(ToString::to_string)),
            range: manifest.date_range.as_ref().map(|range| Range {
                start: time::format(range.start),
                end: time::format(range.end),
                trading_days: range.trading_days.map_or_else(|| "?".to_owned(), count),
                calendar_days: range.calendar_days.map_or_else(|| "?".to_owned(), count),
            }),
            layout: layout.to_string(),
            pattern: pattern(layout),
            quality: manifest.quality.as_ref().map(|quality| Quality {
                grade: quality.grade.to_string(),
                overall: format!("{:.2}", quality.overall_score),
                completeness: format!("{:.2}", quality.completeness_score),
                integrity: format!("{:.2}", quality.integrity_score),
                issues: quality.issues.iter().take(10).map(|issue| markdown(issue)).collect(),
            }),
            filters: filters(manifest),
            tags: manifest.tags.iter().map(|tag| markdown(tag)).collect::<Vec<_>>().join(", "),
            metadata: manifest
                .custom_metadata
                .iter()
                .map(|(key, value)| (markdown(key), markdown(&plain(value))))
                .collect(),
            example_symbol: quoted(first.map_or("AAPL", |file| file.symbol.as_str())),
            example_event_type: quoted(first.map_or("Trade", |file| file.event_type.as_str())),
            example_date: first.and_then(|file| file.date).map(|date| format!("\"{date}\"")),
            loaded: loaded().next().is_some(),
            has_data: !manifest.files.is_empty(),
            store: manifest.files.iter().find(|file| file.format == DataFormat::Fxd).map(|file| file.path.to_string()),
            formats: formats(&manifest.files),
        }
    }
}

const fn pattern(layout: pdp_manifest::Layout) -> &'static str {
    match layout {
        pdp_manifest::Layout::ByDate => "data/{date}/{symbol}/{type}/",
        pdp_manifest::Layout::BySymbol => "data/{symbol}/{type}/{date}/",
        pdp_manifest::Layout::ByType => "data/{type}/{symbol}/{date}/",
        pdp_manifest::Layout::Flat => "data/{symbol}_{type}_{date}.{extension}",
    }
}

/// A string literal of Python and R.
fn quoted(text: &str) -> String {
    format!("\"{}\"", one_line(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// The first of many words.
fn some(words: impl Iterator<Item = String>) -> String {
    const MOST: usize = 20;
    let words: Vec<String> = words.map(|word| markdown(&word)).collect();
    let mut text = words.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > MOST {
        text.push_str(&format!(" and {} more", words.len() - MOST));
    }
    text
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn filters(manifest: &Manifest) -> Vec<String> {
    let filters = &manifest.filters;
    let list = |words: Vec<String>| words.iter().map(|word| markdown(word)).collect::<Vec<_>>().join(", ");
    let mut lines = Vec::new();
    if !filters.symbols.is_empty() {
        lines.push(format!("symbols {}", list(filters.symbols.iter().map(ToString::to_string).collect())));
    }
    if !filters.event_types.is_empty() {
        lines.push(format!("event types {}", list(filters.event_types.iter().map(ToString::to_string).collect())));
    }
    lines.extend(filters.start_date.map(|date| format!("from {date}")));
    lines.extend(filters.end_date.map(|date| format!("to {date}")));
    lines
}

fn formats(files: &[FileEntry]) -> String {
    let mut words: Vec<&str> = files.iter().map(|file| file.format.word()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(", ")
}

/// One event type in the dictionary.
#[derive(Debug, Serialize)]
pub(crate) struct EventTypeView {
    name: String,
    version: String,
    files: String,
    records: String,
    symbols: String,
    first: String,
    last: String,
    days: String,
    fields: Vec<FieldView>,
    listed: Vec<FileView>,
    more_files: String,
}

#[derive(Debug, Serialize)]
struct FieldView {
    name: String,
    path: String,
    kind: String,
    nullable: &'static str,
    seen: String,
    example: String,
    description: String,
}

/// A file in the dictionary.
#[derive(Debug, Serialize)]
struct FileView {
    path: String,
    records: String,
    first: String,
    last: String,
}

/// Most files of one event type that the dictionary lists.
const MAX_FILES: usize = 25;

/// A check of the quality report.
#[derive(Debug, Serialize)]
pub(crate) struct CheckView {
    name: &'static str,
    word: &'static str,
    meaning: &'static str,
}

/// All checks, the gravest first.
pub(crate) fn checks() -> Vec<CheckView> {
    let view = |check: &Check| CheckView { name: check.names().0, word: check.word(), meaning: check.meaning() };
    Check::ALL.iter().map(view).collect()
}

pub(crate) fn event_types(manifest: &Manifest) -> Vec<EventTypeView> {
    manifest.event_types.iter().map(|event_type| event_type_view(manifest, event_type)).collect()
}

fn event_type_view(manifest: &Manifest, event_type: &EventType) -> EventTypeView {
    let files: Vec<&FileEntry> = manifest.files.iter().filter(|file| &file.event_type == event_type).collect();
    let mut symbols: Vec<String> = files.iter().map(|file| file.symbol.to_string()).collect();
    symbols.sort();
    symbols.dedup();
    let edge = |time: Option<chrono::DateTime<chrono::Utc>>| time.map_or_else(|| "-".to_owned(), time::format);
    let schema = manifest.schemas.get(event_type);
    EventTypeView {
        name: event_type.to_string(),
        version: schema.map_or_else(|| "-".to_owned(), |schema| markdown(&schema.version)),
        files: count(u64::try_from(files.len()).unwrap_or(u64::MAX)),
        records: count(files.iter().filter_map(|file| file.event_count).sum()),
        symbols: some(symbols.into_iter()),
        first: edge(files.iter().filter_map(|file| file.first_timestamp).min()),
        last: edge(files.iter().filter_map(|file| file.last_timestamp).max()),
        days: days(&files),
        fields: schema.map(|schema| schema.fields.iter().map(field_view).collect()).unwrap_or_default(),
        listed: files.iter().take(MAX_FILES).map(|file| file_view(file)).collect(),
        more_files: match files.len().saturating_sub(MAX_FILES) {
            0 => String::new(),
            more => count(u64::try_from(more).unwrap_or(u64::MAX)),
        },
    }
}

/// The days that files are filed under.
fn days(files: &[&FileEntry]) -> String {
    let mut days: Vec<_> = files.iter().filter_map(|file| file.date).collect();
    days.sort_unstable();
    days.dedup();
    match days.as_slice() {
        [] => "none named".to_owned(),
        [day] => day.to_string(),
        [first, .., last] => format!("{first} to {last}, {} of them", days.len()),
    }
}

fn file_view(file: &FileEntry) -> FileView {
    let edge = |time: Option<chrono::DateTime<chrono::Utc>>| time.map_or_else(|| "-".to_owned(), time::format);
    FileView {
        path: markdown(file.path.as_str()),
        records: file.event_count.map_or_else(|| "not counted".to_owned(), count),
        first: edge(file.first_timestamp),
        last: edge(file.last_timestamp),
    }
}

/// The type with what is known of its form.
fn kind(field: &Field) -> String {
    let kind = &field.field_type;
    match (kind, field.unit, field.precision.zip(field.scale)) {
        (_, Some(unit), _) => format!("{kind}, {unit} since 1970"),
        (FieldType::Decimal, _, Some((precision, scale))) => format!("{kind}({precision},{scale})"),
        _ => kind.to_string(),
    }
}

/// The values that were seen: all where there are few, else from where to where.
fn seen(field: &Field) -> String {
    const MOST: usize = 12;
    if !field.values.is_empty() {
        let mut words: Vec<String> = field.values.iter().take(MOST).map(plain).collect();
        if field.values.len() > MOST {
            words.push(format!("and {} more", field.values.len() - MOST));
        }
        return words.join(", ");
    }
    match (&field.minimum, &field.maximum) {
        (Some(low), Some(high)) if low == high => plain(low),
        (Some(low), Some(high)) => format!("{} to {}", plain(low), plain(high)),
        _ => String::new(),
    }
}

fn field_view(field: &Field) -> FieldView {
    let example = field.example.as_ref().map(plain).unwrap_or_default();
    let shown: String = example.chars().take(40).collect();
    FieldView {
        name: markdown(&field.name),
        path: markdown(field.path.as_deref().unwrap_or(&field.name)),
        kind: kind(field),
        seen: markdown(&seen(field)),
        nullable: if field.nullable { "yes" } else { "no" },
        example: markdown(&shown),
        description: markdown(&field.description),
    }
}
