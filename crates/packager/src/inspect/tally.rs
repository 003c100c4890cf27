//! Counting and checking records as they go by.

mod duplicates;
mod gaps;
mod histogram;
mod located;
mod per_symbol;
mod sequence;
mod spikes;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use pdp_manifest::quality::{DayCount, Located};
use pdp_manifest::time::Instant;
use pdp_manifest::{Check, EventType, FileQuality, PackagePath, Symbol};

use self::duplicates::Duplicates;
use self::gaps::Gaps;
use self::located::Findings;
use self::per_symbol::PerSymbol;
use self::sequence::Sequences;
use self::spikes::Spikes;
use super::amounts::{self, Amount, Amounts};
use super::clock::Stamp;

/// What one record says.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Observation<'a> {
    /// Where it stands.
    pub(crate) line: u64,
    pub(crate) time: Option<Stamp>,
    pub(crate) sequence: Option<u64>,
    pub(crate) symbol: &'a str,
    /// Of all it holds; none where it was not looked at that closely.
    pub(crate) hash: Option<u64>,
    pub(crate) amounts: Option<&'a Amounts>,
}

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
    unparsable: Findings,
    torn: Findings,
    without_timestamp: u64,
    days: Days,
    /// Whether records are counted and no more.
    count_only: bool,
    checks: Checks,
}

/// Records of each day.
#[derive(Debug, Default)]
struct Days {
    counts: BTreeMap<NaiveDate, u64>,
    /// The day of the last record, as a number, and its records that are not in `counts` yet.
    current: Option<(i64, NaiveDate)>,
    pending: u64,
}

/// What is looked for beyond the counts.
#[derive(Debug, Default)]
struct Checks {
    duplicates: Duplicates,
    duplicate: Findings,
    out_of_order: Findings,
    /// The time of each symbol's last record.
    previous: PerSymbol<Option<DateTime<Utc>>>,
    sequence: Sequences,
    negative_price: Findings,
    zero_price: Findings,
    negative_size: Findings,
    crossed: Findings,
    inconsistent: Findings,
    spikes: Option<Box<Spikes>>,
    /// What some record has: amounts, as bits.
    amounts_seen: u16,
    has_sequence: bool,
    has_hash: bool,
    gaps: Option<Box<Gaps>>,
}

impl Tally {
    /// One that checks records where `measure` is set, and else only counts them.
    pub(crate) fn new(measure: bool) -> Self {
        Self { count_only: !measure, ..Self::default() }
    }

    /// Counts a record.
    pub(crate) fn record(&mut self, seen: Observation<'_>) {
        self.records += 1;
        // What is wrong with a record is wrong with its copy, and found once.
        self.checks.has_hash |= seen.hash.is_some();
        let copy = seen.hash.is_some_and(|hash| self.checks.duplicates.seen(hash));
        if copy {
            self.checks.duplicate.add(seen.line);
        }
        // The year 1 is how collectors write a time that was not set.
        match seen.time.filter(|stamp| stamp.time.year() > 1) {
            Some(stamp) => self.time(seen, stamp, copy),
            None => self.without_timestamp += 1,
        }
        if copy || self.count_only {
            return;
        }
        if let Some(number) = seen.sequence {
            self.checks.has_sequence = true;
            self.checks.sequence.next(seen.symbol, seen.line, number);
        }
        if let Some(amounts) = seen.amounts {
            self.checks.amounts(seen.line, seen.symbol, amounts);
        }
    }

    /// Counts a line that is no record.
    pub(crate) fn unparsable(&mut self, line: u64) {
        self.unparsable.add(line);
    }

    /// Notes a last line that breaks off, whether or not it counts as a record.
    pub(crate) fn torn(&mut self, line: u64) {
        self.torn.add(line);
    }

    /// Lines that are no record, so far.
    pub(crate) const fn unparsable_count(&self) -> u64 {
        self.unparsable.count
    }

    /// Whether the last line breaks off.
    pub(crate) const fn is_torn(&self) -> bool {
        self.torn.count > 0
    }

