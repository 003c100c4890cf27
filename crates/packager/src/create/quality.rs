//! Scores and the quality report, from what the packing pass found.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use pdp_manifest::{EventType, FileQuality, Grade, QualitySummary, Symbol, time};
use serde::Serialize;

/// Most issues in words; the report's tables have them all.
const MAX_ISSUES: usize = 50;
/// Share of completeness in the overall score.
const COMPLETENESS_WEIGHT: f64 = 0.4;

/// `metadata/quality_report.json`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    generated_at: String,
    summary: &'a QualitySummary,
    formulas: [&'static str; 3],
    coverage: Vec<Coverage>,
    files: &'a [FileQuality],
}

/// The days of one symbol and event type.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Coverage {
    symbol: Symbol,
    event_type: EventType,
    first_day: NaiveDate,
    last_day: NaiveDate,
    days_with_data: usize,
    days_expected: usize,
    missing_days: Vec<NaiveDate>,
}

const FORMULAS: [&str; 3] = [
    "completenessScore = 100 * days with data / days expected, over all pairs of symbol and event type; a pair expects the days between its first and last on which any symbol has data of that event type",
    "integrityScore = 100 * max(0, 1 - findings / records); findings: unparsable lines, steps back in time, sequence gaps, repeated sequence numbers, and 1 for every empty or damaged file",
    "overallScore = 0.4 * completenessScore + 0.6 * integrityScore; grade A from 95, B from 85, C from 70, D from 50, else F; at most B while any file is empty, damaged or has unparsable lines",
];

/// The scores of `files`.
pub(super) fn summarize(files: &[FileQuality]) -> QualitySummary {
    let coverage = coverage(files);
    let (with_data, expected) =
        coverage.iter().fold((0, 0), |(with, expected), c| (with + c.days_with_data, expected + c.days_expected));
    let completeness = if expected == 0 { 100.0 } else { 100.0 * ratio(with_data, expected) };
    let records: u64 = files.iter().filter_map(|file| file.records).sum();
    let findings: u64 = files.iter().map(FileQuality::findings).sum();
    // A package of empty files has nothing that could be sound.
    let integrity = match (findings, records) {
        (0, _) => 100.0,
        (_, 0) => 0.0,
        (findings, records) => 100.0 * (1.0 - ratio(findings, records)).max(0.0),
    };
    let overall = COMPLETENESS_WEIGHT * completeness + (1.0 - COMPLETENESS_WEIGHT) * integrity;
    QualitySummary {
        overall_score: two_digits(overall),
        completeness_score: two_digits(completeness),
        integrity_score: two_digits(integrity),
        grade: grade(overall, files),
        issues: issues(files, &coverage),
    }
}

/// The grade of a score; an A is for packages in which every file can be read to its end.
fn grade(overall: f64, files: &[FileQuality]) -> Grade {
    let spoilt = |file: &FileQuality| file.damage.is_some() || file.unparsable > 0 || file.records == Some(0);
    match Grade::of(overall) {
        Grade::A if files.iter().any(spoilt) => Grade::B,
        grade => grade,
    }
}

