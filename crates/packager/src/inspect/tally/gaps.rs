//! Long times without a record.

use chrono::{DateTime, Utc};
use pdp_manifest::quality::{MAX_GAPS_LISTED, TimeGap, TimeGaps};
use pdp_manifest::time::Instant;

use super::histogram::Histogram;

/// Shorter times are no gaps, however close records usually are.
const SHORTEST: f64 = 60.0;
/// How much longer than usual a gap is.
const TIMES_LONGER: f64 = 20.0;
/// The same where records come regularly, as bars do.
const TIMES_LONGER_REGULAR: f64 = 1.5;

/// The times between the records of a file, in the order of the records.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    steps: Histogram,
    /// The longest, the shortest of them first: its length, its two ends, and the line behind it.
    longest: Vec<(f64, DateTime<Utc>, DateTime<Utc>, u64)>,
}

impl Gaps {
    /// A record came at `end`, the one before at `start`, not later.
    pub(super) fn step(&mut self, start: DateTime<Utc>, end: DateTime<Utc>, line: u64) {
        let seconds = (end - start).as_seconds_f64();
        if seconds <= 0.0 {
            return;
        }
        self.steps.add(seconds);
        let full = self.longest.len() == MAX_GAPS_LISTED;
        if full && self.longest.first().is_some_and(|(shortest, ..)| seconds <= *shortest) {
            return;
        }
        if full {
            self.longest.remove(0);
        }
        let at = self.longest.partition_point(|(other, ..)| *other < seconds);
        self.longest.insert(at, (seconds, start, end, line));
    }

    /// What counts as a gap in this file, and the longest ones.
    pub(super) fn report(&self) -> Option<TimeGaps> {
        if self.steps.total < 2 {
            return None;
        }
        let usual = self.steps.at_rank((self.steps.total - 1) / 2);
        let regular = self.steps.around(usual) * 4 >= self.steps.total * 3;
        let wanted = if regular { usual * TIMES_LONGER_REGULAR } else { (usual * TIMES_LONGER).max(SHORTEST) };
        let threshold = Histogram::edge_from(wanted);
        let mut longest: Vec<_> = self.longest.iter().filter(|(seconds, ..)| *seconds >= threshold).collect();
        longest.sort_by_key(|(_, start, _, line)| (*start, *line));
        let gap = |(_, start, end, line): &(f64, DateTime<Utc>, DateTime<Utc>, u64)| TimeGap {
            start: Instant(*start),
            end: Instant(*end),
            line: *line,
        };
        Some(TimeGaps {
            threshold_seconds: (threshold * 1000.0).round() / 1000.0,
            count: self.steps.count_from(threshold),
            longest: longest.into_iter().map(gap).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(seconds: &[i64]) -> Option<TimeGaps> {
        let at = |second: i64| DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap();
        let mut gaps = Gaps::default();
        for (line, pair) in (2..).zip(seconds.windows(2)) {
            gaps.step(at(pair[0]), at(pair[1]), line);
        }
        gaps.report()
    }

    #[test]
    fn a_missing_bar_is_a_gap_and_a_calm_minute_of_trades_is_none() {
        let mut minutes: Vec<i64> = (0..100).map(|n| n * 60).collect();
        minutes.retain(|second| *second != 50 * 60 && !(70 * 60..80 * 60).contains(second));
        let found = report(&minutes).unwrap();
        assert_eq!(found.count, 2);
        assert!((90.0..=96.0).contains(&found.threshold_seconds), "{}", found.threshold_seconds);
        let lengths: Vec<i64> = found.longest.iter().map(|gap| (gap.end.0 - gap.start.0).num_seconds()).collect();
        assert_eq!(lengths, [120, 660]);
        assert_eq!(found.longest[0].line, 51);

        let trades: Vec<i64> = (0..400).map(|n| n * n % 7 + n * 3).collect();
        assert_eq!(report(&trades).unwrap().count, 0);
        assert_eq!(report(&[0, 1]), None);
    }
}
