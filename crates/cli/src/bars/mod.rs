//! The commands for files of bars: `pdp bars`.

pub(crate) mod args;
mod keep;
mod report;
mod resample;
mod validate;

use std::process::ExitCode;

use self::args::BarsCommand;
use crate::args::Global;

/// Runs a command.
pub(crate) fn run(command: BarsCommand, global: &Global) -> anyhow::Result<ExitCode> {
    crate::fxd::use_threads(global);
    match command {
        BarsCommand::Resample(args) => resample::run(&args, global),
        BarsCommand::Validate(args) => validate::run(&args, global),
    }
}
