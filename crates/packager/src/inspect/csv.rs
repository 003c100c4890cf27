//! Delimited text.

use std::borrow::Cow;
use std::hash::BuildHasher as _;

use csv_core::{ReadRecordResult, Reader};
use foldhash::fast::FixedState;
use pdp_manifest::{CsvDialect, TimeUnit};

use super::amounts::Amounts;
use super::number::{self, Number};
use super::shape::{Kind, Role, Shape, kind_of, text_kind};
use super::tally::{Observation, Tally};
use super::{Findings, Inspector, clock, columns, dialect, record, sniff};

/// A row longer than this is no record.
const MAX_ROW: usize = 64 << 20;

/// Counts the rows of CSV and learns the types of its columns.
///
/// A record is a row of at least one and at most as many fields as there are columns, the header not counted.
pub(crate) struct Csv {
    /// Whether values are looked at, and not only counted.
    measure: bool,
    /// The beginning of the file until the dialect is clear.
    head: Vec<u8>,
    rows: Option<Rows>,
}

/// The rows of a file whose dialect is known.
pub(crate) struct Rows {
    measure: bool,
    hasher: FixedState,
    reader: Reader,
    dialect: CsvDialect,
    findings: Findings,
    columns: Shape,
    fields: Vec<u8>,
    fields_used: usize,
    ends: Vec<usize>,
    ends_used: usize,
    header_pending: bool,
    /// The line on which the current row began.
    line: u64,
    /// Whether the file has ended, so that a row that comes now has no newline behind it.
    ended: bool,
}

impl Inspector for Csv {
    fn feed(&mut self, bytes: &[u8]) {
        if let Some(rows) = &mut self.rows {
            rows.feed(bytes);
            return;
        }
        self.head.extend_from_slice(bytes);
        if self.head.len() >= sniff::HEAD {
            self.begin();
        }
    }

    fn finish(mut self: Box<Self>, torn: bool) -> Findings {
        if self.rows.is_none() {
            self.begin();
        }
        match self.rows {
            Some(rows) => rows.finish(torn),
            None => Findings::default(),
        }
    }
}

impl Csv {
    pub(crate) const fn new(measure: bool) -> Self {
        Self { measure, head: Vec::new(), rows: None }
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let mut rows = Rows::new(dialect::sniff(head.get(..sniff::HEAD).unwrap_or(&head)), self.measure);
        rows.feed(&head);
        self.rows = Some(rows);
    }
}

impl Rows {
    fn new(dialect: CsvDialect, measure: bool) -> Self {
        let columns = shape_of(&dialect);
        Self {
            measure,
            hasher: FixedState::default(),
            reader: dialect::reader(&dialect),
            header_pending: dialect.has_header,
            dialect,
            findings: Findings { tally: Tally::new(measure), ..Findings::default() },
            columns,
            fields: vec![0; 4096],
            fields_used: 0,
            ends: vec![0; 64],
            ends_used: 0,
            line: 1,
            ended: false,
        }
    }

    /// Rows that are records of a binary format as text; where they are `sampled`, the time of receipt is that of the row.
    pub(crate) fn of_records(dialect: CsvDialect, sampled: bool) -> Self {
        let of_orders = dialect.columns.iter().any(|name| name == "order_id");
        let mut rows = Self::new(dialect, true);
        for (name, column) in &mut rows.columns.fields {
            column.role = match (name.as_str(), column.role) {
                ("ts_recv", _) if sampled => Role::Time,
                (_, Role::Time) if sampled => Role::None,
                // The prices of orders are no series of trades.
                ("price", _) if of_orders => Role::None,
                // Prices of different instruments are no series.
                ("instrument_id", _) => Role::Symbol,
                // Venues number messages, of which one can make several records and another none.
                (_, Role::Sequence) => Role::None,
                (_, role) => role,
            };
        }
        rows
    }

    /// Takes one row with its newline, which is the record of this number.
    pub(crate) fn feed_row(&mut self, number: u64, row: &[u8]) {
        self.line = number;
        self.feed(row);
    }

