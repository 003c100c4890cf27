//! Table Schemas (Frictionless) of CSV files: what the columns are called, what type they have and what they mean.

use std::collections::BTreeMap;

use pdp_manifest::{EventSchema, EventType, Field, Manifest, TimeUnit};
use serde_json::{Map, Value, json};

use crate::csv_table::{CsvTable, CsvTables};
use crate::table_type::TableType;

/// A column, of one file or of several.
struct Column {
    name: String,
    kind: TableType,
    /// Whether every row of every file has a value.
    required: bool,
    example: Option<Value>,
    /// In how many files it is.
    files: usize,
}

/// The Table Schema of every event type that has CSV files, as text: every column that one of them has.
///
/// Where files differ, the type is the one that covers all of them.
#[must_use]
pub fn table_schemas(manifest: &Manifest, tables: &CsvTables) -> Vec<(EventType, String)> {
    let mut by_type: BTreeMap<&EventType, Vec<&CsvTable>> = BTreeMap::new();
    for file in &manifest.files {
        if let Some(table) = tables.get(&file.path).filter(|table| !table.fields.is_empty()) {
            by_type.entry(&file.event_type).or_default().push(table);
        }
    }
    let schema = |(event_type, tables): (&EventType, Vec<&CsvTable>)| {
        let mut columns: Vec<Column> = Vec::new();
        for (at, column) in tables.iter().flat_map(|table| table.fields.iter().map(column).enumerate()) {
            // Files of one type mostly have the same columns in the same order.
            let same = columns.get(at).is_some_and(|known| known.name == column.name);
            let at = if same { Some(at) } else { columns.iter().position(|known| known.name == column.name) };
            match at.and_then(|at| columns.get_mut(at)) {
                Some(known) => {
                    known.kind = known.kind.wider(column.kind);
                    known.required &= column.required;
                    known.files += 1;
                    known.example = known.example.take().or(column.example);
                }
                None => columns.push(column),
            }
        }
        for column in &mut columns {
            column.required &= column.files == tables.len();
        }
        (event_type.clone(), crate::show::json(&descriptor(&columns, manifest.schemas.get(event_type))))
    };
    by_type.into_iter().map(schema).collect()
}

/// The Table Schema of one file; none where it is no table, or its header repeats a name.
pub(crate) fn of_file(table: &CsvTable, described: Option<&EventSchema>) -> Option<Value> {
    let columns: Vec<Column> = table.fields.iter().map(column).collect();
    let distinct =
        columns.iter().enumerate().all(|(i, one)| columns.iter().skip(i + 1).all(|two| one.name != two.name));
    (table.regular && distinct && !columns.is_empty()).then(|| descriptor(&columns, described))
}

fn column(found: &Field) -> Column {
    Column {
        // Readers trim the names in a header.
        name: found.name.trim().to_owned(),
        kind: TableType::of(found),
        required: !found.nullable && found.example.is_some(),
        example: found.example.clone(),
        files: 1,
    }
}

fn descriptor(columns: &[Column], described: Option<&EventSchema>) -> Value {
    let known = |column: &Column| {
        let fields = described.map(|schema| schema.fields.as_slice()).unwrap_or_default();
        // A manifest has one field for all spellings of a name.
        fields.iter().find(|field| field.name.eq_ignore_ascii_case(&column.name))
    };
    let fields: Vec<Value> = columns.iter().map(|column| field(column, known(column))).collect();
    json!({ "fields": fields, "missingValues": [""] })
}

fn field(column: &Column, known: Option<&Field>) -> Value {
    let mut out = Map::new();
    out.insert("name".into(), json!(column.name));
    out.insert("type".into(), json!(column.kind.word()));
    if let Some(format) = column.kind.format() {
        out.insert("format".into(), json!(format));
    }
    let meaning = known.map(|field| field.description.as_str()).unwrap_or_default();
    let count = column.kind.unit().map(|unit| format!("{} since 1970-01-01T00:00:00Z", unit_name(unit)));
    let mut description = [meaning, count.as_deref().unwrap_or_default()].to_vec();
    description.retain(|part| !part.is_empty());
    let description = description.join("; ");
    if !description.is_empty() {
        out.insert("description".into(), json!(description));
    }
    if let Some(unit) = column.kind.unit() {
        out.insert("unit".into(), json!(unit.word()));
    }
    if let Some(example) = &column.example {
        out.insert("example".into(), example.clone());
    }
    if column.required {
        out.insert("constraints".into(), json!({ "required": true }));
    }
    Value::Object(out)
}

const fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Days => "days",
        TimeUnit::Seconds => "seconds",
        TimeUnit::Millis => "milliseconds",
        TimeUnit::Micros => "microseconds",
        TimeUnit::Nanos => "nanoseconds",
    }
}
