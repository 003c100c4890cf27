//! `cargo xtask bench download`: a large package from `pdp serve` and from nginx, turn by turn.

mod servers;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use self::servers::{Server, Used};
use super::machine::{self, Mib};
use super::measure::Spread;
use super::report::{self, Table};
use crate::{process, tools};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Size of the package in MiB
    #[arg(long, default_value_t = 1024)]
    mebibytes: u64,
    /// Rounds that count; one more comes first to warm up
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Connections of the client that opens many
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Put the figures into this file, such as docs/benchmarks.md, as a section of their own
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PATH")]
    pdp: Option<PathBuf>,
}

/// The least of nginx's rate that this project promises.
const TARGET: f64 = 0.8;
/// The name of the package.
const LARGE: &str = "large.zip";
/// A small one, of which many are fetched.
const SMALL: &str = "small.zip";
const SMALL_BYTES: u64 = 1 << 20;

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Task {
    /// One client, the large package once.
    One,
    /// Many connections, the large package for some seconds.
    Many,
    /// Many connections, the small package for some seconds.
    Small,
}

impl Task {
    const ALL: [Self; 3] = [Self::One, Self::Many, Self::Small];
    const SECONDS: u64 = 3;

    fn title(self, options: &Options) -> String {
        let Options { mebibytes, connections, .. } = options;
        match self {
            Self::One => format!("curl -o /dev/null, {mebibytes} MiB, one connection"),
            Self::Many => format!("wrk, {mebibytes} MiB, {connections} connections"),
            Self::Small => format!("wrk, 1 MiB, {connections} connections"),
        }
    }
}

/// What one server took in one round of one task.
#[derive(Debug, Clone, Copy)]
struct Sample {
    wall: f64,
    /// In bytes a second.
    rate: f64,
    /// CPU seconds of the server for a gibibyte.
    cpu: f64,
}

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    ensure!(options.runs > 0 && options.mebibytes > 0, "there must be a round and a byte at least");
    ensure!(cfg!(target_os = "linux"), "the servers' figures are read from /proc, which only Linux has");
    ensure!(tools::serving(root), "nginx, curl and wrk are needed and cannot be installed here");
    let place = root.join("target/bench/download");
    let packages = place.join("packages");
    fs::create_dir_all(&packages)?;
    noise(&packages.join(LARGE), options.mebibytes << 20)?;
    noise(&packages.join(SMALL), SMALL_BYTES)?;
    let pdp = match &options.pdp {
        Some(path) => fs::canonicalize(path).with_context(|| path.display().to_string())?,
        None => super::pack::build(root)?,
    };
    let load = machine::load();
    let servers = [
        Server::pdp(&pdp, &place)?,
        Server::nginx(&place, "nginx, sendfile", true)?,
        Server::nginx(&place, "nginx, sendfile off", false)?,
    ];
    let mut text = heading(root, options, load.as_deref());
    let mut kept = true;
    for task in Task::ALL {
        let mut samples = vec![Vec::new(); servers.len()];
        for round in 0..=options.runs {
            eprintln!("{}: round {round} of {}", task.title(options), options.runs);
            for (server, samples) in servers.iter().zip(&mut samples) {
                let sample = measure(task, server, options)?;
                // The first one warms up.
                samples.extend((round > 0).then_some(sample));
            }
        }
        let (section, best) = section(task, options, &servers, &samples);
        text += &section;
        kept &= best;
    }
    let _ = writeln!(
        text,
        "\n{:.0} % of nginx's rate with sendfile in all three: {}",
        TARGET * 100.0,
        if kept { "kept" } else { "MISSED" }
    );
    print!("{text}");
    if let Some(file) = &options.markdown {
        report::put(&root.join(file), "download", &text)?;
    }
    Ok(())
}

fn measure(task: Task, server: &Server, options: &Options) -> Result<Sample> {
    let before = server.used()?;
    let start = Instant::now();
    let bytes = match task {
        Task::One => curl(&server.url(LARGE), options.mebibytes << 20)?,
        Task::Many => wrk(&server.url(LARGE), options.connections)?,
        Task::Small => wrk(&server.url(SMALL), options.connections)?,
    };
    let wall = start.elapsed().as_secs_f64();
    let Used { cpu, .. } = server.used()?;
    let gibibytes = bytes / f64::from(1 << 30);
    Ok(Sample { wall, rate: bytes / wall, cpu: (cpu - before.cpu) / gibibytes })
}

