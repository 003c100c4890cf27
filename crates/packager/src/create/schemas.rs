//! The schemas of a package, from the shapes of its records.

mod json;

use std::collections::BTreeMap;

use pdp_manifest::{EventSchema, EventType, Field, FieldType};
use serde_json::{Map, Value, json};

use self::json::{json_schema, row_schema};
use crate::inspect::Findings;
use crate::inspect::shape::{Kind, Shape};
use crate::inspect::stats::Stats;

/// What the records of one event type look like, over all files.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// JSON records, for the JSON Schema.
    nested: Option<Shape>,
    columns: Columns,
    /// Whether some of them are rows.
    has_tables: bool,
    version: Option<String>,
}

/// The shapes of all event types.
#[derive(Debug, Default)]
pub(crate) struct Schemas(BTreeMap<EventType, Records>);

impl Schemas {
    /// Adds what one file holds.
    pub(crate) fn add(&mut self, event_type: &EventType, findings: &Findings) {
        let records = self.0.entry(event_type.clone()).or_default();
        if let Some(shape) = &findings.nested {
            records.nested.get_or_insert_default().merge(shape);
            records.columns.add_nested(shape);
        }
        if let Some(shape) = &findings.flat {
            records.columns.add_flat(shape);
            records.has_tables = true;
        }
        if records.version.is_none() {
            records.version.clone_from(&findings.schema_version);
        }
    }

    /// The schemas as the manifest has them: a field for every column that a loader makes.
    pub(crate) fn columns(&self) -> BTreeMap<EventType, EventSchema> {
        let schema = |(event_type, records): (&EventType, &Records)| {
            let version = records.version.clone().unwrap_or_else(|| "1.0".to_owned());
            let fields = records.columns.fields();
            (event_type.clone(), EventSchema { event_type: event_type.clone(), version, fields })
        };
        self.0.iter().map(schema).collect()
    }

    /// The JSON Schema of every event type whose fields are known: of its JSON records where it has any, and of a row of
    /// its tables.
    pub(super) fn json_schemas(&self) -> impl Iterator<Item = (&EventType, String)> {
        self.0.iter().filter_map(|(event_type, records)| {
            let nested = records.nested.as_ref().filter(|shape| shape.seen > 0);
            let row = records.has_tables.then(|| row_schema(&records.columns.fields()));
            let mut schema = Map::new();
            schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
            schema.insert("title".into(), json!(event_type.as_str()));
            match (nested, row) {
                (Some(shape), row) => {
                    let text = "One JSON record, as inferred from every record in the package.";
                    schema.insert("description".into(), json!(text));
                    if let Value::Object(rest) = json_schema(shape, "") {
                        schema.extend(rest);
                    }
                    if let Some(row) = row {
                        schema.insert("$defs".into(), json!({ "row": row }));
                    }
                }
                (None, Some(Value::Object(row))) => schema.extend(row),
                (None, _) => return None,
            }
            let mut text = serde_json::to_string_pretty(&Value::Object(schema)).unwrap_or_default();
            text.push('\n');
            Some((event_type, text))
        })
    }
}

/// The columns of a table, gathered from records of several forms.
#[derive(Debug, Default)]
struct Columns {
    records: u64,
    columns: Vec<Column>,
}

/// A column, and what is known of its values.
#[derive(Debug)]
struct Column {
    field: Field,
    /// How often it was there.
    seen: u64,
    null: bool,
    stats: Stats,
}

impl Columns {
    /// Adds the JSON records of one file.
    fn add_nested(&mut self, shape: &Shape) {
        self.records += shape.seen;
        for (name, field) in present(shape) {
            let lifted = name.eq_ignore_ascii_case("payload") && field.has(Kind::Object);
            if !lifted {
                self.flatten(name, name, field, has_twin(shape, name));
                continue;
            }
            for (inner, value) in present(field) {
                let path = format!("{name}.{inner}");
                // More occurrences than records: some record has a field of its own of this name beside its payload.
                let own = present(shape).find(|(other, _)| *other == inner).map_or(0, |(_, other)| other.seen);
                let clashes = own > 0 && own + field.seen > shape.seen;
                let column = if clashes { format!("payload.{inner}") } else { inner.to_owned() };
                self.flatten(&column, &path, value, has_twin(field, inner));
            }
        }
    }

    /// Adds the rows of one file.
    fn add_flat(&mut self, shape: &Shape) {
        self.records += shape.seen;
        for (name, column) in &shape.fields {
            self.add(name, name, column, has_twin(shape, name));
        }
    }

    /// Adds the column of a field, or those of its own fields when it is always an object.
    fn flatten(&mut self, column: &str, path: &str, shape: &Shape, exact: bool) {
        if shape.field_type() == FieldType::Object && present(shape).next().is_some() {
            for (name, inner) in present(shape) {
                let exact = exact || has_twin(shape, name);
                self.flatten(&format!("{column}.{name}"), &format!("{path}.{name}"), inner, exact);
            }
            return;
        }
        self.add(column, path, shape, exact);
    }

