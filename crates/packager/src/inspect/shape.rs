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
    /// A date and time as text that JSON Schema does not call one: without an offset, or with a blank for the `T`.
    LocalTime = 1 << 12,
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
        const DATE_OR_TIME: u16 = Kind::Date as u16 | TIMES;
        const TIMES: u16 = Kind::DateTime as u16 | Kind::LocalTime as u16;
        let single = [
            (Kind::Boolean as u16, FieldType::Boolean),
            (Kind::String as u16, FieldType::String),
            (Kind::DateTime as u16, FieldType::DateTime),
            (Kind::LocalTime as u16, FieldType::DateTime),
            (TIMES, FieldType::DateTime),
            (Kind::Date as u16, FieldType::Date),
            (Kind::Date as u16 | Kind::DateTime as u16, FieldType::DateTime),
            (Kind::Date as u16 | Kind::LocalTime as u16, FieldType::DateTime),
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
    let two = |at: usize, most: u8| match bytes.get(at..at + 2) {
        Some([tens @ b'0'..=b'9', ones @ b'0'..=b'9']) => (tens - b'0') * 10 + (ones - b'0') <= most,
        _ => false,
    };
    let mark = |at: usize, mark: u8| bytes.get(at) == Some(&mark);
    let date = two(0, 99) && two(2, 99) && mark(4, b'-') && two(5, 12) && mark(7, b'-') && two(8, 31);
    let is_time = || (mark(10, b'T') || mark(10, b' ')) && two(11, 23) && mark(13, b':') && two(14, 59);
    match bytes.len() {
        10 if date => Kind::Date,
        16..=40 if date && is_time() => {
            let seconds = mark(16, b':') && two(17, 59);
            let whole = mark(10, b'T') && seconds && zone(bytes.get(19..).unwrap_or_default());
            if whole { Kind::DateTime } else { Kind::LocalTime }
        }
        _ => Kind::String,
    }
}

/// Whether text behind the seconds is a fraction, or none, and an offset.
fn zone(bytes: &[u8]) -> bool {
    let fraction = match bytes.strip_prefix(b".") {
        Some(rest) => 1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        None => 0,
    };
    match bytes.get(fraction..).unwrap_or_default() {
        b"Z" => fraction != 1,
        [b'+' | b'-', a, b, b':', c, d] => fraction != 1 && [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()),
        _ => false,
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
    fn texts_that_are_times() {
        for (text, kind) in [
            ("2024-01-03", Kind::Date),
            ("2024-01-03T10:00:00Z", Kind::DateTime),
            ("2024-01-03T10:00:00.1234567+02:00", Kind::DateTime),
            ("0001-01-01T00:00:00+00:00", Kind::DateTime),
            ("2024-01-03T10:00:00", Kind::LocalTime),
            ("2024-01-03 10:00:00+00:00", Kind::LocalTime),
            ("2024-01-03T10:00", Kind::LocalTime),
            ("2024-01-03T10:00:00.Z", Kind::LocalTime),
            ("2024-13-03", Kind::String),
            ("2024-01-03T25:00:00Z", Kind::String),
            ("20240103", Kind::String),
        ] {
            assert_eq!(text_kind(text.as_bytes()), kind, "{text}");
        }
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
