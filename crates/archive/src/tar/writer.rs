//! Writing TAR.GZ: framed, so that every file of it can be read alone.

use chrono::{DateTime, Utc};
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{CompressionLevel, ManifestText, PackagePath};

use super::{BLOCK, encode, encode_fixed, entry_head, padding};
use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};
use crate::spool::{HashingFile, Spool, length};
use crate::target::{Sealable, Target};
use crate::{ArchiveError, NameSet};

/// How much of a long text goes into one gzip member.
const FRAME: usize = 2 << 20;

/// A TAR.GZ archive being written.
///
/// Members go to a spool file, because the manifest, which lists them, comes before them.
pub struct TarGzWriter {
    target: Target,
    level: CompressionLevel,
    modified: u64,
    spool: Spool,
    names: NameSet,
    /// The large member being written: where its header stands and the size in it.
    open: Option<(u64, u64)>,
}

impl TarGzWriter {
    /// A TAR.GZ archive for `target`, whose entries bear the time `created_at` and are compressed as `level` says.
    ///
    /// # Errors
    /// The spool file cannot be made.
    pub fn create(target: Target, level: CompressionLevel, created_at: DateTime<Utc>) -> Result<Self, ArchiveError> {
        let spool = Spool::create(&target)?;
        let modified = u64::try_from(created_at.timestamp()).unwrap_or(0);
        Ok(Self { target, level, modified, spool, names: NameSet::new(), open: None })
    }

    /// The gzip member that holds nothing but the header of a large file; its length does not depend on the size.
    fn header(&self, path: &PackagePath, size: u64) -> Vec<u8> {
        encode_fixed(CompressionLevel::None, &entry_head(path, size, self.modified), &[])
    }
}

impl ContainerWriter for TarGzWriter {
    fn codec(&self) -> Codec {
        Codec::TarGz { level: self.level, modified: self.modified }
    }

    fn add(&mut self, member: &PreparedMember) -> Result<(), ArchiveError> {
        self.names.insert(&member.facts.path)?;
        self.spool.write(&member.stored)
    }

    fn begin(&mut self, path: &PackagePath, _: Method, size: u64) -> Result<(), ArchiveError> {
        self.names.insert(path)?;
        self.open = Some((self.spool.len(), size));
        let header = self.header(path, size);
        self.spool.write(&header)
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        self.spool.write(stored)
    }

    fn end(&mut self, facts: &MemberFacts) -> Result<(), ArchiveError> {
        let Some((at, announced)) = self.open.take() else {
            let reason = "ended before it was begun".to_owned();
            return Err(ArchiveError::Member { member: facts.path.to_string(), reason });
        };
        if facts.size != announced {
            let header = self.header(&facts.path, facts.size);
            self.spool.patch(at, &header)?;
        }
        Ok(())
    }

    fn stored_len(&self) -> u64 {
        self.spool.len()
    }

    fn seal(mut self: Box<Self>, manifest: &ManifestText, front: Vec<PreparedMember>) -> Result<Sealed, ArchiveError> {
        let path: PackagePath = MANIFEST_PATH.parse()?;
        self.names.insert(&path)?;
        for member in &front {
            self.names.insert(&member.facts.path)?;
        }
        let render = |size: u64| {
            let text_len = length(&manifest.head(size)) + length(manifest.tail());
            let head = [entry_head(&path, text_len, self.modified), manifest.head(size)].concat();
            let tail = [manifest.tail(), vec![0; padding(text_len)].as_slice()].concat();
            frames(self.level, &head, &tail)
        };
        let end = end_of_tar();
        let front_len: u64 = front.iter().map(|member| length(&member.stored)).sum();
        let size = length(&render(0)) + front_len + self.spool.len() + length(&end);
        let mut sink = HashingFile::create(&self.target)?;
        sink.put(&render(size))?;
        for member in &front {
            sink.put(&member.stored)?;
        }
        sink.put_spool(self.spool)?;
        sink.put(&end)?;
        let (file, sha256) = sink.finish(size)?;
        Ok(Sealed { size, sha256: Some(sha256), temporary: Sealable::File(file, self.target) })
    }
}

/// Gzip members that hold `head` and `tail`, of a length that does not depend on what `head` holds.
fn frames(level: CompressionLevel, head: &[u8], tail: &[u8]) -> Vec<u8> {
    let (first, rest) = tail.split_at(tail.len().min(FRAME));
    let mut out = encode_fixed(level, head, first);
    for piece in rest.chunks(FRAME) {
        out.extend(encode(level, piece).0);
    }
    out
}

/// The gzip member that ends every archive: two blocks of zeros.
pub(super) fn end_of_tar() -> Vec<u8> {
    encode(CompressionLevel::Balanced, &[0; 2 * BLOCK]).0
}
