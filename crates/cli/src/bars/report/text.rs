//! A report as text: a line for each check, with SUCCESS, WARNING or ERROR before it.

use std::io::{self, Write};

use pdp_bars::validate::{GapReason, Gaps, Kind, Report};

use super::super::validate::Reports;
use super::json::{moment, volume};

/// Findings of a kind that are shown; a report in JSON has more.
const SHOWN: usize = 20;

pub(in super::super) fn text(reports: &Reports, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    if !quiet {
        for (directory, report) in reports {
            one(report, &directory.display().to_string(), out)?;
            writeln!(out)?;
        }
    }
    match found {
        0 => writeln!(out, "SUCCESS: nothing wrong was found"),
        1 => writeln!(out, "ERROR: 1 finding"),
        count => writeln!(out, "ERROR: {count} findings"),
    }
}

fn one(report: &Report, directory: &str, out: &mut dyn Write) -> io::Result<()> {
    let timeframe = report.timeframe.map_or("unknown timeframe".to_owned(), |timeframe| timeframe.to_string());
    writeln!(out, "{} {timeframe} in {directory}", report.symbol)?;
    let files = if report.files == 1 { "file" } else { "files" };
    let bars = if report.bars == 1 { "bar" } else { "bars" };
    write!(out, "  {} {bars} in {} {files}", report.bars, report.files)?;
    if let (Some(first), Some(last)) = (report.first, report.last) {
        write!(out, ", {} to {}", moment(first), moment(last))?;
    }
    writeln!(out)?;
    if report.filled > 0 {
        writeln!(out, "  {} bars are flagged as made up to fill gaps", report.filled)?;
    }
    if report.zero_volume > 0 {
        writeln!(out, "  {} bars are without volume", report.zero_volume)?;
    }
    for (kinds, label) in CHECKS {
        let count: u64 = kinds.iter().filter_map(|kind| report.counts.get(kind)).sum();
        let against_raw = kinds.contains(&Kind::Volume);
        match (count, against_raw, report.volume) {
            (0, true, None) => writeln!(out, "WARNING: {label}: not checked; --raw-dir names the raw data")?,
            (0, true, Some(check)) => writeln!(
                out,
                "SUCCESS: {label}: volume {} is that of {} raw bars to the unit",
                volume(check.bars, report),
                check.raw_bars
            )?,
            (0, false, _) if kinds.contains(&Kind::Gap) && unexplained(report) > 0 => writeln!(
                out,
                "WARNING: {label}: {} times without bars that nothing explains, which is allowed here",
                unexplained(report)
            )?,
            (0, false, _) => writeln!(out, "SUCCESS: {label}")?,
            (count, _, check) => {
                write!(out, "ERROR: {label}: {count} {}", if count == 1 { "finding" } else { "findings" })?;
                if let Some(check) = check.filter(|_| against_raw) {
                    write!(out, "; volume {}, raw {}", volume(check.bars, report), volume(check.raw, report))?;
                }
                writeln!(out)?;
                findings(report, kinds, count, out)?;
            }
        }
    }
    if report.gaps.iter().any(|gaps| !gaps.tallies.is_empty()) {
        writeln!(out, "  gaps are explained by {}", report.explained_by)?;
    }
    report.gaps.iter().try_for_each(|gaps| reasons(gaps, out))
}

/// Times without bars that nothing explains, whether they are findings or not.
pub(in super::super) fn unexplained(report: &Report) -> u64 {
    report.gaps.iter().filter_map(|gaps| gaps.tallies.get(&GapReason::Unknown)).map(|tally| tally.count).sum()
}

/// The checks, each with what it is called.
pub(super) const CHECKS: [(&[Kind], &str); 8] = [
    (&[Kind::Unreadable, Kind::NegativeVolume], "rows can be read, volumes are not negative"),
    (&[Kind::Order], "order of time"),
    (&[Kind::Duplicate], "duplicates"),
    (&[Kind::Ohlc], "OHLC rules"),
    (&[Kind::NegativePrice, Kind::ZeroVolume], "prices not negative, volume where it is asked for"),
    (&[Kind::Alignment, Kind::Month], "alignment to the timeframe and the file's month"),
    (&[Kind::Gap], "missing data"),
    (&[Kind::Volume, Kind::Price, Kind::Missing, Kind::Extra, Kind::Raw], "against raw data"),
];

fn findings(report: &Report, kinds: &[Kind], count: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut shown = 0;
    for finding in report.findings.iter().filter(|finding| kinds.contains(&finding.kind)).take(SHOWN) {
        write!(out, "    {}: {}: ", finding.place, finding.kind)?;
        if finding.symbol != report.symbol {
            write!(out, "{}: ", finding.symbol)?;
        }
        if let Some(ts) = finding.ts {
            write!(out, "{}: ", moment(ts))?;
        }
        writeln!(out, "{}", finding.what)?;
        shown += 1;
    }
    match count.saturating_sub(shown) {
        0 => Ok(()),
        more => writeln!(out, "    and {more} more; --report x.json lists more of them"),
    }
}

fn reasons(gaps: &Gaps, out: &mut dyn Write) -> io::Result<()> {
    if gaps.tallies.is_empty() {
        return Ok(());
    }
    let publisher = gaps.publisher.map_or(String::new(), |publisher| format!(", publisher {publisher}"));
    writeln!(out, "  gaps of {}{publisher}", gaps.symbol)?;
    for reason in GapReason::ALL {
        if let Some(tally) = gaps.tallies.get(&reason) {
            let (all, longest) = (span(tally.nanos), span(tally.longest));
            writeln!(out, "    {:<9} {:>8}, {all} together, the longest {longest}", reason.name(), tally.count)?;
        }
    }
    if let Some(zone) = gaps.learned {
        writeln!(out, "    closed is what the data have no bars at in other weeks, by the clock of {zone}")?;
    }
    Ok(())
}

/// A length of time for a person.
pub(super) fn span(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, 0) => format!("{minutes} min"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}
