//! The tables that a package's records go to, the same for every engine.

use pdp_manifest::{ContentEncoding, DataFormat, EventType, Field, FieldType, FileEntry, Manifest};

use super::kind::Kind;
use super::names::{Names, snake};

/// Columns of every table beside those of the data: which package, and which of its files a row is from.
pub(super) const PROVENANCE: [&str; 2] = ["package_id", "source_file"];

/// Parts of a path that are put together in every way; a longer one is taken at its dots or as a whole.
const MOST_PARTS: usize = 4;

/// What is loaded, and what cannot be.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) tables: Vec<Table<'a>>,
    /// Files that no engine reads, with the reason.
    pub(super) left_out: Vec<(&'a FileEntry, String)>,
}

/// The table of one event type.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) name: String,
    pub(super) event_type: &'a EventType,
    /// The rows that the manifest says its files have.
    pub(super) rows: u64,
    pub(super) columns: Vec<Column>,
    pub(super) files: Vec<&'a FileEntry>,
}

/// A column that is made of a field.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The field's name in the manifest.
    pub(super) field: String,
    pub(super) kind: Kind,
    /// Whether it is bytes, which become hexadecimal text.
    pub(super) is_binary: bool,
    /// The name of the column in a file of columns.
    pub(super) original: String,
    /// Whether every record has a value for it.
    pub(super) always: bool,
    /// Where in a record of JSON it can stand; the first that is there counts.
    pub(super) places: Vec<Vec<String>>,
    /// Counts only in records that have a field of this name themselves.
    pub(super) only_beside: Option<String>,
    /// The name of a second column for what the first cannot hold exactly.
    pub(super) companion: String,
    pub(super) role: Role,
}

/// What is special about a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Plain,
    /// Filled from the manifest where a record has none.
    Symbol,
    /// Always the event type's name, where a record of JSON may have its number.
    Type,
}

impl<'a> Plan<'a> {
    pub(super) fn of(manifest: &'a Manifest) -> Self {
        let mut left_out = Vec::new();
        let mut names = Names::default();
        let mut tables = Vec::new();
        for event_type in types(manifest) {
            let mut files = Vec::new();
            for file in manifest.files.iter().filter(|file| &file.event_type == event_type) {
                match unreadable(file) {
                    Some(reason) => left_out.push((file, reason)),
                    None => files.push(file),
                }
            }
            if files.is_empty() {
                continue;
            }
            let fields = manifest.schemas.get(event_type).map(|schema| schema.fields.as_slice()).unwrap_or_default();
            tables.push(Table {
                name: names.take(&snake(event_type.as_str())),
                event_type,
                rows: files.iter().filter_map(|file| file.event_count).sum(),
                columns: columns(fields),
                files,
            });
        }
        Self { tables, left_out }
    }
}

impl Table<'_> {
    /// All columns of a file of columns, bytes among them as hexadecimal text; `name` quotes a name.
    pub(super) fn all_columns(&self, name: impl Fn(&str) -> String) -> String {
        let binary: Vec<String> = self
            .columns
            .iter()
            .filter(|column| column.is_binary)
            .map(|column| format!("hex({0}) AS {0}", name(&column.original)))
            .collect();
        if binary.is_empty() { "*".to_owned() } else { format!("* REPLACE ({})", binary.join(", ")) }
    }
}

/// The event types of the files, in the order of their first file's type name.
fn types(manifest: &Manifest) -> Vec<&EventType> {
    let mut types: Vec<_> = manifest.files.iter().map(|file| &file.event_type).collect();
    types.sort_unstable();
    types.dedup();
    types
}

/// Why no engine reads a file; `None` for one that can be read.
fn unreadable(file: &FileEntry) -> Option<String> {
    match (file.format, file.encoding) {
        (DataFormat::Fxd, _) => Some("fxd: convert it first, pdp fxd convert".to_owned()),
        (DataFormat::Dbn, _) => Some("dbn: use databento.DBNStore.from_file(path).to_df()".to_owned()),
        (DataFormat::Jsonl | DataFormat::Csv, _) | (DataFormat::Parquet, ContentEncoding::Identity) => None,
        (DataFormat::Parquet, other) => Some(format!("parquet inside {other}: unpack it first")),
    }
}

