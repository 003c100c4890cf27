//! The shape of records: which fields, of which types, seen how often.

use pdp_manifest::FieldType;
use serde_json::Value;

/// Most fields that one object is followed into; a record with more is data used as names.
const MAX_FIELDS: usize = 2048;
/// Longest example kept, in characters.
const EXAMPLE_CHARS: usize = 120;

/// A kind of value, as a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Kind {
    Null = 1,
    Boolean = 1 << 1,
    Long = 1 << 2,
    Decimal = 1 << 3,
    String = 1 << 4,
    DateTime = 1 << 5,
    Date = 1 << 6,
    Array = 1 << 7,
    Object = 1 << 8,
}

/// What a field means for counting, decided once when the field is first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Role {
    #[default]
    None,
    Time,
    FallbackTime,
    Symbol,
    Type,
    Kind,
    Sequence,
    Source,
    SchemaVersion,
    /// An object whose fields count as the record's own.
    Inner,
}

/// A field, or the record itself at the root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shape {
    /// How often it was there.
    pub(crate) seen: u64,
    /// Bits of [`Kind`].
    kinds: u16,
    pub(crate) example: Option<Value>,
    /// Fields of it as an object, in the order of their first appearance.
    pub(crate) fields: Vec<(String, Shape)>,
    /// Its elements as an array.
    pub(crate) items: Option<Box<Shape>>,
    pub(crate) role: Role,
}

impl Shape {
    /// Notes so many values of this kind.
    pub(crate) fn note(&mut self, kind: Kind, count: u64) {
        self.seen += count;
        self.kinds |= kind as u16;
    }

    /// Whether both have the same fields, of the same kinds, seen as often.
    #[cfg(test)]
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let items = match (&self.items, &other.items) {
            (Some(mine), Some(theirs)) => mine.is_like(theirs),
            (mine, theirs) => mine.is_none() && theirs.is_none(),
        };
        let same =
            |((name, mine), (other, theirs)): (&(String, Self), &(String, Self))| name == other && mine.is_like(theirs);
        items
            && (self.seen, self.kinds, self.role) == (other.seen, other.kinds, other.role)
            && self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(same)
    }

    /// Takes one note back.
    pub(crate) fn forget(&mut self) {
        self.seen = self.seen.saturating_sub(1);
    }

    pub(crate) const fn has(&self, kind: Kind) -> bool {
        self.kinds & kind as u16 != 0
    }

    /// Keeps a value to show, if there is none yet.
    pub(crate) fn exemplify(&mut self, make: impl FnOnce() -> Value) {
        if self.example.is_none() {
            self.example = Some(match make() {
                Value::String(text) => Value::String(text.chars().take(EXAMPLE_CHARS).collect()),
                other => other,
            });
        }
    }

    /// Notes a text, which may be a time or a date.
    pub(crate) fn note_text(&mut self, text: &str, count: u64) {
        self.note(text_kind(text.as_bytes()), count);
        self.exemplify(|| Value::String(text.to_owned()));
    }

    /// The position of the field `name`, looked for first at `hint`; `None` when there are too many.
    pub(crate) fn field(&mut self, name: &str, hint: usize, role: impl FnOnce() -> Role) -> Option<usize> {
        if self.fields.get(hint).is_some_and(|(known, _)| known == name) {
            return Some(hint);
        }
        if let Some(at) = self.fields.iter().position(|(known, _)| known == name) {
            return Some(at);
        }
        if self.fields.len() >= MAX_FIELDS {
            return None;
        }
        self.fields.push((name.to_owned(), Self { role: role(), ..Self::default() }));
        Some(self.fields.len() - 1)
    }

    /// Adds what `other` has seen.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.seen += other.seen;
        self.kinds |= other.kinds;
        if self.example.is_none() {
            self.example.clone_from(&other.example);
        }
        for (hint, (name, shape)) in other.fields.iter().enumerate() {
            if let Some((_, mine)) = self.field(name, hint, || shape.role).and_then(|at| self.fields.get_mut(at)) {
                mine.merge(shape);
            }
        }
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().merge(items);
        }
    }

    /// The one type that covers all values seen.
    pub(crate) fn field_type(&self) -> FieldType {
        let kinds = self.kinds & !(Kind::Null as u16);
        const LONG_OR_DECIMAL: u16 = Kind::Long as u16 | Kind::Decimal as u16;
        const DATE_OR_TIME: u16 = Kind::Date as u16 | Kind::DateTime as u16;
        let single = [
            (Kind::Boolean as u16, FieldType::Boolean),
            (Kind::Long as u16, FieldType::Long),
            (Kind::Decimal as u16, FieldType::Decimal),
            (LONG_OR_DECIMAL, FieldType::Decimal),
            (Kind::String as u16, FieldType::String),
            (Kind::DateTime as u16, FieldType::DateTime),
            (Kind::Date as u16, FieldType::Date),
            (DATE_OR_TIME, FieldType::DateTime),
            (Kind::Array as u16, FieldType::Array),
            (Kind::Object as u16, FieldType::Object),
            (0, FieldType::Null),
        ];
        let texts = Kind::String as u16 | DATE_OR_TIME;
        match single.into_iter().find(|(bits, _)| *bits == kinds) {
            Some((_, found)) => found,
            None if kinds & !texts == 0 => FieldType::String,
            None => FieldType::Mixed,
        }
    }
}

