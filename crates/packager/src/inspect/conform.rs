//! Whether JSON records are as their schema says.
//!
//! Checked are the words of JSON Schema that the schemas of packages are written in: `type`, `properties`, `required`,
//! `items`, and `format` for times. Words beyond these are named, so that nobody takes them for checked.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::record::Key;
use super::shape::{Kind, text_kind};

/// Deeper schemas are refused.
const MAX_DEPTH: usize = 64;
/// Words that constrain nothing.
const SILENT: [&str; 9] =
    ["$schema", "$id", "$comment", "$defs", "title", "description", "examples", "default", "deprecated"];

/// A schema of JSON records.
#[derive(Debug)]
pub(crate) struct JsonSchema {
    root: Node,
    /// Words in it that are not checked.
    pub(crate) unchecked: BTreeSet<String>,
}

/// What a value must be.
#[derive(Debug, Default)]
struct Node {
    /// Bits of [`Type`]; none set for any.
    types: u8,
    properties: Vec<(String, Node)>,
    required: Vec<String>,
    items: Option<Box<Node>>,
    /// Of text: [`Kind::DateTime`] or [`Kind::Date`].
    format: Option<Kind>,
}

#[derive(Debug, Clone, Copy)]
#[repr(u8)]
enum Type {
    Null = 1,
    Boolean = 2,
    Integer = 4,
    Number = 8,
    String = 16,
    Array = 32,
    Object = 64,
}

const TYPES: [(Type, &str); 7] = [
    (Type::Null, "null"),
    (Type::Boolean, "boolean"),
    (Type::Integer, "integer"),
    (Type::Number, "number"),
    (Type::String, "string"),
    (Type::Array, "array"),
    (Type::Object, "object"),
];

impl JsonSchema {
    /// Reads a schema.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut unchecked = BTreeSet::new();
        let root = node(&value, 0, &mut unchecked)?;
        Ok(Self { root, unchecked })
    }

    /// Holds a record against the schema.
    ///
    /// # Errors
    /// The first place where it is otherwise, in words.
    pub(crate) fn check(&self, record: &[u8]) -> Result<(), String> {
        let found = RefCell::new(None);
        let mut json = serde_json::Deserializer::from_slice(record);
        let walk = Walk { node: &self.root, path: &Path::Root, found: &found };
        let outcome = json.deserialize_any(walk);
        match (found.into_inner(), outcome) {
            (Some(violation), _) => Err(violation),
            (None, Ok(())) => Ok(()),
            (None, Err(error)) => Err(error.to_string()),
        }
    }
}

fn node(value: &Value, depth: usize, unchecked: &mut BTreeSet<String>) -> Result<Node, String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
    }
    let words = match value {
        Value::Bool(true) => return Ok(Node::default()),
        Value::Object(words) => words,
        other => return Err(format!("{other} stands where a schema should")),
    };
    let mut node = Node::default();
    for (word, value) in words {
        match (word.as_str(), value) {
            ("type", Value::String(name)) => node.types |= type_bit(name)?,
            ("type", Value::Array(names)) => {
                for name in names {
                    node.types |= type_bit(name.as_str().unwrap_or_default())?;
                }
            }
            ("properties", Value::Object(fields)) => {
                for (name, field) in fields {
                    node.properties.push((name.clone(), self::node(field, depth + 1, unchecked)?));
                }
            }
            ("required", Value::Array(names)) => {
                node.required = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            ("items", items) => node.items = Some(Box::new(self::node(items, depth + 1, unchecked)?)),
            ("format", Value::String(format)) if format == "date-time" => node.format = Some(Kind::DateTime),
            ("format", Value::String(format)) if format == "date" => node.format = Some(Kind::Date),
            (word, _) if SILENT.contains(&word) => {}
            (word, _) => drop(unchecked.insert(word.to_owned())),
        }
    }
    Ok(node)
}

fn type_bit(name: &str) -> Result<u8, String> {
    let found = TYPES.iter().find(|(_, known)| *known == name);
    found.map(|(bit, _)| *bit as u8).ok_or_else(|| format!("\"{name}\" is no type of JSON"))
}

/// Where a value stands.
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the record"),
            Self::Field(Self::Root, name) => f.write_str(&name.escape_debug().to_string()),
            Self::Field(parent, name) => write!(f, "{parent}.{}", name.escape_debug()),
            Self::Item(parent, at) => write!(f, "{parent}[{at}]"),
        }
    }
}

struct Walk<'a> {
    node: &'a Node,
    path: &'a Path<'a>,
    found: &'a RefCell<Option<String>>,
}

