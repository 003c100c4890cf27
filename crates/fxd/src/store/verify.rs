//! Everything that can be wrong with a store, looked for.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::path::Path;

use super::decode::{Decoder, block_of, records};
use super::read::Store;
use super::rollup::Rolling;
use super::snapshot::{Snapshot, read_table};
use super::tree::child_of;
use crate::columns::Fields;
use crate::error::At;
use crate::format::ALIGNMENT;
use crate::format::block::{Block, check_zero};
use crate::format::bytes::slice;
use crate::format::damage::{Damage, Decoded, holds};
use crate::format::header::{CHAINED, Header};
use crate::format::metadata::{Depth, Metadata, SECTION_LEN, reserved};
use crate::format::symbol;
use crate::format::symbol_index::SymbolEntry;
use crate::format::time_index::TimeEntry;
use crate::format::tree::{Entry, Node};
use crate::{Bar, Columns, FxdError, SymbolId, Version};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Verified {
    /// What is wrong, each with its place; empty for a sound store.
    pub findings: Vec<Damage>,
    /// Whether every block was read, and every byte held against a checksum.
    pub checksums: bool,
    /// Symbols, but for series that are rolled up.
    pub symbols: u64,
    /// Series that are rolled up.
    pub series: u64,
    /// Live blocks.
    pub blocks: u64,
    /// Bars, but for those that are rolled up.
    pub records: u64,
    /// Commits: 1 for a fresh file, and one for each append since.
    pub commits: u64,
    /// The committed end.
    pub bytes: u64,
    /// Bytes behind it, of an append that did not come to its end; no fault.
    pub tail: u64,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Findings after which no more are looked for.
const MOST_FINDINGS: usize = 100;

/// Verifies structure, order and counts of a store: both indexes against each other, the blocks' headers and the symbol table.
/// With `checksums` every block is read and decoded too, and no byte of the file is left out.
///
/// # Errors
/// I/O, and a file of another kind or version. Damage is no error, but what this finds.
pub fn verify(path: impl AsRef<Path>, checksums: bool) -> Result<Verified, FxdError> {
    let path = path.as_ref();
    let at = At::new(path);
    let file = File::open(path).map_err(at.io("opening"))?;
    let metadata = file.metadata().map_err(at.io("opening"))?;
    if !metadata.is_file() {
        return Err(FxdError::NotFxd { path: path.to_owned(), found: "it is not a regular file".into() });
    }
    let len = metadata.len();
    let mut verified = Verified { checksums, ..Verified::default() };
    match Snapshot::open(&file, path) {
        Ok(snapshot) => {
            look(&snapshot, checksums, &mut verified);
            verified.tail = len.saturating_sub(verified.bytes);
        }
        Err(FxdError::Damaged { damage, .. }) => verified.findings.push(damage),
        Err(error) => return Err(error),
    }
    Ok(verified)
}

impl Store {
    /// Verifies the commit that is open, as [`verify`] does.
    #[must_use]
    pub fn verify(&self, checksums: bool) -> Verified {
        let mut verified = Verified { checksums, ..Verified::default() };
        look(self.snapshot(), checksums, &mut verified);
        verified
    }
}

/// Looks through a snapshot.
pub(crate) fn look(snapshot: &Snapshot, checksums: bool, verified: &mut Verified) {
    verified.bytes = snapshot.metadata.end;
    let series = snapshot.symbols.iter().filter(|symbol| symbol.flags != 0).count();
    (verified.symbols, verified.series) = ((snapshot.symbols.len() - series) as u64, series as u64);
    let mut found = Findings(&mut verified.findings);
    let mut look = Look { file: snapshot.file(), snapshot };
    let by_time = look.tree::<TimeEntry>(snapshot.header.index_offset, &mut found);
    let by_symbol = look.tree::<SymbolEntry>(snapshot.metadata.symbol_root, &mut found);
    look.compare(&by_time, &by_symbol, &mut found);
    look.chain(&by_time, &mut found);
    let (blocks, records) = look.blocks(&by_symbol, checksums, &mut found);
    verified.blocks = blocks;
    verified.records = records;
    if checksums {
        look.rollups(&by_symbol, &mut found);
    }
    verified.commits = look.commits(checksums, &mut found);
}

struct Findings<'f>(&'f mut Vec<Damage>);

impl Findings<'_> {
    fn add(&mut self, damage: Damage) {
        if self.0.len() < MOST_FINDINGS && !self.0.contains(&damage) {
            self.0.push(damage);
        }
    }

    fn check<T>(&mut self, decoded: Decoded<T>) -> Option<T> {
        decoded.map_err(|damage| self.add(damage)).ok()
    }
}

