//! Packages that are open, so that whatever becomes of their names they are still the same.

use std::fs::File;
use std::path::PathBuf;

use pdp_archive::disk::{Directory, Kind as EntryKind};

use super::streams::Place;
use crate::State;
use crate::problem::{Problem, logged_as};
use crate::roots::{FileName, no_such_package};

/// A package, open.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) name: FileName,
    /// Where the packager reads it.
    pub(super) path: PathBuf,
    _open: Open,
    _place: Place,
}

#[derive(Debug)]
enum Open {
    File { _file: File },
    Directory { _directory: Directory },
}

impl Opened {
    /// Opens the package that a request means, an archive or a folder, where no link is followed.
    ///
    /// # Errors
    /// There is none of this name, or too many are open.
    pub(super) fn find(state: &State, text: &str) -> Result<Self, Problem> {
        let place = state.streams().enter()?;
        let roots = state.roots();
        let name = roots.name(text)?;
        let refuse = |_| no_such_package();
        let directory = roots.packages();
        let path = roots.path_of(&name);
        match directory.kind(name.as_str()).map_err(refuse)? {
            Some(EntryKind::File(_)) => {
                let file = directory.read(name.as_str()).map_err(refuse)?;
                Ok(Self {
                    path: by_handle(&file).unwrap_or(path),
                    name,
                    _open: Open::File { _file: file },
                    _place: place,
                })
            }
            Some(EntryKind::Directory) => {
                let package = directory.descend(name.as_str()).map_err(refuse)?;
                let path = package.path_by_handle().unwrap_or(path);
                Ok(Self { path, name, _open: Open::Directory { _directory: package }, _place: place })
            }
            _ => Err(no_such_package()),
        }
    }

    /// What went wrong with it, as it may be shown.
    pub(super) fn problem(&self, state: &State, error: &pdp_packager::PackagerError) -> Problem {
        let (path, name) = (self.path.to_string_lossy(), self.name.as_str());
        logged_as(state.roots(), error, |text| text.replace(path.as_ref(), name))
    }
}

/// A path that leads to this very file, as long as it is open; none where the system has no such paths.
pub(super) fn by_handle(file: &File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd as _;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        Some(path).filter(|path| path.exists())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        None
    }
}
