//! Arguments to inputs, options and progress.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use fxd::store::{Store, WriteOptions};
use fxd::{Info, Scale, Version};
use pdp_bars::convert::{InputKind, Inputs, OnDuplicate};
use pdp_bars::{Fit, Kind, ReadOptions, symbol_from_name};
use pdp_packager::{PackagerError, Progress as _, Stage};

use super::args::{BlockArgs, From, InputArgs, VersionArgs};
use crate::args::Global;
use crate::commands;
use crate::progress::{self, Shown};

/// Wrong usage.
pub(crate) fn usage(message: impl Into<String>) -> anyhow::Error {
    PackagerError::Usage(message.into()).into()
}

/// The files to read. Values are read at the given scales, or else at those of the first store among the inputs, or else at
/// those of `fit`.
pub(crate) fn inputs(
    args: &InputArgs,
    paths: &[PathBuf],
    mut fit: Fit,
    scales: (Option<Scale>, Option<Scale>),
    global: &Global,
) -> anyhow::Result<Inputs> {
    let files = paths.iter().map(|path| Ok((path.clone(), kind(args, path)?))).collect::<anyhow::Result<Vec<_>>>()?;
    for (path, _) in &files {
        if !path.exists() {
            return Err(PackagerError::NotFound { what: "input", path: path.clone() }.into());
        }
    }
    let of_rows = files.iter().any(|(_, kind)| matches!(kind, InputKind::Bars(_)));
    if let Some(symbol) = args.symbol.as_deref().filter(|_| of_rows) {
        fxd::format::symbol::check_name(symbol).map_err(|why| usage(format!("--symbol: {why}")))?;
    }
    let store = files.iter().find(|(_, kind)| *kind == InputKind::Store);
    let info = store.map(|(path, _)| Store::open(path)).transpose()?.map(|store| store.info().clone());
    let info = info.unwrap_or_else(|| Info {
        price_scale: fit.price_scale,
        volume_scale: fit.volume_scale,
        ..Info::default()
    });
    fit.price_scale = scales.0.unwrap_or(info.price_scale);
    fit.volume_scale = scales.1.unwrap_or(info.volume_scale);
    let mut read = ReadOptions::new(fit);
    read.zone = args.tz;
    read.csv_format = args.csv_format;
    read.symbol.clone_from(&args.symbol);
    read.threads = global.threads;
    let symbols = args.symbol.iter().flat_map(|symbols| symbols.split(',')).map(|name| name.trim().to_owned());
    Ok(Inputs { files, read, on_duplicate: OnDuplicate::Error, symbols: symbols.collect() })
}

fn kind(args: &InputArgs, path: &Path) -> anyhow::Result<InputKind> {
    let given = args.from.map(|from| match from {
        From::Csv => InputKind::Bars(Kind::Csv),
        From::Parquet => InputKind::Bars(Kind::Parquet),
        From::Dbn => InputKind::Bars(Kind::Dbn),
        From::Fxd => InputKind::Store,
    });
    given
        .or_else(|| InputKind::of(path))
        .ok_or_else(|| usage(format!("{}: the name says no kind of file; give it with --from", path.display())))
}

/// Says which symbols were taken from names of files.
pub(crate) fn note_symbols(inputs: &Inputs, symbols: &[String], global: &Global) {
    if global.quiet || inputs.read.symbol.is_some() {
        return;
    }
    for (path, kind) in &inputs.files {
        let named = symbol_from_name(path).filter(|name| symbols.contains(name));
        if let (InputKind::Bars(_), Some(name)) = (kind, named) {
            note(&format!("{} is taken to be of {name}, as its name says; --symbol says otherwise", path.display()));
        }
    }
}

/// Talk to the user.
pub(crate) fn note(message: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "Note: {}", crate::render::printable(message));
}

/// Refuses intervals for a version that has none, and a version without those that it needs.
pub(crate) fn check_rollups(format: &VersionArgs) -> anyhow::Result<()> {
    let twice = |(at, interval)| format.rollups.iter().skip(at + 1).any(|other| other == interval);
    if format.rollups.iter().enumerate().any(twice) {
        return Err(usage("--rollups names an interval twice"));
    }
    match (format.version(), format.rollups.is_empty()) {
        (Version::Rollups, true) => Err(usage("version 4 needs intervals to roll bars up to: --rollups 5m,1h,1d")),
        (Version::Rollups, false) | (_, true) => Ok(()),
        _ => Err(usage("--rollups is for version 4 of the format")),
    }
}

/// How blocks are written; `time` is now, unless the user or the environment says another.
pub(crate) fn write_options(
    args: &BlockArgs,
    version: Version,
    time: Option<DateTime<Utc>>,
) -> anyhow::Result<WriteOptions> {
    let levels = -7..=22;
    let level = args.level.unwrap_or(3);
    if !levels.contains(&level) {
        return Err(usage(format!("zstd's levels are -7 to 22, not {level}")));
    }
    if !version.has_rows() && (args.level.is_some() || args.no_compression) {
        return Err(usage(
            "columns (version 3) are not compressed by zstd: --level and --no-compression are for versions 1 and 2",
        ));
    }
    let time = match time {
        Some(time) => time,
        None => commands::source_date_epoch()?.unwrap_or_else(Utc::now),
    };
    let now = time.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok());
    let now = now.ok_or_else(|| usage(format!("a store cannot say that it was made at {time}")))?;
    Ok(WriteOptions {
        version,
        block_records: args.block_records,
        level: (!args.no_compression).then_some(level),
        now,
        ..WriteOptions::default()
    })
}

/// Shows progress over the bytes of the inputs, so many times, while something is done.
pub(crate) fn watched<T>(
    global: &Global,
    inputs: &Inputs,
    act: impl FnOnce(&dyn Fn(u64) -> ControlFlow<()>) -> T,
) -> anyhow::Result<T> {
    let mut bytes = 0;
    for (path, _) in &inputs.files {
        bytes += std::fs::metadata(path).with_context(|| path.display().to_string())?.len();
    }
    let shown: Shown = progress::start(global);
    shown.begin(Stage::Converting, inputs.files.len() as u64, bytes);
    let done = act(&|bytes| {
        shown.advance(0, bytes);
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    shown.finish();
    Ok(done)
}
