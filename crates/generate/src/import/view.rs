//! What the templates of import scripts show, as ready text.

use pdp_manifest::ImportTarget;
use serde::Serialize;

use super::kind::Kind;
use super::plan::{Column, Plan, Table};
use super::{clickhouse, duckdb, quote};

/// Files that one statement reads; more make statements that servers refuse.
const FILES_AT_ONCE: usize = 50;

#[derive(Debug, Serialize)]
pub(super) struct TableView {
    name: String,
    name_py: String,
    event_type: String,
    event_type_py: String,
    event_type_text: String,
    rows: u64,
    /// For their number alone.
    files: Vec<()>,
    columns: Vec<ColumnView>,
    /// Queries of the files' records, so many at once as one statement takes.
    sources: Vec<Vec<String>>,
    /// Whether numbers in JSON need more digits than a reader of JSON keeps.
    exact: bool,
    texts: String,
    jsons: String,
    /// An expression that counts the values that should be there and are not.
    missing: String,
}

#[derive(Debug, Serialize)]
struct ColumnView {
    name: String,
    name_py: String,
    field_py: String,
    kind: &'static str,
    unit: Option<&'static str>,
    sql: String,
    sql_text: String,
    companion: Option<String>,
    companion_py: Option<String>,
    always: bool,
    value: String,
}

/// A string literal in the language of the target's script.
pub(super) fn literal(target: ImportTarget, text: &str) -> String {
    match target {
        ImportTarget::PostgreSql | ImportTarget::DuckDb => quote::sql(text),
        ImportTarget::ClickHouse => quote::clickhouse(text),
        ImportTarget::Spark | ImportTarget::Sqlite => quote::python(text),
    }
}

pub(super) fn tables(plan: &Plan<'_>, target: ImportTarget) -> Vec<TableView> {
    plan.tables.iter().map(|table| table_view(table, target)).collect()
}

fn table_view(table: &Table<'_>, target: ImportTarget) -> TableView {
    let mut pointers = duckdb::Pointers::default();
    let columns = table.columns.iter().map(|column| column_view(column, table, target, &mut pointers)).collect();
    let source = match target {
        ImportTarget::ClickHouse => clickhouse::source,
        _ => duckdb::source,
    };
    // Of a file without a byte some engines make an error.
    let filled: Vec<_> = table.files.iter().filter(|file| file.event_count != Some(0)).collect();
    let sources = filled.chunks(FILES_AT_ONCE);
    TableView {
        name: table.name.clone(),
        name_py: quote::python(&table.name),
        event_type: table.event_type.to_string(),
        event_type_py: quote::python(table.event_type.as_str()),
        event_type_text: literal(target, table.event_type.as_str()),
        rows: table.rows,
        files: vec![(); table.files.len()],
        columns,
        sources: sources.map(|files| files.iter().map(|file| source(table, file)).collect()).collect(),
        exact: table.columns.iter().any(|column| column.kind.beyond_double()),
        texts: pointers.texts(),
        jsons: pointers.jsons(),
        missing: missing(table, target),
    }
}

fn column_view(
    column: &Column,
    table: &Table<'_>,
    target: ImportTarget,
    pointers: &mut duckdb::Pointers,
) -> ColumnView {
    let companion = match (target, column.kind) {
        (ImportTarget::PostgreSql | ImportTarget::Spark, Kind::Time(_)) => Some(column.companion.clone()),
        (ImportTarget::Sqlite, kind) if kind.beyond_sqlite() => Some(column.companion.clone()),
        _ => None,
    };
    let sql = match target {
        ImportTarget::ClickHouse => clickhouse::sql_type(column),
        _ => column.kind.sql(target),
    };
    let value = match target {
        ImportTarget::ClickHouse => clickhouse::value(column),
        ImportTarget::DuckDb => duckdb::value(column, table.event_type.as_str(), pointers),
        _ => String::new(),
    };
    ColumnView {
        name: column.name.clone(),
        name_py: quote::python(&column.name),
        field_py: quote::python(&column.field),
        kind: column.kind.word(),
        unit: match column.kind {
            Kind::Time(unit) => unit.map(pdp_manifest::TimeUnit::word),
            _ => None,
        },
        sql_text: literal(target, &sql),
        sql,
        companion_py: companion.as_deref().map(quote::python),
        companion,
        always: expected(column),
        value,
    }
}

/// Whether a missing value is a fault. A time may be missing as one that was not set.
fn expected(column: &Column) -> bool {
    column.always && !matches!(column.kind, Kind::Time(_))
}

fn missing(table: &Table<'_>, target: ImportTarget) -> String {
    let mark = if target == ImportTarget::ClickHouse { '`' } else { '"' };
    let each: Vec<String> = table
        .columns
        .iter()
        .filter(|column| expected(column))
        .map(|column| format!("count(*) - count({mark}{}{mark})", column.name))
        .collect();
    if each.is_empty() { "0".to_owned() } else { each.join(" + ") }
}
