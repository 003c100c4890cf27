//! Lines that are made like an earlier one: recognised by comparing what stands between their values.
//!
//! A collector writes the same fields in the same order line after line. Walking each line with a JSON parser finds the
//! same shape each time, at three times the cost of everything else that is done to the line. A [`Template`] is a line
//! that was walked, cut into the text between its values and the values' kinds. A line that fits it has the same shape;
//! only its time, sequence number and symbol are read. What does not fit, for whatever reason, is walked.

use chrono::{DateTime, Utc};

use super::amounts::{Amount, Amounts};
use super::clock::{self, Stamp};
use super::number::{self, Number, decimal, integer};
use super::record::Level;
use super::shape::{Kind, Role, Shape, text_kind};
use super::stats::Stats;

/// Templates with more values than this would not pay.
const MAX_SLOTS: usize = 512;

/// A line that others may be made like.
#[derive(Debug)]
pub(crate) struct Template {
    /// The line itself, by which the lines that fitted are counted in the end.
    line: Vec<u8>,
    /// The text before each value.
    before: Vec<Box<[u8]>>,
    slots: Vec<Slot>,
    /// The text behind the last value.
    behind: Box<[u8]>,
    /// Lines that fitted and are not in the shape yet.
    pub(crate) fitted: u64,
    /// What the values of those lines were like; empty where values are not measured.
    stats: Vec<Stats>,
    /// The values of the line that is being read, slot by slot.
    values: Vec<Value>,
}

/// A value of a line, as far as it is measured.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// Its kind says all.
    Plain,
    Long(i64),
    Decimal(f64, u8),
    Time(DateTime<Utc>),
    Boolean(bool),
    /// Where in the line the text lies.
    Text(usize, usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Slot {
    kind: Kind,
    use_: Use,
}

/// What is read from a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Nothing,
    Time,
    FallbackTime,
    Sequence,
    Symbol,
    Amount(Amount),
    /// A number that stands for a word.
    Code,
    /// A number that may count since 1970.
    Count,
}

/// What a line that fits says.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) time: Option<Stamp>,
    pub(crate) sequence: Option<u64>,
    pub(crate) symbol: &'a str,
    /// Only where values are measured.
    pub(crate) amounts: Amounts,
}

impl Template {
    /// A template of `line`, which has just been walked into `shape`; none where the line is of no regular make.
    pub(crate) fn of(line: &[u8], shape: &Shape, measure: bool) -> Option<Self> {
        let mut cut = Cut { line, at: 0, start: 0, before: Vec::new(), slots: Vec::new(), taken: [false; 4] };
        cut.blanks();
        cut.value(shape, Level::No)?;
        cut.blanks();
        if cut.at != line.len() {
            return None;
        }
        let behind = line.get(cut.start..)?.into();
        let stats = if measure { vec![Stats::default(); cut.slots.len()] } else { Vec::new() };
        let (before, slots, values) = (cut.before, cut.slots, Vec::new());
        let mut template = Self { line: line.to_vec(), before, slots, behind, fitted: 0, stats, values };
        // What the line itself does not pass (a time that cannot be read, an empty symbol) no other line would.
        template.read(line)?;
        Some(template)
    }

    /// The line that the template was made of.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// What the values of the lines that fitted were like, slot by slot.
    pub(crate) fn take_stats(&mut self) -> Vec<Stats> {
        std::mem::take(&mut self.stats)
    }

    /// Counts the line that was read last as one that fitted.
    pub(crate) fn accept(&mut self, line: &[u8]) {
        self.fitted += 1;
        for ((value, stats), slot) in self.values.iter().zip(&mut self.stats).zip(&self.slots) {
            match *value {
                Value::Plain => {}
                Value::Long(value) => {
                    stats.note_long(value);
                    match slot.use_ {
                        Use::Code => stats.note_code(value),
                        Use::Time | Use::Count => {
                            stats.note_count(value);
                            if let Some(stamp) = clock::from_epoch(value) {
                                stats.note_time(stamp.time);
                            }
                        }
                        _ => {}
                    }
                }
                Value::Decimal(value, scale) => stats.note_decimal(value, scale),
                Value::Time(time) => stats.note_time_text(time),
                Value::Boolean(value) => stats.note_boolean(value),
                Value::Text(from, to) => {
                    if let Some(text) = line.get(from..to).and_then(str_of) {
                        stats.note_text(text);
                    }
                }
            }
        }
    }

