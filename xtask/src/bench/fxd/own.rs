//! What a process of ours does when it is measured; figures go to standard output as JSON.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use fxd::columns::{Fields, Picked};
use fxd::format::block::{Block, Compression};
use fxd::store::{Existing, Filter, Store, WriteOptions, Writer, filter};
use fxd::{Bar, Columns, Version};
use pdp_bars::{Fit, ReadOptions};
use serde_json::{Value, json};
use zstd::bulk::Decompressor;

use crate::bench::measure::thread_cpu;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Work {
    /// CSV to a store of version 3
    Ingest,
    /// CSV to a store of version 2
    Ingest2,
    /// CSV to a store of version 1
    Ingest1,
    /// CSV to nothing
    Parse,
    /// Days of symbols
    Query,
    /// All columns of all symbols
    Scan,
    /// Closes of all symbols
    Close,
    /// The same payloads through zstd
    Zstd,
    /// Masks and filters over columns in memory
    Filter,
}

/// Values that are filtered at a time.
const VALUES: usize = 1_000_000;
/// How often.
const REPEATS: usize = 200;

pub(super) fn run(work: Work, files: &[std::path::PathBuf]) -> Result<()> {
    let file = |position: usize| files.get(position).map(std::path::PathBuf::as_path).context("a file is missing");
    let figures = match work {
        Work::Ingest => ingest(file(0)?, Some((file(1)?, Version::Columns)))?,
        Work::Ingest2 => ingest(file(0)?, Some((file(1)?, Version::Delta)))?,
        Work::Ingest1 => ingest(file(0)?, Some((file(1)?, Version::Rows)))?,
        Work::Parse => ingest(file(0)?, None)?,
        Work::Query => query(file(0)?, file(1)?)?,
        Work::Scan => scan(file(0)?)?,
        Work::Close => close(file(0)?)?,
        Work::Zstd => decompress(file(0)?)?,
        Work::Filter => filters(),
    };
    println!("{figures}");
    Ok(())
}

fn ingest(csv: &Path, target: Option<(&Path, Version)>) -> Result<Value> {
    let start = Instant::now();
    let mut source = pdp_bars::open(csv, None, &ReadOptions::new(Fit::version_1()))?;
    let mut writer = target
        .map(|(target, version)| Writer::create(target, WriteOptions { version, ..WriteOptions::default() }))
        .transpose()?;
    let mut rows = 0;
    while let Some(chunk) = source.next()? {
        for run in &chunk.runs {
            rows += run.bars.len();
            if let Some(writer) = &mut writer {
                let id = writer.symbol(&run.symbol)?;
                writer.push(id, &run.bars)?;
            }
        }
    }
    let bytes = writer.map(|writer| writer.finish(Existing::Replace)).transpose()?.map(|written| written.bytes);
    Ok(json!({ "rows": rows, "bytes": bytes, "wall": start.elapsed().as_secs_f64() }))
}

fn query(store: &Path, queries: &Path) -> Result<Value> {
    let store = Store::open(store)?.with_cached_blocks(0);
    let text = fs::read_to_string(queries)?;
    let mut wanted = Vec::new();
    for line in text.lines() {
        let mut fields = line.split(',');
        let mut field = || fields.next().context("a query is cut off");
        let symbol = store.symbol(field()?)?.id;
        wanted.push((symbol, field()?.parse::<u64>()?..field()?.parse::<u64>()?));
    }
    let mut micros = Vec::new();
    for warm in [true, false] {
        for (symbol, range) in &wanted {
            let start = Instant::now();
            let columns = store.query(*symbol, range.clone(), &Filter::default())?;
            let took = start.elapsed();
            ensure!(columns.len() as u64 == super::data::MINUTES, "a day has {} bars", columns.len());
            if !warm {
                micros.push(took.as_secs_f64() * 1e6);
            }
        }
    }
    micros.sort_by(f64::total_cmp);
    let at = |part: usize| micros.get((micros.len() * part / 100).min(micros.len() - 1)).copied();
    Ok(json!({ "p50": at(50), "p99": at(99) }))
}

/// Has the file's pages mapped, so that who comes first does not pay for them.
fn touch(store: &Store) {
    black_box(store.file().iter().step_by(4096).fold(0_u8, |sum, byte| sum ^ byte));
}

