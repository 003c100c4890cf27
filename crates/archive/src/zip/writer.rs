//! Writing ZIP.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write};

use chrono::{DateTime, Utc};
use pdp_manifest::digest::Hasher;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{CompressionLevel, ManifestText, PackagePath};
use tempfile::NamedTempFile;

use super::record::{DosTime, Header, METHOD_DEFLATE, METHOD_STORE, end_records};
use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};
use crate::target::{Sealable, Target};
use crate::{ArchiveError, NameSet, deflate};

/// Members at least this large get room for ZIP64 sizes in their local header: Deflate may add a little to bytes that
/// do not compress.
const WIDE_FROM: u64 = 0xffff_ffff - (64 << 20);

/// A ZIP archive being written.
///
/// Members go to a spool file beside the target, because the manifest that comes before them can only be written when
/// they are known. [`seal`](ContainerWriter::seal) puts both together in one pass that also hashes the archive.
pub struct ZipWriter {
    target: Target,
    level: CompressionLevel,
    time: DosTime,
    spool: BufWriter<NamedTempFile>,
    spool_len: u64,
    names: NameSet,
    entries: Vec<Entry>,
    open: Option<Open>,
}

/// A member in the spool.
struct Entry {
    facts: MemberFacts,
    /// Position of its local header in the spool.
    at: u64,
    wide: bool,
}

struct Open {
    at: u64,
    announced: u64,
    wide: bool,
    header_len: u64,
    /// The header as it was written; it is rewritten at the end only if it turned out different.
    header: Vec<u8>,
}

impl ZipWriter {
    /// A ZIP for `target` whose members bear the time `created_at` and are compressed as `level` says.
    ///
    /// # Errors
    /// The spool file cannot be made.
    pub fn create(target: Target, level: CompressionLevel, created_at: DateTime<Utc>) -> Result<Self, ArchiveError> {
        let spool = BufWriter::with_capacity(256 << 10, target.temporary_file()?);
        let time = DosTime::of(created_at);
        let names = NameSet::new();
        Ok(Self { target, level, time, spool, spool_len: 0, names, entries: Vec::new(), open: None })
    }

    fn header<'a>(&self, facts: &'a MemberFacts, wide: bool) -> Header<'a> {
        Header {
            name: facts.path.as_str(),
            method: if facts.method == Method::Store { METHOD_STORE } else { METHOD_DEFLATE },
            time: self.time,
            crc32: facts.crc32,
            stored_size: facts.stored_size,
            size: facts.size,
            wide,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.spool.write_all(bytes).map_err(ArchiveError::io("writing", self.spool.get_ref().path()))?;
        self.spool_len += length(bytes);
        Ok(())
    }
}

impl ContainerWriter for ZipWriter {
    fn codec(&self) -> Codec {
        match self.level {
            CompressionLevel::None => Codec::Raw,
            level => Codec::Deflate(level),
        }
    }

    fn begin(&mut self, path: &PackagePath, method: Method, size: u64) -> Result<(), ArchiveError> {
        self.names.insert(path)?;
        let wide = size >= WIDE_FROM;
        let facts = MemberFacts {
            path: path.clone(),
            size,
            stored_size: 0,
            crc32: 0,
            sha256: pdp_manifest::Sha256Digest::from_bytes([0; 32]),
            method,
        };
        let header = self.header(&facts, wide).local();
        self.open = Some(Open {
            at: self.spool_len,
            announced: size,
            wide,
            header_len: length(&header),
            header: header.clone(),
        });
        self.write(&header)
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        self.write(stored)
    }

    fn end(&mut self, facts: &MemberFacts) -> Result<(), ArchiveError> {
        let mismatch = |reason: String| ArchiveError::Member { member: facts.path.to_string(), reason };
        let open = self.open.take().ok_or_else(|| mismatch("ended before it was begun".to_owned()))?;
        let stored = self.spool_len - open.at - open.header_len;
        if stored != facts.stored_size || facts.size > open.announced {
            return Err(mismatch(format!(
                "{stored} stored bytes of {} with at most {} announced do not fit its facts",
                facts.size, open.announced
            )));
        }
        let header = self.header(facts, open.wide).local();
        if header != open.header {
            let path = self.spool.get_ref().path().to_owned();
            let patch = |spool: &mut BufWriter<NamedTempFile>| -> io::Result<()> {
                spool.seek(SeekFrom::Start(open.at))?;
                spool.write_all(&header)?;
                spool.seek(SeekFrom::End(0))?;
                Ok(())
            };
            patch(&mut self.spool).map_err(ArchiveError::io("writing", path))?;
        }
        self.entries.push(Entry { facts: facts.clone(), at: open.at, wide: open.wide });
        Ok(())
    }

