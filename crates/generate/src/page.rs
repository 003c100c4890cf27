//! `metadata/quality_report.html`: the quality report as a page that needs nothing but itself.
//!
//! The drawings are SVG that is made here; everything else the template arranges. Every list has a stated end, so that
//! the page of a package of any size can be sent by mail; `metadata/quality_report.json` has what it leaves out.

mod advice;
mod calendar;
mod coverage;
mod days;
mod frame;
mod gaps;
mod issues;
mod style;
mod verdict;

use pdp_manifest::{Manifest, QualityReport, time};
use serde::Serialize;

use self::calendar::Calendar;
use crate::show::{one_line, shortened};

/// What the template shows.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    name: String,
    description: Option<String>,
    id: String,
    created_at: String,
    style: String,
    style_hash: String,
    verdict: verdict::Verdict,
    /// Every check; those that found something; the others.
    checks: Vec<issues::CheckRow>,
    findings: Vec<issues::CheckRow>,
    clean: Vec<issues::CheckRow>,
    /// Checks for which no record has what they look at.
    never: Vec<issues::CheckRow>,
    issues: Vec<issues::Issue>,
    issues_cut: Option<String>,
    calendar: Option<Span>,
    has_missing: bool,
    maps: Vec<coverage::Map>,
    maps_note: Option<String>,
    missing: Vec<coverage::Missing>,
    missing_cut: Option<String>,
    gaps: Option<gaps::Gaps>,
    days: Option<days::Days>,
    files: Vec<issues::FileRow>,
    files_cut: Option<String>,
    formulas: Vec<String>,
}

/// What the columns of the charts are.
#[derive(Debug, Serialize)]
struct Span {
    unit: String,
    first: String,
    last: String,
    is_day: bool,
}

impl Page {
    pub(crate) fn of(report: &QualityReport, manifest: &Manifest) -> Self {
        let dates = || report.coverage.iter().flat_map(|pair| pair.days.iter().map(|day| day.date));
        let calendar = dates().min().zip(dates().max()).map(|(first, last)| Calendar::spanning(first, last));
        let (maps, maps_note) = calendar.as_ref().map(|calendar| coverage::maps(report, calendar)).unwrap_or_default();
        let days = calendar.as_ref().and_then(|calendar| days::days(report, calendar));
        let gaps = gaps::gaps(report);
        let frames = maps.iter().map(|map| &map.frame).chain(days.iter().map(|days| &days.frame));
        let (style, style_hash) = style::style(frames.chain(gaps.iter().map(|gaps| &gaps.frame)));
        let checks = issues::checks(report);
        let (clean, findings): (Vec<_>, Vec<_>) = checks.iter().cloned().partition(issues::CheckRow::is_clean);
        let (clean, never) = clean.into_iter().partition(|check| check.ran);
        let (issues, issues_cut) = issues::issues(report);
        let (missing, missing_cut) = coverage::missing(report);
        let (files, files_cut) = issues::files(report);
        Self {
            name: one_line(report.package.as_str()),
            description: manifest.description.as_deref().map(|text| shortened(&one_line(text), 1000)),
            id: report.package_id.to_string(),
            created_at: time::format(report.created_at.0),
            style,
            style_hash,
            verdict: verdict::verdict(report, manifest),
            checks,
            findings,
            clean,
            never,
            issues,
            issues_cut,
            calendar: calendar.map(|calendar| Span {
                unit: calendar.unit.name(),
                first: calendar.first.to_string(),
                last: calendar.last.to_string(),
                is_day: calendar.unit == calendar::Unit::Day,
            }),
            has_missing: !missing.is_empty(),
            maps,
            maps_note,
            missing,
            missing_cut,
            gaps,
            days,
            files,
            files_cut,
            formulas: report.formulas.iter().take(20).map(|formula| shortened(formula, 1000)).collect(),
        }
    }
}
