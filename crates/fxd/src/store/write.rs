//! A store that is made anew.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::append::lock_if_writable;
use super::commit::{Closing, Index, close};
use super::encode::{Encoder, ToEncode, cut};
use super::options::{WriteOptions, is_rolled_up, too_many_symbols};
use super::rollup::{Rolling, TooMuch};
use super::storage::{Log, Storage};
use crate::error::At;
use crate::format::MAX_SYMBOLS;
use crate::format::bytes::slice;
use crate::format::date::day;
use crate::format::header::{self, CHAINED};
use crate::format::metadata::DictionaryToWrite;
use crate::format::symbol::{self, Symbol, SymbolId, check_name};
use crate::format::symbol_index::SymbolEntry;
use crate::{BadBar, BadBarReason, Bar, FxdError};

/// Blocks that are encoded at a time.
const BATCH: usize = 64;
/// Bars that wait for their blocks to become full; with more, blocks are written as they are. About 230 MB.
const MOST_WAITING: usize = 4_000_000;
/// Bytes that are moved at a time where blocks must move.
const MOVED_AT_A_TIME: u64 = 1 << 20;

/// Makes a store. Its file appears when it is finished, and not before; until then it lies beside, under another name.
pub struct Writer {
    at: At,
    options: WriteOptions,
    encoder: Encoder,
    temporary: NamedTempFile,
    log: Option<Log<File>>,
    data_offset: u64,
    symbols: Vec<Growing>,
    names: HashMap<String, SymbolId>,
    waiting: usize,
    queue: Vec<ToEncode>,
    entries: Vec<SymbolEntry>,
}

struct Growing {
    symbol: Symbol,
    waiting: Vec<Bar>,
    /// The series that its bars are rolled up to.
    rolling: Vec<(SymbolId, Rolling)>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Written {
    /// Symbols, but for series that are rolled up.
    pub symbols: u64,
    /// Series that are rolled up.
    pub series: u64,
    /// Blocks.
    pub blocks: u64,
    /// Bars, but for those that are rolled up.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What is to become of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is written.
    Refuse,
    /// The new one takes its place, at once and whole.
    Replace,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("path", &self.at.0).finish_non_exhaustive()
    }
}

impl Writer {
    /// Begins a store that will lie at `path`.
    ///
    /// # Errors
    /// [`FxdError::Refused`] for options out of bounds; I/O.
    pub fn create(path: impl AsRef<Path>, options: WriteOptions) -> Result<Self, FxdError> {
        options.check()?;
        let path = &linked(path.as_ref());
        let at = At::new(path);
        let directory = directory_of(path);
        if !directory.is_dir() {
            let none = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no such directory");
            return Err(At::new(&directory).io("writing to")(none));
        }
        let temporary = tempfile::Builder::new()
            .prefix(".fxd-")
            .suffix(".partial")
            .tempfile_in(&directory)
            .map_err(At::new(&directory).io("creating a file in"))?;
        let encoder = Encoder::new(&options);
        Ok(Self {
            at,
            options,
            encoder,
            temporary,
            log: None,
            data_offset: 0,
            symbols: Vec::new(),
            names: HashMap::new(),
            waiting: 0,
            queue: Vec::new(),
            entries: Vec::new(),
        })
    }

    /// The id of a symbol, which is new in the store when it was not asked for before.
    ///
    /// # Errors
    /// [`FxdError::Refused`]: a name that is none or of a series that is rolled up, or one symbol too many.
    pub fn symbol(&mut self, name: &str) -> Result<SymbolId, FxdError> {
        if let Some(id) = self.names.get(name) {
            return match self.symbols.get(id.position()) {
                Some(growing) if growing.symbol.flags != 0 => Err(is_rolled_up(name)),
                _ => Ok(*id),
            };
        }
        let id = self.add(name, 0)?;
        let mut rolling = Vec::new();
        for interval in self.options.info.rollups.clone() {
            rolling.push((self.add(&interval.name_of(name), interval.flags())?, Rolling::new(interval)));
        }
        if let Some(growing) = self.symbols.get_mut(id.position()) {
            growing.rolling = rolling;
        }
        Ok(id)
    }

