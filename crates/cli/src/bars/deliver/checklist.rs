//! The checklist of a delivery.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use pdp_bars::validate::{Kind, Report};
use serde_json::Value;

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
    /// Symbols that have a mapping, and whose days the vendor speaks of from the first date to the last.
    mapped: BTreeSet<String>,
    conditions: Vec<(String, String, String)>,
    fetched: BTreeSet<String>,
}

impl Facts {
    /// Looks into a file that is delivered with the data.
    pub(super) fn note(&mut self, symbol: &str, name: &str, text: &[u8]) {
        let json: Value = serde_json::from_slice(text).unwrap_or_default();
        match name {
            "symbology.json" => {
                let some = |spans: &Value| spans.as_array().is_some_and(|spans| !spans.is_empty());
                // A parent's mappings are those of its instruments.
                let own = json.pointer("/mappings").and_then(|all| all.get(symbol)).is_some_and(some);
                let parent = json.get("stype_in").is_some_and(|kind| kind == "parent")
                    && json.get("mappings").and_then(Value::as_object).is_some_and(|all| all.values().any(some));
                if own || parent {
                    self.mapped.insert(symbol.to_owned());
                }
            }
            "condition.json" => {
                let days = json.as_array().into_iter().flatten();
                let mut dates: Vec<&str> = days.filter_map(|day| day.get("date").and_then(Value::as_str)).collect();
                dates.sort_unstable();
                if let (Some(first), Some(last)) = (dates.first(), dates.last()) {
                    self.conditions.push((symbol.to_owned(), (*first).to_owned(), (*last).to_owned()));
                }
            }
            "fetch.json" => {
                self.fetched.insert(symbol.to_owned());
            }
            _ => {}
        }
    }

    /// Whether the vendor speaks of all days of a report's bars.
    fn has_condition(&self, report: &Report) -> bool {
        let day =
            |ts: Option<u64>| ts.map(moment).and_then(|text| text.get(..10).map(str::to_owned)).unwrap_or_default();
        let (first, last) = (day(report.first), day(report.last));
        self.conditions.iter().any(|(symbol, from, to)| *symbol == report.symbol && *from <= first && last <= *to)
    }
}

/// What was checked, and what is left to a person.
pub(super) fn checklist(args: &DeliverArgs, reports: &Reports, facts: &Facts) -> String {
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    let open: u64 = reports.iter().map(|(_, report)| unexplained(report)).sum();
    let mut text = "# Delivery\n\n".to_owned();
    text.push_str("| symbol | timeframe | bars | first | last | findings | gaps that nothing explains |\n");
    text.push_str("| --- | --- | ---: | --- | --- | ---: | ---: |\n");
    for (_, report) in reports {
        let timeframe = report.timeframe.map(|timeframe| timeframe.to_string()).unwrap_or_default();
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
    let none =
        |kinds: &[Kind]| reports.iter().all(|(_, report)| kinds.iter().all(|kind| !report.counts.contains_key(kind)));
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
    item(all(&|report| facts.has_condition(report)), "what the vendor says of each day (condition.json)");
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
    let symbols: BTreeSet<&str> = reports.iter().map(|(_, report)| report.symbol.as_str()).collect();
    let timeframes: BTreeSet<String> =
        reports.iter().filter_map(|(_, report)| report.timeframe).map(|timeframe| timeframe.to_string()).collect();
    let verdict = match (found, open) {
        (0, 0) => "Nothing wrong was found".to_owned(),
        (0, open) => format!("{open} times without bars are not explained"),
        (found, _) => format!("{found} findings are in its report"),
    };
    let _ = writeln!(
        text,
        "\n## Message\n\n> Bars of {} ({}) are ready. {verdict} (metadata/delivery/validation.html). Please check the package with `pdp \
         validate` before use.",
        symbols.into_iter().collect::<Vec<_>>().join(", "),
        timeframes.into_iter().collect::<Vec<_>>().join(", ")
    );
    text
}
