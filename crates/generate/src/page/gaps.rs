//! Long times without a record, on a time axis and in a table.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pdp_manifest::quality::{TimeGap, TimeGaps};
use pdp_manifest::{EventType, FileQuality, QualityReport, Symbol};
use serde::Serialize;

use super::frame::{self, Frame, TOP};
use crate::show::{count, counted, duration, html, shortened};

/// Most rows of the timeline and of the table.
const MAX_ROWS: usize = 40;
const MAX_LISTED: usize = 25;
/// Width of the time axis, height of a row, room at the end of a row; in pixels.
const WIDTH: i64 = 840;
const ROW: i64 = 18;
const END: i64 = 170;
/// Most labels on the axis.
const LABELS: i64 = 11;

/// The timeline and the table below it.
#[derive(Debug, Serialize)]
pub(super) struct Gaps {
    pub(super) frame: Frame,
    rows: Vec<Row>,
    /// How many there are, and what counts as one.
    note: String,
    cut: Option<String>,
    listed_cut: Option<String>,
}

/// One of the longest gaps.
#[derive(Debug, Serialize)]
struct Row {
    length: String,
    who: String,
    from: String,
    to: String,
    place: String,
}

/// The gaps of one symbol and event type, over its files.
#[derive(Default)]
struct Series<'a> {
    gaps: Vec<(&'a FileQuality, &'a TimeGap)>,
    count: u64,
    longest: TimeDelta,
}

fn length(gap: &TimeGap) -> TimeDelta {
    gap.end.0.signed_duration_since(gap.start.0)
}

/// The timeline; none where no file has a long time without a record.
pub(super) fn gaps(report: &QualityReport) -> Option<Gaps> {
    let mut by_pair: BTreeMap<(&Symbol, &EventType), Series<'_>> = BTreeMap::new();
    for (file, gaps) in report.files.iter().filter_map(|file| Some((file, file.gaps.as_ref()?))) {
        if gaps.count == 0 {
            continue;
        }
        let series = by_pair.entry((&file.symbol, &file.event_type)).or_default();
        series.count = series.count.saturating_add(gaps.count);
        series.longest = gaps.longest.iter().map(length).fold(series.longest, TimeDelta::max);
        series.gaps.extend(gaps.longest.iter().map(|gap| (file, gap)));
    }
    let axis = Axis::of(report)?;
    let mut rows: Vec<_> = by_pair.into_iter().collect();
    rows.sort_by_key(|(_, series)| std::cmp::Reverse(series.longest));
    if rows.is_empty() {
        return None;
    }
    let all = rows.len();
    let total = rows.iter().map(|(_, series)| series.count).fold(0, u64::saturating_add);
    let (listed, listed_all) = longest(&rows);
    rows.truncate(MAX_ROWS);
    let height = ROW * i64::try_from(rows.len()).unwrap_or(0);
    let (mut drawing, mut names) = (axis.draw(height), String::new());
    for (at, (pair, series)) in (0_i64..).zip(&rows) {
        let y = TOP + at * ROW + ROW / 2;
        frame::label(&mut names, pair.0.as_str(), y);
        draw(&mut drawing, *pair, series, &axis, y);
    }
    let title = "Long times without a record, by symbol".to_owned();
    let about = format!(
        "{} in {}, from {} to {}. A table of the longest follows.",
        counted(total, "time", "times"),
        counted(u64::try_from(all).unwrap_or(u64::MAX), "series", "series"),
        minute(axis.start),
        minute(axis.end)
    );
    Some(Gaps {
        frame: Frame::new("g0", &title, &about, &names, &drawing, WIDTH + END, height + TOP + 4),
        rows: listed,
        note: format!(
            "{}. {}",
            counted(total, "long time without a record", "long times without a record"),
            threshold(report)
        ),
        cut: (all > MAX_ROWS).then(|| {
            format!("The {MAX_ROWS} of {} series with the longest.", count(u64::try_from(all).unwrap_or(u64::MAX)))
        }),
        listed_cut: (u64::try_from(MAX_LISTED).is_ok_and(|most| listed_all > most))
            .then(|| format!("The {MAX_LISTED} longest.")),
    })
}

/// What counts as long in these files.
fn threshold(report: &QualityReport) -> String {
    let all = report.files.iter().filter_map(|file| file.gaps.as_ref()).filter(|gaps| gaps.count > 0);
    let seconds = |gaps: &TimeGaps| TimeDelta::from_std(Duration::try_from_secs_f64(gaps.threshold_seconds).ok()?).ok();
    let all: Vec<TimeDelta> = all.filter_map(seconds).collect();
    let (Some(least), Some(most)) = (all.iter().min(), all.iter().max()) else { return String::new() };
    if least == most {
        return format!("Long is, in every file, more than {}.", duration(*least));
    }
    format!("What is long is measured by each file's own pace: more than {} to {}.", duration(*least), duration(*most))
}

