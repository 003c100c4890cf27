//! A file's bytes, mapped into memory.
//!
//! The only unsafe code of the crate. What it gains: a query of one day reads some pages of a file of any size without copying
//! them, and many processes share them.

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Arc;

/// The bytes of a store.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    /// A file's.
    Mapped(Arc<memmap2::Mmap>),
    /// Some that somebody had.
    Owned(Arc<[u8]>),
}

impl Bytes {
    /// The bytes that a file has at this moment.
    #[expect(unsafe_code, reason = "a map of a file is only sound while nobody makes the file shorter")]
    pub(crate) fn map(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::Owned(Arc::from([])));
        }
        // SAFETY: the map is read only, and all that is read of it goes through slices of bytes, for which every value is
        // legal: a file that is changed under us gives other bytes, which checksums find. What the map must not see is the
        // file being cut off before the end of what is read. Writers of this crate never cut before the committed end, which
        // is where readers stop (`Store::open`), and compaction and repair put a new file in the place of the old one. Another
        // program that cuts a file off in use ends the process by SIGBUS; the documentation of `Store::open` says so.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self::Mapped(Arc::new(map)))
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_map_has_the_bytes_of_the_file_and_keeps_them_while_it_grows() {
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(Bytes::map(&file).unwrap().len(), 0);
        file.write_all(&[7; 10_000]).unwrap();
        let before = Bytes::map(&file).unwrap();
        file.write_all(&[8; 10_000]).unwrap();
        assert_eq!(&before[..], &[7; 10_000]);
        assert_eq!(Bytes::map(&file).unwrap().len(), 20_000);
        drop(file);
        assert_eq!(before.iter().map(|byte| u64::from(*byte)).sum::<u64>(), 70_000);
    }
}
