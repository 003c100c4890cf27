//! One JSON record: walked once, without building it, to learn its shape and the few values that are counted.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::clock::{self, Stamp};
use super::shape::{Kind, Role, Shape};

/// The values of one record that are counted.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) time: Option<Stamp>,
    fallback_time: Option<Stamp>,
    pub(crate) sequence: Option<u64>,
    /// Buffers keep their room from record to record.
    pub(crate) symbol: String,
    pub(crate) event_type: String,
    pub(crate) event_number: Option<u64>,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) schema_version: String,
}

impl Envelope {
    fn clear(&mut self) {
        self.time = None;
        self.fallback_time = None;
        self.sequence = None;
        self.event_number = None;
        for text in [&mut self.symbol, &mut self.event_type, &mut self.kind, &mut self.source, &mut self.schema_version]
        {
            text.clear();
        }
    }
}

/// Reads one line as a record: an object, and nothing behind it.
///
/// # Errors
/// Why the line is no record.
pub(crate) fn read(line: &[u8], shape: &mut Shape, envelope: &mut Envelope) -> Result<(), serde_json::Error> {
    envelope.clear();
    let outcome = walk(line, shape, envelope, Count::Add(1));
    if outcome.is_err() {
        // Half a record must not count: the same walk, which ends at the same place, takes back what it counted.
        let _ = walk(line, shape, &mut Envelope::default(), Count::Undo);
        envelope.clear();
    }
    envelope.time = envelope.time.or(envelope.fallback_time);
    outcome
}

/// Counts `lines` more lines that are made like `line`, which has been read before.
///
/// # Errors
/// The line is no record.
pub(crate) fn count(line: &[u8], shape: &mut Shape, lines: u64) -> Result<(), serde_json::Error> {
    walk(line, shape, &mut Envelope::default(), Count::Add(lines))
}

/// What a walk does to the counts of what it passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    /// So many more were seen.
    Add(u64),
    /// What was counted before is taken back.
    Undo,
}

fn walk(line: &[u8], shape: &mut Shape, envelope: &mut Envelope, count: Count) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_map(Walk { shape, envelope, depth: 0, count })?;
    json.end()
}

