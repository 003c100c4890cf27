//! The quality of a package on a terminal or in a pipe.

use std::io::{self, IsTerminal as _, Write};

use chrono::NaiveDate;
use pdp_packager::manifest::QualityReport;
use pdp_packager::manifest::quality::{CheckTotal, Coverage};

use super::{count, counted, grouped};

/// Issues and rows of the coverage that are shown.
const ISSUES: usize = 15;
const ROWS: usize = 30;
/// Columns where the width of the output is not known.
const COLUMNS: usize = 100;
/// Columns for the symbol, for the event type, and for the sums behind the strip.
const SYMBOL: usize = 12;
const KIND: usize = 12;
const SUMS: usize = 12;

/// What is written on: its width, and the signs it can show.
pub(crate) struct Paper {
    columns: usize,
    signs: Signs,
}

/// A strip's signs: all days, some days, none of the days expected, no day expected.
struct Signs {
    all: char,
    some: char,
    missing: char,
    none: char,
}

const BLOCKS: Signs = Signs { all: '\u{2588}', some: '\u{2592}', missing: 'x', none: '\u{b7}' };
const ASCII: Signs = Signs { all: '#', some: '+', missing: 'x', none: '.' };

impl Paper {
    /// Standard output: blocks on a terminal that shows them, plain signs elsewhere.
    pub(crate) fn of_output() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let language = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        let unicode = cfg!(windows)
            || language.is_some_and(|value| {
                let value = value.to_ascii_lowercase();
                value.contains("utf-8") || value.contains("utf8")
            });
        let measured = terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        let columns = measured.unwrap_or(COLUMNS).clamp(60, 200);
        Self { columns, signs: if terminal && unicode { BLOCKS } else { ASCII } }
    }
}

/// Grade, counts, what was found, and the days of every symbol.
pub(crate) fn quality(report: &QualityReport, paper: &Paper, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    if quiet {
        return writeln!(out, "{}", summary.grade);
    }
    writeln!(out, "Package    {}", report.package)?;
    writeln!(
        out,
        "Quality    {}: {:.2} of 100 (completeness {:.2}, integrity {:.2})",
        summary.grade, summary.overall_score, summary.completeness_score, summary.integrity_score
    )?;
    let (files, records) = (counted(report.total_files, "file"), counted(report.total_records, "record"));
    writeln!(out, "Contents   {files}, {records}")?;
    let dates = || report.coverage.iter().flat_map(|pair| pair.days.iter().map(|day| day.date));
    let span = dates().min().zip(dates().max());
    if let Some((first, last)) = span {
        writeln!(out, "Dates      {first} to {last}")?;
    }
    findings(report, out)?;
    checks(report, paper, out)?;
    issues(report, out)?;
    match span {
        Some((first, last)) => coverage(report, first, last, paper, out),
        None => Ok(()),
    }
}

fn findings(report: &QualityReport, out: &mut dyn Write) -> io::Result<()> {
    let found = report.checks.iter().map(|total| total.count).fold(0, u64::saturating_add);
    let files = report.files.iter().filter(|file| file.finding_count() > 0).count();
    match found {
        0 => writeln!(out, "Findings   none")?,
        found => {
            let of = counted(report.total_files, "file");
            writeln!(out, "Findings   {} in {files} of {of}", grouped(found))?;
        }
    }
    let missing: u64 = report.coverage.iter().map(|pair| count(pair.missing_days.len())).sum();
    let holed = report.coverage.iter().filter(|pair| !pair.missing_days.is_empty()).count();
    match missing {
        0 => writeln!(out, "Missing    no day"),
        some => {
            let series = report.coverage.len();
            writeln!(out, "Missing    {} in {holed} of {series} symbols and types", counted(some, "day"))
        }
    }
}

