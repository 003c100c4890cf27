//! A timeline of gaps as a picture: a row for each day, month or year in UTC, under an axis of hours, days or months.

use std::fmt::Write as _;

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, Utc};
use pdp_bars::validate::{Gap, GapReason, Gaps};

use super::html::{colour, escaped};
use super::json::moment;

/// The width of a row, in units of the picture, and of the label before it.
const WIDTH: u32 = 1000;
const LABEL: u32 = 80;
/// From one row to the next.
const PITCH: u32 = 22;
const HOUR: u64 = 3_600_000_000_000;
const DAY: u64 = 24 * HOUR;

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Day,
    Month,
    Year,
}

impl Unit {
    /// The one that gives a picture that is neither long nor coarse.
    fn of(length: u64) -> Self {
        match length / DAY {
            0..=9 => Self::Day,
            10..=1860 => Self::Month,
            _ => Self::Year,
        }
    }

    /// Nanoseconds of the longest.
    const fn longest(self) -> u64 {
        match self {
            Self::Day => DAY,
            Self::Month => 31 * DAY,
            Self::Year => 366 * DAY,
        }
    }

    fn first(self, of: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => Some(of),
            Self::Month => of.with_day(1),
            Self::Year => NaiveDate::from_ymd_opt(of.year(), 1, 1),
        }
    }

    fn next(self, of: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => of.checked_add_days(Days::new(1)),
            Self::Month => of.checked_add_months(Months::new(1)),
            Self::Year => of.checked_add_months(Months::new(12)),
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
            Self::Year => "%Y",
        }
    }

    /// What stands above the rows, and how far from their beginning.
    fn ticks(self) -> Vec<(u64, String)> {
        const NAMES: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        match self {
            Self::Day => (0..24).step_by(3).map(|hour| (hour * HOUR, format!("{hour:02}:00"))).collect(),
            Self::Month => [1, 5, 10, 15, 20, 25, 30].map(|day| ((day - 1) * DAY, day.to_string())).into(),
            // Those of a year of 365 days: a day later in March is less than can be seen.
            Self::Year => {
                let starts = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
                starts.into_iter().zip(NAMES).map(|(day, name)| (day * DAY, name.to_owned())).collect()
            }
        }
    }
}

fn nanos(date: NaiveDate) -> Option<u64> {
    let seconds = date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    u64::try_from(seconds).ok()?.checked_mul(1_000_000_000)
}

fn date(ts: u64) -> NaiveDate {
    let seconds = i64::try_from(ts / 1_000_000_000).unwrap_or(i64::MAX);
    DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or_default().date_naive()
}

/// The rows: their labels, and from when to when they are.
fn rows(unit: Unit, (start, end): (u64, u64)) -> Vec<(String, u64, u64)> {
    let mut rows = Vec::new();
    let mut first = unit.first(date(start));
    while let Some(day) = first
        && let Some(from) = nanos(day)
        && from < end
    {
        first = unit.next(day);
        let to = first.and_then(nanos).unwrap_or(u64::MAX);
        rows.push((day.format(unit.label()).to_string(), from, to));
    }
    rows
}

/// Draws one.
pub(super) fn draw(gaps: &Gaps, out: &mut String) {
    let (start, end) = gaps.span;
    if end <= start {
        return;
    }
    let unit = Unit::of(end - start);
    let rows = rows(unit, gaps.span);
    let height = PITCH * (u32::try_from(rows.len()).unwrap_or(u32::MAX / PITCH - 1) + 1);
    let width = WIDTH + LABEL;
    let _ = write!(
        out,
        "<svg viewBox=\"0 0 {width} {height}\" role=img aria-label=\"Timeline of gaps, in UTC\" font-size=13 fill=currentColor>"
    );
    for (at, text) in unit.ticks() {
        let x = f64::from(LABEL) + scaled(at, unit);
        let _ = write!(
            out,
            "<text x={:.0} y=13>{text}</text><path d=\"M{x:.2} 3V{height}\" stroke=currentColor opacity=.25 />",
            x + 3.0
        );
    }
    for (number, (label, from, to)) in (1..).zip(&rows) {
        row(gaps, unit, (label, *from, *to), number * PITCH + 4, out);
    }
    out.push_str("</svg>");
}

