//! `bars validate`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use pdp_bars::convert::InputKind;
use pdp_bars::market;
use pdp_bars::pipeline;
use pdp_bars::resample::{Grid, Session};
use pdp_bars::validate::{Calendar, Kind, Report, Validation, validate};
use pdp_packager::{PackagerError, Progress as _, Stage};

use super::args::{self, ValidateArgs};
use super::{report, warn};
use crate::args::Global;
use crate::fxd::inputs::usage;
use crate::{commands, exit, progress};

/// A directory of bars of one timeframe, and its symbols' files.
pub(super) type Part = (PathBuf, BTreeMap<String, Vec<(PathBuf, InputKind)>>);

/// Validates.
pub(crate) fn run(args: &ValidateArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let parts = parts(args)?;
    let raw = args.raw_dir.as_deref().map(|directory| found(directory, "raw directory")).transpose()?;
    for path in &args.report {
        report::format(path)?;
    }
    for (_, series) in &parts {
        warn::of_names(series, global);
    }
    let files = || parts.iter().flat_map(|(_, series)| series.values().flatten());
    let mut bytes = 0;
    for (path, _) in files() {
        bytes += std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    }
    let shown = progress::start(global);
    shown.begin(Stage::Converting, files().count() as u64, bytes);
    let told = |bytes| {
        shown.advance(0, bytes);
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let reports = judge(args, &parts, raw.as_ref(), &told)?;
    shown.finish();
    for path in &args.report {
        report::write(path, &reports)?;
    }
    commands::show(global, &report::json(&reports), |out| report::text(&reports, global.quiet, out))?;
    Ok(if reports.iter().all(|(_, report)| report.found() == 0) { ExitCode::SUCCESS } else { exit::INVALID.into() })
}

/// Looks at everything.
pub(super) fn judge(
    args: &ValidateArgs,
    parts: &[Part],
    raw: Option<&BTreeMap<String, Vec<(PathBuf, InputKind)>>>,
    told: &dyn Fn(u64) -> ControlFlow<()>,
) -> anyhow::Result<Vec<(PathBuf, Report)>> {
    let mut how = validation(args)?;
    let mut reports = Vec::new();
    for (directory, series) in parts {
        for (symbol, files) in series {
            how.raw = raw.map(|raw| raw.get(symbol).cloned().unwrap_or_default());
            how.conditions = conditions(args, directory, symbol)?;
            for (form, files) in pipeline::forms(files) {
                let mut report = validate(symbol, &files, &how, told)?;
                if let Some(not_covered) = &report.not_covered {
                    return Err(usage(not_covered.to_string()));
                }
                if args.allow_gaps {
                    report.counts.remove(&Kind::Gap);
                    report.findings.retain(|finding| finding.kind != Kind::Gap);
                }
                let place = if form == "*" { directory.clone() } else { directory.join(format!("*.{form}")) };
                reports.push((place, report));
            }
        }
    }
    Ok(reports)
}

/// The directories to look at: the one that is named, or those of timeframes in it.
fn parts(args: &ValidateArgs) -> anyhow::Result<Vec<Part>> {
    let input = &args.input_dir;
    if !input.is_dir() {
        return Err(PackagerError::NotFound { what: "input directory", path: input.clone() }.into());
    }
    let mut directories = pipeline::timeframes(input)?;
    match args.timeframe {
        _ if directories.is_empty() => directories.push((None, input.clone())),
        Some(timeframe) => directories.retain(|(of, _)| *of == Some(timeframe)),
        None => {}
    }
    let mut parts = Vec::new();
    for (_, directory) in directories {
        let mut series = pipeline::series(&directory)?;
        if let Some(symbol) = &args.symbol {
            series.retain(|name, _| name == symbol);
        }
        if !series.is_empty() {
            parts.push((directory, series));
        }
    }
    match (&args.symbol, parts.is_empty()) {
        (_, false) => Ok(parts),
        (Some(symbol), true) => {
            Err(PackagerError::NotFound { what: "files of bars for the symbol", path: input.join(symbol) }.into())
        }
        (None, true) => Err(PackagerError::NotFound { what: "files of bars", path: input.clone() }.into()),
    }
}

fn found(directory: &Path, what: &'static str) -> anyhow::Result<BTreeMap<String, Vec<(PathBuf, InputKind)>>> {
    if !directory.is_dir() {
        return Err(PackagerError::NotFound { what, path: directory.to_owned() }.into());
    }
    Ok(pipeline::series(directory)?)
}

fn validation(args: &ValidateArgs) -> anyhow::Result<Validation> {
    let calendar = match &args.calendar {
        None => Calendar::Learned,
        Some(text) => match args::market(text) {
            Some(market) => Calendar::Named(market),
            None if Path::new(text).is_file() => {
                let lines = read(Path::new(text))?;
                Calendar::Written(
                    market::sessions_of(&lines, args.tz).map_err(|error| usage(format!("{text}: {error}")))?,
                )
            }
            None => {
                let known = "xnys, xnys-extended, cme-equity, fx, 24-7";
                return Err(usage(format!(
                    "--calendar: \"{text}\" is no calendar and no file, expected {known}, or a file"
                )));
            }
        },
    };
    let halts = match &args.halts {
        None => Vec::new(),
        Some(path) => {
            market::closures_of(&read(path)?, args.tz).map_err(|error| usage(format!("{}: {error}", path.display())))?
        }
    };
    Ok(Validation {
        timeframe: args.timeframe,
        grid: match (args.session, args.tz) {
            (Some(start), Some(zone)) => Grid::Session(Session { zone, start }),
            _ => Grid::Epoch,
        },
        zone: args.tz,
        negative_prices: args.allow_negative_prices,
        zero_volume: !args.refuse_zero_volume,
        calendar,
        halts,
        conditions: BTreeMap::new(),
        no_trade: args.no_trade.map(|span| span.nanos()),
        merge_instruments: args.merge_instruments,
        raw: None,
        on_duplicate: args.on_duplicate.into(),
        most: args.most,
    })
}

fn read(path: &Path) -> anyhow::Result<String> {
    if !path.is_file() {
        return Err(PackagerError::NotFound { what: "file", path: path.to_owned() }.into());
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// What the vendor says of each day: of the file that is named, or of the one beside a symbol's data.
fn conditions(
    args: &ValidateArgs,
    directory: &Path,
    symbol: &str,
) -> anyhow::Result<BTreeMap<chrono::NaiveDate, String>> {
    // Beside the bars themselves, or beside the raw ones that they are made of.
    let places = [Some(directory), args.raw_dir.as_deref()];
    let beside =
        places.into_iter().flatten().map(|place| place.join(symbol).join("condition.json")).find(|path| path.is_file());
    let path = match (&args.condition, beside) {
        (Some(path), _) => path.clone(),
        (None, Some(beside)) => beside,
        (None, None) => return Ok(BTreeMap::new()),
    };
    #[derive(serde::Deserialize)]
    struct Day {
        date: chrono::NaiveDate,
        condition: String,
    }
    let days: Vec<Day> = serde_json::from_str(&read(&path)?).map_err(|error| {
        usage(format!("{}: expected a list of days with date and condition: {error}", path.display()))
    })?;
    Ok(days.into_iter().map(|day| (day.date, day.condition)).collect())
}

/// Reports with the directories that they are of.
pub(super) type Reports = [(PathBuf, Report)];
