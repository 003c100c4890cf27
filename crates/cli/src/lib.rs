//! `pdp`: create, validate, list and import portable data packages; and `fx-store`, its commands for `.fxd` files alone.
//!
//! A command turns its arguments into options, makes one library call and renders the report. Data goes to standard
//! output, talk to standard error.

mod args;
mod bars;
mod browser;
mod commands;
mod exit;
mod fxd;
mod keys;
mod legacy;
mod progress;
mod read;
mod render;
mod report;
mod serve;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

/// What `pdp` does; called by the name `fx-store`, it is that.
#[must_use]
pub fn pdp() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    if typed.first().is_some_and(is_fx_store) {
        return fxd::main(typed);
    }
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

/// What `fx-store` does.
#[must_use]
pub fn fx_store() -> ExitCode {
    fxd::main(std::env::args_os().collect())
}

fn is_fx_store(program: &OsString) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == "fx-store")
}
