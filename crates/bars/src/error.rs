//! What can go wrong with a file of bars.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Place, Problem};

/// A file of bars could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BarsError {
    /// The file could not be opened or read.
    #[error("{}: {source}", .file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A row is not as it should be.
    #[error("{}: {place}: {problem}", .file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: Place,
        /// What is wrong.
        problem: Problem,
    },
    /// The file as a whole is not as it should be.
    #[error("{}: {why}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What it is and what was expected.
        why: String,
    },
    /// The threads that parse could not be started.
    #[error("{count} threads cannot be started: {why}")]
    Threads {
        /// How many.
        count: usize,
        /// Why.
        why: String,
    },
    /// The output could not be written.
    #[error("the output cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A bar or symbol that the output cannot hold.
    #[error("{symbol}: {why}")]
    Unwritable {
        /// The symbol.
        symbol: String,
        /// What it is and what was expected.
        why: String,
    },
}

impl BarsError {
    /// A failure to read a file.
    pub(crate) fn read(file: &Path, source: io::Error) -> Self {
        Self::Read { file: file.to_owned(), source }
    }

    /// A file that is not as it should be.
    pub(crate) fn file(file: &Path, why: impl Into<String>) -> Self {
        Self::File { file: file.to_owned(), why: why.into() }
    }

    /// A row that is not as it should be.
    pub(crate) fn row(file: &Path, place: Place, problem: Problem) -> Self {
        Self::Row { file: file.to_owned(), place, problem }
    }
}
