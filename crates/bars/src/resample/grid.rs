//! Where resampled bars begin and end.

use chrono::{DateTime, Days, MappedLocalTime, NaiveDate, NaiveDateTime, Offset as _, TimeZone as _};

use super::Timeframe;
use crate::Zone;

const SECOND: u64 = 1_000_000_000;

/// Where bars begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Grid {
    /// At multiples of the timeframe since 1970-01-01T00:00:00Z.
    #[default]
    Epoch,
    /// At multiples of the timeframe since the session's start, each day anew, whatever its clocks do.
    Session(Session),
}

/// A session: the local time at which a trading day begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The zone of the clock.
    pub zone: Zone,
    /// Seconds after midnight.
    pub start: u32,
}

/// One bar's span of time: from its first moment to the one behind its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first moment, which is the bar's label.
    pub start: u64,
    /// The moment behind the last.
    pub end: u64,
}

impl Grid {
    /// The span that a moment lies in.
    #[must_use]
    pub fn span(&self, timeframe: Timeframe, ts: u64) -> Span {
        let nanos = timeframe.nanos();
        match self {
            Self::Epoch => {
                let start = ts - ts % nanos;
                Span { start, end: start.saturating_add(nanos) }
            }
            Self::Session(session) => session.span(timeframe, ts),
        }
    }

    /// Whether bars of one timeframe can be made of those of another: their spans then begin and end together.
    #[must_use]
    pub fn makes(&self, finer: Timeframe, coarser: Timeframe) -> bool {
        let divides = coarser.nanos().is_multiple_of(finer.nanos());
        match self {
            Self::Epoch => divides,
            // Within a day both begin with the session. Days are made of what a day has, however long it is.
            Self::Session(_) => match (finer.days(), coarser.days()) {
                (None, _) => divides || coarser.days().is_some(),
                (Some(finer), Some(coarser)) => coarser.is_multiple_of(finer),
                (Some(_), None) => false,
            },
        }
    }
}

impl Session {
    fn span(&self, timeframe: Timeframe, ts: u64) -> Span {
        let day = self.day_of(ts);
        if let Some(days) = timeframe.days() {
            // Counted from 1970-01-01, as the epoch's are.
            let first = day - day.rem_euclid(i64::try_from(days).unwrap_or(1));
            let end = first.saturating_add(i64::try_from(days).unwrap_or(1));
            return Span { start: self.start_of(first), end: self.start_of(end) };
        }
        let (begin, next) = (self.start_of(day), self.start_of(day + 1));
        let start = ts - (ts - begin.min(ts)) % timeframe.nanos();
        Span { start, end: start.saturating_add(timeframe.nanos()).min(next) }
    }

    /// The day, counted from 1970-01-01, whose session a moment lies in.
    fn day_of(&self, ts: u64) -> i64 {
        let local = self.local(ts);
        let date = local.date().signed_duration_since(NaiveDate::default()).num_days();
        // A change of the clock at its start can put the moment on either side of it.
        (date - 1..=date + 1).rev().find(|day| self.start_of(*day) <= ts).unwrap_or(date - 1)
    }

    fn local(&self, ts: u64) -> NaiveDateTime {
        let seconds = i64::try_from(ts / SECOND).unwrap_or(i64::MAX);
        let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
        let east = match self.zone {
            Zone::Fixed(east) => east,
            Zone::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
        };
        utc + chrono::Duration::seconds(east.into())
    }

    /// When the session of a day begins, in nanoseconds since 1970; no earlier.
    fn start_of(&self, day: i64) -> u64 {
        let midnight = match day {
            0.. => NaiveDate::default().checked_add_days(Days::new(day.unsigned_abs())),
            _ => NaiveDate::default().checked_sub_days(Days::new(day.unsigned_abs())),
        };
        let midnight = midnight.unwrap_or_default().and_time(chrono::NaiveTime::MIN);
        let local = midnight + chrono::Duration::seconds(self.start.into());
        u64::try_from(to_utc(self.zone, local)).unwrap_or(0).saturating_mul(SECOND)
    }
}

/// The moment, in seconds since 1970, at which a zone's clock shows a time.
pub(crate) fn to_utc(zone: Zone, local: NaiveDateTime) -> i64 {
    match zone {
        Zone::Fixed(east) => local.and_utc().timestamp() - i64::from(east),
        Zone::Named(zone) => local_to_utc(zone, local),
    }
}

