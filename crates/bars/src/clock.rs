//! From what a file's timestamps say to nanoseconds in UTC.

use chrono::{MappedLocalTime, Offset, TimeZone};

use crate::calendar::SECOND;
use crate::moment::{Moment, Unit};
use crate::{Place, Problem, Zone};

/// What moments a store takes.
const RANGE: &str = "a moment from 1970-01-01 to 2262-04-11";

/// Turns timestamps into nanoseconds. Remembers the last hour's distance from UTC and the unit that counts are in.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    zone: Option<Zone>,
    /// The hour of local time that `east` holds for, if any.
    hour: Option<i64>,
    east: i64,
    /// What counts are in, whatever their size.
    fixed: Option<Unit>,
    counted: Option<Counted>,
}

/// The first timestamp that was a count.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub(crate) unit: Unit,
    pub(crate) place: Place,
    pub(crate) text: String,
}

/// Why a local time is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unplaced {
    NoZone,
    Missing,
    Twice,
}

impl Counted {
    /// The error for a count of another unit.
    pub(crate) fn against(&self, unit: Unit, value: String) -> Problem {
        Problem::MixedUnits { value, unit: unit.name(), first: self.unit.name(), place: self.place }
    }
}

impl Clock {
    pub(crate) const fn new(zone: Option<Zone>, fixed: Option<Unit>) -> Self {
        Self { zone, hour: None, east: 0, fixed, counted: None }
    }

    /// The first count.
    pub(crate) const fn counted(&self) -> Option<&Counted> {
        self.counted.as_ref()
    }

    /// The first count, if there was one.
    pub(crate) fn into_counted(self) -> Option<Counted> {
        self.counted
    }

    /// Nanoseconds since 1970 of a timestamp.
    pub(crate) fn read(&mut self, text: &[u8], place: Place) -> Result<u64, Problem> {
        if let Some(unit) = self.fixed
            && !text.is_empty()
            && text.iter().all(u8::is_ascii_digit)
        {
            return crate::moment::whole(text)
                .and_then(|count| unit.to_nanos(count))
                .ok_or_else(|| Problem::value("timestamp", text, RANGE));
        }
        let moment = Moment::parse(text).map_err(|expected| Problem::value("timestamp", text, expected))?;
        self.place(moment, text, place)
    }

    /// Nanoseconds since 1970 of a date and a time of day.
    pub(crate) fn read_parts(&mut self, date: &[u8], time: &[u8], place: Place) -> Result<u64, Problem> {
        let text = [date, b" ", time].concat();
        let moment =
            Moment::parse_parts(date, time).map_err(|expected| Problem::value("timestamp", &text, expected))?;
        self.place(moment, &text, place)
    }

    /// Nanoseconds since 1970 of a count whose unit its size tells.
    pub(crate) fn count(&mut self, count: u64, place: Place) -> Result<u64, Problem> {
        let wrong = |expected| Problem::value("timestamp", count.to_string().as_bytes(), expected);
        match self.fixed {
            Some(unit) => unit.to_nanos(count).ok_or_else(|| wrong(RANGE)),
            None => self.place(Moment::of_count(count).map_err(wrong)?, b"", place),
        }
    }

    /// Nanoseconds since 1970 of a moment; `text` is what said it, if text did.
    pub(crate) fn place(&mut self, moment: Moment, text: &[u8], place: Place) -> Result<u64, Problem> {
        let shown = || if text.is_empty() { moment.to_string() } else { crate::problem::shown(text) };
        let (unit, ts) = match moment {
            Moment::Count { count } => {
                let unit = Unit::of(count);
                (unit, unit.map_or(Some(0), |unit| unit.to_nanos(count)))
            }
            Moment::Clock { seconds, nanos, east, unit } => {
                let east = match east {
                    Some(east) => i64::from(east),
                    None => self.east(seconds).map_err(|why| self.unplaced(why, shown()))?,
                };
                let ts = seconds
                    .checked_sub(east)
                    .and_then(|seconds| u64::try_from(seconds).ok()?.checked_mul(SECOND)?.checked_add(u64::from(nanos)))
                    .filter(|ts| *ts <= fxd::MAX_TS);
                (unit, ts)
            }
        };
        match (unit, &self.counted) {
            (Some(unit), Some(first)) if unit != first.unit => return Err(first.against(unit, shown())),
            (Some(unit), None) => self.counted = Some(Counted { unit, place, text: shown() }),
            _ => {}
        }
        ts.ok_or_else(|| Problem::value("timestamp", shown().as_bytes(), RANGE))
    }

    /// How far east of Greenwich the zone's clock was, in seconds, when it showed a time.
    #[inline]
    pub(crate) fn east(&mut self, local: i64) -> Result<i64, Unplaced> {
        match self.zone {
            None => Err(Unplaced::NoZone),
            Some(Zone::Fixed(east)) => Ok(i64::from(east)),
            Some(Zone::Named(zone)) => {
                let hour = local.div_euclid(3600);
                if self.hour == Some(hour) {
                    return Ok(self.east);
                }
                self.look_up(zone, local)
            }
        }
    }

    /// Asks the database, and remembers the answer if it holds for the whole hour.
    #[cold]
    fn look_up(&mut self, zone: chrono_tz::Tz, local: i64) -> Result<i64, Unplaced> {
        let hour = local.div_euclid(3600);
        let start = hour * 3600;
        // A change of clock within the hour would leave its ends differently far from UTC.
        if let (Ok(first), Ok(last)) = (offset(zone, start), offset(zone, start + 3599))
            && first == last
        {
            self.hour = Some(hour);
            self.east = first;
            return Ok(first);
        }
        offset(zone, local)
    }

