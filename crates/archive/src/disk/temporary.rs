//! Files and directories under temporary names.
//!
//! The names begin with `.pdp-` and end in `.partial`. Each is locked by the process that writes it, so that a later run
//! can tell those of a dead process and remove them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempDir};

use super::fault::{self, Call};

const PREFIX: &str = ".pdp-";
const SUFFIX: &str = ".partial";

/// A file being written under a temporary name; dropping it removes it.
#[derive(Debug)]
pub struct TemporaryFile(NamedTempFile);

impl TemporaryFile {
    /// A new file in `directory`.
    ///
    /// # Errors
    /// I/O.
    pub fn create(directory: &Path) -> io::Result<Self> {
        fault::at(Call::Create)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        // The usual mode of a new file; the process's umask narrows it.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(directory)?;
        // A file system without locks leaves leftovers to their owner; nothing else depends on the lock.
        let _ = file.as_file().try_lock();
        Ok(Self(file))
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The file itself, for reading it back.
    #[must_use]
    pub fn as_file(&self) -> &File {
        self.0.as_file()
    }

    /// Flushes it to the disk.
    ///
    /// # Errors
    /// I/O.
    pub fn sync(&self) -> io::Result<()> {
        fault::at(Call::Sync)?;
        self.0.as_file().sync_all()
    }

    /// Gives it its final name, replacing what had it.
    ///
    /// # Errors
    /// I/O; the file is then removed.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        fault::at(Call::Rename)?;
        self.0.persist(path).map(|_| ()).map_err(|error| error.error)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = fault::write(bytes.len())?;
        self.0.write(bytes.get(..most).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for TemporaryFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// A directory being filled under a temporary name; dropping it removes it.
#[derive(Debug)]
pub struct Staged {
    directory: TempDir,
    _lock: Option<File>,
}

impl Staged {
    /// A new directory in `directory`.
    ///
    /// # Errors
    /// I/O.
    pub fn create(directory: &Path) -> io::Result<Self> {
        fault::at(Call::MakeDirectory)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).suffix(SUFFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let directory = builder.tempdir_in(directory)?;
        let lock = File::open(directory.path()).ok().filter(|handle| handle.try_lock().is_ok());
        Ok(Self { directory, _lock: lock })
    }

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
        match super::rename(self.path(), to) {
            Ok(()) => {
                let _moved = self.directory.keep();
                Ok(())
            }
            Err(error) => Err((self, error)),
        }
    }
}

/// Removes temporary files and directories in `directory` whose writers are gone.
pub fn sweep(directory: &Path) {
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
            let _ = if is_directory { super::remove_tree(&path) } else { super::remove_file(&path) };
        }
    }
}
