//! A report as JSON.

use chrono::{DateTime, SecondsFormat};
use pdp_bars::validate::{Finding, GapReason, Gaps, Report};
use serde_json::{Value, json};

use super::super::validate::Reports;

/// A moment in RFC 3339.
pub(in super::super) fn moment(ts: u64) -> String {
    DateTime::from_timestamp_nanos(i64::try_from(ts).unwrap_or(i64::MAX)).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Volumes as text, with the decimals that they have: they may be beyond what a double holds.
pub(super) fn volume(value: u128, report: &Report) -> String {
    let decimals = usize::from(report.volume_scale.decimals());
    if decimals == 0 {
        return value.to_string();
    }
    let digits = format!("{value:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    format!("{whole}.{part}")
}

/// Seconds of a number of nanoseconds.
pub(super) fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}

pub(in super::super) fn json(reports: &Reports) -> Value {
    let each = reports.iter().map(|(directory, report)| {
        json!({
            "symbol": report.symbol,
            "directory": directory.to_string_lossy(),
            "timeframe": report.timeframe.map(|timeframe| timeframe.to_string()),
            "files": report.files,
            "bars": report.bars,
            "filled": report.filled,
            "zeroVolume": report.zero_volume,
            "first": report.first.map(moment),
            "last": report.last.map(moment),
            "counts": report.counts.iter().map(|(kind, count)| (kind.name().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>(),
            "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
            "gaps": report.gaps.iter().map(gaps).collect::<Vec<_>>(),
            "explainedBy": report.explained_by,
            "volume": report.volume.map(|check| json!({
                "bars": volume(check.bars, report),
                "raw": volume(check.raw, report),
                "rawBars": check.raw_bars,
                "conserved": check.bars == check.raw,
            })),
        })
    });
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    json!({ "clean": found == 0, "findings": found, "series": each.collect::<Vec<_>>() })
}

fn finding(finding: &Finding) -> Value {
    let places = finding.place.places;
    json!({
        "kind": finding.kind.name(),
        "symbol": finding.symbol,
        "file": finding.place.file.to_string_lossy(),
        "place": places.map(|(first, last)| if first == last { first.to_string() } else { format!("{first} to {last}") }),
        "line": places.filter(|(first, last)| first == last).map(|(first, _)| first.number()),
        "timestamp": finding.ts.map(moment),
        "message": finding.what,
    })
}

fn gaps(gaps: &Gaps) -> Value {
    let tallies = GapReason::ALL.iter().filter_map(|reason| {
        let tally = gaps.tallies.get(reason)?;
        let value =
            json!({ "count": tally.count, "seconds": seconds(tally.nanos), "longestSeconds": seconds(tally.longest) });
        Some((reason.name().to_owned(), value))
    });
    let parts = gaps.parts.iter().map(|gap| {
        json!({ "start": moment(gap.start), "end": moment(gap.end), "reason": gap.reason.name(), "why": gap.why })
    });
    json!({
        "symbol": gaps.symbol,
        "publisherId": gaps.publisher,
        "learnedIn": gaps.learned.map(|zone| zone.to_string()),
        "reasons": tallies.collect::<serde_json::Map<_, _>>(),
        "parts": parts.collect::<Vec<_>>(),
    })
}
