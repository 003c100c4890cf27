//! Bars added to a store that is there.

mod place;
mod roll_up;

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::commit::{Closing, Index, close};
use super::decode::Decoder;
use super::encode::Encoder;
use super::map::Bytes;
use super::options::{WriteOptions, is_rolled_up, too_many_symbols};
use super::snapshot::Snapshot;
use super::storage::{Log, Storage};
use crate::error::At;
use crate::format::MAX_SYMBOLS;
use crate::format::date::{DAY, day};
use crate::format::header::CHAINED;
use crate::format::metadata::DictionaryToWrite;
use crate::format::symbol::{Symbol, SymbolId, check_name};
use crate::format::symbol_index::SymbolEntry;
use crate::{BadBar, BadBarReason, Bar, FxdError, Version};

/// What becomes of a bar whose symbol has one at its timestamp already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnTaken {
    /// It is an error, even if the two are identical.
    Refuse,
    /// It is passed over if the two are identical, and else an error.
    RefuseDifferent,
    /// The one that is there stays.
    Keep,
    /// It takes the place of the one that is there.
    Replace,
}

/// What a commit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Appended {
    /// Bars that came to the store.
    pub added: u64,
    /// Bars that were there already, or gave way to those that were.
    pub skipped: u64,
    /// Bars that took the place of others.
    pub replaced: u64,
    /// Symbols that are new.
    pub new_symbols: u64,
    /// Blocks that were written.
    pub blocks: u64,
    /// Bytes of these blocks.
    pub block_bytes: u64,
    /// All other bytes that were written: symbol table, nodes, metadata, header.
    pub other_bytes: u64,
    /// The file's committed end.
    pub bytes: u64,
}

/// A block with fewer bars takes those behind it that an append brings.
const SMALL: usize = crate::columns::PAGE_ROWS;
/// Bars that wait; with more, they are written, and count when all is committed.
const MOST_WAITING: usize = 2_000_000;

/// Appends to a store's file. What is appended is there when [`commit`](Self::commit) returns, all of it or nothing; a process
/// that dies before leaves the store as it was. One at a time: the file is locked until the value is dropped.
pub struct Appender {
    inner: Appending<File>,
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appender").field("path", &self.inner.at.0).finish_non_exhaustive()
    }
}