    /// Adds a column; spellings that differ in case alone are one column, unless it must be `exact`.
    fn add(&mut self, column: &str, path: &str, shape: &Shape, exact: bool) {
        let null = shape.has(Kind::Null);
        let same = |known: &&mut Column| match exact {
            true => known.field.name == column,
            false => known.field.name.eq_ignore_ascii_case(column),
        };
        let known = self.columns.iter_mut().find(same);
        if let Some(known) = known {
            known.seen += shape.seen;
            known.null |= null;
            known.field.field_type = wider(&known.field.field_type, &shape.field_type());
            known.stats.merge(&shape.stats);
            return;
        }
        let name = if exact { column.to_owned() } else { super::fields::spelling(column) };
        let field = Field {
            description: super::fields::describe(path).to_owned(),
            path: (name != path).then(|| path.to_owned()),
            example: shape.example.clone(),
            ..Field::new(name, shape.field_type())
        };
        self.columns.push(Column { field, seen: shape.seen, null, stats: shape.stats.clone() });
    }

    fn fields(&self) -> Vec<Field> {
        self.columns.iter().map(|column| column.field(self.records)).collect()
    }
}

impl Column {
    /// The field, over so many records.
    fn field(&self, records: u64) -> Field {
        let stats = &self.stats;
        let mut field = Field { nullable: self.null || self.seen < records, ..self.field.clone() };
        let text = |time| Value::from(pdp_manifest::time::format(time));
        let range = match field.field_type {
            FieldType::DateTime => {
                field.unit = stats.unit();
                stats.time.map(|(low, high)| (text(low), text(high)))
            }
            FieldType::Date => stats
                .time
                .map(|(low, high)| (low.date_naive(), high.date_naive()))
                .map(|(low, high)| (Value::from(low.to_string()), Value::from(high.to_string()))),
            FieldType::Long => stats.long.map(|(low, high)| (low.into(), high.into())),
            FieldType::UnsignedLong => {
                let low = stats.long.map(|(low, _)| Value::from(low)).or(stats.unsigned.map(Value::from));
                low.zip(stats.unsigned.map(Value::from))
            }
            FieldType::Decimal | FieldType::Double => {
                stats.numbers().map(|(low, high)| (shortest(low), shortest(high)))
            }
            _ => None,
        };
        (field.minimum, field.maximum) = range.unzip();
        if field.field_type == FieldType::Decimal
            && let Some((low, high)) = stats.numbers()
        {
            let scale = u32::from(stats.scale);
            field.scale = Some(scale);
            field.precision = Some(whole_digits(low.abs().max(high.abs())) + scale);
        }
        field.values = self.values(&field.field_type);
        field
    }

    /// Every value, of fields that have few.
    fn values(&self, field_type: &FieldType) -> Vec<Value> {
        let codes = self.stats.codes().iter().map(|code| Value::from(*code));
        let texts = self.stats.texts().iter().map(|text| Value::from(&**text));
        match field_type {
            FieldType::Boolean => {
                let seen = [(1, false), (2, true)].into_iter().filter(|(bit, _)| self.stats.booleans & bit != 0);
                seen.map(|(_, value)| value.into()).collect()
            }
            // Some collectors write a code in one file and its word in another.
            FieldType::String | FieldType::Long | FieldType::Mixed => codes.chain(texts).collect(),
            _ => Vec::new(),
        }
    }
}

/// A number as JSON writes it shortest: without a fraction where it has none.
fn shortest(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "below 2^53 in size and whole")]
    if value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0 { (value as i64).into() } else { value.into() }
}

/// Digits before the point.
fn whole_digits(value: f64) -> u32 {
    let text = format!("{value:.0}");
    // 0.7 has none, and rounds to one all the same.
    if value < 1.0 { 0 } else { u32::try_from(text.len()).unwrap_or(u32::MAX) }
}

/// Whether some record has another field whose name differs from this one in case alone.
fn has_twin(shape: &Shape, name: &str) -> bool {
    let mut spellings = 0;
    let mut seen = 0_u64;
    for (_, field) in present(shape).filter(|(other, _)| other.eq_ignore_ascii_case(name)) {
        spellings += 1;
        seen += field.seen;
    }
    spellings > 1 && seen > shape.seen
}

/// The fields that some record really has.
fn present(shape: &Shape) -> impl Iterator<Item = (&str, &Shape)> {
    shape.fields.iter().filter(|(_, field)| field.seen > 0).map(|(name, field)| (name.as_str(), field))
}

const NUMBERS: [FieldType; 4] = [FieldType::Long, FieldType::UnsignedLong, FieldType::Decimal, FieldType::Double];

fn wider(a: &FieldType, b: &FieldType) -> FieldType {
    match (a, b) {
        _ if a == b => a.clone(),
        (FieldType::Null, other) | (other, FieldType::Null) => other.clone(),
        _ if NUMBERS.contains(a) && NUMBERS.contains(b) => {
            // The later of two in the list holds the values of both.
            let place = |wanted| NUMBERS.iter().position(|known| known == wanted);
            if place(a) > place(b) { a.clone() } else { b.clone() }
        }
        (FieldType::DateTime, FieldType::Date) | (FieldType::Date, FieldType::DateTime) => FieldType::DateTime,
        _ => FieldType::Mixed,
    }
}