    fn time(&mut self, seen: Observation<'_>, stamp: Stamp, copy: bool) {
        let time = stamp.time;
        self.first.get_or_insert(stamp);
        self.unzoned |= !stamp.zoned;
        self.days.add(time);
        // Gaps are those of the file as a whole, from the latest time so far.
        if let Some(latest) = self.latest.filter(|latest| !self.count_only && time > *latest) {
            match &mut self.checks.gaps {
                Some(gaps) => gaps.step(latest, time, seen.line),
                none => none.get_or_insert_default().step(latest, time, seen.line),
            }
        }
        self.earliest = Some(self.earliest.map_or(time, |earliest| earliest.min(time)));
        self.latest = Some(self.latest.map_or(time, |latest| latest.max(time)));
        if copy || self.count_only {
            return;
        }
        // Files of several symbols may have one after the other.
        if let Some(previous) = self.checks.previous.of(seen.symbol)
            && previous.replace(time).is_some_and(|previous| time < previous)
        {
            self.checks.out_of_order.add(seen.line);
        }
    }

    /// All records have been seen: lets go of what was only needed to compare them.
    pub(crate) fn close(&mut self) {
        self.checks.duplicates = Duplicates::default();
    }

    /// Counts records of which nothing is known.
    pub(crate) fn unknown(&mut self, records: u64) {
        self.records += records;
        self.without_timestamp += records;
    }

    /// Adds records that another tally counted and did not check.
    pub(crate) fn add_unchecked(&mut self, other: &Self) {
        self.records += other.records;
        self.without_timestamp += other.without_timestamp;
        self.earliest = [self.earliest, other.earliest].into_iter().flatten().min();
        self.latest = self.latest.max(other.latest);
    }

    /// A tally that knows the first record's time and nothing else.
    pub(crate) fn first_only(&self) -> Self {
        Self { first: self.first, ..Self::default() }
    }

    /// The first and the last UTC day on which there are records.
    pub(crate) fn day_range(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((self.earliest?.date_naive(), self.latest?.date_naive()))
    }

    /// What was found, as a report for the file at `path`.
    pub(crate) fn quality(
        self,
        path: PackagePath,
        symbol: Symbol,
        event_type: EventType,
        counted: bool,
        damage: Option<String>,
    ) -> FileQuality {
        let whole_file = |wrong: bool| wrong.then(|| Located { count: 1, lines: Vec::new() });
        let checks = self.checks;
        let unchecked = checks.unchecked(self.earliest.is_some());
        let sequence = checks.sequence.findings();
        let findings = [
            (Check::Damaged, whole_file(damage.is_some())),
            (Check::Empty, whole_file(counted && self.records == 0)),
            (Check::TornLastLine, self.torn.located()),
            (Check::Unparsable, self.unparsable.located()),
            (Check::Duplicate, checks.duplicate.located()),
            (Check::OutOfOrder, checks.out_of_order.located()),
            (Check::SequenceGap, sequence.gaps),
            (Check::SequenceRepeat, sequence.repeats),
            (Check::NegativePrice, checks.negative_price.located()),
            (Check::ZeroPrice, checks.zero_price.located()),
            (Check::NegativeSize, checks.negative_size.located()),
            (Check::CrossedQuote, checks.crossed.located()),
            (Check::InconsistentBar, checks.inconsistent.located()),
            (Check::Outlier, checks.spikes.and_then(|spikes| spikes.findings())),
        ];
        FileQuality {
            path,
            symbol,
            event_type,
            records: counted.then_some(self.records),
            first_timestamp: self.earliest.map(Instant),
            last_timestamp: self.latest.map(Instant),
            without_timestamp: self.without_timestamp,
            findings: findings.into_iter().filter_map(|(check, found)| Some((check, found?))).collect(),
            unchecked,
            sequence_missing: sequence.missing,
            days: self.days.counts(),
            gaps: checks.gaps.and_then(|gaps| gaps.report()),
            damage,
        }
    }
}

impl Days {
    fn add(&mut self, time: DateTime<Utc>) {
        let number = time.timestamp().div_euclid(86_400);
        match self.current {
            Some((current, _)) if current == number => {}
            _ => {
                self.settle();
                self.current = Some((number, time.date_naive()));
            }
        }
        self.pending += 1;
    }

    fn settle(&mut self) {
        if let Some((_, date)) = self.current {
            *self.counts.entry(date).or_default() += std::mem::take(&mut self.pending);
        }
    }

    fn counts(mut self) -> Vec<DayCount> {
        self.settle();
        self.counts.into_iter().map(|(date, records)| DayCount { date, records }).collect()
    }
}

