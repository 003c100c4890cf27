//! The coverage map: symbols down, days across, one map for each event type.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pdp_manifest::quality::{Coverage, DayCount};
use pdp_manifest::{EventType, QualityReport};
use serde::Serialize;

use super::calendar::{Calendar, Unit};
use super::frame::{self, Frame, TOP};
use crate::show::{count, counted, html, len, shortened};

/// Most rows of one map, and of all maps together.
const MAX_ROWS: usize = 50;
const MAX_ROWS_IN_ALL: usize = 160;
/// Most rows of the table of missing days.
const MAX_MISSING: usize = 25;
/// Dates that are named of one pair.
const DATES: usize = 8;
/// Height of a row in pixels.
const ROW: i64 = 17;
/// Shades of a cell.
const SHADES: usize = 4;

/// The map of one event type.
#[derive(Debug, Serialize)]
pub(super) struct Map {
    pub(super) event_type: String,
    pub(super) frame: Frame,
    /// What the shades mean.
    legend: Vec<Shade>,
    /// What was left out.
    cut: Option<String>,
}

#[derive(Debug, Serialize)]
struct Shade {
    class: String,
    text: String,
}

/// A pair with days missing.
#[derive(Debug, Serialize)]
pub(super) struct Missing {
    symbol: String,
    event_type: String,
    count: String,
    expected: String,
    dates: String,
}

/// Days and records of one column.
#[derive(Debug, Default, Clone, Copy)]
struct Cell {
    records: u64,
    missing: u64,
}

/// The maps of all event types, and a line on those that have none.
pub(super) fn maps(report: &QualityReport, calendar: &Calendar) -> (Vec<Map>, Option<String>) {
    let mut types: BTreeMap<&EventType, Vec<&Coverage>> = BTreeMap::new();
    for pair in &report.coverage {
        types.entry(&pair.event_type).or_default().push(pair);
    }
    let (mut maps, mut left, mut undrawn) = (Vec::new(), MAX_ROWS_IN_ALL, Vec::new());
    for (event_type, pairs) in types {
        let rows = MAX_ROWS.min(left);
        if rows == 0 {
            undrawn.push(event_type.to_string());
            continue;
        }
        left = left.saturating_sub(pairs.len().min(rows));
        maps.push(map(event_type, pairs, rows, calendar, maps.len()));
    }
    let note = (!undrawn.is_empty()).then(|| {
        let shown: Vec<&str> = undrawn.iter().take(12).map(String::as_str).collect();
        let more = if undrawn.len() > shown.len() { " and more" } else { "" };
        format!("Not drawn, to keep this page small: {}{more}.", shown.join(", "))
    });
    (maps, note)
}

fn map(event_type: &EventType, mut pairs: Vec<&Coverage>, rows: usize, calendar: &Calendar, index: usize) -> Map {
    let total = pairs.len();
    let cut = (total > rows).then(|| {
        // The worst first, then the thinnest.
        pairs.sort_by(|a, b| {
            b.missing_days.len().cmp(&a.missing_days.len()).then_with(|| a.days.len().cmp(&b.days.len()))
        });
        format!("{} of {total} symbols: those with the most days missing, then those with the fewest days.", rows)
    });
    pairs.truncate(rows);
    let cells: Vec<BTreeMap<i64, Cell>> = pairs.iter().map(|pair| columns(pair, calendar)).collect();
    let bounds = bounds(cells.iter().flat_map(|row| row.values().map(|cell| cell.records)));
    let mut drawing = frame::axis(calendar, ROW * i64::try_from(pairs.len()).unwrap_or(0));
    let mut labels = String::new();
    for (at, (pair, row)) in (0_i64..).zip(pairs.iter().zip(&cells)) {
        let y = TOP + at * ROW + ROW / 2;
        draw_row(&mut drawing, pair, row, &bounds, calendar, y);
        frame::label(&mut labels, pair.symbol.as_str(), y);
    }
    let (with, missing) = sums(&pairs);
    let title = format!("Coverage of {event_type}: records by symbol and {}", calendar.unit.name());
    let about = format!(
        "{} from {} to {}: {with} days with data, {missing} missing. A table of the missing days follows the maps.",
        counted(len(&pairs), "symbol", "symbols"),
        calendar.first,
        calendar.last,
    );
    let height = TOP + ROW * i64::try_from(pairs.len()).unwrap_or(0) + 4;
    Map {
        event_type: event_type.to_string(),
        frame: Frame::new(&format!("m{index}"), &title, &about, &labels, &drawing, calendar.width() + 64, height),
        legend: legend(&bounds, calendar.unit),
        cut,
    }
}

