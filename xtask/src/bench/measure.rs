//! Whole processes measured in rounds, and what their figures come to.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use wait4::Wait4 as _;
use walkdir::WalkDir;

/// What is compared with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Create,
    Validate,
    Import,
}

impl Task {
    pub(super) const ALL: [Self; 3] = [Self::Create, Self::Validate, Self::Import];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Validate => "validate",
            Self::Import => "import",
        }
    }
}

/// One command that does a task.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) task: Task,
    pub(super) name: String,
    /// Whether it is `pdp`.
    pub(super) ours: bool,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// Where it runs.
    pub(super) directory: PathBuf,
    /// The directory that it writes to, empty before each run.
    pub(super) output: PathBuf,
}

/// What one run of one command took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) wall: f64,
    /// User and system, of the process and those that it waited for.
    pub(super) cpu: f64,
    pub(super) peak: u64,
}

/// One contender's figures, a sample a round.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) ours: bool,
    pub(super) samples: Vec<Sample>,
    /// Of what it wrote.
    pub(super) bytes: u64,
}

impl Measured {
    pub(super) fn walls(&self) -> Vec<f64> {
        self.samples.iter().map(|sample| sample.wall).collect()
    }
}

/// What must hold of what was written, checked after the round that is not counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// A peer that could not do the task, and why.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) name: String,
    pub(super) why: String,
}

/// Runs all contenders of one task once to warm up and then `runs` times, turn by turn, so that a drift of the machine
/// hits them all. Gives the figures, and the peers that failed with the reason.
pub(super) fn rounds(
    contenders: &[&Contender],
    runs: usize,
    expected: Expected,
    keep: bool,
) -> Result<(Vec<Measured>, Vec<Failure>)> {
    let mut failed = Vec::new();
    let mut taking_part = Vec::new();
    for contender in contenders {
        eprintln!("{}: {} warms up", contender.task.name(), contender.name);
        let checked = prepare(contender).and_then(|()| run(contender)).and_then(|_| check(contender, expected));
        match checked {
            Ok(bytes) => {
                let Contender { name, ours, .. } = contender;
                let measured = Measured { name: name.clone(), ours: *ours, samples: Vec::new(), bytes };
                taking_part.push((*contender, measured));
            }
            Err(error) if contender.ours => return Err(error),
            Err(error) => failed.push(Failure { name: contender.name.clone(), why: format!("{error:#}") }),
        }
        remove(&contender.output)?;
    }
    for round in 1..=runs {
        eprintln!("{}: round {round} of {runs}", contenders.first().map_or("", |first| first.task.name()));
        for (contender, measured) in &mut taking_part {
            prepare(contender)?;
            measured.samples.push(run(contender)?);
            if !(keep && round == runs) {
                remove(&contender.output)?;
            }
        }
    }
    Ok((taking_part.into_iter().map(|(_, measured)| measured).collect(), failed))
}

/// An empty directory for the output, and no work for the disk left over from what ran before.
fn prepare(contender: &Contender) -> Result<()> {
    remove(&contender.output)?;
    fs::create_dir_all(&contender.output)?;
    // Where there is no `sync`, nothing is lost but evenness.
    let _ = Command::new("sync").status();
    Ok(())
}

/// Runs the command to its end.
fn run(contender: &Contender) -> Result<Sample> {
    let shown = || format!("{} ({})", contender.name, contender.task.name());
    let complaints = contender.output.with_extension("stderr");
    let mut command = Command::new(&contender.program);
    command.args(&contender.args).current_dir(&contender.directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&complaints)?);
    forget_peak();
    let start = Instant::now();
    let child = command.spawn().with_context(shown)?;
    let used = child.wait4().with_context(shown)?;
    let wall = start.elapsed().as_secs_f64();
    if !used.status.success() {
        let text = fs::read(&complaints).unwrap_or_default();
        bail!("{}: {}: {}", shown(), used.status, String::from_utf8_lossy(&text).trim());
    }
    let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    Ok(Sample { wall, cpu, peak: used.rusage.maxrss })
}

/// Linux counts the memory that we ourselves ever had towards our children's peak, unless we forget ours.
fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// That the output is what was asked for; how large it is.
fn check(contender: &Contender, expected: Expected) -> Result<u64> {
    let (mut data_files, mut data_bytes, mut bytes) = (0, 0, 0);
    for entry in WalkDir::new(&contender.output) {
        let entry = entry?;
        if !entry.file_type().is_file() {
            continue;
        }
        let extension = entry.path().extension().and_then(|extension| extension.to_str());
        let length = entry.metadata()?.len();
        if extension == Some("jsonl") {
            data_files += 1;
            data_bytes += length;
        }
        // A package's sidecar is not the package.
        if extension != Some("sha256") {
            bytes += length;
        }
    }
    match contender.task {
        Task::Create if bytes == 0 => bail!("{} wrote nothing", contender.name),
        Task::Import if (data_files, data_bytes) != (expected.files, expected.bytes) => bail!(
            "{} left {data_files} files of data with {data_bytes} bytes, not {} with {}",
            contender.name,
            expected.files,
            expected.bytes
        ),
        _ => Ok(bytes),
    }
}

fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))?;
    }
    Ok(())
}

/// The middle of some figures, and how far they reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Spread {
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some(Self { median: f64::midpoint(*low, *high), min, max })
    }

    /// How many times `slower` is as long as `faster`, round by round: both of a round saw the same machine.
    pub(super) fn of_ratios(slower: &[f64], faster: &[f64]) -> Option<Self> {
        let ratios: Vec<f64> = slower.iter().zip(faster).map(|(slower, faster)| slower / faster).collect();
        Self::of(&ratios)
    }
}

/// CPU seconds that this thread took so far.
pub(super) fn thread_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_in_the_middle() {
        assert_eq!(Spread::of(&[3.0, 1.0, 2.0]), Some(Spread { median: 2.0, min: 1.0, max: 3.0 }));
        assert_eq!(Spread::of(&[4.0, 1.0, 3.0, 2.0]), Some(Spread { median: 2.5, min: 1.0, max: 4.0 }));
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_paired_by_round_before_the_median_is_taken() {
        // The machine was three times slower in the last two rounds, for both.
        let (peer, own) = ([4.0, 12.0, 15.0], [1.0, 3.0, 3.0]);
        assert_eq!(Spread::of_ratios(&peer, &own), Some(Spread { median: 4.0, min: 4.0, max: 5.0 }));
    }
}
