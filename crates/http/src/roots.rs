//! The two directories that a server speaks of, and how names reach into them.
//!
//! A name from outside never becomes a path by being joined and compared. It is parsed into components that are plain
//! names, and those are looked up one at a time in a directory that is open already, where no link is followed. An absolute
//! path is only understood when it begins with a root; what follows is then such a name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdp_archive::disk::{Directory, Kind as EntryKind};
use pdp_packager::manifest::PackagePath;

use crate::problem::{Kind, Problem};

/// The name of a package in the directory of packages: one component, portable, not hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// Takes `text` as a name; none where it is no plain name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path: PackagePath = text.parse().ok()?;
        let plain = path.components().count() == 1 && !text.starts_with('.');
        plain.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A package that is there: a regular file or a directory, no link.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name.
    pub name: FileName,
    /// Where it lies, for the packager.
    pub path: PathBuf,
    /// What it is.
    pub kind: EntryKind,
}

/// A place below the data root.
#[derive(Debug)]
pub struct Place {
    /// For the packager; good as long as this value lives.
    pub path: PathBuf,
    /// As it may be shown, below the data root; `.` for the root itself.
    pub shown: String,
    /// Keeps the directory open that `path` goes through.
    _home: Option<Directory>,
    /// The directories that were made for it, the innermost first.
    made: Vec<PathBuf>,
}

impl Place {
    /// Takes away again what was made for it, as far as it is empty.
    pub fn leave(&self) {
        for directory in &self.made {
            if fs::remove_dir(directory).is_err() {
                return;
            }
        }
    }
}

/// One directory.
#[derive(Debug)]
struct Root {
    /// As it was given, made absolute.
    given: PathBuf,
    /// Without links.
    canonical: PathBuf,
    handle: Directory,
}

impl Root {
    fn open(path: &Path, make: bool) -> io::Result<Self> {
        if make && !path.exists() {
            fs::create_dir_all(path)?;
            tracing::info!(directory = %path.display(), "made, for it was not there");
        }
        let canonical = path.canonicalize()?;
        let handle = Directory::open(&canonical)?;
        Ok(Self { given: std::path::absolute(path)?, canonical, handle })
    }

    /// What `text` names below this root, as one relative path; an empty one for the root itself.
    fn relative<'t>(&self, text: &'t str) -> Option<&'t str> {
        if !Path::new(text).is_absolute() {
            return Some(text);
        }
        [&self.given, &self.canonical].into_iter().find_map(|root| {
            let rest = text.strip_prefix(root.to_str()?)?;
            if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
        })
    }
}

/// The directories of a server.
#[derive(Debug, Clone)]
pub struct Roots(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    packages: Root,
    data: Root,
}

impl Roots {
    /// Opens both directories; makes them where they do not exist and `make` says so.
    ///
    /// # Errors
    /// I/O, with the path.
    pub fn open(packages: &Path, data: &Path, make: bool) -> io::Result<Self> {
        let open = |path: &Path, what: &str| {
            let named = |error: io::Error| io::Error::new(error.kind(), format!("{what} {}: {error}", path.display()));
            Root::open(path, make).map_err(named)
        };
        Ok(Self(Arc::new(Inner { packages: open(packages, "packages")?, data: open(data, "data root")? })))
    }

    /// The directory of packages, by handle.
    #[must_use]
    pub fn packages(&self) -> &Directory {
        &self.0.packages.handle
    }

    /// The directory of packages, for the packager.
    #[must_use]
    pub fn packages_path(&self) -> &Path {
        &self.0.packages.canonical
    }

    /// The data root, for the packager.
    #[must_use]
    pub fn data_path(&self) -> &Path {
        &self.0.data.canonical
    }

    /// Where the package of this name lies or would lie.
    #[must_use]
    pub fn path_of(&self, name: &FileName) -> PathBuf {
        self.0.packages.canonical.join(name.as_str())
    }

    /// The name that a request means: a plain name, or an absolute path to one in the directory of packages.
    ///
    /// # Errors
    /// The same problem for every text that names no package, whatever the reason.
    pub fn name(&self, text: &str) -> Result<FileName, Problem> {
        self.0.packages.relative(text).and_then(FileName::parse).ok_or_else(no_such_package)
    }

    /// The package that a request means, when it is there and is a file or a directory.
    ///
    /// # Errors
    /// As for [`Self::name`].
    pub fn find(&self, text: &str) -> Result<Found, Problem> {
        let name = self.name(text)?;
        match self.packages().kind(name.as_str()) {
            Ok(Some(kind @ (EntryKind::File(_) | EntryKind::Directory))) => {
                Ok(Found { path: self.path_of(&name), name, kind })
            }
            _ => Err(no_such_package()),
        }
    }

