//! `inspect`.

mod parts;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use fxd::store::Store;
use fxd::{Info, Symbol};
use serde::Serialize;

use self::parts::{BlockShown, HeaderShown, NodeShown};
use super::args::InspectArgs;
use crate::args::Global;
use crate::commands;

/// What is shown of a store: the summary, or the parts that were asked for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Inspected {
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    summary: Option<Summary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<HeaderShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbols: Option<Vec<SymbolShown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<Vec<NodeShown>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<Vec<BlockShown>>,
}

/// A store in short.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    version: u32,
    created: String,
    modified: String,
    commits: u64,
    symbol_count: u64,
    /// Series that are rolled up.
    series_count: u64,
    block_count: u64,
    record_count: u64,
    bytes: u64,
    /// Bytes of blocks that bars are in now.
    block_bytes: u64,
    dictionary_bytes: u64,
    info: Info,
}

/// A symbol with its span as a person reads it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SymbolShown {
    #[serde(flatten)]
    symbol: Symbol,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

/// Inspects.
pub(crate) fn run(args: &InspectArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let store = Store::open(&args.file)?;
    let all = !(args.header || args.index || args.symbols || args.blocks);
    let blocks = if all || args.blocks { Some(parts::blocks(&store)?) } else { None };
    let summary = match &blocks {
        Some(blocks) if all => Some(summary(&store, blocks)),
        _ => None,
    };
    let report = Inspected {
        file: args.file.clone(),
        summary,
        header: args.header.then(|| parts::header(&store)),
        symbols: (all || args.symbols).then(|| store.symbols().iter().map(shown).collect()),
        index: if args.index { Some(parts::index(&store)?) } else { None },
        blocks: blocks.filter(|_| args.blocks),
    };
    commands::show(global, &report, |out| text::inspected(&report, out))?;
    Ok(ExitCode::SUCCESS)
}

fn shown(symbol: &Symbol) -> SymbolShown {
    let moment = |ts| (symbol.record_count > 0).then(|| super::words::moment(ts));
    SymbolShown { first: moment(symbol.first_ts), last: moment(symbol.last_ts), symbol: symbol.clone() }
}

fn summary(store: &Store, blocks: &[BlockShown]) -> Summary {
    let header = store.header();
    Summary {
        version: header.version,
        created: super::words::moment(header.created_ts),
        modified: super::words::moment(header.modified_ts),
        commits: store.commit().number.saturating_add(1),
        symbol_count: store.series().count() as u64,
        series_count: (store.symbols().len() - store.series().count()) as u64,
        block_count: u64::from(header.block_count),
        record_count: store.record_count(),
        bytes: store.file().len() as u64,
        block_bytes: blocks.iter().map(|block| block.bytes).sum(),
        dictionary_bytes: store.dictionary().map_or(0, <[u8]>::len) as u64,
        info: store.info().clone(),
    }
}
