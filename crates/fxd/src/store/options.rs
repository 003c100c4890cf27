//! How a store is written.

use crate::format::header::Version;
use crate::format::metadata::MAX_DICTIONARY;
use crate::format::{MAX_BLOCK_RECORDS, MAX_SYMBOLS};
use crate::{FxdError, Info};

/// How a store is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOptions {
    /// How blocks are coded: columns by default. An append goes on with the file's own.
    pub version: Version,
    /// The most bars of a block, 1 to 86,400; without it, what the version does well with. In versions of rows a block holds
    /// one UTC date at most, and a query reads whole blocks; of columns it reads pages of them.
    pub block_records: Option<u32>,
    /// The level of zstd, or `None` to store blocks as they are. Level 3 by default. Columns need no zstd.
    pub level: Option<i32>,
    /// A dictionary for zstd, as [`train`](super::train) makes it, which goes into the file.
    pub dictionary: Option<Vec<u8>>,
    /// What the file says of itself; prices and volumes of bars are at its scales.
    pub info: Info,
    /// The time that the file says it was changed at, in nanoseconds since the Unix epoch.
    pub now: u64,
    /// The time that a new file says it was created at; `now` without it.
    pub created: Option<u64>,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            version: Version::Columns,
            block_records: None,
            level: Some(3),
            dictionary: None,
            info: Info::default(),
            now: 0,
            created: None,
        }
    }
}

impl WriteOptions {
    /// The most bars of a block.
    #[must_use]
    pub fn block_records(&self) -> u32 {
        self.block_records.unwrap_or_else(|| self.version.block_records())
    }

    pub(crate) fn check(&self) -> Result<(), FxdError> {
        let refused = |what: String| Err(FxdError::Refused(what));
        let block_records = self.block_records();
        if block_records == 0 || block_records > MAX_BLOCK_RECORDS {
            return refused(format!("blocks of {block_records} records, expected 1 to {MAX_BLOCK_RECORDS}"));
        }
        if self.dictionary.is_some() && !self.version.has_rows() {
            return refused("columns are not coded with a dictionary; versions 1 and 2 are".into());
        }
        let levels = zstd::compression_level_range();
        if let Some(level) = self.level
            && !levels.contains(&level)
        {
            return refused(format!("zstd has no level {level}, expected {} to {}", levels.start(), levels.end()));
        }
        if self.dictionary.as_ref().is_some_and(|dictionary| dictionary.is_empty() || dictionary.len() > MAX_DICTIONARY)
        {
            return refused(format!("a dictionary has 1 to {MAX_DICTIONARY} bytes"));
        }
        if self.now.max(self.created.unwrap_or(0)) > crate::MAX_TS {
            return refused(format!("the time {} ns is later than the year 2262", self.now));
        }
        let rollups = &self.info.rollups;
        if (self.version == Version::Rollups) == rollups.is_empty() {
            return refused("version 4, and no other, has intervals that bars are rolled up to".into());
        }
        if rollups.iter().enumerate().any(|(at, interval)| rollups.iter().skip(at + 1).any(|other| other == interval)) {
            return refused("an interval to roll up to is named twice".into());
        }
        if self.info.is_too_long() {
            return refused("the metadata is longer than a mebibyte".into());
        }
        Ok(())
    }
}

/// The refusal of bars for a series that is made from others.
pub(crate) fn is_rolled_up(name: &str) -> FxdError {
    FxdError::Refused(format!("{name} is a series that the store rolls up itself"))
}

/// The refusal of one symbol too many.
pub(crate) fn too_many_symbols() -> FxdError {
    FxdError::Refused(format!("one symbol too many: a file has at most {MAX_SYMBOLS}"))
}
