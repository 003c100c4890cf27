//! The parts of a store.

use fxd::FxdError;
use fxd::format::block::{Block, BlockHeader};
use fxd::format::header::CHAINED;
use fxd::format::time_index::TimeEntry;
use fxd::format::tree::{Entry as _, MAX_LEVEL, Node};
use fxd::store::Store;
use serde::Serialize;

use crate::fxd::words::moment;

/// The header as the file has it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HeaderShown {
    #[serde(flatten)]
    pub(super) header: fxd::format::header::Header,
    pub(super) chained: bool,
    pub(super) created: String,
    pub(super) modified: String,
    pub(super) metadata_offset: u64,
}

/// A node of the time index.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeShown {
    pub(super) level: u8,
    pub(super) offset: u64,
    pub(super) keys: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<String>,
}

/// A block.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlockShown {
    pub(super) offset: u64,
    /// Bytes of the file, padding and all.
    pub(super) bytes: u64,
    pub(super) symbol: String,
    #[serde(flatten)]
    pub(super) header: BlockHeader,
}

pub(super) fn header(store: &Store) -> HeaderShown {
    let header = *store.header();
    HeaderShown {
        header,
        chained: header.flags & CHAINED != 0,
        created: moment(header.created_ts),
        modified: moment(header.modified_ts),
        metadata_offset: store.metadata().at,
    }
}

/// The nodes, each before those below it.
pub(super) fn index(store: &Store) -> Result<Vec<NodeShown>, FxdError> {
    let damaged = |damage| FxdError::Damaged { path: store.path().to_owned(), damage };
    let mut nodes = Vec::new();
    // Those to come, the next one last; each with the level that it may have at most.
    let mut to_come = vec![(store.header().index_offset, MAX_LEVEL)];
    while let Some((at, most)) = to_come.pop() {
        let node: Node<TimeEntry> = TimeEntry::decode_node(store.file(), at).map_err(damaged)?;
        if node.level > most {
            let what = format!("a node of level {} where one of level {most} should be", node.level);
            return Err(damaged(fxd::Damage { at, what }));
        }
        if let Some(below) = node.level.checked_sub(1) {
            to_come.extend(node.entries.iter().rev().map(|entry| (entry.offset, below)));
        }
        nodes.push(NodeShown {
            level: node.level,
            offset: at,
            keys: node.entries.len() as u64,
            first: node.entries.first().map(|entry| moment(entry.ts)),
            last: node.entries.last().map(|entry| moment(entry.ts)),
        });
    }
    Ok(nodes)
}

/// The blocks in the order of time.
pub(super) fn blocks(store: &Store) -> Result<Vec<BlockShown>, FxdError> {
    let entries = store.blocks_by_time(0..u64::MAX)?;
    let shown = |entry: &TimeEntry| {
        let block = Block::decode(store.file(), entry.offset)
            .map_err(|damage| FxdError::Damaged { path: store.path().to_owned(), damage })?;
        let symbol = store.symbols().get(block.header.symbol_id.position());
        Ok(BlockShown {
            offset: entry.offset,
            bytes: block.len() as u64,
            symbol: symbol.map_or_else(String::new, |symbol| symbol.name.clone()),
            header: block.header,
        })
    };
    entries.iter().map(shown).collect()
}
