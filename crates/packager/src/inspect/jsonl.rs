//! JSON Lines.

use memchr::memchr;
use pdp_manifest::EventType;

use super::record::{self, Envelope};
use super::shape::Shape;
use super::{Findings, Inspector};

/// A line longer than this is no record; it is counted as unparsable and not kept in memory.
const MAX_LINE: usize = 64 << 20;

/// Counts the records of JSON Lines and learns their shape.
#[derive(Default)]
pub(crate) struct Jsonl {
    findings: Findings,
    shape: Shape,
    envelope: Envelope,
    /// The beginning of a line whose end has not come yet.
    partial: Vec<u8>,
    /// Whether the current line has grown past [`MAX_LINE`] and its rest is skipped.
    overlong: bool,
    line: u64,
}

impl Jsonl {
    fn line(&mut self, bytes: &[u8]) {
        self.line += 1;
        let bytes = if self.line == 1 { bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes) } else { bytes };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        if record::read(bytes, &mut self.shape, &mut self.envelope).is_err() {
            self.findings.tally.unparsable(self.line);
            return;
        }
        self.findings.tally.record(self.line, self.envelope.time, self.envelope.sequence);
        self.findings.symbols.note(&self.envelope.symbol);
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

    fn finish(mut self: Box<Self>, _: bool) -> Findings {
        if self.overlong || !self.partial.is_empty() {
            self.end_line(&[]);
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
        let mut inspector = Box::<Jsonl>::default();
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
            assert_eq!(findings.tally.unparsable_count(), 2);
            assert_eq!(findings.event_type.as_ref().map(EventType::as_str), Some("Trade"));
            let path = "data/x".parse().unwrap();
            let quality =
                findings.tally.quality(path, pdp_manifest::Symbol::unknown(), EventType::unknown(), true, None);
            assert_eq!(quality.unparsable_lines, [5, 6]);
        }
        assert_eq!(inspect("", 1).tally.records, 0);
        assert_eq!(inspect("{}\n", 1).tally.records, 1);
        assert_eq!(inspect("{}", 1).tally.records, 1);
    }
}