    /// What was counted, and the columns.
    pub(crate) fn into_parts(mut self) -> (Tally, Shape) {
        // As records they had their times as nanoseconds.
        for (_, column) in &mut self.columns.fields {
            if column.has(Kind::DateTime) {
                column.stats.set_unit(TimeUnit::Nanos);
            }
        }
        (self.findings.tally, self.columns)
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.step(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Gives the reader some input and deals with what it says; the number of bytes taken.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let fields = self.fields.get_mut(self.fields_used..).unwrap_or_default();
        let ends = self.ends.get_mut(self.ends_used..).unwrap_or_default();
        let (result, taken, wrote, ended) = self.reader.read_record(bytes, fields, ends);
        // Ends count from the start of the row, across calls.
        self.fields_used += wrote;
        self.ends_used += ended;
        match result {
            ReadRecordResult::OutputFull if self.fields.len() < MAX_ROW => self.fields.resize(self.fields.len() * 2, 0),
            // The rest of an impossible row overwrites itself until its end comes.
            ReadRecordResult::OutputFull => self.fields_used = self.fields.len() / 2,
            ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_ROW / 64 => {
                self.ends.resize(self.ends.len() * 2, 0);
            }
            ReadRecordResult::OutputEndsFull => self.ends_used = self.ends.len() / 2,
            ReadRecordResult::Record => self.row(),
            ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
        }
        taken
    }

    fn row(&mut self) {
        let line = self.line;
        self.line = self.reader.line();
        let count = std::mem::take(&mut self.ends_used);
        self.fields_used = 0;
        if std::mem::take(&mut self.header_pending) {
            return;
        }
        if count > self.dialect.columns.len() {
            self.findings.tally.unparsable(line);
            return;
        }
        // The last value of a row that breaks off may be half a number.
        let torn = self.ended && count < self.dialect.columns.len();
        if torn {
            self.findings.tally.torn(line);
        }
        let (mut time, mut fallback, mut sequence) = (None, None, None);
        let (mut symbol, mut amounts) = (None, Amounts::default());
        let mut start = 0;
        self.columns.note(Kind::Object, 1);
        for (i, (_, column)) in self.columns.fields.iter_mut().enumerate() {
            let Some(&end) = self.ends.get(..count).and_then(|ends| ends.get(i)) else { break };
            let field = self.fields.get(start..end).unwrap_or_default();
            start = end;
            let text = String::from_utf8_lossy(field);
            self.findings.not_utf8 |= matches!(text, Cow::Owned(_));
            let value = note(column, &text, self.measure);
            match (column.role, value) {
                (Role::Time, Value::Time(stamp)) => time = time.or(Some(stamp)),
                (Role::FallbackTime, Value::Time(stamp)) => fallback = fallback.or(Some(stamp)),
                (Role::Sequence, _) => sequence = text.trim().parse().ok(),
                (Role::Symbol, _) => symbol = Some(text),
                (Role::Amount(amount), Value::Number(number)) => amounts.set(amount, number.value()),
                (Role::Source, _) if self.findings.source.is_none() && !text.is_empty() => {
                    self.findings.source = Some(text.into_owned());
                }
                _ => {}
            }
        }
        if let Some(symbol) = &symbol {
            self.findings.symbols.note(symbol);
        }
        let ends = self.ends.get(..count).unwrap_or_default();
        let whole = self.fields.get(..ends.last().copied().unwrap_or(0)).unwrap_or_default();
        self.findings.tally.record(Observation {
            line,
            time: time.or(fallback),
            sequence,
            symbol: symbol.as_deref().unwrap_or_default(),
            hash: self.measure.then(|| self.hasher.hash_one((whole, ends))),
            amounts: (self.measure && !torn).then_some(&amounts),
        });
    }

    fn finish(mut self, torn: bool) -> Findings {
        self.ended = true;
        // A row that breaks off where the data is torn may end in half a number.
        // No input means the end: a last line without its newline becomes a row.
        for _ in 0..if torn { 0 } else { 64 } {
            let before = self.findings.tally.records + self.findings.tally.unparsable_count();
            self.step(&[]);
            let after = self.findings.tally.records + self.findings.tally.unparsable_count();
            if after != before || self.fields_used == 0 && self.ends_used == 0 {
                break;
            }
        }
        self.findings.counted = true;
        self.findings.event_type = columns::event_type(self.dialect.columns.iter().map(String::as_str));
        self.findings.guessed_type = true;
        self.findings.flat = Some(self.columns);
        self.findings.csv = Some(self.dialect);
        self.findings
    }
}

fn shape_of(dialect: &CsvDialect) -> Shape {
    let mut columns = Shape::default();
    for (at, name) in dialect.columns.iter().enumerate() {
        columns.field(name, at, || column_role(name));
    }
    // The first time column counts; another one may hold times of something else.
    let mut timed = false;
    for (_, column) in &mut columns.fields {
        if column.role == Role::Time && std::mem::replace(&mut timed, true) {
            column.role = Role::FallbackTime;
        }
    }
    columns
}

/// What each column of a file is for.
#[derive(Debug, Clone)]
pub(crate) struct Columns(Vec<Role>);

pub(crate) fn columns_of(dialect: &CsvDialect) -> Columns {
    Columns(shape_of(dialect).fields.iter().map(|(_, column)| column.role).collect())
}

impl Columns {
    /// The time and sequence number of a row.
    pub(crate) fn key(&self, fields: &[String]) -> (Option<clock::Stamp>, Option<u64>) {
        let (mut time, mut fallback, mut sequence) = (None, None, None);
        for (role, text) in self.0.iter().zip(fields) {
            match role {
                Role::Time => time = clock::parse(text),
                Role::FallbackTime => fallback = fallback.or_else(|| clock::parse(text)),
                Role::Sequence => sequence = text.trim().parse().ok(),
                _ => {}
            }
        }
        (time.or(fallback), sequence)
    }
}

fn column_role(name: &str) -> Role {
    let is = |word: &&str| name.trim().eq_ignore_ascii_case(word);
    if ["open_time", "opentime", "local_timestamp", "exchange_timestamp"].iter().any(is) {
        return Role::FallbackTime;
    }
    if ["exchange", "venue"].iter().any(is) {
        return Role::Source;
    }
    match record::role(name.trim(), 1) {
        Role::Kind | Role::Inner => Role::None,
        other => other,
    }
}

/// What a field of text says, where that counts.
#[derive(Clone, Copy)]
enum Value {
    Other,
    Time(clock::Stamp),
    Number(Number),
}

/// Notes a field of text by what it looks like.
fn note(column: &mut Shape, text: &str, measure: bool) -> Value {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        column.note(Kind::Null, 1);
        return Value::Other;
    }
    if matches!(column.role, Role::Time | Role::FallbackTime)
        && let Some(stamp) = clock::parse(trimmed)
    {
        column.exemplify(|| trimmed.into());
        column.note(Kind::DateTime, 1);
        if measure {
            column.stats.note_time(stamp.time);
            // A compact date and time has a blank and is no number.
            match number::parse(trimmed) {
                Some(Number::Long(count)) => column.stats.note_count(count),
                Some(_) => column.stats.note_unit(TimeUnit::Seconds),
                None => column.stats.note_time_text(stamp.time),
            }
        }
        return Value::Time(stamp);
    }
    if let Some(number) = number::parse(trimmed) {
        column.exemplify(|| number.json());
        column.note(kind_of(number), 1);
        if measure {
            column.stats.note_number(number);
            if let (Role::Code, Number::Long(code)) = (column.role, number) {
                column.stats.note_code(code);
            }
        }
        return Value::Number(number);
    }
    column.exemplify(|| trimmed.into());
    let (yes, no) = (trimmed.eq_ignore_ascii_case("true"), trimmed.eq_ignore_ascii_case("false"));
    if yes || no {
        column.note(Kind::Boolean, 1);
        if measure {
            column.stats.note_boolean(yes);
        }
        return Value::Other;
    }
    column.note(text_kind(trimmed.as_bytes()), 1);
    if measure {
        match clock::parse(trimmed).filter(|_| text_kind(trimmed.as_bytes()) != Kind::String) {
            Some(stamp) => column.stats.note_time_text(stamp.time),
            None => column.stats.note_text(trimmed),
        }
    }
    Value::Other
}

