//! Currencies.

use chrono::{Datelike as _, Duration, NaiveDate};
use chrono_tz::America::New_York;

use super::days::is_weekday;
use super::{Named, Session, at};

/// A session for each day of the week's five, from 17:00 on the day before; at Christmas and New Year there is none.
pub(super) fn sessions(first: NaiveDate, last: NaiveDate) -> (Vec<Session>, Named) {
    let feast = |day: NaiveDate| match (day.month(), day.day()) {
        (12, 25) => Some("Christmas"),
        (1, 1) => Some("New Year"),
        _ => None,
    };
    let days = || first.iter_days().take_while(|day| *day <= last);
    let named = days().filter_map(|day| feast(day).map(|name| (day, name))).collect();
    let open = days().filter(|day| is_weekday(*day) && feast(*day).is_none());
    let sessions = open.map(|day| {
        let before = day - Duration::days(1);
        Session { day, open: at(before, 17, 0, New_York), close: at(day, 17, 0, New_York), early: None }
    });
    (sessions.collect(), named)
}
