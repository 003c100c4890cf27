//! What a source hands out: a part of a file's rows at a time.

use std::sync::Arc;

use fxd::Bar;

use crate::{BarsError, Place};

/// The numbers that say whose bars these are, where a file has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ids {
    /// The publisher: a venue of a dataset, `publisher_id`.
    pub publisher: Option<u32>,
    /// The instrument: of a continuous symbol the contract that it stands for, `instrument_id`.
    pub instrument: Option<u32>,
}

/// The rows of one symbol in a chunk, in the order of the file; where [`ReadOptions::apart`](crate::ReadOptions::apart) asks for
/// it, those of one publisher and instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Run {
    /// The symbol.
    pub symbol: Arc<str>,
    /// Publisher and instrument, where rows are read apart; nothing otherwise.
    pub ids: Ids,
    /// The bars; never empty.
    pub bars: Vec<Bar>,
    /// Where the first of them is in the file.
    pub first: Place,
    /// Where the last of them is. Rows of other symbols may lie between.
    pub last: Place,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk {
    /// One run for each symbol that has rows in this part, in the order in which they first appear.
    pub runs: Vec<Run>,
    /// How many bytes of the file were read for it, as they lie on disk: for a progress bar.
    pub bytes: u64,
}

/// The rows of a file, a chunk at a time.
pub trait BarSource {
    /// The next chunk, or nothing at the end of the file.
    ///
    /// Chunks come in the order of the file, and so do the bars of a symbol. A chunk may be without rows. A chunk takes some
    /// ten megabytes, whatever the size of the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or a row is not as it should be; the source is at its end then.
    fn next(&mut self) -> Result<Option<Chunk>, BarsError>;
}
