//! The shape of records: which fields, of which types, seen how often.

use pdp_manifest::FieldType;
use serde_json::Value;

use super::amounts::Amount;
use super::number::Number;
use super::stats::Stats;

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
    /// A whole number above what 64 bits with a sign hold.
    Unsigned = 1 << 9,
    /// A number that is not exact in decimal: binary floating point, or with an exponent.
    Double = 1 << 10,
    /// Bytes that are no text.
    Binary = 1 << 11,
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
    /// A price or size that is checked.
    Amount(Amount),
    /// The bid levels of a book, best first.
    Bids,
    /// The ask levels of a book, best first.
    Asks,
    /// A number that stands for a word.
    Code,
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
    /// What its values are like, where they were looked at.
    pub(crate) stats: Stats,
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
            && (self.seen, self.kinds, self.role, &self.stats) == (other.seen, other.kinds, other.role, &other.stats)
            && self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(same)
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
        self.stats.merge(&other.stats);
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
        const NUMBERS: u16 = Kind::Long as u16 | Kind::Unsigned as u16 | Kind::Decimal as u16 | Kind::Double as u16;
        const DATE_OR_TIME: u16 = Kind::Date as u16 | Kind::DateTime as u16;
        let single = [
            (Kind::Boolean as u16, FieldType::Boolean),
            (Kind::String as u16, FieldType::String),
            (Kind::DateTime as u16, FieldType::DateTime),
            (Kind::Date as u16, FieldType::Date),
            (DATE_OR_TIME, FieldType::DateTime),
            (Kind::Binary as u16, FieldType::Binary),
            (Kind::Array as u16, FieldType::Array),
            (Kind::Object as u16, FieldType::Object),
            (0, FieldType::Null),
        ];
        let texts = Kind::String as u16 | DATE_OR_TIME;
        if kinds != 0 && kinds & !NUMBERS == 0 {
            return self.number_type();
        }
        match single.into_iter().find(|(bits, _)| *bits == kinds) {
            Some((_, found)) => found,
            None if kinds & !texts == 0 => FieldType::String,
            None => FieldType::Mixed,
        }
    }
}

impl Shape {
    /// The type of numbers of these kinds.
    fn number_type(&self) -> FieldType {
        // A count since 1970 is a point in time, and its unit says which.
        if matches!(self.role, Role::Time | Role::FallbackTime)
            && self.stats.unit().is_some()
            && !self.has(Kind::Decimal)
        {
            return FieldType::DateTime;
        }
        if self.has(Kind::Double) || self.stats.inexact {
            FieldType::Double
        } else if self.has(Kind::Decimal) {
            FieldType::Decimal
        } else if self.has(Kind::Unsigned) {
            if self.stats.long.is_some_and(|(low, _)| low < 0) { FieldType::Decimal } else { FieldType::UnsignedLong }
        } else {
            FieldType::Long
        }
    }
}

/// The kind of a number.
pub(crate) const fn kind_of(number: Number) -> Kind {
    match number {
        Number::Long(_) => Kind::Long,
        Number::Unsigned(_) => Kind::Unsigned,
        Number::Decimal(..) => Kind::Decimal,
        Number::Float(_) => Kind::Double,
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
        shape.note(text_kind(b"x"), 1);
        assert_eq!(shape.field_type(), FieldType::Mixed);

        let mut text = Shape::default();
        text.note(text_kind(b"2024-01-03T00:00:00Z"), 1);
        assert_eq!(text.field_type(), FieldType::DateTime);
        text.note(text_kind(b"2024-01-03"), 1);
        assert_eq!(text.field_type(), FieldType::DateTime);
        text.note(text_kind(b"soon"), 1);
        assert_eq!(text.field_type(), FieldType::String);
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
