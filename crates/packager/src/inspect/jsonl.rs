//! JSON Lines.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::FixedState;
use memchr::memchr;
use pdp_manifest::EventType;

use super::conform::JsonSchema;
use super::record::{self, Envelope};
use super::shape::Shape;
use super::tally::{Observation, Tally};
use super::template::Template;
use super::{Findings, Inspector};

/// A line longer than this is no record; it is counted as unparsable and not kept in memory.
const MAX_LINE: usize = 64 << 20;

/// Counts the records of JSON Lines and learns their shape.
pub(crate) struct Jsonl {
    /// Whether values are looked at, and not only counted.
    measure: bool,
    hasher: FixedState,
    findings: Findings,
    shape: Shape,
    envelope: Envelope,
    /// Lines that others are made like; the one that fitted last comes first.
    templates: Vec<Template>,
    /// How many more may be made.
    to_make: usize,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Whether the current line has grown past [`MAX_LINE`] and its rest is skipped.
    overlong: bool,
    line: u64,
    /// Whether the current line is the last and no newline ends it.
    last: bool,
    /// Whether more should have come.
    cut: bool,
    /// What every record must be like.
    schema: Option<Arc<JsonSchema>>,
}

/// Most templates that are kept, and most that are made: where lines vary more, comparing them does not pay.
const TEMPLATES_KEPT: usize = 6;
const TEMPLATES_MADE: usize = 48;

impl Jsonl {
    pub(crate) fn new(measure: bool) -> Self {
        Self {
            measure,
            hasher: FixedState::default(),
            findings: Findings { tally: Tally::new(measure), ..Findings::default() },
            shape: Shape::default(),
            envelope: Envelope::default(),
            templates: Vec::new(),
            to_make: TEMPLATES_MADE,
            partial: Vec::new(),
            overlong: false,
            line: 0,
            last: false,
            cut: false,
            schema: None,
        }
    }
}

impl Jsonl {
    /// Counts records and holds each of them against a schema.
    pub(crate) fn held_to(schema: Arc<JsonSchema>) -> Self {
        // A line that is recognised is not looked at.
        Self { schema: Some(schema), to_make: 0, ..Self::new(true) }
    }

    /// Counts a line that is made like an earlier one; false where it is not.
    fn line_like_another(&mut self, bytes: &[u8]) -> bool {
        let hash = self.hash(bytes);
        for at in 0..self.templates.len() {
            let Some(template) = self.templates.get_mut(at) else { continue };
            let Some(reading) = template.read(bytes) else { continue };
            template.accept(bytes);
            self.findings.tally.record(Observation {
                line: self.line,
                time: reading.time,
                sequence: reading.sequence,
                symbol: reading.symbol,
                hash,
                amounts: self.measure.then_some(&reading.amounts),
            });
            self.findings.symbols.note(reading.symbol);
            self.templates.swap(0, at);
            return true;
        }
        false
    }

    /// The hash by which copies of a line are known; a line's end may have a carriage return or not.
    fn hash(&self, bytes: &[u8]) -> Option<u64> {
        let line = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        self.measure.then(|| self.hasher.hash_one(line))
    }

    /// Makes a template of a line that was walked.
    fn learn(&mut self, line: &[u8]) {
        if self.to_make == 0 {
            return;
        }
        self.to_make -= 1;
        let Some(template) = Template::of(line, &self.shape, self.measure) else { return };
        if self.templates.len() == TEMPLATES_KEPT
            && let Some(last) = self.templates.pop()
        {
            self.settle(last);
        }
        self.templates.insert(0, template);
    }

