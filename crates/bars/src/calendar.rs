//! Days and dates of the proleptic Gregorian calendar, as plain arithmetic.

/// Seconds in a day.
pub(crate) const DAY_SECONDS: i64 = 86_400;
/// Nanoseconds in a second.
pub(crate) const SECOND: u64 = 1_000_000_000;
/// Nanoseconds in a day.
pub(crate) const DAY: u64 = 86_400 * SECOND;

/// Days in a month, if it is one.
const fn month_length(year: u32, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => return None,
    })
}

/// Days from 1970-01-01 to a date of a year from 1 to 9999, if there is such a date.
pub(crate) fn day_of(year: u32, month: u32, day: u32) -> Option<i64> {
    if year == 0 || year > 9999 || day == 0 || day > month_length(year, month)? {
        return None;
    }
    // Years are counted from March, so that the leap day is the last of a year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some(i64::from(days) - 719_468)
}

/// The year, month and day that many days after 1970-01-01.
pub(crate) fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days.saturating_add(719_468);
    let era = days / 146_097;
    let rest = days % 146_097;
    let year = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365;
    let day = rest - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, of_month)
}

/// A moment in RFC 3339, in UTC, with as many decimals of 0, 3, 6 and 9 as it needs.
pub(crate) fn rfc3339(ts: u64) -> String {
    let (year, month, day) = date_of(ts / DAY);
    let seconds = ts % DAY / SECOND;
    let nanos = ts % SECOND;
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if nanos != 0 {
        text += &if nanos.is_multiple_of(1_000_000) {
            format!(".{:03}", nanos / 1_000_000)
        } else if nanos.is_multiple_of(1_000) {
            format!(".{:06}", nanos / 1_000)
        } else {
            format!(".{nanos:09}")
        };
    }
    text.push('Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate, TimeDelta};

    #[test]
    fn days_and_dates_are_those_of_chrono() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        let mut date = epoch - TimeDelta::days(200_000);
        let end = epoch + TimeDelta::days(200_000);
        while date < end {
            let days = (date - epoch).num_days();
            let (year, month, day) = (date.year().cast_unsigned(), date.month(), date.day());
            assert_eq!(day_of(year, month, day), Some(days), "{date}");
            if let Ok(days) = u64::try_from(days) {
                assert_eq!(date_of(days), (u64::from(year), u64::from(month), u64::from(day)), "{date}");
            }
            date += TimeDelta::days(1);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for (year, month, day) in [
            (2023, 2, 29),
            (2100, 2, 29),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, 4, 31),
            (2024, 1, 0),
            (0, 1, 1),
            (10_000, 1, 1),
        ] {
            assert_eq!(day_of(year, month, day), None, "{year}-{month}-{day}");
        }
        assert!(day_of(2000, 2, 29).is_some());
    }

    #[test]
    fn moments_show_the_decimals_they_have() {
        for (ts, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_500_000_000, "1970-01-01T00:00:01.500Z"),
            (1_000_001_000, "1970-01-01T00:00:01.000001Z"),
            (1_000_000_001, "1970-01-01T00:00:01.000000001Z"),
            (fxd::MAX_TS, "2262-04-11T23:47:16.854775807Z"),
        ] {
            assert_eq!(rfc3339(ts), text);
        }
    }
}
