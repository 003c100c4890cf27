//! The quality page of packages that are large, long or hostile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use pdp_generate::Texts;
use pdp_manifest::quality::{CheckTotal, Coverage, DayCount, Located, TimeGap, TimeGaps};
use pdp_manifest::time::{Instant, midnight};
use pdp_manifest::{Check, FileQuality, Manifest, QualityReport};

/// What a page may have of the largest package.
const MOST_BYTES: usize = 1_000_000;

fn manifest() -> Manifest {
    let json = br#"{"packageVersion":"1.0.0","packageId":"x","name":"demo","createdAt":"2024-01-03T12:00:00Z",
        "format":"Zip","totalFiles":0,"totalEvents":0,"files":[]}"#;
    pdp_manifest::json::parse(json).unwrap()
}

fn page(report: &QualityReport) -> String {
    Texts::new().unwrap().quality_page(report, &manifest()).unwrap()
}

fn day(number: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + Days::new(number)
}

/// A file a day and symbol, each with every check found, gaps, and a long name.
fn report(symbols: u64, days: u64, types: &[&str]) -> QualityReport {
    let mut files = Vec::new();
    let mut coverage = Vec::new();
    for event_type in types {
        for symbol in 0..symbols {
            let name = format!("S\"'<&>{symbol}").parse().unwrap();
            let missing = |at: &u64| (at * 7 + symbol).is_multiple_of(11) && *at > 0 && *at + 1 < days;
            let records = |at: u64| (at * 7919 + symbol * 104_729) % 99_991 + 1;
            coverage.push(Coverage {
                symbol: name,
                event_type: event_type.parse().unwrap(),
                days: (0..days)
                    .filter(|at| !missing(at))
                    .map(|at| DayCount { date: day(at), records: records(at) })
                    .collect(),
                missing_days: (0..days).filter(missing).map(day).collect(),
            });
            for at in 0..days {
                files.push(file(symbol, at, event_type));
            }
        }
    }
    let checks = Check::ALL.iter().map(|check| CheckTotal {
        check: *check,
        count: 1,
        files: 1,
        files_checked: 1,
        meaning: check.meaning().to_owned(),
    });
    QualityReport {
        package: "large".parse().unwrap(),
        package_id: "x".parse().unwrap(),
        created_at: Instant(midnight(day(0))),
        summary: serde_json::from_str(
            r#"{"overallScore":50,"completenessScore":50,"integrityScore":50,"grade":"D","issues":[]}"#,
        )
        .unwrap(),
        formulas: vec!["x".repeat(100_000)],
        total_files: u64::try_from(files.len()).unwrap(),
        total_records: 1,
        checks: checks.collect(),
        coverage,
        files,
    }
}

fn file(symbol: u64, at: u64, event_type: &str) -> FileQuality {
    let start = midnight(day(at));
    let gap = |hour| TimeGap {
        start: Instant(start + chrono::TimeDelta::hours(hour)),
        end: Instant(start + chrono::TimeDelta::minutes(hour * 60 + 7)),
        line: 12,
    };
    let found = Located { count: 1000, lines: (1..=10).collect() };
    FileQuality {
        unchecked: Vec::new(),
        path: format!("data/{symbol}/{event_type}/{at}/{}.jsonl", "&".repeat(200)).parse().unwrap(),
        symbol: format!("S\"'<&>{symbol}").parse().unwrap(),
        event_type: event_type.parse().unwrap(),
        records: Some(1),
        first_timestamp: Some(Instant(start)),
        last_timestamp: Some(Instant(start + chrono::TimeDelta::hours(23))),
        without_timestamp: 1,
        findings: BTreeMap::from([(Check::Duplicate, found.clone()), (Check::Outlier, found)]),
        sequence_missing: 0,
        days: Vec::new(),
        gaps: Some(TimeGaps { threshold_seconds: 60.0, count: 20, longest: (0..20).map(gap).collect() }),
        damage: None,
    }
}