    /// What `line` says, if it fits.
    pub(crate) fn read<'a>(&mut self, line: &'a [u8]) -> Option<Reading<'a>> {
        let measure = !self.stats.is_empty();
        let mut reading = Reading::default();
        let mut fallback = None;
        let mut rest = line;
        // Records say one time several times.
        let mut last_time: (&[u8], Option<Stamp>) = (&[], None);
        self.values.clear();
        for (at, (before, slot)) in self.before.iter().zip(&self.slots).enumerate() {
            rest = behind(rest, before)?;
            let mut value = Value::Plain;
            match slot.kind {
                Kind::Long => {
                    let (number, after) = integer(rest)?;
                    rest = after;
                    value = Value::Long(number);
                    match slot.use_ {
                        Use::Nothing | Use::Code => {}
                        Use::Count => fallback = fallback.or_else(|| clock::from_epoch(number)),
                        Use::Amount(amount) => reading.amounts.set(amount, Number::Long(number).value()),
                        Use::Sequence => reading.sequence = Some(u64::try_from(number).ok()?),
                        Use::Time => reading.time = Some(clock::from_epoch(number)?),
                        Use::FallbackTime | Use::Symbol => return None,
                    }
                }
                Kind::Decimal if !measure && !matches!(slot.use_, Use::Time | Use::Sequence) => {
                    rest = number::behind_decimal(rest)?;
                }
                Kind::Decimal => {
                    let known = self.stats.get(at).map_or(0, |stats| stats.scale);
                    let (number, scale, after) = decimal(rest, known)?;
                    rest = after;
                    value = Value::Decimal(number, scale);
                    match slot.use_ {
                        Use::Nothing | Use::Code | Use::Count => {}
                        Use::Amount(amount) => reading.amounts.set(amount, number),
                        _ => return None,
                    }
                }
                Kind::String | Kind::DateTime | Kind::LocalTime | Kind::Date => {
                    let (text, after) = plain_text(rest)?;
                    let start = line.len() - rest.len() + 1;
                    rest = after;
                    if text_kind(text) != slot.kind {
                        return None;
                    }
                    let timed = matches!(slot.use_, Use::Time | Use::FallbackTime);
                    if (timed || measure && slot.kind != Kind::String) && text != last_time.0 {
                        last_time = (text, clock::parse(str_of(text)?));
                    }
                    if slot.kind == Kind::String {
                        value = Value::Text(start, start + text.len());
                    } else if let Some(stamp) = last_time.1.filter(|_| text == last_time.0) {
                        value = Value::Time(stamp.time);
                    }
                    match slot.use_ {
                        Use::Nothing | Use::Code | Use::Count => {}
                        Use::Time => reading.time = Some(last_time.1?),
                        Use::FallbackTime => fallback = fallback.or(Some(last_time.1?)),
                        Use::Sequence => reading.sequence = Some(str_of(text)?.parse().ok()?),
                        Use::Symbol if text.is_empty() => return None,
                        Use::Symbol => reading.symbol = str_of(text)?,
                        Use::Amount(amount) => {
                            if let Some(number) = number::parse(str_of(text)?) {
                                reading.amounts.set(amount, number.value());
                            }
                        }
                    }
                }
                Kind::Boolean => {
                    let (is, after) = match rest.strip_prefix(b"true") {
                        Some(after) => (true, after),
                        None => (false, rest.strip_prefix(b"false")?),
                    };
                    rest = after;
                    value = Value::Boolean(is);
                }
                Kind::Null => rest = rest.strip_prefix(b"null")?,
                Kind::Array | Kind::Object | Kind::Unsigned | Kind::Double | Kind::Binary => return None,
            }
            if measure {
                self.values.push(value);
            }
        }
        if rest != &*self.behind {
            return None;
        }
        reading.time = reading.time.or(fallback);
        Some(reading)
    }
}