/// One row: a band over the span of the pair, the cells by shade, the missing days, and the sum at its end.
fn draw_row(out: &mut String, pair: &Coverage, row: &BTreeMap<i64, Cell>, bounds: &[u64], calendar: &Calendar, y: i64) {
    let step = calendar.step();
    let width = if step >= 6 { step - 1 } else { step };
    let _ = write!(out, "<g transform=\"translate(0 {y})\"><title>{}</title>", html(&in_words(pair)));
    if let (Some((first, _)), Some((last, _))) = (row.first_key_value(), row.last_key_value()) {
        let _ = write!(out, "<path class=\"band\" d=\"M{} 0h{}\"/>", first * step, (last - first + 1) * step);
    }
    let mut shades: BTreeMap<usize, String> = BTreeMap::new();
    let mut open: Option<(usize, i64, i64)> = None;
    let close = |run: Option<(usize, i64, i64)>, shades: &mut BTreeMap<usize, String>| {
        if let Some((shade, from, to)) = run {
            let _ = write!(shades.entry(shade).or_default(), "M{} 0h{}", from * step, (to - from) * step + width);
        }
    };
    for (column, cell) in row.iter().filter(|(_, cell)| cell.records > 0) {
        let shade = shade(cell.records, bounds);
        // Neighbours of one shade are drawn in one stroke where there is no room for a line between them.
        open = match open {
            Some((same, from, to)) if same == shade && to + 1 == *column && width == step => {
                Some((same, from, *column))
            }
            other => {
                close(other, &mut shades);
                Some((shade, *column, *column))
            }
        };
    }
    close(open, &mut shades);
    for (shade, path) in shades {
        let _ = write!(out, "<path class=\"s{shade}\" d=\"{path}\"/>");
    }
    let (mut marks, mut rings) = (String::new(), String::new());
    for (column, _) in row.iter().filter(|(_, cell)| cell.missing > 0) {
        let x = column * step;
        if step >= 9 {
            let _ = write!(marks, "M{} -3l6 6m0-6l-6 6", x + (width - 6) / 2);
        } else {
            let _ = write!(marks, "M{x} 0h{width}");
            let _ = write!(rings, "M{} 0h{}", x - 1, width + 2);
        }
    }
    if !rings.is_empty() {
        let _ = write!(out, "<path class=\"ring\" d=\"{rings}\"/>");
    }
    if !marks.is_empty() {
        let class = if step >= 9 { "cross" } else { "dash" };
        let _ = write!(out, "<path class=\"{class}\" d=\"{marks}\"/>");
    }
    let (with, expected) = (pair.days.len(), pair.days.len() + pair.missing_days.len());
    let _ = writeln!(out, "<text class=\"sum\" x=\"{}\" y=\"4\">{with}/{expected}</text></g>", calendar.width() + 6);
}

fn columns(pair: &Coverage, calendar: &Calendar) -> BTreeMap<i64, Cell> {
    let mut cells: BTreeMap<i64, Cell> = BTreeMap::new();
    for day in &pair.days {
        let cell = cells.entry(calendar.column(day.date)).or_default();
        cell.records = cell.records.saturating_add(day.records);
    }
    for date in &pair.missing_days {
        cells.entry(calendar.column(*date)).or_default().missing += 1;
    }
    cells
}

