//! `bars import`.

mod found;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use pdp_bars::convert::InputKind;
use pdp_bars::pipeline::{self, Imported, Importing, import};
use pdp_packager::{PackagerError, Progress as _, Stage};
use serde_json::{Value, json};

use self::found::Found;
use super::args::{Format, ImportArgs, Side};
use super::report::moment;
use super::{keep, warn};
use crate::args::Global;
use crate::fxd::inputs::usage;
use crate::{commands, progress};

/// What `import.json` beside a symbol's bars has: whose they are, so that those of two sources are not mixed.
const NAME: &str = "import.json";

/// Imports.
pub(super) fn run(args: &ImportArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    for path in &args.paths {
        if !path.exists() {
            return Err(PackagerError::NotFound { what: "input", path: path.clone() }.into());
        }
        found::search(path, args, &mut files)?;
    }
    if files.is_empty() {
        return Err(PackagerError::NotFound {
            what: "files to import",
            path: args.paths.first().cloned().unwrap_or_default(),
        }
        .into());
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    // By interval and symbol, each of one source.
    let mut groups: BTreeMap<(String, String), Vec<Found>> = BTreeMap::new();
    for file in files {
        groups.entry((file.interval.clone(), file.symbol.clone())).or_default().push(file);
    }
    let mut bytes = 0;
    for file in groups.values().flatten() {
        bytes += std::fs::metadata(&file.path).with_context(|| file.path.display().to_string())?.len();
    }
    let shown = progress::start(global);
    shown.begin(Stage::Converting, groups.values().map(|files| files.len() as u64).sum(), bytes);
    let told = |bytes| {
        shown.advance(0, bytes);
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let output_of =
        |interval: &str| args.output_dir.clone().unwrap_or_else(|| global.data_root.join(format!("raw_{interval}")));
    // What can be refused is refused before anything is imported.
    let mut sources = Vec::new();
    for ((interval, symbol), files) in &groups {
        pipeline::check_name(symbol).map_err(usage)?;
        let source = one_source(symbol, files, args)?;
        check(&output_of(interval).join(symbol), &source)?;
        sources.push(source);
    }
    let mut reports = Vec::new();
    for (((interval, symbol), files), source) in groups.iter().zip(sources) {
        let output = output_of(interval);
        let directory = output.join(symbol);
        let how = Importing {
            output,
            format: args.format.into(),
            side: args.side.into(),
            zone: args.tz,
            on_duplicate: args.on_duplicate.into(),
        };
        let files: Vec<(PathBuf, InputKind)> = files.iter().map(|file| (file.path.clone(), file.kind)).collect();
        let done = reports.iter().map(|(symbol, ..): &(String, _, _)| symbol.as_str());
        let imported =
            import(symbol, &files, &how, &told).inspect_err(|_| warn::of_done(done, groups.len(), global))?;
        let mut text = serde_json::to_vec_pretty(&source)?;
        text.push(b'\n');
        keep::whole(&directory.join(NAME), &text).with_context(|| directory.display().to_string())?;
        reports.push((symbol.clone(), source, imported));
    }
    shown.finish();
    for (symbol, _, imported) in &reports {
        warn(symbol, imported, args);
    }
    let json: Vec<Value> = reports.iter().map(|(symbol, source, imported)| of(symbol, source, imported)).collect();
    commands::show(global, &json, |out| words(&reports, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// The source of a symbol's files, which must be one.
fn one_source(symbol: &str, files: &[Found], args: &ImportArgs) -> anyhow::Result<Value> {
    let side = match args.side {
        _ if !files.iter().any(|file| file.quotes) => "trade",
        Side::Mid => "mid",
        Side::Bid => "bid",
        Side::Ask => "ask",
    };
    let format = match args.format {
        Format::Csv => "csv",
        Format::Parquet => "parquet",
        Format::Fxd => "fxd",
    };
    let first = files.first().map(|file| file.source.clone()).unwrap_or_default();
    if let Some(other) = files.iter().find(|file| file.source != first) {
        return Err(usage(format!(
            "{symbol} comes from {first} and from {}, expected one source: import them into directories of their own with --output-dir",
            other.source
        )));
    }
    if files.iter().any(|file| file.quotes) && files.iter().any(|file| !file.quotes) {
        return Err(usage(format!("{symbol} comes as trades and as quotes, expected one of them")));
    }
    let interval = files.first().map(|file| file.interval.clone()).unwrap_or_default();
    let zone = args.tz.map(|zone| zone.to_string());
    Ok(json!({ "source": first, "interval": interval, "side": side, "format": format, "zone": zone }))
}

/// Refuses a directory that holds bars of another source.
fn check(directory: &Path, source: &Value) -> anyhow::Result<()> {
    let path = directory.join(NAME);
    if directory.join("fetch.json").is_file() {
        return Err(usage(format!(
            "{}: it holds bars that were fetched: give another --output-dir",
            directory.display()
        )));
    }
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let there: Value = serde_json::from_slice(&text).unwrap_or_default();
    if there != *source {
        return Err(usage(format!(
            "{}: it holds bars of {there}, not of {source}: give another --output-dir",
            path.display()
        )));
    }
    Ok(())
}

/// Says when weeks do not begin and end as those of currencies do.
fn warn(symbol: &str, imported: &Imported, args: &ImportArgs) {
    let Some(weekends) = &imported.weekends else { return };
    if weekends.fit * 10 >= weekends.all * 9 {
        return;
    }
    let read = args.tz.map(|zone| zone.to_string()).unwrap_or_default();
    let better = match &weekends.better {
        Some((zone, count)) => format!("in {zone} it would be {count}"),
        None => "no other clock that is known here fits better".to_owned(),
    };
    let _ = writeln!(
        io::stderr(),
        "WARNING: {symbol}: read in {read}, {} of {} weekends begin and end at 17:00 New York, as those of currencies do; \
         {better}",
        weekends.fit,
        weekends.all
    );
}

fn of(symbol: &str, source: &Value, imported: &Imported) -> Value {
    json!({
        "symbol": symbol,
        "source": source,
        "bars": imported.bars,
        "joined": imported.joined,
        "dropped": imported.dropped,
        "first": imported.span.map(|(first, _)| moment(first)),
        "last": imported.span.map(|(_, last)| moment(last)),
        "files": imported.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
        "weekends": imported.weekends.as_ref().map(|weekends| json!({
            "all": weekends.all,
            "fit": weekends.fit,
            "better": weekends.better.map(|(zone, fit)| json!({ "zone": zone.to_string(), "fit": fit })),
        })),
    })
}

fn words(reports: &[(String, Value, Imported)], quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    for (symbol, source, imported) in reports {
        if quiet {
            imported.files.iter().try_for_each(|file| writeln!(out, "{}", file.display()))?;
            continue;
        }
        write!(
            out,
            "SUCCESS: {symbol} from {}: {} bars",
            source["source"].as_str().unwrap_or_default(),
            imported.bars
        )?;
        if let Some((first, last)) = imported.span {
            write!(out, ", {} to {}", moment(first), moment(last))?;
        }
        write!(out, " in {} {}", imported.files.len(), if imported.files.len() == 1 { "file" } else { "files" })?;
        if imported.joined > 0 {
            write!(out, "; {} were there before", imported.joined)?;
        }
        if imported.dropped > 0 {
            write!(out, "; {} dropped as duplicates", imported.dropped)?;
        }
        writeln!(out)?;
    }
    Ok(())
}
