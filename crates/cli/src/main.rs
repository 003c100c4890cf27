//! `pdp`: create, validate, list and import portable data packages.
//!
//! A command turns its arguments into options, makes one library call and renders the report. Data goes to standard
//! output, talk to standard error.

mod args;
mod commands;
mod exit;
mod keys;
mod legacy;
mod progress;
mod render;
mod report;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let typed: Vec<_> = std::env::args_os().collect();
    let translated = match legacy::translate(typed) {
        Ok(translated) => translated,
        Err(message) => return exit::usage(&message),
    };
    match args::Cli::try_parse_from(translated) {
        Ok(cli) => {
            let json = cli.global.json;
            match commands::run(cli) {
                Ok(code) => code,
                Err(error) => exit::failed(&error, json),
            }
        }
        Err(error) => exit::clap(&error),
    }
}
