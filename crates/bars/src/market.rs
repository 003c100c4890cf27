//! When markets are closed: what explains that there are no bars.
//!
//! Calendars are made of rules and of lists of exceptions. They say which years they cover, and nothing about others.

mod cme;
mod days;
mod file;
mod fx;
mod learned;
mod xnys;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, NaiveTime, Weekday};
use chrono_tz::Tz;

use crate::calendar::SECOND;
use crate::{UnknownName, Zone};

pub use file::{BadSpans, closures_of, sessions_of};
pub use learned::{Learned, Occupied};

/// A span of time in which a market is closed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closure {
    /// Its first moment, in nanoseconds since the Unix epoch.
    pub start: u64,
    /// The moment behind its last.
    pub end: u64,
    /// Why: `weekend`, `Thanksgiving`, `overnight`.
    pub why: String,
}

/// A calendar that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Market {
    /// US equities, 09:30 to 16:00 New York, with holidays, half days and unscheduled closes: 2000 to 2030.
    Xnys,
    /// The same days from 04:00 to 20:00, half days until 17:00.
    XnysExtended,
    /// CME Globex equity index futures: Sunday to Friday 17:00 to 16:00 Chicago as it was at each time, 2010 to 2030.
    CmeEquity,
    /// Currencies: Sunday 17:00 to Friday 17:00 New York, any year.
    Fx,
    /// Never closed.
    Always,
}

/// A calendar does not say when a market was closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the calendar {market} covers {first} to {last}, expected it to cover {year} too")]
pub struct NotCovered {
    market: Market,
    first: i32,
    last: i32,
    year: i32,
}

impl Market {
    const NAMES: [(Self, &str); 5] = [
        (Self::Xnys, "xnys"),
        (Self::XnysExtended, "xnys-extended"),
        (Self::CmeEquity, "cme-equity"),
        (Self::Fx, "fx"),
        (Self::Always, "24-7"),
    ];

    /// The years that it covers.
    #[must_use]
    pub const fn years(self) -> Range<i32> {
        match self {
            Self::Xnys | Self::XnysExtended => 2000..2031,
            Self::CmeEquity => 2010..2031,
            Self::Fx | Self::Always => 1970..2262,
        }
    }

    /// When it is closed between two moments, in order of time; what begins before or ends behind them is there as a whole.
    ///
    /// # Errors
    /// When it does not cover the years.
    pub fn closures(self, range: Range<u64>) -> Result<Vec<Closure>, NotCovered> {
        let (first, last) = (date(range.start), date(range.end));
        let years = self.years();
        if let Some(year) = [first.year(), last.year()].into_iter().find(|year| !years.contains(year)) {
            return Err(NotCovered { market: self, first: years.start, last: years.end - 1, year });
        }
        // The sessions before and behind tell where a closed span began and ends.
        let around = |day: NaiveDate, by: i64| day + chrono::Duration::days(by);
        let (first, last) = (around(first, -10), around(last, 10));
        let (sessions, named) = match self {
            Self::Xnys => xnys::sessions(first, last, false),
            Self::XnysExtended => xnys::sessions(first, last, true),
            Self::CmeEquity => cme::sessions(first, last),
            Self::Fx => fx::sessions(first, last),
            Self::Always => return Ok(Vec::new()),
        };
        Ok(between(&sessions, &named)
            .into_iter()
            .filter(|closure| closure.end > range.start && closure.start < range.end)
            .collect())
    }
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::NAMES.iter().find(|(market, _)| market == self).map_or("", |(_, name)| name))
    }
}

impl FromStr for Market {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(market, _)| *market).ok_or_else(
            || UnknownName {
                text: crate::problem::shown(text.as_bytes()),
                expected: "xnys, xnys-extended, cme-equity, fx, 24-7",
            },
        )
    }
}

/// A time in which a market is open.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Session {
    /// The day that it counts as.
    day: NaiveDate,
    open: u64,
    close: u64,
    /// Why it ends before its time.
    early: Option<&'static str>,
}

