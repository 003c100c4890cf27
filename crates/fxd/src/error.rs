//! What can go wrong with a store.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::Scale;
use crate::format::damage::Damage;
use crate::format::date::Rfc3339;
use crate::format::header::HeaderError;

/// Why an operation on a store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FxdError {
    /// The file is of another kind.
    #[error("{}: not an fxd file: {found}", path.display())]
    NotFxd {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// A newer release wrote the file.
    #[error("{}: version {version} of the fxd format; this release reads versions 1 to 4", path.display())]
    UnsupportedVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The file has a feature that a reader must know.
    #[error("{}: the file has feature bit {bit}, which this release does not know", path.display())]
    UnsupportedFeature {
        /// The file.
        path: PathBuf,
        /// The bit of the header's flags.
        bit: u32,
    },
    /// The file is not as the format says.
    #[error("{}: damaged at {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The place.
        damage: Damage,
    },
    /// Another program is writing to the file.
    #[error("{}: another program is writing to it", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file is there already.
    #[error("{}: exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The store has no such symbol.
    #[error("{}: no symbol {name:?}{}", path.display(), Suggested(known))]
    NoSymbol {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        name: String,
        /// Names that are there, the nearest first, a few of them.
        known: Vec<String>,
    },
    /// A name, an option or a value that a store cannot take.
    #[error("{0}")]
    Refused(String),
    /// A bar that a store cannot hold.
    #[error("{0}")]
    Bar(#[from] BadBar),
    /// The system refused.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// A bar that a store cannot hold, and where it stood among those given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadBar {
    /// The symbol.
    pub symbol: String,
    /// The bar's timestamp.
    pub ts: u64,
    /// What is wrong.
    pub why: BadBarReason,
}

/// What is wrong with a bar.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadBarReason {
    /// A value does not fit into the format's 32 bits.
    DoesNotFit {
        /// The field.
        field: &'static str,
        /// The value, in the smallest unit.
        value: i128,
        /// The decimals of that unit.
        scale: Scale,
    },
    /// The volumes that are rolled up to the bar add up to more than 64 bits hold.
    SumTooLarge {
        /// Their sum so far, in the smallest unit.
        volume: i128,
        /// The decimals of that unit.
        scale: Scale,
    },
    /// The bar's timestamp is beyond [`MAX_TS`](crate::MAX_TS).
    TooLate,
    /// The bar does not come after the one before it, whose timestamp this is.
    OutOfOrder(u64),
    /// The symbol has another bar at this timestamp.
    Taken,
}

impl std::error::Error for BadBar {}

impl fmt::Display for BadBar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.symbol, Rfc3339(self.ts), self.why)
    }
}

impl fmt::Display for BadBarReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DoesNotFit { field, value, scale } => {
                let most = u32::MAX;
                write!(f, "{field} {value} (at {scale} decimals) does not fit, versions 1 and 2 hold 0 to {most}")
            }
            Self::SumTooLarge { volume, scale } => {
                write!(
                    f,
                    "the bars of this interval have a volume of {volume} (at {scale} decimals), which 64 bits do not hold"
                )
            }
            Self::TooLate => write!(f, "later than 2262-04-11, the last day that a store takes"),
            Self::OutOfOrder(last) => write!(f, "does not come after the bar before it, at {}", Rfc3339(*last)),
            Self::Taken => write!(f, "there is another bar at this time"),
        }
    }
}

struct Suggested<'a>(&'a [String]);

impl fmt::Display for Suggested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => write!(f, "; it has none"),
            known => write!(f, "; it has {}", known.join(", ")),
        }
    }
}

/// Gives what goes wrong with one file its path.
#[derive(Debug, Clone)]
pub(crate) struct At(pub(crate) PathBuf);

impl At {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn damaged(&self, damage: Damage) -> FxdError {
        FxdError::Damaged { path: self.0.clone(), damage }
    }

    pub(crate) fn io(&self, doing: &'static str) -> impl FnOnce(io::Error) -> FxdError + '_ {
        move |source| FxdError::Io { doing, path: self.0.clone(), source }
    }

    pub(crate) fn header(&self, error: HeaderError) -> FxdError {
        let path = self.0.clone();
        match error {
            HeaderError::NotFxd(found) => FxdError::NotFxd { path, found },
            HeaderError::UnsupportedVersion(version) => FxdError::UnsupportedVersion { path, version },
            HeaderError::UnsupportedFeature(bit) => FxdError::UnsupportedFeature { path, bit },
            HeaderError::Damaged(damage) => FxdError::Damaged { path, damage },
        }
    }
}
