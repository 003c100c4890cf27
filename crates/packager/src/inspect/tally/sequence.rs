//! Sequence numbers of one file: where some are missing.

use pdp_manifest::quality::{Located, MAX_LINES_LISTED};

use super::located::{Findings, of_lines};

/// Gaps that a late number may still fill.
const OPEN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Sequence {
    highest: Option<u64>,
    steps: u64,
    /// Gaps that stay, and the lines behind the first of them.
    settled: u64,
    lines: Vec<u64>,
    missing: u64,
    /// Gaps in which a number may still come: line, and first and last missing number.
    open: Vec<(u64, u64, u64)>,
    repeats: Findings,
}

/// What is wrong with the sequence numbers of a file.
pub(super) struct SequenceFindings {
    pub(super) gaps: Option<Located>,
    pub(super) missing: u64,
    pub(super) repeats: Option<Located>,
}

impl Sequence {
    /// The next record's number.
    pub(super) fn next(&mut self, line: u64, number: u64) {
        let Some(highest) = self.highest else {
            self.highest = Some(number);
            return;
        };
        self.steps += 1;
        match number.checked_sub(highest) {
            Some(0) => self.repeats.add(line),
            Some(1) => self.highest = Some(number),
            Some(_) => {
                self.highest = Some(number);
                if self.open.len() == OPEN {
                    let oldest = self.open.remove(0);
                    self.settle(oldest);
                }
                self.open.push((line, highest + 1, number - 1));
            }
            None if self.fill(number) => {}
            // The source began to count anew.
            None => self.highest = Some(number),
        }
    }

    /// A number that comes late: true where it was missing.
    fn fill(&mut self, number: u64) -> bool {
        let Some(at) = self.open.iter().rposition(|(_, first, last)| (*first..=*last).contains(&number)) else {
            return false;
        };
        let (line, first, last) = self.open.remove(at);
        if number < last {
            self.open.insert(at, (line, number + 1, last));
        }
        if first < number {
            self.open.insert(at, (line, first, number - 1));
        }
        true
    }

    fn settle(&mut self, (line, first, last): (u64, u64, u64)) {
        self.settled += 1;
        self.missing = self.missing.saturating_add(last - first).saturating_add(1);
        if self.lines.len() < MAX_LINES_LISTED {
            self.lines.push(line);
        }
    }

    /// What was found. Where numbers usually jump, the source numbers something else than these records and a jump is no
    /// gap.
    pub(super) fn findings(&self) -> SequenceFindings {
        let mut whole =
            Self { lines: self.lines.clone(), settled: self.settled, missing: self.missing, ..Self::default() };
        for gap in &self.open {
            whole.settle(*gap);
        }
        let often = if self.steps < 30 { 3 } else { 10 };
        let dense = whole.settled.saturating_mul(often) <= self.steps;
        SequenceFindings {
            gaps: of_lines(whole.settled, whole.lines).filter(|_| dense),
            missing: if dense { whole.missing } else { 0 },
            repeats: self.repeats.located(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: impl IntoIterator<Item = u64>) -> (Vec<u64>, u64, u64) {
        let mut sequence = Sequence::default();
        for (line, number) in (1..).zip(numbers) {
            sequence.next(line, number);
        }
        let found = sequence.findings();
        let gaps = found.gaps.unwrap_or_default();
        assert!(gaps.lines.len() <= MAX_LINES_LISTED);
        (gaps.lines, found.missing, found.repeats.map_or(0, |at| at.count))
    }

    #[test]
    fn gaps_are_where_numbers_stay_away() {
        assert_eq!(found(1..=5), (vec![], 0, 0));
        assert_eq!(found([1, 2, 3, 7, 8, 9]), (vec![4], 3, 0));
        assert_eq!(found([1, 2, 4, 3, 5, 6]), (vec![], 0, 0), "late, not missing");
        assert_eq!(found([1, 2, 6, 4, 7, 8, 9, 10, 11, 12]), (vec![3, 3], 2, 0), "a gap with a number in it is two");
        assert_eq!(found([1, 2, 2, 3]), (vec![], 0, 1));
        assert_eq!(found([100, 101, 102, 1, 2, 3]), (vec![], 0, 0), "counting began anew");
        assert_eq!(found((0..100).map(|n| n * 5)), (vec![], 0, 0), "other things are numbered too");
        let (lines, missing, _) = found((0..10_000).filter(|n| n % 50 != 49));
        assert_eq!((lines.len(), missing), (MAX_LINES_LISTED, 199));
        assert_eq!(lines[0], 50);
        assert_eq!(found([0, u64::MAX, 0, 1, 2, 3]).2, 0);
    }
}
