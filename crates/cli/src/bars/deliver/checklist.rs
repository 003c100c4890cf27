//! The checklist of a delivery.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use pdp_bars::validate::{Kind, Report};
use serde::Deserialize;

use super::super::args::{Contents, DeliverArgs};
use super::super::report::{moment, unexplained};
use super::super::validate::Reports;

/// What is known beside the reports.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Whether there are raw bars.
    pub(super) raw: bool,
    /// Symbols and months whose raw bars are no longer what was fetched.
    pub(super) changed: Vec<String>,
    /// By symbol on which days there are bars, by instrument.
    pub(super) days: BTreeMap<String, BTreeMap<Option<u32>, BTreeSet<NaiveDate>>>,
    /// Symbols all of whose days, or all of whose months, are in these files.
    mapped: BTreeSet<String>,
    conditions: BTreeSet<String>,
    fetched: BTreeSet<String>,
}

/// From one day to before another a symbol stood for something.
#[derive(Debug, Deserialize)]
struct Span {
    start_date: NaiveDate,
    end_date: NaiveDate,
    symbol: String,
}

#[derive(Debug, Deserialize)]
struct Symbology {
    #[serde(default)]
    stype_in: String,
    mappings: BTreeMap<String, Vec<Span>>,
}

#[derive(Debug, Deserialize)]
struct Day {
    date: NaiveDate,
}

#[derive(Debug, Deserialize)]
struct Fetched {
    months: BTreeMap<String, Month>,
}