fn columns(fields: &[Field]) -> Vec<Column> {
    let symbol = Field::new("symbol".to_owned(), pdp_manifest::FieldType::String);
    let has_symbol = fields.iter().any(|field| field.name.trim().eq_ignore_ascii_case("symbol"));
    let all: Vec<&Field> = fields.iter().chain((!has_symbol).then_some(&symbol)).collect();
    let mut names = Names::default();
    for name in PROVENANCE {
        names.take(name);
    }
    // First the columns, then their companions, so that no companion takes a column's name.
    let taken: Vec<String> = all.iter().map(|field| names.take(&snake(&field.name))).collect();
    all.iter()
        .zip(taken)
        .map(|(field, name)| {
            let role = match field.name.trim().to_ascii_lowercase().as_str() {
                "symbol" => Role::Symbol,
                "type" => Role::Type,
                _ => Role::Plain,
            };
            let kind = if role == Role::Plain { Kind::of(field) } else { Kind::Text };
            let suffix = if matches!(kind, Kind::Time(_)) { "ns" } else { "text" };
            Column {
                companion: names.take(&format!("{name}_{suffix}")),
                field: field.name.clone(),
                is_binary: field.field_type == FieldType::Binary,
                original: field.path.clone().unwrap_or_else(|| field.name.clone()),
                always: !field.nullable || role != Role::Plain,
                places: places(field),
                only_beside: beside(field, &all),
                name,
                kind,
                role,
            }
        })
        .collect()
}

fn places(field: &Field) -> Vec<Vec<String>> {
    let mut places = splits(field.path.as_deref().unwrap_or(&field.name));
    if !inside_payload(&field.name) {
        places.extend(splits(&field.name));
        places.extend(splits(&field.name).into_iter().map(|place| [vec!["payload".to_owned()], place].concat()));
    }
    let mut found: Vec<Vec<String>> = Vec::new();
    for place in places {
        if !found.contains(&place) {
            found.push(place);
        }
    }
    found
}

/// The names that a path can stand for: each dot is between two of them, or part of one.
fn splits(path: &str) -> Vec<Vec<String>> {
    let parts: Vec<&str> = path.split('.').collect();
    if parts.len() > MOST_PARTS {
        return vec![parts.into_iter().map(str::to_owned).collect(), vec![path.to_owned()]];
    }
    let mut found: Vec<Vec<String>> = vec![Vec::new()];
    for (at, part) in parts.into_iter().enumerate() {
        let joined = found.clone();
        for place in &mut found {
            place.push(part.to_owned());
        }
        if at > 0 {
            found.extend(joined.into_iter().map(|mut place| {
                if let Some(last) = place.last_mut() {
                    last.push('.');
                    last.push_str(part);
                }
                place
            }));
        }
    }
    found
}

fn inside_payload(name: &str) -> bool {
    name.get(..8).is_some_and(|head| head.eq_ignore_ascii_case("payload."))
}

/// The record's own field of which a field of the payload is the namesake.
fn beside(field: &Field, all: &[&Field]) -> Option<String> {
    let inner = field.name.get(8..).filter(|_| inside_payload(&field.name))?;
    all.iter().any(|other| other.name.eq_ignore_ascii_case(inner)).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use pdp_manifest::FieldType;

    use super::*;

    #[test]
    fn a_dot_divides_or_is_part_of_a_name() {
        assert_eq!(splits("a"), [["a"]]);
        assert_eq!(splits("a.b.c"), [vec!["a", "b", "c"], vec!["a.b", "c"], vec!["a", "b.c"], vec!["a.b.c"]]);
        assert_eq!(splits("a.b.c.d.e").len(), 2);
    }

    #[test]
    fn columns_have_names_of_their_own() {
        let fields: Vec<_> = ["timestamp", "payload.timestamp", "timestamp_ns", "package_id", "Price"]
            .into_iter()
            .map(|name| Field::new(name.to_owned(), FieldType::DateTime))
            .collect();
        let columns = columns(&fields);
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["timestamp", "payload_timestamp", "timestamp_ns", "package_id_2", "price", "symbol"]);
        assert_eq!(columns[0].companion, "timestamp_ns_2");
        assert_eq!(columns[1].only_beside.as_deref(), Some("timestamp"));
        assert_eq!(columns[1].places, [vec!["payload", "timestamp"], vec!["payload.timestamp"]]);
        assert_eq!(columns[4].places.len(), 2);
        assert_eq!(columns[5].role, Role::Symbol);
    }
}
