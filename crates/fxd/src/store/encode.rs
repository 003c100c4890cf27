//! Bars to blocks, many at a time.

use rayon::prelude::*;
use zstd::bulk::Compressor;

use super::decode::{Pool, payload_len};
use super::options::WriteOptions;
use crate::format::block::{self, BlockHeader, Compression};
use crate::format::date::{day, yyyymmdd};
use crate::format::header::Version;
use crate::format::record::{encode_payload, from_deltas, to_deltas};
use crate::format::symbol::SymbolId;
use crate::format::symbol_index::SymbolEntry;
use crate::{BadBar, BadBarReason, Bar, FxdError, columns};

/// Bars of one symbol, no more than a block takes and of one UTC date where that has rows, in order.
#[derive(Debug)]
pub(crate) struct ToEncode {
    pub(crate) symbol: SymbolId,
    pub(crate) bars: Vec<Bar>,
}

/// A block that has no place yet.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Its entry in the symbol index, but for the offset.
    pub(crate) entry: SymbolEntry,
    /// Its bytes, padding and all.
    pub(crate) bytes: Vec<u8>,
}

/// Encodes blocks as the options say.
pub(crate) struct Encoder {
    version: Version,
    level: Option<i32>,
    dictionary: Option<Vec<u8>>,
    workers: Pool<Worker>,
}

#[derive(Default)]
struct Worker {
    compressor: Option<Compressor<'static>>,
    payload: Vec<u8>,
    stored: Vec<u8>,
}

/// Why a block cannot be encoded; the symbol's name is not known here.
#[derive(Debug)]
pub(crate) enum EncodeError {
    Bar { symbol: SymbolId, ts: u64, field: &'static str, value: i128 },
    Zstd(std::io::Error),
}

impl Encoder {
    pub(crate) fn new(options: &WriteOptions) -> Self {
        Self {
            version: options.version,
            level: options.level,
            dictionary: options.dictionary.clone(),
            workers: Pool::default(),
        }
    }

    /// Encodes blocks on all of rayon's threads, and keeps their order.
    pub(crate) fn encode(&self, blocks: &[ToEncode]) -> Result<Vec<Encoded>, EncodeError> {
        blocks.par_iter().map(|block| self.one(block)).collect()
    }

    fn one(&self, block: &ToEncode) -> Result<Encoded, EncodeError> {
        let mut worker = self.workers.take();
        let encoded = self.with(&mut worker, block);
        self.workers.give(worker);
        encoded
    }

    fn with(&self, worker: &mut Worker, block: &ToEncode) -> Result<Encoded, EncodeError> {
        let compression = if self.version.has_rows() {
            encode_payload(&block.bars, block.symbol, &mut worker.payload).map_err(|(at, misfit)| {
                EncodeError::Bar {
                    symbol: block.symbol,
                    ts: block.bars.get(at).map_or(0, |bar| bar.ts),
                    field: misfit.field,
                    value: misfit.value,
                }
            })?;
            self.compress(worker).map_err(EncodeError::Zstd)?
        } else {
            worker.stored = columns::encode(&block.bars, columns::PAGE_ROWS);
            Compression::Columns
        };
        let stored = if compression == Compression::None { &worker.payload } else { &worker.stored };
        let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let (first_ts, last_ts) =
            (block.bars.first().map_or(0, |bar| bar.ts), block.bars.last().map_or(0, |bar| bar.ts));
        let header = BlockHeader {
            symbol_id: block.symbol,
            compression,
            date: yyyymmdd(first_ts),
            compressed_size: size(stored.len()),
            original_size: size(payload_len(block.bars.len())),
            first_ts,
            last_ts,
            record_count: size(block.bars.len()),
        };
        let entry =
            SymbolEntry { symbol_id: block.symbol, record_count: header.record_count, offset: 0, first_ts, last_ts };
        Ok(Encoded { entry, bytes: block::encode(&header, stored) })
    }

    fn compress(&self, worker: &mut Worker) -> std::io::Result<Compression> {
        let Some(level) = self.level else { return Ok(Compression::None) };
        let compression = match (self.version, self.dictionary.is_some()) {
            (Version::Rows, false) => Compression::Zstd,
            (Version::Rows, true) => Compression::ZstdDictionary,
            (_, false) => Compression::DeltaZstd,
            (_, true) => Compression::DeltaZstdDictionary,
        };
        let deltas = self.version == Version::Delta;
        if deltas {
            to_deltas(&mut worker.payload);
        }
        let compressor = match (&mut worker.compressor, &self.dictionary) {
            (Some(compressor), _) => compressor,
            (none, None) => none.insert(Compressor::new(level)?),
            (none, Some(dictionary)) => none.insert(Compressor::with_dictionary(level, dictionary)?),
        };
        worker.stored.clear();
        worker.stored.reserve(zstd::zstd_safe::compress_bound(worker.payload.len()));
        let len = compressor.compress_to_buffer(&worker.payload, &mut worker.stored)?;
        if len < worker.payload.len() {
            return Ok(compression);
        }
        // What does not become smaller is stored as it is.
        if deltas {
            from_deltas(&mut worker.payload);
        }
        Ok(Compression::None)
    }
}

/// Cuts bars in order into what blocks take: no more than `most`, and one UTC date where blocks have rows.
pub(crate) fn cut(bars: &[Bar], most: u32, version: Version) -> impl Iterator<Item = &[Bar]> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).max(1);
    bars.chunk_by(move |a, b| !version.has_rows() || day(a.ts) == day(b.ts)).flat_map(move |of_day| of_day.chunks(most))
}

impl EncodeError {
    pub(crate) fn named(self, name: impl FnOnce(SymbolId) -> String, scales: &crate::Info) -> FxdError {
        match self {
            Self::Bar { symbol, ts, field, value } => {
                let scale = if field == "volume" { scales.volume_scale } else { scales.price_scale };
                BadBar { symbol: name(symbol), ts, why: BadBarReason::DoesNotFit { field, value, scale } }.into()
            }
            Self::Zstd(error) => FxdError::Refused(format!("zstd: {error}")),
        }
    }
}
