//! Findings of one kind: how many, and where the first ones are.

use pdp_manifest::quality::{Located, MAX_LINES_LISTED};

/// Findings of one kind in one file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) count: u64,
    lines: Vec<u64>,
}

impl Findings {
    /// One more, at this line.
    pub(super) fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < MAX_LINES_LISTED {
            self.lines.push(line);
        }
    }

    /// Adds others of the same kind.
    pub(super) fn join(&mut self, others: Self) {
        self.count += others.count;
        self.lines.extend(others.lines);
        self.lines.sort_unstable();
        self.lines.truncate(MAX_LINES_LISTED);
    }

    /// As the report has them; none where nothing was found.
    pub(super) fn located(&self) -> Option<Located> {
        (self.count > 0).then(|| Located { count: self.count, lines: self.lines.clone() })
    }
}

/// Findings that are known all together, lines ascending.
pub(super) fn of_lines(count: u64, mut lines: Vec<u64>) -> Option<Located> {
    lines.truncate(MAX_LINES_LISTED);
    (count > 0).then_some(Located { count, lines })
}
