//! A store that is open for reading.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::cache::Cache;
use super::decode::{Decoder, Pool, Stop, append, block_of, payload_len, records, within};
use super::filter::Filter;
use super::map::Bytes;
use super::rollup::{Rolling, TooMuch};
use super::snapshot::Snapshot;
use super::tree;
use crate::columns::{Fields, Picked};
use crate::error::At;
use crate::format::damage::{Damage, Decoded};
use crate::format::header::Header;
use crate::format::metadata::{Commit, Metadata};
use crate::format::symbol::{Symbol, SymbolId};
use crate::format::symbol_index::SymbolEntry;
use crate::format::time_index::TimeEntry;
use crate::{Bar, Columns, FxdError, Info, Interval};

/// A store, as it was at its newest commit when it was opened. It does not change while others append to the file or put a
/// compacted one in its place; [`open`](Self::open) it again to see what came.
///
/// It can be shared between threads; each query uses memory of its own.
pub struct Store {
    at: At,
    snapshot: Snapshot,
    decoders: Pool<Decoder>,
    cache: Cache,
}

/// How many decompressed blocks are kept unless said otherwise: some megabytes where blocks are days of minutes.
pub const CACHED_BLOCKS: usize = 64;

/// Bars of a longer interval that are handed over together.
const ROLLED: usize = 1024;