/// A line being cut.
struct Cut<'a> {
    line: &'a [u8],
    at: usize,
    /// Where the text before the next value begins.
    start: usize,
    before: Vec<Box<[u8]>>,
    slots: Vec<Slot>,
    /// Which uses have their value already; the first one counts.
    taken: [bool; 4],
}

impl<'a> Cut<'a> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn rest(&self) -> &'a [u8] {
        self.line.get(self.at..).unwrap_or_default()
    }

    /// Passes over a value, which may hold others.
    fn value(&mut self, shape: &Shape, level: Level) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(shape, level),
            b'[' => self.array(shape, level),
            _ => self.slot(shape, level),
        }
    }

    fn object(&mut self, shape: &Shape, level: Level) -> Option<()> {
        self.expect(b'{')?;
        self.blanks();
        if self.expect(b'}').is_some() {
            return Some(());
        }
        let mut hint = 0;
        loop {
            self.blanks();
            let (name, after) = plain_text(self.rest())?;
            let (at, child) = match shape.fields.get(hint) {
                Some((known, child)) if known.as_bytes() == name => (hint, child),
                _ => {
                    let at = shape.fields.iter().position(|(known, _)| known.as_bytes() == name)?;
                    (at, &shape.fields.get(at)?.1)
                }
            };
            hint = at + 1;
            self.at = self.line.len() - after.len();
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            self.value(child, level.of_field(str_of(name)?))?;
            self.blanks();
            if self.expect(b'}').is_some() {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, shape: &Shape, level: Level) -> Option<()> {
        self.expect(b'[')?;
        self.blanks();
        if self.expect(b']').is_some() {
            return Some(());
        }
        let items = shape.items.as_deref()?;
        for position in 0.. {
            self.blanks();
            self.value(items, level.of_element(shape.role, position))?;
            self.blanks();
            if self.expect(b']').is_some() {
                return Some(());
            }
            self.expect(b',')?;
        }
        None
    }

    fn slot(&mut self, shape: &Shape, level: Level) -> Option<()> {
        let rest = self.rest();
        let (kind, after) = match *rest.first()? {
            b'"' => {
                let (text, after) = plain_text(rest)?;
                (text_kind(text), after)
            }
            b't' => (Kind::Boolean, rest.strip_prefix(b"true")?),
            b'f' => (Kind::Boolean, rest.strip_prefix(b"false")?),
            b'n' => (Kind::Null, rest.strip_prefix(b"null")?),
            _ => match integer(rest) {
                Some((_, after)) => (Kind::Long, after),
                None => (Kind::Decimal, decimal(rest, 0)?.2),
            },
        };
        let text = matches!(kind, Kind::String | Kind::DateTime | Kind::LocalTime | Kind::Date);
        let use_ = match (shape.role, kind) {
            (Role::Time, Kind::Decimal) => return None,
            (Role::Time, _) if text || kind == Kind::Long => Use::Time,
            (Role::FallbackTime, _) if text => Use::FallbackTime,
            (Role::Sequence, _) if text || kind == Kind::Long => Use::Sequence,
            (Role::Symbol, _) if text => Use::Symbol,
            (Role::Code | Role::Type, Kind::Long) => Use::Code,
            (Role::FallbackTime, Kind::Long) => Use::Count,
            (role, Kind::Long | Kind::Decimal | Kind::String) => level.amount(role).map_or(Use::Nothing, Use::Amount),
            _ => Use::Nothing,
        };
        let seen = match use_ {
            Use::Nothing | Use::Code | Use::Count | Use::Amount(_) => None,
            Use::Time => self.taken.get_mut(0),
            Use::FallbackTime => self.taken.get_mut(1),
            Use::Sequence => self.taken.get_mut(2),
            Use::Symbol => self.taken.get_mut(3),
        };
        let use_ = if seen.is_some_and(|seen| std::mem::replace(seen, true)) { Use::Nothing } else { use_ };
        let end = self.line.len() - after.len();
        self.before.push(self.line.get(self.start..self.at)?.into());
        self.slots.push(Slot { kind, use_ });
        (self.at, self.start) = (end, end);
        (self.slots.len() <= MAX_SLOTS).then_some(())
    }
}

/// What follows `prefix` in `bytes`, which begin with it.
fn behind<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    // Mostly a comma or a quote and a name: the last byte tells more lines apart than the first.
    let (head, rest) = bytes.split_at_checked(prefix.len())?;
    (head.last() == prefix.last() && head == prefix).then_some(rest)
}

