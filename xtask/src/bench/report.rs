//! Figures as tables of Markdown, which a terminal shows well enough too.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::machine::Mib;
use super::measure::{Measured, Spread, Task};

/// A table whose columns are as wide as what is in them: the first flush left, the others flush right.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new<S: Into<String>>(head: impl IntoIterator<Item = S>) -> Self {
        Self { rows: vec![head.into_iter().map(Into::into).collect()] }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    pub(super) fn text(&self) -> String {
        let columns = self.rows.first().map_or(0, Vec::len);
        let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0).max(3))
            .collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            for (column, width) in widths.iter().enumerate() {
                let cell = cell(row, column);
                let padded = if column == 0 { format!("| {cell:<width$} |") } else { format!(" {cell:>width$} |") };
                text.push_str(&padded);
            }
            text.push('\n');
            if number == 0 {
                for (column, width) in widths.iter().enumerate() {
                    let line = "-".repeat(*width);
                    let rule =
                        if column == 0 { format!("| {line} |") } else { format!(" {}: |", "-".repeat(width - 1)) };
                    text.push_str(&rule);
                }
                text.push('\n');
            }
        }
        text
    }
}

/// What one task's contenders took, and how many times faster ours are than each peer.
pub(super) fn task(task: Task, all: &[Measured], input: u64) -> String {
    let mut figures = Table::new(["", "wall s (min to max)", "CPU s", "peak MiB", "size MB", "of input"]);
    for measured in all {
        let cpu: Vec<f64> = measured.samples.iter().map(|sample| sample.cpu).collect();
        let peak = measured.samples.iter().map(|sample| sample.peak).max().unwrap_or(0);
        let sizes = match task {
            Task::Create => [format!("{:.2}", megabytes(measured.bytes)), percent(measured.bytes, input)],
            Task::Validate | Task::Import => ["-".to_owned(), "-".to_owned()],
        };
        let wall = Spread::of(&measured.walls());
        let mut row = vec![
            measured.name.clone(),
            wall.map_or("-".to_owned(), |wall| format!("{:.3} ({:.3} to {:.3})", wall.median, wall.min, wall.max)),
            Spread::of(&cpu).map_or("-".to_owned(), |cpu| format!("{:.2}", cpu.median)),
            format!("{:.0}", Mib(peak).value()),
        ];
        row.extend(sizes);
        figures.row(row);
    }
    let peers: Vec<&Measured> = all.iter().filter(|measured| !measured.ours).collect();
    let head = std::iter::once("times faster than".to_owned()).chain(peers.iter().map(|peer| peer.name.clone()));
    let mut ratios = Table::new(head);
    for own in all.iter().filter(|measured| measured.ours) {
        let ratio = |peer: &&Measured| {
            let ratio = Spread::of_ratios(&peer.walls(), &own.walls());
            ratio.map_or("-".to_owned(), |r| format!("{:.2} ({:.2} to {:.2})", r.median, r.min, r.max))
        };
        ratios.row(std::iter::once(own.name.clone()).chain(peers.iter().map(ratio)));
    }
    let mut text = format!("### {}\n\n{}", task.name(), figures.text());
    if !peers.is_empty() && all.iter().any(|measured| measured.ours) {
        let _ = write!(text, "\n{}", ratios.text());
    }
    text
}

pub(super) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn percent(part: u64, whole: u64) -> String {
    format!("{:.2} %", 100.0 * part as f64 / whole.max(1) as f64)
}

/// Puts the section into `file`, in place of the one of the same name that an earlier run left there.
pub(super) fn put(file: &Path, name: &str, section: &str) -> Result<()> {
    let (begin, end) = (format!("<!-- bench {name} -->\n"), format!("<!-- end of bench {name} -->\n"));
    let old = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| file.display().to_string()),
    };
    let (before, after) = match (old.split_once(&begin), old.split_once(&end)) {
        (Some((before, _)), Some((_, after))) => (before.to_owned(), after),
        (None, None) if old.is_empty() => (old.clone(), ""),
        (None, None) => (format!("{}\n\n", old.trim_end()), ""),
        _ => bail!("{}: only one of the two marks of the section {name} is there", file.display()),
    };
    fs::write(file, format!("{before}{begin}{section}{end}{after}")).with_context(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_takes_the_place_of_the_one_before_and_leaves_the_rest() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("benchmarks.md");
        fs::write(&file, "# Benchmarks\n").unwrap();
        put(&file, "pack", "one\n").unwrap();
        let with_more = fs::read_to_string(&file).unwrap() + "\nmore\n";
        fs::write(&file, with_more).unwrap();
        put(&file, "pack", "two\n").unwrap();
        let text = fs::read_to_string(&file).unwrap();
        assert_eq!(text, "# Benchmarks\n\n<!-- bench pack -->\ntwo\n<!-- end of bench pack -->\n\nmore\n");
    }
}