    fn add(&mut self, name: &str, flags: u16) -> Result<SymbolId, FxdError> {
        check_name(name).map_err(FxdError::Refused)?;
        let position = u32::try_from(self.symbols.len()).unwrap_or(u32::MAX);
        let id = match u16::try_from(position) {
            Ok(position) if u32::from(position) < MAX_SYMBOLS => SymbolId(position),
            _ => return Err(too_many_symbols()),
        };
        if self.names.insert(name.to_owned(), id).is_some() {
            return Err(is_rolled_up(name));
        }
        let symbol = Symbol::new(id, flags, name.to_owned());
        self.symbols.push(Growing { symbol, waiting: Vec::new(), rolling: Vec::new() });
        Ok(id)
    }

    /// Adds bars of a symbol; each must come after the last one of the symbol.
    ///
    /// # Errors
    /// [`FxdError::Bar`]: a bar out of order, too late, or with a value that does not fit; I/O. The store cannot be gone on
    /// with after an error.
    pub fn push(&mut self, id: SymbolId, bars: &[Bar]) -> Result<(), FxdError> {
        self.push_own(id, bars)?;
        let Some(growing) = self.symbols.get_mut(id.position()).filter(|growing| !growing.rolling.is_empty()) else {
            return Ok(());
        };
        let mut rolling = std::mem::take(&mut growing.rolling);
        let mut done = Vec::new();
        for (series, rolling) in &mut rolling {
            done.clear();
            rolling.take(bars.iter().copied(), &mut done).map_err(|error| self.too_much(*series, error))?;
            self.push_own(*series, &done)?;
        }
        if let Some(growing) = self.symbols.get_mut(id.position()) {
            growing.rolling = rolling;
        }
        Ok(())
    }

    fn too_much(&self, series: SymbolId, error: TooMuch) -> FxdError {
        let name = self.symbols.get(series.position()).map_or("", |growing| growing.symbol.name.as_str());
        error.of(name, self.options.info.volume_scale)
    }

