//! Moments as requests spell them, and as answers do.
//!
//! A request's moment is ISO 8601, cut off anywhere, or an integer of nanoseconds since 1970. Where a request has no end, it is
//! its start "filled forward": the end of the year, month, day, hour, minute or second that the start names.

use std::ops::Range;

use time::{Date, Month, Time};

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a day.
pub(crate) const DAY: u64 = 86_400 * SECOND;

/// A moment of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Nanoseconds since 1970, where what was named begins.
    pub(crate) start: u64,
    /// Where it ends.
    pub(crate) end: u64,
}

/// Midnight UTC of a day; days before 1970 are taken for its first.
pub(crate) fn midnight(day: Date) -> u64 {
    u64::try_from(day.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp_nanos()).unwrap_or(0)
}

/// The nanoseconds of days.
pub(crate) fn nanos(days: &Range<Date>) -> Range<u64> {
    midnight(days.start)..midnight(days.end)
}

/// The day that a moment lies in.
pub(crate) fn day_of(nanos: u64) -> Date {
    let moment = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos));
    moment.map_or(Date::MAX, |moment| moment.date())
}

/// The days that a range of moments touches.
pub(crate) fn days_of(range: &Range<u64>) -> Range<Date> {
    day_of(range.start)..day_of(range.end.saturating_add(DAY - 1))
}

/// The day after.
pub(crate) fn next(day: Date) -> Date {
    day.next_day().unwrap_or(Date::MAX)
}

/// `2024-01-31`.
pub(crate) fn date_text(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// `2024-01-31T09:30:00.000000000Z`, as in answers.
pub(crate) fn iso(nanos: u64) -> String {
    format!("{}T{}.{:09}Z", date_text(day_of(nanos)), clock(nanos), nanos % SECOND)
}

/// `2024-01-31 09:30:00+00:00`, as in the messages of errors.
pub(crate) fn spaced(nanos: u64) -> String {
    let fraction = nanos % SECOND;
    let fraction = if fraction == 0 { String::new() } else { format!(".{fraction:09}") };
    format!("{} {}{fraction}+00:00", date_text(day_of(nanos)), clock(nanos))
}

fn clock(nanos: u64) -> String {
    let second = nanos % DAY / SECOND;
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// A day alone, `2024-01-31`.
pub(crate) fn date(text: &str) -> Result<Date, String> {
    let whole = text.split_once(['T', ' ']).map_or(text, |(day, _)| day);
    match calendar(whole) {
        Ok(days) if whole.len() == "2024-01-31".len() => Ok(days.start),
        _ => Err(format!("expected a date such as 2024-01-31, found {text:?}")),
    }
}

/// A moment of a request.
pub(crate) fn parse(text: &str) -> Result<Moment, String> {
    let wrong = |what: &str| {
        format!("expected {what}: ISO 8601 such as 2024-01-31T09:30 or nanoseconds since 1970, found {text:?}")
    };
    // Four digits are a year.
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let start: u64 = text.parse().map_err(|_| wrong("nanoseconds that fit 64 bits"))?;
        return Ok(Moment { start, end: start.saturating_add(1) });
    }
    let Some((day, rest)) = text.split_once(['T', ' ']) else {
        let days = nanos(&calendar(text).map_err(wrong)?);
        return Ok(Moment { start: days.start, end: days.end });
    };
    let day = midnight(calendar(day).map_err(wrong)?.start);
    let (time, offset) = zone(rest).map_err(wrong)?;
    let (since, width) = time_of_day(time).map_err(wrong)?;
    let start = i128::from(day) + i128::from(since) - i128::from(offset) * i128::from(SECOND);
    let start = u64::try_from(start).map_err(|_| wrong("a moment since 1970"))?;
    Ok(Moment { start, end: start.saturating_add(width) })
}

/// The year, month or day of `2024[-01[-31]]`.
fn calendar(text: &str) -> Result<Range<Date>, &'static str> {
    const WRONG: &str = "a date of the calendar";
    let parts: Vec<&str> = text.split('-').collect();
    let number = |part: &str, digits: usize| match part.len() == digits {
        true => part.parse::<u16>().map_err(|_| WRONG),
        false => Err(WRONG),
    };
    let first = |year: u16, month: u8| {
        let month = Month::try_from(month).map_err(|_| WRONG)?;
        Date::from_calendar_date(i32::from(year), month, 1).map_err(|_| WRONG)
    };
    let month = |part: &str| number(part, 2).and_then(|month| u8::try_from(month).map_err(|_| WRONG));
    match *parts.as_slice() {
        [year] => {
            let year = number(year, 4)?;
            Ok(first(year, 1)?..first(year + 1, 1)?)
        }
        [year, part] => {
            let (year, month) = (number(year, 4)?, month(part)?);
            let end = if month == 12 { first(year + 1, 1)? } else { first(year, month + 1)? };
            Ok(first(year, month)?..end)
        }
        [year, part, day] => {
            let first = first(number(year, 4)?, month(part)?)?;
            let day = first.replace_day(month(day)?).map_err(|_| WRONG)?;
            Ok(day..next(day))
        }
        _ => Err(WRONG),
    }
}

