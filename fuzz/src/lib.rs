//! What the targets share: bytes as a file, and what the library reads from it.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;

use pdp_archive::Limits;
use pdp_manifest::{PackagePath, Sha256Digest};
use tempfile::NamedTempFile;

/// A member: name, size, and the digest of its bytes.
pub type Member = (String, u64, Sha256Digest);

/// Most bytes of a package whose members are read; what is larger costs time and shows nothing new.
const MOST: u64 = 4 << 20;

/// `bytes` as a file, in memory where the system has a place for that.
///
/// # Panics
/// Without room for it.
#[must_use]
pub fn file(bytes: &[u8]) -> NamedTempFile {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { NamedTempFile::new_in(memory) } else { NamedTempFile::new() };
    let mut file = made.expect("a temporary file");
    file.write_all(bytes).expect("room for a temporary file");
    file
}

/// A directory for files that need a name, in memory where the system has a place for that.
///
/// # Panics
/// Without room for it.
#[must_use]
pub fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.expect("a temporary directory")
}

/// What the library reads from a package, in its order; none where it refuses it.
///
/// # Panics
/// When it is not read the same twice, or not as listed.
#[must_use]
pub fn read(path: &Path) -> Option<Vec<Member>> {
    let first = listed(path)?;
    if first.iter().map(|(_, size)| size).sum::<u64>() > MOST {
        return None;
    }
    assert_eq!(listed(path).as_ref(), Some(&first), "a second look lists something else");
    let once = visited(path);
    assert_eq!(once, visited(path), "a second pass reads something else");
    let members = once?;
    let named: Vec<(String, u64)> = members.iter().map(|(name, size, _)| (name.clone(), *size)).collect();
    assert_eq!(named, first, "not read as listed");
    Some(members)
}

fn listed(path: &Path) -> Option<Vec<(String, u64)>> {
    let reader = pdp_archive::open(path, &Limits::default()).ok()?;
    let member = |info: &pdp_archive::MemberInfo| {
        let name = info.path.to_string();
        assert!(name.parse::<PackagePath>().is_ok_and(|again| again == info.path));
        (name, info.size)
    };
    Some(reader.members().iter().map(member).collect())
}

fn visited(path: &Path) -> Option<Vec<Member>> {
    let reader = pdp_archive::open(path, &Limits::default()).ok()?;
    let found = Mutex::new(Vec::new());
    let visited = reader.visit(&|_| true, &|info, body| {
        let mut bytes = Vec::new();
        // One byte more than listed would be one too many.
        let read = Read::take(&mut *body, info.size + 1).read_to_end(&mut bytes);
        assert!(bytes.len() as u64 <= info.size, "more bytes than listed");
        read.map_err(|error| pdp_archive::contract::member_error(info, &error))?;
        // The end of the body is where its checksum is looked at.
        let end = body.read(&mut [0]).map_err(|error| pdp_archive::contract::member_error(info, &error))?;
        assert_eq!(end, 0, "more bytes than listed");
        let member = (info.path.to_string(), bytes.len() as u64, Sha256Digest::of(&bytes));
        found.lock().expect("no visit panics").push(member);
        Ok(())
    });
    visited.ok()?;
    let mut found = found.into_inner().expect("no visit panics");
    let order = |name: &str| reader.members().iter().position(|info| info.path.as_str() == name);
    found.sort_by_key(|(name, _, _)| order(name));
    Some(found)
}

/// The files that the `tar` crate reads from an archive, in its order; none where it refuses it.
#[must_use]
pub fn by_tar(archive: impl Read) -> Option<Vec<Member>> {
    let mut archive = tar::Archive::new(archive);
    let mut found = Vec::new();
    for entry in archive.entries().ok()? {
        let mut entry = entry.ok()?;
        let name = String::from_utf8(entry.path_bytes().into_owned()).ok()?;
        // A trailing slash means a directory, and `./` nothing.
        let name = name.strip_prefix("./").unwrap_or(&name).to_owned();
        if entry.header().entry_type().is_dir() || name.ends_with('/') {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).ok()?;
        found.push((name, bytes.len() as u64, Sha256Digest::of(&bytes)));
    }
    Some(found)
}

/// The files that the `zip` crate reads from an archive, in the order in which they stand.
///
/// # Errors
/// The crate's own.
pub fn by_zip(archive: &[u8]) -> zip::result::ZipResult<Vec<Member>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(archive))?;
    let mut found = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        if entry.is_dir() {
            continue;
        }
        let mut bytes = Vec::new();
        let (name, at) = (entry.name()?.into_owned(), entry.header_start());
        assert!(entry.size() <= MOST, "more bytes than listed");
        entry.read_to_end(&mut bytes)?;
        assert_eq!(entry.size(), bytes.len() as u64);
        found.push((at, (name, bytes.len() as u64, Sha256Digest::of(&bytes))));
    }
    found.sort_by_key(|(at, _)| *at);
    Ok(found.into_iter().map(|(_, member)| member).collect())
}
