//! What a writer asks of a disk, so that tests can record it, and stop it at every point.

use std::fs::File;
use std::io;

use super::map::Bytes;
use super::tree::Place;

/// A file that is written to.
pub(crate) trait Storage {
    /// Writes all the bytes at a position.
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()>;
    /// Makes the file end at a position.
    fn set_len(&mut self, len: u64) -> io::Result<()>;
    /// Flushes everything to the disk.
    fn sync(&mut self) -> io::Result<()>;
    /// What the file holds.
    fn bytes(&self) -> io::Result<Bytes>;
}

impl Storage for File {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_all_at(self, bytes, at);
        #[cfg(not(unix))]
        {
            use std::io::{Seek as _, Write as _};
            self.seek(io::SeekFrom::Start(at))?;
            self.write_all(bytes)
        }
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        Self::set_len(self, len)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn bytes(&self) -> io::Result<Bytes> {
        Bytes::map(self)
    }
}

impl<S: Storage> Storage for &mut S {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        (**self).write_at(bytes, at)
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        (**self).set_len(len)
    }

    fn sync(&mut self) -> io::Result<()> {
        (**self).sync()
    }

    fn bytes(&self) -> io::Result<Bytes> {
        (**self).bytes()
    }
}

impl<S: Storage> Place for Log<S> {
    fn position(&self) -> u64 {
        self.position()
    }

    fn put(&mut self, node: &[u8]) -> io::Result<u64> {
        self.add(node)
    }
}

/// Writes one piece behind the other, in large steps, and sums up what it wrote.
#[derive(Debug)]
pub(crate) struct Log<S> {
    storage: S,
    buffer: Vec<u8>,
    flushed: u64,
    crc: u32,
}

/// How much is gathered before it is written.
const STEP: usize = 1 << 20;

impl<S: Storage> Log<S> {
    /// Begins at `at`.
    pub(crate) const fn new(storage: S, at: u64) -> Self {
        Self { storage, buffer: Vec::new(), flushed: at, crc: 0 }
    }

    /// Goes on at `at`, behind bytes with a checksum.
    pub(crate) const fn resumed(storage: S, at: u64, crc: u32) -> Self {
        Self { storage, buffer: Vec::new(), flushed: at, crc }
    }

    /// Where the next byte goes.
    pub(crate) const fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    /// The checksum of all that was added.
    pub(crate) const fn crc(&self) -> u32 {
        self.crc
    }

    /// Adds bytes, and says where they went.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.position();
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= STEP {
            self.flush()?;
        }
        Ok(at)
    }

    /// Writes what has been gathered.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.storage.write_at(&self.buffer, self.flushed)?;
            self.flushed += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    /// The storage, with everything that was added.
    pub(crate) fn storage(&mut self) -> io::Result<&mut S> {
        self.flush()?;
        Ok(&mut self.storage)
    }
}
