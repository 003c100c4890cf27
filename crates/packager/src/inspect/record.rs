//! One JSON record: walked once, without building it, to learn its shape and the few values that are counted.

mod roles;
mod sound;

use std::fmt;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

pub(super) use self::roles::Level;
use self::roles::inner_role;
pub(crate) use self::roles::role;
pub(super) use self::sound::Key;
use self::sound::Sound;
use super::amounts::Amounts;
use super::clock::{self, Stamp};
use super::number::{self, Number};
use super::shape::{Kind, Role, Shape, text_kind};
use super::stats::Stats;

/// The values of one record that are counted and checked.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub(crate) time: Option<Stamp>,
    fallback_time: Option<Stamp>,
    pub(crate) sequence: Option<u64>,
    pub(crate) amounts: Amounts,
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
        self.amounts = Amounts::default();
        self.event_number = None;
        for text in [&mut self.symbol, &mut self.event_type, &mut self.kind, &mut self.source, &mut self.schema_version]
        {
            text.clear();
        }
    }
}

/// Reads one line as a record: an object, and nothing behind it. Where `measure` is set, the values of its fields are
/// noted in the shape too.
///
/// # Errors
/// Why the line is no record.
pub(crate) fn read(
    line: &[u8],
    shape: &mut Shape,
    envelope: &mut Envelope,
    measure: bool,
) -> Result<(), serde_json::Error> {
    envelope.clear();
    // Half a record must not count, so a line is looked at before it is counted.
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_map(Sound)?;
    json.end()?;
    let outcome = walk(line, shape, &mut Pass { envelope, lines: 1, measure, slots: None });
    envelope.time = envelope.time.or(envelope.fallback_time);
    outcome
}

/// Counts `lines` more lines that are made like `line`, which has been read before, and whose values, one after the
/// other, were like `slots`.
///
/// # Errors
/// The line is no record.
pub(crate) fn count(line: &[u8], shape: &mut Shape, lines: u64, slots: Vec<Stats>) -> Result<(), serde_json::Error> {
    let envelope = &mut Envelope::default();
    walk(line, shape, &mut Pass { envelope, lines, measure: false, slots: Some(slots.into_iter()) })
}

/// One pass over a line.
struct Pass<'a> {
    envelope: &'a mut Envelope,
    /// How many lines the line stands for.
    lines: u64,
    /// Whether values are noted.
    measure: bool,
    /// What the values of all those lines were like, in the order of the line.
    slots: Option<std::vec::IntoIter<Stats>>,
}

fn walk(line: &[u8], shape: &mut Shape, pass: &mut Pass<'_>) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(line);
    json.deserialize_map(Walk { shape, pass, depth: 0, level: Level::No })?;
    json.end()
}