impl Checks {
    /// What could not be looked for, as no record has what it takes.
    fn unchecked(&self, timed: bool) -> Vec<Check> {
        let seen = |amount| amounts::has(self.amounts_seen, amount);
        let trade_or_bar =
            [Amount::Price, Amount::Open, Amount::High, Amount::Low, Amount::Close].map(seen).contains(&true);
        let price = trade_or_bar || seen(Amount::Bid) || seen(Amount::Ask);
        let runs = [
            (Check::Duplicate, self.has_hash),
            (Check::OutOfOrder, timed),
            (Check::SequenceGap, self.has_sequence),
            (Check::SequenceRepeat, self.has_sequence),
            (Check::NegativePrice, price),
            (Check::ZeroPrice, trade_or_bar),
            (Check::NegativeSize, seen(Amount::Size)),
            (Check::CrossedQuote, seen(Amount::Bid) && seen(Amount::Ask)),
            (Check::InconsistentBar, seen(Amount::High) && seen(Amount::Low)),
            (Check::Outlier, self.spikes.is_some()),
        ];
        runs.into_iter().filter(|(_, runs)| !runs).map(|(check, _)| check).collect()
    }

    fn amounts(&mut self, line: u64, symbol: &str, amounts: &Amounts) {
        let found = [
            (amounts.has_negative_price(), &mut self.negative_price),
            (amounts.has_zero_price(), &mut self.zero_price),
            (amounts.has_negative_size(), &mut self.negative_size),
            (amounts.is_crossed(), &mut self.crossed),
            (amounts.is_inconsistent_bar(), &mut self.inconsistent),
        ];
        self.amounts_seen |= amounts.kinds();
        let mut sound = true;
        for (is, findings) in found {
            if is {
                findings.add(line);
                sound = false;
            }
        }
        // A price that is wrong in another way is found once.
        if let Some(price) = amounts.representative().filter(|_| sound) {
            self.spikes.get_or_insert_default().price(symbol, line, price);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Option<Stamp> {
        super::super::clock::from_epoch(1_700_000_000 + seconds)
    }

    fn quality(tally: Tally) -> FileQuality {
        tally.quality("data/x".parse().unwrap(), Symbol::unknown(), EventType::unknown(), true, None)
    }

    fn lines(quality: &FileQuality, check: Check) -> Vec<u64> {
        quality.findings.get(&check).map(|found| found.lines.clone()).unwrap_or_default()
    }

    #[test]
    fn findings_are_counted_and_located() {
        let mut tally = Tally::default();
        for (line, seconds, sequence) in [(1, 0, 1), (2, 1, 2), (3, 0, 3), (5, 2, 3), (6, 3, 7), (7, 4, 8)] {
            tally.record(Observation { line, time: at(seconds), sequence: Some(sequence), ..Observation::default() });
        }
        tally.unparsable(4);
        for i in 0..20 {
            let sequence = Some(9 + u64::try_from(i).unwrap());
            let line = 10 + u64::try_from(i).unwrap();
            tally.record(Observation { line, time: at(86_400 + i), sequence, ..Observation::default() });
        }
        let quality = quality(tally);
        assert_eq!(quality.records, Some(26));
        assert_eq!(lines(&quality, Check::Unparsable), [4]);
        assert_eq!(lines(&quality, Check::OutOfOrder), [3]);
        assert_eq!(lines(&quality, Check::SequenceGap), [6]);
        assert_eq!(lines(&quality, Check::SequenceRepeat), [5]);
        assert_eq!(quality.sequence_missing, 3);
        let days: Vec<u64> = quality.days.iter().map(|day| day.records).collect();
        assert_eq!(days, [6, 20]);
        assert_eq!(quality.finding_count(), 4);
        assert_eq!(quality.gaps.unwrap().longest.len(), 1);
    }

    #[test]
    fn a_copy_is_a_duplicate_and_nothing_else() {
        let mut tally = Tally::default();
        let mut crossed = Amounts::default();
        crossed.set(Amount::Bid, 2.0);
        crossed.set(Amount::Ask, 1.0);
        for (line, seconds, sequence, hash) in [(1, 0, 1, 11), (2, 1, 2, 12), (3, 2, 3, 13), (4, 1, 2, 12)] {
            let (time, amounts) = (at(seconds), (sequence == 2).then_some(&crossed));
            let (sequence, hash) = (Some(sequence), Some(hash));
            tally.record(Observation { line, time, sequence, hash, amounts, symbol: "A" });
        }
        let quality = quality(tally);
        assert_eq!(lines(&quality, Check::Duplicate), [4]);
        assert_eq!(lines(&quality, Check::CrossedQuote), [2]);
        assert_eq!(quality.finding_count(), 2);
        assert_eq!(quality.records, Some(4));
    }
}
