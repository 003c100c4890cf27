//! Where a package is to lie, and how it gets there: written beside, flushed, renamed.
//!
//! The final name either does not exist or is a complete package. Temporary files begin with `.pdp-` and end in
//! `.partial`; each is locked by the process that writes it, so that a later run can tell those of a dead process and
//! remove them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pdp_manifest::Sha256Digest;
use pdp_manifest::digest::Hasher;

use crate::disk::{self, Staged, TemporaryFile, sweep};
use crate::{ArchiveError, Sealed};

/// The place of a package: a directory and a name in it.
#[derive(Debug, Clone)]
pub struct Target {
    directory: PathBuf,
    file_name: String,
}

/// What to do when the name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Existing {
    /// The same bytes are left alone, anything else is an error.
    #[default]
    KeepSame,
    /// It is replaced.
    Replace,
}

impl Target {
    /// A package called `file_name` in `directory`, which is made when it does not exist. Leftovers of processes that
    /// died while they wrote there are removed.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub fn new(directory: impl Into<PathBuf>, file_name: impl Into<String>) -> Result<Self, ArchiveError> {
        let directory = directory.into();
        disk::create_directories(&directory).map_err(ArchiveError::io("creating directory", &directory))?;
        sweep(&directory);
        Ok(Self { directory, file_name: file_name.into() })
    }

    /// The final path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.file_name)
    }

    pub(crate) fn temporary_file(&self) -> Result<TemporaryFile, ArchiveError> {
        TemporaryFile::create(&self.directory).map_err(ArchiveError::io("creating a file in", &self.directory))
    }

    /// A new directory beside the final place, under a temporary name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn temporary_directory(&self) -> Result<Staged, ArchiveError> {
        Staged::create(&self.directory).map_err(ArchiveError::io("creating a directory in", &self.directory))
    }
}

/// A complete package under a temporary name, with the name it is to have.
#[derive(Debug)]
pub(crate) enum Sealable {
    File(TemporaryFile, Target),
    Folder(Staged, Target),
}

impl Sealed {
    /// Where the package lies until it is published; for reading it back.
    #[must_use]
    pub fn temporary_path(&self) -> &Path {
        match &self.temporary {
            Sealable::File(file, _) => file.path(),
            Sealable::Folder(staged, _) => staged.path(),
        }
    }

    /// The same package, to be given another name in the same directory.
    #[must_use]
    pub fn named(mut self, file_name: String) -> Self {
        let (Sealable::File(_, target) | Sealable::Folder(_, target)) = &mut self.temporary;
        target.file_name = file_name;
        self
    }

    /// Flushes the package and gives it its final name; dropping it instead removes it.
    ///
    /// # Errors
    /// I/O, or [`ArchiveError::Exists`].
    pub fn publish(self, existing: Existing) -> Result<PathBuf, ArchiveError> {
        let Self { size, sha256, temporary } = self;
        match temporary {
            Sealable::File(file, target) => {
                let path = target.path();
                if existing == Existing::KeepSame && fs::symlink_metadata(&path).is_ok() {
                    let same = sha256.is_some_and(|digest| holds(&path, size, &digest).unwrap_or(false));
                    return if same { Ok(path) } else { Err(ArchiveError::Exists { path }) };
                }
                file.sync().map_err(ArchiveError::io("flushing", file.path()))?;
                file.persist(&path).map_err(ArchiveError::io("renaming to", &path))?;
                sync_directory(&target.directory)?;
                Ok(path)
            }
            Sealable::Folder(staged, target) => {
                let path = target.path();
                if fs::symlink_metadata(&path).is_ok() {
                    // Two directories cannot change places in one step, so a folder never replaces another.
                    return Err(ArchiveError::Exists { path });
                }
                sync_directory(staged.path())?;
                staged.rename(&path).map_err(|(_, error)| ArchiveError::io("renaming to", &path)(error))?;
                sync_directory(&target.directory)?;
                Ok(path)
            }
        }
    }
}

/// Whether `path` is a regular file of this size and digest.
///
/// # Errors
/// It cannot be read.
pub fn holds(path: &Path, size: u64, digest: &Sha256Digest) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() || file.metadata()?.len() != size {
        return Ok(false);
    }
    Ok(digest_of(&mut file)? == *digest)
}

/// The digest of everything `reader` gives.
///
/// # Errors
/// Those of `reader`.
pub fn digest_of(reader: &mut impl io::Read) -> io::Result<Sha256Digest> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => hasher.update(buffer.get(..n).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes `bytes` to `path` so that it holds either all of them or what it held before.
///
/// # Errors
/// I/O.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = TemporaryFile::create(directory).map_err(ArchiveError::io("creating a file in", directory))?;
    file.write_all(bytes).and_then(|()| file.sync()).map_err(ArchiveError::io("writing", path))?;
    file.persist(path).map_err(ArchiveError::io("renaming to", path))?;
    sync_directory(directory)
}

/// Flushes a directory's entries, so that a rename in it outlives a power cut.
///
/// # Errors
/// I/O; never on systems that cannot flush a directory.
pub fn sync_directory(path: &Path) -> Result<(), ArchiveError> {
    disk::sync_directory(path).map_err(ArchiveError::io("flushing directory", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_of_the_dead_are_swept_and_those_of_the_living_kept() {
        let home = tempfile::tempdir().unwrap();
        let dead = home.path().join(".pdp-dead.partial");
        fs::write(&dead, "x").unwrap();
        let dead_directory = home.path().join(".pdp-dead-dir.partial");
        fs::create_dir(&dead_directory).unwrap();
        let other = home.path().join("x.partial");
        fs::write(&other, "x").unwrap();
        let target = Target::new(home.path(), "a").unwrap();
        assert!(!dead.exists() && !dead_directory.exists() && other.exists());

        let living = target.temporary_file().unwrap();
        let living_directory = target.temporary_directory().unwrap();
        let _ = Target::new(home.path(), "b").unwrap();
        assert!(living.path().exists() && living_directory.path().exists());
    }

    #[test]
    fn atomic_writes_replace() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("f");
        write_atomically(&path, b"one").unwrap();
        write_atomically(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
    }
}
