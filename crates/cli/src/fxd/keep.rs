//! `compact`, `repair` and `verify`.

use std::path::Path;
use std::process::ExitCode;

use fxd::{Version, store};
use serde_json::json;

use super::args::{RepairArgs, RewriteArgs, UpgradeArgs, VerifyArgs};
use super::inputs::{check_rollups, write_options};
use super::words;
use crate::args::Global;
use crate::{commands, exit};

/// Compacts.
pub(crate) fn compact(args: &RewriteArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let before = std::fs::metadata(&args.file).map_or(0, |found| found.len());
    let version = version_of(&args.file)?;
    let written = store::compact(&args.file, &write_options(&args.blocks, version, None)?)?;
    commands::show(global, &written, |out| words::compacted(&args.file, before, &written, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a store in another version.
pub(crate) fn upgrade(args: &UpgradeArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let RewriteArgs { file, blocks } = &args.rewrite;
    let before = std::fs::metadata(file).map_or(0, |found| found.len());
    // A store that has intervals keeps them unless others are named.
    let own = store::Store::open(file)?.info().rollups.clone();
    let version = match args.format.format_version {
        None if !own.is_empty() => Version::Rollups,
        _ => args.format.version(),
    };
    if version != Version::Rollups || own.is_empty() {
        check_rollups(&args.format)?;
    }
    let mut options = write_options(blocks, version, None)?;
    if version == Version::Rollups {
        options.info.rollups = if args.format.rollups.is_empty() { own } else { args.format.rollups.clone() };
    }
    let written = store::upgrade(file, &options)?;
    commands::show(global, &written, |out| words::compacted(file, before, &written, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// The version of a store that is there.
fn version_of(file: &Path) -> anyhow::Result<Version> {
    let version = store::Store::open(file)?.header().version;
    Ok(Version::of(version).unwrap_or(Version::Rows))
}

/// Repairs.
pub(crate) fn repair(args: &RepairArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let RewriteArgs { file, blocks } = &args.rewrite;
    // What cannot be opened may be of any version; its blocks say.
    let version = version_of(file).unwrap_or(Version::Rows);
    let repaired = store::repair(
        file,
        args.output.as_deref(),
        args.price_scale.zip(args.volume_scale),
        &write_options(blocks, version, None)?,
    )?;
    let place = args.output.as_deref().unwrap_or(file);
    commands::show(global, &repaired, |out| words::repaired(place, &repaired, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// Verifies.
pub(crate) fn verify(args: &VerifyArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let verified = store::verify(&args.file, args.checksums)?;
    let findings: Vec<_> =
        verified.findings.iter().map(|damage| json!({ "offset": damage.at, "what": damage.what })).collect();
    let report = json!({
        "file": args.file.to_string_lossy(),
        "sound": verified.is_sound(),
        "findings": findings,
        "checksums": verified.checksums,
        "symbols": verified.symbols,
        "series": verified.series,
        "blocks": verified.blocks,
        "records": verified.records,
        "commits": verified.commits,
        "bytes": verified.bytes,
        "tailBytes": verified.tail,
    });
    commands::show(global, &report, |out| words::verified(&args.file, &verified, global.quiet, out))?;
    Ok(if verified.is_sound() { ExitCode::SUCCESS } else { exit::INVALID.into() })
}