    /// Counts the lines that fitted a template.
    fn settle(&mut self, mut template: Template) {
        if template.fitted > 0 {
            let stats = template.take_stats();
            // The line was walked before, so it can be walked again.
            let _ = record::count(template.line(), &mut self.shape, template.fitted, stats);
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        self.line += 1;
        if self.line_like_another(bytes) {
            return;
        }
        let bytes = if self.line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if record::read(bytes, &mut self.shape, &mut self.envelope, self.measure).is_err() {
            // Where compressed data is torn, so is its last line, and that is said of the file.
            if self.last && !self.cut {
                self.findings.tally.torn(self.line);
            } else if !self.last {
                self.findings.tally.unparsable(self.line);
            }
            return;
        }
        if let Some(Err(violation)) = self.schema.as_ref().map(|schema| schema.check(bytes)) {
            self.findings.violations.add(self.line, violation);
        }
        let hash = self.hash(bytes);
        self.findings.tally.record(Observation {
            line: self.line,
            time: self.envelope.time,
            sequence: self.envelope.sequence,
            symbol: &self.envelope.symbol,
            hash,
            amounts: self.measure.then_some(&self.envelope.amounts),
        });
        self.findings.symbols.note(&self.envelope.symbol);
        self.learn(bytes);
        if self.findings.tally.records == 1 {
            self.findings.event_type = event_type(&self.envelope);
            self.findings.source = Some(self.envelope.source.clone()).filter(|text| !text.is_empty());
            self.findings.schema_version = Some(self.envelope.schema_version.clone()).filter(|text| !text.is_empty());
        }
    }

    fn end_line(&mut self, bytes: &[u8]) {
        if self.overlong {
            self.overlong = false;
            self.line += 1;
            self.findings.tally.unparsable(self.line);
        } else if self.partial.is_empty() {
            self.line(bytes);
        } else {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(bytes);
            self.line(&whole);
            whole.clear();
            self.partial = whole;
        }
    }
}

/// The event type that a record names: by word, by number, or by the kind of its payload.
fn event_type(envelope: &Envelope) -> Option<EventType> {
    if let Some(number) = envelope.event_number {
        return EventType::from_number(number);
    }
    if !envelope.event_type.is_empty() {
        return EventType::known(&envelope.event_type).or_else(|| envelope.event_type.parse().ok());
    }
    EventType::from_kind(&envelope.kind)
}

impl Inspector for Jsonl {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(at) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            self.end_line(line);
            bytes = rest.get(1..).unwrap_or_default();
        }
        if self.partial.len() + bytes.len() > MAX_LINE {
            self.overlong = true;
            self.partial = Vec::new();
        }
        if !self.overlong {
            self.partial.extend_from_slice(bytes);
        }
    }

    fn finish(mut self: Box<Self>, torn: bool) -> Findings {
        self.cut = torn;
        if self.overlong || !self.partial.is_empty() {
            self.last = true;
            self.end_line(&[]);
        }
        for template in std::mem::take(&mut self.templates) {
            self.settle(template);
        }
        self.findings.counted = true;
        self.findings.nested = Some(self.shape);
        self.findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspect(text: &str, piece: usize) -> Findings {
        let mut inspector = Box::new(Jsonl::new(true));
        for part in text.as_bytes().chunks(piece) {
            inspector.feed(part);
        }
        inspector.finish(false)
    }

    #[test]
    fn lines_are_the_same_however_they_arrive() {
        let text = "\u{feff}{\"symbol\":\"A\",\"type\":3}\r\n\n  \n{\"symbol\":\"A\"}\nnot json\n{\"symbol\":\"B\"";
        for piece in [1, 2, 3, 7, 1000] {
            let findings = inspect(text, piece);
            assert_eq!(findings.tally.records, 2, "{piece}");
            assert_eq!((findings.tally.unparsable_count(), findings.tally.is_torn()), (1, true));
            assert_eq!(findings.event_type.as_ref().map(EventType::as_str), Some("Trade"));
            let path = "data/x".parse().unwrap();
            let quality =
                findings.tally.quality(path, pdp_manifest::Symbol::unknown(), EventType::unknown(), true, None);
            assert_eq!(quality.findings[&pdp_manifest::Check::Unparsable].lines, [5]);
            assert_eq!(quality.findings[&pdp_manifest::Check::TornLastLine].lines, [6]);
        }
        assert_eq!(inspect("", 1).tally.records, 0);
        assert_eq!(inspect("{}\n", 1).tally.records, 1);
        assert_eq!(inspect("{}", 1).tally.records, 1);
    }

    #[test]
    fn lines_that_are_recognised_count_as_if_they_had_been_walked() {
        let line = |i: u32| match i % 11 {
            0 => format!(
                "{{\"timestamp\":\"2024-01-03T10:00:{:02}Z\",\"symbol\":\"A{}\",\"sequence\":{i},\"p\":{i}.5}}\n",
                i % 60,
                i % 3
            ),
            1..6 => format!(
                "{{\"timestamp\":\"2024-01-03T11:00:{:02}Z\",\"symbol\":\"A\",\"sequence\":{i},\"p\":{i}}}\n",
                i % 60
            ),
            6 => format!("{{\"ts\":{},\"symbol\":\"\",\"b\":[[{i},1.5]],\"t\":\"x{i}\"}}\n", 1_700_000_000 + i),
            7 => "{\"broken\":\n".to_owned(),
            8 => format!("{{\"b\":[[{i},1.5],[1,2.5]],\"t\":\"2024-01-03\",\"n\":null}}\n"),
            _ => format!(
                "{{ \"symbol\": \"B\", \"date\": \"2024-01-{:02}T00:00:00Z\", \"ok\": {} }}\n",
                1 + i % 28,
                i.is_multiple_of(2)
            ),
        };
        let text: String = (0..3000).map(line).collect();
        let fast = inspect(&text, 1000);
        let mut slow = Box::new(Jsonl { to_make: 0, ..Jsonl::new(true) });
        slow.feed(text.as_bytes());
        let slow = slow.finish(false);
        assert!(fast.nested.as_ref().unwrap().is_like(slow.nested.as_ref().unwrap()));
        let told = |findings: Findings| {
            let path = "data/x".parse().unwrap();
            let tally = findings.tally;
            let quality = tally.quality(path, pdp_manifest::Symbol::unknown(), EventType::unknown(), true, None);
            serde_json::to_string(&quality).unwrap()
        };

        assert_eq!((fast.symbols.first(), fast.symbols.second()), (slow.symbols.first(), slow.symbols.second()));
        assert_eq!(told(fast), told(slow));
    }
}
