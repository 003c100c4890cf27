//! Records by day: bars, one strip for each event type, on the columns of the coverage map.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pdp_manifest::{EventType, QualityReport};
use serde::Serialize;

use super::calendar::Calendar;
use super::frame::{self, Frame, TOP};
use crate::show::{count, counted, html};

/// Most strips.
const MAX_STRIPS: usize = 8;
/// Height of the bars and of the room between two strips, in pixels.
const BARS: u32 = 64;
const BETWEEN: i64 = 26;
/// From this ratio between the greatest and the least bar on, the scale is logarithmic.
const LOG_FROM: u64 = 100;

/// The chart.
#[derive(Debug, Serialize)]
pub(super) struct Days {
    pub(super) frame: Frame,
    /// How the bars are to be read.
    note: String,
}

/// The bars of every event type; none where no record has a time.
pub(super) fn days(report: &QualityReport, calendar: &Calendar) -> Option<Days> {
    let mut types: BTreeMap<&EventType, BTreeMap<i64, u64>> = BTreeMap::new();
    for pair in &report.coverage {
        for day in &pair.days {
            let records = types.entry(&pair.event_type).or_default().entry(calendar.column(day.date)).or_default();
            *records = records.saturating_add(day.records);
        }
    }
    let mut strips: Vec<(&EventType, u64, BTreeMap<i64, u64>)> = types
        .into_iter()
        .map(|(event_type, bars)| (event_type, bars.values().copied().fold(0, u64::saturating_add), bars))
        .collect();
    // Those with the most records first; equal ones by name.
    strips.sort_by_key(|(_, total, _)| std::cmp::Reverse(*total));
    let all = strips.len();
    strips.truncate(MAX_STRIPS);
    let log = strips.iter().any(|(.., bars)| is_wide(bars));
    let strip_height = i64::from(BARS) + BETWEEN;
    let height = strip_height * i64::try_from(strips.len()).unwrap_or(0);
    let (mut drawing, mut names) = (frame::axis(calendar, height), String::new());
    for (at, (event_type, total, bars)) in (0_i64..).zip(&strips) {
        let bottom = TOP + (at + 1) * strip_height - 4;
        strip(&mut drawing, bars, log, calendar, bottom);
        frame::label(&mut names, event_type.as_str(), bottom - 22);
        let _ = writeln!(names, "<text class=\"sub\" x=\"104\" y=\"{}\">{}</text>", bottom - 2, html(&count(*total)));
    }
    if strips.is_empty() {
        return None;
    }
    let unit = calendar.unit.name();
    let title = format!("Records a {unit} by event type");
    let totals: Vec<String> = strips
        .iter()
        .map(|(event_type, total, _)| format!("{event_type} {}", counted(*total, "record", "records")))
        .collect();
    let about = format!("From {} to {}: {}.", calendar.first, calendar.last, totals.join(", "));
    let scale = if log { "The scale is logarithmic" } else { "The scale is linear from zero" };
    let cut = if all > strips.len() {
        format!(" The {MAX_STRIPS} event types with the most records of {all}.")
    } else {
        String::new()
    };
    let note = format!(
        "Each bar is a {unit}; the figure at the left is the sum, the one over the line the greatest bar. {scale}, and \
         each strip has its own.{cut}"
    );
    Some(Days { frame: Frame::new("d0", &title, &about, &names, &drawing, calendar.width() + 64, height + TOP), note })
}

/// Whether small bars would vanish beside great ones.
fn is_wide(bars: &BTreeMap<i64, u64>) -> bool {
    let least = bars.values().filter(|records| **records > 0).min();
    let greatest = bars.values().max();
    matches!((least, greatest), (Some(least), Some(greatest)) if greatest / least >= LOG_FROM)
}

fn strip(out: &mut String, bars: &BTreeMap<i64, u64>, log: bool, calendar: &Calendar, bottom: i64) {
    let greatest = bars.values().copied().max().unwrap_or(0);
    let step = calendar.step();
    let width = if step >= 4 { step - 1 } else { step };
    let mut path = String::new();
    for (column, records) in bars.iter().filter(|(_, records)| **records > 0) {
        let height = tall(*records, greatest, log);
        let _ = write!(path, "M{} {bottom}v-{height}h{width}v{height}", column * step);
    }
    let top = bottom - i64::from(BARS);
    let right = calendar.width();
    let _ = write!(out, "<path class=\"rule\" d=\"M0 {top}.5h{right}\"/><path class=\"bars\" d=\"{path}\"/>");
    let _ = write!(out, "<path class=\"base\" d=\"M0 {bottom}.5h{right}\"/>");
    let _ = writeln!(out, "<text class=\"most\" x=\"{}\" y=\"{}\">{}</text>", right + 6, top + 4, count(greatest));
}

/// Height of a bar in pixels, with a digit behind the point; what is there can be seen.
fn tall(records: u64, greatest: u64, log: bool) -> String {
    let share = match log {
        true => float(records.saturating_add(1)).ln() / float(greatest.saturating_add(1)).ln(),
        false => float(records) / float(greatest.max(1)),
    };
    format!("{:.1}", (share * f64::from(BARS)).max(1.0))
}

#[expect(clippy::cast_precision_loss, reason = "a bar has 64 pixels")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars() {
        assert_eq!([1, 50, 100].map(|records| tall(records, 100, false)), ["1.0", "32.0", "64.0"]);
        assert_eq!([1, 999, u64::MAX].map(|records| tall(records, u64::MAX, true)), ["1.0", "10.0", "64.0"]);
        assert!(is_wide(&BTreeMap::from([(0, 1), (1, 100), (2, 0)])));
        assert!(!is_wide(&BTreeMap::from([(0, 2), (1, 100)])));
        assert!(!is_wide(&BTreeMap::new()));
    }
}
