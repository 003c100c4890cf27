//! Finding data files below a data root and telling what each one is.
//!
//! The bytes decide before the name what format a file has, and its first record before the path what it is about.

pub(crate) mod conventions;
mod peek;
mod walk;

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use pdp_manifest::{ContentEncoding, DataFormat, EventType, Filters, SourceName, Symbol};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use self::conventions::FileDate;
use crate::inspect::Findings;
use crate::{PackagerError, Progress, Stage};

/// How to look for data files.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ScanOptions {
    /// Whether symbolic links are followed; they are skipped and named otherwise.
    pub follow_links: bool,
    /// A directory below the root that is not looked into, such as the one that packages are written to.
    pub exclude: Option<PathBuf>,
}

/// The data files below a root.
#[derive(Debug)]
pub struct Scan {
    /// The root.
    pub root: PathBuf,
    /// The files, in the order of their paths.
    pub files: Vec<DataFile>,
    /// What looks like data and was not taken, and why.
    pub skipped: Vec<Skipped>,
}

/// Something that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// Its path below the root.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// A data file and what it is.
#[derive(Debug)]
#[non_exhaustive]
pub struct DataFile {
    /// Its path on disk.
    pub path: PathBuf,
    /// Its path below the root, `/` between its parts; text that is not UTF-8 is replaced.
    pub relative: String,
    /// Its size when it was found, in bytes.
    pub size: u64,
    /// Its format.
    pub format: DataFormat,
    /// The compression it came with.
    pub encoding: ContentEncoding,
    /// The instrument; `UNKNOWN` where nothing tells.
    pub symbol: Symbol,
    /// The kind of its records; `Unknown` where nothing tells.
    pub event_type: EventType,
    /// Where its data came from.
    pub source: Option<SourceName>,
    /// Where path and data disagree, and other remarks.
    pub warnings: Vec<String>,
    pub(crate) date: Option<FileDate>,
    /// Time of the first record, where it could be read.
    pub(crate) first_time: Option<DateTime<Utc>>,
    pub(crate) modified: Option<std::time::SystemTime>,
    /// What is in a file that was looked at as a whole already (Parquet).
    pub(crate) findings: Option<Box<Findings>>,
    /// Why it could not be read, where it could not.
    pub(crate) unreadable: Option<std::io::Error>,
}

impl DataFile {
    /// The UTC day it is filed under: the first of the month for a monthly file, none for an undated one.
    #[must_use]
    pub fn date(&self) -> Option<NaiveDate> {
        self.date.map(FileDate::start)
    }

    /// The UTC day of its first record, where that could be read.
    #[must_use]
    pub fn first_day(&self) -> Option<NaiveDate> {
        self.first_time.map(|time| time.date_naive())
    }

    /// The first and the last UTC day that it is filed under.
    #[must_use]
    pub fn dates(&self) -> Option<(NaiveDate, NaiveDate)> {
        self.date.map(|date| (date.start(), date.end()))
    }
}

/// Looks for data files below `root`.
///
/// Files are `*.jsonl` and `*.csv` (plain, `.gz`, `.zst`), `*.parquet`, `*.fxd`, `*.dbn` and `*.dbn.zst`. Hidden files
/// and directories, and `_quarantine` directories, are left out.
///
/// # Errors
/// The root does not exist or is no directory.
pub fn scan(root: &Path, options: &ScanOptions, progress: &dyn Progress) -> Result<Scan, PackagerError> {
    if !root.is_dir() {
        return Err(PackagerError::NotFound { what: "data root", path: root.to_owned() });
    }
    progress.begin(Stage::Scanning, 0, 0);
    let (candidates, skipped) = walk::walk(root, options)?;
    let files = candidates
        .into_par_iter()
        .map(|candidate| {
            if progress.is_cancelled() {
                return Err(PackagerError::Cancelled);
            }
            let file = peek::look(candidate);
            progress.advance(1, 0);
            Ok(file)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Scan { root: root.to_owned(), files, skipped })
}

impl Scan {
    /// The files that `filters` let through; the others are dropped.
    #[must_use]
    pub fn filtered(self, filters: &Filters) -> Self {
        let files = self.files.into_iter().filter(|file| matches(file, filters)).collect();
        Self { files, ..self }
    }

    /// What is there, in words, for the message that nothing matched.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.files.is_empty() {
            return format!("there is no data file below {}", self.root.display());
        }
        let symbols: std::collections::BTreeSet<_> = self.files.iter().map(|file| file.symbol.to_string()).collect();
        let types: std::collections::BTreeSet<_> = self.files.iter().map(|file| file.event_type.to_string()).collect();
        let dates: Vec<_> = self.files.iter().filter_map(|file| file.date).collect();
        let first = dates.iter().map(|date| date.start()).min();
        let last = dates.iter().map(|date| date.end()).max();
        let dates = match (first, last) {
            (Some(first), Some(last)) => format!("dates {first} to {last}"),
            _ => "no dated files".to_owned(),
        };
        let n = self.files.len();
        let there = if n == 1 { "there is 1 data file".to_owned() } else { format!("there are {n} data files") };
        format!("{there}: symbols {}; event types {}; {dates}", some(&symbols), some(&types))
    }
}

/// The first few of many words.
fn some(words: &std::collections::BTreeSet<String>) -> String {
    const MOST: usize = 12;
    let mut text = words.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if words.len() > MOST {
        text.push_str(&format!(" and {} more", words.len() - MOST));
    }
    text
}

/// Whether a file is asked for. Whole files are taken: one of which some day lies in the range is in.
fn matches(file: &DataFile, filters: &Filters) -> bool {
    let symbol = filters.symbols.is_empty() || filters.symbols.iter().any(|wanted| wanted.matches(&file.symbol));
    let event_type = filters.event_types.is_empty()
        || filters.event_types.iter().any(|wanted| {
            let known = EventType::known(wanted.as_str());
            wanted.as_str().eq_ignore_ascii_case(file.event_type.as_str())
                || known.is_some_and(|known| file.event_type.is_kind_of(&known))
        });
    symbol && event_type && in_range(file, filters.start_date, filters.end_date)
}

fn in_range(file: &DataFile, from: Option<NaiveDate>, to: Option<NaiveDate>) -> bool {
    if from.is_none() && to.is_none() {
        return true;
    }
    let overlaps =
        |(first, last): (NaiveDate, NaiveDate)| from.is_none_or(|from| last >= from) && to.is_none_or(|to| first <= to);
    match file.date {
        Some(FileDate::Day(date)) => overlaps((date, date)),
        // Its name says a month, or nothing: its records are asked.
        Some(month) => {
            let named = (month.start(), month.end());
            overlaps(named) && overlaps(peek::days(file).unwrap_or(named))
        }
        None => peek::days(file).is_some_and(overlaps),
    }
}
