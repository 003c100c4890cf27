//! Where a package is to lie, and how it gets there: written beside, flushed, renamed.
//!
//! The final name either does not exist or is a complete package. Temporary files begin with `.pdp-` and end in
//! `.partial`; each is locked by the process that writes it, so that a later run can tell those of a dead process and
//! remove them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pdp_manifest::Sha256Digest;
use pdp_manifest::digest::Hasher;
use tempfile::{NamedTempFile, TempDir};

use crate::{ArchiveError, Sealed};

const PREFIX: &str = ".pdp-";
const SUFFIX: &str = ".partial";

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
        fs::create_dir_all(&directory).map_err(ArchiveError::io("creating directory", &directory))?;
        sweep(&directory);
        Ok(Self { directory, file_name: file_name.into() })
    }

    /// The final path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.file_name)
    }

    pub(crate) fn temporary_file(&self) -> Result<NamedTempFile, ArchiveError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // The usual mode of a new file; the process's umask narrows it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let error = |source| ArchiveError::Io { action: "creating a file in", path: self.directory.clone(), source };
        let file = builder.tempfile_in(&self.directory).map_err(error)?;
        // A file system without locks leaves leftovers to their owner; nothing else depends on the lock.
        let _ = file.as_file().try_lock();
        Ok(file)
    }

    /// A new directory beside the final place, under a temporary name.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn temporary_directory(&self) -> Result<Staged, ArchiveError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let error =
            |source| ArchiveError::Io { action: "creating a directory in", path: self.directory.clone(), source };
        let directory = builder.tempdir_in(&self.directory).map_err(error)?;
        let lock = File::open(directory.path()).ok().filter(|handle| handle.try_lock().is_ok());
        Ok(Staged { directory, _lock: lock })
    }
}

/// A directory being filled under a temporary name; dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    directory: TempDir,
    _lock: Option<File>,
}

impl Staged {
    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Gives it its final name, which must be free or an empty directory.
    ///
    /// # Errors
    /// The directory under its temporary name, and why it could not be renamed.
    pub fn rename(self, to: &Path) -> Result<(), (Self, io::Error)> {
        #[cfg(windows)]
        let _ = fs::remove_dir(to);
        match fs::rename(self.path(), to) {
            Ok(()) => {
                let _moved = self.directory.keep();
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }
}

/// A complete package under a temporary name, with the name it is to have.
#[derive(Debug)]
pub(crate) enum Sealable {
    File(NamedTempFile, Target),
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
                file.as_file().sync_all().map_err(ArchiveError::io("flushing", file.path()))?;
                file.persist(&path).map_err(|error| ArchiveError::io("renaming to", &path)(error.error))?;
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
    let target = Target { directory: directory.to_owned(), file_name: String::new() };
    let mut file = target.temporary_file()?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(ArchiveError::io("writing", path))?;
    file.persist(path).map_err(|error| ArchiveError::io("renaming to", path)(error.error))?;
    sync_directory(directory)
}

/// Flushes a directory's entries, so that a rename in it outlives a power cut.
///
/// # Errors
/// I/O; never on systems that cannot flush a directory.
pub fn sync_directory(path: &Path) -> Result<(), ArchiveError> {
    if cfg!(unix) {
        File::open(path).and_then(|handle| handle.sync_all()).map_err(ArchiveError::io("flushing directory", path))?;
    }
    Ok(())
}

/// Removes temporary files and directories in `directory` whose writers are gone.
fn sweep(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let handle =
            if is_directory { File::open(&path) } else { OpenOptions::new().read(true).write(true).open(&path) };
        if handle.is_ok_and(|handle| handle.try_lock().is_ok()) {
            // Nothing depends on the removal; what cannot be removed is tried again by the next run.
            let _ = if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
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