    /// Opens the package's file for reading.
    ///
    /// # Errors
    /// As for [`Self::name`]; also for a package that is a directory.
    pub fn read(&self, text: &str) -> Result<(FileName, File), Problem> {
        let name = self.name(text)?;
        let file = self.packages().read(name.as_str()).map_err(|_| no_such_package())?;
        Ok((name, file))
    }

    /// The place below the data root that a request means: the root itself when it names none. Directories on the way are made.
    ///
    /// # Errors
    /// It lies outside, leads through a link, or cannot be made; the same problem for all.
    pub fn place(&self, text: Option<&str>) -> Result<Place, Problem> {
        let data = &self.0.data;
        let Some(path) = self.place_name(text)? else {
            return Ok(Place { path: data.canonical.clone(), shown: ".".to_owned(), _home: None, made: Vec::new() });
        };
        let made = self.missing(&path);
        let (parent, last) = data.handle.parent_of(&path, true).ok().flatten().ok_or_else(no_such_place)?;
        let home = parent.make(last).map_err(|_| no_such_place())?;
        let at = home.path_by_handle().unwrap_or_else(|| data.canonical.join(path.as_str()));
        Ok(Place { path: at, shown: path.to_string(), _home: Some(home), made })
    }

    /// The directories on the way to `path`, itself among them, that are not there; the innermost first.
    fn missing(&self, path: &PackagePath) -> Vec<PathBuf> {
        let whole = path.as_str();
        let ends = whole.match_indices('/').map(|(at, _)| at).chain([whole.len()]);
        let ways = ends.filter_map(|end| whole.get(..end));
        let mut missing: Vec<PathBuf> = ways
            .map(|way| self.0.data.canonical.join(way))
            .filter(|way| fs::symlink_metadata(way).is_err_and(|error| error.kind() == io::ErrorKind::NotFound))
            .collect();
        missing.reverse();
        missing
    }

    /// Whether [`Self::place`] could be given this text, as far as can be told before anything is made.
    ///
    /// # Errors
    /// As for [`Self::place`].
    pub fn check_place(&self, text: Option<&str>) -> Result<(), Problem> {
        let Some(path) = self.place_name(text)? else { return Ok(()) };
        let parent = self.0.data.handle.parent_of(&path, false).map_err(|_| no_such_place())?;
        // Where a directory on the way is missing, it can be made.
        let Some((parent, last)) = parent else { return Ok(()) };
        match parent.kind(last) {
            Ok(None | Some(EntryKind::Directory)) => Ok(()),
            _ => Err(no_such_place()),
        }
    }

    /// The path below the data root that a text means; none for the root itself.
    fn place_name(&self, text: Option<&str>) -> Result<Option<PackagePath>, Problem> {
        let below = self.0.data.relative(text.unwrap_or("")).ok_or_else(no_such_place)?.trim_end_matches('/');
        if below.is_empty() || below == "." {
            return Ok(None);
        }
        let path: PackagePath = below.parse().map_err(|_| no_such_place())?;
        let hidden = path.components().any(|part| part.starts_with('.'));
        if hidden { Err(no_such_place()) } else { Ok(Some(path)) }
    }

    /// A text in which no path of the host is left: the roots are taken off, and what is below them stays.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        let mut out = text.to_owned();
        for (root, word) in [(&self.0.packages, "packages"), (&self.0.data, "data root")] {
            for path in [&root.canonical, &root.given] {
                let Some(path) = path.to_str().filter(|path| path.len() > 1) else { continue };
                out = replace_path(&out, path, word);
            }
        }
        while let Some((before, after)) = out.split_once("/proc/self/fd/") {
            let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
            out = format!("{before}{}", rest.strip_prefix('/').unwrap_or(rest));
        }
        out
    }
}

/// Takes `path` off where it stands as a whole: with a slash behind it nothing is left of it, alone it becomes `word`.
fn replace_path(text: &str, path: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(path) {
        out.push_str(before);
        rest = match after.strip_prefix('/') {
            Some(below) => below,
            None if after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')) => {
                out.push_str(path);
                after
            }
            None => {
                out.push_str(word);
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// What every request for a package that is not there is told.
pub(crate) fn no_such_package() -> Problem {
    Problem::new(Kind::NotFound, "there is no package of this name")
}

/// What every request for a place that is none is told.
fn no_such_place() -> Problem {
    Problem::new(Kind::NotFound, "no such place below the data root")
}