/// From one moment to before another bars were fetched.
#[derive(Debug, Deserialize)]
struct Month {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Month {
    fn has(&self, day: NaiveDate) -> bool {
        let last = self.end.checked_sub_signed(TimeDelta::nanoseconds(1));
        self.start.date_naive() <= day && last.is_some_and(|last| day <= last.date_naive())
    }
}

impl Facts {
    /// Looks into a file that is delivered with the data: whether it speaks of every day that has bars.
    pub(super) fn note(&mut self, symbol: &str, name: &str, text: &[u8]) {
        let Some(by_id) = self.days.get(symbol) else { return };
        let mut days = by_id.values().flatten();
        match name {
            "symbology.json" => {
                let Ok(found) = serde_json::from_slice::<Symbology>(text) else { return };
                // A parent's mappings are those of its instruments.
                let own = |name: &String| name == symbol || found.stype_in == "parent";
                let spans: Vec<&Span> =
                    found.mappings.iter().filter(|(name, _)| own(name)).flat_map(|(_, spans)| spans).collect();
                let is_said = |id: Option<u32>, day: &NaiveDate| {
                    let mut of_day = spans.iter().filter(|span| span.start_date <= *day && *day < span.end_date);
                    let id = id.map(|id| id.to_string());
                    of_day.any(|span| id.as_ref().is_none_or(|id| span.symbol == *id))
                };
                if by_id.iter().all(|(id, days)| days.iter().all(|day| is_said(*id, day))) {
                    self.mapped.insert(symbol.to_owned());
                }
            }
            "condition.json" => {
                let Ok(found) = serde_json::from_slice::<Vec<Day>>(text) else { return };
                let said: BTreeSet<NaiveDate> = found.into_iter().map(|day| day.date).collect();
                if days.all(|day| said.contains(day)) {
                    self.conditions.insert(symbol.to_owned());
                }
            }
            "fetch.json" => {
                let Ok(found) = serde_json::from_slice::<Fetched>(text) else { return };
                let of = |day: &NaiveDate| found.months.get(&day.format("%Y-%m").to_string());
                if days.all(|day| of(day).is_some_and(|month| month.has(*day))) {
                    self.fetched.insert(symbol.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// What was checked, and what is left to a person. `raw` are the reports of raw bars that are delivered, too.
pub(super) fn checklist(args: &DeliverArgs, reports: &Reports, raw: &Reports, facts: &Facts) -> String {
    let both = || reports.iter().chain(raw);
    let found: u64 = both().map(|(_, report)| report.found()).sum();
    let open: u64 = both().map(|(_, report)| unexplained(report)).sum();
    let mut text = "# Delivery\n\n".to_owned();
    text.push_str("| symbol | timeframe | bars | first | last | findings | gaps that nothing explains |\n");
    text.push_str("| --- | --- | ---: | --- | --- | ---: | ---: |\n");
    for (directory, report) in both() {
        let mut timeframe = report.timeframe.map(|timeframe| timeframe.to_string()).unwrap_or_default();
        // Where a timeframe is there in several forms.
        if let Some(form) =
            directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix("*."))
        {
            timeframe = format!("{timeframe}, {form}");
        }
        let time = |ts: Option<u64>| ts.map(moment).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {timeframe} | {} | {} | {} | {} | {} |",
            report.symbol.replace('|', "\\|"),
            report.bars,
            time(report.first),
            time(report.last),
            report.found(),
            unexplained(report)
        );
    }
    text.push_str("\n## Checked\n\n");
    let mut item = |done: bool, what: &str| {
        let _ = writeln!(text, "- [{}] {what}", if done { 'x' } else { ' ' });
    };
    let none = |kinds: &[Kind]| both().all(|(_, report)| kinds.iter().all(|kind| !report.counts.contains_key(kind)));
    item(none(&[Kind::Unreadable, Kind::NegativeVolume]), "every row can be read");
    item(none(&[Kind::Order, Kind::Duplicate]), "in order of time, without duplicates");
    item(none(&[Kind::Ohlc, Kind::NegativePrice]), "OHLC rules");
    item(none(&[Kind::Alignment, Kind::Month]), "aligned to their timeframes, in the files of their months");
    item(open == 0 && none(&[Kind::Gap, Kind::Missing]), "every gap is explained");
    let conserved = reports.iter().all(|(_, report)| report.volume.is_some_and(|check| check.bars == check.raw));
    let raw = [Kind::Volume, Kind::Price, Kind::Missing, Kind::Extra, Kind::Raw];
    item(facts.raw && conserved && none(&raw), "equal to the raw bars, volumes to the unit");
    let all = |is: &dyn Fn(&Report) -> bool| reports.iter().all(|(_, report)| is(report));
    item(
        facts.changed.is_empty() && all(&|report| facts.fetched.contains(&report.symbol)),
        "the raw bars are what was fetched (fetch.json)",
    );
    item(all(&|report| facts.mapped.contains(&report.symbol)), "what symbols stood for on each day (symbology.json)");
    item(all(&|report| facts.conditions.contains(&report.symbol)), "what the vendor says of each day (condition.json)");
    item(args.data != Contents::None, "the data are in the package");
    text.push_str("\n## To do by hand\n\n");
    text.push_str("- [ ] the vendor's licence allows to pass the data on\n");
    text.push_str("- [ ] the receiver knows the time zone: all times are UTC\n");
    text.push_str("- [ ] the package was sent, and its checksum by another way\n");
    text.push_str("\n## For the receiver\n\n```sh\npdp validate PACKAGE           # every checksum of the package\n");
    if args.data == Contents::None {
        text.push_str("sha256sum --check SHA256SUMS   # of the data, in the directory that has `aggregated`\n");
    }
    text.push_str("```\n");
    let changed = match facts.changed.as_slice() {
        [] => String::new(),
        changed => format!(" Raw bars are no longer what was fetched: {}.", changed.join(", ")),
    };
    let symbols: BTreeSet<&str> = both().map(|(_, report)| report.symbol.as_str()).collect();
    let timeframes: BTreeSet<String> =
        both().filter_map(|(_, report)| report.timeframe).map(|timeframe| timeframe.to_string()).collect();
    let verdict = match (found, open) {
        (0, 0) if !facts.changed.is_empty() => "No rule is broken".to_owned(),
        (0, 0) => "Nothing wrong was found".to_owned(),
        (0, 1) => "1 time without bars is not explained".to_owned(),
        (0, open) => format!("{open} times without bars are not explained"),
        (1, _) => "1 finding is in its report".to_owned(),
        (found, _) => format!("{found} findings are in its report"),
    };
    let _ = writeln!(
        text,
        "\n## Message\n\n> Bars of {} ({}) are ready. {verdict} (metadata/delivery/validation.html).{changed} Please check the package with `pdp \
         validate` before use.",
        symbols.into_iter().collect::<Vec<_>>().join(", "),
        timeframes.into_iter().collect::<Vec<_>>().join(", ")
    );
    text
}
