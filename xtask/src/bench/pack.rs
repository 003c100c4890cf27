//! `cargo xtask bench pack`: packages of collected events, against what a user would take instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Args, ValueEnum};
use pdp_manifest::CompressionLevel;

use super::ceilings::{self, Levels, Rates};
use super::data::{self, Amount};
use super::machine;
use super::measure::{self, Expected, Failure, Measured, Spread, Task};
use super::peers::{self, Inputs, Peer};
use super::report::{self, Table};
use crate::{process, tools};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Files of collected events
    #[arg(long, default_value_t = 800)]
    files: usize,
    /// Their size together, in millions of bytes
    #[arg(long, default_value_t = 500)]
    megabytes: u64,
    /// Rounds that count; one more comes first to warm up
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Compression of the package that is validated and imported
    #[arg(long, value_enum, default_value_t = Level::Balanced)]
    level: Level,
    /// Only tasks and tools whose names hold one of these words
    #[arg(long, num_args = 1..)]
    only: Vec<String>,
    /// Leave what the last round and the peers made below target/bench/pack
    #[arg(long)]
    keep: bool,
    /// Put the figures into this file, such as docs/benchmarks.md, as a section of their own
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Measure this program instead of building one
    #[arg(long, value_name = "PATH")]
    pdp: Option<PathBuf>,
    /// Build ripunzip from the registry into target/bench/tools when it is not there
    #[arg(long)]
    install_ripunzip: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Level {
    Fast,
    Balanced,
    Max,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Max => "max",
        }
    }

    const fn deflate(self) -> u8 {
        match self {
            Self::Fast => CompressionLevel::Fast.deflate_level(),
            Self::Balanced => CompressionLevel::Balanced.deflate_level(),
            Self::Max => CompressionLevel::Maximum.deflate_level(),
        }
    }
}

/// What this project promises of one of ours beside one peer.
struct Target {
    task: Task,
    own: &'static str,
    peer: &'static str,
    /// How many times faster at least.
    faster: f64,
    /// How large at most beside the peer's output.
    size: Option<f64>,
}

const TARGETS: [Target; 7] = [
    Target { task: Task::Create, own: "pdp balanced", peer: "zip -6", faster: 4.0, size: Some(0.93) },
    Target { task: Task::Create, own: "pdp fast", peer: "zip -1", faster: 5.0, size: None },
    Target { task: Task::Create, own: "pdp fast", peer: "7z -mx=1", faster: 1.0, size: None },
    // Measuring quality may take a quarter more at most.
    Target { task: Task::Create, own: "pdp balanced, with quality", peer: "pdp balanced", faster: 0.8, size: None },
    Target { task: Task::Validate, own: "pdp", peer: "unzip -t", faster: 5.0, size: None },
    Target { task: Task::Import, own: "pdp", peer: "unzip", faster: 3.0, size: None },
    Target { task: Task::Import, own: "pdp", peer: "ripunzip", faster: 1.0, size: None },
];

