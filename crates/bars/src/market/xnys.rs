//! US equities.

use chrono::{Datelike as _, NaiveDate, Weekday};
use chrono_tz::America::New_York;

use super::days::{date, half_days, holidays, is_weekday, on};
use super::{Early, Named, Session, at};

/// Days on which the market was closed beside its holidays.
fn closed() -> Named {
    let attacks = (11..=14).map(|day| (date(2001, 9, day), "attacks of September 11"));
    let others = [
        (date(2004, 6, 11), "mourning for Ronald Reagan"),
        (date(2007, 1, 2), "mourning for Gerald Ford"),
        (date(2012, 10, 29), "hurricane Sandy"),
        (date(2012, 10, 30), "hurricane Sandy"),
        (date(2018, 12, 5), "mourning for George H. W. Bush"),
        (date(2025, 1, 9), "mourning for Jimmy Carter"),
    ];
    attacks.chain(others).collect()
}

/// Days on which it opened late.
fn late() -> [(NaiveDate, (u32, u32)); 6] {
    [
        (date(2001, 9, 17), (9, 33)),
        (date(2001, 10, 8), (9, 31)),
        (date(2002, 9, 11), (12, 0)),
        (date(2003, 3, 20), (9, 32)),
        (date(2004, 6, 7), (9, 32)),
        (date(2006, 12, 27), (9, 32)),
    ]
}

/// When it closes before its time on the days of a year.
fn early(year: i32) -> Early {
    let mut early: Vec<_> = half_days(year).into_iter().map(|(day, name)| (day, ((13, 0), name))).collect();
    // Then the Friday behind was the half day, not the Wednesday before.
    if year < 2013 && date(year, 7, 4).weekday() == Weekday::Thu {
        early.retain(|(day, _)| *day != date(year, 7, 3));
        early.push((date(year, 7, 5), ((13, 0), "after Independence Day")));
    }
    match year {
        2003 => early.push((date(2003, 12, 26), ((13, 0), "after Christmas"))),
        2005 => early.push((date(2005, 6, 1), ((15, 56), "system failure"))),
        _ => {}
    }
    early
}

/// The sessions of some days, and the days without one.
pub(super) fn sessions(first: NaiveDate, last: NaiveDate, extended: bool) -> (Vec<Session>, Named) {
    let mut named = closed();
    // A New Year that falls on a Sunday is kept in the year that follows it.
    (first.year()..=last.year() + 1).for_each(|year| named.extend(holidays(year)));
    let early: Vec<_> = (first.year()..=last.year()).flat_map(early).collect();
    let late = late();
    let days = first.iter_days().take_while(|day| *day <= last);
    let open = days.filter(|day| is_weekday(*day) && on(&named, *day).is_none());
    let sessions = open.map(|day| {
        let opens = on(&late, day).unwrap_or((9, 30));
        let (closes, early) = on(&early, day).map_or(((16, 0), None), |(time, name)| (time, Some(name)));
        let (opens, closes) = match (extended, early) {
            (false, _) => (opens, closes),
            (true, None) => ((4, 0), (20, 0)),
            (true, Some(_)) => ((4, 0), (17, 0)),
        };
        Session { day, open: at(day, opens.0, opens.1, New_York), close: at(day, closes.0, closes.1, New_York), early }
    });
    (sessions.collect(), named)
}
