//! Writing a folder.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{ManifestText, PackagePath};

use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};
use crate::target::{Sealable, Staged, Target};
use crate::{ArchiveError, NameSet};

/// A package being written as a directory: under a temporary name until it is sealed and published.
pub struct FolderWriter {
    target: Target,
    staged: Staged,
    names: NameSet,
    total: u64,
    open: Option<(PathBuf, File)>,
}

impl FolderWriter {
    /// A folder for `target`.
    ///
    /// # Errors
    /// The temporary directory cannot be made.
    pub fn create(target: Target) -> Result<Self, ArchiveError> {
        let staged = target.temporary_directory()?;
        Ok(Self { target, staged, names: NameSet::new(), total: 0, open: None })
    }

    fn add(&mut self, path: &PackagePath, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.begin(path, Method::Store, 0)?;
        self.chunk(bytes)?;
        self.close()
    }

    fn close(&mut self) -> Result<(), ArchiveError> {
        if let Some((path, file)) = self.open.take() {
            file.sync_all().map_err(ArchiveError::io("flushing", path))?;
        }
        Ok(())
    }
}

impl ContainerWriter for FolderWriter {
    fn codec(&self) -> Codec {
        Codec::Raw
    }

    fn begin(&mut self, path: &PackagePath, _: Method, _: u64) -> Result<(), ArchiveError> {
        self.names.insert(path)?;
        let mut place = self.staged.path().to_owned();
        place.extend(path.components());
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(ArchiveError::io("creating directory", parent))?;
        }
        let file = File::create_new(&place).map_err(ArchiveError::io("creating", &place))?;
        self.open = Some((place, file));
        Ok(())
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        if let Some((path, file)) = &mut self.open {
            file.write_all(stored).map_err(ArchiveError::io("writing", &*path))?;
            self.total += u64::try_from(stored.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    fn end(&mut self, _: &MemberFacts) -> Result<(), ArchiveError> {
        self.close()
    }

    fn seal(mut self: Box<Self>, manifest: &ManifestText, front: Vec<PreparedMember>) -> Result<Sealed, ArchiveError> {
        for member in front {
            self.add(&member.facts.path, &member.stored)?;
        }
        let manifest_len = u64::try_from(manifest.render(0).len()).unwrap_or(u64::MAX);
        let size = self.total + manifest_len;
        self.add(&MANIFEST_PATH.parse()?, &manifest.render(size))?;
        Ok(Sealed { size, sha256: None, temporary: Sealable::Folder(self.staged, self.target) })
    }
}