/// The moment at which a clock shows a time; the first, where it shows it twice, and where it never does the moment at which it is
/// put over it.
fn local_to_utc(zone: chrono_tz::Tz, local: NaiveDateTime) -> i64 {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time.timestamp(),
        MappedLocalTime::None => {
            // An hour or two before, the clock still went; so many minutes later it was put forward.
            let before = (1..=48).find_map(|half_hours| {
                let earlier = local - chrono::Duration::minutes(30 * half_hours);
                zone.from_local_datetime(&earlier).earliest().map(|time| time.timestamp() + 1800 * half_hours)
            });
            before.unwrap_or_else(|| local.and_utc().timestamp())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(text: &str) -> u64 {
        u64::try_from(DateTime::parse_from_rfc3339(text).unwrap().timestamp()).unwrap() * SECOND
    }

    /// Where days begin around changes of the clock; the moments are those of Python's `zoneinfo`.
    #[test]
    fn t114_sessions_begin_by_the_clock_of_their_zone() {
        for (zone, day, start, expected) in [
            ("America/New_York", "2005-04-02", 61200, "2005-04-02T22:00:00Z"),
            ("America/New_York", "2005-04-03", 61200, "2005-04-03T21:00:00Z"),
            ("America/New_York", "2024-03-09", 61200, "2024-03-09T22:00:00Z"),
            ("America/New_York", "2024-03-10", 61200, "2024-03-10T21:00:00Z"),
            ("America/New_York", "2024-11-02", 61200, "2024-11-02T21:00:00Z"),
            ("America/New_York", "2024-11-03", 61200, "2024-11-03T22:00:00Z"),
            ("Europe/London", "2024-03-30", 28800, "2024-03-30T08:00:00Z"),
            ("Europe/London", "2024-03-31", 28800, "2024-03-31T07:00:00Z"),
            ("Europe/London", "2024-10-26", 28800, "2024-10-26T07:00:00Z"),
            ("Europe/London", "2024-10-27", 28800, "2024-10-27T08:00:00Z"),
            ("America/Chicago", "2026-03-07", 61200, "2026-03-07T23:00:00Z"),
            ("America/Chicago", "2026-03-08", 61200, "2026-03-08T22:00:00Z"),
            ("Australia/Sydney", "2024-04-06", 36000, "2024-04-05T23:00:00Z"),
            ("Australia/Sydney", "2024-04-07", 36000, "2024-04-07T00:00:00Z"),
            ("Australia/Sydney", "2024-10-05", 36000, "2024-10-05T00:00:00Z"),
            ("Australia/Sydney", "2024-10-06", 36000, "2024-10-05T23:00:00Z"),
            ("America/Sao_Paulo", "2018-11-03", 0, "2018-11-03T03:00:00Z"),
            ("America/Sao_Paulo", "2018-11-04", 0, "2018-11-04T03:00:00Z"),
            ("America/Sao_Paulo", "2018-11-05", 0, "2018-11-05T02:00:00Z"),
            ("America/Sao_Paulo", "2019-02-16", 0, "2019-02-16T02:00:00Z"),
            ("America/Sao_Paulo", "2019-02-17", 0, "2019-02-17T03:00:00Z"),
            ("Africa/Cairo", "2023-04-27", 0, "2023-04-26T22:00:00Z"),
            ("Africa/Cairo", "2023-04-28", 0, "2023-04-27T22:00:00Z"),
            ("Africa/Cairo", "2023-04-29", 0, "2023-04-28T21:00:00Z"),
            ("Africa/Cairo", "2023-10-26", 0, "2023-10-25T21:00:00Z"),
            ("Africa/Cairo", "2023-10-27", 0, "2023-10-26T22:00:00Z"),
            ("America/New_York", "2024-03-10", 9000, "2024-03-10T07:30:00Z"),
            ("America/New_York", "2024-11-03", 9000, "2024-11-03T07:30:00Z"),
        ] {
            let session = Session { zone: zone.parse().unwrap(), start };
            let date: NaiveDate = day.parse().unwrap();
            let number = date.signed_duration_since(NaiveDate::default()).num_days();
            let begin = nanos(expected);
            assert_eq!(session.start_of(number), begin, "{zone} {day}");
            // A moment before is of the day before, and the day's bar goes on to the next session.
            assert_eq!((session.day_of(begin - 1), session.day_of(begin)), (number - 1, number), "{zone} {day}");
            let grid = Grid::Session(session);
            let span = grid.span("1d".parse().unwrap(), begin + 5 * SECOND);
            assert_eq!(span, Span { start: begin, end: session.start_of(number + 1) }, "{zone} {day}");
            assert_eq!(grid.span("1h".parse().unwrap(), begin).start, begin, "{zone} {day}");
            let before = grid.span("4h".parse().unwrap(), begin - 1);
            assert_eq!(before.end, begin, "{zone} {day}: the last bar ends with its session");
        }
    }

    /// Days of 23 and 25 hours.
    #[test]
    fn t114_days_are_as_long_as_the_clock_makes_them() {
        let session = Session { zone: "America/New_York".parse().unwrap(), start: 17 * 3600 };
        let hours = |text: &str| {
            let span = Grid::Session(session).span("1d".parse().unwrap(), nanos(text));
            (span.end - span.start) / (3600 * SECOND)
        };
        assert_eq!(
            [hours("2024-03-10T12:00:00Z"), hours("2024-03-11T12:00:00Z"), hours("2024-11-03T12:00:00Z")],
            [23, 24, 25]
        );
        // Weeks begin on the day that they are counted from, a Thursday; each has its own days.
        let span = Grid::Session(session).span("7d".parse().unwrap(), nanos("2024-03-10T12:00:00Z"));
        assert_eq!((span.end - span.start) / (3600 * SECOND), 167);
    }
}