#[test]
fn the_page_of_seventy_thousand_files_can_be_sent_by_mail() {
    for (symbols, days) in [(500, 140), (50, 1400), (1, 70_000), (70_000, 1)] {
        let text = page(&report(symbols, days, &["Trade"]));
        assert!(text.len() < MOST_BYTES, "{symbols} symbols, {days} days: {} bytes", text.len());
        assert!(text.contains("70,000 files; metadata/quality_report.json has them all"), "{symbols} x {days}");
        if symbols > 50 {
            assert!(text.contains(&format!("50 of {symbols} symbols: those with the most days missing")));
        }
    }
    // The greatest maps that are drawn: as many types and rows as there may be, a column for each day of a year.
    let text = page(&report(60, 366, &["A", "B", "C", "D", "E"]));
    assert!(text.len() < MOST_BYTES, "{} bytes", text.len());
    assert!(text.contains("Not drawn, to keep this page small: E."), "the fifth type");
}

#[test]
fn columns_become_weeks_and_months() {
    for (days, unit) in [(1, "day"), (366, "day"), (700, "week"), (3000, "month"), (20_000, "year")] {
        let text = page(&report(2, days, &["Trade"]));
        assert!(text.contains(&format!("<h2 id=\"days\">Records by {unit}</h2>")), "{days} days");
        assert_eq!(text.contains("for there are too many days to draw"), unit != "day", "{days} days");
    }
}

#[test]
fn nothing_that_was_typed_becomes_markup() {
    let hostile = "</title></style><script>alert('x')</script><img src=x onerror=\"y\">{{ 7 * 7 }}{% raw %}\u{202e}";
    let mut report = report(2, 3, &["Trade"]);
    report.package = hostile.parse().unwrap();
    report.formulas = vec![hostile.to_owned()];
    report.checks[0].meaning = hostile.to_owned();
    report.files[0].damage = Some(hostile.to_owned());
    report.files[0].findings.insert(Check::Damaged, Located { count: 1, lines: Vec::new() });
    report.files[0].path = "data/a &amp; 'b'.jsonl".parse().unwrap();
    let symbol: pdp_manifest::Symbol = hostile.parse().unwrap();
    report.files[0].symbol = symbol.clone();
    report.coverage[0].symbol = symbol;
    let mut manifest = manifest();
    manifest.description = Some(hostile.to_owned());
    let text = Texts::new().unwrap().quality_page(&report, &manifest).unwrap();
    for markup in ["<script", "<img", "</style><", "onerror=\"", "49"] {
        let found = text.match_indices(markup).find(|(at, _)| !text[..*at].ends_with("#"));
        if markup == "49" {
            assert!(text.contains("{{ 7 * 7 }}"), "a template was filled a second time");
        } else {
            assert_eq!(found, None, "{markup}");
        }
    }
    assert_eq!(text.matches("</title></").count(), 0);
    assert!(text.matches("&lt;script&gt;alert(&#39;x&#39;)").count() >= 6, "it is shown as text");
}

#[test]
fn nothing_is_fetched_and_nothing_runs() {
    let text = page(&report(3, 40, &["Trade", "BboQuote"]));
    for word in ["http:", "https:", "src=", "href=", "url(", "@import", "javascript:", "<link", " style=\"", "<script"]
    {
        assert!(!text.contains(word), "{word}");
    }
    assert!(text.contains("content=\"default-src 'none'; style-src 'sha256-"));
    assert_eq!(text, page(&report(3, 40, &["Trade", "BboQuote"])), "the same report gives the same page");
}

#[test]
fn a_score_is_rounded_to_a_hundred_only_where_nothing_is_amiss() {
    let mut report = report(1, 2, &["Trade"]);
    report.summary.integrity_score = 100.0;
    assert!(page(&report).contains("&gt; 99.99"));
    report.checks.clear();
    report.files.clear();
    let text = page(&report);
    assert!(!text.contains("&gt; 99.99") && text.contains(">100.00 <"), "{text}");
    assert!(text.contains("No findings in 1 record."));
}