type Results = Vec<(Task, Vec<Measured>)>;

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    ensure!(options.files > 0 && options.runs > 0, "there must be a file and a round at least");
    let home = root.join("target/bench");
    let (place, tools_home) = (home.join("pack"), home.join("tools"));
    tools::peers(root);
    if options.install_ripunzip {
        tools::ripunzip(root, &tools_home)?;
    }
    let pdp = program(root, options.pdp.as_deref())?;
    let load = machine::load();
    let (data, work) = (place.join("root"), place.join("work"));
    fs::create_dir_all(&work)?;
    let bytes = data::ensure(&data, Amount { files: options.files, bytes: options.megabytes * 1_000_000 })?;
    let expected = Expected { files: u64::try_from(options.files)?, bytes };

    let made = place.join("packages");
    let package = package(&pdp, &data, &made.join("zip"), options.level, "zip")?;
    let tar = tar(&pdp, &data, &made.join("tar"), options.level)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let tar = tar.as_ref().map(|(path, ours)| (path.as_path(), *ours));
    let inputs = Inputs { pdp: &pdp, data: &data, work: &work, package: &package, tar, tools: &tools_home, cores };
    let peers = Peer::all(inputs.tools);
    let all = peers::contenders(&inputs, &peers);
    let mut results: Results = Vec::new();
    let mut failed = Vec::new();
    for task in Task::ALL {
        let wanted = |name: &str| {
            options.only.is_empty() || options.only.iter().any(|word| name.contains(word) || task.name() == word)
        };
        let chosen: Vec<_> = all.iter().filter(|one| one.task == task && wanted(&one.name)).collect();
        if !chosen.is_empty() {
            let (measured, without) = measure::rounds(&chosen, options.runs, expected, options.keep)?;
            failed.extend(without);
            results.push((task, measured));
        }
    }
    // Last, because it needs memory that would count towards the others' peaks.
    let [balanced, fast] = [Level::Balanced, Level::Fast].map(Level::deflate);
    let levels = Levels { balanced, fast, read: options.level.deflate() };
    eprintln!("ceilings");
    let rates = ceilings::measure(&data, &place.join("ceilings"), levels)?;
    let package_bytes = fs::metadata(&package)?.len();

    let mut text = heading(root, options, &peers, cores, load.as_deref());
    text += &format!(
        "Data: {} files, {:.1} MB; the package that is read: {}, {:.1} MB.\n",
        options.files,
        report::megabytes(bytes),
        options.level.name(),
        report::megabytes(package_bytes)
    );
    for Failure { name, why } in &failed {
        text += &format!("\n{name} failed: {why}\n");
    }
    for (task, measured) in &results {
        text += &format!("\n{}", report::task(*task, measured, bytes));
    }
    text += &format!("\n### targets\n\n{}", targets(&results));
    text += &format!("\n### ceilings\n\n{}", ceilings_text(&results, &rates, bytes, package_bytes, cores));
    println!("{text}");
    if let Some(file) = &options.markdown {
        report::put(file, "pack", &text)?;
    }
    if !options.keep {
        fs::remove_dir_all(&work)?;
        fs::remove_dir_all(&made)?;
    }
    Ok(())
}

/// The program that is measured: the one that was given, or one that is built.
pub(super) fn program(root: &Path, given: Option<&Path>) -> Result<PathBuf> {
    match given {
        Some(path) => fs::canonicalize(path).with_context(|| path.display().to_string()),
        None => build(root),
    }
}

/// Builds `pdp` as it is shipped; where it is.
pub(super) fn build(root: &Path) -> Result<PathBuf> {
    let cargo = process::cargo();
    process::run(root, &cargo, &["build", "--release", "--locked", "--package", "pdp-cli"])?;
    let metadata = process::output(root, &cargo, &["metadata", "--format-version", "1", "--no-deps"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata.get("target_directory").and_then(|path| path.as_str()).context("no target directory")?;
    Ok(Path::new(target).join("release").join(format!("pdp{}", std::env::consts::EXE_SUFFIX)))
}

/// Makes the package that is validated and imported.
fn package(pdp: &Path, data: &Path, output: &Path, level: Level, format: &str) -> Result<PathBuf> {
    if output.exists() {
        fs::remove_dir_all(output)?;
    }
    let mut args = peers::create_args(data, output, level.name());
    args.extend(["--format", format].map(Into::into));
    let status = Command::new(pdp).args(&args).stdout(std::process::Stdio::null()).status()?;
    ensure!(status.success(), "pdp create: {status}");
    for entry in fs::read_dir(output)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(&format!(".{format}")) {
            return Ok(path);
        }
    }
    bail!("pdp create left no package in {}", output.display())
}

/// A compressed tar of the same data and whether it is a package; a plain one where `pdp` makes none yet.
fn tar(pdp: &Path, data: &Path, output: &Path, level: Level) -> Result<Option<(PathBuf, bool)>> {
    if peers::knows_tar(pdp) {
        return Ok(Some((package(pdp, data, output, level, "tar.gz")?, true)));
    }
    let Some(tar) = process::find("tar") else { return Ok(None) };
    fs::create_dir_all(output)?;
    let path = output.join("data.tar.gz");
    let status = Command::new(tar).arg("czf").arg(&path).arg("-C").arg(data).arg(".").status()?;
    Ok(status.success().then_some((path, false)))
}

fn heading(root: &Path, options: &Options, peers: &[Peer], cores: usize, load: Option<&str>) -> String {
    // The program's own path says nothing to others.
    let own = options.pdp.as_ref().map(|path| path.to_string_lossy().into_owned());
    let args = std::env::args().skip(1).map(|arg| if Some(&arg) == own.as_ref() { "PATH".to_owned() } else { arg });
    let command = args.collect::<Vec<_>>().join(" ");
    let mut text = format!("## pack\n\n`cargo xtask {command}`\n\n");
    for line in machine::describe(root, cores) {
        text += &format!("- {line}\n");
    }
    if let Some(load) = load {
        text += &format!("- Load before the first round: {load}\n");
    }
    let versions: Vec<String> = peers.iter().filter_map(Peer::version).collect();
    text += &format!("- Peers: {}\n", versions.join(", "));
    let absent: Vec<&str> = peers.iter().filter(|peer| peer.program.is_none()).map(|peer| peer.name).collect();
    if !absent.is_empty() {
        text += &format!("- Not installed: {}\n", absent.join(", "));
    }
    text + "\n"
}

fn find<'a>(results: &'a Results, task: Task, name: &str) -> Option<&'a Measured> {
    let (_, all) = results.iter().find(|(of, _)| *of == task)?;
    all.iter().find(|measured| measured.name == name)
}

