//! Every way in which this workspace changes a disk.
//!
//! Packages are written and imported through these functions and no others. That gives two things: directories are
//! walked by handle, so that no link leads out of a destination, and each call is a place where a test can make the disk
//! fail or the process die ([`fault`]).

mod directory;
pub mod fault;
mod temporary;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub use directory::{Directory, Kind};
pub use temporary::{Staged, TemporaryFile, sweep};

use self::fault::Call;

/// A file being written.
#[derive(Debug)]
pub struct OutFile(File);

impl OutFile {
    pub(crate) const fn new(file: File) -> Self {
        Self(file)
    }

    /// Flushes the file to the disk.
    ///
    /// # Errors
    /// I/O; the file's content is then unknown, and calling this again does not make it known.
    pub fn sync(&self) -> io::Result<()> {
        fault::at(Call::Sync)?;
        self.0.sync_all()
    }
}

impl OutFile {
    /// The file itself, for reading it and for asking about it.
    #[must_use]
    pub const fn as_file(&self) -> &File {
        &self.0
    }

    /// Makes the file end behind its first `len` bytes.
    ///
    /// # Errors
    /// I/O.
    pub fn truncate(&self, len: u64) -> io::Result<()> {
        fault::at(Call::Write)?;
        self.0.set_len(len)
    }

    /// Locks the file against whoever else asks for a lock, until this value is dropped; false where another has it.
    ///
    /// # Errors
    /// I/O.
    pub fn try_lock(&self) -> io::Result<bool> {
        match self.0.try_lock() {
            Ok(()) => Ok(true),
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    /// Asks the system to begin writing the file out, so that less is left for a later flush of everything; a hint, whose
    /// failure changes nothing.
    pub fn begin_flush(&self) {
        #[cfg(target_os = "linux")]
        let _ = rustix::fs::fadvise(&self.0, 0, None, rustix::fs::Advice::DontNeed);
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let most = fault::write(bytes.len())?;
        self.0.write(bytes.get(..most).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a regular file for reading. Unless `follow_links`, one that is reached through a symbolic link of its own name is
/// refused; nothing is waited for, whatever the name stands for.
///
/// # Errors
/// I/O; a link that is not followed, or no regular file.
pub fn open_file(path: &Path, follow_links: bool) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let mut flags = OFlags::NONBLOCK;
        flags.set(OFlags::NOFOLLOW, !follow_links);
        let bits = i32::try_from(flags.bits()).map_err(io::Error::other)?;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, bits);
    }
    #[cfg(not(unix))]
    if !follow_links && fs::symlink_metadata(path)?.is_symlink() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a symbolic link, which is not followed"));
    }
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Creates a directory and those above it, where they do not exist.
///
/// # Errors
/// I/O.
pub fn create_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fault::at(Call::MakeDirectory)?;
    fs::create_dir_all(path)
}

/// Renames a file or directory.
///
/// # Errors
/// I/O.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::at(Call::Rename)?;
    fs::rename(from, to)
}

/// Removes a directory and everything below it; links are removed, not followed.
///
/// # Errors
/// I/O.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    fault::at(Call::Remove)?;
    fs::remove_dir_all(path)
}

/// Removes a file.
///
/// # Errors
/// I/O.
pub fn remove_file(path: &Path) -> io::Result<()> {
    fault::at(Call::Remove)?;
    fs::remove_file(path)
}

/// Flushes a directory's entries, so that a rename in it outlives a power cut.
///
/// # Errors
/// I/O; never on systems that cannot flush a directory.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    fault::at(Call::Sync)?;
    if cfg!(unix) {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}
