//! Holidays of the United States' markets, by their rules.

use chrono::{Datelike as _, Duration, NaiveDate, Weekday};

/// A date, which must be one.
pub(super) fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

fn nth(year: i32, month: u32, weekday: Weekday, n: u8) -> NaiveDate {
    NaiveDate::from_weekday_of_month_opt(year, month, weekday, n).unwrap_or_default()
}

/// The last Monday of May.
fn memorial(year: i32) -> NaiveDate {
    let last = date(year, 5, 31);
    last - Duration::days(i64::from(last.weekday().num_days_from_monday()))
}

/// Easter Sunday of the Gregorian calendar, by Meeus, Jones and Butcher.
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    let part = |value: i32| u32::try_from(value).unwrap_or(1);
    date(year, part(sum / 31), part(sum % 31 + 1))
}

/// The day on which a holiday is kept: of a Saturday's the Friday, of a Sunday's the Monday.
fn observed(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Duration::days(1),
        Weekday::Sun => day + Duration::days(1),
        _ => day,
    }
}

/// The holidays of a year that equities and equity index futures have.
pub(super) fn holidays(year: i32) -> Vec<(NaiveDate, &'static str)> {
    let mut days = vec![
        (nth(year, 2, Weekday::Mon, 3), "Washington's Birthday"),
        (easter(year) - Duration::days(2), "Good Friday"),
        (memorial(year), "Memorial Day"),
        (observed(date(year, 7, 4)), "Independence Day"),
        (nth(year, 9, Weekday::Mon, 1), "Labor Day"),
        (nth(year, 11, Weekday::Thu, 4), "Thanksgiving"),
        (observed(date(year, 12, 25)), "Christmas"),
    ];
    // On a Saturday there is none: the Friday before is the year's last day.
    if date(year, 1, 1).weekday() != Weekday::Sat {
        days.push((observed(date(year, 1, 1)), "New Year"));
    }
    if year >= 1998 {
        days.push((nth(year, 1, Weekday::Mon, 3), "Martin Luther King Day"));
    }
    if year >= 2022 {
        days.push((observed(date(year, 6, 19)), "Juneteenth"));
    }
    days
}

/// The days before Independence Day, after Thanksgiving and before Christmas, where they are days of trade.
pub(super) fn half_days(year: i32) -> Vec<(NaiveDate, &'static str)> {
    let mut days = vec![(nth(year, 11, Weekday::Thu, 4) + Duration::days(1), "after Thanksgiving")];
    if matches!(date(year, 7, 4).weekday(), Weekday::Tue | Weekday::Wed | Weekday::Thu | Weekday::Fri) {
        days.push((date(year, 7, 3), "before Independence Day"));
    }
    let eve = date(year, 12, 24);
    if matches!(eve.weekday(), Weekday::Mon | Weekday::Tue | Weekday::Wed | Weekday::Thu) {
        days.push((eve, "Christmas Eve"));
    }
    days
}

/// Whether a day is one of the week's five.
pub(super) fn is_weekday(day: NaiveDate) -> bool {
    !matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

/// The entry of a list for a day.
pub(super) fn on<T: Copy>(list: &[(NaiveDate, T)], day: NaiveDate) -> Option<T> {
    list.iter().find(|(one, _)| *one == day).map(|(_, what)| *what)
}
