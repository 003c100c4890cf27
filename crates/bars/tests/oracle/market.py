#!/usr/bin/env python3
"""Sessions of XNYS and of CME equity index futures from rules and lists of exceptions; standard library only.

    rules_calendar.py xnys|cme_es FIRST_YEAR LAST_YEAR [closed|early|sessions|halts]
"""
import sys
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")
MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
DAY = timedelta(days=1)


def nth(year, month, weekday, n):
    """The n-th such weekday of a month; n = -1 for the last."""
    if n > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - DAY
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def easter(year):
    """Gregorian Easter Sunday (Meeus, Jones, Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return date(year, month, day + 1)


def observed(day):
    """Saturday's holidays are kept on Friday, Sunday's on Monday."""
    return day - DAY if day.weekday() == SAT else day + DAY if day.weekday() == SUN else day


def federal(year):
    """Holidays that both markets have, by name, on the day they are kept."""
    days = {}
    new_year = date(year, 1, 1)
    if new_year.weekday() != SAT:                 # on a Saturday there is none: the Friday before is the year's last
        days["New Year"] = observed(new_year)
    if year >= 1998:
        days["Martin Luther King"] = nth(year, 1, MON, 3)
    days["Washington"] = nth(year, 2, MON, 3)
    days["Good Friday"] = easter(year) - timedelta(days=2)
    days["Memorial"] = nth(year, 5, MON, -1)
    if year >= 2022:
        days["Juneteenth"] = observed(date(year, 6, 19))
    days["Independence"] = observed(date(year, 7, 4))
    days["Labor"] = nth(year, 9, MON, 1)
    days["Thanksgiving"] = nth(year, 11, THU, 4)
    days["Christmas"] = observed(date(year, 12, 25))
    return days


def half_days(year):
    """The day before Independence Day, the day after Thanksgiving, Christmas Eve - where they are trading days."""
    days = {"after Thanksgiving": nth(year, 11, THU, 4) + DAY}
    fourth = date(year, 7, 4).weekday()
    if fourth in (TUE, WED, THU, FRI):
        days["before Independence"] = date(year, 7, 3)
    eve = date(year, 12, 24)
    if eve.weekday() in (MON, TUE, WED, THU):
        days["Christmas Eve"] = eve
    return days


XNYS_CLOSED = {
    date(2001, 9, 11): "attacks of September 11", date(2001, 9, 12): "attacks of September 11",
    date(2001, 9, 13): "attacks of September 11", date(2001, 9, 14): "attacks of September 11",
    date(2004, 6, 11): "mourning for Ronald Reagan", date(2007, 1, 2): "mourning for Gerald Ford",
    date(2012, 10, 29): "hurricane Sandy", date(2012, 10, 30): "hurricane Sandy",
    date(2018, 12, 5): "mourning for George H. W. Bush", date(2025, 1, 9): "mourning for Jimmy Carter",
}
XNYS_EARLY = {date(2003, 12, 26): (time(13), "day after Christmas"), date(2005, 6, 1): (time(15, 56), "system failure")}
XNYS_LATE = {
    date(2001, 9, 17): time(9, 33), date(2001, 10, 8): time(9, 31), date(2002, 9, 11): time(12),
    date(2003, 3, 20): time(9, 32), date(2004, 6, 7): time(9, 32), date(2006, 12, 27): time(9, 32),
}


def xnys(year):
    """(sessions, closed, early): sessions are (day, opening, close) in UTC."""
    closed = {day: name for name, day in federal(year).items() if day.year == year}
    closed.update({d: n for d, n in XNYS_CLOSED.items() if d.year == year})
    early = {day: (time(13), name) for name, day in half_days(year).items()}
    fourth = date(year, 7, 4)
    if fourth.weekday() == THU and year < 2013:     # then the Friday after was the half day, not the Wednesday before
        del early[date(year, 7, 3)]
        early[date(year, 7, 5)] = (time(13), "after Independence")
    early.update({d: v for d, v in XNYS_EARLY.items() if d.year == year})
    early = {d: v for d, v in early.items() if d not in closed}
    sessions = []
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() < SAT and day not in closed:
            opening, close = XNYS_LATE.get(day, time(9, 30)), early.get(day, (time(16),))[0]
            sessions.append((day, utc(day, opening, NEW_YORK), utc(day, close, NEW_YORK)))
        day += DAY
    return sessions, closed, early


CME_CLOSED_BY = ("New Year", "Christmas")
CME_JOBS_GOOD_FRIDAYS = {2010, 2012, 2015, 2021, 2023, 2026}    # employment report on Good Friday: open until 08:15
CME_EARLY = {
    date(2012, 10, 29): (time(8, 15), "hurricane Sandy"), date(2012, 10, 30): (time(8, 15), "hurricane Sandy"),
    date(2018, 12, 5): (time(8, 30), "mourning for George H. W. Bush"),
    date(2025, 1, 9): (time(8, 30), "mourning for Jimmy Carter"),
}


def cme_es(year):
    """As xnys; the day is the weekday on which the session ends."""
    holidays = federal(year)
    closed, early = {}, {}
    for name, day in holidays.items():
        if day.year != year:
            continue
        if name in CME_CLOSED_BY:
            closed[day] = name
        elif name == "Good Friday":
            if year in CME_JOBS_GOOD_FRIDAYS:
                early[day] = (time(8, 15), name)
            else:
                closed[day] = name
        else:
            early[day] = (time(12) if day >= date(2014, 5, 26) else time(10, 30), name)
    for name, day in half_days(year).items():
        early[day] = (time(12, 15), name)
    early.update({d: v for d, v in CME_EARLY.items() if d.year == year})
    early = {d: v for d, v in early.items() if d not in closed}
    sessions = []
    day = date(year, 1, 1)
    while day.year == year:
        if day.weekday() < SAT and day not in closed:
            before = day - DAY
            opening = time(17)
            if day < date(2012, 11, 19) and full(before):
                opening = time(15, 30)             # until 15:15 and on from 15:30, but on Sundays and holidays from 17:00
            close = early[day][0] if day in early else regular_close(day)
            sessions.append((day, utc(before, opening, CHICAGO), utc(day, close, CHICAGO)))
        day += DAY
    return sessions, closed, early


def full(day):
    """Whether a day, before November 2012, had a session that was not cut short."""
    if day.weekday() >= SAT:
        return False
    if day in CME_EARLY:
        return False
    holidays = set(federal(day.year).values()) | set(half_days(day.year).values())
    return day not in holidays


def regular_close(day):
    if day < date(2012, 11, 19):
        return time(15, 15)
    return time(16, 15) if day < date(2015, 9, 21) else time(16)


def cme_halts(year):
    """Pauses within sessions: 16:30-17:00 on the day before, until November 2012; then 15:15-15:30, until June 2021."""
    halts = []
    for day, opening, close in cme_es(year)[0]:
        if day < date(2012, 11, 19):
            before = day - DAY
            spans = [(before, time(16, 30), time(17))] if full(before) else []
        elif day < date(2021, 6, 28):
            spans = [(day, time(15, 15), time(15, 30))]
        else:
            spans = []
        for when, start, end in spans:
            start, end = utc(when, start, CHICAGO), utc(when, end, CHICAGO)
            if opening < start and end < close:
                halts.append((day, start, end))
    return halts


def utc(day, at, zone):
    return datetime.combine(day, at, zone).astimezone(timezone.utc)


def text(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def main():
    market, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    what = sys.argv[4] if len(sys.argv) > 4 else "sessions"
    make = {"xnys": xnys, "cme_es": cme_es}[market]
    if what in ("sessions", "halts"):
        print("date,open_utc,close_utc" if what == "sessions" else "date,start_utc,end_utc")
    for year in range(first, last + 1):
        if what == "halts":
            for day, start, end in cme_halts(year):
                print(f"{day},{text(start)},{text(end)}")
            continue
        sessions, closed, early = make(year)
        if what == "sessions":
            for day, opening, close in sessions:
                print(f"{day},{text(opening)},{text(close)}")
        elif what == "closed":
            for day in sorted(closed):
                if day.weekday() < SAT:
                    print(f"{day} {closed[day]}")
        else:
            for day in sorted(early):
                print(f"{day} {early[day][0]:%H:%M} {early[day][1]}")


if __name__ == "__main__":
    main()
