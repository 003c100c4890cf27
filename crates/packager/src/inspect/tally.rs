//! Counting records as they go by.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use pdp_manifest::{EventType, FileQuality, PackagePath, Symbol};

use super::clock::Stamp;

/// How many line numbers of one kind of finding are kept.
const LINES_KEPT: usize = 10;

/// What is counted over the records of one file.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(crate) earliest: Option<DateTime<Utc>>,
    pub(crate) latest: Option<DateTime<Utc>>,
    /// The first record's time.
    pub(crate) first: Option<Stamp>,
    /// Whether some time came without an offset.
    pub(crate) unzoned: bool,
    previous: Option<DateTime<Utc>>,
    unparsable: Findings,
    out_of_order: Findings,
    without_timestamp: u64,
    days: BTreeSet<NaiveDate>,
    sequence: Sequence,
}

#[derive(Debug, Default)]
struct Findings {
    count: u64,
    lines: Vec<u64>,
}

impl Findings {
    fn add(&mut self, line: u64) {
        self.count += 1;
        if self.lines.len() < LINES_KEPT {
            self.lines.push(line);
        }
    }
}

/// Sequence numbers of one file.
#[derive(Debug, Default)]
struct Sequence {
    previous: Option<u64>,
    steps: u64,
    gaps: u64,
    missing: u64,
    repeats: u64,
}

impl Tally {
    /// Counts a record.
    pub(crate) fn record(&mut self, line: u64, stamp: Option<Stamp>, sequence: Option<u64>) {
        self.records += 1;
        match stamp {
            Some(stamp) => self.time(line, stamp),
            None => self.without_timestamp += 1,
        }
        if let Some(number) = sequence {
            self.sequence.next(number);
        }
    }

    /// Counts a line that is no record.
    pub(crate) fn unparsable(&mut self, line: u64) {
        self.unparsable.add(line);
    }

    /// Lines that are no record, so far.
    pub(crate) fn unparsable_count(&self) -> u64 {
        self.unparsable.count
    }

    fn time(&mut self, line: u64, stamp: Stamp) {
        let time = stamp.time;
        self.first.get_or_insert(stamp);
        self.unzoned |= !stamp.zoned;
        if self.previous.is_some_and(|previous| time < previous) {
            self.out_of_order.add(line);
        }
        let same_day = self.previous.is_some_and(|previous| day_number(previous) == day_number(time));
        if !same_day {
            self.days.insert(time.date_naive());
        }
        self.previous = Some(time);
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        self.latest = Some(self.latest.map_or(time, |latest| latest.max(time)));
    }

    /// Counts a whole column at once: `records` rows between two times.
    pub(crate) fn span(&mut self, records: u64, times: impl IntoIterator<Item = Option<Stamp>>) {
        let mut seen = 0;
        for (row, stamp) in (1_u64..).zip(times) {
            seen += 1;
            self.record(row, stamp, None);
        }
        self.records += records.saturating_sub(seen);
        self.without_timestamp += records.saturating_sub(seen);
    }

    /// A tally that knows the first record's time and nothing else.
    pub(crate) fn first_only(&self) -> Self {
        Self { first: self.first, ..Self::default() }
    }

    /// The distinct UTC days on which there are records.
    pub(crate) fn days(&self) -> &BTreeSet<NaiveDate> {
        &self.days
    }

    /// What was found, as a report for the file at `path`.
    pub(crate) fn quality(
        &self,
        path: PackagePath,
        symbol: Symbol,
        event_type: EventType,
        counted: bool,
        damage: Option<String>,
    ) -> FileQuality {
        // Where numbers usually jump, the source numbers something else than these records and a jump is no gap.
        let dense = self.sequence.gaps * 10 <= self.sequence.steps;
        FileQuality {
            path,
            symbol,
            event_type,
            records: counted.then_some(self.records),
            unparsable: self.unparsable.count,
            unparsable_lines: self.unparsable.lines.clone(),
            out_of_order: self.out_of_order.count,
            out_of_order_lines: self.out_of_order.lines.clone(),
            sequence_gaps: if dense { self.sequence.gaps } else { 0 },
            sequence_missing: if dense { self.sequence.missing } else { 0 },
            sequence_repeats: self.sequence.repeats,
            without_timestamp: self.without_timestamp,
            days: self.days.iter().copied().collect(),
            damage,
        }
    }
}

impl Sequence {
    fn next(&mut self, number: u64) {
        if let Some(previous) = self.previous.replace(number) {
            self.steps += 1;
            match number.checked_sub(previous) {
                Some(0) => self.repeats += 1,
                Some(1) | None => {} // None: the source began to count anew
                Some(step) => {
                    self.gaps += 1;
                    self.missing = self.missing.saturating_add(step - 1);
                }
            }
        }
    }
}

fn day_number(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Stamp> {
        super::super::clock::from_epoch(1_700_000_000 + seconds)
    }

    #[test]
    fn findings_are_counted_and_located() {
        let mut tally = Tally::default();
        for (line, seconds, sequence) in [(1, 0, 1), (2, 1, 2), (3, 0, 3), (5, 2, 3), (6, 3, 7), (7, 4, 8)] {
            tally.record(line, at(seconds), Some(sequence));
        }
        tally.unparsable(4);
        for i in 0..20 {
            tally.record(10 + u64::try_from(i).unwrap(), at(86_400 + i), Some(9 + u64::try_from(i).unwrap()));
        }
        let path = "data/x".parse().unwrap();
        let quality = tally.quality(path, Symbol::unknown(), EventType::unknown(), true, None);
        assert_eq!(quality.records, Some(26));
        assert_eq!((quality.unparsable, quality.unparsable_lines.as_slice()), (1, &[4][..]));
        assert_eq!((quality.out_of_order, quality.out_of_order_lines.as_slice()), (1, &[3][..]));
        assert_eq!((quality.sequence_gaps, quality.sequence_missing, quality.sequence_repeats), (1, 3, 1));
        assert_eq!(quality.days.len(), 2);
        assert_eq!(quality.findings(), 4);
    }

    #[test]
    fn sparse_sequences_have_no_gaps() {
        let mut tally = Tally::default();
        for i in 0..100_u64 {
            tally.record(i, None, Some(i * 5));
        }
        let path = "data/x".parse().unwrap();
        let quality = tally.quality(path, Symbol::unknown(), EventType::unknown(), true, None);
        assert_eq!((quality.sequence_gaps, quality.without_timestamp), (0, 100));
    }
}