fn checks(report: &QualityReport, paper: &Paper, out: &mut dyn Write) -> io::Result<()> {
    let (found, clean): (Vec<_>, Vec<_>) = report.checks.iter().partition(|total| total.count > 0);
    if !found.is_empty() {
        writeln!(out, "\n{:>12} {:>8}  CHECK", "COUNT", "FILES")?;
    }
    for total in found {
        let (one, many) = total.check.names();
        let name = if total.count == 1 { one } else { many };
        writeln!(out, "{:>12} {:>8}  {name}", grouped(total.count), grouped(total.files))?;
    }
    let (clean, never): (Vec<_>, Vec<_>) = clean.into_iter().partition(|total| total.files_checked > 0);
    for (title, totals) in [("Not found", clean), ("No data for", never)] {
        let names: Vec<String> = totals.into_iter().map(|total| looked_for(report, total)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for (at, line) in wrapped(&names, paper.columns.saturating_sub(13)).iter().enumerate() {
            writeln!(out, "{}{:<12} {line}", if at == 0 { "\n" } else { "" }, if at == 0 { title } else { "" })?;
        }
    }
    Ok(())
}

/// A check that found nothing, and where it was not all files that it could look at.
fn looked_for(report: &QualityReport, total: &CheckTotal) -> String {
    let name = total.check.names().1;
    match total.files_checked {
        0 => name.to_owned(),
        all if all == report.total_files => name.to_owned(),
        some => format!("{name} (in {some} of {} files)", report.total_files),
    }
}

/// The gravest, as the report has them in words: with file and lines.
fn issues(report: &QualityReport, out: &mut dyn Write) -> io::Result<()> {
    let issues = &report.summary.issues;
    if issues.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nISSUES, the gravest first")?;
    for issue in issues.iter().take(ISSUES) {
        writeln!(out, "  {}", issue.replace('\n', " "))?;
    }
    if issues.len() > ISSUES {
        let all: usize = report.files.iter().map(|file| file.findings.len()).sum();
        let all = all + report.coverage.iter().filter(|pair| !pair.missing_days.is_empty()).count();
        let more = grouped(count(all.max(issues.len()) - ISSUES));
        writeln!(out, "  and {more} more; --html FILE shows more of them, --json has them all")?;
    }
    Ok(())
}

/// A strip of days for each symbol and event type.
fn coverage(
    report: &QualityReport,
    first: NaiveDate,
    last: NaiveDate,
    paper: &Paper,
    out: &mut dyn Write,
) -> io::Result<()> {
    let room = paper.columns.saturating_sub(SYMBOL + KIND + SUMS + 4).max(10);
    let days = last.signed_duration_since(first).num_days().unsigned_abs() + 1;
    let step = days.div_ceil(count(room)).max(1);
    let Signs { all, some, missing, none } = paper.signs;
    let column = if step == 1 { "a day".to_owned() } else { format!("{step} days") };
    let partly = if step == 1 { String::new() } else { format!(", {some} some of its days missing") };
    writeln!(
        out,
        "\nDAYS, each sign {column} from {first}: {all} data{partly}, {missing} missing, {none} none expected"
    )?;
    let mut pairs: Vec<&Coverage> = report.coverage.iter().collect();
    let cut = pairs.len() > ROWS;
    if cut {
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.missing_days.len()));
    }
    for pair in pairs.iter().take(ROWS) {
        let strip = strip(pair, first, days.div_ceil(step), step, &paper.signs);
        let (with, expected) = (pair.days.len(), pair.days.len() + pair.missing_days.len());
        let (symbol, kind) = (fitted(pair.symbol.as_str(), SYMBOL), fitted(pair.event_type.as_str(), KIND));
        writeln!(out, "{symbol:<SYMBOL$} {kind:<KIND$} {strip} {with}/{expected}")?;
    }
    if cut {
        writeln!(out, "and {} more, with no more days missing; --html FILE draws more", pairs.len() - ROWS)?;
    }
    Ok(())
}

fn strip(pair: &Coverage, first: NaiveDate, columns: u64, step: u64, signs: &Signs) -> String {
    let column = |date: NaiveDate| date.signed_duration_since(first).num_days().unsigned_abs() / step;
    let has: std::collections::BTreeSet<u64> = pair.days.iter().map(|day| column(day.date)).collect();
    let lacks: std::collections::BTreeSet<u64> = pair.missing_days.iter().map(|date| column(*date)).collect();
    let sign = |at: u64| match (has.contains(&at), lacks.contains(&at)) {
        (true, false) => signs.all,
        (true, true) => signs.some,
        (false, true) => signs.missing,
        (false, false) => signs.none,
    };
    (0..columns).map(sign).collect()
}

/// Words with commas, in lines of at most `width` characters where no word is longer.
fn wrapped(words: &[&str], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let word = if at + 1 == words.len() { (*word).to_owned() } else { format!("{word},") };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// At most so many characters.
fn fitted(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let head: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{head}~")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> Coverage {
        let day = |date: &str| serde_json::json!({ "date": date, "records": 5 });
        serde_json::from_value(serde_json::json!({
            "symbol": "AAPL", "eventType": "Trade",
            "days": [day("2024-01-03"), day("2024-01-05"), day("2024-01-08")],
            "missingDays": ["2024-01-04", "2024-01-09"],
        }))
        .unwrap()
    }

    #[test]
    fn a_strip_shows_every_day() {
        let first = "2024-01-02".parse().unwrap();
        assert_eq!(strip(&pair(), first, 9, 1, &ASCII), ".#x#..#x.");
        // 2-3, 4-5, 6-7, 8-9, 10.
        assert_eq!(strip(&pair(), first, 5, 2, &ASCII), "#+.+.");
    }

    #[test]
    fn lists_are_wrapped() {
        assert_eq!(wrapped(&["one", "two", "three"], 9), ["one, two,", "three"]);
        assert!(wrapped(&[], 9).is_empty());
    }

    #[test]
    fn names_are_fitted() {
        assert_eq!([fitted("AAPL", 4), fitted("AAPL.US", 4)], ["AAPL", "AAP~"]);
    }
}