/// What walking a tree gave.
struct Walked<E> {
    entries: Vec<E>,
    leaves: Vec<Node<E>>,
    /// How many nodes were looked at, also those with nothing sound below them.
    visits: usize,
}

struct Look<'a> {
    file: &'a [u8],
    snapshot: &'a Snapshot,
}

impl Look<'_> {
    fn tree<E: Entry>(&mut self, root: u64, found: &mut Findings<'_>) -> Walked<E> {
        let mut walked = Walked { entries: Vec::new(), leaves: Vec::new(), visits: 0 };
        if let Some(node) = found.check(E::decode_node(self.file, root)) {
            self.walk(&node, &mut walked, found);
        }
        walked
    }

    fn walk<E: Entry>(&self, node: &Node<E>, walked: &mut Walked<E>, found: &mut Findings<'_>) -> bool {
        let canonical = E::encode_node(node.level, &node.entries, node.next);
        if slice(self.file, node.at, E::NODE_LEN) != Some(&canonical) {
            found.add(Damage::new(node.at, format!("{} has bytes that are not zero where nothing is", E::WHAT)));
        }
        if node.level == 0 {
            for entry in &node.entries {
                let order = |entry: &E| (entry.key(), entry.offset());
                if walked.entries.last().is_some_and(|last| order(last) >= order(entry)) {
                    found.add(Damage::new(node.at, format!("{} goes back behind the one before it", E::WHAT)));
                    return false;
                }
                walked.entries.push(*entry);
            }
            let leaf = Node { entries: Vec::new(), ..*node };
            walked.leaves.push(leaf);
            return true;
        }
        // What is damaged below one child says nothing of the others; what is out of order may never end, nor may nodes that
        // are reached again and again while nothing below them is sound.
        node.entries.iter().all(|entry| {
            walked.visits += 1;
            if walked.visits > self.file.len() / E::NODE_LEN {
                found.add(Damage::new(node.at, format!("{} leads to nodes that others lead to as well", E::WHAT)));
                return false;
            }
            found.check(child_of(self.file, node, entry)).is_none_or(|child| self.walk(&child, walked, found))
        })
    }

    fn compare(&self, by_time: &Walked<TimeEntry>, by_symbol: &Walked<SymbolEntry>, found: &mut Findings<'_>) {
        let mut of_symbols: Vec<(u64, u64)> =
            by_symbol.entries.iter().map(|entry| (entry.first_ts, entry.offset)).collect();
        of_symbols.sort_unstable();
        let same = by_time.entries.iter().map(|entry| (entry.ts, entry.offset)).eq(of_symbols);
        if !same {
            found.add(Damage::new(
                self.snapshot.header.index_offset,
                format!(
                    "the time index has {} blocks, the symbol index {}, and not the same",
                    by_time.entries.len(),
                    by_symbol.entries.len()
                ),
            ));
        }
        if by_symbol.entries.len() as u64 != u64::from(self.snapshot.header.block_count) {
            found.add(Damage::new(
                0x24,
                format!(
                    "the header tells of {} blocks, the indexes of {}",
                    self.snapshot.header.block_count,
                    by_symbol.entries.len()
                ),
            ));
        }
    }

    /// The chain of leaves, where the header promises one.
    fn chain(&self, by_time: &Walked<TimeEntry>, found: &mut Findings<'_>) {
        if self.snapshot.header.flags & CHAINED == 0 {
            return;
        }
        for (position, leaf) in by_time.leaves.iter().enumerate() {
            let next = by_time.leaves.get(position + 1).map_or(0, |next| next.at);
            if leaf.next != next {
                found.add(Damage::new(
                    leaf.at,
                    format!("the leaf's next one is said to be at {}, it is at {next}", leaf.next),
                ));
            }
        }
    }

    fn blocks(&self, by_symbol: &Walked<SymbolEntry>, checksums: bool, found: &mut Findings<'_>) -> (u64, u64) {
        let mut decoder = Decoder::default();
        let mut payload = Vec::new();
        let mut columns = Columns::default();
        let mut counted: HashMap<usize, (u64, u64, u64, u64)> = HashMap::new();
        let mut places: Vec<(u64, u64)> = Vec::with_capacity(by_symbol.entries.len());
        let mut before: Option<&SymbolEntry> = None;
        for entry in &by_symbol.entries {
            if before.is_some_and(|last| last.symbol_id == entry.symbol_id && last.last_ts >= entry.first_ts) {
                found.add(Damage::new(entry.offset, "the block overlaps the one before it in time"));
            }
            before = Some(entry);
            let (blocks, records, first, last) =
                counted.entry(entry.symbol_id.position()).or_insert((0, 0, entry.first_ts, 0));
            *blocks += 1;
            *records += u64::from(entry.record_count);
            (*first, *last) = ((*first).min(entry.first_ts), (*last).max(entry.last_ts));
            let Some(block) = found.check(self.block(entry)) else { continue };
            places.push((block.at, block.at + block.len() as u64));
            if checksums {
                let decoded = if block.header.compression.has_rows() {
                    decoder
                        .payload(&block, self.snapshot.dictionary(), &mut payload)
                        .and_then(|()| check_records(&block, &payload))
                } else {
                    columns.clear();
                    decoder.coded(&block, &(0..u64::MAX), Fields::ALL, &mut columns)
                };
                found.check(decoded.and_then(|()| block.check_padding(self.file)));
            }
        }
        places.sort_unstable();
        for pair in places.windows(2) {
            if let [(_, end), (next, _)] = pair
                && end > next
            {
                found.add(Damage::new(*next, "two blocks overlap in the file"));
            }
        }
        for symbol in &self.snapshot.symbols {
            let said = (u64::from(symbol.block_count), symbol.record_count, symbol.first_ts, symbol.last_ts);
            let is = counted.remove(&symbol.id.position()).unwrap_or_default();
            if said != is {
                let at = self.snapshot.header.symbol_offset + (symbol.id.position() * symbol::LEN) as u64;
                found.add(Damage::new(
                    at,
                    format!(
                        "{}: the table tells of {} blocks, {} bars, {} to {}; the index has {}, {}, {} to {}",
                        symbol.name, said.0, said.1, said.2, said.3, is.0, is.1, is.2, is.3
                    ),
                ));
            }
        }
        if !counted.is_empty() {
            found.add(Damage::new(
                self.snapshot.metadata.symbol_root,
                "the symbol index has symbols that the table has not",
            ));
        }
        let as_they_came = |entry: &&SymbolEntry| {
            self.snapshot.symbols.get(entry.symbol_id.position()).is_none_or(|symbol| symbol.flags == 0)
        };
        let records = by_symbol.entries.iter().filter(as_they_came).map(|entry| u64::from(entry.record_count)).sum();
        (by_symbol.entries.len() as u64, records)
    }

    /// Series that are rolled up, held against the bars that they are made of.
    fn rollups(&self, by_symbol: &Walked<SymbolEntry>, found: &mut Findings<'_>) {
        for series in self.snapshot.symbols.iter().filter(|symbol| symbol.flags != 0) {
            let base = series.rolled_from().and_then(|base| self.snapshot.symbol(base));
            let (Some(base), Some(interval)) = (base, series.interval()) else { continue };
            let entries = |id: SymbolId| by_symbol.entries.iter().filter(move |entry| entry.symbol_id == id);
            let (mut decoder, mut payload, mut columns) = (Decoder::default(), Vec::new(), Columns::default());
            let mut decode = |entry: &SymbolEntry, columns: &mut Columns| {
                columns.clear();
                let block = self.block(entry)?;
                decoder.bars(&block, self.snapshot.dictionary(), &(0..u64::MAX), &mut payload, columns)
            };
            let mut rolling = Rolling::new(interval);
            let (mut expected, mut place) = (VecDeque::new(), 0);
            let mut of_series = entries(series.id);
            let mut there = Columns::default();
            let mut compare =
                |expected: &mut VecDeque<Bar>, decode: &mut dyn FnMut(&SymbolEntry, &mut Columns) -> Decoded<()>| {
                    while let Some(bar) = expected.pop_front() {
                        if place == there.len() {
                            place = 0;
                            let Some(entry) = of_series.next() else { return Ok(false) };
                            decode(entry, &mut there)?;
                        }
                        if there.get(place) != Some(bar) {
                            return Ok(false);
                        }
                        place += 1;
                    }
                    Ok(true)
                };
            let mut all = || -> Decoded<bool> {
                let mut done = Vec::new();
                for entry in entries(base.id) {
                    decode(entry, &mut columns)?;
                    if rolling.take(columns.iter(), &mut done).is_err() {
                        return Ok(false);
                    }
                    expected.extend(done.drain(..));
                    if !compare(&mut expected, &mut decode)? {
                        return Ok(false);
                    }
                }
                expected.extend(rolling.clone().finish());
                compare(&mut expected, &mut decode)
            };
            let same = all();
            // What cannot be decoded was found before.
            let more = same == Ok(true) && (place < there.len() || of_series.next().is_some());
            if same == Ok(false) || more {
                let at = self.snapshot.header.symbol_offset + (series.id.position() * symbol::LEN) as u64;
                found.add(Damage::new(at, format!("{} is not what the bars of {} make", series.name, base.name)));
            }
        }
    }

    fn block(&self, entry: &SymbolEntry) -> Decoded<Block<'_>> {
        if !entry.offset.is_multiple_of(ALIGNMENT) || entry.offset < self.snapshot.header.data_offset {
            return Err(Damage::new(entry.offset, "a block lies where none may"));
        }
        block_of(self.file, self.snapshot.header.known_version(), entry)
    }

    /// The commits, the newest first, and how many there are.
    fn commits(&self, checksums: bool, found: &mut Findings<'_>) -> u64 {
        let newest = &self.snapshot.metadata;
        if !checksums {
            return newest.commit.number.saturating_add(1);
        }
        let mut at = newest.at;
        let mut number = newest.commit.number;
        let mut count = 0;
        loop {
            count += 1;
            let Some(metadata) = found.check(Metadata::decode(self.file, at, Depth::All)) else { return count };
            found.check(self.commit(&metadata, number));
            if number == 0 {
                return count;
            }
            // Strictly back: a chain cannot run in a circle.
            if metadata.commit.previous >= at {
                found.add(Damage::new(at, "a commit tells of one before it that is not"));
                return count;
            }
            let before = metadata.commit.region_offset;
            at = metadata.commit.previous;
            number -= 1;
            if let Some(previous) = found.check(Metadata::decode(self.file, at, Depth::Open))
                && previous.end != before
            {
                found.add(Damage::new(at, format!("the commit ends at {}, the next begins at {before}", previous.end)));
                return count;
            }
        }
    }

    fn commit(&self, metadata: &Metadata, number: u64) -> Decoded<()> {
        let commit = &metadata.commit;
        let header = Header::decode(&metadata.header_image, self.file.len() as u64)
            .map_err(|_| Damage::new(metadata.at, "the metadata repeats a header that is none"))?;
        if header.metadata_offset() != metadata.at || commit.number != number {
            return Err(Damage::new(metadata.at, format!("expected the metadata of commit {number}")));
        }
        let symbols = read_table(self.file, &header, metadata)?;
        if header.known_version() < Version::Rollups
            && let Some(symbol) = symbols.iter().find(|symbol| symbol.flags != 0)
        {
            let at = header.symbol_offset + (symbol.id.position() * symbol::LEN) as u64;
            return Err(Damage::new(at, format!("{}: the flags are not zero", symbol.name)));
        }
        for section in &metadata.sections {
            if let Some(reserved) = reserved(&section.tag) {
                let at = section.at + (SECTION_LEN + reserved.offset) as u64;
                check_zero(self.file, at, reserved.len, "a reserved byte")?;
            }
        }
        if number == 0 {
            let table_end = header.symbol_offset + u64::from(header.symbol_count) * symbol::LEN as u64;
            let places = (header.symbol_offset, header.data_offset, commit.region_offset, commit.previous);
            if places != (64, table_end, table_end, 0) {
                return Err(Damage::new(metadata.at, "the first commit is not laid out as a fresh file"));
            }
        }
        let len = metadata.at.checked_sub(commit.region_offset).and_then(|len| usize::try_from(len).ok());
        let region = len
            .and_then(|len| slice(self.file, commit.region_offset, len))
            .ok_or_else(|| Damage::new(metadata.at, "a commit's bytes lie outside the file"))?;
        let expected = crc32c::crc32c(region);
        if !holds(expected, commit.region_crc) {
            let what = format!("the bytes of commit {number}");
            return Err(Damage::checksum(commit.region_offset, &what, expected, commit.region_crc));
        }
        let last = metadata.sections.last().map_or(metadata.at, |end| end.at + SECTION_LEN as u64 + end.length);
        let padding = usize::try_from(metadata.end.saturating_sub(last)).unwrap_or(0);
        check_zero(self.file, last, padding, "padding")
    }
}

fn check_records(block: &Block<'_>, payload: &[u8]) -> Decoded<()> {
    let records = records(block, payload)?;
    match records.iter().position(|record| record.pad != 0) {
        Some(position) => Err(Damage::new(block.at, format!("the padding of record {position} is not zero"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
