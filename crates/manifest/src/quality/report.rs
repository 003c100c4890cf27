//! `metadata/quality_report.json`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Located, QualitySummary};
use crate::time::Instant;
use crate::{EventType, PackageId, PackageName, PackagePath, Symbol};

/// Most line numbers that are listed for one kind of finding in one file.
pub const MAX_LINES_LISTED: usize = 10;
/// Most time gaps that are listed of one file: the longest.
pub const MAX_GAPS_LISTED: usize = 20;

/// How the scores are made.
pub const FORMULAS: [&str; 3] = [
    "completenessScore = 100 x days with data / (days with data + days missing), summed over every pair of symbol and \
     event type; a day between the first and the last of a pair is missing when the pair has no data on it and half of \
     the pairs of its event type that span the day have, or more",
    "integrityScore = 100 x (1 - findings / records), not below 0; findings are all that the checks count",
    "overallScore = 0.4 x completenessScore + 0.6 x integrityScore; grade A from 95, B from 85, C from 70, D from 50, \
     else F; at most B while any file is damaged, empty or has a line that is no record",
];

/// Everything that was measured over the records of a package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QualityReport {
    /// The package's name.
    pub package: PackageName,
    /// The package's identity.
    pub package_id: PackageId,
    /// When the package was made.
    pub created_at: Instant,
    /// Scores, grade and findings in words.
    pub summary: QualitySummary,
    /// How the scores are made.
    pub formulas: Vec<String>,
    /// Number of data files.
    pub total_files: u64,
    /// Records in them.
    pub total_records: u64,
    /// Every check: how often it found something, over all files, and how it tells.
    pub checks: Vec<CheckTotal>,
    /// The days of every symbol and event type.
    pub coverage: Vec<Coverage>,
    /// Every file.
    pub files: Vec<FileQuality>,
}

/// One check over all files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckTotal {
    /// The check.
    pub check: Check,
    /// How often it found something.
    pub count: u64,
    /// In how many files.
    pub files: u64,
    /// How many files it could look at; the records of the others have no price, no sequence number or no time.
    #[serde(default)]
    pub files_checked: u64,
    /// How it tells.
    pub meaning: String,
}

/// The days of one symbol and event type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The symbol.
    pub symbol: Symbol,
    /// The event type.
    pub event_type: EventType,
    /// Days with records, UTC, in order, and how many.
    pub days: Vec<DayCount>,
    /// Days between the first and the last without data, on which half of the symbols with this event type whose days
    /// lie on both sides have data, or more.
    #[schemars(with = "Vec<String>")]
    pub missing_days: Vec<NaiveDate>,
}

/// The records of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DayCount {
    /// The day, UTC.
    #[schemars(with = "String")]
    pub date: NaiveDate,
    /// Records of that day.
    pub records: u64,
}

/// What the packing pass found in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileQuality {
    /// The member.
    pub path: PackagePath,
    /// Its symbol.
    pub symbol: Symbol,
    /// Its event type.
    pub event_type: EventType,
    /// Records that could be read; absent where the format is not counted.
    pub records: Option<u64>,
    /// Earliest time.
    pub first_timestamp: Option<Instant>,
    /// Latest time.
    pub last_timestamp: Option<Instant>,
    /// Records without a readable time.
    pub without_timestamp: u64,
    /// What was found; checks that found nothing are left out.
    pub findings: BTreeMap<Check, Located>,
    /// Checks that could not run, as no record has what they look at: no price, no sequence number, no time.
    #[serde(default)]
    pub unchecked: Vec<Check>,
    /// Sequence numbers missing in all gaps.
    pub sequence_missing: u64,
    /// The days on which it has records, UTC, in order.
    pub days: Vec<DayCount>,
    /// Long times without a record; absent where there are fewer than three times.
    pub gaps: Option<TimeGaps>,
    /// What is wrong with the file as a whole, in words.
    pub damage: Option<String>,
}

/// Times without a record that are long for their file. They are no findings: a closed session is one as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeGaps {
    /// What counts as long, in seconds.
    pub threshold_seconds: f64,
    /// How many there are.
    pub count: u64,
    /// The longest, in the order of time; at most [`MAX_GAPS_LISTED`].
    pub longest: Vec<TimeGap>,
}

/// A time without a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeGap {
    /// The last record before it.
    pub start: Instant,
    /// The first record after it.
    pub end: Instant,
    /// The line of that record.
    pub line: u64,
}

impl FileQuality {
    /// Findings that lower the integrity score.
    #[must_use]
    pub fn finding_count(&self) -> u64 {
        self.findings.values().fold(0, |sum, found| sum.saturating_add(found.count))
    }

    /// How often a check found something.
    #[must_use]
    pub fn count(&self, check: Check) -> u64 {
        self.findings.get(&check).map_or(0, |found| found.count)
    }
}
