//! Writing a folder.

use std::io::Write as _;

use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{ManifestText, PackagePath};

use crate::contract::{Codec, ContainerWriter, MemberFacts, Method, PreparedMember, Sealed};
use crate::disk::{Directory, OutFile, Staged};
use crate::target::{Sealable, Target};
use crate::{ArchiveError, NameSet};

/// A package being written as a directory: under a temporary name until it is sealed and published.
pub struct FolderWriter {
    target: Target,
    staged: Staged,
    names: NameSet,
    total: u64,
    root: Directory,
    open: Option<(PackagePath, OutFile)>,
}

impl FolderWriter {
    /// A folder for `target`.
    ///
    /// # Errors
    /// The temporary directory cannot be made.
    pub fn create(target: Target) -> Result<Self, ArchiveError> {
        let staged = target.temporary_directory()?;
        let root = Directory::open(staged.path()).map_err(ArchiveError::io("opening", staged.path()))?;
        Ok(Self { target, staged, names: NameSet::new(), total: 0, root, open: None })
    }

    fn put(&mut self, path: &PackagePath, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.begin(path, Method::Store, 0)?;
        self.chunk(bytes)?;
        self.close()
    }

    fn close(&mut self) -> Result<(), ArchiveError> {
        if let Some((path, file)) = self.open.take() {
            file.sync().map_err(ArchiveError::io("flushing", path.as_str()))?;
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
        let created = match self.root.parent_of(path, true) {
            Ok(Some((parent, name))) => parent.create(name),
            Ok(None) => Err(std::io::ErrorKind::NotFound.into()),
            Err(error) => Err(error),
        };
        let file = created.map_err(ArchiveError::io("creating", self.staged.path().join(path.as_str())))?;
        self.open = Some((path.clone(), file));
        Ok(())
    }

    fn chunk(&mut self, stored: &[u8]) -> Result<(), ArchiveError> {
        if let Some((path, file)) = &mut self.open {
            file.write_all(stored).map_err(ArchiveError::io("writing", path.as_str()))?;
            self.total += u64::try_from(stored.len()).unwrap_or(u64::MAX);
        }
        Ok(())
    }

    fn end(&mut self, _: &MemberFacts) -> Result<(), ArchiveError> {
        self.close()
    }

    fn stored_len(&self) -> u64 {
        self.total
    }

    fn seal(mut self: Box<Self>, manifest: &ManifestText, front: Vec<PreparedMember>) -> Result<Sealed, ArchiveError> {
        for member in front {
            self.put(&member.facts.path, &member.stored)?;
        }
        let manifest_len = u64::try_from(manifest.render(0).len()).unwrap_or(u64::MAX);
        let size = self.total + manifest_len;
        self.put(&MANIFEST_PATH.parse()?, &manifest.render(size))?;
        Ok(Sealed { size, sha256: None, temporary: Sealable::Folder(self.staged, self.target) })
    }
}
