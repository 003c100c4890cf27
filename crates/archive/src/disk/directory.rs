//! Directories by handle: nothing below one is reached through a link.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use pdp_manifest::PackagePath;

use super::OutFile;
use super::fault::{self, Call};

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file of this size.
    File(u64),
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// Anything else.
    Other,
}

/// An open directory.
///
/// Names are looked up in it one at a time and links are never followed, so whatever happens to the names above or
/// below it meanwhile, nothing outside it is touched.
#[derive(Debug)]
pub struct Directory(imp::Handle);

impl Directory {
    /// Opens the directory at `path`; links in `path` itself are followed, for they are the caller's own.
    ///
    /// # Errors
    /// I/O.
    pub fn open(path: &Path) -> io::Result<Self> {
        imp::Handle::open(path).map(Self)
    }

    /// Opens a directory in this one.
    ///
    /// # Errors
    /// I/O; a link or a file of that name.
    pub fn descend(&self, name: &str) -> io::Result<Self> {
        self.0.descend(name).map(Self)
    }

    /// Opens a directory in this one, which is made where it does not exist.
    ///
    /// # Errors
    /// I/O; a link or a file of that name.
    pub fn make(&self, name: &str) -> io::Result<Self> {
        match self.descend(name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => return other,
        }
        fault::at(Call::MakeDirectory)?;
        match self.0.make(name) {
            // Another thread was first.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.descend(name)
    }

    /// Creates a new file in this directory.
    ///
    /// # Errors
    /// I/O; anything of that name.
    pub fn create(&self, name: &str) -> io::Result<OutFile> {
        fault::at(Call::Create)?;
        self.0.create(name).map(OutFile::new)
    }

    /// Opens a regular file in this directory for reading it and writing behind its end.
    ///
    /// # Errors
    /// I/O; a link or anything else that is no regular file.
    pub fn extend(&self, name: &str) -> io::Result<OutFile> {
        let file = self.0.extend(name)?;
        match file.metadata()?.is_file() {
            true => Ok(OutFile::new(file)),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }

    /// Opens a regular file in this directory for reading.
    ///
    /// # Errors
    /// I/O; a link or anything else that is no regular file.
    pub fn read(&self, name: &str) -> io::Result<File> {
        let file = self.0.read(name)?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
        }
    }

    /// What `name` stands for; none where there is nothing.
    ///
    /// # Errors
    /// I/O.
    pub fn kind(&self, name: &str) -> io::Result<Option<Kind>> {
        match self.0.kind(name) {
            Ok(kind) => Ok(Some(kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Moves `name` to `other`, where it replaces a file of that name.
    ///
    /// # Errors
    /// I/O.
    pub fn rename(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
        fault::at(Call::Rename)?;
        self.0.rename(name, &other.0, new_name)
    }

    /// Moves `name` to `other`, where nothing may have the new name: that nothing has it and that it is given away is one
    /// step.
    ///
    /// # Errors
    /// I/O; [`io::ErrorKind::AlreadyExists`] where anything has the name.
    pub fn rename_new(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
        fault::at(Call::Rename)?;
        self.0.rename_new(name, &other.0, new_name)
    }

    /// Removes a file.
    ///
    /// # Errors
    /// I/O.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        fault::at(Call::Remove)?;
        self.0.remove(name)
    }

    /// Flushes the directory's entries.
    ///
    /// # Errors
    /// I/O; never on systems that cannot flush a directory.
    pub fn sync(&self) -> io::Result<()> {
        fault::at(Call::Sync)?;
        self.0.sync()
    }

    /// Flushes everything below the directory, and whatever else its file system has not written yet; false where the
    /// system has no such call.
    ///
    /// # Errors
    /// I/O.
    pub fn sync_all_below(&self) -> io::Result<bool> {
        fault::at(Call::Sync)?;
        self.0.sync_all_below()
    }

    /// A path that leads to this very directory, whatever becomes of its name, as long as this value lives; none where the
    /// system has no such paths.
    #[must_use]
    pub fn path_by_handle(&self) -> Option<PathBuf> {
        self.0.path_by_handle().filter(|path| path.is_dir())
    }

    /// The directory that holds `path`, with the directories between made where `make` says so, and the last name.
    /// None where a directory is missing and was not to be made.
    ///
    /// # Errors
    /// I/O; a link or file where a directory should be.
    pub fn parent_of<'p>(&self, path: &'p PackagePath, make: bool) -> io::Result<Option<(Self, &'p str)>> {
        let text = path.as_str();
        let (directories, name) = text.rsplit_once('/').unwrap_or(("", text));
        let mut here = Self(self.0.again()?);
        for part in directories.split('/').filter(|part| !part.is_empty()) {
            here = match make {
                true => here.make(part)?,
                false => match here.descend(part) {
                    Ok(next) => next,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error),
                },
            };
        }
        Ok(Some((here, name)))
    }
}

#[cfg(unix)]
mod imp {
    use std::fs::File;
    use std::io;
    use std::os::fd::{AsRawFd as _, OwnedFd};
    use std::path::{Path, PathBuf};

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, renameat, statat};

    use super::Kind;

    #[derive(Debug)]
    pub(super) struct Handle(OwnedFd);

    const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

    impl Handle {
        pub(super) fn open(path: &Path) -> io::Result<Self> {
            Ok(Self(openat(CWD, path, DIRECTORY, Mode::empty())?))
        }

        pub(super) fn again(&self) -> io::Result<Self> {
            Ok(Self(self.0.try_clone()?))
        }

        #[cfg(target_os = "linux")]
        pub(super) fn path_by_handle(&self) -> Option<PathBuf> {
            Some(format!("/proc/self/fd/{}", self.0.as_raw_fd()).into())
        }

        #[cfg(not(target_os = "linux"))]
        pub(super) fn path_by_handle(&self) -> Option<PathBuf> {
            None
        }

        pub(super) fn descend(&self, name: &str) -> io::Result<Self> {
            match openat(&self.0, name, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(handle) => Ok(Self(handle)),
                // A link is told from a file, for whoever reads the message.
                Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                    let why = match self.kind(name) {
                        Ok(Kind::Link) => "is a symbolic link, which is not followed",
                        _ => "is a file where a directory should be",
                    };
                    Err(io::Error::new(io::ErrorKind::NotADirectory, format!("\"{name}\" {why}")))
                }
                Err(error) => Err(error.into()),
            }
        }

        pub(super) fn make(&self, name: &str) -> io::Result<()> {
            Ok(mkdirat(&self.0, name, Mode::from_raw_mode(0o755))?)
        }

        pub(super) fn create(&self, name: &str) -> io::Result<File> {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(openat(&self.0, name, flags, Mode::from_raw_mode(0o644))?.into())
        }

        pub(super) fn extend(&self, name: &str) -> io::Result<File> {
            let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(openat(&self.0, name, flags, Mode::empty())?.into())
        }

        pub(super) fn read(&self, name: &str) -> io::Result<File> {
            // A FIFO must not keep us waiting for its writer.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(openat(&self.0, name, flags, Mode::empty())?.into())
        }

        pub(super) fn kind(&self, name: &str) -> io::Result<Kind> {
            let stat = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
            Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File(u64::try_from(stat.st_size).unwrap_or(0)),
                FileType::Directory => Kind::Directory,
                FileType::Symlink => Kind::Link,
                _ => Kind::Other,
            })
        }

        pub(super) fn rename(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            Ok(renameat(&self.0, name, &other.0, new_name)?)
        }

        #[cfg(any(target_os = "linux", target_os = "macos"))]
        pub(super) fn rename_new(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            use rustix::fs::{RenameFlags, renameat_with};
            use rustix::io::Errno;
            match renameat_with(&self.0, name, &other.0, new_name, RenameFlags::NOREPLACE) {
                // A file system that does not know the flag.
                Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => self.link_new(name, other, new_name),
                outcome => Ok(outcome?),
            }
        }

        #[cfg(not(any(target_os = "linux", target_os = "macos")))]
        pub(super) fn rename_new(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            self.link_new(name, other, new_name)
        }

        /// A second name is only given where there is none; then the first one goes.
        fn link_new(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            rustix::fs::linkat(&self.0, name, &other.0, new_name, AtFlags::empty())?;
            self.remove(name)
        }

        pub(super) fn remove(&self, name: &str) -> io::Result<()> {
            Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(rustix::fs::fsync(&self.0)?)
        }

        #[cfg(target_os = "linux")]
        pub(super) fn sync_all_below(&self) -> io::Result<bool> {
            rustix::fs::syncfs(&self.0)?;
            Ok(true)
        }

        #[cfg(not(target_os = "linux"))]
        pub(super) fn sync_all_below(&self) -> io::Result<bool> {
            Ok(false)
        }
    }
}

