//! Measured quality of the data in a package.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::words::word_enum;
use crate::{EventType, PackagePath, Symbol};

/// The quality of a whole package, in the manifest and at the head of `metadata/quality_report.json`.
///
/// Scores lie between 0 and 100:
/// * completeness = 100 x days with data / days expected, summed over every pair of symbol and event type, where the
///   days expected of a pair are the days on which any pair of the same event type has data, from the pair's first
///   day to its last;
/// * integrity = 100 x (1 - findings / records), not below 0, where findings are unparsable lines, steps back in time,
///   sequence gaps and repeated sequence numbers, and every empty or damaged file counts as one finding;
/// * overall = 0.4 x completeness + 0.6 x integrity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QualitySummary {
    /// Completeness and integrity together.
    pub overall_score: f64,
    /// Days with data among days expected.
    pub completeness_score: f64,
    /// Records without a finding among all records.
    pub integrity_score: f64,
    /// The overall score as a letter, at most B while any file is empty, damaged or has unparsable lines.
    pub grade: Grade,
    /// Findings in words, the gravest first.
    #[serde(default)]
    pub issues: Vec<String>,
}

word_enum! {
    /// A score as a letter: A from 95, B from 85, C from 70, D from 50, F below.
    Grade, "grade" {
        /// 95 and more.
        A = "A",
        /// 85 and more.
        B = "B",
        /// 70 and more.
        C = "C",
        /// 50 and more.
        D = "D",
        /// Less than 50.
        F = "F",
    }
}

impl Grade {
    /// The letter for a score of 0 to 100.
    #[must_use]
    pub fn of(score: f64) -> Self {
        match score {
            s if s >= 95.0 => Self::A,
            s if s >= 85.0 => Self::B,
            s if s >= 70.0 => Self::C,
            s if s >= 50.0 => Self::D,
            _ => Self::F,
        }
    }
}

/// What the packing pass found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Lines or rows that are not a record.
    pub unparsable: u64,
    /// Numbers of the first such lines, from 1.
    pub unparsable_lines: Vec<u64>,
    /// Records whose time lies before that of the record above them.
    pub out_of_order: u64,
    /// Lines of the first such records.
    pub out_of_order_lines: Vec<u64>,
    /// Places where the sequence number grows by more than one.
    pub sequence_gaps: u64,
    /// Sequence numbers missing in those gaps.
    pub sequence_missing: u64,
    /// Records with the sequence number of the record above them.
    pub sequence_repeats: u64,
    /// Records without a readable time.
    pub without_timestamp: u64,
    /// The days, in UTC, on which it has records, in order.
    #[schemars(with = "Vec<String>")]
    pub days: Vec<NaiveDate>,
    /// What is wrong with the file as a whole, such as a torn end.
    pub damage: Option<String>,
}

impl FileQuality {
    /// Findings that lower the integrity score.
    #[must_use]
    pub fn findings(&self) -> u64 {
        let whole_file = u64::from(self.damage.is_some()) + u64::from(self.records == Some(0));
        self.unparsable + self.out_of_order + self.sequence_gaps + self.sequence_repeats + whole_file
    }
}
