//! Reading a folder.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pdp_manifest::{ContainerFormat, PackageCompression, PackagePath};
use rayon::prelude::*;
use walkdir::WalkDir;

use crate::contract::{ContainerReader, MemberInfo, Visitor};
use crate::open::Limits;
use crate::{ArchiveError, NameSet};

/// A package that lies in a directory: every regular file below it is a member; links are refused.
#[derive(Debug)]
pub struct FolderReader {
    root: PathBuf,
    size: u64,
    members: Vec<MemberInfo>,
}

impl FolderReader {
    /// Lists the directory at `root`.
    ///
    /// # Errors
    /// I/O, a name that is not portable, or a member that is no regular file.
    pub fn open(root: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let mut members = Vec::new();
        let mut names = NameSet::new();
        let mut size = 0_u64;
        for entry in WalkDir::new(root).min_depth(1).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(root).to_owned();
                ArchiveError::io("reading", path)(error.into_io_error().unwrap_or_else(|| io::Error::other("a loop")))
            })?;
            if entry.file_type().is_dir() {
                continue;
            }
            let relative = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let shown = relative.to_string_lossy().into_owned();
            if !entry.file_type().is_file() {
                let feature = "a member that is no regular file".to_owned();
                return Err(ArchiveError::Unsupported { member: shown, feature });
            }
            let text = relative.to_str().ok_or_else(|| ArchiveError::Member {
                member: shown.clone(),
                reason: "its name is not UTF-8".to_owned(),
            })?;
            let text = if std::path::MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace('\\', "/") };
            let path: PackagePath = text.parse()?;
            names.insert(&path)?;
            let len = entry.metadata().map_err(|error| ArchiveError::io("reading", entry.path())(error.into()))?.len();
            size = size.saturating_add(len);
            members.push(MemberInfo { path, size: len, stored_size: len, compression: PackageCompression::Store });
            let count = u64::try_from(members.len()).unwrap_or(u64::MAX);
            if count > limits.max_members {
                return Err(ArchiveError::Limit {
                    what: "number of members",
                    actual: count,
                    limit: limits.max_members,
                });
            }
            if size > limits.max_total_bytes {
                let limit = limits.max_total_bytes;
                return Err(ArchiveError::Limit { what: "size of all members", actual: size, limit });
            }
        }
        Ok(Self { root: root.to_owned(), size, members })
    }
}

impl ContainerReader for FolderReader {
    fn format(&self) -> ContainerFormat {
        ContainerFormat::Folder
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn members(&self) -> &[MemberInfo] {
        &self.members
    }

    fn visit(&self, wanted: &(dyn Fn(&MemberInfo) -> bool + Sync), visit: &Visitor<'_>) -> Result<(), ArchiveError> {
        self.members.par_iter().filter(|info| wanted(info)).try_for_each(|info| {
            let mut place = self.root.clone();
            place.extend(info.path.components());
            let file = File::open(&place).map_err(ArchiveError::io("opening", &place))?;
            visit(info, &mut SizedFile { file, declared: info.size, given: 0 })
        })
    }
}

/// A file that must still have the size it was listed with.
struct SizedFile {
    file: File,
    declared: u64,
    given: u64,
}

impl Read for SizedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.given = self.given.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        if self.given > self.declared || (n == 0 && !buffer.is_empty() && self.given != self.declared) {
            let reason = format!("it has {} bytes or more now, it had {}", self.given, self.declared);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        Ok(n)
    }
}