/// The longest gaps of all, for the table, and how many are known.
fn longest(rows: &[((&Symbol, &EventType), Series<'_>)]) -> (Vec<Row>, u64) {
    let mut all: Vec<(&FileQuality, &TimeGap)> =
        rows.iter().flat_map(|(_, series)| series.gaps.iter().copied()).collect();
    all.sort_by_key(|(_, gap)| (std::cmp::Reverse(length(gap)), gap.start.0));
    let known = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let row = |(file, gap): &(&FileQuality, &TimeGap)| Row {
        length: duration(length(gap)),
        who: format!("{} {}", shortened(file.symbol.as_str(), 60), file.event_type),
        from: second(gap.start.0),
        to: second(gap.end.0),
        place: format!("{}, line {}", shortened(file.path.as_str(), 160), count(gap.line)),
    };
    (all.iter().take(MAX_LISTED).map(row).collect(), known)
}

fn draw(out: &mut String, (symbol, event_type): (&Symbol, &EventType), series: &Series<'_>, axis: &Axis, y: i64) {
    let words = format!(
        "{symbol} {event_type}: {}, the longest {}",
        counted(series.count, "long time without a record", "long times without a record"),
        duration(series.longest)
    );
    let _ = write!(out, "<g transform=\"translate(0 {y})\"><title>{}</title>", html(&words));
    let _ = write!(out, "<path class=\"rule\" d=\"M0 0h{WIDTH}\"/><path class=\"gap\" d=\"");
    for (from, to) in runs(series, axis) {
        let _ = write!(out, "M{from} 0h{}", to - from);
    }
    let text = format!("{} (of {})", duration(series.longest), count(series.count));
    let text = format!("{text} {}", shortened(event_type.as_str(), 10));
    let _ = writeln!(out, "\"/><text class=\"sum\" x=\"{}\" y=\"4\">{}</text></g>", WIDTH + 6, html(&text));
}

/// The gaps in pixels, those that touch as one: many files may have many, and the axis has only so many pixels.
fn runs(series: &Series<'_>, axis: &Axis) -> Vec<(i64, i64)> {
    // What is there can be seen.
    let pixels = |gap: &TimeGap| (axis.x(gap.start.0), axis.x(gap.end.0).max(axis.x(gap.start.0) + 2));
    let mut all: Vec<(i64, i64)> = series.gaps.iter().map(|(_, gap)| pixels(gap)).collect();
    all.sort_unstable();
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for (from, to) in all {
        match runs.last_mut() {
            Some(run) if from <= run.1 => run.1 = run.1.max(to),
            _ => runs.push((from, to)),
        }
    }
    runs
}

fn minute(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M").to_string()
}

fn second(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Time from the first record of the package to the last.
struct Axis {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Axis {
    fn of(report: &QualityReport) -> Option<Self> {
        let start = report.files.iter().filter_map(|file| file.first_timestamp).map(|time| time.0).min()?;
        let end = report.files.iter().filter_map(|file| file.last_timestamp).map(|time| time.0).max()?;
        (start < end).then_some(Self { start, end })
    }

    /// Milliseconds from the start; no time of the calendar is too far for them.
    fn offset(&self, time: DateTime<Utc>) -> i64 {
        time.signed_duration_since(self.start).num_milliseconds()
    }

    fn x(&self, time: DateTime<Utc>) -> i64 {
        let whole = i128::from(self.offset(self.end).max(1));
        let x = i128::from(self.offset(time)) * i128::from(WIDTH) / whole;
        i64::try_from(x).unwrap_or(0).clamp(0, WIDTH)
    }

    /// The labels, at round times.
    fn draw(&self, height: i64) -> String {
        const STEPS: [i64; 17] = [
            1, 5, 15, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 7_776_000,
            31_536_000,
        ];
        let span = self.offset(self.end) / 1000;
        let long = STEPS.last().copied().unwrap_or(1) * (span / LABELS / 31_536_000 + 1);
        let step = STEPS.into_iter().find(|step| span / step < LABELS).unwrap_or(long);
        let form = match (step, span) {
            (86_400.., _) => "%Y-%m-%d",
            (60.., ..86_400) => "%H:%M",
            (..60, _) => "%H:%M:%S",
            _ => "%m-%d %H:%M",
        };
        let mut out = String::new();
        let mut at = self.start.timestamp().div_euclid(step) * step;
        if at < self.start.timestamp() {
            at += step;
        }
        while let Some(time) = DateTime::from_timestamp(at, 0).filter(|time| *time <= self.end) {
            frame::tick(&mut out, self.x(time), &time.format(form).to_string(), height);
            at += step;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(start: &str, end: &str) -> Axis {
        Axis { start: start.parse().unwrap(), end: end.parse().unwrap() }
    }

    #[test]
    fn the_axis_has_labels_for_any_span() {
        for (start, end, label) in [
            ("2024-01-03T14:30:00Z", "2024-01-03T14:30:20Z", ">14:30:05<"),
            ("2024-01-03T14:30:00Z", "2024-01-03T20:59:59Z", ">15:00<"),
            ("2024-01-03T14:30:00Z", "2024-01-05T20:59:59Z", ">01-04 12:00<"),
            ("2024-01-03T14:30:00Z", "2024-07-05T20:59:59Z", ">2024-0"),
            ("0001-01-01T00:00:00Z", "2024-07-05T20:59:59Z", ">1"),
        ] {
            let drawn = axis(start, end).draw(10);
            assert!(drawn.contains(label), "{start}: {drawn}");
            assert!(drawn.matches("<text").count() <= 13, "{start}: {drawn}");
        }
    }

    #[test]
    fn times_lie_in_proportion() {
        let axis = axis("2024-01-03T00:00:00Z", "2024-01-04T00:00:00Z");
        let x = |time: &str| axis.x(time.parse().unwrap());
        assert_eq!([x("2024-01-03T00:00:00Z"), x("2024-01-03T12:00:00Z"), x("2024-01-05T00:00:00Z")], [0, 420, 840]);
    }
}