    fn push_own(&mut self, id: SymbolId, bars: &[Bar]) -> Result<(), FxdError> {
        let most = self.options.block_records();
        let slots = self.options.version;
        let full = usize::try_from(most).unwrap_or(usize::MAX);
        let Some(growing) = self.symbols.get_mut(id.position()) else {
            return Err(FxdError::Refused(format!("symbol {} is not one of this store", id.position())));
        };
        let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return Ok(()) };
        check_order(&growing.symbol, bars)?;
        if growing.symbol.record_count == 0 {
            growing.symbol.first_ts = first.ts;
        }
        growing.symbol.last_ts = last.ts;
        growing.symbol.record_count += bars.len() as u64;
        for piece in cut(bars, most, slots) {
            let mut piece = piece;
            let other_day = |waiting: &[Bar]| {
                let both = waiting.first().zip(piece.first());
                slots.has_rows() && both.is_some_and(|(waiting, next)| day(waiting.ts) != day(next.ts))
            };
            if other_day(&growing.waiting) {
                self.waiting -= growing.waiting.len();
                self.queue.push(ToEncode { symbol: id, bars: std::mem::take(&mut growing.waiting) });
            }
            while !piece.is_empty() {
                let room = full.saturating_sub(growing.waiting.len()).min(piece.len());
                let (now, rest) = piece.split_at_checked(room).unwrap_or((piece, &[]));
                growing.waiting.extend_from_slice(now);
                self.waiting += now.len();
                piece = rest;
                if growing.waiting.len() >= full {
                    self.waiting -= growing.waiting.len();
                    self.queue.push(ToEncode { symbol: id, bars: std::mem::take(&mut growing.waiting) });
                }
            }
        }
        if self.waiting > MOST_WAITING {
            self.queue_all();
        }
        if self.queue.len() >= BATCH {
            self.write_queue()?;
        }
        Ok(())
    }

    /// Bytes that were written so far.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.log.as_ref().map_or(0, Log::position)
    }

    /// Completes the store and puts it at its place.
    ///
    /// # Errors
    /// [`FxdError::Exists`] where a file is there that must stay; [`FxdError::Locked`] where it is a store that somebody writes
    /// to; I/O.
    pub fn finish(self, existing: Existing) -> Result<Written, FxdError> {
        // Held until the new store is in its place: what an append adds meanwhile would be lost.
        let lock = match existing {
            Existing::Replace if self.at.0.is_file() => lock_if_writable(&self.at.0)?,
            _ => None,
        };
        let written = self.finish_locked(existing);
        drop(lock);
        written
    }

    /// [`finish`](Self::finish) for one who has locked the store that is there.
    pub(crate) fn finish_locked(mut self, existing: Existing) -> Result<Written, FxdError> {
        let rolling: Vec<_> =
            self.symbols.iter_mut().flat_map(|growing| std::mem::take(&mut growing.rolling)).collect();
        for (series, rolling) in rolling {
            self.push_own(series, rolling.finish().as_slice())?;
        }
        self.queue_all();
        self.write_queue()?;
        let at = self.at.clone();
        let symbols: Vec<Symbol> = self.symbols.iter().map(|growing| growing.symbol.clone()).collect();
        let data_offset = data_offset_for(symbols.len());
        let mut log = match self.log.take() {
            Some(log) if self.data_offset == data_offset => log,
            // More symbols came than the table has room for: the blocks move up.
            log => self.moved(log, data_offset)?,
        };
        self.entries.sort_unstable_by_key(|entry| (entry.symbol_id, entry.first_ts));
        let closing = Closing {
            version: self.options.version,
            flags: CHAINED,
            created_ts: self.options.created.unwrap_or(self.options.now),
            modified_ts: self.options.now,
            data_offset,
            symbols: &symbols,
            table_at: Some(header::LEN as u64),
            number: 0,
            region_offset: data_offset,
            previous: 0,
            dictionary: self.options.dictionary.as_deref().map_or(DictionaryToWrite::None, DictionaryToWrite::New),
            info: &self.options.info,
        };
        let end = close(&mut log, &Index::Fresh(&self.entries), &closing).map_err(|error| error.at(&at))?;
        drop(log);
        put_in_place(self.temporary, &at.0, existing)?;
        Ok(Written {
            symbols: symbols.iter().filter(|symbol| symbol.flags == 0).count() as u64,
            series: symbols.iter().filter(|symbol| symbol.flags != 0).count() as u64,
            blocks: self.entries.len() as u64,
            records: symbols.iter().filter(|symbol| symbol.flags == 0).map(|symbol| symbol.record_count).sum(),
            bytes: end,
        })
    }

    fn queue_all(&mut self) {
        for (position, growing) in (0..u16::MAX).zip(&mut self.symbols) {
            if !growing.waiting.is_empty() {
                let bars = std::mem::take(&mut growing.waiting);
                self.queue.push(ToEncode { symbol: SymbolId(position), bars });
            }
        }
        self.waiting = 0;
    }

    fn write_queue(&mut self) -> Result<(), FxdError> {
        let queue = std::mem::take(&mut self.queue);
        let encoded = self.encoder.encode(&queue).map_err(|error| {
            let name =
                |id: SymbolId| self.symbols.get(id.position()).map_or_else(String::new, |g| g.symbol.name.clone());
            error.named(name, &self.options.info)
        })?;
        if self.log.is_none() {
            // The symbols that are known by now are most often all; others make the blocks move at the end.
            self.data_offset = data_offset_for(self.symbols.len());
            let file = self.temporary.as_file().try_clone().map_err(self.at.io("writing"))?;
            self.log = Some(Log::new(file, self.data_offset));
        }
        let Some(log) = &mut self.log else { return Ok(()) };
        for block in encoded {
            let offset = log.add(&block.bytes).map_err(self.at.io("writing"))?;
            if let Some(growing) = self.symbols.get_mut(block.entry.symbol_id.position()) {
                growing.symbol.block_count += 1;
            }
            self.entries.push(SymbolEntry { offset, ..block.entry });
        }
        Ok(())
    }

    /// Moves the blocks up to `data_offset`, the last ones first, and goes on behind them.
    fn moved(&mut self, log: Option<Log<File>>, data_offset: u64) -> Result<Log<File>, FxdError> {
        let mut file = self.temporary.as_file().try_clone().map_err(self.at.io("writing"))?;
        let old_offset = std::mem::replace(&mut self.data_offset, data_offset);
        let Some(mut log) = log else { return Ok(Log::new(file, data_offset)) };
        let (end, crc) = (log.position(), log.crc());
        let bytes = log.storage().and_then(|storage| storage.bytes()).map_err(self.at.io("writing"))?;
        let mut to = end;
        while to > old_offset {
            let from = to.saturating_sub(MOVED_AT_A_TIME).max(old_offset);
            let len = usize::try_from(to - from).unwrap_or(usize::MAX);
            // A copy: the piece may be written over itself.
            let piece = slice(&bytes, from, len).unwrap_or_default().to_vec();
            file.write_at(&piece, from - old_offset + data_offset).map_err(self.at.io("writing"))?;
            to = from;
        }
        for entry in &mut self.entries {
            entry.offset = entry.offset - old_offset + data_offset;
        }
        Ok(Log::resumed(file, end - old_offset + data_offset, crc))
    }
}

