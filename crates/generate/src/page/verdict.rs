//! What the figures come to, in words.

use pdp_manifest::{Grade, Manifest, QualityReport};
use serde::Serialize;

use crate::show::{count, counted, len};

/// The head of the page.
#[derive(Debug, Serialize)]
pub(super) struct Verdict {
    grade: &'static str,
    headline: String,
    days: String,
    grade_means: String,
    scores: Vec<Score>,
    facts: Vec<(&'static str, String)>,
    remarks: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Score {
    name: &'static str,
    value: String,
    /// Width of the filled part of the meter, of 200.
    filled: String,
    means: &'static str,
}

/// What the page opens with.
pub(super) fn verdict(report: &QualityReport, manifest: &Manifest) -> Verdict {
    let findings = report.checks.iter().map(|total| total.count).fold(0, u64::saturating_add);
    let in_files = report.files.iter().filter(|file| file.finding_count() > 0).count();
    let records = counted(report.total_records, "record", "records");
    let headline = match findings {
        0 => format!("No findings in {records}."),
        some => format!(
            "{} in {} of {}, among {records}.",
            counted(some, "finding", "findings"),
            count(u64::try_from(in_files).unwrap_or(u64::MAX)),
            counted(report.total_files, "file", "files")
        ),
    };
    let summary = &report.summary;
    Verdict {
        grade: summary.grade.word(),
        headline,
        days: days(report),
        grade_means: grade_means(report),
        scores: vec![
            score("Overall", summary.overall_score, findings, "40 % completeness and 60 % integrity"),
            score("Completeness", summary.completeness_score, missing(report), "days with data, of the days expected"),
            score("Integrity", summary.integrity_score, findings, "records without a finding, of all records"),
        ],
        facts: facts(report, manifest),
        remarks: remarks(report),
    }
}

/// Two digits; 100 is said only where nothing is amiss.
fn score(name: &'static str, value: f64, amiss: u64, means: &'static str) -> Score {
    let shown = match value {
        value if value >= 100.0 && amiss > 0 => "> 99.99".to_owned(),
        value => format!("{value:.2}"),
    };
    Score { name, value: shown, filled: format!("{:.1}", (value * 2.0).clamp(0.0, 200.0)), means }
}

fn missing(report: &QualityReport) -> u64 {
    report.coverage.iter().map(|pair| len(&pair.missing_days)).fold(0, u64::saturating_add)
}

fn days(report: &QualityReport) -> String {
    let series = counted(len(&report.coverage), "series", "series");
    let with_holes = report.coverage.iter().filter(|pair| !pair.missing_days.is_empty()).count();
    match missing(report) {
        _ if report.coverage.is_empty() => "No record has a time, so that days cannot be told.".to_owned(),
        0 => format!("No day is missing in {series} (a series is one symbol and event type)."),
        some => format!(
            "{} missing, in {} of {series} (a series is one symbol and event type).",
            counted(some, "day is", "days are"),
            count(u64::try_from(with_holes).unwrap_or(u64::MAX))
        ),
    }
}

/// The letter in a sentence, and what kept it from a better one.
fn grade_means(report: &QualityReport) -> String {
    let summary = &report.summary;
    let spoilt = report.files.iter().filter(|file| file.findings.keys().any(|check| check.spoils())).count();
    let spoilt = u64::try_from(spoilt).unwrap_or(u64::MAX);
    match summary.grade {
        Grade::A => "95 or more of 100, and every file can be read to its end.".to_owned(),
        Grade::B if summary.overall_score >= 95.0 && spoilt > 0 => {
            let (are, have) = if spoilt == 1 { ("file is", "has") } else { ("files are", "have") };
            let spoilt = count(spoilt);
            format!("the score alone is an A, but {spoilt} {are} damaged, empty or {have} lines that are no record.")
        }
        Grade::B => "85 or more of 100: sound on the whole, with faults that are listed below.".to_owned(),
        Grade::C => "70 or more of 100: usable once the faults below are dealt with.".to_owned(),
        Grade::D => "50 or more of 100: much is missing or wrong; look before you use it.".to_owned(),
        Grade::F => "less than 50 of 100: most of what was looked for is missing or wrong.".to_owned(),
    }
}

fn facts(report: &QualityReport, manifest: &Manifest) -> Vec<(&'static str, String)> {
    let mut symbols: Vec<_> = report.files.iter().map(|file| &file.symbol).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let mut types: Vec<_> = report.files.iter().map(|file| &file.event_type).collect();
    types.sort_unstable();
    types.dedup();
    let mut days: Vec<_> = report.coverage.iter().flat_map(|pair| pair.days.iter().map(|day| day.date)).collect();
    days.sort_unstable();
    days.dedup();
    let mut facts = vec![
        ("Files", count(report.total_files)),
        ("Records", count(report.total_records)),
        ("Symbols", count(len(&symbols))),
        ("Event types", count(len(&types))),
        ("Days with data", count(len(&days))),
    ];
    if let (Some(first), Some(last)) = (days.first(), days.last()) {
        facts.push(("Dates (UTC)", format!("{first} to {last}")));
    }
    if let (Some(part), Some(parts @ 2..)) = (manifest.part_number, manifest.total_parts) {
        facts.push(("Part", format!("{part} of {parts}; this page is on this part alone")));
    }
    facts
}

/// What the figures do not cover.
fn remarks(report: &QualityReport) -> Vec<String> {
    let mut remarks = Vec::new();
    let uncounted = report.files.iter().filter(|file| file.records.is_none() && file.damage.is_none()).count();
    if uncounted > 0 {
        remarks.push(format!(
            "{} of a format whose records are not read here: nothing can be said of what they hold.",
            counted(u64::try_from(uncounted).unwrap_or(u64::MAX), "file is", "files are")
        ));
    }
    let timeless = report.files.iter().map(|file| file.without_timestamp).fold(0, u64::saturating_add);
    if timeless > 0 {
        remarks.push(format!(
            "{} no readable time: they are in the counts of the files and on no day.",
            counted(timeless, "record has", "records have")
        ));
    }
    remarks
}
