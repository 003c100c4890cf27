//! `cargo xtask bench soak`: whether a server that is asked a great many things keeps its memory and its descriptors.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde::Deserialize;

use super::server::Server;
use crate::bench::machine::{self, Mib};
use crate::bench::report::{self, Table};
use crate::process;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Requests in all
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// Connections at once
    #[arg(long, default_value_t = 8)]
    connections: u64,
    /// What the random numbers begin with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Put the figures into this file, such as docs/benchmarks.md, as a section of their own
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PATH")]
    pdp: Option<PathBuf>,
}

/// What the asking program says after each tenth.
#[derive(Debug, Deserialize)]
struct Told {
    requests: u64,
    server: Resources,
    statuses: std::collections::BTreeMap<String, u64>,
    strange: Vec<String>,
    strangers: u64,
}

#[derive(Debug, Deserialize)]
struct Resources {
    rss: u64,
    threads: u64,
    descriptors: u64,
}

/// Memory may grow by so much from the third tenth, when everything has been used, to the last.
const MOST_GROWTH: u64 = 32 << 20;
/// So may descriptors: connections that are being closed.
const MOST_DESCRIPTORS: u64 = 8;

pub(in crate::bench) fn run(root: &Path, options: &Options) -> Result<()> {
    let pdp = crate::bench::pack::program(root, options.pdp.as_deref())?;
    let python = process::find("python3").context("Python 3 is needed")?;
    let server = Server::start_with(&pdp, &root.join("fixtures/sample-data"))?;
    let begun = Instant::now();
    let mut asking = Command::new(python)
        .arg(root.join("xtask/src/bench/serve/soak.py"))
        .arg(format!("http://{}/", server.address))
        .args([server.id(), u32::try_from(options.requests).unwrap_or(u32::MAX)].map(|number| number.to_string()))
        .args([options.connections.to_string(), options.seed.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut table = Table::new(["requests", "RSS MiB", "descriptors", "threads"]);
    let mut all: Vec<Told> = Vec::new();
    for line in BufReader::new(asking.stdout.take().context("no output")?).lines() {
        let told: Told = serde_json::from_str(&line?)?;
        table.row([
            told.requests.to_string(),
            format!("{:.1}", Mib(told.server.rss).value()),
            told.server.descriptors.to_string(),
            told.server.threads.to_string(),
        ]);
        all.push(told);
    }
    ensure!(asking.wait()?.success(), "the asking program failed");
    server.end()?;
    let (Some(early), Some(last)) = (all.get(2), all.last()) else { bail!("too few figures") };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::new();
    for line in machine::describe(root, cores) {
        text.push_str(&format!("- {line}\n"));
    }
    let statuses: Vec<String> = last.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
    text.push_str(&format!(
        "\nIn {:.0} s, answers by status: {}.\n\n",
        begun.elapsed().as_secs_f64(),
        statuses.join(", ")
    ));
    text.push_str(&table.text());
    print!("{text}");
    if let Some(path) = &options.markdown {
        let command = format!("cargo xtask bench soak --requests {}", options.requests);
        report::put(path, "soak", &format!("## soak\n\n`{command}`\n\n{text}"))?;
    }
    let mut missed = Vec::new();
    if last.strangers > 0 {
        missed.push(format!(
            "{} answers are server errors or undocumented:\n  {}",
            last.strangers,
            last.strange.join("\n  ")
        ));
    }
    let grown = last.server.rss.saturating_sub(early.server.rss);
    if grown > MOST_GROWTH {
        missed.push(format!("memory grew by {:.1} MiB", Mib(grown).value()));
    }
    if last.server.descriptors > early.server.descriptors + MOST_DESCRIPTORS {
        missed.push(format!("descriptors grew from {} to {}", early.server.descriptors, last.server.descriptors));
    }
    if missed.is_empty() { Ok(()) } else { bail!("{}", missed.join("\n")) }
}
