//! Reading one member of a package.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use pdp_archive::{ArchiveError, MemberInfo};
use pdp_manifest::digest::Hasher;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{PackagePath, Sha256Digest};
use serde::Serialize;

use crate::package::Package;
use crate::{PackagerError, Progress, Stage};

/// Most bytes that are held while a member is read.
const BLOCK: usize = 256 << 10;

/// A member as container and manifest agree on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MemberEntry {
    /// Its name.
    pub path: PackagePath,
    /// Its size.
    pub size_bytes: u64,
    /// Its digest; none for the manifest, and where the manifest states none.
    pub checksum_sha256: Option<Sha256Digest>,
}

/// A package that was opened for reading members of it one by one.
pub struct MemberReader {
    package: Package,
    /// One thread, on which a container hands out its members in their order.
    pool: rayon::ThreadPool,
}

impl std::fmt::Debug for MemberReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberReader").field("package", &self.package.path).finish_non_exhaustive()
    }
}

impl MemberReader {
    /// Opens the package at `path`: its structure is checked and its manifest read.
    ///
    /// # Errors
    /// It does not exist, cannot be read or is no sound package.
    pub fn open(path: &Path) -> Result<Self, PackagerError> {
        let pool = crate::threads(1)?;
        let package = pool.install(|| Package::open(path))?;
        Ok(Self { package, pool })
    }

    /// The member of this name.
    ///
    /// # Errors
    /// [`PackagerError::NotFound`]; [`PackagerError::Invalid`] where the manifest does not declare the member, or says that it
    /// has another size.
    pub fn entry(&self, member: &PackagePath) -> Result<MemberEntry, PackagerError> {
        let info = self.package.container.members().iter().find(|info| &info.path == member);
        let info = info.ok_or_else(|| PackagerError::NotFound { what: "member", path: member.as_str().into() })?;
        let claim = self.package.manifest.declared().find(|claim| claim.path == member);
        let finding = match (claim, claim.and_then(|claim| claim.size)) {
            (None, _) if member.as_str() != MANIFEST_PATH => "in the package, not declared in the manifest".to_owned(),
            (_, Some(stated)) if stated != info.size => format!("size: expected {stated}, actual {}", info.size),
            _ => {
                let checksum_sha256 = claim.and_then(|claim| claim.digest).copied();
                return Ok(MemberEntry { path: info.path.clone(), size_bytes: info.size, checksum_sha256 });
            }
        };
        Err(self.invalid(format!("{member}: {finding}")))
    }

    /// Writes a member's bytes to `sink`, in blocks.
    ///
    /// They are verified while they are written, and the last block is kept back until everything is right: what `sink`
    /// gets of a damaged member is always too short.
    ///
    /// # Errors
    /// Those of [`Self::entry`] and of `sink`; the bytes cannot be read or are not what they should be.
    pub fn read(
        &self,
        member: &PackagePath,
        sink: &mut (dyn Write + Send),
        progress: &dyn Progress,
    ) -> Result<MemberEntry, PackagerError> {
        let entry = self.entry(member)?;
        progress.begin(Stage::Verifying, 1, entry.size_bytes);
        let sink = Mutex::new((sink, None));
        let visited = self.pool.install(|| {
            self.package.container.visit(&|info| &info.path == member, &|info, body| {
                let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
                let (sink, failed) = &mut *sink;
                give(&entry, info, body, &mut |block| {
                    sink.write_all(block).map_err(|error| {
                        let stop = damaged(info, error.to_string());
                        *failed = Some(error);
                        stop
                    })?;
                    progress.advance(0, size_of(block.len()));
                    if progress.is_cancelled() { Err(damaged(info, "interrupted".to_owned())) } else { Ok(()) }
                })
            })
        });
        let (_, failed) = sink.into_inner().unwrap_or_else(PoisonError::into_inner);
        if progress.is_cancelled() {
            return Err(PackagerError::Cancelled);
        }
        if let Some(error) = failed {
            return Err(PackagerError::io("writing", member.as_str())(error));
        }
        visited.map_err(PackagerError::in_package(&self.package.path))?;
        progress.advance(1, 0);
        Ok(entry)
    }

    fn invalid(&self, finding: String) -> PackagerError {
        let summary = format!("{}: the package and its manifest disagree", self.package.path.display());
        PackagerError::Invalid { summary, findings: vec![finding] }
    }
}

/// Writes one member of the package at `package` to `sink`; see [`MemberReader::read`].
///
/// # Errors
/// Those of [`MemberReader::open`] and [`MemberReader::read`].
pub fn read_member(
    package: &Path,
    member: &PackagePath,
    sink: &mut (dyn Write + Send),
    progress: &dyn Progress,
) -> Result<MemberEntry, PackagerError> {
    MemberReader::open(package)?.read(member, sink, progress)
}

/// Hands over the bytes of `body`, the last block when all of them turned out to be right.
fn give(
    entry: &MemberEntry,
    info: &MemberInfo,
    body: &mut dyn Read,
    write: &mut dyn FnMut(&[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let len = usize::try_from(entry.size_bytes.clamp(1, size_of(BLOCK))).unwrap_or(BLOCK);
    let (mut held, mut next) = (Vec::new(), vec![0; len]);
    let (mut hasher, mut given) = (Hasher::new(), 0_u64);
    loop {
        let filled = fill(body, &mut next).map_err(|error| crate::validate::content_error(info, &error))?;
        if filled == 0 {
            break;
        }
        next.truncate(filled);
        hasher.update(&next);
        given = given.saturating_add(size_of(filled));
        if given > entry.size_bytes {
            break;
        }
        if !held.is_empty() {
            write(&held)?;
        }
        std::mem::swap(&mut held, &mut next);
        next.resize(len, 0);
    }
    if given != entry.size_bytes {
        return Err(damaged(info, format!("it has {given} bytes or more, {} were listed", entry.size_bytes)));
    }
    let digest = hasher.finish();
    if let Some(stated) = entry.checksum_sha256.filter(|stated| *stated != digest) {
        return Err(damaged(info, format!("sha256: expected {stated}, actual {digest}")));
    }
    write(&held)
}

/// Reads until `buffer` is full or there is no more.
fn fill(body: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match body.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn damaged(info: &MemberInfo, reason: String) -> ArchiveError {
    ArchiveError::Member { member: info.path.to_string(), reason }
}

fn size_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
