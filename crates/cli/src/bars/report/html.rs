//! A report as one HTML page, with a timeline of gaps.

use std::fmt::Write as _;

use pdp_bars::validate::{Gap, GapReason, Gaps, Kind, Report};

use super::super::validate::Reports;
use super::json::{moment, volume};
use super::text::{CHECKS, span, unexplained as unexplained_count};
use super::timeline;

/// Unexplained gaps and findings of a series that are listed.
const LISTED: usize = 500;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2330;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid #d7dbe3;padding-top:1rem}
table{border-collapse:collapse;margin:.8rem 0;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e6e9ef;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.ok{color:#1a7340}.bad{color:#b3261e;font-weight:600}.na{color:#6b7280}
svg{display:block;width:100%;height:auto;margin:.4rem 0}code{font-size:.92em;overflow-wrap:anywhere}
.key span{display:inline-block;margin-right:1.2rem}.key i{display:inline-block;width:.9em;height:.9em;margin-right:.35em;vertical-align:-.1em}
@media(prefers-color-scheme:dark){body{background:#14171d;color:#e4e7ee}h2{border-color:#333a47}th,td{border-color:#2a303c}.ok{color:#6fd39a}.bad{color:#ff8a80}}";

/// The colour of what has no bars for a reason, and of bars.
pub(super) const fn colour(reason: Option<GapReason>) -> &'static str {
    match reason {
        None => "#3f8f5f",
        Some(GapReason::Closed) => "#c3c8d2",
        Some(GapReason::Halt) => "#e0a030",
        Some(GapReason::NoTrade) => "#7fb2e5",
        Some(_) => "#c8382e",
    }
}

/// The page.
pub(super) fn page(reports: &Reports) -> String {
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    let mut out = String::new();
    let verdict = if found == 0 {
        "<p class=ok>Nothing wrong was found.</p>".to_owned()
    } else {
        format!("<p class=bad>{found} {}.</p>", if found == 1 { "finding" } else { "findings" })
    };
    let _ = write!(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\"><title>Validation of bars\
         </title><style>{STYLE}</style><h1>Validation of bars</h1>{verdict}<p class=key>"
    );
    let key = [
        (None, "bars"),
        (Some(GapReason::Closed), "closed"),
        (Some(GapReason::Halt), "halt"),
        (Some(GapReason::NoTrade), "no trade"),
        (Some(GapReason::Unknown), "unknown"),
    ];
    for (reason, name) in key {
        let _ = write!(out, "<span><i style=\"background:{}\"></i>{name}</span>", colour(reason));
    }
    out.push_str("</p>");
    for (directory, report) in reports {
        one(report, &directory.display().to_string(), &mut out);
    }
    out.push_str("</html>\n");
    out
}

fn one(report: &Report, directory: &str, out: &mut String) {
    let timeframe = report.timeframe.map_or("unknown timeframe".to_owned(), |timeframe| timeframe.to_string());
    let _ = write!(
        out,
        "<h2>{} {}</h2><p>{} {} in {} {}",
        escaped(&report.symbol),
        escaped(&timeframe),
        report.bars,
        if report.bars == 1 { "bar" } else { "bars" },
        report.files,
        if report.files == 1 { "file" } else { "files" }
    );
    if let (Some(first), Some(last)) = (report.first, report.last) {
        let _ = write!(out, ", {} to {}", moment(first), moment(last));
    }
    let _ = write!(out, " &middot; <code>{}</code></p><table><tr><th>Check<th>Result", escaped(directory));
    for (kinds, label) in CHECKS {
        let count: u64 = kinds.iter().filter_map(|kind| report.counts.get(kind)).sum();
        let against_raw = label == "against raw data";
        let (class, result) = match (count, report.volume) {
            (0, None) if against_raw => ("na", "not checked".to_owned()),
            (0, Some(check)) if against_raw => {
                ("ok", format!("volume {} conserved over {} raw bars", volume(check.bars, report), check.raw_bars))
            }
            (0, _) if kinds.contains(&Kind::Gap) && unexplained_count(report) > 0 => (
                "na",
                format!("{} times without bars that nothing explains, which is allowed", unexplained_count(report)),
            ),
            (0, _) => ("ok", "good".to_owned()),
            (count, Some(check)) if against_raw => (
                "bad",
                format!("{count} findings; volume {}, raw {}", volume(check.bars, report), volume(check.raw, report)),
            ),
            (1, _) => ("bad", "1 finding".to_owned()),
            (count, _) => ("bad", format!("{count} findings")),
        };
        let _ = write!(out, "<tr><td>{label}<td class={class}>{result}");
    }
    let _ = write!(out, "</table><p class=na>Gaps are explained by {}.</p>", escaped(&report.explained_by));
    for gaps in &report.gaps {
        without_bars(gaps, out);
        unexplained(gaps, out);
    }
    if report.findings.is_empty() {
        return;
    }
    out.push_str("<table><tr><th>Finding<th>Where<th>Time<th>What");
    for finding in report.findings.iter().take(LISTED) {
        let _ = write!(
            out,
            "<tr><td>{}<td><code>{}</code><td>{}<td>{}",
            finding.kind,
            escaped(&finding.place.to_string()),
            finding.ts.map(moment).unwrap_or_default(),
            escaped(&finding.what)
        );
    }
    out.push_str("</table>");
    let more = report.found().saturating_sub(report.findings.len().min(LISTED) as u64);
    if more > 0 {
        let _ = write!(out, "<p class=na>and {more} more</p>");
    }
}

/// The timeline of a series, and how long which reasons hold.
fn without_bars(gaps: &Gaps, out: &mut String) {
    if gaps.span.1 <= gaps.span.0 {
        return;
    }
    let publisher = gaps.publisher.map_or(String::new(), |publisher| format!(", publisher {publisher}"));
    let _ = write!(out, "<h3>{}{publisher}</h3>", escaped(&gaps.symbol));
    timeline::draw(gaps, out);
    let mut text = String::new();
    for reason in GapReason::ALL {
        if let Some(tally) = gaps.tallies.get(&reason) {
            let _ = write!(
                text,
                "<tr><td>{reason}<td class=n>{}<td class=n>{}<td class=n>{}",
                tally.count,
                span(tally.nanos),
                span(tally.longest)
            );
        }
    }
    if !text.is_empty() {
        let _ = write!(
            out,
            "<table><tr><th>Without bars because<th class=n>Times<th class=n>Together<th class=n>Longest{text}</table>"
        );
    }
}

fn unexplained(gaps: &Gaps, out: &mut String) {
    let unknown: Vec<&Gap> = gaps.parts.iter().filter(|gap| gap.reason == GapReason::Unknown).collect();
    if unknown.is_empty() {
        return;
    }
    out.push_str("<table><tr><th>Unexplained from<th>To<th>Length<th>What is known");
    for gap in unknown.iter().take(LISTED) {
        let length = span(gap.end - gap.start);
        let _ = write!(
            out,
            "<tr><td>{}<td>{}<td class=n>{length}<td>{}",
            moment(gap.start),
            moment(gap.end),
            escaped(&gap.why)
        );
    }
    out.push_str("</table>");
}

/// Text that no browser takes for markup.
pub(super) fn escaped(text: &str) -> String {
    let printable = crate::render::printable(text);
    printable
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
