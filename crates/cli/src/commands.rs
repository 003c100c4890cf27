//! What each command does: options, one library call, the report.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use clap::{ArgMatches, CommandFactory as _};
use pdp_packager::{CreateReport, ImportOptions, PackagerError, ValidateOptions};
use serde::Serialize;

use crate::args::{Cli, Command, CreateArgs, Global, ImportArgs, ValidateArgs};
use crate::{args, bars, exit, fxd, keys, progress, read, render, report, serve};

/// Runs the command; `given` says where its arguments come from.
pub(crate) fn run(cli: Cli, given: &ArgMatches) -> anyhow::Result<ExitCode> {
    let Cli { global, command } = cli;
    match command {
        Command::Create(args) => create(*args, &global),
        Command::Validate(args) => validate(args, &global),
        Command::Keygen { secret_key, public_key, no_password } => {
            let pair = keys::generate(&secret_key, &public_key, no_password)?;
            let report = render::KeyReport { key_id: pair.public_key().key_id().to_string(), secret_key, public_key };
            show(&global, &report, |out| render::key(&report, global.quiet, out))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::List { package, checksums: true, .. } => {
            std::io::stdout().write_all(pdp_packager::checksums(&package)?.as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::List { package, all, checksums: false } => {
            let report = pdp_packager::list(&package)?;
            show(&global, &report, |out| render::listed(&report, all, out))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Read(args) => read::run(&args, &global),
        Command::Report(args) => report::run(&args, &global),
        Command::Bars { command } => bars::run(*command, &global),
        Command::Fxd { command } => fxd::run(*command, &global),
        Command::Import(args) => import(args, &global),
        Command::Serve(args) => serve::run(*args, &global, given.subcommand_matches("serve").unwrap_or(given)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pdp", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { output } => man(output.as_deref()),
    }
}

/// Text for a person: what a package says of itself must not speak to the terminal.
struct Printable<W>(W);

impl<W: std::io::Write> std::io::Write for Printable<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_all(render::printable(&String::from_utf8_lossy(bytes)).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Prints a report: as JSON when asked for, else as `text` writes it.
pub(crate) fn show<R: Serialize>(
    global: &Global,
    report: &R,
    text: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if global.json {
        serde_json::to_writer_pretty(&mut out, report).map_err(std::io::Error::from)?;
        writeln!(out)?;
    } else {
        text(&mut Printable(&mut out))?;
    }
    out.flush()?;
    Ok(())
}

fn create(args: CreateArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let epoch = source_date_epoch()?;
    let given = args.time_is_given() || epoch.is_some();
    let mut options = args.options(global, epoch.unwrap_or_else(now))?;
    // Two packages made within one second would have one name; the second takes the next second.
    let exists = |options: &pdp_packager::CreateOptions| options.output.join(options.file_name()).exists();
    while !given && options.existing == pdp_packager::Existing::KeepSame && exists(&options) {
        std::thread::sleep(Duration::from_millis(100));
        options.created_at = now();
    }
    let progress = progress::start(global);
    let outcome = pdp_packager::create(&options, &progress);
    progress.finish();
    let report: CreateReport = outcome?;
    if !global.quiet {
        render::warnings(&report)?;
    }
    show(global, &report, |out| render::created(&report, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// Now, in whole seconds: a package's name has no more, so its content need not either.
pub(crate) fn now() -> DateTime<Utc> {
    let now = Utc::now();
    DateTime::from_timestamp(now.timestamp(), 0).unwrap_or(now)
}

/// The time that the environment asks for.
pub(crate) fn source_date_epoch() -> anyhow::Result<Option<DateTime<Utc>>> {
    let Ok(text) = std::env::var("SOURCE_DATE_EPOCH") else { return Ok(None) };
    let time = text.trim().parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    let message = format!("SOURCE_DATE_EPOCH is \"{text}\"; expected whole seconds since 1970");
    time.map(Some).ok_or_else(|| PackagerError::Usage(message).into())
}

fn validate(args: ValidateArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let mut options = ValidateOptions::default();
    options.threads = global.threads;
    options.deep = args.deep;
    options.public_key = args.public_key.as_deref().map(keys::public).transpose()?;
    let progress = progress::start(global);
    let outcome = pdp_packager::validate_set(&args.packages, &options, &progress);
    progress.finish();
    let report = outcome?;
    // One package is reported as itself.
    match report.parts.as_slice() {
        [only] if report.findings.is_empty() => show(global, only, |out| render::validated(only, global.quiet, out))?,
        _ => show(global, &report, |out| render::validated_set(&report, global.quiet, out))?,
    }
    Ok(if report.valid { ExitCode::SUCCESS } else { exit::INVALID.into() })
}

fn import(args: ImportArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let destination = args.destination.unwrap_or_else(|| global.data_root.clone());
    let mut packages = args.packages.into_iter();
    let first = packages.next().ok_or_else(|| PackagerError::Usage("no package is named".to_owned()))?;
    let mut options = ImportOptions::new(first, destination);
    options.further_parts = packages.collect();
    options.public_key = args.public_key.as_deref().map(keys::public).transpose()?;
    options.validate = !args.skip_validation;
    options.merge = args.merge;
    options.on_conflict = args.on_conflict.map(|action| match action {
        args::OnConflict::Keep => pdp_packager::OnConflict::Keep,
        args::OnConflict::Replace => pdp_packager::OnConflict::Replace,
        args::OnConflict::Rename => pdp_packager::OnConflict::Rename,
    });
    options.threads = global.threads;
    let progress = progress::start(global);
    let outcome = pdp_packager::import(&options, &progress);
    progress.finish();
    let report = outcome?;
    show(global, &report, |out| render::imported(&report, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

fn man(output: Option<&Path>) -> anyhow::Result<ExitCode> {
    let command = Cli::command();
    match output {
        None => clap_mangen::Man::new(command).render(&mut std::io::stdout())?,
        Some(directory) => {
            let shown = directory.display();
            std::fs::create_dir_all(directory).with_context(|| format!("creating directory {shown}"))?;
            clap_mangen::generate_to(command, directory).with_context(|| format!("writing manual pages to {shown}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
