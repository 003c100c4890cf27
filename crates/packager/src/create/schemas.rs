//! The schemas of a package, from the shapes of its records.

use std::collections::BTreeMap;

use pdp_manifest::{EventSchema, EventType, Field, FieldType};
use serde_json::{Map, Value, json};

use crate::inspect::Findings;
use crate::inspect::shape::{Kind, Shape};

/// What the records of one event type look like, over all files.
#[derive(Debug, Default)]
pub(super) struct Records {
    nested: Option<Shape>,
    flat: Option<Shape>,
    version: Option<String>,
}

/// The shapes of all event types.
#[derive(Debug, Default)]
pub(super) struct Schemas(BTreeMap<EventType, Records>);

impl Schemas {
    /// Adds what one file holds.
    pub(super) fn add(&mut self, event_type: &EventType, findings: &Findings) {
        let records = self.0.entry(event_type.clone()).or_default();
        for (slot, shape) in [(&mut records.nested, &findings.nested), (&mut records.flat, &findings.flat)] {
            if let Some(shape) = shape {
                slot.get_or_insert_default().merge(shape);
            }
        }
        if records.version.is_none() {
            records.version.clone_from(&findings.schema_version);
        }
    }

    /// The schemas as the manifest has them: a field for every column that a loader makes.
    pub(super) fn columns(&self) -> BTreeMap<EventType, EventSchema> {
        let schema = |(event_type, records): (&EventType, &Records)| {
            let version = records.version.clone().unwrap_or_else(|| "1.0".to_owned());
            let fields = records.columns();
            (event_type.clone(), EventSchema { event_type: event_type.clone(), version, fields })
        };
        self.0.iter().map(schema).collect()
    }

    /// The JSON Schema of every event type that has JSON records.
    pub(super) fn json_schemas(&self) -> impl Iterator<Item = (&EventType, String)> {
        self.0.iter().filter_map(|(event_type, records)| {
            let shape = records.nested.as_ref().filter(|shape| shape.seen > 0)?;
            let mut schema = Map::new();
            schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
            schema.insert("title".into(), json!(event_type.as_str()));
            schema.insert("description".into(), json!("One record, as inferred from every record in the package."));
            if let Value::Object(rest) = json_schema(shape, "") {
                schema.extend(rest);
            }
            let mut text = serde_json::to_string_pretty(&Value::Object(schema)).unwrap_or_default();
            text.push('\n');
            Some((event_type, text))
        })
    }
}

impl Records {
    fn columns(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        if let Some(shape) = self.nested.as_ref().filter(|shape| shape.seen > 0) {
            let own: Vec<&str> = shape.fields.iter().map(|(name, _)| name.as_str()).collect();
            for (name, field) in present(shape) {
                let lifted = name == "payload" && field.has(Kind::Object);
                if !lifted {
                    flatten(&mut fields, name, name, field, shape.seen);
                    continue;
                }
                for (inner, value) in present(field) {
                    let path = format!("payload.{inner}");
                    let column = if own.contains(&inner) { path.clone() } else { inner.to_owned() };
                    flatten(&mut fields, &column, &path, value, shape.seen);
                }
            }
        }
        let Some(flat) = &self.flat else { return fields };
        let both = !fields.is_empty();
        for (name, shape) in &flat.fields {
            let field = field(name, name, shape, flat.seen);
            match fields.iter_mut().find(|known| known.name.eq_ignore_ascii_case(name)) {
                Some(known) => {
                    known.nullable |= field.nullable;
                    known.field_type = wider(&known.field_type, &field.field_type);
                }
                None => fields.push(Field { nullable: field.nullable || both, ..field }),
            }
        }
        if both {
            let in_flat = |known: &Field| flat.fields.iter().any(|(name, _)| known.name.eq_ignore_ascii_case(name));
            for known in fields.iter_mut().filter(|known| !in_flat(known)) {
                known.nullable = true;
            }
        }
        fields
    }
}

/// The fields that some record really has.
fn present(shape: &Shape) -> impl Iterator<Item = (&str, &Shape)> {
    shape.fields.iter().filter(|(_, field)| field.seen > 0).map(|(name, field)| (name.as_str(), field))
}

/// Adds the column of a field, or those of its own fields when it is always an object.
fn flatten(fields: &mut Vec<Field>, column: &str, path: &str, shape: &Shape, records: u64) {
    if shape.field_type() == FieldType::Object && present(shape).next().is_some() {
        for (name, inner) in present(shape) {
            flatten(fields, &format!("{column}.{name}"), &format!("{path}.{name}"), inner, records);
        }
        return;
    }
    fields.push(field(column, path, shape, records));
}

fn field(column: &str, path: &str, shape: &Shape, records: u64) -> Field {
    Field {
        name: column.to_owned(),
        field_type: shape.field_type(),
        description: super::fields::describe(path).to_owned(),
        nullable: shape.seen < records || shape.has(Kind::Null),
        path: (column != path).then(|| path.to_owned()),
        example: shape.example.clone(),
    }
}

fn wider(a: &FieldType, b: &FieldType) -> FieldType {
    match (a, b) {
        _ if a == b => a.clone(),
        (FieldType::Null, other) | (other, FieldType::Null) => other.clone(),
        (FieldType::Long | FieldType::Decimal, FieldType::Long | FieldType::Decimal) => FieldType::Decimal,
        (FieldType::DateTime, FieldType::Date) | (FieldType::Date, FieldType::DateTime) => FieldType::DateTime,
        _ => FieldType::Mixed,
    }
}

/// The JSON Schema of one value.
fn json_schema(shape: &Shape, path: &str) -> Value {
    const WORDS: [(Kind, &str); 5] = [
        (Kind::Null, "null"),
        (Kind::Boolean, "boolean"),
        (Kind::Array, "array"),
        (Kind::Object, "object"),
        (Kind::String, "string"),
    ];
    let mut types: Vec<&str> = WORDS.iter().filter(|(kind, _)| shape.has(*kind)).map(|(_, word)| *word).collect();
    let timed = shape.has(Kind::DateTime) || shape.has(Kind::Date);
    if timed && !types.contains(&"string") {
        types.push("string");
    }
    // Every integer is a number too, so one word is enough where both were seen.
    if shape.has(Kind::Decimal) {
        types.push("number");
    } else if shape.has(Kind::Long) {
        types.push("integer");
    }
    let mut schema = Map::new();
    match types.as_slice() {
        [] => {}
        [one] => drop(schema.insert("type".into(), json!(one))),
        several => drop(schema.insert("type".into(), json!(several))),
    }
    if timed && !shape.has(Kind::String) && !(shape.has(Kind::DateTime) && shape.has(Kind::Date)) {
        let format = if shape.has(Kind::DateTime) { "date-time" } else { "date" };
        schema.insert("format".into(), json!(format));
    }
    let description = super::fields::describe(path);
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
