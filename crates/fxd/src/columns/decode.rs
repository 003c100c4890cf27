//! Bytes to bars, from any page on.

use std::ops::Range;

use super::fields::Fields;
use super::group::{Group, Rebuilt, State, group};
use super::huffman::{Code, TABLE};
use super::layout::{Coding, GROUP, Head, PARTS, Page, Part};
use super::stream::{Stream, sparse};
use crate::Columns;

/// Memory that decoding takes, to be used again.
#[derive(Default)]
pub struct Scratch {
    tables: Vec<[u16; TABLE]>,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scratch").field("tables", &self.tables.len()).finish()
    }
}

/// A coded block whose head was read.
#[derive(Debug)]
pub struct Coded<'a> {
    bytes: &'a [u8],
    head: Head,
    pages: Vec<Page>,
}

/// What is wrong with a coded block.
pub type Wrong = &'static str;

const BAD_LENGTH: Wrong = "a stream of coded columns does not end where its page says";
const BAD_ORDER: Wrong = "bars of coded columns are out of order";

impl<'a> Coded<'a> {
    /// Reads the head of a coded block of at most `most_rows` bars.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(bytes: &'a [u8], most_rows: usize) -> Result<Self, Wrong> {
        let (head, pages) = Head::read(bytes, most_rows)?;
        Ok(Self { bytes, head, pages })
    }

    /// How many bars there are.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.head.rows
    }

    /// The first bar.
    #[must_use]
    pub const fn first_ts(&self) -> u64 {
        self.head.first_ts
    }

    /// Adds the bars with `range.start <= ts < range.end` to columns. Only pages that reach into the range are decoded, and
    /// their bars are in order.
    ///
    /// # Errors
    /// What is wrong with the pages that are decoded. Columns may have got bars by then.
    pub fn decode(&self, range: &Range<u64>, scratch: &mut Scratch, columns: &mut Columns) -> Result<(), Wrong> {
        self.pick(range, Fields::ALL, scratch, columns, |_| Ok(()))
    }

    /// The same of some fields alone; the vectors of the others stay as they are. `take` sees the columns after each page, and may
    /// empty them.
    pub(crate) fn pick<E: From<Wrong>>(
        &self,
        range: &Range<u64>,
        fields: Fields,
        scratch: &mut Scratch,
        columns: &mut Columns,
        mut take: impl FnMut(&mut Columns) -> Result<(), E>,
    ) -> Result<(), E> {
        let first = self.pages.partition_point(|page| page.first_ts <= range.start).saturating_sub(1);
        let last = self.pages.partition_point(|page| page.first_ts < range.end);
        if first >= last {
            return Ok(());
        }
        let starts = self.fill_tables(fields, scratch);
        let mut before = None;
        for page in first..last {
            let base = self.pages.get(page).map(|page| page.base);
            if fields.need(Part::Close) && before.is_some() && before != base {
                return Err(E::from("a page of coded columns does not start from the close before it"));
            }
            before = self.page(page, fields, &starts, &scratch.tables, range, columns)?;
            take(columns)?;
        }
        Ok(())
    }

    /// Fills the tables of all codes that are needed; says where those of each part start.
    fn fill_tables(&self, fields: Fields, scratch: &mut Scratch) -> [usize; PARTS] {
        let mut starts = [0; PARTS];
        let mut used = 0;
        let mut fill = |code: &Code| {
            if scratch.tables.len() == used {
                scratch.tables.push([0; TABLE]);
            }
            if let Some(table) = scratch.tables.get_mut(used) {
                code.fill(table);
            }
            used += 1;
            used
        };
        let mut at = 0;
        for ((start, coding), part) in starts.iter_mut().zip(&self.head.codings).zip(Part::ALL) {
            *start = at;
            match coding {
                _ if !fields.need(part) => {}
                Coding::Constant(_) | Coding::Sparse { codes: None, .. } => {}
                Coding::Tokens { codes, .. } => at = codes.iter().map(&mut fill).last().unwrap_or(at),
                Coding::Sparse { codes: Some(codes), .. } => {
                    fill(&codes.0);
                    at = fill(&codes.1);
                }
            }
        }
        starts
    }

    /// The streams of a page.
    fn streams<'t>(
        &'t self,
        page: &Page,
        rows: usize,
        fields: Fields,
        starts: &[usize; PARTS],
        tables: &'t [[u16; TABLE]],
    ) -> Result<Vec<Stream<'t>>, Wrong> {
        let mut at = page.at;
        let mut lengths = page.lengths.iter();
        // With what follows it, so that words of eight bytes can be read up to its end; and its length.
        let mut string = || {
            let length = *lengths.next()?;
            let string = self.bytes.get(at..)?;
            at = at.checked_add(length)?;
            Some((string, length))
        };
        let groups = rows.div_ceil(GROUP);
        let mut streams = Vec::with_capacity(PARTS);
        for ((coding, &table), part) in self.head.codings.iter().zip(starts).zip(Part::ALL) {
            streams.push(match coding {
                _ if !fields.need(part) => {
                    for _ in 0..coding.strings() {
                        string().ok_or(BAD_LENGTH)?;
                    }
                    Stream::Constant(0)
                }
                Coding::Constant(value) => Stream::Constant(*value),
                Coding::Tokens { codes, extra } => {
                    let tables = tables.get(table..).and_then(|tables| tables.get(..codes.len())).ok_or(BAD_LENGTH)?;
                    let choice_bits = Coding::choice_bits(codes.len());
                    let codes = string().ok_or(BAD_LENGTH)?;
                    let extras = if *extra { Some(string().ok_or(BAD_LENGTH)?) } else { None };
                    Stream::tokens(tables, choice_bits, groups, codes, extras)
                }
                Coding::Sparse { usual, codes } => {
                    let (string, length) = string().ok_or(BAD_LENGTH)?;
                    let bytes = string.get(..length).ok_or(BAD_LENGTH)?;
                    let tables = codes.is_some().then(|| tables.get(table).zip(tables.get(table + 1))).flatten();
                    sparse(bytes, *usual, rows, tables)?
                }
            });
        }
        Ok(streams)
    }

    /// Adds the bars of a page; gives the last close, in units, if the page was read to its end.
    fn page(
        &self,
        number: usize,
        fields: Fields,
        starts: &[usize; PARTS],
        tables: &[[u16; TABLE]],
        range: &Range<u64>,
        columns: &mut Columns,
    ) -> Result<Option<i64>, Wrong> {
        let Some(page) = self.pages.get(number) else { return Ok(None) };
        let rows = self.head.rows_of(number);
        let mut streams = self.streams(page, rows, fields, starts, tables)?;
        let limit = self.pages.get(number + 1).map_or(u64::MAX, |next| next.first_ts);
        let mut state = State { ts: page.first_ts.wrapping_sub(self.head.interval), close: page.base };
        let mut values: Group = [[0; GROUP]; PARTS];
        let mut rebuilt = Rebuilt::default();
        let mut least = page.first_ts;
        for start in (0..rows).step_by(GROUP) {
            let count = (rows - start).min(GROUP);
            group(&self.head, fields, &mut streams, start, count, &mut values, &mut state, &mut rebuilt)?;
            let ts = rebuilt.ts.get(..count).unwrap_or_default();
            let (Some(&first), Some(&last)) = (ts.first(), ts.last()) else { return Ok(None) };
            let in_place = if start == 0 { first == page.first_ts } else { first > least };
            if !in_place || last >= limit || !rises(ts) {
                return Err(BAD_ORDER);
            }
            least = last;
            let whole = range.start <= first && last < range.end;
            let (from, to) = match whole {
                true => (0, count),
                false => (ts.partition_point(|ts| *ts < range.start), ts.partition_point(|ts| *ts < range.end)),
            };
            rebuilt.append(from..to.max(from), fields, columns);
            if to < count {
                return Ok(None);
            }
        }
        if streams.iter().all(Stream::is_at_end) { Ok(Some(state.close)) } else { Err(BAD_LENGTH) }
    }
}

/// Whether each is larger than the one before; without a branch for each.
fn rises(ts: &[u64]) -> bool {
    let next = ts.get(1..).unwrap_or_default();
    ts.iter().zip(next).fold(true, |rises, (one, next)| rises & (one < next))
}
