//! `convert`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use fxd::store::{Existing, Store, Writer, train};
use fxd::{Bar, Columns, Info, Scale};
use pdp_bars::convert::{ConvertError, InputKind, Inputs, Told, sorted};
use pdp_bars::{BarsError, Fit, Prices, Problem, WriteOptions};
use serde::Serialize;

use super::args::{ConvertArgs, Format, To};
use super::inputs::{check_rollups, inputs, note, note_symbols, usage, watched, write_options};
use super::output::{directory_of, may_write, rows};
use super::words;
use crate::args::Global;
use crate::commands;

/// Bars that a dictionary is trained on.
const TRAINED_ON: usize = 200_000;
/// The most decimals that are taken from the data: with more there is too little room before the point, and what has so many is
/// often a double that was no decimal.
const MOST_DECIMALS: u8 = 12;
/// Inputs that a store names.
const NAMED: usize = 20;

/// What was done.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Converted {
    pub(crate) output: PathBuf,
    pub(crate) symbols: u64,
    /// Series that are rolled up.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) series: u64,
    pub(crate) records: u64,
    /// Bars that gave way to others of their time.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<u64>,
    pub(crate) bytes: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Converts.
pub(crate) fn run(args: &ConvertArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let Some((output, paths @ [_, ..])) = args.paths.split_last() else {
        return Err(usage("an input and an output are needed, as in `convert bars.csv bars.fxd`"));
    };
    let to = kind_of(args, output)?;
    let to_stdout = output.as_os_str() == "-";
    if to_stdout && global.json {
        return Err(usage("--json shows a report, and standard output has the rows; name a file as the output"));
    }
    if to_stdout && to == To::Fxd {
        return Err(usage("a store cannot be written to standard output; name a file as the output"));
    }
    if !to_stdout {
        may_write(output, args.overwrite, &paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    }
    check_rollups(&args.format)?;
    if to != To::Fxd && !args.format.rollups.is_empty() {
        return Err(usage("--rollups is for stores; `query --interval` prints longer bars"));
    }
    let fit = if to == To::Fxd { Fit::of(args.format.version()) } else { Fit::any(Scale::PRICE, Scale::VOLUME) };
    let mut inputs = inputs(&args.input, paths, fit, (args.price_scale, args.volume_scale), global)?;
    inputs.on_duplicate = args.on_duplicate.into();
    let mut act = |inputs: &Inputs| match to {
        To::Fxd => to_store(args, inputs, output, global),
        To::Csv => to_rows(args, Format::Csv, inputs, output, global),
        To::Json => to_rows(args, Format::Json, inputs, output, global),
        To::Parquet => to_rows(args, Format::Parquet, inputs, output, global),
    };
    // What has gone to standard output cannot be written anew, and what has 32 bits has no room for more decimals.
    let again = paths.iter().all(|path| path.is_file());
    let fixed = !again || to_stdout || (to == To::Fxd && args.format.version().has_rows());
    let report = if fixed { act(&inputs)? } else { at_scales(args, &mut inputs, &mut act)? };
    if !to_stdout {
        commands::show(global, &report, |out| words::converted(&report, global.quiet, out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Converts at the scales of the inputs, and again at those that the data turns out to need, where no others are asked for.
fn at_scales(
    args: &ConvertArgs,
    inputs: &mut Inputs,
    act: &mut dyn FnMut(&Inputs) -> anyhow::Result<Converted>,
) -> anyhow::Result<Converted> {
    loop {
        let error = match act(inputs) {
            Ok(report) => return Ok(report),
            Err(error) => error,
        };
        let Some(ConvertError::Bars(BarsError::Row { problem, .. })) = error.downcast_ref() else { return Err(error) };
        let fit = &mut inputs.read.fit;
        let Problem::Decimals { field, needed: Some(needed), .. } = problem else { return Err(error) };
        let (scale, given) = match *field {
            "volume" => (&mut fit.volume_scale, args.volume_scale),
            _ => (&mut fit.price_scale, args.price_scale),
        };
        if given.is_some() || *needed <= *scale || needed.decimals() > MOST_DECIMALS {
            return Err(error);
        }
        *scale = *needed;
    }
}

fn kind_of(args: &ConvertArgs, output: &Path) -> anyhow::Result<To> {
    let store = output.extension().is_some_and(|end| end.eq_ignore_ascii_case("fxd"));
    let named = match Format::of(output) {
        _ if store => Some(To::Fxd),
        Some(Format::Csv) => Some(To::Csv),
        Some(Format::Parquet) => Some(To::Parquet),
        Some(Format::Json) => Some(To::Json),
        None => (output.as_os_str() == "-").then_some(To::Csv),
    };
    args.to
        .or(named)
        .ok_or_else(|| usage(format!("{}: the name says no kind of file; give it with --to", output.display())))
}

/// Hands over all bars in order, as the options ask, and gives the symbols and how many bars were dropped.
fn each(
    args: &ConvertArgs,
    inputs: &Inputs,
    beside: &Path,
    told: Told<'_>,
    mut take: impl FnMut(&str, &[Bar]) -> Result<(), ConvertError>,
) -> Result<(Vec<String>, u64), ConvertError> {
    let mut symbols: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let counted = |symbol: &str, bars: &[Bar]| {
        if !known.contains(symbol) {
            known.insert(symbol.to_owned());
            symbols.push(symbol.to_owned());
        }
        take(symbol, bars)
    };
    let dropped = if args.sort { sorted(inputs, beside, told, counted)? } else { inputs.in_order(told, counted)? };
    Ok((symbols, dropped))
}

fn to_store(args: &ConvertArgs, inputs: &Inputs, output: &Path, global: &Global) -> anyhow::Result<Converted> {
    let mut options = write_options(&args.blocks, args.format.version(), args.created_at)?;
    options.info = Info {
        creator: Some(concat!("pdp ", env!("CARGO_PKG_VERSION")).to_owned()),
        price_scale: inputs.read.fit.price_scale,
        volume_scale: inputs.read.fit.volume_scale,
        rollups: args.format.rollups.clone(),
        source: Some(names(inputs)),
        source_time_zone: inputs.read.zone.map(|zone| zone.to_string()),
        ..Info::default()
    };
    if args.dictionary && !args.format.version().has_rows() {
        return Err(usage("columns (version 3) take no dictionary; --dictionary is for versions 1 and 2"));
    }
    if args.dictionary {
        options.dictionary = Some(train(&inputs.sample(TRAINED_ON)?, &options)?);
    }
    let mut writer = Writer::create(output, options)?;
    let (symbols, dropped) = watched(global, inputs, |told| {
        each(args, inputs, directory_of(output), told, |symbol, bars| {
            let id = writer.symbol(symbol)?;
            Ok(writer.push(id, bars)?)
        })
    })??;
    let written = writer.finish(if args.overwrite { Existing::Replace } else { Existing::Refuse })?;
    note_symbols(inputs, &symbols, global);
    if args.format.rollups.is_empty() && !global.quiet && has_rollups(inputs)? {
        note("series that are rolled up are left out; --rollups makes some in the new store");
    }
    Ok(Converted {
        output: output.to_owned(),
        symbols: written.symbols,
        series: written.series,
        records: written.records,
        dropped,
        blocks: Some(written.blocks),
        bytes: written.bytes,
    })
}

/// Whether a store among the inputs has series that are rolled up.
fn has_rollups(inputs: &Inputs) -> anyhow::Result<bool> {
    let stores = inputs.files.iter().filter(|(_, kind)| *kind == InputKind::Store);
    for (path, _) in stores {
        if !Store::open(path)?.info().rollups.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The names of the inputs, without directories: what a store says must not depend on where they lay.
fn names(inputs: &Inputs) -> String {
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut names: Vec<String> = inputs.files.iter().take(NAMED).map(|(path, _)| name(path)).collect();
    if inputs.files.len() > NAMED {
        names.push(format!("and {} more", inputs.files.len() - NAMED));
    }
    names.join(", ")
}

fn to_rows(
    args: &ConvertArgs,
    format: Format,
    inputs: &Inputs,
    output: &Path,
    global: &Global,
) -> anyhow::Result<Converted> {
    let mut options = WriteOptions::new(inputs.read.fit.price_scale, inputs.read.fit.volume_scale);
    options.flags = args.flags;
    options.prices = if args.decimal { Prices::Decimal } else { Prices::Double };
    let file = (output.as_os_str() != "-").then_some(output);
    let temporary = std::env::temp_dir();
    let beside = file.map_or(temporary.as_path(), directory_of);
    let (mut symbols, mut dropped) = (Vec::new(), 0);
    let records = rows(file, format, &options, |sink| {
        let mut columns = Columns::default();
        (symbols, dropped) = watched(global, inputs, |told| {
            each(args, inputs, beside, told, |symbol, bars| {
                columns.clear();
                columns.extend(bars.iter().copied());
                Ok(sink.write(symbol, &columns)?)
            })
        })??;
        Ok(())
    })?;
    note_symbols(inputs, &symbols, global);
    let bytes = file.and_then(|file| std::fs::metadata(file).ok()).map_or(0, |found| found.len());
    Ok(Converted {
        output: output.to_owned(),
        symbols: symbols.len() as u64,
        series: 0,
        records,
        dropped,
        blocks: None,
        bytes,
    })
}
