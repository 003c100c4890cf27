//! Blocks of a file, in memory that is used again and again.

use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use super::range::Span;

/// Most bytes of a block: what is read is sent before the processor's cache forgets it.
const BLOCK: usize = 128 << 10;
/// How much a disk is asked for when something must come from it.
#[cfg(target_os = "linux")]
const AHEAD: u64 = 4 << 20;
/// Most blocks that are kept for later.
const KEPT: usize = 64;

/// Buffers that nobody uses just now.
static IDLE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Some bytes of a file; never none.
#[derive(Debug)]
pub(super) struct Block {
    buffer: Box<[u8]>,
    len: usize,
}

impl Block {
    fn new() -> Self {
        let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { buffer: idle.unwrap_or_else(|| vec![0; BLOCK].into_boxed_slice()), len: 0 }
    }

    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.len).unwrap_or(u64::MAX)
    }

    /// The part of the buffer that a span fills.
    fn room(&mut self, span: Span) -> &mut [u8] {
        let len = usize::try_from(span.len()).unwrap_or(usize::MAX).min(self.buffer.len());
        self.buffer.get_mut(..len).unwrap_or_default()
    }

    fn filled(mut self, len: usize) -> io::Result<Self> {
        if len == 0 {
            // What was announced cannot be sent any more.
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut short while it was sent"));
        }
        self.len = len;
        Ok(self)
    }
}

impl AsRef<[u8]> for Block {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(std::mem::take(&mut self.buffer));
        }
    }
}

/// The first bytes of `span`; may wait for a disk, which is asked for what comes behind them, too.
pub(super) fn read(file: &File, span: Span) -> io::Result<Block> {
    #[cfg(target_os = "linux")]
    if let Some(ahead) = std::num::NonZeroU64::new(span.len().min(AHEAD)) {
        // A hint, whose failure changes nothing.
        let _ = rustix::fs::fadvise(file, span.start, Some(ahead), rustix::fs::Advice::WillNeed);
    }
    let mut block = Block::new();
    loop {
        match read_at(file, block.room(span), span.start) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return block.filled(read?),
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// The first bytes of `span`, or none where they are not in memory.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] where the system cannot be asked for that.
#[cfg(target_os = "linux")]
pub(super) fn read_now(file: &File, span: Span) -> io::Result<Option<Block>> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    let mut block = Block::new();
    let room = &mut [io::IoSliceMut::new(block.room(span))];
    match preadv2(file, room, span.start, ReadWriteFlags::NOWAIT) {
        Ok(read) => block.filled(read).map(Some),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Err(io::ErrorKind::Unsupported.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_now(_: &File, _: Span) -> io::Result<Option<Block>> {
    Err(io::ErrorKind::Unsupported.into())
}