/// Blocks from which on a query decodes them on all threads.
const PARALLEL: usize = 8;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.at.0).field("header", &self.snapshot.header).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a store by mapping its file. The cost does not grow with the number of bars.
    ///
    /// The file must not be cut off by other programs while it is open, as no program of this crate does: reading what is
    /// no longer there ends a process.
    ///
    /// # Errors
    /// [`FxdError`]: I/O, another kind of file, an unknown version, damage of what is read at once.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FxdError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(At::new(path).io("opening"))?;
        Self::open_file(&file, path)
    }

    /// Opens the store that an open file has; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_file(file: &File, path: &Path) -> Result<Self, FxdError> {
        let at = At::new(path);
        if !file.metadata().map_err(at.io("opening"))?.is_file() {
            return Err(FxdError::NotFxd { path: path.to_owned(), found: "it is not a regular file".into() });
        }
        Ok(Self::of(at, Snapshot::open(file, path)?))
    }

    /// Opens a store that lies in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self, FxdError> {
        let at = At(PathBuf::from("(memory)"));
        let snapshot = Snapshot::of(Bytes::Owned(bytes.into())).map_err(|error| error.at(&at))?;
        Ok(Self::of(at, snapshot))
    }

    pub(crate) fn of(at: At, snapshot: Snapshot) -> Self {
        Self { at, snapshot, decoders: Pool::default(), cache: Cache::new(CACHED_BLOCKS) }
    }

    /// Keeps so many decompressed blocks; 0 for none.
    #[must_use]
    pub fn with_cached_blocks(mut self, blocks: usize) -> Self {
        self.cache = Cache::new(blocks);
        self
    }

    pub(crate) const fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.at.0
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.snapshot.header
    }

    /// Where the bars are from, and their scales.
    #[must_use]
    pub const fn info(&self) -> &Info {
        &self.snapshot.metadata.info
    }

    /// The commit that is seen.
    #[must_use]
    pub const fn commit(&self) -> &Commit {
        &self.snapshot.metadata.commit
    }

    /// The sections behind the index.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.snapshot.metadata
    }

    /// The bytes up to the committed end.
    #[must_use]
    pub fn file(&self) -> &[u8] {
        self.snapshot.file()
    }

    /// The symbols whose bars are as they came, in the order of the table: all but series that are rolled up.
    pub fn series(&self) -> impl Iterator<Item = &Symbol> {
        self.symbols().iter().filter(|symbol| symbol.flags == 0)
    }

    /// All symbols, in the order of the table, with the series that are rolled up.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.snapshot.symbols
    }

    /// The dictionary that blocks may be compressed with.
    #[must_use]
    pub fn dictionary(&self) -> Option<&[u8]> {
        self.snapshot.dictionary()
    }

    /// Bars of all symbols, but for those that are rolled up.
    #[must_use]
    pub fn record_count(&self) -> u64 {
        self.series().fold(0, |sum, symbol| sum.saturating_add(symbol.record_count))
    }

    /// The symbol of a name.
    ///
    /// # Errors
    /// [`FxdError::NoSymbol`], with the names nearest to it.
    pub fn symbol(&self, name: &str) -> Result<&Symbol, FxdError> {
        self.snapshot.symbol(name).ok_or_else(|| FxdError::NoSymbol {
            path: self.at.0.clone(),
            name: name.to_owned(),
            known: nearest(self.series(), name),
        })
    }

    /// Bars of a symbol with `range.start <= ts < range.end`, oldest first, those that a filter lets pass.
    ///
    /// Only blocks that reach into the range are read. Several are decoded on all of rayon's threads.
    ///
    /// # Errors
    /// [`FxdError::Damaged`] where a block or a node that is needed is.
    pub fn query(&self, symbol: SymbolId, range: Range<u64>, filter: &Filter) -> Result<Columns, FxdError> {
        let blocks = self.blocks(symbol, range.clone())?;
        if blocks.len() < PARALLEL {
            let bars: usize = blocks.iter().map(|entry| expected(entry, &range)).sum();
            let mut columns = Columns::with_capacity(bars);
            for entry in &blocks {
                self.append(entry, &range, Fields::ALL, &mut columns).map_err(|damage| self.at.damaged(damage))?;
            }
            filter.apply(&mut columns);
            return Ok(columns);
        }
        // A few blocks a task: each has the cost of a vector for each column.
        let parts: Vec<Columns> = blocks
            .par_chunks(PARALLEL)
            .map(|blocks| {
                let mut columns = Columns::with_capacity(blocks.iter().map(|entry| entry.record_count as usize).sum());
                for entry in blocks {
                    self.append(entry, &range, Fields::ALL, &mut columns)?;
                }
                filter.apply(&mut columns);
                Ok(columns)
            })
            .collect::<Decoded<_>>()
            .map_err(|damage| self.at.damaged(damage))?;
        let mut columns = Columns::with_capacity(parts.iter().map(Columns::len).sum());
        for part in parts {
            columns.append(&part);
        }
        Ok(columns)
    }

    /// Hands over the bars of a symbol with `range.start <= ts < range.end`, oldest first, a block of rows or a page of columns at
    /// a time, from columns that are used again: what a scan of any length needs in memory is one of these.
    ///
    /// # Errors
    /// As [`query`](Self::query), and whatever `take` answers.
    pub fn scan<E: From<FxdError>>(
        &self,
        symbol: SymbolId,
        range: Range<u64>,
        filter: &Filter,
        mut take: impl FnMut(&Columns) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each(symbol, &range, Fields::ALL, &mut Columns::default(), |columns| {
            filter.apply(columns);
            if columns.is_empty() { Ok(()) } else { take(columns) }
        })
    }

    /// Hands over some fields of the bars of a symbol with `range.start <= ts < range.end`, as [`scan`](Self::scan) does. Of
    /// columns (version 3) only what these fields need is decoded.
    ///
    /// # Errors
    /// As [`query`](Self::query), and whatever `take` answers.
    pub fn pick<E: From<FxdError>>(
        &self,
        symbol: SymbolId,
        range: Range<u64>,
        fields: Fields,
        mut take: impl FnMut(&Picked) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut picked = Picked::default();
        self.each(symbol, &range, fields, &mut Columns::default(), |columns| {
            if columns.is_empty() {
                return Ok(());
            }
            std::mem::swap(&mut picked.0, columns);
            picked.keep(fields);
            let done = take(&picked);
            std::mem::swap(&mut picked.0, columns);
            done
        })
    }

    /// Hands over bars of a longer interval, those that begin in `range`, each of all bars of its interval; as
    /// [`scan`](Self::scan) does. They come from the coarsest series that serves: that of the interval itself, one whose interval
    /// divides it, or the bars as they came.
    ///
    /// # Errors
    /// As [`query`](Self::query), [`FxdError::Bar`] for volumes whose sum 64 bits do not hold, and whatever `take` answers.
    pub fn scan_interval<E: From<FxdError>>(
        &self,
        symbol: SymbolId,
        range: Range<u64>,
        interval: Interval,
        filter: &Filter,
        mut take: impl FnMut(&Columns) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(base) = self.symbols().get(symbol.position()) else { return Ok(()) };
        let nanos = interval.nanos();
        let serves = |series: &&Symbol| {
            let divides = series.interval().is_some_and(|other| nanos.is_multiple_of(other.nanos()));
            divides && series.rolled_from() == Some(&base.name)
        };
        let coarsest = self.symbols().iter().filter(serves).max_by_key(|series| series.interval().map(Interval::nanos));
        let from = coarsest.unwrap_or(base);
        if from.interval() == Some(interval) {
            return self.scan(from.id, range, filter, take);
        }
        // Whole intervals, from the first that begins in the range to the last that does.
        let Some(start) = range.start.checked_next_multiple_of(nanos) else { return Ok(()) };
        let end = range.end.checked_next_multiple_of(nanos).unwrap_or(u64::MAX);
        let mut rolling = Rolling::new(interval);
        let (mut done, mut columns) = (Vec::new(), Columns::default());
        let too_much = |error: TooMuch| error.of(&base.name, self.info().volume_scale);
        let mut hand_on = |done: &mut Vec<Bar>| {
            columns.clear();
            columns.extend(done.drain(..));
            filter.apply(&mut columns);
            if columns.is_empty() { Ok(()) } else { take(&columns) }
        };
        self.each(from.id, &(start..end), Fields::ALL, &mut Columns::default(), |bars| {
            rolling.take(bars.iter(), &mut done).map_err(too_much)?;
            if done.len() < ROLLED { Ok(()) } else { hand_on(&mut done) }
        })?;
        done.extend(rolling.finish());
        hand_on(&mut done)
    }

    /// Bars of a longer interval, as [`scan_interval`](Self::scan_interval) hands them over.
    ///
    /// # Errors
    /// As [`scan_interval`](Self::scan_interval).
    pub fn query_interval(
        &self,
        symbol: SymbolId,
        range: Range<u64>,
        interval: Interval,
        filter: &Filter,
    ) -> Result<Columns, FxdError> {
        let mut all = Columns::default();
        self.scan_interval(symbol, range, interval, filter, |columns| {
            all.append(columns);
            Ok::<_, FxdError>(())
        })?;
        Ok(all)
    }

    /// Hands over bars as they are decoded; the columns are emptied behind each time.
    fn each<E: From<FxdError>>(
        &self,
        symbol: SymbolId,
        range: &Range<u64>,
        fields: Fields,
        columns: &mut Columns,
        mut take: impl FnMut(&mut Columns) -> Result<(), E>,
    ) -> Result<(), E> {
        for entry in self.blocks(symbol, range.clone())? {
            columns.clear();
            let block = block_of(self.file(), self.snapshot.header.known_version(), &entry);
            let block = block.map_err(|damage| self.at.damaged(damage))?;
            if block.header.compression.has_rows() {
                self.append(&entry, range, fields, columns).map_err(|damage| self.at.damaged(damage))?;
                take(columns)?;
                continue;
            }
            let mut decoder = self.decoders.take();
            let done = decoder.coded_pages(&block, range, fields, columns, &mut take);
            self.decoders.give(decoder);
            done.map_err(|stop| match stop {
                Stop::Damaged(damage) => self.at.damaged(damage).into(),
                Stop::Asked(error) => error,
            })?;
        }
        Ok(())
    }

    /// The blocks of a symbol that reach into a range of time, oldest first, found through the symbol index.
    ///
    /// # Errors
    /// [`FxdError::Damaged`] where a node that is needed is.
    pub fn blocks(&self, symbol: SymbolId, range: Range<u64>) -> Result<Vec<SymbolEntry>, FxdError> {
        let mut blocks: Vec<SymbolEntry> = Vec::new();
        let mut overlap = None;
        let root = self.snapshot.metadata.symbol_root;
        tree::scan(self.file(), root, (symbol, range.start), |entry: &SymbolEntry| {
            if entry.symbol_id < symbol {
                return true;
            }
            if entry.symbol_id > symbol || entry.first_ts >= range.end {
                return false;
            }
            if blocks.last().is_some_and(|last| last.last_ts >= entry.first_ts) {
                overlap = Some(entry.offset);
                return false;
            }
            if entry.last_ts >= range.start {
                blocks.push(*entry);
            }
            true
        })
        .map_err(|damage| self.at.damaged(damage))?;
        match overlap {
            Some(at) => Err(self.at.damaged(Damage::new(at, "blocks of a symbol overlap in time"))),
            None => Ok(blocks),
        }
    }

    /// The blocks whose first bar lies in a range of time, of all symbols, found through the time index; ordered by time.
    ///
    /// # Errors
    /// [`FxdError::Damaged`] where a node that is needed is.
    pub fn blocks_by_time(&self, range: Range<u64>) -> Result<Vec<TimeEntry>, FxdError> {
        let mut blocks = Vec::new();
        tree::scan(self.file(), self.header().index_offset, range.start, |entry: &TimeEntry| {
            if entry.ts >= range.end {
                return false;
            }
            if entry.ts >= range.start {
                blocks.push(*entry);
            }
            true
        })
        .map_err(|damage| self.at.damaged(damage))?;
        Ok(blocks)
    }

    fn append(&self, entry: &SymbolEntry, range: &Range<u64>, fields: Fields, columns: &mut Columns) -> Decoded<()> {
        if let Some(payload) = self.cache.get(entry.offset) {
            let block = block_of(self.file(), self.snapshot.header.known_version(), entry)?;
            let records = records(&block, &payload)?;
            append(records.get(within(records, range)).unwrap_or_default(), columns);
            return Ok(());
        }
        let block = block_of(self.file(), self.snapshot.header.known_version(), entry)?;
        let mut decoder = self.decoders.take();
        // Of columns only what is asked for is decoded, so that there is nothing to keep.
        if !block.header.compression.has_rows() {
            let decoded = decoder.coded(&block, range, fields, columns);
            self.decoders.give(decoder);
            return decoded;
        }
        let mut payload = self.cache.spare(payload_len(entry.record_count as usize));
        let decoded = decoder.payload(&block, self.dictionary(), &mut payload);
        self.decoders.give(decoder);
        decoded?;
        let records = records(&block, &payload)?;
        append(records.get(within(records, range)).unwrap_or_default(), columns);
        self.cache.put(entry.offset, payload);
        Ok(())
    }
}