/// The time, and how many seconds it is ahead of UTC.
fn zone(text: &str) -> Result<(&str, i64), &'static str> {
    const WRONG: &str = "an offset such as Z or +01:00";
    if let Some(time) = text.strip_suffix('Z') {
        return Ok((time, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else { return Ok((text, 0)) };
    let (time, offset) = text.split_at(at);
    let digits: String = offset.chars().skip(1).filter(|letter| *letter != ':').collect();
    let number: i64 = digits.parse().map_err(|_| WRONG)?;
    let (hours, minutes) = match digits.len() {
        2 => (number, 0),
        4 => (number / 100, number % 100),
        _ => return Err(WRONG),
    };
    let seconds = (hours * 60 + minutes) * 60;
    Ok((time, if offset.starts_with('-') { -seconds } else { seconds }))
}

/// Nanoseconds since midnight of `09[:30[:00[.5]]]`, and those of what was named.
fn time_of_day(text: &str) -> Result<(u64, u64), &'static str> {
    const WRONG: &str = "a time of day";
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut since = 0;
    let mut width = 24 * 3600;
    let mut left = [(3600, 24), (60, 60), (1, 60)].into_iter();
    for part in whole.split(':') {
        let (unit, most) = left.next().ok_or(WRONG)?;
        let number: u64 = part.parse().map_err(|_| WRONG)?;
        if part.len() != 2 || number >= most {
            return Err(WRONG);
        }
        since += number * unit;
        width = unit;
    }
    let Some(fraction) = fraction else { return Ok((since * SECOND, width * SECOND)) };
    if width != 1 || fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(WRONG);
    }
    let nanos: u64 = format!("{fraction:0<9}").parse().map_err(|_| WRONG)?;
    Ok((since * SECOND + nanos, 1))
}

#[cfg(test)]
mod tests {
    use time::macros::date as day;

    use super::*;

    fn texts(text: &str) -> (String, String) {
        let moment = parse(text).unwrap();
        (spaced(moment.start), spaced(moment.end))
    }

    #[test]
    fn a_start_is_filled_forward_to_the_end_of_what_it_names() {
        for (text, start, end) in [
            ("2024", "2024-01-01 00:00:00+00:00", "2025-01-01 00:00:00+00:00"),
            ("2024-12", "2024-12-01 00:00:00+00:00", "2025-01-01 00:00:00+00:00"),
            ("2024-02-29", "2024-02-29 00:00:00+00:00", "2024-03-01 00:00:00+00:00"),
            ("2024-02-29T23", "2024-02-29 23:00:00+00:00", "2024-03-01 00:00:00+00:00"),
            ("2024-02-29 23:59", "2024-02-29 23:59:00+00:00", "2024-03-01 00:00:00+00:00"),
            ("2024-02-29T23:59:59", "2024-02-29 23:59:59+00:00", "2024-03-01 00:00:00+00:00"),
            ("2024-01-01T00:00:00+01:00", "2023-12-31 23:00:00+00:00", "2023-12-31 23:00:01+00:00"),
            ("2024-01-01T00:00:00.5Z", "2024-01-01 00:00:00.500000000+00:00", "2024-01-01 00:00:00.500000001+00:00"),
            ("1704067200000000001", "2024-01-01 00:00:00.000000001+00:00", "2024-01-01 00:00:00.000000002+00:00"),
        ] {
            assert_eq!(texts(text), (start.to_owned(), end.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "20240",
            "yesterday",
            "2024-13",
            "2024-02-30",
            "2024-1-1",
            "2024-01-01T24",
            "2024-01-01T1:00",
            "2024-01-01T00:00:00.",
            "2024-01-01T00:00.5",
            "2024-01-01T00:00:00+1",
            "1969-12-31T23:00:00+00:00x",
            "99999999999999999999999",
        ] {
            // A number of five digits is nanoseconds.
            assert_eq!(parse(text).is_err(), text != "20240", "{text}");
        }
    }

    #[test]
    fn days_of_a_range_are_all_that_it_touches() {
        let at = |text: &str| parse(text).unwrap().start;
        assert_eq!(days_of(&(at("2024-01-01")..at("2024-01-02"))), day!(2024 - 01 - 01)..day!(2024 - 01 - 02));
        assert_eq!(
            days_of(&(at("2024-01-01T12")..at("2024-01-02T00:00:01"))),
            day!(2024 - 01 - 01)..day!(2024 - 01 - 03)
        );
        assert_eq!(iso(at("2024-01-31T09:30")), "2024-01-31T09:30:00.000000000Z");
        assert_eq!(date("2024-01-31"), Ok(day!(2024 - 01 - 31)));
        assert!(date("2024-01").is_err() && date("now").is_err());
    }
}
