//! The parameters of a request.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::Range;
use std::str::FromStr;

use dbn::{SType, Schema};
use time::Date;

use crate::moment::{self, Moment};
use crate::refusal::Refusal;

/// The most symbols that one request may name.
const MOST_SYMBOLS: usize = 2_000;

/// What a request was given, in the query of its URL or in a form.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, String>,
    /// `query` or `body`.
    place: &'static str,
}

/// The symbols of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Symbols {
    /// Every symbol of the dataset.
    All,
    /// These, each once.
    These(Vec<String>),
}

impl Parameters {
    /// Of the query of a URL.
    pub(crate) fn of_query(query: &str) -> Self {
        Self { values: form_urlencoded::parse(query.as_bytes()).into_owned().collect(), place: "query" }
    }

    /// Of a form.
    pub(crate) fn of_form(body: &[u8]) -> Self {
        Self { values: form_urlencoded::parse(body).into_owned().collect(), place: "body" }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// One that need not be there.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// One that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.optional(name).ok_or_else(|| Refusal::parameter("missing", self.place, name, "Field required", None))
    }

    /// One that is one of several words.
    pub(crate) fn word<T: FromStr>(&self, name: &str, text: &str) -> Result<T, Refusal> {
        text.parse().map_err(|_| Refusal::malformed(name, &format!("{text:?} is not one of its values")))
    }

    /// The schema.
    pub(crate) fn schema(&self) -> Result<Schema, Refusal> {
        self.word("schema", self.required("schema")?)
    }

    /// What kind the symbols are of, or the answer's are to be of.
    pub(crate) fn stype(&self, name: &str, default: SType) -> Result<SType, Refusal> {
        self.optional(name).map_or(Ok(default), |text| self.word(name, text))
    }

    /// The symbols; all, when none are given.
    pub(crate) fn symbols(&self) -> Result<Symbols, Refusal> {
        let text = self.optional("symbols").unwrap_or("ALL_SYMBOLS");
        let mut names: Vec<String> = Vec::new();
        for name in text.split(',').map(str::trim) {
            if name.is_empty() {
                return Err(Refusal::malformed(
                    "symbols",
                    "expected names with a comma between each two, found an empty one",
                ));
            }
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.iter().any(|name| name == "ALL_SYMBOLS") {
            return Ok(Symbols::All);
        }
        if names.len() > MOST_SYMBOLS {
            let why = format!("expected at most {MOST_SYMBOLS}, found {}", names.len());
            return Err(Refusal::malformed("symbols", &why));
        }
        Ok(Symbols::These(names))
    }

    /// The range of moments; `end` filled forward from `start` where there is none, and the last moment of `has` at most.
    pub(crate) fn times(&self, has: &Range<u64>) -> Result<Range<u64>, Refusal> {
        let start = self.moment("start", self.required("start")?)?;
        let end = match self.optional("end") {
            Some(text) => self.moment("end", text)?.start,
            None => start.end.min(has.end.max(start.start.saturating_add(1))),
        };
        let range = start.start..end;
        if range.is_empty() { Err(Refusal::no_time(&range)) } else { Ok(range) }
    }

    fn moment(&self, name: &str, text: &str) -> Result<Moment, Refusal> {
        moment::parse(text).map_err(|why| Refusal::malformed(name, &why))
    }

    /// A day.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Date>, Refusal> {
        let Some(text) = self.optional(name) else { return Ok(None) };
        moment::date(text).map(Some).map_err(|why| Refusal::malformed(name, &why))
    }

    /// The limit. `zero` says what becomes of one of 0, which the endpoints treat differently.
    pub(crate) fn limit(&self, zero: impl Fn() -> Result<(), Refusal>) -> Result<Option<NonZeroU64>, Refusal> {
        let Some(text) = self.optional("limit") else { return Ok(None) };
        let limit: u64 = text.parse().map_err(|_| {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            Refusal::parameter("int_parsing", self.place, "limit", message, Some(text))
        })?;
        if limit == 0 {
            zero()?;
        }
        Ok(NonZeroU64::new(limit))
    }

    /// A limit of 0, where it is refused.
    pub(crate) fn no_zero(&self) -> Result<(), Refusal> {
        Err(Refusal::parameter("greater_than", self.place, "limit", "Input should be greater than 0", Some("0")))
    }

    /// The day that the request begins at, if it names one that can be read.
    pub(crate) fn first_day(&self) -> Option<Date> {
        let text = self.optional("start").or_else(|| self.optional("start_date"))?;
        moment::parse(text).ok().map(|moment| moment::day_of(moment.start))
    }

    /// Whether the request names this symbol.
    pub(crate) fn names(&self, symbol: &str) -> bool {
        self.optional("symbols").is_some_and(|all| all.split(',').any(|name| name.trim() == symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HAS: Range<u64> = 0..1_800_000_000_000_000_000;

    #[test]
    fn a_form_is_read_as_it_was_meant() {
        let given = Parameters::of_form(b"symbols=AAPL%2CMSFT%2C+AAPL&start=2024-01-31&schema=ohlcv-1s&limit=0");
        assert_eq!(given.symbols().unwrap(), Symbols::These(vec!["AAPL".to_owned(), "MSFT".to_owned()]));
        assert!(given.names("MSFT") && !given.names("MS"));
        assert_eq!(given.schema().unwrap(), Schema::Ohlcv1S);
        assert_eq!(given.times(&HAS).unwrap(), 1_706_659_200_000_000_000..1_706_745_600_000_000_000);
        assert_eq!(given.first_day(), Some(time::macros::date!(2024 - 01 - 31)));
        assert!(given.limit(|| given.no_zero()).is_err());
        assert_eq!(given.limit(|| Ok(())).unwrap(), None);
        assert_eq!(Parameters::of_query("").symbols().unwrap(), Symbols::All);
        assert_eq!(Parameters::of_query("symbols=A,ALL_SYMBOLS").symbols().unwrap(), Symbols::All);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |form: &str| {
            let given = Parameters::of_form(form.as_bytes());
            let refusal = given.times(&HAS).err().or_else(|| given.symbols().err()).or_else(|| given.schema().err());
            String::from_utf8(refusal.unwrap().body()).unwrap()
        };
        assert!(refused("").contains("\"loc\":[\"body\",\"start\"]"));
        assert!(refused("start=soon").contains("found \\\"soon\\\""));
        assert!(refused("start=2024-01-02&end=2024-01-02").contains("data_time_range_start_on_or_after_end"));
        assert!(refused("start=2024-01-02&symbols=A,,B").contains("an empty one"));
        assert!(refused("start=2024-01-02&symbols=A&schema=bars").contains("Invalid `schema`"));
    }
}
