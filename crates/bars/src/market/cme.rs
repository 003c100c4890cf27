//! CME Globex equity index futures.

use chrono::{Datelike as _, Duration, NaiveDate};
use chrono_tz::America::Chicago;

use super::days::{date, half_days, holidays, is_weekday, on};
use super::{Early, Named, Session, at};

/// Good Fridays on which the employment report came out: open until 08:15.
const WITH_REPORT: [i32; 6] = [2010, 2012, 2015, 2021, 2023, 2026];

/// Closed days of a year, and when others end before their time.
fn special(year: i32) -> (Named, Early) {
    let (mut closed, mut early) = (Vec::new(), Vec::new());
    for (day, name) in holidays(year) {
        match name {
            "New Year" | "Christmas" => closed.push((day, name)),
            "Good Friday" if WITH_REPORT.contains(&year) => early.push((day, ((8, 15), name))),
            "Good Friday" => closed.push((day, name)),
            _ => early.push((day, (if day < date(2014, 5, 26) { (10, 30) } else { (12, 0) }, name))),
        }
    }
    early.extend(half_days(year).into_iter().map(|(day, name)| (day, ((12, 15), name))));
    early.extend([
        (date(2012, 10, 29), ((8, 15), "hurricane Sandy")),
        (date(2012, 10, 30), ((8, 15), "hurricane Sandy")),
        (date(2018, 12, 5), ((8, 30), "mourning for George H. W. Bush")),
        (date(2025, 1, 9), ((8, 30), "mourning for Jimmy Carter")),
    ]);
    (closed, early)
}

/// Whether a day before November 2012 had a session that was not cut short: the next then went on in the afternoon.
fn whole(day: NaiveDate, named: &Named, early: &Early) -> bool {
    is_weekday(day) && on(named, day).is_none() && on(early, day).is_none()
}

/// The parts of the sessions of some days, and the days without one.
pub(super) fn sessions(first: NaiveDate, last: NaiveDate) -> (Vec<Session>, Named) {
    let (mut named, mut early) = (Named::new(), Vec::new());
    for year in first.year()..=last.year() + 1 {
        let (closed, ends) = special(year);
        named.extend(closed);
        early.extend(ends);
    }
    let (to_evening, to_four, no_pause) = (date(2012, 11, 19), date(2015, 9, 21), date(2021, 6, 28));
    let mut sessions = Vec::new();
    for day in first.iter_days().take_while(|day| *day <= last) {
        if !is_weekday(day) || on(&named, day).is_some() {
            continue;
        }
        let before = day - Duration::days(1);
        let afternoon = day < to_evening && whole(before, &named, &early);
        let open = if afternoon { at(before, 15, 30, Chicago) } else { at(before, 17, 0, Chicago) };
        let regular = if day < to_evening {
            (15, 15)
        } else if day < to_four {
            (16, 15)
        } else {
            (16, 0)
        };
        let (close, why) = on(&early, day).map_or((regular, None), |(time, name)| (time, Some(name)));
        let close = at(day, close.0, close.1, Chicago);
        let pause = if day < to_evening {
            afternoon.then(|| (at(before, 16, 30, Chicago), at(before, 17, 0, Chicago)))
        } else if day < no_pause {
            Some((at(day, 15, 15, Chicago), at(day, 15, 30, Chicago)))
        } else {
            None
        };
        match pause.filter(|(start, end)| open < *start && *end < close) {
            Some((start, end)) => {
                sessions.push(Session { day, open, close: start, early: None });
                sessions.push(Session { day, open: end, close, early: why });
            }
            None => sessions.push(Session { day, open, close, early: why }),
        }
    }
    (sessions, named)
}