/// The greatest count of each shade: the quarters of all cells with records.
fn bounds(records: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut all: Vec<u64> = records.filter(|records| *records > 0).collect();
    all.sort_unstable();
    let quarter = |part: usize| all.get((all.len() * part).div_ceil(SHADES).saturating_sub(1)).copied();
    let mut bounds: Vec<u64> = (1..=SHADES).filter_map(quarter).collect();
    bounds.dedup();
    bounds
}

/// The shade of a count; fewer than four shades take the darker ones.
fn shade(records: u64, bounds: &[u64]) -> usize {
    bounds.partition_point(|bound| *bound < records) + 1 + SHADES.saturating_sub(bounds.len())
}

fn legend(bounds: &[u64], unit: Unit) -> Vec<Shade> {
    let mut below = 0;
    let mut shades = Vec::new();
    for bound in bounds {
        let from = below + 1;
        let range = if from == *bound { count(*bound) } else { format!("{} to {}", count(from), count(*bound)) };
        let text = if shades.is_empty() {
            format!("{range} {} a {}", if *bound == 1 { "record" } else { "records" }, unit.name())
        } else {
            range
        };
        shades.push(Shade { class: format!("s{}", shade(*bound, bounds)), text });
        below = *bound;
    }
    shades
}

fn sums(pairs: &[&Coverage]) -> (String, String) {
    let with = pairs.iter().map(|pair| len(&pair.days)).sum();
    let missing = pairs.iter().map(|pair| len(&pair.missing_days)).sum();
    (count(with), count(missing))
}

fn in_words(pair: &Coverage) -> String {
    let records = pair.days.iter().map(|day| day.records).fold(0, u64::saturating_add);
    let span = match pair.days.as_slice() {
        [DayCount { date, .. }] => format!(" on {date}"),
        [first, .., last] => format!(" on {} days from {} to {}", pair.days.len(), first.date, last.date),
        [] => String::new(),
    };
    let missing = match dates(pair).as_str() {
        "" => String::new(),
        dates => format!("; missing {dates}"),
    };
    format!("{}: {}{span}{missing}", pair.symbol, counted(records, "record", "records"))
}

/// The first missing days, by name.
fn dates(pair: &Coverage) -> String {
    let named: Vec<String> = pair.missing_days.iter().take(DATES).map(ToString::to_string).collect();
    let more = pair.missing_days.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", named.join(", "))
}

/// The pairs with days missing, the worst first, and what was left out of that table.
pub(super) fn missing(report: &QualityReport) -> (Vec<Missing>, Option<String>) {
    let mut pairs: Vec<&Coverage> = report.coverage.iter().filter(|pair| !pair.missing_days.is_empty()).collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.missing_days.len()));
    let cut = (pairs.len() > MAX_MISSING)
        .then(|| format!("The {MAX_MISSING} with the most of {}.", counted(len(&pairs), "row", "rows")));
    let rows = pairs.iter().take(MAX_MISSING).map(|pair| Missing {
        symbol: shortened(pair.symbol.as_str(), 60),
        event_type: pair.event_type.to_string(),
        count: count(len(&pair.missing_days)),
        expected: count(len(&pair.missing_days).saturating_add(len(&pair.days))),
        dates: dates(pair),
    });
    (rows.collect(), cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_are_quarters() {
        let found = bounds([1, 2, 3, 4, 5, 6, 7, 8, 0].into_iter());
        assert_eq!(found, [2, 4, 6, 8]);
        assert_eq!([1, 2, 3, 8].map(|records| shade(records, &found)), [1, 1, 2, 4]);
        // One count: one shade, the darkest.
        let found = bounds([9, 9, 9].into_iter());
        assert_eq!((found.as_slice(), shade(9, &found)), ([9].as_slice(), 4));
        assert!(bounds(std::iter::empty()).is_empty());
    }

    #[test]
    fn the_legend_leaves_no_count_out() {
        let texts: Vec<String> = legend(&[1, 40, 1000], Unit::Week).into_iter().map(|shade| shade.text).collect();
        assert_eq!(texts, ["1 record a week", "2 to 40", "41 to 1,000"]);
    }
}
