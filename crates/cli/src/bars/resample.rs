//! `bars resample`.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use anyhow::Context as _;
use pdp_bars::pipeline::{self, Resampled, Resampling};
use pdp_bars::resample::{Grid, Session};
use pdp_packager::{PackagerError, Progress as _, Stage};
use serde_json::{Value, json};

use super::args::ResampleArgs;
use super::warn;
use crate::args::Global;
use crate::commands;
use crate::progress::{self, Shown};

/// Resamples.
pub(crate) fn run(args: &ResampleArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let input = args.input_dir.clone().unwrap_or_else(|| global.data_root.join("raw_1s"));
    let output = args.output_dir.clone().unwrap_or_else(|| global.data_root.join("aggregated"));
    if !input.is_dir() {
        return Err(PackagerError::NotFound { what: "input directory", path: input }.into());
    }
    let mut series = pipeline::series(&input)?;
    if let Some(symbol) = &args.which.symbol {
        let files = series.remove(symbol);
        series.clear();
        let none = || PackagerError::NotFound { what: "files of bars for the symbol", path: input.join(symbol) };
        series.insert(symbol.clone(), files.ok_or_else(none)?);
    }
    if series.is_empty() {
        return Err(PackagerError::NotFound { what: "files of bars", path: input }.into());
    }
    warn::of_names(&series, global);
    let mut timeframes = args.timeframes.clone();
    timeframes.sort_unstable();
    timeframes.dedup();
    let how = Resampling {
        timeframes,
        grid: match (args.session, args.tz) {
            (Some(start), Some(zone)) => Grid::Session(Session { zone, start }),
            _ => Grid::Epoch,
        },
        fill: args.fill,
        zone: args.tz,
        on_duplicate: args.on_duplicate.into(),
        by_publisher: args.by_publisher,
        merge_instruments: args.merge_instruments,
        format: args.format.into(),
    };
    let mut bytes = 0;
    for (path, _) in series.values().flatten() {
        bytes += std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    }
    let shown: Shown = progress::start(global);
    shown.begin(Stage::Converting, series.values().map(|files| files.len() as u64).sum(), bytes);
    let told = |bytes| {
        shown.advance(0, bytes);
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut reports = Vec::new();
    for (symbol, files) in &series {
        let done = reports.iter().map(|(symbol, _): &(String, _)| symbol.as_str());
        let made = pipeline::resample(symbol, files, &output, &how, &told)
            .inspect_err(|_| warn::of_done(done, series.len(), global))?;
        reports.push((symbol.clone(), made));
    }
    shown.finish();
    for (symbol, report) in reports.iter().filter(|_| !global.quiet) {
        let coarse = |made: &&pdp_bars::pipeline::Made| {
            report.series.iter().any(|series| series.is_too_coarse_for(made.timeframe))
        };
        let names: Vec<String> = report.made.iter().filter(coarse).map(|made| made.timeframe.to_string()).collect();
        if !names.is_empty() {
            let seconds = report.series.iter().map(|series| series.step).max().unwrap_or(0) / 1_000_000_000;
            let _ = writeln!(
                io::stderr(),
                "WARNING: {}: its bars are {seconds} seconds apart or more: those of {} are not made of shorter ones",
                crate::render::printable(symbol),
                names.join(", ")
            );
        }
    }
    let report: Vec<Value> = reports.iter().map(|(symbol, report)| as_json(symbol, report)).collect();
    commands::show(global, &report, |out| words(&reports, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(symbol: &str, report: &Resampled) -> Value {
    let made = report.made.iter().map(|made| {
        json!({
            "timeframe": made.timeframe.to_string(),
            "bars": made.bars,
            "filled": made.filled,
            "files": made.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        })
    });
    let series = report.series.iter().map(|series| {
        json!({
            "symbol": series.symbol,
            "publisherId": series.ids.publisher,
            "instrumentId": series.ids.instrument,
            "bars": series.bars,
        })
    });
    json!({
        "symbol": symbol,
        "bars": report.bars,
        "dropped": report.dropped,
        "series": series.collect::<Vec<_>>(),
        "made": made.collect::<Vec<_>>(),
    })
}

fn words(reports: &[(String, Resampled)], quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    for (symbol, report) in reports {
        if quiet {
            for file in report.made.iter().flat_map(|made| &made.files) {
                writeln!(out, "{}", file.display())?;
            }
            continue;
        }
        write!(out, "Symbol     {symbol}, {} bars", report.bars)?;
        match report.dropped {
            0 => writeln!(out)?,
            dropped => writeln!(out, ", {dropped} dropped as duplicates")?,
        }
        if report.series.len() > 1 {
            for series in &report.series {
                let id = |what: &str, id: Option<u32>| id.map_or(String::new(), |id| format!(", {what} {id}"));
                let (publisher, instrument) =
                    (id("publisher", series.ids.publisher), id("instrument", series.ids.instrument));
                writeln!(out, "Series     {}{publisher}{instrument}: {} bars", series.symbol, series.bars)?;
            }
        }
        for made in &report.made {
            let filled = if made.filled == 0 { String::new() } else { format!(" and {} that fill gaps", made.filled) };
            let files = if made.files.len() == 1 { "file" } else { "files" };
            writeln!(
                out,
                "{:<10} {} bars{filled} in {} {files}",
                made.timeframe.to_string(),
                made.bars,
                made.files.len()
            )?;
        }
    }
    Ok(())
}
