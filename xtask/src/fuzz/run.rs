//! One fuzz target under libFuzzer.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Target;
use crate::process;

pub(super) struct Outcome {
    pub(super) runs: u64,
    pub(super) seconds: u64,
    /// Inputs that were kept of crashes, timeouts and want of memory.
    pub(super) crashes: Vec<String>,
}

/// Builds the target in `home` and runs it for so many seconds, from what earlier runs found and the seeds.
///
/// Without the sanitizer, which needs a nightly compiler and finds what safe Rust has none of.
pub(super) fn run(home: &Path, target: &Target, seconds: u64) -> Result<Outcome> {
    let build = ["fuzz", "build", "--sanitizer", "none", target.name];
    process::run(home, process::cargo(), &build)?;
    let before = crashes(home, target)?;
    let corpus = format!("corpus/{}", target.name);
    std::fs::create_dir_all(home.join(&corpus))?;
    let limits = [
        format!("-max_total_time={seconds}"),
        format!("-max_len={}", target.max_len),
        "-timeout=5".to_owned(),
        "-rss_limit_mb=512".to_owned(),
        "-print_final_stats=1".to_owned(),
    ];
    let mut command = Command::new(process::cargo());
    command.args(["fuzz", "run", "--sanitizer", "none", target.name, &corpus, &format!("seeds/{}", target.name), "--"]);
    command.args(limits).current_dir(home).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().context("cannot run cargo fuzz")?;
    let mut runs = None;
    let mut last = Vec::new();
    for line in BufReader::new(child.stderr.take().context("no output of cargo fuzz")?).lines() {
        let line = line.unwrap_or_default();
        runs = line.strip_prefix("stat::number_of_executed_units:").and_then(|text| text.trim().parse().ok()).or(runs);
        // What libFuzzer says of every new input is of no use here; what it says of a crash is.
        if !line.starts_with('#') {
            last.push(line);
        }
    }
    let status = child.wait()?;
    let crashes: Vec<String> = crashes(home, target)?.difference(&before).cloned().collect();
    if !status.success() {
        eprintln!("{}", last.join("\n"));
        if crashes.is_empty() {
            bail!("cargo fuzz run {}: {status}", target.name);
        }
    }
    Ok(Outcome { runs: runs.unwrap_or(0), seconds: start.elapsed().as_secs(), crashes })
}

fn crashes(home: &Path, target: &Target) -> Result<BTreeSet<String>> {
    let directory = home.join("artifacts").join(target.name);
    let mut found = BTreeSet::new();
    if directory.is_dir() {
        for entry in std::fs::read_dir(&directory)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with("slow-unit") {
                found.insert(format!("fuzz/artifacts/{}/{name}", target.name));
            }
        }
    }
    Ok(found)
}
