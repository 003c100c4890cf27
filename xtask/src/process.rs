//! Running other programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a command in `directory`, its output going where ours goes, and fails when it does.
pub(crate) fn run(directory: &Path, program: impl AsRef<OsStr>, args: &[&str]) -> Result<()> {
    run_with(directory, program, args, &[])
}

/// As [`run`], with environment variables.
pub(crate) fn run_with(
    directory: &Path,
    program: impl AsRef<OsStr>,
    args: &[&str],
    environment: &[(&str, String)],
) -> Result<()> {
    let program = program.as_ref();
    let shown = format!("{} {}", program.display(), args.join(" "));
    eprintln!("$ {shown}");
    let variables = environment.iter().map(|(name, value)| (name, value));
    let status = Command::new(program).args(args).envs(variables).current_dir(directory).status();
    let status = status.with_context(|| format!("cannot run {shown}"))?;
    if status.success() {
        return Ok(());
    }
    bail!("{shown}: {status}")
}

/// The standard output of a command that succeeds.
pub(crate) fn output(directory: &Path, program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).current_dir(directory).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program} {}: {}", args.join(" "), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Where a program is found on the path.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|candidate| candidate.is_file())
}

/// The `cargo` that runs us.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}
