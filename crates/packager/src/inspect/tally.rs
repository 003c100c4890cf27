//! Counting records as they go by.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use pdp_manifest::quality::{DayCount, Located, MAX_LINES_LISTED};
use pdp_manifest::time::Instant;
use pdp_manifest::{Check, EventType, FileQuality, PackagePath, Symbol};

use super::clock::Stamp;

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
    /// Records of each day.
    days: BTreeMap<NaiveDate, u64>,
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
        if self.lines.len() < MAX_LINES_LISTED {
            self.lines.push(line);
        }
    }
}

/// Sequence numbers of one file.
#[derive(Debug, Default)]
struct Sequence {
    previous: Option<u64>,
    steps: u64,
    gaps: Findings,
    missing: u64,
    repeats: Findings,
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
            self.sequence.next(line, number);
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
        *self.days.entry(time.date_naive()).or_default() += 1;
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

    /// The UTC days on which there are records, and how many.
    pub(crate) const fn days(&self) -> &BTreeMap<NaiveDate, u64> {
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
        let dense = self.sequence.gaps.count * 10 <= self.sequence.steps;
        let mut findings = BTreeMap::new();
        let mut add = |check: Check, found: &Findings| {
            if found.count > 0 {
                findings.insert(check, Located { count: found.count, lines: found.lines.clone() });
            }
        };
        add(Check::Unparsable, &self.unparsable);
        add(Check::OutOfOrder, &self.out_of_order);
        if dense {
            add(Check::SequenceGap, &self.sequence.gaps);
        }
        add(Check::SequenceRepeat, &self.sequence.repeats);
        add(Check::Empty, &Findings { count: u64::from(counted && self.records == 0), lines: Vec::new() });
        add(Check::Damaged, &Findings { count: u64::from(damage.is_some()), lines: Vec::new() });
        FileQuality {
            path,
            symbol,
            event_type,
            records: counted.then_some(self.records),
            first_timestamp: self.earliest.map(Instant),
            last_timestamp: self.latest.map(Instant),
            without_timestamp: self.without_timestamp,
            findings,
            sequence_missing: if dense { self.sequence.missing } else { 0 },
            days: self.days.iter().map(|(date, records)| DayCount { date: *date, records: *records }).collect(),
            gaps: None,
            damage,
        }
    }
}

impl Sequence {
    fn next(&mut self, line: u64, number: u64) {
        if let Some(previous) = self.previous.replace(number) {
            self.steps += 1;
            match number.checked_sub(previous) {
                Some(0) => self.repeats.add(line),
                Some(1) | None => {} // None: the source began to count anew
                Some(step) => {
                    self.gaps.add(line);
                    self.missing = self.missing.saturating_add(step - 1);
                }
            }
        }
    }
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
        assert_eq!(
            (quality.count(Check::Unparsable), quality.findings[&Check::Unparsable].lines.as_slice()),
            (1, &[4][..])
        );
        assert_eq!(
            (quality.count(Check::OutOfOrder), quality.findings[&Check::OutOfOrder].lines.as_slice()),
            (1, &[3][..])
        );
        let (gaps, repeats) = (quality.count(Check::SequenceGap), quality.count(Check::SequenceRepeat));
        assert_eq!((gaps, quality.sequence_missing, repeats), (1, 3, 1));
        assert_eq!(quality.days.len(), 2);
        assert_eq!(quality.finding_count(), 4);
    }

    #[test]
    fn sparse_sequences_have_no_gaps() {
        let mut tally = Tally::default();
        for i in 0..100_u64 {
            tally.record(i, None, Some(i * 5));
        }
        let path = "data/x".parse().unwrap();
        let quality = tally.quality(path, Symbol::unknown(), EventType::unknown(), true, None);
        assert_eq!((quality.count(Check::SequenceGap), quality.without_timestamp), (0, 100));
    }
}
