//! The records of a file, each with what orders it and its own bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

use chrono::{DateTime, Utc};
use csv_core::ReadRecordResult;
use pdp_manifest::{CsvDialect, DataFormat};

use super::content;
use crate::inspect::csv::{Columns, columns_of};
use crate::inspect::record::{self, Envelope};
use crate::inspect::shape::Shape;
use crate::inspect::{dialect, sniff};

/// A record longer than this is not merged.
const MAX_RECORD: u64 = 64 << 20;

/// What orders records: their time, then their sequence number.
pub(super) type Key = (DateTime<Utc>, Option<u64>);

/// A record: what orders it, and its bytes without the line's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: Key,
    pub(super) bytes: Vec<u8>,
}

/// How a file is made of records.
pub(super) enum Layout {
    Lines,
    Rows { dialect: CsvDialect, columns: Columns, header: Option<Vec<u8>>, crlf: bool },
}

impl Layout {
    pub(super) fn of(format: DataFormat, file: &File) -> io::Result<Self> {
        if format != DataFormat::Csv {
            return Ok(Self::Lines);
        }
        let mut head = Vec::new();
        content(file)?.take(sniff::HEAD as u64).read_to_end(&mut head)?;
        let dialect = dialect::sniff(&head);
        if dialect.comment.is_some() {
            return Err(invalid("a CSV file with comments is not merged".to_owned()));
        }
        let columns = columns_of(&dialect);
        let crlf =
            head.iter().position(|byte| *byte == b'\n').is_some_and(|at| at > 0 && head.get(at - 1) == Some(&b'\r'));
        let mut header = None;
        if dialect.has_header {
            let mut raw = RawRows { input: BufReader::new(content(file)?), line: 0 };
            header = raw.next()?;
        }
        Ok(Self::Rows { dialect, columns, header, crlf })
    }

    pub(super) fn is_compatible_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lines, Self::Lines) => true,
            (Self::Rows { dialect, .. }, Self::Rows { dialect: other, .. }) => {
                dialect.delimiter == other.delimiter
                    && dialect.has_header == other.has_header
                    && dialect.columns == other.columns
            }
            _ => false,
        }
    }

    /// What stands before the records.
    pub(super) fn write_head(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Self::Rows { header: Some(header), .. } = self {
            out.write_all(header)?;
            out.write_all(self.line_end())?;
        }
        Ok(())
    }

    pub(super) const fn line_end(&self) -> &'static [u8] {
        match self {
            Self::Rows { crlf: true, .. } => b"\r\n",
            _ => b"\n",
        }
    }
}

/// The records of a file, one after the other.
pub(super) struct Records {
    raw: RawRows,
    kind: Kind,
}

enum Kind {
    Lines { shape: Box<Shape>, envelope: Box<Envelope> },
    Rows { dialect: CsvDialect, columns: Columns },
}

impl Records {
    pub(super) fn open(file: &File, layout: &Layout) -> io::Result<Self> {
        let mut raw = RawRows { input: BufReader::with_capacity(256 << 10, content(file)?), line: 0 };
        let kind = match layout {
            Layout::Lines => Kind::Lines { shape: Box::default(), envelope: Box::default() },
            Layout::Rows { dialect, columns, header, .. } => {
                if header.is_some() {
                    raw.next()?;
                }
                Kind::Rows { dialect: dialect.clone(), columns: columns.clone() }
            }
        };
        Ok(Self { raw, kind })
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            let bytes = match self.kind {
                Kind::Lines { .. } => self.raw.line()?,
                Kind::Rows { .. } => self.raw.next()?,
            };
            let Some(bytes) = bytes else { return Ok(None) };
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let line = self.raw.line;
            let (time, sequence) = match &mut self.kind {
                Kind::Lines { shape, envelope } => {
                    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
                    record::read(text, shape, envelope, false)
                        .map_err(|error| invalid(format!("line {line}: {error}")))?;
                    (envelope.time, envelope.sequence)
                }
                Kind::Rows { dialect, columns } => {
                    let fields = fields(dialect, &bytes).ok_or_else(|| invalid(format!("line {line}: no row")))?;
                    if fields.len() > dialect.columns.len() {
                        let (found, expected) = (fields.len(), dialect.columns.len());
                        return Err(invalid(format!("line {line} has {found} fields for {expected} columns")));
                    }
                    columns.key(&fields)
                }
            };
            let time = time.ok_or_else(|| invalid(format!("line {line} has no time to order it by")))?.time;
            return Ok(Some(Record { key: (time, sequence), bytes }));
        }
    }
}

fn fields(dialect: &CsvDialect, row: &[u8]) -> Option<Vec<String>> {
    let mut reader = dialect::reader(dialect);
    let (mut text, mut ends) = (vec![0; row.len() + 2], vec![0; row.len() + 2]);
    let (mut result, mut taken, mut wrote, mut count) = reader.read_record(row, &mut text, &mut ends);
    if result == ReadRecordResult::InputEmpty {
        let rest = row.get(taken..)?;
        let more = reader.read_record(rest, text.get_mut(wrote..)?, ends.get_mut(count..)?);
        (result, taken, wrote, count) = (more.0, taken + more.1, wrote + more.2, count + more.3);
    }
    let _ = (taken, wrote);
    if result != ReadRecordResult::Record {
        return None;
    }
    let mut start = 0;
    let field = |end: &usize| {
        let field = text.get(start..*end).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        start = *end;
        field
    };
    ends.get(..count)?.iter().map(field).collect()
}

/// Lines, and rows that may span several.
struct RawRows {
    input: BufReader<Box<dyn Read + Send>>,
    /// Lines read so far.
    line: u64,
}

impl RawRows {
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        (&mut self.input).take(MAX_RECORD).read_until(b'\n', &mut bytes)?;
        if bytes.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if bytes.pop_if(|last| *last == b'\n').is_none() && bytes.len() as u64 == MAX_RECORD {
            return Err(invalid(format!("line {} is longer than {MAX_RECORD} bytes", self.line)));
        }
        bytes.pop_if(|last| *last == b'\r');
        Ok(Some(bytes))
    }

    /// A row, whose quoted fields may hold line ends.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(mut row) = self.line()? else { return Ok(None) };
        while row.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
            let Some(more) = self.line()? else { break };
            row.push(b'\n');
            row.extend(more);
            if row.len() as u64 > MAX_RECORD {
                return Err(invalid(format!("the row that ends on line {} is too long", self.line)));
            }
        }
        Ok(Some(row))
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}
