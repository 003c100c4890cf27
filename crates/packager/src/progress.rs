//! How an operation tells what it is doing, and how it is asked to stop.

/// What an operation is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking for data files.
    Scanning,
    /// Reading, hashing and compressing.
    Packing,
    /// Data come over the network.
    Fetching,
    /// Files are brought into another form.
    Converting,
    /// Reading back and checking.
    Verifying,
    /// Unpacking into the staging directory.
    Extracting,
    /// Merging records with those that are there.
    Merging,
    /// Moving into place.
    Placing,
}

impl Stage {
    /// One word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scanning => "scanning",
            Self::Packing => "packing",
            Self::Fetching => "fetching",
            Self::Converting => "converting",
            Self::Verifying => "verifying",
            Self::Extracting => "extracting",
            Self::Merging => "merging",
            Self::Placing => "placing",
        }
    }
}

/// Receives the progress of an operation; called from several threads.
pub trait Progress: Sync {
    /// A stage begins that has this many files and bytes ahead; 0 where that is not known.
    fn begin(&self, stage: Stage, files: u64, bytes: u64) {
        let _ = (stage, files, bytes);
    }

    /// So much more is done.
    fn advance(&self, files: u64, bytes: u64) {
        let _ = (files, bytes);
    }

    /// Whether the operation should stop; it then leaves nothing behind and fails with
    /// [`PackagerError::Cancelled`](crate::PackagerError::Cancelled).
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// Progress that nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