fn row(gaps: &Gaps, unit: Unit, (label, from, to): (&str, u64, u64), y: u32, out: &mut String) {
    let (first, last) = (from.max(gaps.span.0), to.min(gaps.span.1));
    let x = |ts: u64| f64::from(LABEL) + scaled(ts.saturating_sub(from), unit);
    let _ = write!(
        out,
        "<text x=0 y={}>{label}</text><rect x={:.2} y={y} width={:.2} height=14 fill=\"{}\"/>",
        y + 12,
        x(first),
        scaled(last.saturating_sub(first), unit),
        colour(None)
    );
    // What nothing explains comes last, over all else, and never too thin to be seen.
    let (unknown, known): (Vec<&Gap>, Vec<&Gap>) =
        within(&gaps.parts, first, last).partition(|gap| gap.reason == GapReason::Unknown);
    let all = [(&known, 0.5), (&unknown, 2.0)];
    for (start, width, gap) in all.into_iter().flat_map(|(gaps, least)| drawn(gaps, (first, last), unit, least)) {
        let _ = write!(
            out,
            "<rect x={:.2} y={y} width={width:.2} height=14 fill=\"{}\"><title>{}</title></rect>",
            x(start),
            colour(Some(gap.reason)),
            escaped(&title(gap))
        );
    }
}

/// The gaps between two moments.
fn within(parts: &[Gap], from: u64, to: u64) -> impl Iterator<Item = &Gap> {
    let first = parts.partition_point(|gap| gap.end <= from);
    parts.iter().skip(first).take_while(move |gap| gap.start < to)
}

/// What is drawn of gaps between two moments: where it begins, and how wide it is. Thin ones that lie where another is drawn are left
/// out, so that a page has a size whatever the data have.
fn drawn<'a>(parts: &[&'a Gap], (from, to): (u64, u64), unit: Unit, least: f64) -> Vec<(u64, f64, &'a Gap)> {
    let mut out: Vec<(u64, f64, &Gap)> = Vec::new();
    for gap in parts {
        let start = gap.start.max(from);
        let width = scaled(gap.end.min(to).saturating_sub(start), unit).max(least);
        let covered = out.last().is_some_and(|(last, before, _)| scaled(start - last, unit) < *before);
        if !covered || width > least {
            out.push((start, width, gap));
        }
    }
    out
}

fn title(gap: &Gap) -> String {
    format!("{}: {} to {}: {}", gap.reason, moment(gap.start), moment(gap.end), gap.why)
}

/// A length of time as units of the picture.
fn scaled(nanos: u64, unit: Unit) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let share = nanos as f64 / unit.longest() as f64;
    share * f64::from(WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_706_662_800_000_000_000; // 2024-01-31T01:00:00Z

    #[test]
    fn rows_are_those_of_the_calendar() {
        let labels = |length: u64| {
            let unit = Unit::of(length);
            let rows = rows(unit, (START, START + length));
            // One behind the other, none longer than the axis, and the span is in them.
            assert!(rows.windows(2).all(|pair| pair[0].2 == pair[1].1));
            assert!(rows.iter().all(|row| row.2 - row.1 <= unit.longest()));
            assert!(rows[0].1 <= START && rows[rows.len() - 1].2 >= START + length);
            (rows[0].0.clone(), rows[rows.len() - 1].0.clone(), rows.len())
        };
        assert_eq!(labels(HOUR), ("2024-01-31".into(), "2024-01-31".into(), 1));
        assert_eq!(labels(2 * DAY), ("2024-01-31".into(), "2024-02-02".into(), 3));
        assert_eq!(labels(30 * DAY), ("2024-01".into(), "2024-03".into(), 3));
        assert_eq!(labels(3000 * DAY), ("2024".into(), "2032".into(), 9));
        // Nobody's data go on so long, but a page is made all the same.
        assert_eq!(labels(fxd::MAX_TS - START).2, 239);
    }

    #[test]
    fn many_thin_gaps_are_few_in_a_picture() {
        let gap = |at: u64| Gap {
            start: START + at * 2_000_000_000,
            end: START + at * 2_000_000_000 + 1_000_000_000,
            reason: GapReason::NoTrade,
            why: String::new(),
        };
        let gaps: Vec<Gap> = (0..100_000).map(gap).collect();
        let all: Vec<&Gap> = gaps.iter().collect();
        let drawn = drawn(&all, (START, START + 30 * DAY), Unit::Month, 0.5);
        assert!((100..400).contains(&drawn.len()), "{}", drawn.len());
    }
}