impl Walk<'_> {
    fn fail<E: Error>(&self, what: fmt::Arguments<'_>) -> E {
        self.found.borrow_mut().get_or_insert_with(|| format!("{}: {what}", self.path));
        E::custom("not as the schema says")
    }

    fn is<E: Error>(&self, kind: Type) -> Result<(), E> {
        // A whole number is a number.
        let bits = if matches!(kind, Type::Integer) { Type::Integer as u8 | Type::Number as u8 } else { kind as u8 };
        if self.node.types == 0 || self.node.types & bits != 0 {
            return Ok(());
        }
        let wanted: Vec<&str> =
            TYPES.iter().filter(|(bit, _)| self.node.types & *bit as u8 != 0).map(|(_, name)| *name).collect();
        let actual = TYPES.iter().find(|(bit, _)| *bit as u8 == kind as u8).map_or("", |(_, name)| name);
        Err(self.fail(format_args!("expected {}, found {actual}", wanted.join(" or "))))
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.is(Type::Boolean)
    }
    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        self.is(Type::Integer)
    }
    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        self.is(Type::Integer)
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        // In JSON Schema 1.0 is an integer.
        self.is(if value.fract() == 0.0 { Type::Integer } else { Type::Number })
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.is(Type::Null)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.is(Type::String)?;
        match self.node.format {
            Some(Kind::Date) if text_kind(text.as_bytes()) != Kind::Date => {
                Err(self.fail(format_args!("expected a date")))
            }
            Some(Kind::DateTime) if text_kind(text.as_bytes()) != Kind::DateTime => {
                Err(self.fail(format_args!("expected a date and time with its offset from UTC")))
            }
            _ => Ok(()),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.is(Type::Array)?;
        let anything = Node::default();
        let node = self.node.items.as_deref().unwrap_or(&anything);
        for position in 0.. {
            let path = Path::Item(self.path, position);
            if seq.next_element_seed(Walk { node, path: &path, found: self.found })?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.is(Type::Object)?;
        let anything = Node::default();
        let mut missing: Vec<&str> = self.node.required.iter().map(String::as_str).collect();
        let mut hint = 0;
        while let Some(name) = map.next_key_seed(Key)? {
            let name: Cow<'_, str> = name;
            missing.retain(|required| *required != name);
            let fields = &self.node.properties;
            let at = match fields.get(hint) {
                Some((known, _)) if *known == name => Some(hint),
                _ => fields.iter().position(|(known, _)| *known == name),
            };
            let node = at.and_then(|at| fields.get(at)).map_or(&anything, |(_, node)| node);
            hint = at.map_or(hint, |at| at + 1);
            map.next_value_seed(Walk { node, path: &Path::Field(self.path, &name), found: self.found })?;
        }
        match missing.first() {
            Some(name) => Err(self.fail(format_args!("{} is missing", name.escape_debug()))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"$schema":"x","type":"object","required":["ts","p"],"properties":{
        "ts":{"type":"string","format":"date-time"},
        "p":{"type":"object","required":["px"],"properties":{"px":{"type":"number"},"n":{"type":["integer","null"]},
        "levels":{"type":"array","items":{"type":"object","properties":{"size":{"type":"integer"}}}}}}},"minProperties":1}"#;

    #[test]
    fn the_first_deviation_is_named() {
        let schema = JsonSchema::parse(SCHEMA.as_bytes()).unwrap();
        assert_eq!(schema.unchecked, BTreeSet::from(["minProperties".to_owned()]));
        let check = |record: &str| schema.check(record.as_bytes()).err();
        let good =
            r#"{"ts":"2024-01-03T00:00:00Z","p":{"px":1,"n":null,"levels":[{"size":2.0},{}],"more":[1]},"x":{}}"#;
        assert_eq!(check(good), None);
        for (from, to, expected) in [
            ("\"px\":1", "\"px\":\"1\"", "p.px: expected number, found string"),
            ("\"px\":1,", "", "p: px is missing"),
            ("null", "1.5", "p.n: expected null or integer, found number"),
            ("{}]", "{\"size\":true}]", "p.levels[1].size: expected integer, found boolean"),
            ("2024-01-03T00:00:00Z", "2024-01-03", "ts: expected a date and time with its offset from UTC"),
        ] {
            assert_eq!(check(&good.replacen(from, to, 1)).as_deref(), Some(expected));
        }
        assert_eq!(check("[1]").as_deref(), Some("the record: expected object, found array"));
        assert!(check("{\"ts\":").is_some());
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for bad in ["", "1", "{\"type\":\"text\"}", "{\"properties\":{\"a\":2}}"] {
            assert!(JsonSchema::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!("{}true{}", "{\"items\":".repeat(70), "}".repeat(70));
        assert!(JsonSchema::parse(deep.as_bytes()).is_err());
        assert!(JsonSchema::parse(b"true").unwrap().check(b"[1,2]").is_ok());
    }

    proptest::proptest! {
        /// A schema comes from a package that anybody made.
        #[test]
        fn any_bytes_are_a_schema_or_are_refused(
            edits in proptest::collection::vec((0..SCHEMA.len(), proptest::prelude::any::<u8>()), 0..6),
            record in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
            cut in 0..SCHEMA.len(),
        ) {
            let mut bytes = SCHEMA.as_bytes().to_vec();
            for (at, byte) in edits {
                bytes[at] = byte;
            }
            for bytes in [&bytes[..], &bytes[..cut], &record[..]] {
                if let Ok(schema) = JsonSchema::parse(bytes) {
                    let _ = schema.check(&record);
                    let _ = schema.check(br#"{"ts":"2024-01-03T00:00:00Z","p":{"px":1,"levels":[{"size":2}]}}"#);
                }
            }
        }
    }
}