    /// The error for a local time that is no moment.
    fn unplaced(&self, why: Unplaced, value: String) -> Problem {
        let why = match why {
            Unplaced::NoZone => return Problem::NoZone { value },
            Unplaced::Missing => "does not exist",
            Unplaced::Twice => "happened twice",
        };
        Problem::LocalTime { value, zone: self.zone.map_or_else(String::new, |zone| zone.to_string()), why }
    }
}

/// Seconds east of Greenwich when a zone's clock showed a time.
fn offset(zone: chrono_tz::Tz, local: i64) -> Result<i64, Unplaced> {
    let local = chrono::DateTime::from_timestamp(local, 0).ok_or(Unplaced::Missing)?.naive_utc();
    match zone.offset_from_local_datetime(&local) {
        MappedLocalTime::Single(offset) => Ok(i64::from(offset.fix().local_minus_utc())),
        MappedLocalTime::Ambiguous(..) => Err(Unplaced::Twice),
        MappedLocalTime::None => Err(Unplaced::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::rfc3339;
    use proptest::prelude::*;

    fn read(zone: &str, text: &str) -> Result<String, String> {
        let mut clock = Clock::new(if zone.is_empty() { None } else { Some(zone.parse().unwrap()) }, None);
        clock.read(text.as_bytes(), Place::Line(7)).map(rfc3339).map_err(|problem| problem.to_string())
    }

    #[test]
    fn t107_local_times_become_utc() {
        for (zone, text, utc) in [
            ("EST", "20120201 000000", "2012-02-01T05:00:00Z"),
            ("EST", "20120701 000000", "2012-07-01T05:00:00Z"),
            ("America/New_York", "20120201 000000", "2012-02-01T05:00:00Z"),
            ("America/New_York", "20120701 000000", "2012-07-01T04:00:00Z"),
            ("America/New_York", "2024-03-10 01:59:59", "2024-03-10T06:59:59Z"),
            ("America/New_York", "2024-03-10 03:00:00", "2024-03-10T07:00:00Z"),
            ("America/New_York", "2024-11-03 00:59:59", "2024-11-03T04:59:59Z"),
            ("America/New_York", "2024-11-03 02:00:00", "2024-11-03T07:00:00Z"),
            ("Australia/Lord_Howe", "2024-04-07 01:29:59", "2024-04-06T14:29:59Z"),
            ("Australia/Lord_Howe", "2024-04-07 02:00:00", "2024-04-06T15:30:00Z"),
            ("+02:00", "2024-01-01 01:00:00", "2023-12-31T23:00:00Z"),
            ("EST", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"),
            ("EST", "1704067200", "2024-01-01T00:00:00Z"),
            ("UTC", "1970-01-01", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(zone, text).as_deref(), Ok(utc), "{zone} {text}");
        }
    }

    #[test]
    fn t107_times_of_a_clock_change_are_refused() {
        for (zone, text, why) in [
            ("America/New_York", "2024-03-10 02:30:00", "does not exist in America/New_York"),
            ("America/New_York", "2024-11-03 01:30:00", "happened twice in America/New_York"),
            ("Europe/London", "2024-10-27 01:00:00", "happened twice in Europe/London"),
            ("Australia/Lord_Howe", "2024-04-07 01:45:00", "happened twice"),
            ("", "20120201 000000", "--tz"),
            ("", "2012-02-01", "says no time zone"),
            ("+02:00", "1970-01-01 01:00:00", "from 1970-01-01"),
            ("", "2262-04-11T23:47:16.854775808Z", "to 2262-04-11"),
        ] {
            let error = read(zone, text).unwrap_err();
            assert!(error.contains(why) && error.contains(text), "{zone} {text}: {error}");
        }
    }

    #[test]
    fn t106_the_first_and_last_moments_are_taken() {
        for text in ["0", "1970-01-01T00:00:00Z", "9223372036854775807", "2262-04-11T23:47:16.854775807Z"] {
            assert!(read("", text).is_ok(), "{text}");
        }
        for text in ["9223372036854775808", "18446744073709551615", "9223372037", "1969-12-31T23:59:59Z"] {
            assert!(read("", text).unwrap_err().contains("a moment from 1970-01-01 to 2262-04-11"), "{text}");
        }
    }

    #[test]
    fn units_are_never_mixed() {
        let mut clock = Clock::new(Some(Zone::UTC), None);
        assert_eq!(clock.read(b"0", Place::Line(1)), Ok(0));
        assert!(clock.read(b"1637971200000", Place::Line(2)).is_ok());
        assert!(clock.read(b"1637971260000", Place::Line(3)).is_ok());
        let error = clock.read(b"1637971320000000", Place::Line(4)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "timestamp \"1637971320000000\" counts microseconds, expected milliseconds, as at line 2: one file must not mix them"
        );
        assert!(clock.read(b"20211127", Place::Line(5)).is_err());
    }

    proptest! {
        #[test]
        fn the_remembered_hour_changes_nothing(
            start in 0_i64..4_000_000_000, steps in proptest::collection::vec(-4000_i64..4000, 1..50), zone in 0_usize..6,
        ) {
            use chrono_tz::Tz;
            let zone = [
                Tz::America__New_York, Tz::Europe__London, Tz::Australia__Lord_Howe, Tz::Africa__Cairo, Tz::Asia__Kathmandu,
                Tz::America__Sao_Paulo,
            ][zone];
            let mut clock = Clock::new(Some(Zone::Named(zone)), None);
            let mut at = start;
            for step in steps {
                at += step;
                prop_assert_eq!(clock.east(at), offset(zone, at), "{} {}", zone, at);
            }
        }
    }
}