fn data_offset_for(symbols: usize) -> u64 {
    (header::LEN + symbols * symbol::LEN) as u64
}

/// Holds bars against those of the symbol before them, and against each other.
pub(crate) fn check_order(symbol: &Symbol, bars: &[Bar]) -> Result<(), FxdError> {
    let mut last = (symbol.record_count > 0).then_some(symbol.last_ts);
    for bar in bars {
        let why = if bar.ts > crate::MAX_TS {
            Some(BadBarReason::TooLate)
        } else {
            last.filter(|last| *last >= bar.ts).map(BadBarReason::OutOfOrder)
        };
        if let Some(why) = why {
            return Err(BadBar { symbol: symbol.name.clone(), ts: bar.ts, why }.into());
        }
        last = Some(bar.ts);
    }
    Ok(())
}

/// The file that a path leads to, through links, so that what replaces it replaces the file and not the link.
pub(crate) fn linked(path: &Path) -> PathBuf {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_symlink() => {
            path.canonicalize().or_else(|_| dangling(path)).unwrap_or_else(|_| path.to_owned())
        }
        _ => path.to_owned(),
    }
}

/// Where a link leads that leads to nothing yet.
fn dangling(path: &Path) -> std::io::Result<PathBuf> {
    Ok(directory_of(path).join(std::fs::read_link(path)?))
}

/// The directory that a file is in.
pub(crate) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Gives a finished file its name, and makes the name last.
pub(crate) fn put_in_place(temporary: NamedTempFile, path: &Path, existing: Existing) -> Result<(), FxdError> {
    let at = At::new(path);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As `File::create` would have made it: what is private is the temporary name.
        let mode = std::fs::metadata(path).map_or(0o644, |there| there.permissions().mode() & 0o777);
        let _ = temporary.as_file().set_permissions(std::fs::Permissions::from_mode(mode));
    }
    let done = match existing {
        Existing::Replace => temporary.persist(path).map(drop).map_err(|error| error.error),
        Existing::Refuse => temporary.persist_noclobber(path).map(drop).map_err(|error| error.error),
    };
    done.map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => FxdError::Exists { path: path.to_owned() },
        _ => at.io("writing")(error),
    })?;
    #[cfg(unix)]
    {
        let directory = directory_of(path);
        File::open(&directory).and_then(|file| file.sync_all()).map_err(At::new(&directory).io("flushing"))?;
    }
    Ok(())
}