/// Days that end before their time: when, by the market's clock, and why.
type Early = Vec<(NaiveDate, ((u32, u32), &'static str))>;

/// Days on which a market is closed, and why.
type Named = Vec<(NaiveDate, &'static str)>;

/// The spans between sessions. Each is called after the closed days in it, an early close before it, the weekend, or the night.
fn between(sessions: &[Session], named: &Named) -> Vec<Closure> {
    let mut closures = Vec::new();
    for pair in sessions.windows(2) {
        let [before, after] = pair else { continue };
        if before.close >= after.open {
            continue;
        }
        let inside = named.iter().filter(|(day, _)| *day > before.day && *day < after.day).map(|(_, name)| *name);
        let mut names: BTreeSet<&str> = inside.collect();
        names.extend(before.early);
        let days = before.day.iter_days().skip(1).take_while(|day| *day < after.day);
        let weekend = days.clone().any(|day| matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
        if weekend {
            names.insert("weekend");
        }
        let why = if !names.is_empty() {
            names.into_iter().collect::<Vec<_>>().join(", ")
        } else if before.day == after.day {
            "pause".to_owned()
        } else {
            "overnight".to_owned()
        };
        closures.push(Closure { start: before.close, end: after.open, why });
    }
    closures
}

/// A time of a day in a zone.
fn at(day: NaiveDate, hour: u32, minute: u32, zone: Tz) -> u64 {
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
    let seconds = crate::resample::to_utc(Zone::Named(zone), day.and_time(time));
    u64::try_from(seconds).unwrap_or(0).saturating_mul(SECOND)
}

/// The date of a moment, in UTC.
fn date(ts: u64) -> NaiveDate {
    chrono::DateTime::from_timestamp_nanos(i64::try_from(ts).unwrap_or(i64::MAX)).date_naive()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u64 {
        u64::try_from(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()).unwrap() * SECOND
    }

    /// Why a market is closed at a moment.
    fn why(market: Market, text: &str) -> Option<String> {
        let ts = nanos(text);
        let closures = market.closures(ts..ts + 1).unwrap();
        closures.into_iter().find(|closure| closure.start <= ts && ts < closure.end).map(|closure| closure.why)
    }

    #[test]
    fn t115_half_days_unscheduled_closes_and_the_week_of_currencies() {
        let cases = [
            (Market::Xnys, "2024-11-29T17:59:59Z", None),
            (Market::Xnys, "2024-11-29T18:00:00Z", Some("after Thanksgiving, weekend")),
            (Market::Xnys, "2024-11-28T16:00:00Z", Some("Thanksgiving")),
            (Market::Xnys, "2012-10-29T16:00:00Z", Some("hurricane Sandy, weekend")),
            (Market::Xnys, "2018-12-05T16:00:00Z", Some("mourning for George H. W. Bush")),
            (Market::Xnys, "2025-01-09T16:00:00Z", Some("mourning for Jimmy Carter")),
            (Market::Xnys, "2024-03-08T20:59:59Z", None),
            (Market::Xnys, "2024-03-08T21:00:00Z", Some("weekend")),
            // The clock is changed over this weekend.
            (Market::Xnys, "2024-03-11T13:29:59Z", Some("weekend")),
            (Market::Xnys, "2024-03-11T13:30:00Z", None),
            (Market::Xnys, "2024-03-12T03:00:00Z", Some("overnight")),
            (Market::XnysExtended, "2024-03-12T12:00:00Z", None),
            (Market::Fx, "2024-03-08T21:59:59Z", None),
            (Market::Fx, "2024-03-08T22:00:00Z", Some("weekend")),
            (Market::Fx, "2024-03-10T20:59:59Z", Some("weekend")),
            (Market::Fx, "2024-03-10T21:00:00Z", None),
            (Market::Fx, "2024-12-25T12:00:00Z", Some("Christmas")),
            (Market::CmeEquity, "2024-07-02T21:30:00Z", Some("overnight")),
            (Market::CmeEquity, "2024-07-04T17:30:00Z", Some("Independence Day")),
            (Market::CmeEquity, "2024-07-04T22:00:00Z", None),
            (Market::CmeEquity, "2020-06-10T20:20:00Z", Some("pause")),
            (Market::CmeEquity, "2022-06-10T20:20:00Z", None),
            (Market::CmeEquity, "2024-03-29T15:00:00Z", Some("Good Friday, weekend")),
            (Market::Always, "2024-12-25T12:00:00Z", None),
        ];
        for (market, moment, expected) in cases {
            assert_eq!(why(market, moment).as_deref(), expected, "{market} {moment}");
        }
    }

    #[test]
    fn years_that_are_not_covered_are_refused() {
        let error =
            Market::CmeEquity.closures(nanos("2009-12-30T00:00:00Z")..nanos("2010-01-05T00:00:00Z")).unwrap_err();
        assert_eq!(error.to_string(), "the calendar cme-equity covers 2010 to 2030, expected it to cover 2009 too");
        for (market, name) in Market::NAMES {
            assert_eq!(name.parse(), Ok(market));
        }
        "nyse".parse::<Market>().unwrap_err();
    }
}
