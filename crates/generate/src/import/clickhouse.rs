//! Expressions of ClickHouse: every file is a list of JSON records, taken apart into maps by lower-case name.

use pdp_manifest::{ContentEncoding, DataFormat, FileEntry};

use super::kind::Kind;
use super::plan::{Column, Role, Table};
use super::quote::{clickhouse as quoted, clickhouse_name};

/// The type of a column; the symbol, which every row has, is part of the order.
pub(super) fn sql_type(column: &Column) -> String {
    if column.role == Role::Symbol {
        "String".to_owned()
    } else {
        column.kind.sql(pdp_manifest::ImportTarget::ClickHouse)
    }
}

/// The value of a column, from the maps `m` of a record and `p` of its payload.
pub(super) fn value(column: &Column) -> String {
    // Decimals come from maps whose numbers are text, as JSON's numbers lose digits when they are read.
    let (own, payload) = if column.kind.beyond_double() { ("me", "pe") } else { ("m", "p") };
    let raw = |place: &Vec<String>| raw(place, own, payload);
    let mut raws: Vec<String> = Vec::new();
    for raw in column.places.iter().map(raw) {
        if !raws.contains(&raw) {
            raws.push(raw);
        }
    }
    let first = |wrap: &str| match raws.as_slice() {
        [one] => format!("{wrap}({one})"),
        several => {
            let each: Vec<String> = several.iter().map(|raw| format!("{wrap}({raw})")).collect();
            format!("coalesce({})", each.join(", "))
        }
    };
    let text = first("pdp_text");
    let value = match (column.role, column.kind) {
        (Role::Symbol, _) => format!("coalesce({text}, file_symbol)"),
        (Role::Type, _) => format!("pdp_type({text}, event_type)"),
        (_, Kind::Text) => text,
        (_, Kind::Json) => first("pdp_json"),
        (_, Kind::Boolean) => format!("pdp_boolean({text})"),
        (_, Kind::Long) => format!("toInt64(trimBoth({text}))"),
        (_, Kind::UnsignedLong) => format!("toUInt64(trimBoth({text}))"),
        (_, Kind::Double) => format!("toFloat64(trimBoth({text}))"),
        (_, Kind::Date) => format!("toDate32(left(trimBoth({text}), 10))"),
        (_, Kind::Decimal(digits)) => match Kind::decimal(digits) {
            Some((_, scale)) => format!("toDecimal128(nullIf(trimBoth({text}), 'nan'), {scale})"),
            None => format!("trimBoth({text})"),
        },
        (_, Kind::Time(None)) => format!("pdp_time(trimBoth({text}), 0)"),
        (_, Kind::Time(Some(unit))) => format!("pdp_time(trimBoth({text}), {})", unit.nanos()),
    };
    match &column.only_beside {
        Some(other) => format!("if(pdp_text({}) IS NULL, NULL, {value})", raw(&vec![other.clone()])),
        None => value,
    }
}

/// The JSON at a place.
fn raw(place: &[String], own: &str, payload: &str) -> String {
    let lower = |name: &String| quoted(name.trim().to_lowercase().as_str());
    let (start, rest) = match place {
        [first, second, rest @ ..] if first.eq_ignore_ascii_case("payload") => {
            (format!("{payload}[{}]", lower(second)), rest)
        }
        [first, rest @ ..] => (format!("{own}[{}]", lower(first)), rest),
        [] => return "''".to_owned(),
    };
    rest.iter().fold(start, |raw, name| format!("pdp_fields({raw})[{}]", lower(name)))
}

/// A query of a file's records as JSON, with what the manifest says of the file.
pub(super) fn source(table: &Table<'_>, file: &FileEntry) -> String {
    let path = file.path.as_str();
    // Only in records of the collector is a number the event type's.
    let event_type = if file.format == DataFormat::Jsonl { table.event_type.as_str() } else { "" };
    let known = format!(
        "SELECT {} AS source_file, {} AS file_symbol, {} AS event_type, ",
        quoted(path),
        quoted(file.symbol.as_str()),
        quoted(event_type),
    );
    // Braces would be taken for alternatives. A question mark stands for any character, so the path is compared too.
    let (pattern, only) = if path.contains(['{', '}']) {
        (path.replace(['{', '}'], "?"), format!(" AND endsWith(_path, {})", quoted(path)))
    } else {
        (path.to_owned(), String::new())
    };
    let packed = match file.encoding {
        ContentEncoding::Identity => "none",
        ContentEncoding::Gzip => "gzip",
        ContentEncoding::Zstd => "zstd",
    };
    let pattern = quoted(&pattern);
    match file.format {
        DataFormat::Csv => {
            let lines = format!(
                "SELECT _path, replaceRegexpOne(line, '^\\xEF\\xBB\\xBF|\\r$', '') AS bare FROM file({pattern}, 'LineAsString', 'line String', '{packed}')"
            );
            format!("{known}{}{only}", rows(file, &lines))
        }
        DataFormat::Parquet => {
            let columns = table.all_columns(clickhouse_name);
            format!(
                "{known}formatRow('JSONEachRow', {columns}) AS record FROM file({pattern}, 'Parquet') WHERE 1{only}"
            )
        }
        _ => format!(
            "{known}replaceRegexpOne(line, '^\\xEF\\xBB\\xBF', '') AS record FROM file({pattern}, 'LineAsString', 'line String', '{packed}') WHERE isValidJSON(record) AND JSONType(record) = 'Object'{only}"
        ),
    }
}

/// The lines of a CSV file as JSON. A quoted field that goes on over several lines is not put together again.
fn rows(file: &FileEntry, lines: &str) -> String {
    let (columns, has_header, delimiter, comment) = file
        .csv
        .as_ref()
        .map_or((&[][..], true, ',', None), |csv| (csv.columns.as_slice(), csv.has_header, csv.delimiter, csv.comment));
    let names: Vec<String> = columns.iter().map(|name| quoted(name.trim())).collect();
    let comment = comment.map(|comment| format!(" AND NOT startsWith(bare, {})", quoted(&comment.to_string())));
    let header = if has_header { " LIMIT 9223372036854775807 OFFSET 1" } else { "" };
    let plain = quoted(&delimiter.to_string());
    let code = u32::from(delimiter);
    let pattern = quoted(&format!(r#"\x{{{code:x}}}(?:"((?:[^"]|"")*)"|([^"\x{{{code:x}}}]*))"#));
    format!(
        "toJSONString(mapFromArrays([{}], arrayMap(x -> if(trimBoth(x) = '', NULL, x), arrayResize(fields, {}, '')))) AS record FROM (\
         SELECT _path, if(position(bare, '\"') = 0, splitByString({plain}, bare), arrayMap(x -> if(x[1] != '', replaceAll(x[1], '\"\"', '\"'), x[2]), extractAllGroupsVertical(concat({plain}, bare), {pattern}))) AS fields FROM (\
         SELECT * FROM ({lines}) WHERE bare != ''{}{header})) WHERE length(fields) <= {}",
        names.join(", "),
        names.len(),
        comment.unwrap_or_default(),
        names.len(),
    )
}