/// A field's name, borrowed from the line where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Walks a value into its shape.
struct Walk<'a> {
    shape: &'a mut Shape,
    envelope: &'a mut Envelope,
    depth: u8,
    count: Count,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_> {
    fn note(&mut self, kind: Kind, example: impl FnOnce() -> Value) {
        match self.count {
            Count::Undo => self.shape.forget(),
            Count::Add(more) => {
                self.shape.note(kind, more);
                self.shape.exemplify(example);
            }
        }
    }

    /// Notes a value that is never an example.
    fn note_only(&mut self, kind: Kind) {
        match self.count {
            Count::Undo => self.shape.forget(),
            Count::Add(more) => self.shape.note(kind, more),
        }
    }

    fn number(&mut self, number: u64) {
        match self.shape.role {
            // The envelope comes before the payload and wins over it.
            Role::Sequence => self.envelope.sequence = self.envelope.sequence.or(Some(number)),
            Role::Type => self.envelope.event_number = self.envelope.event_number.or(Some(number)),
            Role::SchemaVersion if self.envelope.schema_version.is_empty() => {
                self.envelope.schema_version = number.to_string();
            }
            Role::Time => self.time(i64::try_from(number).ok().and_then(clock::from_epoch)),
            _ => {}
        }
    }

    fn time(&mut self, stamp: Option<Stamp>) {
        self.envelope.time = self.envelope.time.or(stamp);
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.note(Kind::Boolean, || value.into());
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.note(Kind::Long, || value.into());
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.note(Kind::Long, || value.into());
        self.number(value);
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.note(Kind::Decimal, || value.into());
        if self.shape.role == Role::Time {
            self.time(clock::from_epoch_fraction(value));
        }
        Ok(())
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        // Null is the least telling example, so it is never kept as one.
        self.note_only(Kind::Null);
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        let Count::Add(more) = self.count else {
            self.shape.forget();
            return Ok(());
        };
        self.shape.note_text(text, more);
        let slot = match self.shape.role {
            Role::Time => {
                self.time(clock::parse(text));
                return Ok(());
            }
            Role::FallbackTime => {
                self.envelope.fallback_time = self.envelope.fallback_time.or_else(|| clock::parse(text));
                return Ok(());
            }
            Role::Sequence => {
                self.envelope.sequence = self.envelope.sequence.or_else(|| text.parse().ok());
                return Ok(());
            }
            Role::Symbol => &mut self.envelope.symbol,
            Role::Type => &mut self.envelope.event_type,
            Role::Kind => &mut self.envelope.kind,
            Role::Source => &mut self.envelope.source,
            Role::SchemaVersion => &mut self.envelope.schema_version,
            Role::None | Role::Inner => return Ok(()),
        };
        if slot.is_empty() {
            slot.push_str(text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.note_only(Kind::Array);
        let items = self.shape.items.get_or_insert_default();
        let (depth, count) = (u8::MAX, self.count);
        while seq.next_element_seed(Walk { shape: items, envelope: self.envelope, depth, count })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.note_only(Kind::Object);
        // Only the record, its payload and a snapshot in that have fields which are counted.
        let own = self.depth == 0 || self.shape.role == Role::Inner;
        let (depth, count) = (self.depth, self.count);
        let mut hint = 0;
        while let Some(name) = map.next_key_seed(Key)? {
            let at = self.shape.field(&name, hint, || if own { role(&name, depth) } else { Role::None });
            match at.and_then(|at| Some((at, self.shape.fields.get_mut(at)?))) {
                Some((at, (_, shape))) => {
                    hint = at + 1;
                    let depth = depth.saturating_add(1);
                    map.next_value_seed(Walk { shape, envelope: self.envelope, depth, count })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// What a field of this name means in a record (depth 0), its payload (1) or a snapshot in that (2).
pub(crate) fn role(name: &str, depth: u8) -> Role {
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    if is("payload") && depth == 0 || is("snapshot") && depth == 1 {
        Role::Inner
    } else if ["timestamp", "ts", "time", "ts_event", "eventTime", "event_time"].iter().any(|word| is(word)) {
        Role::Time
    } else if ["startTime", "sessionDate", "date", "datetime"].iter().any(|word| is(word)) {
        Role::FallbackTime
    } else if is("symbol") || is("ticker") {
        Role::Symbol
    } else if (is("type") || is("eventType")) && depth == 0 {
        Role::Type
    } else if is("kind") && depth <= 1 {
        Role::Kind
    } else if is("sequence") || is("sequenceNumber") {
        Role::Sequence
    } else if is("source") {
        Role::Source
    } else if is("schemaVersion") {
        Role::SchemaVersion
    } else {
        Role::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(lines: &[&str]) -> (Shape, Envelope, Vec<bool>) {
        let (mut shape, mut envelope) = (Shape::default(), Envelope::default());
        let outcomes = lines.iter().map(|line| read(line.as_bytes(), &mut shape, &mut envelope).is_ok()).collect();
        (shape, envelope, outcomes)
    }

    #[test]
    fn envelope_and_payload() {
        let line = r#"{"timestamp":"2031-02-03T14:30:00.125+00:00","symbol":"ZZTOP","type":3,"payload":{"kind":"trade","timestamp":"2031-02-03T14:30:00.1+00:00","symbol":"other","price":12.50,"sequenceNumber":41},"sequence":42,"source":"DEMO","schemaVersion":1}"#;
        let (shape, envelope, _) = read_all(&[line]);
        assert_eq!(envelope.symbol, "ZZTOP");
        assert_eq!(envelope.event_number, Some(3));
        assert_eq!(envelope.kind, "trade");
        assert_eq!(envelope.source, "DEMO");
        assert_eq!(envelope.schema_version, "1");
        assert_eq!(
            envelope.time.map(|s| pdp_manifest::time::format(s.time)).as_deref(),
            Some("2031-02-03T14:30:00.125Z")
        );
        assert_eq!(envelope.sequence, Some(41), "the payload stands before the envelope's own number");
        let names: Vec<_> = shape.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["timestamp", "symbol", "type", "payload", "sequence", "source", "schemaVersion"]);
    }

    #[test]
    fn other_forms() {
        let flat = r#"{"Timestamp":1700000000000,"Symbol":"A\u0042C","Type":"Trade","price":1}"#;
        let (_, envelope, _) = read_all(&[flat]);
        assert_eq!((envelope.symbol.as_str(), envelope.event_type.as_str()), ("ABC", "Trade"));
        assert!(envelope.time.is_some_and(|stamp| stamp.time.timestamp() == 1_700_000_000));
        let l2 = r#"{"payload":{"kind":"l2payload","snapshot":{"timestamp":"2031-02-03T00:00:00Z","symbol":"X","bids":[{"symbol":"no"}]},"sequenceNumber":5}}"#;
        let (_, envelope, _) = read_all(&[l2]);
        assert_eq!((envelope.symbol.as_str(), envelope.kind.as_str(), envelope.sequence), ("X", "l2payload", Some(5)));
    }

    #[test]
    fn what_is_no_record_leaves_no_trace() {
        let good = r#"{"a":1,"b":{"c":[1,2]}}"#;
        let bad = [
            r#"{"a":1,"b":{"c":[1,"#,
            "[1]",
            "12",
            "null",
            r#"{"a":1} x"#,
            r#"{"a":NaN}"#,
            "{\"a\":\"\u{0}\"}",
            "",
            r#"{"new":1,"#,
        ];
        let mut lines = vec![good];
        lines.extend(bad);
        lines.push(good);
        let (shape, _, outcomes) = read_all(&lines);
        assert_eq!(outcomes.iter().filter(|ok| **ok).count(), 2);
        assert_eq!(shape.seen, 2);
        let seen: Vec<_> = shape.fields.iter().map(|(name, field)| (name.as_str(), field.seen)).collect();
        assert_eq!(seen, [("a", 2), ("b", 2), ("new", 0)]);
        assert!(read(b"{\"a\":\"\xff\"}", &mut Shape::default(), &mut Envelope::default()).is_err());
    }

    #[test]
    fn deep_records_are_refused_not_followed() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(read(deep.as_bytes(), &mut Shape::default(), &mut Envelope::default()).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&line, &mut Shape::default(), &mut Envelope::default());
        }
    }
}
