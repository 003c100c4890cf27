//! `cargo xtask bench slow-connections`: whether a server answers while thousands of clients ask nothing of it, slowly.

mod crowd;
mod probe;
mod server;
pub(super) mod soak;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::Args;

use self::crowd::{Crowd, Kind};
use self::probe::Latencies;
use self::server::Server;
use super::machine;
use super::report::{self, Table};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Slow connections at once
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// How many of those that the server closed come back in a second
    #[arg(long, default_value_t = 1000)]
    rate: usize,
    /// How long each kind of crowd stays, in seconds
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Put the figures into this file, such as docs/benchmarks.md, as a section of their own
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PATH")]
    pdp: Option<PathBuf>,
}

/// What a hundredth of the answers may take at most.
const BAR: Duration = Duration::from_millis(100);
/// Time between two requests for the server's health.
const PACE: Duration = Duration::from_millis(5);

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    ensure!(options.connections > 0 && options.seconds > 0, "there must be a connection and a second at least");
    let pdp = super::pack::program(root, options.pdp.as_deref())?;
    let load = machine::load();
    let most = server::raise_descriptors().saturating_sub(100);
    let wanted = usize::try_from(most).unwrap_or(usize::MAX).min(options.connections);
    if wanted < options.connections {
        println!("This system gives {most} descriptors, so there are {wanted} connections.");
    }
    let mut table = Table::new(["", "open", "replaced", "answers", "median ms", "p99 ms", "max ms", "RSS MiB"]);
    let mut missed = Vec::new();
    let time = Duration::from_secs(options.seconds);
    for kind in
        [None, Some(Kind::Silent), Some(Kind::Heads), Some(Kind::Bodies), Some(Kind::Resting), Some(Kind::Mixed)]
    {
        let server = Server::start(&pdp)?;
        let crowd = kind.map(|kind| Crowd::gather(server.address, kind, wanted, options.rate));
        let latencies = Latencies::measure(server.address, time, PACE);
        let memory = server.memory();
        let (open, replaced) = crowd.map_or((0, 0), Crowd::disperse);
        let name = kind.map_or("nobody", Kind::name);
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1000.0);
        table.row([
            name.to_owned(),
            open.to_string(),
            replaced.to_string(),
            latencies.count().to_string(),
            ms(latencies.at(0.5)),
            ms(latencies.at(0.99)),
            ms(latencies.at(1.0)),
            memory.map_or("-".to_owned(), |bytes| format!("{:.0}", machine::Mib(bytes).value())),
        ]);
        if latencies.failed > 0 {
            missed.push(format!("{name}: {} requests were not answered", latencies.failed));
        }
        if latencies.at(0.99) >= BAR {
            missed.push(format!("{name}: a hundredth of the answers took {} ms or more", ms(latencies.at(0.99))));
        }
        server.end()?;
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::new();
    for line in machine::describe(root, cores) {
        text.push_str(&format!("- {line}\n"));
    }
    text.push_str(&format!("- Load before: {}\n\n", load.as_deref().unwrap_or("unknown")));
    text.push_str(&format!(
        "`/health` over a new connection each time, {PACE:?} apart, while {wanted} clients on the same machine are slow for {} s. \
         Of those that the server closes, {} come back in a second.\n\n",
        options.seconds, options.rate
    ));
    text.push_str(&table.text());
    print!("{text}");
    if let Some(path) = &options.markdown {
        let command = format!("cargo xtask bench slow-connections --connections {}", options.connections);
        report::put(path, "slow-connections", &format!("## slow-connections\n\n`{command}`\n\n{text}"))?;
    }
    if missed.is_empty() { Ok(()) } else { bail!("{}", missed.join("\n")) }
}
