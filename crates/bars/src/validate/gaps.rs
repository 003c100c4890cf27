//! Times without bars, and why.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use chrono::NaiveDate;

use crate::calendar::DAY;
use crate::convert::Where;
use crate::market::{Closure, Learned, Market, NotCovered, Occupied};

/// What is known of the times at which a market is closed.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Calendar {
    /// A week that is learned from the data, where they go over three weeks or more.
    #[default]
    Learned,
    /// A calendar with a name.
    Named(Market),
    /// Closed spans that somebody wrote down, in order of time.
    Written(Vec<Closure>),
}

/// Why there are no bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GapReason {
    /// The market was closed.
    Closed,
    /// Trade was halted.
    Halt,
    /// Nobody traded: the raw data have no bars either, the vendor says that the day is whole, or it was short.
    NoTrade,
    /// Nothing explains it.
    Unknown,
}

impl GapReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Closed, Self::Halt, Self::NoTrade, Self::Unknown];

    /// What a report calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Halt => "halt",
            Self::NoTrade => "no-trade",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A part of a gap that has one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its first moment, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// The moment behind its last.
    pub end: u64,
    /// Why.
    pub reason: GapReason,
    /// Why in words: `weekend`, `Thanksgiving`, `the vendor says degraded`.
    pub why: String,
}

/// How many parts of gaps have a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// How long they are together, in nanoseconds.
    pub nanos: u64,
    /// The longest.
    pub longest: u64,
}

impl Tally {
    fn add(&mut self, nanos: u64) {
        self.count += 1;
        self.nanos = self.nanos.saturating_add(nanos);
        self.longest = self.longest.max(nanos);
    }
}

/// The gaps of a series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gaps {
    /// The symbol of its rows.
    pub symbol: String,
    /// The publisher of its rows, where they have one.
    pub publisher: Option<u32>,
    /// The first bar's time and the last one's end.
    pub span: (u64, u64),
    /// By reason.
    pub tallies: BTreeMap<GapReason, Tally>,
    /// The parts that are longer than what counts as no trade at once, in order of time.
    pub parts: Vec<Gap>,
    /// The zone of the week that was learned, if one was.
    pub learned: Option<crate::Zone>,
}

/// A gap as it was seen.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) start: u64,
    pub(super) end: u64,
    /// The bar behind it.
    pub(super) place: Where,
}

/// What explains gaps.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub(super) calendar: Calendar,
    pub(super) halts: Vec<Closure>,
    /// By day what the vendor says of its data.
    pub(super) conditions: BTreeMap<NaiveDate, String>,
    /// Whether bars were held against raw ones: what these lack was not traded.
    pub(super) raw: bool,
    pub(super) no_trade: u64,
    pub(super) zone: Option<crate::Zone>,
}

/// The gaps of one series while it is read.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    first: Option<u64>,
    end: u64,
    short: Tally,
    gaps: Vec<Seen>,
    occupied: Occupied,
}

impl Tracker {
    /// Notes a bar in order of time. `place` is asked for where there is a gap before it.
    pub(super) fn note(&mut self, start: u64, end: u64, no_trade: u64, place: impl FnOnce() -> Where) {
        self.occupied.note(start, end);
        if self.first.is_none() {
            self.first = Some(start);
        } else if start > self.end {
            let nanos = start - self.end;
            if nanos <= no_trade {
                self.short.add(nanos);
            } else {
                self.gaps.push(Seen { start: self.end, end: start, place: place() });
            }
        }
        self.end = self.end.max(end);
    }

