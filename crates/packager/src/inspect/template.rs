//! Lines that are made like an earlier one: recognised by comparing what stands between their values.
//!
//! A collector writes the same fields in the same order line after line. Walking each line with a JSON parser finds the
//! same shape each time, at three times the cost of everything else that is done to the line. A [`Template`] is a line
//! that was walked, cut into the text between its values and the values' kinds. A line that fits it has the same shape;
//! only its time, sequence number and symbol are read. What does not fit, for whatever reason, is walked.

use super::clock::{self, Stamp};
use super::shape::{Kind, Role, Shape, text_kind};

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
}

/// What a line that fits says.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(crate) struct Reading<'a> {
    pub(crate) time: Option<Stamp>,
    pub(crate) sequence: Option<u64>,
    pub(crate) symbol: &'a str,
}

impl Template {
    /// A template of `line`, which has just been walked into `shape`; none where the line is of no regular make.
    pub(crate) fn of(line: &[u8], shape: &Shape) -> Option<Self> {
        let mut cut = Cut { line, at: 0, start: 0, before: Vec::new(), slots: Vec::new(), taken: [false; 4] };
        cut.blanks();
        cut.value(shape)?;
        cut.blanks();
        if cut.at != line.len() {
            return None;
        }
        let behind = line.get(cut.start..)?.into();
        let template = Self { line: line.to_vec(), before: cut.before, slots: cut.slots, behind, fitted: 0 };
        // What the line itself does not pass (a time that cannot be read, an empty symbol) no other line would.
        template.read(line).is_some().then_some(template)
    }

    /// The line that the template was made of.
    pub(crate) fn line(&self) -> &[u8] {
        &self.line
    }

    /// What `line` says, if it fits.
    pub(crate) fn read<'a>(&self, line: &'a [u8]) -> Option<Reading<'a>> {
        let mut reading = Reading::default();
        let mut fallback = None;
        let mut rest = line;
        for (before, slot) in self.before.iter().zip(&self.slots) {
            rest = behind(rest, before)?;
            match slot.kind {
                Kind::Long => {
                    let (number, after) = integer(rest)?;
                    rest = after;
                    match slot.use_ {
                        Use::Nothing => {}
                        Use::Sequence => reading.sequence = Some(u64::try_from(number).ok()?),
                        Use::Time => reading.time = Some(clock::from_epoch(number)?),
                        Use::FallbackTime | Use::Symbol => return None,
                    }
                }
                Kind::Decimal => {
                    rest = decimal(rest)?;
                    if slot.use_ != Use::Nothing {
                        return None;
                    }
                }
                Kind::String | Kind::DateTime | Kind::Date => {
                    let (text, after) = plain_text(rest)?;
                    rest = after;
                    if text_kind(text) != slot.kind {
                        return None;
                    }
                    match slot.use_ {
                        Use::Nothing => {}
                        Use::Time => reading.time = Some(clock::parse(str_of(text)?)?),
                        Use::FallbackTime => fallback = Some(clock::parse(str_of(text)?)?),
                        Use::Sequence => reading.sequence = Some(str_of(text)?.parse().ok()?),
                        Use::Symbol if text.is_empty() => return None,
                        Use::Symbol => reading.symbol = str_of(text)?,
                    }
                }
                Kind::Boolean => rest = rest.strip_prefix(b"true").or_else(|| rest.strip_prefix(b"false"))?,
                Kind::Null => rest = rest.strip_prefix(b"null")?,
                Kind::Array | Kind::Object => return None,
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
    fn value(&mut self, shape: &Shape) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(shape),
            b'[' => self.array(shape),
            _ => self.slot(shape),
        }
    }

    fn object(&mut self, shape: &Shape) -> Option<()> {
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
            self.value(child)?;
            self.blanks();
            if self.expect(b'}').is_some() {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self, shape: &Shape) -> Option<()> {
        self.expect(b'[')?;
        self.blanks();
        if self.expect(b']').is_some() {
            return Some(());
        }
        let items = shape.items.as_deref()?;
        loop {
            self.blanks();
            self.value(items)?;
            self.blanks();
            if self.expect(b']').is_some() {
                return Some(());
            }
            self.expect(b',')?;
        }
    }

    fn slot(&mut self, shape: &Shape) -> Option<()> {
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
                None => (Kind::Decimal, decimal(rest)?),
            },
        };
        let text = matches!(kind, Kind::String | Kind::DateTime | Kind::Date);
        let use_ = match (shape.role, kind) {
            (Role::Time, Kind::Decimal) => return None,
            (Role::Time, _) if text || kind == Kind::Long => Use::Time,
            (Role::FallbackTime, _) if text => Use::FallbackTime,
            (Role::Sequence, _) if text || kind == Kind::Long => Use::Sequence,
            (Role::Symbol, _) if text => Use::Symbol,
            _ => Use::Nothing,
        };
        let seen = match use_ {
            Use::Nothing => None,
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

/// A JSON integer of at most 18 digits, and what follows it; it goes on as nothing else.
fn integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, bytes),
    };
    let mut value = 0_i64;
    let mut len = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if len == 18 {
            return None;
        }
        value = value * 10 + i64::from(digit);
        len += 1;
    }
    let (whole, rest) = digits.split_at_checked(len)?;
    let leading_zero = whole.first() == Some(&b'0') && (len > 1 || negative);
    if len == 0 || leading_zero || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    Some((if negative { -value } else { value }, rest))
}

/// Passes over a JSON number with a fraction and without an exponent.
fn decimal(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = digits.split_at_checked(len)?;
    if len == 0 || (len > 1 && whole.first() == Some(&b'0')) {
        return None;
    }
    let rest = rest.strip_prefix(b".")?;
    let len = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest.get(len..)?;
    // 300 digits are far below what a double cannot hold.
    (len > 0 && len < 300 && whole.len() < 300 && !matches!(rest.first(), Some(b'e' | b'E'))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::super::record::{self, Envelope};
    use super::*;

    const LINE: &str = r#"{"timestamp":"2024-01-03T14:30:00.125Z","symbol":"AAPL","type":3,"payload":{"kind":"trade","timestamp":"2024-01-03T14:30:00Z","price":12.50,"sizes":[[1,2.5],[3,4.5]],"ok":true,"none":null},"sequence":42}"#;

    fn template(line: &str) -> Option<Template> {
        let mut shape = Shape::default();
        record::read(line.as_bytes(), &mut shape, &mut Envelope::default()).ok()?;
        Template::of(line.as_bytes(), &shape)
    }

    #[test]
    fn lines_made_alike_fit_and_others_do_not() {
        let template = template(LINE).unwrap();
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
            let template = template(LINE).unwrap();
            let mut line = LINE.as_bytes().to_vec();
            for (at, byte) in edits {
                if let Some(slot) = line.get_mut(at) {
                    *slot = byte;
                }
            }
            if let Some(reading) = template.read(&line) {
                let (mut fast, mut slow) = (Shape::default(), Shape::default());
                let mut envelope = Envelope::default();
                record::read(&line, &mut slow, &mut envelope).unwrap();
                record::count(template.line(), &mut fast, 1).unwrap();
                proptest::prop_assert_eq!(reading.time, envelope.time);
                proptest::prop_assert_eq!(reading.sequence, envelope.sequence);
                proptest::prop_assert_eq!(reading.symbol, envelope.symbol.as_str());
                proptest::prop_assert!(fast.is_like(&slow));
            }
        }
    }
}
