//! Opening a package by what it is, not by what it is called.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use crate::ArchiveError;
use crate::contract::ContainerReader;
use crate::folder::FolderReader;
use crate::zip::ZipReader;

/// What a reader accepts before it looks at any member.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Limits {
    /// Most members; 4 million by default.
    pub max_members: u64,
    /// Most bytes of all members together, as declared; 16 TiB by default.
    pub max_total_bytes: u64,
    /// Most bytes of a ZIP's central directory, which is held in memory; 1 GiB by default.
    pub max_directory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_members: 4 << 20, max_total_bytes: 16 << 40, max_directory_bytes: 1 << 30 }
    }
}

/// Opens the package at `path` and checks its structure.
///
/// # Errors
/// I/O, [`ArchiveError::NotAContainer`], or what is wrong with it.
pub fn open(path: &Path, limits: &Limits) -> Result<Box<dyn ContainerReader>, ArchiveError> {
    let metadata = fs::metadata(path).map_err(ArchiveError::io("opening", path))?;
    if metadata.is_dir() {
        return Ok(Box::new(FolderReader::open(path, limits)?));
    }
    let not = |reason: &str| ArchiveError::NotAContainer { path: path.to_owned(), reason: reason.to_owned() };
    if !metadata.is_file() {
        return Err(not("neither a file nor a directory"));
    }
    let mut head = Vec::new();
    File::open(path).and_then(|file| file.take(4).read_to_end(&mut head)).map_err(ArchiveError::io("reading", path))?;
    match head.as_slice() {
        [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Ok(Box::new(ZipReader::open(path, limits)?)),
        [] => Err(not("the file is empty")),
        [0x1f, 0x8b, ..] => Err(not("gzip data; this version reads ZIP archives and folders")),
        _ => Err(not("it does not begin like a ZIP archive")),
    }
}
