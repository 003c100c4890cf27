//! Opening a package by what it is, not by what it is called.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use pdp_manifest::PackagePath;

use crate::ArchiveError;
use crate::contract::ContainerReader;
use crate::disk::open_file;
use crate::folder::FolderReader;
use crate::tar::{self, FramedTarReader, StreamedTarReader};
use crate::zip::ZipReader;

/// What a reader accepts before it looks at any member.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Most members; 4 million by default.
    pub max_members: u64,
    /// Most bytes of all members together, as declared; 16 TiB by default.
    pub max_total_bytes: u64,
    /// How many times larger a member of more than a mebibyte may be than its stored form; 200 by default.
    pub max_member_ratio: u64,
    /// How many times larger all members together may be than the archive, once they have more than a mebibyte; 100 by
    /// default.
    pub max_total_ratio: u64,
    /// Most bytes of a ZIP's central directory, which is held in memory; 1 GiB by default.
    pub max_directory_bytes: u64,
    /// Whether an archive or folder may be reached through a symbolic link of its own name; so by default. Links on the way
    /// to it are the caller's own.
    pub follow_links: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_members: 4 << 20,
            max_total_bytes: 16 << 40,
            max_member_ratio: 200,
            max_total_ratio: 100,
            max_directory_bytes: 1 << 30,
            follow_links: true,
        }
    }
}

/// Up to this size no ratio is too high.
const RATIO_FROM: u64 = 1 << 20;

/// Members as they are listed, held against the limits before anything is inflated.
pub(crate) struct Tally<'a> {
    limits: &'a Limits,
    archive_size: u64,
    count: u64,
    total: u64,
}

impl<'a> Tally<'a> {
    pub(crate) const fn new(limits: &'a Limits, archive_size: u64) -> Self {
        Self { limits, archive_size, count: 0, total: 0 }
    }

    /// Counts a member of `size` bytes that takes `stored` in the archive.
    pub(crate) fn member(&mut self, path: &PackagePath, size: u64, stored: u64) -> Result<(), ArchiveError> {
        let limits = self.limits;
        self.count += 1;
        self.total = self.total.saturating_add(size);
        if self.count > limits.max_members {
            let (actual, limit) = (self.count, limits.max_members);
            return Err(ArchiveError::Limit { what: "number of members", actual, limit });
        }
        if self.total > limits.max_total_bytes {
            let (actual, limit) = (self.total, limits.max_total_bytes);
            return Err(ArchiveError::Limit { what: "size of all members", actual, limit });
        }
        let over = |size: u64, stored: u64, limit: u64| size > RATIO_FROM && size / limit.max(1) > stored;
        if over(size, stored, limits.max_member_ratio) {
            let (member, limit) = (path.to_string(), limits.max_member_ratio);
            return Err(ArchiveError::Ratio { member: Some(member), size, stored, limit });
        }
        if over(self.total, self.archive_size, limits.max_total_ratio) {
            let (size, stored, limit) = (self.total, self.archive_size, limits.max_total_ratio);
            return Err(ArchiveError::Ratio { member: None, size, stored, limit });
        }
        Ok(())
    }
}

/// Opens the package at `path` and checks its structure.
///
/// # Errors
/// I/O, [`ArchiveError::NotAContainer`], or what is wrong with it.
pub fn open(path: &Path, limits: &Limits) -> Result<Box<dyn ContainerReader>, ArchiveError> {
    let look = if limits.follow_links { fs::metadata(path) } else { fs::symlink_metadata(path) };
    let metadata = look.map_err(ArchiveError::io("opening", path))?;
    if metadata.is_dir() {
        return Ok(Box::new(FolderReader::open(path, limits)?));
    }
    let not = |reason: &str| ArchiveError::NotAContainer { path: path.to_owned(), reason: reason.to_owned() };
    if !metadata.is_file() {
        return Err(not("neither a file nor a directory"));
    }
    let file = open_file(path, limits.follow_links).map_err(ArchiveError::io("opening", path))?;
    let mut head = Vec::new();
    (&file).take(16).read_to_end(&mut head).map_err(ArchiveError::io("reading", path))?;
    match head.as_slice() {
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Ok(Box::new(ZipReader::of(path, file, limits)?)),
        [] => Err(not("the file is empty")),
        head if tar::is_framed(head) => Ok(Box::new(FramedTarReader::of(path, file, limits)?)),
        [0x1f, 0x8b, ..] => Ok(Box::new(StreamedTarReader::of(path, file, limits)?)),
        _ => Err(not("it begins neither like a ZIP archive nor like gzip data")),
    }
}
