//! The commands for `.fxd` files: `fx-store`, which is `pdp fxd`.

mod append;
pub(crate) mod args;
mod convert;
pub(crate) mod fault;
pub(crate) mod inputs;
mod inspect;
mod keep;
mod output;
mod query;
mod values;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use self::args::{FxStore, FxdCommand};
use crate::args::Global;
use crate::exit;

/// `fx-store` as a program of its own.
pub(crate) fn main(typed: Vec<OsString>) -> ExitCode {
    // Packages' options mean nothing here.
    let mut command = FxStore::command().mut_arg("data_root", |data_root| data_root.hide(true));
    let parsed = command
        .try_get_matches_from_mut(typed)
        .and_then(|given| FxStore::from_arg_matches(&given).map_err(|error| error.format(&mut command)));
    match parsed {
        Ok(FxStore { global, command }) => {
            run(command, &global).unwrap_or_else(|error| exit::failed(&error, global.json))
        }
        Err(error) => exit::clap(&error),
    }
}

/// Has everything that works in parallel use as many threads as the user says.
pub(crate) fn use_threads(global: &Global) {
    if global.threads > 0 {
        // It fails where it was done before, which cannot be: a process runs one command.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(global.threads).build_global();
    }
}

/// Runs a command.
pub(crate) fn run(command: FxdCommand, global: &Global) -> anyhow::Result<ExitCode> {
    use_threads(global);
    match command {
        FxdCommand::Convert(args) => convert::run(&args, global),
        FxdCommand::Append(args) => append::run(&args, global),
        FxdCommand::Compact(args) => keep::compact(&args, global),
        FxdCommand::Upgrade(args) => keep::upgrade(&args, global),
        FxdCommand::Repair(args) => keep::repair(&args, global),
        FxdCommand::Verify(args) => keep::verify(&args, global),
        FxdCommand::Inspect(args) => inspect::run(&args, global),
        FxdCommand::Query(args) => query::run(&args, global),
    }
}
