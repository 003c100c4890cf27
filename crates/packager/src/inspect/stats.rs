//! The values of a field: from where to where, and which ones.

use chrono::{DateTime, Utc};
use pdp_manifest::TimeUnit;

use super::number::Number;

/// Most different values that are listed.
const MAX_VALUES: usize = 16;
/// Longest text that is listed, in bytes.
const MAX_TEXT: usize = 40;

/// The bit of times that are no counts.
const TEXT: u8 = 1 << 7;

/// What the values of one field are like.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Stats {
    pub(crate) long: Option<(i64, i64)>,
    pub(crate) unsigned: Option<u64>,
    pub(crate) decimal: Option<(f64, f64)>,
    /// Most digits behind the point.
    pub(crate) scale: u8,
    /// Whether some number is not exact in decimal.
    pub(crate) inexact: bool,
    pub(crate) time: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Units of times that are counts, as bits in the order of [`TimeUnit::ALL`]; [`TEXT`] for times that are text.
    units: u8,
    texts: Values<Box<str>>,
    longs: Values<i64>,
    /// 1 for false, 2 for true.
    pub(crate) booleans: u8,
}

/// Different values, as long as there are few.
#[derive(Debug, Clone, PartialEq)]
struct Values<T> {
    /// Sorted; empty once there were too many.
    values: Vec<T>,
    many: bool,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), many: false }
    }
}

impl<T: Ord> Values<T> {
    fn add<Q: Ord + ?Sized>(&mut self, value: &Q, own: impl FnOnce() -> Option<T>)
    where
        T: std::borrow::Borrow<Q>,
    {
        if self.many {
            return;
        }
        let Err(at) = self.values.binary_search_by(|known| known.borrow().cmp(value)) else { return };
        match own().filter(|_| self.values.len() < MAX_VALUES) {
            Some(value) => self.values.insert(at, value),
            None => *self = Self { values: Vec::new(), many: true },
        }
    }
}

fn widen<T: PartialOrd + Copy>(range: &mut Option<(T, T)>, low: T, high: T) {
    match range {
        None => *range = Some((low, high)),
        Some((from, to)) => {
            if low < *from {
                *from = low;
            }
            if high > *to {
                *to = high;
            }
        }
    }
}

impl Stats {
    pub(crate) fn note_long(&mut self, value: i64) {
        widen(&mut self.long, value, value);
    }

    pub(crate) fn note_decimal(&mut self, value: f64, scale: u8) {
        widen(&mut self.decimal, value, value);
        self.scale = self.scale.max(scale);
    }

    pub(crate) fn note_number(&mut self, number: Number) {
        match number {
            Number::Long(value) => self.note_long(value),
            Number::Unsigned(value) => self.unsigned = Some(self.unsigned.map_or(value, |most| most.max(value))),
            Number::Decimal(value, scale) => self.note_decimal(value, scale),
            Number::Float(value) => {
                widen(&mut self.decimal, value, value);
                self.inexact = true;
            }
        }
    }

    /// Notes a number that stands for a word.
    pub(crate) fn note_code(&mut self, value: i64) {
        self.longs.add(&value, || Some(value));
    }

    pub(crate) fn note_boolean(&mut self, value: bool) {
        self.booleans |= 1 << u8::from(value);
    }

    pub(crate) fn note_time(&mut self, time: DateTime<Utc>) {
        widen(&mut self.time, time, time);
    }

    /// Notes a time that is stored as text.
    pub(crate) fn note_time_text(&mut self, time: DateTime<Utc>) {
        self.units |= TEXT;
        self.note_time(time);
    }

    pub(crate) fn note_text(&mut self, text: &str) {
        self.texts.add(text, || (text.len() <= MAX_TEXT).then(|| text.into()));
    }

    /// Notes that a time is stored as a count.
    pub(crate) fn note_count(&mut self, count: i64) {
        if let Some(unit) = TimeUnit::of_count(count) {
            self.note_unit(unit);
        }
    }