/// Where there are no directory handles, paths do: every component is looked at before it is used.
#[cfg(not(unix))]
mod imp {
    use std::fs::{self, File};
    use std::io;
    use std::path::{Path, PathBuf};

    use super::Kind;

    #[derive(Debug)]
    pub(super) struct Handle(PathBuf);

    impl Handle {
        pub(super) fn open(path: &Path) -> io::Result<Self> {
            match fs::metadata(path)?.is_dir() {
                true => Ok(Self(path.to_owned())),
                false => Err(io::ErrorKind::NotADirectory.into()),
            }
        }

        pub(super) fn again(&self) -> io::Result<Self> {
            Ok(Self(self.0.clone()))
        }

        pub(super) fn path_by_handle(&self) -> Option<PathBuf> {
            None
        }

        pub(super) fn descend(&self, name: &str) -> io::Result<Self> {
            match self.kind(name)? {
                Kind::Directory => Ok(Self(self.0.join(name))),
                _ => {
                    let reason = format!("\"{name}\" is a file or link where a directory should be");
                    Err(io::Error::new(io::ErrorKind::NotADirectory, reason))
                }
            }
        }

        pub(super) fn make(&self, name: &str) -> io::Result<()> {
            fs::create_dir(self.0.join(name))
        }

        pub(super) fn create(&self, name: &str) -> io::Result<File> {
            File::create_new(self.0.join(name))
        }

