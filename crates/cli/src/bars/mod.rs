//! The commands for files of bars: `pdp bars`.

pub(crate) mod args;
mod databento;
mod deliver;
mod describe;
mod fetch;
mod import;
mod keep;
mod report;
mod resample;
mod validate;
mod warn;

use std::process::ExitCode;

use self::args::BarsCommand;
use crate::args::Global;

/// Runs a command.
pub(crate) fn run(command: BarsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    crate::fxd::use_threads(global);
    match command {
        BarsCommand::Fetch(args) => fetch::run(&args, global),
        BarsCommand::Import(args) => import::run(&args, global),
        BarsCommand::CheckConnection(args) => describe::connection(&args, global),
        BarsCommand::Datasets(args) => describe::datasets(&args, global),
        BarsCommand::Schemas(args) => describe::schemas(&args, global),
        BarsCommand::Symbols(args) => describe::symbols(&args, global),
        BarsCommand::Resample(args) => resample::run(&args, global),
        BarsCommand::Deliver(args) => deliver::run(&args, global),
        BarsCommand::Validate(args) => validate::run(&args, global),
    }
}
