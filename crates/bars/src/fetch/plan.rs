//! What is asked for, and what of it is still to be fetched.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _, Months, NaiveDate, NaiveTime, TimeZone as _, Utc};

use super::error::FetchError;
use super::state::{State, file_of};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The dataset, such as `GLBX.MDP3`.
    pub dataset: String,
    /// The schema: one of bars, such as `ohlcv-1s`.
    pub schema: String,
    /// The kind of symbol: `raw_symbol`, `continuous`, `parent`, `instrument_id`.
    pub stype_in: String,
    /// The symbol.
    pub symbol: String,
    /// The first moment.
    pub start: DateTime<Utc>,
    /// The moment behind the last.
    pub end: DateTime<Utc>,
}

impl Request {
    /// Refuses what makes no sense or cannot be the name of a directory.
    pub(super) fn check(&self) -> Result<(), FetchError> {
        let refused = |why: String| Err(FetchError::Request(why));
        if self.start >= self.end {
            return refused(format!("the start {} is not before the end {}", self.start, self.end));
        }
        if !self.schema.starts_with("ohlcv-") || self.schema.parse::<databento::dbn::Schema>().is_err() {
            return refused(format!(
                "the schema is \"{}\", expected one of bars: ohlcv-1s, ohlcv-1m, ohlcv-1h, ohlcv-1d, ohlcv-eod",
                crate::problem::shown(self.schema.as_bytes())
            ));
        }
        stype(&self.stype_in)?;
        if self.symbol.eq_ignore_ascii_case("ALL_SYMBOLS") {
            return refused("ALL_SYMBOLS is no symbol with files of its own: fetch symbols one by one".to_owned());
        }
        crate::pipeline::check_name(&self.symbol).or_else(refused)?;
        Ok(())
    }

    /// The parts of months, in order: year and month, the first moment, the one behind the last.
    fn months(&self) -> Vec<(String, DateTime<Utc>, DateTime<Utc>)> {
        let mut months = Vec::new();
        let mut first = self.start.date_naive().with_day(1).unwrap_or_default();
        while midnight(first) < self.end {
            let Some(next) = first.checked_add_months(Months::new(1)) else { break };
            let (start, end) = (midnight(first).max(self.start), midnight(next).min(self.end));
            months.push((first.format("%Y-%m").to_string(), start, end));
            first = next;
        }
        months
    }
}

/// A kind of symbol.
pub(super) fn stype(text: &str) -> Result<databento::dbn::SType, FetchError> {
    text.parse().map_err(|_| {
        FetchError::Request(format!(
            "the kind of symbol is \"{}\", expected raw_symbol, continuous, parent or instrument_id",
            crate::problem::shown(text.as_bytes())
        ))
    })
}

fn midnight(date: NaiveDate) -> DateTime<Utc> {
    Utc.from_utc_datetime(&date.and_time(NaiveTime::MIN))
}

/// What is there of a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Have {
    /// All that is asked for, as it was fetched.
    Whole,
    /// Nothing.
    Nothing,
    /// Less than is asked for.
    Part,
    /// A file that is not what was fetched.
    Changed,
    /// A file that nothing is known of.
    Unknown,
    /// The vendor has changed data of these days since; it is fetched again only if that is asked for.
    Outdated,
}

impl Have {
    /// A word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Nothing => "nothing",
            Self::Part => "part",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
            Self::Outdated => "outdated",
        }
    }
}

/// A month of what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Month {
    /// Year and month, `2024-01`.
    pub month: String,
    /// The first moment to fetch.
    pub start: DateTime<Utc>,
    /// The moment behind the last.
    pub end: DateTime<Utc>,
    /// What is there.
    pub have: Have,
    /// Its file.
    pub file: PathBuf,
    /// Whether it is to be fetched.
    pub fetch: bool,
    /// Bars, by the API's count or, of a month that is there, by the state.
    pub rows: u64,
    /// What the API counts as bytes, for a month that is to be fetched.
    pub bytes: u64,
    /// US dollars, for a month that is to be fetched.
    pub cost: f64,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What was asked for, cut to what the dataset has.
    pub request: Request,
    /// The symbol's directory.
    pub directory: PathBuf,
    /// The months, in order.
    pub months: Vec<Month>,
    /// What a person should know: an end behind the data's, days that are not whole.
    pub warnings: Vec<String>,
}

