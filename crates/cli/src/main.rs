//! `pdp`: create, validate, list and import portable data packages.
//!
//! A command turns its arguments into options, makes one library call and renders the report. Data goes to standard
//! output, talk to standard error.

mod args;
mod browser;
mod commands;
mod exit;
mod keys;
mod legacy;
mod progress;
mod read;
mod render;
mod report;
mod serve;

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

fn main() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    let translated = match legacy::translate(typed) {
        Ok(translated) => translated,
        Err(message) => return exit::usage(&message),
    };
    let mut command = args::Cli::command();
    let parsed = command.try_get_matches_from_mut(translated).and_then(|given| {
        let cli = args::Cli::from_arg_matches(&given).map_err(|error| error.format(&mut command))?;
        Ok((cli, given))
    });
    match parsed {
        Ok((cli, given)) => {
            let json = cli.global.json;
            match commands::run(cli, &given) {
                Ok(code) => code,
                Err(error) => exit::failed(&error, json),
            }
        }
        Err(error) => exit::clap(&error),
    }
}