    pub(crate) fn note_unit(&mut self, unit: TimeUnit) {
        if let Some(at) = TimeUnit::ALL.iter().position(|known| *known == unit) {
            self.units |= 1 << at;
        }
    }

    /// Says that all times are counts of this unit, in whatever form they were seen.
    pub(crate) fn set_unit(&mut self, unit: TimeUnit) {
        self.units = 0;
        self.note_unit(unit);
    }

    /// The unit of all times; none where there are several, or some are text.
    pub(crate) fn unit(&self) -> Option<TimeUnit> {
        if self.units & TEXT != 0 {
            return None;
        }
        let mut units = TimeUnit::ALL.iter().enumerate().filter(|(at, _)| self.units & (1 << at) != 0);
        let (_, unit) = units.next()?;
        units.next().is_none().then_some(*unit)
    }

    /// The different texts, sorted, where there are few.
    pub(crate) fn texts(&self) -> &[Box<str>] {
        &self.texts.values
    }

    /// The different codes, sorted, where there are few.
    pub(crate) fn codes(&self) -> &[i64] {
        &self.longs.values
    }

    /// Smallest and largest number of any kind.
    #[expect(clippy::cast_precision_loss, reason = "a range over kinds is a double's")]
    pub(crate) fn numbers(&self) -> Option<(f64, f64)> {
        let long = self.long.map(|(low, high)| (low as f64, high as f64));
        let unsigned = self.unsigned.map(|most| (most as f64, most as f64));
        [self.decimal, long, unsigned].into_iter().flatten().reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Adds what `other` has seen.
    pub(crate) fn merge(&mut self, other: &Self) {
        if let Some((low, high)) = other.long {
            widen(&mut self.long, low, high);
        }
        if let Some((low, high)) = other.decimal {
            widen(&mut self.decimal, low, high);
        }
        if let Some((low, high)) = other.time {
            widen(&mut self.time, low, high);
        }
        self.unsigned = self.unsigned.max(other.unsigned);
        self.scale = self.scale.max(other.scale);
        self.inexact |= other.inexact;
        self.units |= other.units;
        self.booleans |= other.booleans;
        for text in &other.texts.values {
            self.texts.add(&**text, || Some(text.clone()));
        }
        for code in &other.longs.values {
            self.longs.add(code, || Some(*code));
        }
        if other.texts.many {
            self.texts = Values { values: Vec::new(), many: true };
        }
        if other.longs.many {
            self.longs = Values { values: Vec::new(), many: true };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_values() {
        let mut one = Stats::default();
        for number in ["3", "-7", "2.50", "1.125"] {
            one.note_number(super::super::number::parse(number).unwrap());
        }
        assert_eq!((one.long, one.decimal, one.scale), (Some((-7, 3)), Some((1.125, 2.5)), 3));
        assert_eq!(one.numbers(), Some((-7.0, 3.0)));
        let mut two = Stats::default();
        for text in ["b", "a", "b"] {
            two.note_text(text);
        }
        one.merge(&two);
        one.note_text("c");
        let texts: Vec<&str> = one.texts().iter().map(|text| &**text).collect();
        assert_eq!(texts, ["a", "b", "c"]);
        for code in 0..=16 {
            one.note_code(code);
        }
        assert!(one.codes().is_empty(), "too many to list");
        one.note_text(&"x".repeat(41));
        one.note_text("a");
        assert!(one.texts().is_empty(), "too long to list");
    }

    #[test]
    fn units_that_differ_are_none() {
        let mut stats = Stats::default();
        stats.note_count(1_700_000_000);
        assert_eq!(stats.unit(), Some(TimeUnit::Seconds));
        let mut text = stats.clone();
        text.note_time_text(DateTime::UNIX_EPOCH);
        assert_eq!(text.unit(), None);
        stats.note_count(1_700_000_000_000);
        assert_eq!(stats.unit(), None);
    }
}
