//! Scores and the quality report, from what the packing pass found.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use pdp_manifest::quality::{CheckTotal, Coverage, DayCount, FORMULAS, Located};
use pdp_manifest::time::Instant;
use pdp_manifest::{Check, EventType, FileQuality, Grade, Manifest, QualityReport, QualitySummary, Symbol};
use serde_json::Value;

/// Most issues in words; the report's tables have them all.
const MAX_ISSUES: usize = 50;
/// Share of completeness in the overall score.
const COMPLETENESS_WEIGHT: f64 = 0.4;

/// The scores of `files`.
pub(super) fn summarize(files: &[FileQuality]) -> QualitySummary {
    let coverage = coverage(files);
    let with_data: usize = coverage.iter().map(|pair| pair.days.len()).sum();
    let missing: usize = coverage.iter().map(|pair| pair.missing_days.len()).sum();
    let completeness = if with_data == 0 { 100.0 } else { 100.0 * ratio(with_data, with_data + missing) };
    let records = total_records(files);
    let findings = files.iter().map(FileQuality::finding_count).fold(0, u64::saturating_add);
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
    let spoilt = |file: &FileQuality| file.findings.keys().any(|check| check.spoils());
    match Grade::of(overall) {
        Grade::A if files.iter().any(spoilt) => Grade::B,
        grade => grade,
    }
}

/// The report on the files of a package.
pub(super) fn report(files: &[FileQuality], summary: &QualitySummary, manifest: &Manifest) -> QualityReport {
    let total = |check: &Check| CheckTotal {
        check: *check,
        count: files.iter().map(|file| file.count(*check)).fold(0, u64::saturating_add),
        files: count(files.iter().filter(|file| file.count(*check) > 0).count()),
        files_checked: count(files.iter().filter(|file| !file.unchecked.contains(check)).count()),
        meaning: check.meaning().to_owned(),
    };
    QualityReport {
        package: manifest.name.clone(),
        package_id: manifest.package_id.clone(),
        created_at: Instant(manifest.created_at),
        summary: summary.clone(),
        formulas: FORMULAS.map(str::to_owned).to_vec(),
        total_files: count(files.len()),
        total_records: total_records(files),
        checks: Check::ALL.iter().map(total).collect(),
        coverage: coverage(files),
        files: files.to_vec(),
    }
}

/// The report as JSON text, with a line for every file, pair and check: it is read by programs and grows with the files.
pub(super) fn json(report: &QualityReport) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(report) else { return String::new() };
    let mut text = String::from("{");
    for (i, (name, value)) in fields.into_iter().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        let value = match &value {
            Value::Array(items) if items.iter().any(Value::is_object) => {
                let lines: Vec<String> = items.iter().map(ToString::to_string).collect();
                format!("[\n    {}\n  ]", lines.join(",\n    "))
            }
            Value::Object(_) | Value::Array(_) => {
                serde_json::to_string_pretty(&value).unwrap_or_default().replace('\n', "\n  ")
            }
            plain => plain.to_string(),
        };
        text.push_str(&format!("{comma}\n  {}: {value}", Value::String(name)));
    }
    text.push_str("\n}\n");
    text
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn total_records(files: &[FileQuality]) -> u64 {
    files.iter().filter_map(|file| file.records).fold(0, u64::saturating_add)
}

#[expect(clippy::cast_precision_loss, reason = "scores have two digits; counts beyond 2^53 would not change them")]
fn ratio(part: impl TryInto<u64>, whole: impl TryInto<u64>) -> f64 {
    part.try_into().unwrap_or(0) as f64 / whole.try_into().unwrap_or(1) as f64
}