#[cfg(test)]
mod tests {
    use pdp_manifest::{EventType, FieldType, Symbol};

    use super::*;

    fn inspect(text: &str, piece: usize) -> Findings {
        let mut inspector = Box::new(Csv::new(true));
        for part in text.as_bytes().chunks(piece) {
            inspector.feed(part);
        }
        inspector.finish(false)
    }

    #[test]
    fn rows_are_the_same_however_they_arrive() {
        let text = "timestamp,symbol,price,note\n2024-01-03T00:00:00Z,AAPL,1.5,\"a\nb\"\n\n2024-01-03T00:00:01Z,AAPL,2,\n1,2,3,4,5\n2024-01-03T00:00:02Z,AAPL";
        for piece in [1, 2, 5, 1000] {
            let findings = inspect(text, piece);
            assert_eq!(findings.tally.records, 3, "{piece}");
            let path = "data/x".parse().unwrap();
            let quality = findings.tally.quality(path, Symbol::unknown(), EventType::unknown(), true, None);
            assert_eq!(quality.findings[&pdp_manifest::Check::Unparsable].lines, [6], "{piece}");
            assert_eq!(findings.symbols.first(), Some("AAPL"));
            let columns = findings.flat.unwrap();
            let types: Vec<_> = columns.fields.iter().map(|(_, column)| column.field_type()).collect();
            assert_eq!(types, [FieldType::DateTime, FieldType::String, FieldType::Decimal, FieldType::String]);
        }
    }

    #[test]
    fn small_and_odd_files() {
        for (text, records) in [
            ("", 0),
            ("a,b\n", 0),
            ("a,b", 0),
            ("1,2\n", 1),
            ("1,2", 1),
            ("\n\n1,2\r\n3,4\r\n", 2),
            (",\n,\n", 2),
            ("20250101 180000;1.0;1.1;0.9;1.0;0\n20250101 180100;1.0;1.1;0.9;1.0;0\n", 2),
            ("\"1,2", 0),
        ] {
            for piece in [1, 1000] {
                assert_eq!(inspect(text, piece).tally.records, records, "{text:?} {piece}");
            }
        }
    }

    #[test]
    fn a_row_wider_than_any_buffer() {
        let wide = vec!["7"; 5000].join(",");
        let findings = inspect(&format!("{wide}\n{wide}\n"), 100);
        assert_eq!(findings.tally.records, 2);
    }
}
