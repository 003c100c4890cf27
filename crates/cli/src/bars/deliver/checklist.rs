//! The checklist of a delivery.

use std::fmt::Write as _;

use pdp_bars::validate::Kind;

use super::super::args::{Contents, DeliverArgs};
use super::super::report::moment;
use super::super::validate::Reports;

/// What was checked, and what is left to a person.
pub(super) fn checklist(args: &DeliverArgs, reports: &Reports, kept: &[(String, &str)], raw: bool) -> String {
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    let mut text = "# Delivery\n\n".to_owned();
    text += "| symbol | timeframe | bars | first | last | findings |\n| --- | --- | ---: | --- | --- | ---: |\n";
    for (_, report) in reports {
        let timeframe = report.timeframe.map(|timeframe| timeframe.to_string()).unwrap_or_default();
        let time = |ts: Option<u64>| ts.map(moment).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {timeframe} | {} | {} | {} | {} |",
            report.symbol.replace('|', "\\|"),
            report.bars,
            time(report.first),
            time(report.last),
            report.found()
        );
    }
    text += "\n## Checked\n\n";
    let mut item = |done: bool, what: &str| {
        let _ = writeln!(text, "- [{}] {what}", if done { 'x' } else { ' ' });
    };
    let none =
        |kinds: &[Kind]| reports.iter().all(|(_, report)| kinds.iter().all(|kind| !report.counts.contains_key(kind)));
    item(none(&[Kind::Unreadable, Kind::NegativeVolume]), "every row can be read");
    item(none(&[Kind::Order, Kind::Duplicate]), "in order of time, without duplicates");
    item(none(&[Kind::Ohlc, Kind::NegativePrice]), "OHLC rules");
    item(none(&[Kind::Alignment, Kind::Month]), "aligned to their timeframes, in the files of their months");
    item(none(&[Kind::Gap]), "every gap is explained");
    let conserved = reports.iter().all(|(_, report)| report.volume.is_some_and(|check| check.bars == check.raw));
    item(
        raw && conserved && none(&[Kind::Volume, Kind::Price, Kind::Missing, Kind::Extra]),
        "equal to the raw bars, volumes to the unit",
    );
    let has = |name: &str| {
        reports.iter().all(|(_, report)| kept.iter().any(|(symbol, of)| *symbol == report.symbol && *of == name))
    };
    item(has("symbology.json"), "what symbols stood for on each day (symbology.json)");
    item(has("condition.json"), "what the vendor says of each day (condition.json)");
    item(true, "checksums of all data files (SHA256SUMS)");
    item(args.data != Contents::None, "the data are in the package");
    text += "\n## To do by hand\n\n- [ ] the vendor's licence allows to pass the data on\n- [ ] the receiver knows the time zone: all times are UTC\n             - [ ] the package was sent, and its checksum by another way\n\n## For the receiver\n\n```sh\npdp validate PACKAGE       # every checksum of the              package\nsha256sum --check SHA256SUMS   # of the data, in the directory that has raw_1s and aggregated\n```\n";
    let symbols: std::collections::BTreeSet<&str> = reports.iter().map(|(_, report)| report.symbol.as_str()).collect();
    let timeframes: std::collections::BTreeSet<String> =
        reports.iter().filter_map(|(_, report)| report.timeframe).map(|timeframe| timeframe.to_string()).collect();
    let verdict =
        if found == 0 { "Nothing wrong was found".to_owned() } else { format!("{found} findings are in its report") };
    let _ = write!(
        text,
        "\n## Message\n\n> Bars of {} ({}) are ready. {verdict} (metadata/delivery/validation.html). Please check the package with `pdp validate` \
         before use.\n",
        symbols.into_iter().collect::<Vec<_>>().join(", "),
        timeframes.into_iter().collect::<Vec<_>>().join(", ")
    );
    text
}