fn two_digits(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

fn coverage(files: &[FileQuality]) -> Vec<Coverage> {
    let mut pairs: BTreeMap<(&EventType, &Symbol), BTreeMap<NaiveDate, u64>> = BTreeMap::new();
    for file in files {
        for day in &file.days {
            let records = pairs.entry((&file.event_type, &file.symbol)).or_default().entry(day.date).or_default();
            *records = records.saturating_add(day.records);
        }
    }
    // Of every day of an event type: how many pairs have data on it, and how many span it.
    let mut days: BTreeMap<&EventType, BTreeMap<NaiveDate, (usize, usize)>> = BTreeMap::new();
    for ((event_type, _), own) in &pairs {
        for day in own.keys() {
            days.entry(event_type).or_default().entry(*day).or_default().0 += 1;
        }
    }
    for ((event_type, _), own) in &pairs {
        if let (Some(days), Some((first, last))) = (days.get_mut(event_type), ends(own)) {
            days.range_mut(first..=last).for_each(|(_, (_, spanning))| *spanning += 1);
        }
    }
    pairs
        .into_iter()
        .filter_map(|((event_type, symbol), own)| {
            let (first, last) = ends(&own)?;
            // One stray record on a weekend makes no trading day.
            let usual = days.get(event_type)?.range(first..=last).filter(|(_, (with, spanning))| with * 2 >= *spanning);
            Some(Coverage {
                symbol: symbol.clone(),
                event_type: event_type.clone(),
                missing_days: usual.map(|(day, _)| *day).filter(|day| !own.contains_key(day)).collect(),
                days: own.into_iter().map(|(date, records)| DayCount { date, records }).collect(),
            })
        })
        .collect()
}

fn ends(days: &BTreeMap<NaiveDate, u64>) -> Option<(NaiveDate, NaiveDate)> {
    Some((*days.keys().next()?, *days.keys().next_back()?))
}

fn issues(files: &[FileQuality], coverage: &[Coverage]) -> Vec<String> {
    // Gravest check first, then the most frequent.
    let mut found: Vec<(Check, std::cmp::Reverse<u64>, String)> = Vec::new();
    for file in files {
        for (check, at) in &file.findings {
            found.push((*check, std::cmp::Reverse(at.count), in_words(file, *check, at)));
        }
    }
    // Stable: findings of one weight stay in the order of the paths.
    found.sort_by_key(|(check, count, _)| (*check, *count));
    let mut found: Vec<String> = found.into_iter().map(|(.., text)| text).collect();
    for pair in coverage.iter().filter(|pair| !pair.missing_days.is_empty()) {
        let days: Vec<String> = pair.missing_days.iter().take(5).map(ToString::to_string).collect();
        let more = if pair.missing_days.len() > days.len() { " and more" } else { "" };
        let (count, symbol, kind) = (pair.missing_days.len(), &pair.symbol, &pair.event_type);
        found.push(format!("{symbol} {kind}: days without data, {count}: {}{more}", days.join(", ")));
    }
    let dropped = found.len().saturating_sub(MAX_ISSUES);
    found.truncate(MAX_ISSUES);
    if dropped > 0 {
        found.push(format!("and {dropped} more in metadata/quality_report.json"));
    }
    found
}

/// Such as `data/x.jsonl: 2 crossed quotes (lines 3, 17)`.
fn in_words(file: &FileQuality, check: Check, at: &Located) -> String {
    let path = &file.path;
    match (check, &file.damage) {
        (Check::Damaged, Some(damage)) => return format!("{path}: {damage}"),
        (Check::Empty, _) => return format!("{path}: no records"),
        _ => {}
    }
    let (one, many) = check.names();
    let name = if at.count == 1 { one } else { many };
    let missing = match check {
        Check::SequenceGap => format!(", {} numbers missing", file.sequence_missing),
        _ => String::new(),
    };
    format!("{path}: {} {name}{missing}{}", at.count, lines(at))
}

/// ` (line 3)`, ` (lines 3, 7, 9)` or ` (lines 3, 7, 9 and more)`.
fn lines(at: &Located) -> String {
    let list: Vec<String> = at.lines.iter().map(ToString::to_string).collect();
    let more = if count(list.len()) < at.count { " and more" } else { "" };
    match list.len() {
        0 => String::new(),
        1 if more.is_empty() => format!(" (line {})", list.join(", ")),
        _ => format!(" (lines {}{more})", list.join(", ")),
    }
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
            first_timestamp: None,
            last_timestamp: None,
            without_timestamp: 0,
            findings: if records == 0 { BTreeMap::from([(Check::Empty, once())]) } else { BTreeMap::new() },
            unchecked: Vec::new(),
            sequence_missing: 0,
            days: days.iter().map(|day| DayCount { date: day.parse().unwrap(), records: 1 }).collect(),
            gaps: None,
            damage: None,
        }
    }

    fn once() -> Located {
        Located { count: 1, lines: Vec::new() }
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
        holed.findings.insert(Check::Unparsable, Located { count: 10, lines: vec![4] });
        let summary = summarize(&[whole, holed]);
        assert_eq!(summary.completeness_score, 83.33);
        assert_eq!(summary.integrity_score, 90.0);
        assert_eq!(summary.overall_score, 87.33);
        assert_eq!(summary.grade, Grade::B);
        assert_eq!(
            summary.issues,
            ["data/B: 10 unparsable lines (lines 4 and more)", "B Trade: days without data, 1: 2024-01-04"]
        );
    }

    #[test]
    fn a_stray_record_on_a_weekend_makes_no_trading_day() {
        let week = ["2024-01-05", "2024-01-08"];
        let stray = file("C", &["2024-01-05", "2024-01-06", "2024-01-08"], 1);
        let summary = summarize(&[file("A", &week, 1), file("B", &week, 1), stray]);
        assert_eq!(summary.completeness_score, 100.0);
    }

    #[test]
    fn nothing_but_empty_files_is_an_f_for_integrity() {
        assert_eq!(summarize(&[file("A", &[], 0)]).integrity_score, 0.0);
        assert_eq!(summarize(&[]).overall_score, 100.0);
    }
}