fn targets(results: &Results) -> String {
    let mut table = Table::new(["target", "measured", "outcome"]);
    for Target { task, own, peer, faster, size } in &TARGETS {
        let pair = find(results, *task, own).zip(find(results, *task, peer));
        let outcome = |measured: Option<f64>, reached: &dyn Fn(f64) -> bool| match measured {
            Some(value) => [format!("{value:.2}"), if reached(value) { "reached" } else { "missed" }.to_owned()],
            None => ["-".to_owned(), "not measured".to_owned()],
        };
        let speed = pair.and_then(|(own, peer)| Spread::of_ratios(&peer.walls(), &own.walls())).map(|r| r.median);
        let how =
            if *faster > 1.0 { format!("at least {faster} times as fast as") } else { "no slower than".to_owned() };
        let about = format!("{} {own}: {how} {peer}", task.name());
        table.row(std::iter::once(about).chain(outcome(speed, &|ratio| ratio >= *faster)));
        if let Some(most) = size {
            let ratio = pair.map(|(own, peer)| own.bytes as f64 / peer.bytes.max(1) as f64);
            let about = format!("{} {own}: at most {most} of the size of {peer}", task.name());
            table.row(std::iter::once(about).chain(outcome(ratio, &|ratio| ratio <= *most)));
        }
    }
    table.text()
}

fn ceilings_text(results: &Results, rates: &Rates, data: u64, package: u64, cores: usize) -> String {
    let mut table = Table::new(["one core, plain bytes", "MB/s"]);
    for (name, rate) in [
        ("read, cached", rates.read),
        ("SHA-256", rates.sha256),
        ("CRC-32", rates.crc32),
        ("inflate", rates.inflate),
        ("deflate, balanced", rates.deflate_balanced),
        ("deflate, fast", rates.deflate_fast),
        ("write", rates.write),
        ("write, each file flushed", rates.write_flushed),
    ] {
        table.row([name.to_owned(), format!("{:.0}", rate / 1e6)]);
    }
    let (data, package) = (data as f64, package as f64);
    let check = data / rates.sha256 + data / rates.crc32;
    let read = package / rates.read + data / rates.inflate + check;
    let packed = |name| find(results, Task::Create, name).map_or(0.0, |measured| measured.bytes as f64);
    let create = |deflate: f64, packed: f64| data / rates.read + check + data / deflate + packed / rates.write;
    let (balanced, fast) = (packed("pdp balanced"), packed("pdp fast"));
    let read_back = |packed: f64| packed / rates.read + data / rates.inflate + check;
    let (make, make_fast) = (create(rates.deflate_balanced, balanced), create(rates.deflate_fast, fast));
    let mut distance = Table::new(["", "ideal s", "measured s", "measured / ideal"]);
    for (task, name, about, seconds) in [
        (Task::Create, "pdp balanced", "", make),
        (Task::Create, "pdp balanced, read back", "", make + read_back(balanced)),
        (Task::Create, "pdp fast", "", make_fast),
        (Task::Create, "pdp fast, read back", "", make_fast + read_back(fast)),
        (Task::Validate, "pdp", "", read + package / rates.sha256),
        (Task::Import, "pdp", "", read + data / rates.write),
        (Task::Import, "pdp", ", files flushed", read + data / rates.write_flushed),
    ] {
        let wall = find(results, task, name).and_then(|measured| Spread::of(&measured.walls()));
        if let Some(wall) = wall {
            let ideal = seconds / cores as f64;
            let cells = [format!("{ideal:.3}"), format!("{:.3}", wall.median), format!("{:.2}", wall.median / ideal)];
            distance.row(std::iter::once(format!("{} {name}{about}", task.name())).chain(cells));
        }
    }
    format!(
        "{}\nIdeal is what the parts that no packager can leave out take at these rates, spread over {cores} cores without \
         loss.\n\n{}",
        table.text(),
        distance.text()
    )
}