/// Fetches it once, and gives how many bytes came.
fn curl(url: &str, expected: u64) -> Result<f64> {
    let args = ["-sS", "--fail", "-o", "/dev/null", "-w", "%{size_download}", url];
    let output = Command::new("curl").args(args).stderr(Stdio::inherit()).output().context("curl")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success() && text.trim() == expected.to_string(),
        "curl {url}: {}, {text} bytes",
        output.status
    );
    Ok(expected as f64)
}

/// Fetches it for some seconds, and gives how many bytes came.
fn wrk(url: &str, connections: usize) -> Result<f64> {
    let (connections, duration) = (format!("-c{connections}"), format!("-d{}s", Task::SECONDS));
    let text = process::output(Path::new("."), "wrk", &["-t1", &connections, &duration, url])?;
    ensure!(!text.contains("Non-2xx"), "wrk {url}: {text}");
    // `  45 requests in 3.00s, 5.27GB read`
    let read =
        text.lines().find_map(|line| line.strip_suffix(" read")?.rsplit(' ').next()).with_context(|| text.clone())?;
    let unit = read.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let factor = match unit {
        "B" => 0,
        "KB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => bail!("wrk read {read}"),
    };
    let number: f64 = read.trim_end_matches(unit).parse().with_context(|| read.to_owned())?;
    Ok(number * 2_f64.powi(factor))
}

/// A file of bytes that cannot be guessed, so that nothing on the way can make them fewer.
fn noise(path: &Path, len: u64) -> Result<()> {
    if fs::metadata(path).is_ok_and(|metadata| metadata.len() == len) {
        return Ok(());
    }
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..len / 8 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.write_all(&state.to_be_bytes())?;
    }
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(())
}

fn heading(root: &Path, options: &Options, load: Option<&str>) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = String::from(
        "## download\n\n`cargo xtask bench download`: `pdp serve` and nginx give the same file over loopback, turn by turn; ",
    );
    let _ = writeln!(text, "medians of {} rounds.\n", options.runs);
    for line in machine::describe(root, cores) {
        let _ = writeln!(text, "- {line}");
    }
    if let Ok(output) = Command::new("nginx").arg("-v").output() {
        let _ = writeln!(text, "- Peer: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    if let Some(load) = load {
        let _ = writeln!(text, "- Load before: {load}");
    }
    text
}

/// The figures of one task, and whether the promise was kept.
fn section(task: Task, options: &Options, servers: &[Server], all: &[Vec<Sample>]) -> (String, bool) {
    let mut table = Table::new([
        "",
        "wall s (min to max)",
        "MB/s",
        "server's CPU s a GiB",
        "peak MiB",
        "rate beside nginx, sendfile",
    ]);
    let rates = |samples: &[Sample]| samples.iter().map(|sample| sample.rate).collect::<Vec<_>>();
    let median = |values: &[f64]| Spread::of(values).map_or(f64::NAN, |spread| spread.median);
    let peer = all.get(1).map(|samples| rates(samples)).unwrap_or_default();
    let mut kept = true;
    for (number, (server, samples)) in servers.iter().zip(all).enumerate() {
        let walls: Vec<f64> = samples.iter().map(|sample| sample.wall).collect();
        let cpu: Vec<f64> = samples.iter().map(|sample| sample.cpu).collect();
        let wall = Spread::of(&walls);
        let ratio = Spread::of_ratios(&rates(samples), &peer);
        if number == 0 {
            kept = ratio.is_some_and(|ratio| ratio.median >= TARGET);
        }
        let peak = server.used().map_or(0, |used| used.peak);
        table.row([
            server.name.clone(),
            wall.map_or("-".to_owned(), |w| format!("{:.3} ({:.3} to {:.3})", w.median, w.min, w.max)),
            format!("{:.0}", median(&rates(samples)) / 1e6),
            format!("{:.3}", median(&cpu)),
            format!("{:.1}", Mib(peak).value()),
            ratio.map_or("-".to_owned(), |r| format!("{:.2} ({:.2} to {:.2})", r.median, r.min, r.max)),
        ]);
    }
    (format!("\n### {}\n\n{}", task.title(options), table.text()), kept)
}
