//! The end of a fresh file and of an append: symbol table, indexes, metadata, header.

use super::storage::{Log, Storage};
use super::tree::{self, Edit, InMemory, TreeError};
use crate::Info;
use crate::format::header::{Header, Version};
use crate::format::metadata::{Commit, DictionaryToWrite, NODES_AT, Table, ToWrite};
use crate::format::symbol::Symbol;
use crate::format::symbol_index::SymbolEntry;
use crate::format::time_index::TimeEntry;

/// What an index is made from.
#[derive(Debug)]
pub(crate) enum Index<'a> {
    /// From nothing: all blocks, in the order of symbol and time.
    Fresh(&'a [SymbolEntry]),
    /// From that of the commit before, whose bytes and roots these are.
    Edited { file: &'a [u8], time_root: u64, symbol_root: u64, remove: &'a [SymbolEntry], insert: &'a [SymbolEntry] },
}

/// What a commit says besides its blocks.
#[derive(Debug)]
pub(crate) struct Closing<'a> {
    pub(crate) version: Version,
    pub(crate) flags: u32,
    pub(crate) created_ts: u64,
    pub(crate) modified_ts: u64,
    pub(crate) data_offset: u64,
    pub(crate) symbols: &'a [Symbol],
    /// Where the table is, if it is not to be written behind the blocks.
    pub(crate) table_at: Option<u64>,
    pub(crate) number: u64,
    pub(crate) region_offset: u64,
    pub(crate) previous: u64,
    pub(crate) dictionary: DictionaryToWrite<'a>,
    pub(crate) info: &'a Info,
}

/// The bytes of a symbol table.
pub(crate) fn table(symbols: &[Symbol]) -> Vec<u8> {
    symbols.iter().flat_map(Symbol::encode).collect()
}

/// Writes everything behind the blocks, flushes it, and then the header, which makes it count. Says the committed end.
pub(crate) fn close<S: Storage>(log: &mut Log<S>, index: &Index<'_>, closing: &Closing<'_>) -> Result<u64, TreeError> {
    let bytes = table(closing.symbols);
    let table_at = match closing.table_at {
        Some(at) => at,
        None => log.add(&bytes)?,
    };
    let index_offset = time_index(log, index)?;
    let region_crc = log.crc();
    let at = log.position();
    let mut nodes = InMemory { base: at + NODES_AT, bytes: Vec::new() };
    let symbol_root = match index {
        Index::Fresh(entries) => tree::build(&mut nodes, entries)?,
        Index::Edited { file, symbol_root, remove, insert, .. } => {
            tree::edit(file, *symbol_root, &mut nodes, &Edit { remove, insert })?
        }
    };
    let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
    let header = Header {
        version: closing.version.number(),
        flags: closing.flags,
        created_ts: closing.created_ts,
        modified_ts: closing.modified_ts,
        symbol_count: size(closing.symbols.len()),
        block_count: closing.symbols.iter().fold(0, |sum, symbol| sum.saturating_add(symbol.block_count)),
        index_offset,
        symbol_offset: table_at,
        data_offset: closing.data_offset,
    }
    .encode();
    let metadata = ToWrite {
        at,
        commit: Commit {
            number: closing.number,
            region_offset: closing.region_offset,
            previous: closing.previous,
            region_crc,
        },
        table: Table { offset: table_at, count: size(closing.symbols.len()), crc: crc32c::crc32c(&bytes) },
        symbol_root,
        symbol_nodes: &nodes.bytes,
        dictionary: closing.dictionary,
        info: closing.info,
        header,
    }
    .encode();
    log.add(&metadata)?;
    let end = log.position();
    let storage = log.storage()?;
    if let Some(table_at) = closing.table_at {
        storage.write_at(&bytes, table_at)?;
    }
    storage.sync()?;
    // The only commit point.
    storage.write_at(&header, 0)?;
    storage.sync()?;
    Ok(end)
}

fn time_index<S: Storage>(log: &mut Log<S>, index: &Index<'_>) -> Result<u64, TreeError> {
    let sorted = |entries: &[SymbolEntry]| {
        let mut entries: Vec<TimeEntry> =
            entries.iter().map(|entry| TimeEntry { ts: entry.first_ts, offset: entry.offset }).collect();
        entries.sort_unstable();
        entries
    };
    match index {
        Index::Fresh(entries) => Ok(tree::build(log, &sorted(entries))?),
        Index::Edited { file, time_root, remove, insert, .. } => {
            let root = tree::edit(file, *time_root, log, &Edit { remove: &sorted(remove), insert: &sorted(insert) })?;
            // A commit of symbols alone changes no node, but the metadata has to follow its root.
            if root == *time_root { Ok(tree::copy::<TimeEntry>(file, root, log)?) } else { Ok(root) }
        }
    }
}

impl TreeError {
    pub(crate) fn at(self, at: &crate::error::At) -> crate::FxdError {
        match self {
            Self::Damaged(damage) => at.damaged(damage),
            Self::Io(error) => at.io("writing")(error),
        }
    }
}
