//! What both archive writers share: a spool for the members, and the archive itself, hashed as it is written.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};

use pdp_manifest::Sha256Digest;
use pdp_manifest::digest::Hasher;

use crate::ArchiveError;
use crate::disk::TemporaryFile;
use crate::target::Target;

/// Members wait here, because the manifest that comes before them can only be written when they are known.
pub(crate) struct Spool {
    file: BufWriter<TemporaryFile>,
    len: u64,
}

impl Spool {
    pub(crate) fn create(target: &Target) -> Result<Self, ArchiveError> {
        Ok(Self { file: BufWriter::with_capacity(256 << 10, target.temporary_file()?), len: 0 })
    }

    pub(crate) const fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.file.write_all(bytes).map_err(ArchiveError::io("writing", self.file.get_ref().path()))?;
        self.len += length(bytes);
        Ok(())
    }

    /// Writes over what stands at `at`.
    pub(crate) fn patch(&mut self, at: u64, bytes: &[u8]) -> Result<(), ArchiveError> {
        let path = self.file.get_ref().path().to_owned();
        let mut patch = || -> io::Result<()> {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.write_all(bytes)?;
            self.file.seek(SeekFrom::End(0))?;
            Ok(())
        };
        patch().map_err(ArchiveError::io("writing", path))
    }
}

/// A file and the digest of what went into it.
pub(crate) struct HashingFile {
    file: TemporaryFile,
    hasher: Hasher,
    len: u64,
}

impl HashingFile {
    pub(crate) fn create(target: &Target) -> Result<Self, ArchiveError> {
        Ok(Self { file: target.temporary_file()?, hasher: Hasher::new(), len: 0 })
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.hasher.update(bytes);
        self.len += length(bytes);
        self.file.write_all(bytes).map_err(ArchiveError::io("writing", self.file.path()))
    }

    pub(crate) fn put_spool(&mut self, spool: Spool) -> Result<(), ArchiveError> {
        let path = spool.file.get_ref().path().to_owned();
        let Spool { file, len } = spool;
        let file = file.into_inner().map_err(|error| ArchiveError::io("writing", &path)(error.into_error()))?;
        let read_error = |source| ArchiveError::Io { action: "reading", path: path.clone(), source };
        let mut from: &File = file.as_file();
        from.seek(SeekFrom::Start(0)).map_err(read_error)?;
        let mut from = from.take(len);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let n = from.read(&mut buffer).map_err(read_error)?;
            if n == 0 {
                return Ok(());
            }
            self.put(buffer.get(..n).unwrap_or_default())?;
        }
    }

    /// The file and its digest; it was to have `size` bytes.
    pub(crate) fn finish(self, size: u64) -> Result<(TemporaryFile, Sha256Digest), ArchiveError> {
        if self.len != size {
            let reason = format!("the archive was to have {size} bytes");
            return Err(ArchiveError::Structure { offset: self.len, reason });
        }
        Ok((self.file, self.hasher.finish()))
    }
}

pub(crate) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