/// Walks a value into its shape.
struct Walk<'a, 'p> {
    shape: &'a mut Shape,
    pass: &'a mut Pass<'p>,
    depth: u8,
    level: Level,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Walk<'_, '_> {
    /// Notes a value that is neither object nor array.
    fn note(&mut self, kind: Kind, example: impl FnOnce() -> Value) {
        self.shape.note(kind, self.pass.lines);
        self.shape.exemplify(example);
        self.take_slot();
    }

    /// What the values of many lines were like goes to the field that they are of.
    fn take_slot(&mut self) {
        if let Some(stats) = self.pass.slots.as_mut().and_then(Iterator::next) {
            self.shape.stats.merge(&stats);
        }
    }

    fn number(&mut self, number: Number) {
        if self.pass.measure {
            self.shape.stats.note_number(number);
            if let Some(amount) = self.level.amount(self.shape.role) {
                self.pass.envelope.amounts.set(amount, number.value());
            }
        }
    }

    fn whole_number(&mut self, number: i64) {
        let envelope = &mut self.pass.envelope;
        match self.shape.role {
            // The payload comes before the envelope's own number and wins over it.
            Role::Sequence => envelope.sequence = envelope.sequence.or_else(|| u64::try_from(number).ok()),
            Role::Type => envelope.event_number = envelope.event_number.or_else(|| u64::try_from(number).ok()),
            Role::SchemaVersion if envelope.schema_version.is_empty() => {
                envelope.schema_version = number.to_string();
            }
            Role::Time => self.time(clock::from_epoch(number)),
            Role::FallbackTime => envelope.fallback_time = envelope.fallback_time.or_else(|| clock::from_epoch(number)),
            _ => {}
        }
        if self.pass.measure {
            match self.shape.role {
                Role::Code | Role::Type => self.shape.stats.note_code(number),
                Role::Time | Role::FallbackTime => self.count_since_1970(number),
                _ => {}
            }
        }
    }

    fn count_since_1970(&mut self, count: i64) {
        self.shape.stats.note_count(count);
        if let Some(stamp) = clock::from_epoch(count) {
            self.shape.stats.note_time(stamp.time);
        }
    }

    fn time(&mut self, stamp: Option<Stamp>) {
        self.pass.envelope.time = self.pass.envelope.time.or(stamp);
    }

    /// Notes the value of a text.
    fn text_value(&mut self, text: &str) {
        match text_kind(text.as_bytes()) {
            Kind::DateTime | Kind::LocalTime | Kind::Date => {
                if let Some(stamp) = clock::parse(text) {
                    self.shape.stats.note_time_text(stamp.time);
                }
            }
            _ => self.shape.stats.note_text(text),
        }
        // Some sources write decimals as text.
        if let Some(amount) = self.level.amount(self.shape.role)
            && let Some(number) = number::parse(text)
        {
            self.pass.envelope.amounts.set(amount, number.value());
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.note(Kind::Boolean, || value.into());
        if self.pass.measure {
            self.shape.stats.note_boolean(value);
        }
        Ok(())
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<(), E> {
        self.note(Kind::Long, || value.into());
        self.number(Number::Long(value));
        self.whole_number(value);
        Ok(())
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<(), E> {
        let Ok(signed) = i64::try_from(value) else {
            self.note(Kind::Unsigned, || value.into());
            self.number(Number::Unsigned(value));
            if self.shape.role == Role::Sequence {
                self.pass.envelope.sequence = self.pass.envelope.sequence.or(Some(value));
            }
            return Ok(());
        };
        self.visit_i64(signed)
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.note(Kind::Decimal, || value.into());
        if self.pass.measure {
            self.number(Number::of_double(value));
        }
        if self.shape.role == Role::Time {
            self.time(clock::from_epoch_fraction(value));
        }
        Ok(())
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        // Null is the least telling example, so it is never kept as one.
        self.shape.note(Kind::Null, self.pass.lines);
        self.take_slot();
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.note(text_kind(text.as_bytes()), || Value::String(text.to_owned()));
        if self.pass.measure {
            self.text_value(text);
        }
        let envelope = &mut self.pass.envelope;
        let slot = match self.shape.role {
            Role::Time => {
                envelope.time = envelope.time.or_else(|| clock::parse(text));
                return Ok(());
            }
            Role::FallbackTime => {
                envelope.fallback_time = envelope.fallback_time.or_else(|| clock::parse(text));
                return Ok(());
            }
            Role::Sequence => {
                envelope.sequence = envelope.sequence.or_else(|| text.parse().ok());
                return Ok(());
            }
            Role::Symbol => &mut envelope.symbol,
            Role::Type => &mut envelope.event_type,
            Role::Kind => &mut envelope.kind,
            Role::Source => &mut envelope.source,
            Role::SchemaVersion => &mut envelope.schema_version,
            _ => return Ok(()),
        };
        if slot.is_empty() {
            slot.push_str(text);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.shape.note(Kind::Array, self.pass.lines);
        let role = self.shape.role;
        let items = self.shape.items.get_or_insert_default();
        for position in 0.. {
            let level = self.level.of_element(role, position);
            let walk = Walk { shape: items, pass: self.pass, depth: u8::MAX, level };
            if seq.next_element_seed(walk)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.shape.note(Kind::Object, self.pass.lines);
        // Only the record, its payload and a snapshot in that have fields which are counted.
        let own = self.depth == 0 || self.shape.role == Role::Inner;
        let depth = self.depth;
        let mut hint = 0;
        while let Some(name) = map.next_key_seed(Key)? {
            let part = || if own { role(&name, depth) } else { inner_role(&name) };
            let at = self.shape.field(&name, hint, part);
            match at.and_then(|at| Some((at, self.shape.fields.get_mut(at)?))) {
                Some((at, (_, shape))) => {
                    hint = at + 1;
                    let (depth, level) = (depth.saturating_add(1), self.level.of_field(&name));
                    map.next_value_seed(Walk { shape, pass: self.pass, depth, level })?;
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(lines: &[&str]) -> (Shape, Envelope, Vec<bool>) {
        let (mut shape, mut envelope) = (Shape::default(), Envelope::default());
        let outcomes =
            lines.iter().map(|line| read(line.as_bytes(), &mut shape, &mut envelope, true).is_ok()).collect();
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
            r#"{"a":99,"b":{"c":[99,"#,
            r#"{"a":99,"b":1e999}"#,
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
        assert_eq!(shape.fields[0].1.stats.long, Some((1, 1)));
        let seen: Vec<_> = shape.fields.iter().map(|(name, field)| (name.as_str(), field.seen)).collect();
        assert_eq!(seen, [("a", 2), ("b", 2)]);
        assert!(read(b"{\"a\":\"\xff\"}", &mut Shape::default(), &mut Envelope::default(), true).is_err());
    }

    #[test]
    fn prices_are_found_wherever_they_stand() {
        for (line, middle) in [
            (r#"{"price":1.5,"payload":{"price":2}}"#, Some(1.5)),
            (r#"{"payload":{"kind":"trade","price":"2.50"}}"#, Some(2.5)),
            (r#"{"payload":{"bidPrice":1,"askPrice":2}}"#, Some(1.5)),
            (r#"{"payload":{"bids":[{"level":0,"price":3},{"price":1}],"asks":[{"price":5},{"price":9}]}}"#, Some(4.0)),
            (r#"{"bids":[["3","10"],["1","1"]],"asks":[["5","1"]]}"#, Some(4.0)),
            (r#"{"payload":{"open":1,"high":4,"low":1,"close":3,"volume":10}}"#, Some(3.0)),
            (r#"{"other":{"price":7},"note":"price"}"#, None),
        ] {
            let (_, envelope, outcomes) = read_all(&[line]);
            assert_eq!(outcomes, [true]);
            assert_eq!(envelope.amounts.representative(), middle, "{line}");
        }
    }

    #[test]
    fn values_are_noted_where_they_stand() {
        let lines = [
            r#"{"price":1.25,"size":3,"side":0,"ok":true,"venue":"X","ts":1700000000000,"big":18446744073709551615}"#,
            r#"{"price":-2,"size":40,"side":1,"ok":true,"venue":"Y","ts":1700000001000,"big":1}"#,
        ];
        let (shape, ..) = read_all(&lines);
        let stats = |name: &str| &shape.fields.iter().find(|(known, _)| known == name).unwrap().1.stats;
        assert_eq!((stats("price").numbers(), stats("price").scale), (Some((-2.0, 1.25)), 2));
        assert_eq!(stats("size").long, Some((3, 40)));
        assert_eq!(stats("side").codes(), [0, 1]);
        assert_eq!(stats("ok").booleans, 2);
        assert_eq!(stats("venue").texts().len(), 2);
        assert_eq!(stats("ts").unit(), Some(pdp_manifest::TimeUnit::Millis));
        assert_eq!(stats("big").unsigned, Some(u64::MAX));
        let types: Vec<String> = shape.fields.iter().map(|(_, field)| field.field_type().to_string()).collect();
        assert_eq!(types, ["decimal", "long", "long", "boolean", "string", "datetime", "ulong"]);
    }

    #[test]
    fn deep_records_are_refused_not_followed() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
        assert!(read(deep.as_bytes(), &mut Shape::default(), &mut Envelope::default(), true).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&line, &mut Shape::default(), &mut Envelope::default(), true);
        }
    }
}
