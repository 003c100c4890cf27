//! A file cut into blocks of whole lines.

use std::io::{self, Read};

/// How many bytes a block has at most, and nearly always.
pub(crate) const BLOCK: usize = 4 << 20;
/// The longest line.
pub(crate) const LINE: usize = 1 << 20;

/// Why there is no next block.
#[derive(Debug)]
pub(crate) enum Stop {
    Read(io::Error),
    /// A line that is longer than any may be begins behind so many lines of this block.
    LongLine,
}

/// Reads blocks of whole lines.
pub(crate) struct Cutter<R> {
    input: R,
    /// The beginning of a line whose end is in the next block.
    rest: Vec<u8>,
    ended: bool,
}

impl<R: Read> Cutter<R> {
    pub(crate) const fn new(input: R) -> Self {
        Self { input, rest: Vec::new(), ended: false }
    }

    /// Whether all input has been read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.ended && self.rest.is_empty()
    }

    /// Reads the next block into a buffer, which is empty at the end of the file.
    pub(crate) fn next_into(&mut self, block: &mut Vec<u8>) -> Result<(), Stop> {
        block.clear();
        block.append(&mut self.rest);
        if !self.ended {
            let room = BLOCK.saturating_sub(block.len());
            block.reserve(room);
            let read = (&mut self.input)
                .take(u64::try_from(room).unwrap_or(u64::MAX))
                .read_to_end(block)
                .map_err(Stop::Read)?;
            self.ended = read < room;
        }
        if self.ended {
            return Ok(());
        }
        let whole = memchr::memrchr(b'\n', block).map_or(0, |end| end + 1);
        if block.len() - whole > LINE {
            return Err(Stop::LongLine);
        }
        self.rest.extend_from_slice(block.get(whole..).unwrap_or_default());
        block.truncate(whole);
        Ok(())
    }
}
