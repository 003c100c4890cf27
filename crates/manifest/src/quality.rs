//! Measured quality of the data in a package.
//!
//! [`QualitySummary`] stands in the manifest; [`QualityReport`] is `metadata/quality_report.json`.

mod check;
mod report;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::check::{Check, Located};
pub use self::report::{
    CheckTotal, Coverage, DayCount, FORMULAS, FileQuality, MAX_GAPS_LISTED, MAX_LINES_LISTED, QualityReport, TimeGap,
    TimeGaps,
};
use crate::words::word_enum;

/// The quality of a whole package, in the manifest and at the head of `metadata/quality_report.json`.
///
/// Scores lie between 0 and 100; [`FORMULAS`] says how they are made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct QualitySummary {
    /// Completeness and integrity together.
    pub overall_score: f64,
    /// Days with data among days expected.
    pub completeness_score: f64,
    /// Records without a finding among all records.
    pub integrity_score: f64,
    /// The overall score as a letter, at most B while any file is empty, damaged or has lines that are no record.
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