/// The kind of a text, by a look that is enough to tell a time from other text.
pub(crate) fn text_kind(bytes: &[u8]) -> Kind {
    if !bytes.first().is_some_and(u8::is_ascii_digit) {
        return Kind::String;
    }
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mark = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let date = digit(0) && digit(1) && digit(2) && digit(3) && mark(4, b'-') && digit(5) && mark(7, b'-') && digit(9);
    match bytes.len() {
        10 if date => Kind::Date,
        16..=40 if date && (mark(10, b'T') || mark(10, b' ')) && digit(11) && mark(13, b':') => Kind::DateTime,
        _ => Kind::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_widen() {
        let mut shape = Shape::default();
        assert_eq!(shape.field_type(), FieldType::Null);
        shape.note(Kind::Long, 1);
        assert_eq!(shape.field_type(), FieldType::Long);
        shape.note(Kind::Null, 1);
        assert_eq!(shape.field_type(), FieldType::Long);
        shape.note(Kind::Decimal, 1);
        assert_eq!(shape.field_type(), FieldType::Decimal);
        shape.note_text("x", 1);
        assert_eq!(shape.field_type(), FieldType::Mixed);

        let mut text = Shape::default();
        text.note_text("2024-01-03T00:00:00Z", 1);
        assert_eq!(text.field_type(), FieldType::DateTime);
        text.note_text("2024-01-03", 1);
        assert_eq!(text.field_type(), FieldType::DateTime);
        text.note_text("soon", 1);
        assert_eq!(text.field_type(), FieldType::String);
        assert_eq!(text.example, Some(Value::String("2024-01-03T00:00:00Z".into())));
    }

    #[test]
    fn merging_adds() {
        let mut one = Shape::default();
        one.note(Kind::Object, 1);
        let at = one.field("a", 0, Role::default).unwrap();
        one.fields[at].1.note(Kind::Long, 1);
        let mut two = Shape::default();
        two.note(Kind::Object, 1);
        for name in ["b", "a"] {
            let at = two.field(name, 0, Role::default).unwrap();
            two.fields[at].1.note(Kind::Decimal, 1);
        }
        one.merge(&two);
        assert_eq!(one.seen, 2);
        let names: Vec<_> = one.fields.iter().map(|(name, shape)| (name.as_str(), shape.seen)).collect();
        assert_eq!(names, [("a", 2), ("b", 1)]);
        assert_eq!(one.fields[0].1.field_type(), FieldType::Decimal);
    }
}
