//! How the program ends: exit codes and error messages.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use pdp_packager::{ErrorKind, PackagerError};
use serde_json::json;

use crate::fxd::fault::Fault;

const FAILED: u8 = 1;
const USAGE: u8 = 2;
pub(crate) const INVALID: u8 = 3;
pub(crate) const NOT_FOUND: u8 = 4;
const INTERRUPTED: u8 = 130;

/// Wrong usage that was found before the command line was parsed.
pub(crate) fn usage(message: &str) -> ExitCode {
    say(&format!("{message}\n\nFor more information, try 'pdp --help'."));
    USAGE.into()
}

/// What clap has to say: help and version, or wrong usage.
pub(crate) fn clap(error: &clap::Error) -> ExitCode {
    // Nothing can be said about an output that is gone.
    let _ = error.print();
    match error.exit_code() {
        0 => ExitCode::SUCCESS,
        _ => USAGE.into(),
    }
}

/// A command failed.
pub(crate) fn failed(error: &anyhow::Error, json: bool) -> ExitCode {
    let packager = error.downcast_ref::<PackagerError>();
    // The reader of a pipe went away; there is nobody to tell.
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    let bars = Fault::of(error);
    let io = error.downcast_ref::<std::io::Error>().or_else(|| bars.as_ref().and_then(Fault::output));
    if packager.is_none() && io.is_some_and(gone) {
        return ExitCode::SUCCESS;
    }
    let kind = packager.map(PackagerError::kind).or_else(|| bars.as_ref().map(Fault::kind));
    let (code, kind) = match kind.unwrap_or(ErrorKind::Failed) {
        ErrorKind::Failed => (FAILED, "failed"),
        ErrorKind::Usage => (USAGE, "usage"),
        ErrorKind::Invalid => (INVALID, "invalid"),
        ErrorKind::NotFound => (NOT_FOUND, "notFound"),
        ErrorKind::Interrupted => (INTERRUPTED, "interrupted"),
    };
    // The library's messages name their causes themselves.
    let message = packager.map(ToString::to_string).or_else(|| bars.as_ref().map(Fault::message));
    let message = message.unwrap_or_else(|| format!("{error:#}"));
    if json {
        let report = json!({ "error": { "kind": kind, "exitCode": code, "message": message } });
        let _ = writeln!(std::io::stdout(), "{report:#}");
    }
    let hint = packager.and_then(hint).or_else(|| bars.as_ref().and_then(Fault::hint));
    say(&match hint {
        Some(hint) => format!("{message}\n\nHint: {hint}"),
        None => message,
    });
    code.into()
}

/// What a person can do about it.
fn hint(error: &PackagerError) -> Option<&'static str> {
    match error {
        PackagerError::NoData { .. } => {
            Some("check --data-root, and that symbols, event types and dates match what is there")
        }
        PackagerError::Invalid { summary, .. } if summary.starts_with("Some files failed") => Some(
            "the package may be corrupted: get it again, or make it again; --skip-validation only if you trust the source",
        ),
        PackagerError::Unreadable { .. } => Some("--skip-unreadable leaves out files that cannot be read"),
        PackagerError::NoQualityReport { .. } => Some(
            "the package was made with --no-quality-report or by another program; import it and make a package of the \
             data again to have it measured",
        ),
        PackagerError::Archive(pdp_packager::ArchiveError::Exists { .. }) => {
            Some("give another --name or --output, or --overwrite to replace it")
        }
        _ => None,
    }
}

pub(crate) fn say(message: &str) {
    let mut err = std::io::stderr();
    let word = if err.is_terminal() { "\u{1b}[1;31mError:\u{1b}[0m" } else { "Error:" };
    let _ = writeln!(err, "{word} {}", crate::render::printable(message));
}
