//! What is shown of a store, as text.

use std::io::{self, Write};

use super::{Inspected, Summary, SymbolShown};
use crate::fxd::words::{count, moment, ratio};

/// Bytes of a bar in a block that is not compressed.
const RECORD: u64 = 32;

pub(super) fn inspected(report: &Inspected, out: &mut dyn Write) -> io::Result<()> {
    if let Some(summary) = &report.summary {
        writeln!(out, "File       {}", report.file.display())?;
        in_short(summary, out)?;
    }
    if let Some(shown) = &report.header {
        let header = &shown.header;
        let chained = if shown.chained { ", leaves are chained" } else { "" };
        writeln!(out, "version        {}", header.version)?;
        writeln!(out, "flags          {:#010x}{chained}", header.flags)?;
        writeln!(out, "created_ts     {}  {}", header.created_ts, shown.created)?;
        writeln!(out, "modified_ts    {}  {}", header.modified_ts, shown.modified)?;
        writeln!(out, "symbol_count   {}", header.symbol_count)?;
        writeln!(out, "block_count    {}", header.block_count)?;
        writeln!(out, "index_offset   {}", header.index_offset)?;
        writeln!(out, "symbol_offset  {}", header.symbol_offset)?;
        writeln!(out, "data_offset    {}", header.data_offset)?;
    }
    for symbol in report.symbols.iter().flatten() {
        one_symbol(symbol, out)?;
    }
    for node in report.index.iter().flatten() {
        let (first, last) = (node.first.as_deref().unwrap_or("-"), node.last.as_deref().unwrap_or("-"));
        let keys = count(node.keys, "key");
        writeln!(out, "Node       level {}, byte {}, {keys}, {first} .. {last}", node.level, node.offset)?;
    }
    for block in report.blocks.iter().flatten() {
        let header = &block.header;
        writeln!(
            out,
            "Block      byte {}, {}, {}, {}, {} .. {}, {} of {} bytes",
            block.offset,
            block.symbol,
            header.date,
            count(header.record_count.into(), "bar"),
            moment(header.first_ts),
            moment(header.last_ts),
            header.compressed_size,
            header.original_size
        )?;
    }
    Ok(())
}

fn in_short(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let info = &summary.info;
    writeln!(out, "Version    {}", summary.version)?;
    writeln!(out, "Created    {}", summary.created)?;
    writeln!(out, "Modified   {}, {}", summary.modified, count(summary.commits, "commit"))?;
    writeln!(out, "Bars       {} in {}", summary.record_count, count(summary.block_count, "block"))?;
    writeln!(out, "Bytes      {}, {} a bar", summary.bytes, ratio(summary.bytes, summary.record_count))?;
    let raw = summary.record_count.saturating_mul(RECORD);
    writeln!(
        out,
        "Blocks     {} bytes, {} times smaller than {RECORD} bytes a bar",
        summary.block_bytes,
        ratio(raw, summary.block_bytes)
    )?;
    if summary.dictionary_bytes > 0 {
        writeln!(out, "Dictionary {} bytes", summary.dictionary_bytes)?;
    }
    writeln!(out, "Decimals   {} of prices, {} of volumes", info.price_scale, info.volume_scale)?;
    let texts = [("Creator", &info.creator), ("Source", &info.source), ("Zone", &info.source_time_zone)];
    for (name, text) in texts {
        if let Some(text) = text {
            writeln!(out, "{name:<10} {text}")?;
        }
    }
    if let Some(seconds) = info.bar_interval {
        writeln!(out, "Interval   {seconds} s")?;
    }
    info.user.iter().try_for_each(|(key, value)| writeln!(out, "Said       {key}: {value}"))
}

fn one_symbol(shown: &SymbolShown, out: &mut dyn Write) -> io::Result<()> {
    let symbol = &shown.symbol;
    let (bars, blocks) = (count(symbol.record_count, "bar"), count(symbol.block_count.into(), "block"));
    write!(out, "Symbol     {}, {bars} in {blocks}", symbol.name)?;
    match (&shown.first, &shown.last) {
        (Some(first), Some(last)) => writeln!(out, ", {first} .. {last}"),
        _ => writeln!(out),
    }
}