impl Plan {
    /// US dollars for all months that are to be fetched.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.months.iter().map(|month| month.cost).sum()
    }

    /// The months that are to be fetched.
    pub fn missing(&self) -> impl Iterator<Item = &Month> {
        self.months.iter().filter(|month| month.fetch)
    }
}

/// What is there of the months that are asked for. Files that were whole but for their name get it, where nobody else writes.
pub(super) fn months(
    request: &Request,
    directory: &Path,
    state: &State,
    alone: bool,
) -> Result<Vec<Month>, FetchError> {
    let mut months = Vec::new();
    for (month, mut start, mut end) in request.months() {
        let file = file_of(directory, &request.symbol, &month);
        let partial = file.with_extension("csv.partial");
        let (mut have, mut rows) = (if file.exists() { Have::Unknown } else { Have::Nothing }, 0);
        if let Some(entry) = state.months.get(&month) {
            rows = entry.rows;
            // Cut off between the two steps that finish a month.
            if alone && !file.exists() && entry.rows > 0 && entry.is(&partial)? {
                std::fs::rename(&partial, &file).map_err(|error| FetchError::io(&file, error))?;
            }
            let covers = entry.start <= start && end <= entry.end;
            have = if (entry.rows == 0 && !file.exists()) || entry.is(&file)? {
                if covers { Have::Whole } else { Have::Part }
            } else if file.exists() {
                Have::Changed
            } else {
                Have::Nothing
            };
            if have != Have::Whole {
                // What was asked for before must not be lost.
                (start, end) = (start.min(entry.start), end.max(entry.end));
            }
        }
        let fetch = have != Have::Whole;
        months.push(Month { month, start, end, have, file, fetch, rows, bytes: 0, cost: 0.0 });
    }
    Ok(months)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(start: &str, end: &str) -> Request {
        let moment = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        Request {
            dataset: "XNAS.ITCH".to_owned(),
            schema: "ohlcv-1s".to_owned(),
            stype_in: "raw_symbol".to_owned(),
            symbol: "BRK_B".to_owned(),
            start: moment(start),
            end: moment(end),
        }
    }

    #[test]
    fn t113_months_leave_no_second_out() {
        let months = request("2023-12-31T23:59:59Z", "2024-03-01T00:00:00.000000001Z").months();
        let shown: Vec<_> = months.iter().map(|(month, start, end)| format!("{month} {start:?} {end:?}")).collect();
        assert_eq!(
            shown,
            [
                "2023-12 2023-12-31T23:59:59Z 2024-01-01T00:00:00Z",
                "2024-01 2024-01-01T00:00:00Z 2024-02-01T00:00:00Z",
                "2024-02 2024-02-01T00:00:00Z 2024-03-01T00:00:00Z",
                "2024-03 2024-03-01T00:00:00Z 2024-03-01T00:00:00.000000001Z",
            ]
        );
        assert_eq!(request("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z").months().len(), 1);
    }

    #[test]
    fn requests_that_make_no_sense_are_refused() {
        let good = request("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z");
        good.check().unwrap();
        for bad in [
            Request { end: good.start, ..good.clone() },
            Request { schema: "trades".to_owned(), ..good.clone() },
            Request { schema: "ohlcv-2s".to_owned(), ..good.clone() },
            Request { stype_in: "name".to_owned(), ..good.clone() },
            Request { symbol: "../SPY".to_owned(), ..good.clone() },
            Request { symbol: "SPY,QQQ".to_owned(), ..good.clone() },
            Request { symbol: ".".to_owned(), ..good.clone() },
            Request { symbol: String::new(), ..good },
        ] {
            assert!(matches!(bad.check(), Err(FetchError::Request(_))), "{bad:?}");
        }
    }
}
