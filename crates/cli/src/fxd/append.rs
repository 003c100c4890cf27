//! `append`.

use std::process::ExitCode;

use fxd::Version;
use fxd::store::Store;
use pdp_bars::{Fit, convert};

use super::args::AppendArgs;
use super::inputs::{inputs, note_symbols, watched, write_options};
use super::words;
use crate::args::Global;
use crate::commands;

/// Appends.
pub(crate) fn run(args: &AppendArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let version = Store::open(&args.file)?.header().version;
    let version = Version::of(version).unwrap_or(Version::Rows);
    let inputs = inputs(&args.input, &args.inputs, Fit::of(version), (None, None), global)?;
    let options = write_options(&args.blocks, version, None)?;
    let report = watched(global, &inputs, |told| convert::append(inputs.clone(), &args.file, options, told))??;
    let names: Vec<String> = Store::open(&args.file)?.series().map(|symbol| symbol.name.clone()).collect();
    note_symbols(&inputs, &names, global);
    commands::show(global, &report, |out| words::appended(&args.file, &report, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}
