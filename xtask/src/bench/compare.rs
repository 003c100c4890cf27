//! Contenders as processes that do the same task turn by turn, and their figures as tables.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use wait4::Wait4 as _;

use super::measure::Spread;
use super::report::Table;

/// A process that does what is compared, and says its figures.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) ours: bool,
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// What it makes.
    pub(super) output: Option<PathBuf>,
}

/// One contender's figures, one of each run.
pub(super) struct Figures {
    pub(super) name: &'static str,
    pub(super) ours: bool,
    pub(super) runs: Vec<Value>,
}

impl Figures {
    /// A figure of each run; it is not a number where the contender does not say it.
    pub(super) fn all(&self, key: &str) -> Vec<f64> {
        let of = |run: &Value| run.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
        self.runs.iter().map(of).collect()
    }

    /// Rows in a million for each CPU second.
    pub(super) fn rates(&self) -> Vec<f64> {
        self.all("rows").iter().zip(self.all("cpu")).map(|(rows, cpu)| rows / cpu / 1e6).collect()
    }

    pub(super) fn bytes_of_bar(&self) -> Vec<f64> {
        self.all("bytes").iter().zip(self.all("rows")).map(|(bytes, rows)| bytes / rows).collect()
    }
}

impl Contender {
    /// Runs to the end; CPU seconds are of the whole process unless it says what its task took.
    pub(super) fn run(&self) -> Result<Value> {
        if let Some(output) = &self.output {
            remove(output)?;
        }
        let start = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.name.to_owned())?;
        let mut said = String::new();
        if let Some(mut stdout) = child.stdout.take() {
            std::io::Read::read_to_string(&mut stdout, &mut said)?;
        }
        let used = child.wait4().with_context(|| self.name.to_owned())?;
        if !used.status.success() {
            bail!("{}: {}", self.name, used.status);
        }
        let mut figures: Value = serde_json::from_str(&said).with_context(|| format!("{}: {said}", self.name))?;
        if let Some(figures) = figures.as_object_mut() {
            let cpu = (used.rusage.utime + used.rusage.stime).as_secs_f64();
            figures.entry("cpu").or_insert_with(|| cpu.into());
            figures.entry("wall").or_insert_with(|| start.elapsed().as_secs_f64().into());
        }
        if let Some(output) = &self.output {
            remove(output)?;
        }
        Ok(figures)
    }
}

fn remove(file: &Path) -> Result<()> {
    if file.exists() {
        fs::remove_file(file).with_context(|| format!("removing {}", file.display()))?;
    }
    Ok(())
}

/// Runs all turn by turn, so that a drift of the machine hits them all. A peer that fails is left out, and said.
pub(super) fn rounds(task: &str, runs: usize, contenders: &[Contender]) -> Result<Vec<Figures>> {
    let mut all: Vec<Figures> =
        contenders.iter().map(|c| Figures { name: c.name, ours: c.ours, runs: Vec::new() }).collect();
    let mut failed = vec![false; contenders.len()];
    for round in 1..=runs {
        for ((contender, figures), failed) in contenders.iter().zip(&mut all).zip(&mut failed) {
            if *failed {
                continue;
            }
            eprintln!("{task}: round {round} of {runs}: {}", contender.name);
            match contender.run() {
                Ok(run) => figures.runs.push(run),
                Err(error) if contender.ours => return Err(error),
                Err(error) => {
                    eprintln!("{error:#}; it takes no part");
                    *failed = true;
                }
            }
        }
    }
    let mut failed = failed.into_iter();
    all.retain(|_| failed.next() == Some(false));
    Ok(all)
}

/// A figure of a table, and whether ours is compared by it.
pub(super) struct Column {
    name: &'static str,
    of: fn(&Figures) -> Vec<f64>,
    better: Option<Better>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Better {
    More,
    Less,
}

impl Column {
    pub(super) const fn rate(name: &'static str, of: fn(&Figures) -> Vec<f64>) -> Self {
        Self { name, of, better: Some(Better::More) }
    }

    pub(super) const fn time(name: &'static str, of: fn(&Figures) -> Vec<f64>) -> Self {
        Self { name, of, better: Some(Better::Less) }
    }

    pub(super) const fn plain(name: &'static str, of: fn(&Figures) -> Vec<f64>) -> Self {
        Self { name, of, better: None }
    }
}

/// Medians, and how many times better than each the first contender is, run by run.
pub(super) fn table(all: &[Figures], columns: &[Column]) -> String {
    let mut head = vec![String::new()];
    for column in columns {
        head.push(column.name.to_owned());
        if column.better.is_some() {
            head.push("pdp is times better (min to max)".to_owned());
        }
    }
    let mut table = Table::new(head);
    for figures in all {
        let mut row = vec![figures.name.to_owned()];
        for column in columns {
            let values = (column.of)(figures);
            let finite = values.iter().all(|value| value.is_finite());
            row.push(Spread::of(&values).filter(|_| finite).map_or("-".to_owned(), |all| shown(all.median)));
            let Some(better) = column.better else { continue };
            let own = all.first().filter(|first| first.ours && first.name != figures.name);
            let ratio = own.and_then(|own| {
                let own = (column.of)(own);
                if better == Better::More { Spread::of_ratios(&own, &values) } else { Spread::of_ratios(&values, &own) }
            });
            row.push(ratio.map_or("-".to_owned(), |r| format!("{:.2} ({:.2} to {:.2})", r.median, r.min, r.max)));
        }
        table.row(row);
    }
    table.text()
}

/// Three figures or so.
pub(super) fn shown(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}