/// The report as JSON text.
pub(super) fn report(files: &[FileQuality], summary: &QualitySummary, created_at: DateTime<Utc>) -> String {
    let report = Report {
        generated_at: time::format(created_at),
        summary,
        formulas: FORMULAS,
        coverage: coverage(files),
        files,
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

#[expect(clippy::cast_precision_loss, reason = "scores have two digits; counts beyond 2^53 would not change them")]
fn ratio(part: impl TryInto<u64>, whole: impl TryInto<u64>) -> f64 {
    part.try_into().unwrap_or(0) as f64 / whole.try_into().unwrap_or(1) as f64
}

fn two_digits(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

fn coverage(files: &[FileQuality]) -> Vec<Coverage> {
    let mut pairs: BTreeMap<(&EventType, &Symbol), BTreeSet<NaiveDate>> = BTreeMap::new();
    let mut of_type: BTreeMap<&EventType, BTreeSet<NaiveDate>> = BTreeMap::new();
    for file in files.iter().filter(|file| !file.days.is_empty()) {
        pairs.entry((&file.event_type, &file.symbol)).or_default().extend(&file.days);
        of_type.entry(&file.event_type).or_default().extend(&file.days);
    }
    pairs
        .into_iter()
        .filter_map(|((event_type, symbol), days)| {
            let (first_day, last_day) = (*days.first()?, *days.last()?);
            let expected: Vec<NaiveDate> = of_type.get(event_type)?.range(first_day..=last_day).copied().collect();
            Some(Coverage {
                symbol: symbol.clone(),
                event_type: event_type.clone(),
                first_day,
                last_day,
                days_with_data: days.len(),
                days_expected: expected.len(),
                missing_days: expected.into_iter().filter(|day| !days.contains(day)).collect(),
            })
        })
        .collect()
}

fn issues(files: &[FileQuality], coverage: &[Coverage]) -> Vec<String> {
    let mut found: Vec<(u64, String)> = Vec::new();
    for file in files {
        let path = &file.path;
        let mut add = |weight: u64, text: String| found.push((weight, text));
        if let Some(damage) = &file.damage {
            add(u64::MAX, format!("{path}: {damage}"));
        }
        if file.records == Some(0) {
            add(u64::MAX - 1, format!("{path}: no records"));
        }
        if file.unparsable > 0 {
            add(file.unparsable, format!("{path}: {} unparsable ({})", file.unparsable, lines(&file.unparsable_lines)));
        }
        if file.out_of_order > 0 {
            let (count, at) = (file.out_of_order, lines(&file.out_of_order_lines));
            add(count, format!("{path}: {count} earlier than the record before ({at})"));
        }
        if file.sequence_gaps > 0 {
            let (gaps, missing) = (file.sequence_gaps, file.sequence_missing);
            add(gaps, format!("{path}: {gaps} sequence gaps, {missing} numbers missing"));
        }
        if file.sequence_repeats > 0 {
            add(file.sequence_repeats, format!("{path}: {} repeated sequence numbers", file.sequence_repeats));
        }
    }
    for pair in coverage.iter().filter(|pair| !pair.missing_days.is_empty()) {
        let days: Vec<String> = pair.missing_days.iter().take(5).map(ToString::to_string).collect();
        let more = if pair.missing_days.len() > days.len() { " and more" } else { "" };
        let (count, symbol, kind) = (pair.missing_days.len(), &pair.symbol, &pair.event_type);
        found.push((0, format!("{symbol} {kind}: days without data, {count}: {}{more}", days.join(", "))));
    }
    // Stable: findings of one weight stay in the order of the paths.
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let dropped = found.len().saturating_sub(MAX_ISSUES);
    let mut issues: Vec<String> = found.into_iter().take(MAX_ISSUES).map(|(_, text)| text).collect();
    if dropped > 0 {
        issues.push(format!("and {dropped} more in metadata/quality_report.json"));
    }
    issues
}

/// `line 3` or `lines 3, 7, 9`.
fn lines(numbers: &[u64]) -> String {
    let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("{} {}", if numbers.len() == 1 { "line" } else { "lines" }, list.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(symbol: &str, days: &[&str], records: u64) -> FileQuality {
        FileQuality {
            path: format!("data/{symbol}").parse().unwrap(),
            symbol: symbol.parse().unwrap(),
            event_type: "Trade".parse().unwrap(),
            records: Some(records),
            unparsable: 0,
            unparsable_lines: Vec::new(),
            out_of_order: 0,
            out_of_order_lines: Vec::new(),
            sequence_gaps: 0,
            sequence_missing: 0,
            sequence_repeats: 0,
            without_timestamp: 0,
            days: days.iter().map(|day| day.parse().unwrap()).collect(),
            damage: None,
        }
    }

    #[test]
    fn clean_data_is_an_a() {
        let summary = summarize(&[file("A", &["2024-01-03"], 10), file("B", &["2024-01-03", "2024-01-04"], 5)]);
        assert_eq!((summary.overall_score, summary.grade), (100.0, Grade::A));
        assert!(summary.issues.is_empty());
    }

    #[test]
    fn a_missing_day_and_findings_cost_what_the_formulas_say() {
        let whole = file("A", &["2024-01-03", "2024-01-04", "2024-01-05"], 90);
        let mut holed = file("B", &["2024-01-03", "2024-01-05"], 10);
        holed.unparsable = 10;
        holed.unparsable_lines = vec![4];
        let summary = summarize(&[whole, holed]);
        assert_eq!(summary.completeness_score, 83.33);
        assert_eq!(summary.integrity_score, 90.0);
        assert_eq!(summary.overall_score, 87.33);
        assert_eq!(summary.grade, Grade::B);
        assert_eq!(summary.issues, ["data/B: 10 unparsable (line 4)", "B Trade: days without data, 1: 2024-01-04"]);
    }

    #[test]
    fn nothing_but_empty_files_is_an_f_for_integrity() {
        assert_eq!(summarize(&[file("A", &[], 0)]).integrity_score, 0.0);
        assert_eq!(summarize(&[]).overall_score, 100.0);
    }
}