/// A JSON string of ASCII that stands for itself, without escapes, and what follows it.
fn plain_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (b'"', body) = bytes.split_first()? else { return None };
    let end = body.iter().position(|byte| !matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))?;
    let (text, rest) = body.split_at_checked(end)?;
    match rest.split_first()? {
        (b'"', rest) => Some((text, rest)),
        _ => None,
    }
}

/// The text of bytes that [`plain_text`] gave.
fn str_of(text: &[u8]) -> Option<&str> {
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::super::record::{self, Envelope};
    use super::*;

    const LINE: &str = r#"{"timestamp":"2024-01-03T14:30:00.125Z","symbol":"AAPL","type":3,"payload":{"kind":"trade","timestamp":"2024-01-03T14:30:00Z","price":12.50,"sizes":[[1,2.5],[3,4.5]],"ok":true,"none":null},"sequence":42}"#;

    fn template(line: &str) -> Option<Template> {
        let mut shape = Shape::default();
        record::read(line.as_bytes(), &mut shape, &mut Envelope::default(), true).ok()?;
        Template::of(line.as_bytes(), &shape, true)
    }

    #[test]
    fn lines_made_alike_fit_and_others_do_not() {
        let mut template = template(LINE).unwrap();
        let alike = LINE.replace("12.50", "-0.5").replace("42", "43").replace("AAPL", "MSFT").replace("true", "false");
        let reading = template.read(alike.as_bytes()).unwrap();
        assert_eq!((reading.symbol, reading.sequence), ("MSFT", Some(43)));
        assert_eq!(reading.time.unwrap().time.timestamp_subsec_millis(), 125);
        for (from, to) in [
            ("12.50", "12"),
            ("12.50", "12.5e3"),
            ("12.50", "012.5"),
            ("\"AAPL\"", "\"\""),
            ("\"AAPL\"", "\"AA\\u0041\""),
            ("\"AAPL\"", "\"\u{e9}\""),
            ("\"AAPL\"", "\"2024-01-03\""),
            ("42", "-42"),
            ("42", "042"),
            ("42", "9999999999999999999"),
            ("2024-01-03T14:30:00.125Z", "2024-01-33T14:30:00.125Z"),
            ("null", "1"),
            ("[3,4.5]", "[3,4.5],[5,6.5]"),
            ("}", "} "),
            ("\"type\"", "\"Type\""),
        ] {
            assert!(template.read(LINE.replacen(from, to, 1).as_bytes()).is_none(), "{from} -> {to}");
        }
    }

    proptest::proptest! {
        /// Whatever is done to a line, the template says what the walk says, or nothing.
        #[test]
        fn a_reading_is_what_the_walk_finds(edits in proptest::collection::vec((0..210_usize, proptest::prelude::any::<u8>()), 0..4)) {
            let mut template = template(LINE).unwrap();
            let mut line = LINE.as_bytes().to_vec();
            for (at, byte) in edits {
                if let Some(slot) = line.get_mut(at) {
                    *slot = byte;
                }
            }
            if let Some(reading) = template.read(&line) {
                let (mut fast, mut slow) = (Shape::default(), Shape::default());
                let mut envelope = Envelope::default();
                record::read(&line, &mut slow, &mut envelope, true).unwrap();
                template.accept(&line);
                let stats = template.take_stats();
                record::count(template.line(), &mut fast, 1, stats).unwrap();
                proptest::prop_assert_eq!(format!("{:?}", reading.amounts), format!("{:?}", envelope.amounts));
                proptest::prop_assert_eq!(reading.time, envelope.time);
                proptest::prop_assert_eq!(reading.sequence, envelope.sequence);
                proptest::prop_assert_eq!(reading.symbol, envelope.symbol.as_str());
                proptest::prop_assert!(fast.is_like(&slow));
            }
        }
    }
}
