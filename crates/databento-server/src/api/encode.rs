//! Records as DBN, in pieces of which each makes sense without those after it.

use std::io::{Result, Write as _};

use axum::body::Bytes;
use dbn::encode::{DbnEncoder, EncodeRecord};
use dbn::{Compression, Metadata, OhlcvMsg};

/// The most records of a piece.
const MOST: usize = 512;
/// Pieces that an answer has at least, so that half of it is something.
const PIECES: usize = 8;

/// Metadata and records.
pub(super) fn dbn(metadata: &Metadata, bars: &[OhlcvMsg], compression: Compression) -> Result<Vec<Bytes>> {
    let plain = plain(metadata, bars).map_err(std::io::Error::other)?;
    match compression {
        Compression::None => Ok(plain.into_iter().map(Bytes::from).collect()),
        Compression::Zstd => zstd(&plain),
    }
}

fn plain(metadata: &Metadata, bars: &[OhlcvMsg]) -> dbn::Result<Vec<Vec<u8>>> {
    let mut encoder = DbnEncoder::new(Vec::new(), metadata)?;
    let mut pieces = vec![std::mem::take(encoder.get_mut())];
    for bars in bars.chunks((bars.len() / PIECES).clamp(1, MOST)) {
        encoder.encode_records(bars)?;
        pieces.push(std::mem::take(encoder.get_mut()));
    }
    Ok(pieces)
}

/// One frame, flushed after each piece, as a server does that sends while it reads.
fn zstd(pieces: &[Vec<u8>]) -> Result<Vec<Bytes>> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 0)?;
    let mut packed = Vec::new();
    for piece in pieces {
        encoder.write_all(piece)?;
        encoder.flush()?;
        packed.push(Bytes::from(std::mem::take(encoder.get_mut())));
    }
    packed.push(encoder.finish()?.into());
    Ok(packed)
}
