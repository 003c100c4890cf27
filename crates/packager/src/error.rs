//! What can go wrong with an operation on packages.

use std::io;
use std::path::{Path, PathBuf};

use pdp_archive::ArchiveError;
use pdp_manifest::json::ManifestError;
use thiserror::Error;

/// An error of creating, validating, listing or importing a package.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackagerError {
    /// No file matches what was asked for.
    #[error("No data files found matching the specified criteria: {looked_for}; {found}")]
    NoData {
        /// Where and for what was looked.
        looked_for: String,
        /// What is there instead.
        found: String,
    },
    /// A directory or package that should be there is not.
    #[error("{what} not found: {path}", path = .path.display())]
    NotFound {
        /// What it should have been.
        what: &'static str,
        /// Where.
        path: PathBuf,
    },
    /// An option's value cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A data file could not be read.
    #[error("data file {path} cannot be packed: {source}", path = .path.display())]
    Unreadable {
        /// The file, below the data root.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A package that was made without a quality report.
    #[error("{package}: there is no metadata/quality_report.json in it", package = .package.display())]
    NoQualityReport {
        /// The package.
        package: PathBuf,
    },
    /// The container is damaged, unsafe or not supported; or a file operation on it failed.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A package is damaged, unsafe or not supported.
    #[error("{package}: {source}", package = .package.display())]
    Damaged {
        /// The package.
        package: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// A text of the package could not be written, which is a fault of this program.
    #[error(transparent)]
    Texts(#[from] pdp_generate::GenerateError),
    /// The manifest is missing or cannot be used.
    #[error("{package}: {source}", package = .package.display())]
    Manifest {
        /// The package.
        package: PathBuf,
        /// The cause.
        source: ManifestError,
    },
    /// The package was read and is not what it claims to be.
    #[error("{summary}{}", .findings.iter().map(|finding| format!("\n  {finding}")).collect::<String>())]
    Invalid {
        /// What was wrong in one line.
        summary: String,
        /// Each finding: member, expected, actual.
        findings: Vec<String>,
    },
    /// Files of the destination stand against the import.
    #[error("{summary}{}", .findings.iter().map(|finding| format!("\n  {finding}")).collect::<String>())]
    Conflicts {
        /// What was found in one line.
        summary: String,
        /// Each file.
        findings: Vec<String>,
    },
    /// There is not enough room for the import.
    #[error("not enough space in {path}: {needed} bytes are needed, {available} are free", path = .path.display())]
    NoSpace {
        /// The destination.
        path: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes free.
        available: u64,
    },
    /// Another process works on the same destination.
    #[error("{path} is locked by another import", path = .path.display())]
    Locked {
        /// The destination.
        path: PathBuf,
    },
    /// A file operation failed.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The caller asked to stop; nothing was left behind.
    #[error("interrupted; nothing was left behind")]
    Cancelled,
}

/// The kinds of failure that a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operation failed for reasons of the machine.
    Failed,
    /// What was asked for makes no sense.
    Usage,
    /// The package or file is invalid, damaged or unsafe.
    Invalid,
    /// What was named does not exist.
    NotFound,
    /// The caller asked to stop.
    Interrupted,
}

impl PackagerError {
    /// What kind of failure this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoData { .. } | Self::NotFound { .. } | Self::NoQualityReport { .. } => ErrorKind::NotFound,
            Self::Usage(_) => ErrorKind::Usage,
            Self::Manifest { .. } | Self::Invalid { .. } | Self::Damaged { .. } => ErrorKind::Invalid,
            Self::Archive(error) if error.is_not_found() => ErrorKind::NotFound,
            Self::Archive(error) if error.is_invalid_container() => ErrorKind::Invalid,
            Self::Cancelled => ErrorKind::Interrupted,
            Self::Archive(_)
            | Self::Texts(_)
            | Self::Unreadable { .. }
            | Self::Conflicts { .. }
            | Self::NoSpace { .. }
            | Self::Locked { .. }
            | Self::Io { .. } => ErrorKind::Failed,
        }
    }

    /// The error of a package at `package`, which says so where it does not already.
    pub(crate) fn in_package(package: &Path) -> impl FnOnce(ArchiveError) -> Self {
        let package = package.to_owned();
        move |source| match source {
            ArchiveError::NotAContainer { .. } => Self::Archive(source),
            source if source.is_invalid_container() => Self::Damaged { package, source },
            source => Self::Archive(source),
        }
    }

    /// A [`PackagerError::Io`] maker, for `map_err`.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