/// Opens a store's file for writing, and locks it.
pub(crate) fn open_locked(path: &Path) -> Result<File, FxdError> {
    let at = At::new(path);
    loop {
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(at.io("opening"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FxdError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(at.io("locking")(error)),
        }
        if is_at(&file, path) {
            return Ok(file);
        }
        // A compacted file took its place between opening and locking.
    }
}

/// Locks a store's file that is to be replaced; nothing where it may be replaced but not written to.
pub(crate) fn lock_if_writable(path: &Path) -> Result<Option<File>, FxdError> {
    match open_locked(path) {
        Ok(file) => Ok(Some(file)),
        Err(FxdError::Io { source, .. }) if source.kind() == std::io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().map(id).ok() == std::fs::metadata(path).map(id).ok()
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

impl Appender {
    /// Opens a store for appending. Of the options, `version`, `info` and `dictionary` are the file's own.
    ///
    /// # Errors
    /// [`FxdError::Locked`] while somebody else appends or compacts; as [`Store::open`](super::Store::open).
    pub fn open(path: impl AsRef<Path>, options: WriteOptions, on_taken: OnTaken) -> Result<Self, FxdError> {
        let path = path.as_ref();
        let file = open_locked(path)?;
        let snapshot = Snapshot::open(&file, path)?;
        Ok(Self { inner: Appending::new(file, At::new(path), snapshot, options, on_taken)? })
    }

    /// How the store's blocks are coded.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.inner.options.version
    }

    /// Where the store's bars are from, and their scales.
    #[must_use]
    pub const fn info(&self) -> &crate::Info {
        &self.inner.snapshot.metadata.info
    }

    /// Adds bars of a symbol, in any order.
    ///
    /// # Errors
    /// [`FxdError::Bar`]: a taken timestamp as [`OnTaken`] says, a value that does not fit; a name that is none; I/O. Nothing
    /// of this commit is there after an error.
    pub fn push(&mut self, symbol: &str, bars: &[Bar]) -> Result<(), FxdError> {
        self.inner.push(symbol, bars)
    }

    /// Makes everything that was added part of the store.
    ///
    /// # Errors
    /// As [`push`](Self::push). After an error of the disk the store is the old or the new one; open it to see.
    pub fn commit(mut self) -> Result<Appended, FxdError> {
        self.inner.commit()
    }
}

/// An append to whatever can be written to.
pub(crate) struct Appending<S> {
    pub(crate) at: At,
    snapshot: Snapshot,
    options: WriteOptions,
    on_taken: OnTaken,
    encoder: Encoder,
    decoder: Decoder,
    log: Log<S>,
    symbols: Vec<Symbol>,
    names: HashMap<String, SymbolId>,
    /// Bars by symbol and, where blocks hold one, by day.
    waiting: BTreeMap<(SymbolId, u64), Vec<Bar>>,
    waiting_bars: usize,
    /// Blocks of this commit, by symbol and first bar.
    inserted: BTreeMap<(SymbolId, u64), SymbolEntry>,
    /// Blocks of commits before that they take the place of.
    removed: BTreeMap<(SymbolId, u64), SymbolEntry>,
    report: Appended,
    /// Spans of time in which a symbol's bars changed, from the first such bar to the last.
    changed: BTreeMap<SymbolId, Vec<(u64, u64)>>,
}

impl<S: Storage> Appending<S> {
    pub(crate) fn new(
        mut storage: S,
        at: At,
        snapshot: Snapshot,
        mut options: WriteOptions,
        on_taken: OnTaken,
    ) -> Result<Self, FxdError> {
        options.version = snapshot.header.known_version();
        options.info = snapshot.metadata.info.clone();
        options.dictionary = snapshot.dictionary().map(<[u8]>::to_vec);
        options.check()?;
        let encoder = Encoder::new(&options);
        let end = snapshot.metadata.end;
        // What lies behind is of an append that did not come to its end.
        storage.set_len(end).map_err(at.io("writing"))?;
        let symbols = snapshot.symbols.clone();
        let names = symbols.iter().map(|symbol| (symbol.name.clone(), symbol.id)).collect();
        Ok(Self {
            at,
            snapshot,
            options,
            on_taken,
            encoder,
            decoder: Decoder::default(),
            log: Log::new(storage, end),
            symbols,
            names,
            waiting: BTreeMap::new(),
            waiting_bars: 0,
            inserted: BTreeMap::new(),
            removed: BTreeMap::new(),
            report: Appended::default(),
            changed: BTreeMap::new(),
        })
    }

    pub(crate) fn push(&mut self, symbol: &str, bars: &[Bar]) -> Result<(), FxdError> {
        let id = self.symbol(symbol)?;
        let rows = self.options.version.has_rows();
        for of_day in bars.chunk_by(|a, b| !rows || day(a.ts) == day(b.ts)) {
            let Some(first) = of_day.first() else { continue };
            // The last day that a store takes ends later than the last timestamp.
            if let Some(late) = of_day.iter().find(|bar| bar.ts > crate::MAX_TS) {
                let bad = BadBar { symbol: symbol.to_owned(), ts: late.ts, why: BadBarReason::TooLate };
                return Err(bad.into());
            }
            let slot = if rows { day(first.ts) } else { 0 };
            self.waiting.entry((id, slot)).or_default().extend_from_slice(of_day);
            self.waiting_bars += of_day.len();
        }
        if self.waiting_bars > MOST_WAITING {
            self.write_waiting()?;
        }
        Ok(())
    }

    fn symbol(&mut self, name: &str) -> Result<SymbolId, FxdError> {
        if let Some(id) = self.names.get(name) {
            return match self.symbols.get(id.position()) {
                Some(symbol) if symbol.flags != 0 => Err(is_rolled_up(name)),
                _ => Ok(*id),
            };
        }
        let id = self.add(name, 0)?;
        for interval in self.options.info.rollups.clone() {
            self.add(&interval.name_of(name), interval.flags())?;
        }
        self.report.new_symbols += 1;
        Ok(id)
    }

    fn add(&mut self, name: &str, flags: u16) -> Result<SymbolId, FxdError> {
        check_name(name).map_err(FxdError::Refused)?;
        let id = match u16::try_from(self.symbols.len()) {
            Ok(position) if u32::from(position) < MAX_SYMBOLS => SymbolId(position),
            _ => return Err(too_many_symbols()),
        };
        self.symbols.push(Symbol::new(id, flags, name.to_owned()));
        if self.names.insert(name.to_owned(), id).is_some() {
            return Err(is_rolled_up(name));
        }
        Ok(id)
    }

    /// Encodes the bars that wait, with those that the store has where they belong, and writes the blocks.
    fn write_waiting(&mut self) -> Result<(), FxdError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bars = 0;
        let mut blocks = Vec::new();
        let mut written: Option<Bytes> = None;
        for ((id, slot), mut bars) in waiting {
            // Stable: of two with one timestamp, the one that was given first comes first.
            bars.sort_by_key(|bar| bar.ts);
            if self.options.version.has_rows() {
                let start = slot.saturating_mul(DAY);
                let there = self.starting_in(id, start..start.saturating_add(DAY))?;
                self.replace(id, &there, &bars, &mut written, &mut blocks)?;
            } else {
                self.place(id, &bars, &mut written, &mut blocks)?;
            }
        }
        for batch in blocks.chunks(64) {
            let encoded = self.encoder.encode(batch).map_err(|error| {
                let name = |id: SymbolId| {
                    self.symbols.get(id.position()).map_or_else(String::new, |symbol| symbol.name.clone())
                };
                error.named(name, &self.options.info)
            })?;
            for block in encoded {
                let offset = self.log.add(&block.bytes).map_err(self.at.io("writing"))?;
                self.report.blocks += 1;
                self.report.block_bytes += block.bytes.len() as u64;
                let entry = SymbolEntry { offset, ..block.entry };
                self.inserted.insert((entry.symbol_id, entry.first_ts), entry);
            }
        }
        Ok(())
    }

    /// Takes a block out of the indexes.
    fn supersede(&mut self, entry: SymbolEntry) {
        let key = (entry.symbol_id, entry.first_ts);
        if self.inserted.get(&key) == Some(&entry) {
            self.inserted.remove(&key);
        } else {
            self.removed.insert(key, entry);
        }
    }

    /// Bars that are there with bars that come, both in order; and whether anything changed.
    fn merge(&mut self, id: SymbolId, there: Vec<Bar>, coming: &[Bar]) -> Result<(Vec<Bar>, bool), FxdError> {
        let mut merged = Vec::with_capacity(there.len() + coming.len());
        let mut there = there.into_iter().peekable();
        let mut changed = false;
        for bar in coming {
            while let Some(before) = there.next_if(|old| old.ts <= bar.ts) {
                merged.push(before);
            }
            match merged.last_mut().filter(|last| last.ts == bar.ts) {
                None => {
                    self.report.added += 1;
                    changed = true;
                    merged.push(*bar);
                }
                Some(last) => match self.on_taken {
                    OnTaken::RefuseDifferent if last == bar => self.report.skipped += 1,
                    OnTaken::Keep => self.report.skipped += 1,
                    OnTaken::Replace if last == bar => self.report.skipped += 1,
                    OnTaken::Replace => {
                        self.report.replaced += 1;
                        changed = true;
                        *last = *bar;
                    }
                    OnTaken::Refuse | OnTaken::RefuseDifferent => {
                        let symbol =
                            self.symbols.get(id.position()).map_or_else(String::new, |symbol| symbol.name.clone());
                        return Err(BadBar { symbol, ts: bar.ts, why: BadBarReason::Taken }.into());
                    }
                },
            }
        }
        merged.extend(there);
        Ok((merged, changed))
    }

    pub(crate) fn commit(&mut self) -> Result<Appended, FxdError> {
        self.write_waiting()?;
        self.roll_up()?;
        self.report.bytes = self.snapshot.metadata.end;
        if self.inserted.is_empty() && self.symbols.len() == self.snapshot.symbols.len() {
            return Ok(self.report);
        }
        let remove: Vec<SymbolEntry> = self.removed.values().copied().collect();
        let insert: Vec<SymbolEntry> = self.inserted.values().copied().collect();
        self.count(&remove, &insert)?;
        let (header, before) = (&self.snapshot.header, &self.snapshot.metadata);
        let index = Index::Edited {
            file: self.snapshot.file(),
            time_root: header.index_offset,
            symbol_root: before.symbol_root,
            remove: &remove,
            insert: &insert,
        };
        let closing = Closing {
            version: self.options.version,
            flags: header.flags & !CHAINED,
            created_ts: header.created_ts,
            modified_ts: self.options.now,
            data_offset: header.data_offset,
            symbols: &self.symbols,
            table_at: None,
            number: before.commit.number.saturating_add(1),
            region_offset: before.end,
            previous: before.at,
            dictionary: before.dictionary.map_or(DictionaryToWrite::None, DictionaryToWrite::Old),
            info: &before.info,
        };
        let end = close(&mut self.log, &index, &closing).map_err(|error| error.at(&self.at))?;
        self.report.bytes = end;
        self.report.other_bytes = end - before.end - self.report.block_bytes + crate::format::header::LEN as u64;
        Ok(self.report)
    }

    /// Brings counts and spans of the symbols that changed up to date.
    fn count(&mut self, remove: &[SymbolEntry], insert: &[SymbolEntry]) -> Result<(), FxdError> {
        let mut changed: BTreeMap<SymbolId, (i64, i64)> = BTreeMap::new();
        for (entries, sign) in [(remove, -1), (insert, 1)] {
            for entry in entries {
                let (blocks, bars) = changed.entry(entry.symbol_id).or_default();
                *blocks += sign;
                *bars += sign * i64::from(entry.record_count);
            }
        }
        for (id, (blocks, bars)) in changed {
            let Some(symbol) = self.symbols.get_mut(id.position()) else { continue };
            let spans = insert.iter().skip(insert.partition_point(|entry| entry.symbol_id < id));
            let spans = spans.take_while(|entry| entry.symbol_id == id);
            let (first, last) =
                spans.fold((u64::MAX, 0), |(first, last), entry| (first.min(entry.first_ts), last.max(entry.last_ts)));
            // Bars are never taken away, so that a span can only grow.
            if symbol.record_count == 0 {
                (symbol.first_ts, symbol.last_ts) = (first, last);
            } else {
                symbol.first_ts = symbol.first_ts.min(first);
                symbol.last_ts = symbol.last_ts.max(last);
            }
            symbol.record_count = symbol.record_count.saturating_add_signed(bars);
            let count = i64::from(symbol.block_count) + blocks;
            symbol.block_count = u32::try_from(count)
                .map_err(|_| FxdError::Refused(format!("{} would have {count} blocks", symbol.name)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