    fn seal(mut self: Box<Self>, manifest: &ManifestText, front: Vec<PreparedMember>) -> Result<Sealed, ArchiveError> {
        let mut front_bytes = Vec::new();
        let mut ahead: Vec<(MemberFacts, u64)> = Vec::new();
        for member in &front {
            self.names.insert(&member.facts.path)?;
            ahead.push((member.facts.clone(), length(&front_bytes)));
            front_bytes.extend(self.header(&member.facts, false).local());
            front_bytes.extend_from_slice(&member.stored);
        }
        let codec = self.codec();
        let draft = manifest_member(manifest, 0, codec)?;
        self.names.insert(&draft.facts.path)?;
        let manifest_len = length(&self.header(&draft.facts, false).local()) + length(&draft.stored);
        let spool_at = manifest_len + length(&front_bytes);

        let directory_at = spool_at + self.spool_len;
        let directory = |first: &MemberFacts| {
            let mut out = Vec::new();
            self.header(first, false).central(0, &mut out);
            for (facts, at) in &ahead {
                self.header(facts, false).central(manifest_len + at, &mut out);
            }
            for entry in &self.entries {
                self.header(&entry.facts, entry.wide).central(spool_at + entry.at, &mut out);
            }
            out
        };
        let count = u64::try_from(1 + ahead.len() + self.entries.len()).unwrap_or(u64::MAX);
        let directory_len = length(&directory(&draft.facts));
        let end = end_records(count, directory_at, directory_len);
        let size = directory_at + directory_len + length(&end);

        let member = manifest_member(manifest, size, codec)?;
        let mut sink = HashingFile { file: self.target.temporary_file()?, hasher: Hasher::new(), len: 0 };
        sink.put(&self.header(&member.facts, false).local())?;
        sink.put(&member.stored)?;
        sink.put(&front_bytes)?;
        let directory = directory(&member.facts);
        let spool = self.spool.into_inner().map_err(|error| ArchiveError::Io {
            action: "writing",
            path: self.target.path(),
            source: error.into_error(),
        })?;
        sink.put_file(spool.as_file(), self.spool_len)?;
        sink.put(&directory)?;
        sink.put(&end)?;
        if sink.len != size {
            return Err(ArchiveError::Structure {
                offset: sink.len,
                reason: format!("the archive was to have {size} bytes"),
            });
        }
        let HashingFile { file, hasher, .. } = sink;
        Ok(Sealed { size, sha256: Some(hasher.finish()), temporary: Sealable::File(file, self.target) })
    }
}

/// The manifest as a member; its stored length does not depend on `package_size`.
fn manifest_member(manifest: &ManifestText, package_size: u64, codec: Codec) -> Result<PreparedMember, ArchiveError> {
    let path: PackagePath = MANIFEST_PATH.parse()?;
    let text = manifest.render(package_size);
    let mut member = crate::pack::prepare(path, &text, Codec::Raw);
    if let Codec::Deflate(level) = codec {
        member.stored = deflate::fixed_head(level, &manifest.head(package_size), manifest.tail());
        member.facts.stored_size = length(&member.stored);
        member.facts.method = Method::Compress;
    }
    Ok(member)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A file and the digest of what went into it.
struct HashingFile {
    file: NamedTempFile,
    hasher: Hasher,
    len: u64,
}

impl HashingFile {
    fn put(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.hasher.update(bytes);
        self.len += length(bytes);
        self.file.write_all(bytes).map_err(ArchiveError::io("writing", self.file.path()))
    }

    fn put_file(&mut self, mut from: &File, len: u64) -> Result<(), ArchiveError> {
        let copy_error = |source| ArchiveError::Io { action: "reading", path: "the spool file".into(), source };
        from.seek(SeekFrom::Start(0)).map_err(copy_error)?;
        let mut from = from.take(len);
        let mut buffer = vec![0; 256 << 10];
        loop {
            let n = from.read(&mut buffer).map_err(copy_error)?;
            if n == 0 {
                return Ok(());
            }
            self.put(buffer.get(..n).unwrap_or_default())?;
        }
    }
}