    /// Explains the gaps. Those that nothing explains are handed over.
    pub(super) fn explain(
        self,
        evidence: &Evidence,
        mut unknown: impl FnMut(&Gap, &Where),
    ) -> (Gaps, Option<NotCovered>) {
        let span = (self.first.unwrap_or(0), self.end);
        let mut gaps = Gaps { span, ..Gaps::default() };
        if self.short.count > 0 {
            gaps.tallies.insert(GapReason::NoTrade, self.short);
        }
        let mut not_covered = None;
        let closures = match &evidence.calendar {
            Calendar::Written(closures) => closures.clone(),
            Calendar::Named(market) => market.closures(span.0..span.1).unwrap_or_else(|error| {
                not_covered = Some(error);
                Vec::new()
            }),
            Calendar::Learned => match Learned::from(&self.occupied, evidence.zone) {
                Some(learned) => {
                    gaps.learned = Some(learned.zone);
                    learned.closures(span.0..span.1)
                }
                None => Vec::new(),
            },
        };
        let (mut closed, mut halts) = (Ahead::of(&closures), Ahead::of(&evidence.halts));
        for seen in &self.gaps {
            let mut rest = Vec::new();
            cut(seen.start..seen.end, &mut closed, |range, closure| match closure {
                Some(closure) => gaps.add(range, GapReason::Closed, closure.why.clone()),
                None => rest.push(range),
            });
            for range in rest {
                cut(range, &mut halts, |range, closure| match closure {
                    Some(closure) => gaps.add(range, GapReason::Halt, closure.why.clone()),
                    None => {
                        for (range, word) in evidence.by_condition(range) {
                            let (reason, why) = evidence.open(&range, word);
                            let gap = Gap { start: range.start, end: range.end, reason, why };
                            if reason == GapReason::Unknown {
                                unknown(&gap, &seen.place);
                            }
                            gaps.add(range, reason, gap.why);
                        }
                    }
                });
            }
        }
        gaps.parts.sort_by_key(|gap| gap.start);
        (gaps, not_covered)
    }
}

impl Gaps {
    fn add(&mut self, range: std::ops::Range<u64>, reason: GapReason, why: String) {
        self.tallies.entry(reason).or_default().add(range.end - range.start);
        self.parts.push(Gap { start: range.start, end: range.end, reason, why });
    }
}

impl Evidence {
    /// A gap cut where what the vendor says of days changes, with what it says of each part.
    fn by_condition(&self, range: Range<u64>) -> Vec<(Range<u64>, Option<&str>)> {
        let mut parts: Vec<(Range<u64>, Option<&str>)> = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let end = (start - start % DAY).saturating_add(DAY).min(range.end);
            let says = self.conditions.get(&date(start)).map(String::as_str);
            match parts.last_mut() {
                Some((last, word)) if *word == says => last.end = end,
                _ => parts.push((start..end, says)),
            }
            // Where nothing is said of any day, they are not gone through one by one.
            start = if self.conditions.is_empty() { range.end } else { end };
        }
        if let Some((last, _)) = parts.last_mut() {
            last.end = range.end;
        }
        parts
    }

    /// Why there are no bars while the market is open.
    fn open(&self, range: &Range<u64>, word: Option<&str>) -> (GapReason, String) {
        let (start, end) = (range.start, range.end);
        if let Some(bad) = word.filter(|word| *word != "available") {
            return (GapReason::Unknown, format!("the vendor says {bad}"));
        }
        // Nobody trading for an hour is one thing, a lost day another.
        if self.raw && end - start <= HOUR {
            return (GapReason::NoTrade, "the raw data have none either".to_owned());
        }
        if word.is_some() {
            return (GapReason::NoTrade, "the vendor says that the day is whole".to_owned());
        }
        if end - start <= self.no_trade {
            return (GapReason::NoTrade, "short".to_owned());
        }
        (GapReason::Unknown, "nothing explains it".to_owned())
    }
}

/// The day of a moment, in UTC.
fn date(ts: u64) -> NaiveDate {
    chrono::DateTime::from_timestamp_nanos(i64::try_from(ts).unwrap_or(i64::MAX)).date_naive()
}

/// How long the raw data may have nothing for that to count as nobody having traded.
const HOUR: u64 = 3600 * crate::calendar::SECOND;

/// Closures in order of time, of which those that have passed are not looked at again.
struct Ahead<'a>(&'a [Closure]);

impl<'a> Ahead<'a> {
    const fn of(closures: &'a [Closure]) -> Self {
        Self(closures)
    }

    /// The first closure that ends behind a moment.
    fn after(&self, ts: u64) -> Option<&'a Closure> {
        self.0.iter().find(|closure| closure.end > ts)
    }

    fn pass(&mut self, ts: u64) {
        let passed = self.0.iter().take_while(|closure| closure.end <= ts).count();
        self.0 = self.0.get(passed..).unwrap_or_default();
    }
}

