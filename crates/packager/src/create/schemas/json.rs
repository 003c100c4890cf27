//! Shapes and fields as JSON Schema 2020-12.

use pdp_manifest::{Field, FieldType};
use serde_json::{Map, Value, json};

use super::present;
use crate::create::fields;
use crate::inspect::shape::{Kind, Shape};

/// The JSON Schema of a row as a loader gives it: a value for every column, null where there is none.
pub(super) fn row_schema(fields: &[Field]) -> Value {
    let property = |field: &Field| {
        let (kind, format) = match field.field_type {
            FieldType::Boolean => (Some("boolean"), None),
            FieldType::Long | FieldType::UnsignedLong => (Some("integer"), None),
            FieldType::Decimal | FieldType::Double => (Some("number"), None),
            FieldType::String | FieldType::Binary => (Some("string"), None),
            FieldType::DateTime if field.unit.is_some() => (Some("integer"), None),
            // As text, times have the form that the source gives them.
            FieldType::DateTime => (Some("string"), None),
            FieldType::Date => (Some("string"), Some("date")),
            FieldType::Array => (Some("array"), None),
            FieldType::Object => (Some("object"), None),
            FieldType::Null => (Some("null"), None),
            FieldType::Mixed | FieldType::Other(_) => (None, None),
        };
        let mut schema = Map::new();
        match kind {
            Some(kind) if field.nullable && kind != "null" => drop(schema.insert("type".into(), json!([kind, "null"]))),
            Some(kind) => drop(schema.insert("type".into(), json!(kind))),
            None => {}
        }
        schema.extend(format.map(|format| ("format".to_owned(), json!(format))));
        if !field.description.is_empty() {
            schema.insert("description".into(), json!(field.description));
        }
        schema.extend(field.example.clone().map(|example| ("examples".to_owned(), json!([example]))));
        (field.path.clone().unwrap_or_else(|| field.name.clone()), Value::Object(schema))
    };
    let properties: Map<String, Value> = fields.iter().map(property).collect();
    json!({
        "description": "One row of a table (CSV, Parquet, DBN) with its columns as fields.",
        "type": "object",
        "properties": properties,
    })
}

/// The JSON Schema of one value.
pub(super) fn json_schema(shape: &Shape, path: &str) -> Value {
    const WORDS: [(Kind, &str); 5] = [
        (Kind::Null, "null"),
        (Kind::Boolean, "boolean"),
        (Kind::Array, "array"),
        (Kind::Object, "object"),
        (Kind::String, "string"),
    ];
    let mut types: Vec<&str> = WORDS.iter().filter(|(kind, _)| shape.has(*kind)).map(|(_, word)| *word).collect();
    let timed = [Kind::DateTime, Kind::LocalTime, Kind::Date].into_iter().any(|kind| shape.has(kind));
    if timed && !types.contains(&"string") {
        types.push("string");
    }
    // Every integer is a number too, so one word is enough where both were seen.
    if shape.has(Kind::Decimal) || shape.has(Kind::Double) {
        types.push("number");
    } else if shape.has(Kind::Long) || shape.has(Kind::Unsigned) {
        types.push("integer");
    }
    let mut schema = Map::new();
    match types.as_slice() {
        [] => {}
        [one] => drop(schema.insert("type".into(), json!(one))),
        several => drop(schema.insert("type".into(), json!(several))),
    }
    let mixed =
        shape.has(Kind::String) || shape.has(Kind::LocalTime) || shape.has(Kind::DateTime) && shape.has(Kind::Date);
    if timed && !mixed {
        let format = if shape.has(Kind::DateTime) { "date-time" } else { "date" };
        schema.insert("format".into(), json!(format));
    }
    let description = fields::describe(path);
    if !description.is_empty() {
        schema.insert("description".into(), json!(description));
    }
    if let Some(example) = &shape.example {
        schema.insert("examples".into(), json!([example]));
    }
    if shape.has(Kind::Object) {
        let inner = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let properties: Map<String, Value> =
            present(shape).map(|(name, field)| (name.to_owned(), json_schema(field, &inner(name)))).collect();
        schema.insert("properties".into(), Value::Object(properties));
        // Where a value is an object only now and then, how often its fields were there says nothing.
        if shape.field_type() == FieldType::Object && !shape.has(Kind::Null) {
            let required: Vec<&str> =
                present(shape).filter(|(_, field)| field.seen >= shape.seen).map(|(name, _)| name).collect();
            schema.insert("required".into(), json!(required));
        }
    }
    if let Some(items) = shape.items.as_ref().filter(|items| items.seen > 0) {
        schema.insert("items".into(), json_schema(items, path));
    }
    Value::Object(schema)
}
