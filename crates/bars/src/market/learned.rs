//! A week that is learned from the data.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use chrono::{DateTime, Datelike as _, NaiveDateTime, Offset as _, TimeZone as _, Timelike as _};
use chrono_tz::{America, Europe};

use super::Closure;
use crate::Zone;
use crate::calendar::SECOND;

/// A quarter of an hour: what the week is cut into.
const SLOT: u64 = 900 * SECOND;
/// Slots of a week.
const WEEK: usize = 672;
/// The fewest weeks from which anything is learned.
const WEEKS: u64 = 3;

/// The quarters of hours in which there are bars.
#[derive(Debug, Clone, Default)]
pub struct Occupied {
    slots: BTreeMap<u64, u64>,
    last: Option<u64>,
}

impl Occupied {
    /// Notes a bar, from its beginning to its end.
    pub fn note(&mut self, start: u64, end: u64) {
        let (first, last) = (start / SLOT, end.saturating_sub(1).max(start) / SLOT);
        if self.last == Some(first) && first == last {
            return;
        }
        // A bar of a day says nothing about the hours of the day, and one of a year must not fill memory.
        for slot in first..=last.min(first + 96) {
            *self.slots.entry(slot / 64).or_default() |= 1 << (slot % 64);
        }
        self.last = Some(last);
    }

    fn each(&self) -> impl Iterator<Item = u64> + '_ {
        self.slots
            .iter()
            .flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
    }
}

/// When in a week there are no bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Learned {
    /// The zone on whose clock the week repeats itself best.
    pub zone: Zone,
    /// Quarters of hours from Monday 00:00 on.
    closed: Vec<bool>,
}

impl Learned {
    /// Learns from data of three weeks or more: what is empty in nine weeks of ten is closed. Of the zones the one is taken on whose
    /// clock fewest times are neither here nor there.
    #[must_use]
    pub fn from(occupied: &Occupied, zone: Option<Zone>) -> Option<Self> {
        let zones = match zone {
            Some(zone) => vec![zone],
            None => vec![
                Zone::UTC,
                Zone::Named(America::New_York),
                Zone::Named(America::Chicago),
                Zone::Named(Europe::London),
            ],
        };
        let mut best: Option<(usize, Self)> = None;
        for zone in zones {
            let mut counts = vec![0_u64; WEEK];
            let mut weeks = BTreeSet::new();
            for slot in occupied.each() {
                let (week, at) = place(zone, slot * SLOT);
                weeks.insert(week);
                if let Some(count) = counts.get_mut(at) {
                    *count += 1;
                }
            }
            let weeks = weeks.len() as u64;
            if weeks < WEEKS {
                return None;
            }
            let closed: Vec<bool> = counts.iter().map(|count| count * 10 <= weeks).collect();
            let doubtful = counts.iter().filter(|count| **count * 10 > weeks && **count * 10 < weeks * 8).count();
            if best.as_ref().is_none_or(|(least, _)| doubtful < *least) {
                best = Some((doubtful, Self { zone, closed }));
            }
        }
        best.map(|(_, learned)| learned).filter(|learned| learned.closed.contains(&true))
    }

    /// When it is closed between two moments, in order of time.
    #[must_use]
    pub fn closures(&self, range: Range<u64>) -> Vec<Closure> {
        let mut closures: Vec<Closure> = Vec::new();
        let mut ts = range.start - range.start % SLOT;
        while ts < range.end {
            let (_, at) = place(self.zone, ts);
            if self.closed.get(at) == Some(&true) {
                match closures.last_mut().filter(|last| last.end == ts) {
                    Some(last) => last.end = ts + SLOT,
                    None => closures.push(Closure {
                        start: ts,
                        end: ts + SLOT,
                        why: "no bars at this time of other weeks".to_owned(),
                    }),
                }
            }
            ts += SLOT;
        }
        closures
    }
}

/// The week and the quarter of an hour of it that a moment lies in.
fn place(zone: Zone, ts: u64) -> (i64, usize) {
    let utc = DateTime::from_timestamp(i64::try_from(ts / SECOND).unwrap_or(0), 0).unwrap_or_default().naive_utc();
    let east = match zone {
        Zone::Fixed(east) => east,
        Zone::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
    };
    let local: NaiveDateTime = utc + chrono::Duration::seconds(east.into());
    let days = local.weekday().num_days_from_monday();
    let slot = days * 96 + local.hour() * 4 + local.minute() / 15;
    let monday = local.date() - chrono::Duration::days(days.into());
    (monday.num_days_from_ce().into(), usize::try_from(slot).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_of_new_york_is_learned_over_a_change_of_its_clock() {
        let mut occupied = Occupied::default();
        let zone = America::New_York;
        for day in chrono::NaiveDate::from_ymd_opt(2024, 2, 5).unwrap().iter_days().take(70) {
            // No bars on one Wednesday, which is no reason to think Wednesdays closed.
            if day.weekday().num_days_from_monday() > 4 || day == chrono::NaiveDate::from_ymd_opt(2024, 2, 14).unwrap()
            {
                continue;
            }
            let open = zone.from_local_datetime(&day.and_hms_opt(9, 30, 0).unwrap()).unwrap().timestamp();
            let open = u64::try_from(open).unwrap() * SECOND;
            (0..390).for_each(|minute| occupied.note(open + minute * 60 * SECOND, open + (minute + 1) * 60 * SECOND));
        }
        let learned = Learned::from(&occupied, None).unwrap();
        assert_eq!(learned.zone, Zone::Named(zone));
        let at = |text: &str| u64::try_from(DateTime::parse_from_rfc3339(text).unwrap().timestamp()).unwrap() * SECOND;
        let closures = learned.closures(at("2024-03-08T00:00:00Z")..at("2024-03-12T00:00:00Z"));
        let spans: Vec<_> = closures.iter().map(|closure| (closure.start, closure.end)).collect();
        assert_eq!(
            spans[1..2],
            [(at("2024-03-08T21:00:00Z"), at("2024-03-11T13:30:00Z"))],
            "the weekend on which the clock was changed"
        );
        let wednesday = at("2024-02-14T16:00:00Z");
        assert!(learned.closures(wednesday..wednesday + 1).is_empty());
        let mut short = Occupied::default();
        short.note(0, SECOND);
        assert_eq!(Learned::from(&short, None), None);
    }
}