/// Cuts a span into what closures take up and what they leave.
fn cut(
    range: std::ops::Range<u64>,
    closures: &mut Ahead<'_>,
    mut take: impl FnMut(std::ops::Range<u64>, Option<&Closure>),
) {
    let mut at = range.start;
    closures.pass(at);
    while at < range.end {
        match closures.after(at).filter(|closure| closure.start < range.end) {
            Some(closure) if closure.start <= at => {
                let end = closure.end.min(range.end);
                take(at..end, Some(closure));
                at = end;
            }
            Some(closure) => {
                take(at..closure.start, None);
                at = closure.start;
            }
            None => {
                take(at..range.end, None);
                at = range.end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(evidence: &Evidence, bars: &[(u64, u64)]) -> Vec<(u64, u64, GapReason, String)> {
        let mut tracker = Tracker::default();
        for (start, end) in bars {
            tracker.note(*start, *end, evidence.no_trade, || Where { file: "a".into(), places: None });
        }
        let (gaps, _) = tracker.explain(evidence, |_, _| ());
        gaps.parts.into_iter().map(|gap| (gap.start, gap.end, gap.reason, gap.why)).collect()
    }

    #[test]
    fn gaps_are_cut_by_what_explains_them() {
        let closure = |start, end, why: &str| Closure { start, end, why: why.to_owned() };
        let evidence = Evidence {
            calendar: Calendar::Written(vec![closure(20, 40, "night"), closure(60, 70, "noon")]),
            halts: vec![closure(45, 50, "halt")],
            no_trade: 3,
            ..Evidence::default()
        };
        let found = explained(&evidence, &[(0, 10), (12, 15), (55, 58), (75, 80), (81, 90)]);
        let expected = [
            (15, 20, GapReason::Unknown, "nothing explains it"),
            (20, 40, GapReason::Closed, "night"),
            (40, 45, GapReason::Unknown, "nothing explains it"),
            (45, 50, GapReason::Halt, "halt"),
            (50, 55, GapReason::Unknown, "nothing explains it"),
            (58, 60, GapReason::NoTrade, "short"),
            (60, 70, GapReason::Closed, "noon"),
            (70, 75, GapReason::Unknown, "nothing explains it"),
        ];
        assert_eq!(found, expected.map(|(start, end, reason, why)| (start, end, reason, why.to_owned())));
    }

    #[test]
    fn the_vendor_is_believed() {
        let day = |number| NaiveDate::from_ymd_opt(1970, 1, number).unwrap();
        let mut evidence = Evidence { calendar: Calendar::Written(Vec::new()), ..Evidence::default() };
        evidence.conditions.insert(day(1), "available".to_owned());
        evidence.conditions.insert(day(2), "degraded".to_owned());
        let found = explained(&evidence, &[(0, 10), (50, 60), (DAY + 5, DAY + 6)]);
        assert_eq!(found[0], (10, 50, GapReason::NoTrade, "the vendor says that the day is whole".to_owned()));
        assert_eq!(found[1], (60, DAY, GapReason::NoTrade, "the vendor says that the day is whole".to_owned()));
        assert_eq!(found[2], (DAY, DAY + 5, GapReason::Unknown, "the vendor says degraded".to_owned()));
        let found = explained(
            &Evidence { raw: true, ..evidence.clone() },
            &[(3 * DAY, 3 * DAY + 10), (3 * DAY + 50, 3 * DAY + 60), (5 * DAY, 6 * DAY)],
        );
        assert_eq!((found[0].2, found[1].2), (GapReason::NoTrade, GapReason::Unknown), "a lost day");
        // Only the days that the vendor means: not those around them.
        evidence.conditions.extend((3..=9).map(|number| (day(number), "available".to_owned())));
        let found = explained(&evidence, &[(0, 10), (9 * DAY, 9 * DAY + 1)]);
        let bad: Vec<_> = found.iter().filter(|gap| gap.2 == GapReason::Unknown).map(|gap| (gap.0, gap.1)).collect();
        assert_eq!((bad, found.len()), (vec![(DAY, 2 * DAY)], 3));
        // Days of which the vendor says nothing take nothing from those that it calls whole.
        let found = explained(&evidence, &[(8 * DAY, 8 * DAY + 10), (11 * DAY, 11 * DAY + 1)]);
        let reasons: Vec<_> = found.iter().map(|gap| (gap.1, gap.2)).collect();
        assert_eq!(reasons, [(9 * DAY, GapReason::NoTrade), (11 * DAY, GapReason::Unknown)]);
    }
}