fn scan(store: &Path) -> Result<Value> {
    let store = Store::open(store)?.with_cached_blocks(0);
    touch(&store);
    let (start, cpu) = (Instant::now(), thread_cpu());
    let mut rows = 0;
    for symbol in store.symbols() {
        store.scan(symbol.id, 0..u64::MAX, &Filter::default(), |columns: &Columns| -> Result<(), fxd::FxdError> {
            rows += black_box(columns).len();
            Ok(())
        })?;
    }
    let cpu = thread_cpu() - cpu;
    Ok(json!({ "rows": rows, "cpu": cpu, "wall": start.elapsed().as_secs_f64(), "bytes": store.file().len() }))
}

fn close(store: &Path) -> Result<Value> {
    let store = Store::open(store)?.with_cached_blocks(0);
    touch(&store);
    let (start, cpu) = (Instant::now(), thread_cpu());
    let mut rows = 0;
    for symbol in store.symbols() {
        store.pick(symbol.id, 0..u64::MAX, Fields::CLOSE, |picked: &Picked| -> Result<(), fxd::FxdError> {
            rows += black_box(picked).len();
            Ok(())
        })?;
    }
    let cpu = thread_cpu() - cpu;
    Ok(json!({ "rows": rows, "cpu": cpu, "wall": start.elapsed().as_secs_f64(), "bytes": store.file().len() }))
}

fn decompress(store: &Path) -> Result<Value> {
    let store = Store::open(store)?;
    let mut payloads = Vec::new();
    for symbol in store.symbols() {
        for entry in store.blocks(symbol.id, 0..u64::MAX)? {
            let block = Block::decode(store.file(), entry.offset).map_err(|damage| anyhow::anyhow!("{damage:?}"))?;
            ensure!(block.header.compression == Compression::Zstd, "a block is not of zstd alone");
            payloads.push((block.stored(), block.header.original_size as usize));
        }
    }
    touch(&store);
    let mut decompressor = Decompressor::new()?;
    let mut payload = Vec::new();
    let (start, cpu) = (Instant::now(), thread_cpu());
    for (stored, original) in &payloads {
        payload.clear();
        payload.reserve_exact(*original);
        decompressor.decompress_to_buffer(stored, &mut payload)?;
        black_box(&payload);
    }
    let cpu = thread_cpu() - cpu;
    Ok(json!({ "rows": store.record_count(), "cpu": cpu, "wall": start.elapsed().as_secs_f64() }))
}

fn filters() -> Value {
    let mut state = 88_172_645_463_325_252_u64;
    let columns: Columns = (0..VALUES as u64)
        .map(|ts| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let low = 100_000 + (state % 10_000).cast_signed();
            Bar { ts, open: low, high: low + 10, low, close: low + 5, volume: state >> 57, flags: 0 }
        })
        .collect();
    let mut mask = vec![u64::MAX; VALUES.div_ceil(64)];
    let rate = |cpu: f64, repeats: usize| (VALUES * repeats) as f64 / cpu / 1e9;
    let cpu = thread_cpu();
    for _ in 0..REPEATS {
        filter::and_signed(black_box(&mut mask), black_box(columns.low()), 102_500, 107_500);
    }
    let signed = rate(thread_cpu() - cpu, REPEATS);
    // What lies in the cache, as the columns of a block do.
    let near = columns.low().get(..1440).unwrap_or_default();
    let cpu = thread_cpu();
    for _ in 0..REPEATS * VALUES / 1440 {
        filter::and_signed(black_box(&mut mask), black_box(near), 102_500, 107_500);
    }
    let near = rate(thread_cpu() - cpu, REPEATS);
    let filter = Filter { price: Some(102_500..=107_500), volume: Some(10..=100), close: None };
    let cpu = thread_cpu();
    for _ in 0..REPEATS / 4 {
        black_box(filter.mask(black_box(&columns)));
    }
    let masked = rate(thread_cpu() - cpu, REPEATS / 4);
    let mut applied = 0.0;
    for _ in 0..REPEATS / 20 {
        let mut columns = columns.clone();
        let cpu = thread_cpu();
        filter.apply(black_box(&mut columns));
        applied += thread_cpu() - cpu;
    }
    let applied = rate(applied, REPEATS / 20);
    json!({ "signed": signed, "near": near, "mask": masked, "apply": applied })
}
