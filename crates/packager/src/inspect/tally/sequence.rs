//! Sequence numbers of one file: where some are missing.

use pdp_manifest::quality::{Located, MAX_LINES_LISTED};

use super::located::{Findings, of_lines};
use super::per_symbol::PerSymbol;

/// Gaps that a late number may still fill.
const OPEN: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Sequence {
    highest: Option<u64>,
    steps: u64,
    /// Steps to the next number.
    by_one: u64,
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
            Some(1) => {
                self.by_one += 1;
                self.highest = Some(number);
            }
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

    /// What was found; `dense` is whether numbers go by one often enough that a jump is a gap.
    fn settled(&self) -> (Self, bool) {
        let mut whole =
            Self { lines: self.lines.clone(), settled: self.settled, missing: self.missing, ..Self::default() };
        for gap in &self.open {
            whole.settle(*gap);
        }
        let often = if self.steps < 30 { 2 } else { 10 };
        let dense = whole.settled.saturating_mul(often) <= self.steps;
        (whole, dense)
    }
}

/// The sequence numbers of a file: of its records one after the other, and of each symbol's by themselves.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    all: Sequence,
    each: PerSymbol<Sequence>,
}

impl Sequences {
    /// The next record's number.
    pub(super) fn next(&mut self, symbol: &str, line: u64, number: u64) {
        self.all.next(line, number);
        if let Some(own) = self.each.of(symbol) {
            own.next(line, number);
        }
    }

    /// What was found, by whichever way of numbering the file goes: by one through all records, or for each symbol.
    /// Where numbers usually jump, the source numbers something else than these records and a jump is no gap.
    pub(super) fn findings(self) -> SequenceFindings {
        let several = self.each.len() > 1;
        let each = self.each.into_values();
        let by_one: u64 = each.iter().map(|own| own.by_one).sum();
        let chosen = if several && by_one > self.all.by_one { each } else { vec![self.all] };
        let (mut gaps, mut lines, mut missing, mut repeats) = (0, Vec::new(), 0_u64, Findings::default());
        for sequence in chosen {
            let (whole, dense) = sequence.settled();
            if dense {
                gaps += whole.settled;
                lines.extend(whole.lines);
                missing = missing.saturating_add(whole.missing);
            }
            repeats.join(sequence.repeats);
        }
        lines.sort_unstable();
        SequenceFindings { gaps: of_lines(gaps, lines), missing, repeats: repeats.located() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(numbers: impl IntoIterator<Item = u64>) -> (Vec<u64>, u64, u64) {
        let mut sequences = Sequences::default();
        for (line, number) in (1..).zip(numbers) {
            sequences.next("A", line, number);
        }
        let found = sequences.findings();
        let gaps = found.gaps.unwrap_or_default();
        assert!(gaps.lines.len() <= MAX_LINES_LISTED);
        (gaps.lines, found.missing, found.repeats.map_or(0, |at| at.count))
    }

    #[test]
    fn symbols_may_have_their_own_numbers_or_share_them() {
        let own = [("A", 1), ("B", 1), ("A", 2), ("B", 2), ("A", 3), ("A", 4), ("B", 5), ("A", 5), ("A", 6), ("B", 6)];
        let shared = own.iter().enumerate().map(|(at, (symbol, _))| (*symbol, u64::try_from(at).unwrap()));
        let found = |numbers: Vec<(&str, u64)>| {
            let mut sequences = Sequences::default();
            for (line, (symbol, number)) in (1..).zip(numbers) {
                sequences.next(symbol, line, number);
            }
            let found = sequences.findings();
            (found.gaps.map(|at| at.lines), found.missing, found.repeats)
        };
        assert_eq!(found(own.to_vec()), (Some(vec![7]), 2, None));
        assert_eq!(found(shared.collect()), (None, 0, None));
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