        pub(super) fn extend(&self, name: &str) -> io::Result<File> {
            match self.kind(name)? {
                Kind::File(_) => File::options().read(true).append(true).open(self.0.join(name)),
                _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
            }
        }

        pub(super) fn read(&self, name: &str) -> io::Result<File> {
            match self.kind(name)? {
                Kind::File(_) => File::open(self.0.join(name)),
                _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
            }
        }

        pub(super) fn kind(&self, name: &str) -> io::Result<Kind> {
            let metadata = fs::symlink_metadata(self.0.join(name))?;
            Ok(match () {
                () if metadata.is_symlink() => Kind::Link,
                () if metadata.is_dir() => Kind::Directory,
                () if metadata.is_file() => Kind::File(metadata.len()),
                () => Kind::Other,
            })
        }

        pub(super) fn rename(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            fs::rename(self.0.join(name), other.0.join(new_name))
        }

        pub(super) fn rename_new(&self, name: &str, other: &Self, new_name: &str) -> io::Result<()> {
            fs::hard_link(self.0.join(name), other.0.join(new_name))?;
            self.remove(name)
        }

        pub(super) fn remove(&self, name: &str) -> io::Result<()> {
            fs::remove_file(self.0.join(name))
        }

        pub(super) fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        pub(super) fn sync_all_below(&self) -> io::Result<bool> {
            Ok(false)
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn t022_no_link_is_followed() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        symlink(outside.path(), home.path().join("link")).unwrap();
        std::fs::write(home.path().join("file"), "x").unwrap();
        symlink("file", home.path().join("to-file")).unwrap();
        let here = Directory::open(home.path()).unwrap();
        for name in ["link", "to-file", "file"] {
            assert!(here.descend(name).is_err(), "{name}");
            assert!(here.make(name).is_err(), "{name}");
            assert!(here.create(name).is_err(), "{name}");
        }
        assert!(here.read("to-file").is_err() && here.read("link").is_err() && here.read("file").is_ok());
        assert!(here.parent_of(&"link/x".parse().unwrap(), true).is_err());
        assert_eq!(here.kind("link").unwrap(), Some(Kind::Link));
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_name_is_given_to_one_only() {
        let home = tempfile::tempdir().unwrap();
        let here = Directory::open(home.path()).unwrap();
        for name in ["one", "other"] {
            here.create(name).unwrap().write_all(name.as_bytes()).unwrap();
        }
        symlink("nowhere", home.path().join("dangling")).unwrap();
        for taken in ["other", "dangling"] {
            assert_eq!(here.rename_new("one", &here, taken).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        }
        here.rename_new("one", &here, "new").unwrap();
        assert_eq!(std::fs::read(home.path().join("new")).unwrap(), b"one");
        assert!(!home.path().join("one").exists());
    }

    #[test]
    fn a_file_that_is_extended_keeps_what_it_has_and_can_be_cut() {
        let home = tempfile::tempdir().unwrap();
        let here = Directory::open(home.path()).unwrap();
        here.create("file").unwrap().write_all(b"one").unwrap();
        let mut file = here.extend("file").unwrap();
        assert!(file.try_lock().unwrap() && !here.extend("file").unwrap().try_lock().unwrap());
        file.write_all(b"two").unwrap();
        assert_eq!(std::fs::read(home.path().join("file")).unwrap(), b"onetwo");
        file.truncate(2).unwrap();
        file.write_all(b"!").unwrap();
        assert_eq!(std::fs::read(home.path().join("file")).unwrap(), b"on!");
        symlink("file", home.path().join("link")).unwrap();
        assert!(here.extend("link").is_err() && here.extend("none").is_err());
    }

    #[test]
    fn a_handle_stays_where_it_was_opened() {
        let home = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let here = Directory::open(home.path()).unwrap();
        let (inner, name) = here
            .parent_of(&"a/b/file".parse::<PackagePath>().unwrap(), true)
            .unwrap()
            .map(|(d, n)| (d, n.to_owned()))
            .unwrap();
        std::fs::rename(home.path().join("a"), home.path().join("moved")).unwrap();
        symlink(outside.path(), home.path().join("a")).unwrap();
        inner.create(&name).unwrap().write_all(b"here").unwrap();
        let mut text = String::new();
        inner.read(&name).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "here");
        assert!(home.path().join("moved/b/file").is_file());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }
}
