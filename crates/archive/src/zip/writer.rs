//! Writing ZIP.

use chrono::{DateTime, Utc};
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{CompressionLevel, ManifestText, PackagePath};

use super::record::{DosTime, Header, METHOD_DEFLATE, METHOD_STORE, end_records};
use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};
use crate::spool::{HashingFile, Spool, length};
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
    spool: Spool,
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
        let spool = Spool::create(&target)?;
        let time = DosTime::of(created_at);
        let names = NameSet::new();
        Ok(Self { target, level, time, spool, names, entries: Vec::new(), open: None })
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
            at: self.spool.len(),
            announced: size,
            wide,
            header_len: length(&header),
            header: header.clone(),
        });
        self.spool.write(&header)
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        self.spool.write(stored)
    }

    fn end(&mut self, facts: &MemberFacts) -> Result<(), ArchiveError> {
        let mismatch = |reason: String| ArchiveError::Member { member: facts.path.to_string(), reason };
        let open = self.open.take().ok_or_else(|| mismatch("ended before it was begun".to_owned()))?;
        let stored = self.spool.len() - open.at - open.header_len;
        if stored != facts.stored_size || facts.size > open.announced {
            return Err(mismatch(format!(
                "{stored} stored bytes of {} with at most {} announced do not fit its facts",
                facts.size, open.announced
            )));
        }
        let header = self.header(facts, open.wide).local();
        if header != open.header {
            self.spool.patch(open.at, &header)?;
        }
        self.entries.push(Entry { facts: facts.clone(), at: open.at, wide: open.wide });
        Ok(())
    }

    fn stored_len(&self) -> u64 {
        self.spool.len()
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

        let directory_at = spool_at + self.spool.len();
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
        let mut sink = HashingFile::create(&self.target)?;
        sink.put(&self.header(&member.facts, false).local())?;
        sink.put(&member.stored)?;
        sink.put(&front_bytes)?;
        let directory = directory(&member.facts);
        sink.put_spool(self.spool)?;
        sink.put(&directory)?;
        sink.put(&end)?;
        let (file, sha256) = sink.finish(size)?;
        Ok(Sealed { size, sha256: Some(sha256), temporary: Sealable::File(file, self.target) })
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
