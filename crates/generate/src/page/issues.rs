//! The tables: what was looked for, what was found where, and every file.

use std::cmp::Reverse;

use pdp_manifest::quality::Located;
use pdp_manifest::{Check, FileQuality, QualityReport};
use serde::Serialize;

use super::advice::advice;
use crate::show::{count, counted, len, shortened};

/// Most rows of the tables.
const MAX_ISSUES: usize = 100;
const MAX_FILES: usize = 100;
/// Characters of a path that are shown.
const PATH: usize = 160;
/// Characters of a remark.
const REMARK: usize = 300;

/// A check over all files.
#[derive(Debug, Clone, Serialize)]
pub(super) struct CheckRow {
    name: String,
    meaning: String,
    found: String,
    advice: &'static str,
    /// Where it could not look at all files: in how many it did.
    looked_in: String,
    /// Whether there was anything to look at.
    pub(super) ran: bool,
    clean: bool,
    grave: bool,
}

impl CheckRow {
    /// Whether it found nothing.
    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }
}

/// A check in a file.
#[derive(Debug, Serialize)]
pub(super) struct Issue {
    what: String,
    grave: bool,
    path: String,
    place: String,
}

/// A file.
#[derive(Debug, Serialize)]
pub(super) struct FileRow {
    path: String,
    records: String,
    span: String,
    findings: String,
    clean: bool,
}

/// Every check, in its order.
pub(super) fn checks(report: &QualityReport) -> Vec<CheckRow> {
    let row = |total: &pdp_manifest::quality::CheckTotal| {
        let (one, many) = total.check.names();
        let found = match total.count {
            0 => "none".to_owned(),
            found => format!("{} in {}", count(found), counted(total.files, "file", "files")),
        };
        let all = total.files_checked == report.total_files || total.count > 0;
        CheckRow {
            looked_in: if all {
                String::new()
            } else {
                format!("in {} of {}", count(total.files_checked), counted(report.total_files, "file", "files"))
            },
            ran: total.files_checked > 0,
            name: if total.count == 1 { one } else { many }.to_owned(),
            meaning: shortened(&total.meaning, REMARK * 2),
            found,
            advice: if total.count == 0 { "" } else { advice(total.check) },
            clean: total.count == 0,
            grave: total.check.spoils(),
        }
    };
    report.checks.iter().map(row).collect()
}

/// What was found, the gravest first, and what was left out.
pub(super) fn issues(report: &QualityReport) -> (Vec<Issue>, Option<String>) {
    let mut all: Vec<(Check, Reverse<u64>, &FileQuality, &Located)> = Vec::new();
    for file in &report.files {
        all.extend(file.findings.iter().map(|(check, at)| (*check, Reverse(at.count), file, at)));
    }
    // Stable: what is equally grave and frequent stays in the order of the paths.
    all.sort_by_key(|(check, often, ..)| (*check, *often));
    let cut = (all.len() > MAX_ISSUES).then(|| {
        format!(
            "The first {MAX_ISSUES} of {}; metadata/quality_report.json has them all.",
            counted(len(&all), "row", "rows")
        )
    });
    let row = |(check, _, file, at): &(Check, Reverse<u64>, &FileQuality, &Located)| {
        let (one, many) = check.names();
        Issue {
            what: counted(at.count, one, many),
            grave: check.spoils(),
            path: shortened(file.path.as_str(), PATH),
            place: place(*check, file, at),
        }
    };
    (all.iter().take(MAX_ISSUES).map(row).collect(), cut)
}

/// Where in the file, and what there is to say of it.
fn place(check: Check, file: &FileQuality, at: &Located) -> String {
    let mut parts = Vec::new();
    if !at.lines.is_empty() {
        let lines: Vec<String> = at.lines.iter().take(10).map(|line| count(*line)).collect();
        let more = if len(&lines) < at.count { " and more" } else { "" };
        let word = if at.count == 1 { "line" } else { "lines" };
        // Blanks after the commas, not within the numbers.
        parts.push(format!("{word} {}{more}", lines.join("; ")));
    }
    match (check, &file.damage) {
        (Check::Damaged, Some(damage)) => parts.push(shortened(damage, REMARK)),
        (Check::SequenceGap, _) => {
            parts.push(format!("{} missing", counted(file.sequence_missing, "number", "numbers")));
        }
        _ => {}
    }
    parts.join(", ")
}

/// Every file, those with the most findings first, and what was left out.
pub(super) fn files(report: &QualityReport) -> (Vec<FileRow>, Option<String>) {
    let mut all: Vec<&FileQuality> = report.files.iter().collect();
    all.sort_by_key(|file| Reverse(file.finding_count()));
    let cut = (all.len() > MAX_FILES).then(|| {
        format!(
            "The first {MAX_FILES} of {}; metadata/quality_report.json has them all.",
            counted(len(&all), "file", "files")
        )
    });
    let row = |file: &&FileQuality| {
        let found = file.finding_count();
        FileRow {
            path: shortened(file.path.as_str(), PATH),
            records: file.records.map_or_else(|| "not counted".to_owned(), count),
            span: span(file),
            findings: if found == 0 { "none".to_owned() } else { count(found) },
            clean: found == 0,
        }
    };
    (all.iter().take(MAX_FILES).map(row).collect(), cut)
}

fn span(file: &FileQuality) -> String {
    let time = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%d %H:%M:%S").to_string();
    match (file.first_timestamp, file.last_timestamp) {
        (Some(first), Some(last)) if first.0.date_naive() == last.0.date_naive() => {
            format!("{} to {}", time(first.0), last.0.format("%H:%M:%S"))
        }
        (Some(first), Some(last)) => format!("{} to {}", time(first.0), time(last.0)),
        _ => "no times".to_owned(),
    }
}
