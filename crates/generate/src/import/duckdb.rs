//! Expressions of `DuckDB`: every file is a list of JSON records, from which columns are taken by pointers.

use pdp_manifest::{ContentEncoding, DataFormat, FileEntry, ImportTarget};

use super::kind::Kind;
use super::plan::{Column, Role, Table};
use super::quote::{sql, sql_name};

/// Where each column's values come from: pointers in the order in which the expressions count them.
#[derive(Debug, Default)]
pub(super) struct Pointers {
    texts: Vec<String>,
    jsons: Vec<String>,
}

impl Pointers {
    pub(super) fn texts(&self) -> String {
        list(&self.texts)
    }

    pub(super) fn jsons(&self) -> String {
        list(&self.jsons)
    }

    /// The value at the first of these places that has one.
    fn first(&mut self, places: &[Vec<String>], json: bool) -> String {
        let (pointers, name) = if json { (&mut self.jsons, "j") } else { (&mut self.texts, "v") };
        let mut found = Vec::new();
        for pointer in places.iter().flat_map(|place| spellings(place)) {
            let at = pointers.iter().position(|known| *known == pointer).unwrap_or_else(|| {
                pointers.push(pointer);
                pointers.len() - 1
            });
            let value = format!("{name}[{}]", at + 1);
            if !found.contains(&value) {
                found.push(value);
            }
        }
        match found.as_slice() {
            [one] => one.clone(),
            several => format!("coalesce({})", several.join(", ")),
        }
    }
}

fn list(pointers: &[String]) -> String {
    pointers.iter().map(|pointer| sql(pointer)).collect::<Vec<_>>().join(", ")
}

/// JSON pointers to a place, its names as they stand, as collectors and as .NET write them, and in one case.
fn spellings(place: &[String]) -> Vec<String> {
    let with = |spell: fn(&str) -> String| {
        place.iter().map(|name| format!("/{}", spell(name).replace('~', "~0").replace('/', "~1"))).collect::<String>()
    };
    let mut all = vec![with(str::to_owned), with(lower_first), with(upper_first)];
    if place.len() == 1 {
        all.extend([with(|name| name.to_lowercase()), with(|name| name.to_uppercase())]);
    }
    let mut found: Vec<String> = Vec::new();
    for pointer in all {
        if !found.contains(&pointer) {
            found.push(pointer);
        }
    }
    found
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn upper_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The value of a column of this event type's table, from the lists `v` of texts and `j` of JSON.
pub(super) fn value(column: &Column, event_type: &str, pointers: &mut Pointers) -> String {
    let text = pointers.first(&column.places, false);
    let value = match (column.role, column.kind) {
        (Role::Symbol, _) => format!("coalesce({text}, file_symbol)"),
        (Role::Type, _) => format!(
            "CASE WHEN {text} IS NULL THEN {} WHEN regexp_full_match({text}, '[0-9]+') OR lower({text}) = lower(event_type) THEN coalesce(event_type, {text}) ELSE {text} END",
            sql(event_type)
        ),
        (_, Kind::Text) => text,
        // A JSON null is there as JSON and not as text.
        (_, Kind::Json) => {
            let json = pointers.first(&column.places, true);
            format!("CASE WHEN {text} IS NOT NULL THEN {json} END")
        }
        (_, Kind::Time(None)) => format!("pdp_time(trim({text}))"),
        (_, Kind::Time(Some(unit))) => format!(
            "CASE WHEN regexp_full_match(trim({text}), '-?[0-9.]+') THEN pdp_count(trim({text}), {}) ELSE pdp_time(trim({text})) END",
            unit.nanos()
        ),
        (_, Kind::Date) => format!("\"left\"(trim({text}), 10)::DATE"),
        (_, Kind::Decimal(_)) => {
            format!("nullif(trim({text}), 'NaN')::{}", column.kind.sql(ImportTarget::DuckDb))
        }
        (_, kind) => format!("trim({text})::{}", kind.sql(ImportTarget::DuckDb)),
    };
    match &column.only_beside {
        Some(other) => {
            let own = pointers.first(&[vec![other.clone()]], false);
            format!("CASE WHEN {own} IS NOT NULL THEN {value} END")
        }
        None => value,
    }
}

/// A query of a file's records as JSON, with what the manifest says of the file.
pub(super) fn source(table: &Table<'_>, file: &FileEntry) -> String {
    let known = format!(
        "SELECT {} AS source_file, {} AS file_symbol, {} AS event_type, ",
        sql(file.path.as_str()),
        sql(file.symbol.as_str()),
        // Only in records of the collector is a number the event type's.
        if file.format == DataFormat::Jsonl { sql(table.event_type.as_str()) } else { "NULL".to_owned() },
    );
    // A bracket in a name would be taken for a pattern.
    let path = sql(&file.path.as_str().replace('[', "[[]"));
    let packed = match file.encoding {
        ContentEncoding::Identity => "none",
        ContentEncoding::Gzip => "gzip",
        ContentEncoding::Zstd => "zstd",
    };
    match file.format {
        DataFormat::Csv => format!(
            "{known}to_json(\"a row\") AS record FROM read_csv({path}, {}, compression='{packed}') AS \"a row\"",
            dialect(table, file)
        ),
        DataFormat::Parquet => {
            let columns = table.all_columns(sql_name);
            format!(
                "{known}to_json(\"a row\") AS record FROM (SELECT {columns} FROM read_parquet({path})) AS \"a row\""
            )
        }
        _ => format!(
            "{known}line AS record FROM read_csv({path}, auto_detect=false, header=false, delim=chr(1), quote='', escape='', comment='', strict_mode=false, max_line_size=16777216, columns={{'line': 'VARCHAR'}}, compression='{packed}') WHERE CASE WHEN json_valid(line) THEN json_type(line) = 'OBJECT' ELSE false END"
        ),
    }
}

/// How a CSV file is to be read: every column as text, under the name of the field that it is.
fn dialect(table: &Table<'_>, file: &FileEntry) -> String {
    let Some(csv) = &file.csv else { return "all_varchar=true".to_owned() };
    let mut taken: Vec<String> = Vec::new();
    for name in &csv.columns {
        let same = |column: &&Column| column.field.trim().to_lowercase() == name.trim().to_lowercase();
        let field = table.columns.iter().find(same).map_or(name.as_str(), |column| column.field.as_str());
        let mut name = field.to_owned();
        while taken.iter().any(|known| known.to_lowercase() == name.to_lowercase()) {
            name.push('_');
        }
        taken.push(name);
    }
    let columns = taken.iter().map(|name| format!("{}: 'VARCHAR'", sql(name))).collect::<Vec<_>>().join(", ");
    format!(
        "auto_detect=false, header={}, delim={}, quote='\"', escape='\"', comment={}, null_padding=true, ignore_errors=true, parallel=false, columns={{{columns}}}",
        csv.has_header,
        sql(&csv.delimiter.to_string()),
        sql(&csv.comment.map(String::from).unwrap_or_default()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_shared_and_escaped() {
        let mut pointers = Pointers::default();
        let first = pointers.first(&[vec!["payload".into(), "a/b".into()], vec!["Größe'".into()]], false);
        assert_eq!(first, "coalesce(v[1], v[2], v[3], v[4], v[5])");
        assert_eq!(pointers.first(&[vec!["payload".into(), "a/b".into()]], false), "coalesce(v[1], v[2])");
        assert_eq!(pointers.texts(), "'/payload/a~1b', '/Payload/A~1b', '/Größe''', '/größe''', '/GRÖSSE'''");
    }
}
