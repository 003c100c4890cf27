//! What can go wrong with a container.

use std::io;
use std::path::PathBuf;

use pdp_manifest::{PackagePath, PathError};
use thiserror::Error;

/// An error of reading or writing a container.
///
/// Kept apart: not a container at all, damaged or ambiguous, sound but not supported, refused by a limit, and I/O.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The file is no container this library knows.
    #[error("{path}: not a package: {reason}", path = .path.display())]
    NotAContainer {
        /// The file.
        path: PathBuf,
        /// What was expected and found.
        reason: String,
    },
    /// The container's structure is damaged, or two readers could understand it differently.
    #[error("damaged or ambiguous archive, byte {offset}: {reason}")]
    Structure {
        /// Position in the archive.
        offset: u64,
        /// What was expected and found.
        reason: String,
    },
    /// A member is damaged.
    #[error("member \"{member}\": {reason}")]
    Member {
        /// The member.
        member: String,
        /// What was expected and found.
        reason: String,
    },
    /// A member's name is unsafe or not portable.
    #[error(transparent)]
    Name(#[from] PathError),
    /// Two members would be one file, or one a directory of the other, on some system.
    #[error("members \"{first}\" and \"{second}\" collide: {reason}")]
    Collision {
        /// One name.
        first: String,
        /// The other.
        second: String,
        /// Why both cannot exist.
        reason: &'static str,
    },
    /// A sound container that uses something this library does not read.
    #[error("member \"{member}\": {feature} is not supported")]
    Unsupported {
        /// The member.
        member: String,
        /// What it uses.
        feature: String,
    },
    /// A limit was reached.
    #[error("archive refused: {what} is {actual}, the limit is {limit}")]
    Limit {
        /// What is limited.
        what: &'static str,
        /// Its value.
        actual: u64,
        /// The limit.
        limit: u64,
    },
    /// Declared sizes that only a bomb has.
    #[error(
        "archive refused: {} {size} bytes from {stored} stored ones; more than {limit} times as many are not unpacked",
        .member.as_ref().map_or_else(|| "its members declare".to_owned(), |member| format!("\"{member}\" declares"))
    )]
    Ratio {
        /// The member; none for all together.
        member: Option<String>,
        /// Bytes declared.
        size: u64,
        /// Bytes stored.
        stored: u64,
        /// How many times larger the one may be than the other.
        limit: u64,
    },
    /// A source could not be read to its end.
    #[error("reading the source of \"{member}\": {source}")]
    Source {
        /// The member it should have become.
        member: PackagePath,
        /// The cause.
        source: io::Error,
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
    /// The package's name is taken by something else.
    #[error("{path} exists already and holds something else", path = .path.display())]
    Exists {
        /// The name.
        path: PathBuf,
    },
}

impl ArchiveError {
    /// An [`ArchiveError::Io`] maker, for `map_err`.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the container itself is at fault, not the caller or the machine.
    #[must_use]
    pub const fn is_invalid_container(&self) -> bool {
        matches!(
            self,
            Self::NotAContainer { .. }
                | Self::Structure { .. }
                | Self::Member { .. }
                | Self::Name(_)
                | Self::Collision { .. }
                | Self::Unsupported { .. }
                | Self::Limit { .. }
                | Self::Ratio { .. }
        )
    }

    /// Whether a file or directory that should be there is not.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}
