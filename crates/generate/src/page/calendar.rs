//! The days of a package as the columns of a chart: days, or weeks, months, years where there are too many.

use chrono::{Datelike as _, NaiveDate};

/// Most columns of a chart.
const MAX_COLUMNS: i64 = 370;
/// Room that the columns of a chart share, in pixels.
const WIDTH: i64 = 1060;
/// Room that the label of a column needs.
const LABEL: i64 = 52;
const DAYS_OF_WEEK: i64 = 7;

/// What one column stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Day,
    /// From Monday on.
    Week,
    Month,
    /// So many years.
    Years(i64),
}

impl Unit {
    /// What it is called, such as `day`.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Day => "day".to_owned(),
            Self::Week => "week".to_owned(),
            Self::Month => "month".to_owned(),
            Self::Years(1) => "year".to_owned(),
            Self::Years(step) => format!("{step} years"),
        }
    }

    /// The number of the unit that a day lies in, counted from the beginning of the era.
    fn number(self, date: NaiveDate) -> i64 {
        let (day, year) = (i64::from(date.num_days_from_ce()), i64::from(date.year()));
        match self {
            Self::Day => day,
            // Day 1 of the era is a Monday.
            Self::Week => (day - 1).div_euclid(DAYS_OF_WEEK),
            Self::Month => year * 12 + i64::from(date.month0()),
            Self::Years(step) => year.div_euclid(step),
        }
    }

    /// The first day of the unit of that number.
    fn start(self, number: i64) -> Option<NaiveDate> {
        let day = |day: i64| NaiveDate::from_num_days_from_ce_opt(i32::try_from(day).ok()?);
        let first =
            |year: i64, month: i64| NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, u32::try_from(month).ok()?, 1);
        match self {
            Self::Day => day(number),
            Self::Week => day(number * DAYS_OF_WEEK + 1),
            Self::Month => first(number.div_euclid(12), number.rem_euclid(12) + 1),
            Self::Years(step) => first(number * step, 1),
        }
    }
}

/// The columns from the first to the last day on which anything has data.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) unit: Unit,
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    from: i64,
    columns: i64,
}

impl Calendar {
    pub(crate) fn spanning(first: NaiveDate, last: NaiveDate) -> Self {
        let columns = |unit: Unit| unit.number(last) - unit.number(first) + 1;
        let years = columns(Unit::Years(1));
        let unit = [Unit::Day, Unit::Week, Unit::Month]
            .into_iter()
            .find(|unit| columns(*unit) <= MAX_COLUMNS)
            .unwrap_or(Unit::Years(years / MAX_COLUMNS + 1));
        Self { unit, first, last, from: unit.number(first), columns: columns(unit).max(1) }
    }

    /// The column that a day lies in.
    pub(crate) fn column(&self, date: NaiveDate) -> i64 {
        (self.unit.number(date) - self.from).clamp(0, self.columns - 1)
    }

    /// Width of a column in pixels.
    pub(crate) fn step(&self) -> i64 {
        (WIDTH / self.columns).clamp(3, 48)
    }

    /// Width of all columns in pixels.
    pub(crate) fn width(&self) -> i64 {
        self.step() * self.columns
    }

    /// Columns with a label over them, and the labels: as many as have room.
    pub(crate) fn ticks(&self) -> Vec<(i64, String)> {
        let starts = (0..self.columns).filter_map(|column| Some((column, self.unit.start(self.from + column)?)));
        let every = match self.unit {
            Unit::Day if self.step() >= LABEL - 6 => 1,
            Unit::Day if self.step() * DAYS_OF_WEEK >= LABEL => DAYS_OF_WEEK,
            _ => 0,
        };
        let label = |column: i64, date: NaiveDate| match (self.unit, every) {
            (Unit::Day, 1) => Some(date.format("%m-%d").to_string()),
            (Unit::Day, DAYS_OF_WEEK) if date.weekday() == chrono::Weekday::Mon => {
                Some(date.format("%m-%d").to_string())
            }
            (Unit::Day, 0) if date.day() == 1 => Some(date.format("%Y-%m").to_string()),
            // The week with the first of a month in it; its Monday may lie in the month before.
            (Unit::Week, _) if column > 0 && date.day() <= 7 => Some(date.format("%Y-%m").to_string()),
            (Unit::Month, _) if date.month() == 1 => Some(date.format("%Y").to_string()),
            (Unit::Years(_), _) => Some(date.format("%Y").to_string()),
            _ => None,
        };
        let mut ticks: Vec<(i64, String)> = Vec::new();
        for (column, date) in starts {
            let Some(text) = label(column, date) else { continue };
            let room = ticks.last().is_none_or(|(last, _)| (column - last) * self.step() >= LABEL - 6);
            if room {
                ticks.push((column, text));
            }
        }
        if ticks.is_empty() {
            ticks.push((0, self.first.to_string()));
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calendar(first: &str, last: &str) -> Calendar {
        Calendar::spanning(first.parse().unwrap(), last.parse().unwrap())
    }

    #[test]
    fn the_unit_grows_with_the_span() {
        for (first, last, unit, columns) in [
            ("2024-01-03", "2024-01-03", Unit::Day, 1),
            ("2024-01-01", "2024-12-31", Unit::Day, 366),
            // 2024-01-01 is a Monday.
            ("2024-01-07", "2025-01-13", Unit::Week, 55),
            ("2016-01-01", "2024-03-19", Unit::Month, 99),
            ("1900-01-01", "2024-01-01", Unit::Years(1), 125),
            // A time of zero in .NET beside real ones.
            ("0001-01-01", "2024-01-01", Unit::Years(6), 338),
        ] {
            let calendar = calendar(first, last);
            assert_eq!((calendar.unit, calendar.columns), (unit, columns), "{first} {last}");
            assert_eq!(calendar.column(first.parse().unwrap()), 0);
            assert_eq!(calendar.column(last.parse().unwrap()), columns - 1);
            assert!(calendar.columns <= MAX_COLUMNS && !calendar.ticks().is_empty(), "{first} {last}");
        }
        assert!(Calendar::spanning(NaiveDate::MIN, NaiveDate::MAX).columns <= MAX_COLUMNS);
    }

    #[test]
    fn labels_do_not_touch() {
        for (first, last) in [("2024-01-03", "2024-02-10"), ("2024-01-03", "2024-11-10"), ("2010-01-01", "2015-05-05")]
        {
            let calendar = calendar(first, last);
            let ticks = calendar.ticks();
            assert!(ticks.len() > 2, "{first}: {ticks:?}");
            for pair in ticks.windows(2) {
                assert!((pair[1].0 - pair[0].0) * calendar.step() >= LABEL - 6, "{first}: {ticks:?}");
            }
        }
    }
}