/// About how many bars of a block lie in a range, some more than fewer: memory for a whole block of columns costs more than
/// decoding a day of it.
fn expected(entry: &SymbolEntry, range: &Range<u64>) -> usize {
    let span = u128::from(entry.last_ts.saturating_sub(entry.first_ts)) + 1;
    let within = range.end.min(entry.last_ts.saturating_add(1)).saturating_sub(range.start.max(entry.first_ts));
    let part = u128::from(entry.record_count) * u128::from(within) / span;
    usize::try_from(part).unwrap_or(usize::MAX).saturating_add(64).min(entry.record_count as usize)
}

/// The names nearest to one that is not there: those that differ in case only, or begin alike, then any.
fn nearest<'s>(symbols: impl Iterator<Item = &'s Symbol>, name: &str) -> Vec<String> {
    let common = |other: &str| {
        let pairs = other.chars().zip(name.chars());
        pairs.take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
    };
    let mut known: Vec<&str> = symbols.map(|symbol| symbol.name.as_str()).collect();
    known.sort_by_key(|other| std::cmp::Reverse(common(other)));
    let mut named: Vec<String> = known.iter().take(8).map(|&name| name.to_owned()).collect();
    if known.len() > named.len() {
        named.push(format!("and {} more", known.len() - named.len()));
    }
    named
}
