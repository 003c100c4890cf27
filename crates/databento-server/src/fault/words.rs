//! Faults in words: of a command line, and in JSON.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::{Effect, Fault};
use crate::Endpoint;
use crate::moment::{date, date_text};

/// What words a fault may have.
const WORDS: &str = "cut-after=BYTES, stall[=MILLIS], after=BYTES (of a stall), status=NUMBER, retry-after=SECONDS, case=WORD, \
    page, truncated, outside, other-symbol, no-records, no-body, times=NUMBER, always, start=DAY, symbol=NAME";

impl FromStr for Fault {
    type Err = String;

    /// An endpoint, or `any`, and words with a colon before each: `get_range:cut-after=1000:times=2`. The words are
    /// `cut-after=BYTES`, `stall[=MILLIS]` (with `after=BYTES` in the body instead of before the head), `status=NUMBER` (with
    /// `retry-after=SECONDS` and `case=WORD`), `page`, `truncated`, `outside`, `other-symbol`, `no-records`, `no-body`; and of all
    /// of them `times=NUMBER` or `always`, `start=DAY`, `symbol=NAME`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split(':');
        let endpoint = words.next().unwrap_or_default();
        let words = words.map(|word| match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.to_owned(), None),
        });
        of_words(endpoint, words).map_err(|why| format!("fault {text:?}: {why}"))
    }
}

impl Fault {
    /// Of a text, or of an object with the same words: `{"endpoint": "get_range", "cut-after": 1000, "times": 2, "page": true}`.
    pub(crate) fn of_json(value: &Value) -> Result<Self, String> {
        let words = match value {
            Value::String(text) => return text.parse(),
            Value::Object(words) => words,
            _ => return Err(format!("expected a text or an object, found {value}")),
        };
        let plain = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(true) | Value::Null => None,
            other => Some(other.to_string()),
        };
        let endpoint = words.get("endpoint").and_then(plain).unwrap_or_else(|| "get_range".to_owned());
        let words = words.iter().filter(|(name, value)| *name != "endpoint" && **value != Value::Bool(false));
        of_words(&endpoint, words.map(|(name, value)| (name.clone(), plain(value))))
            .map_err(|why| format!("fault {value}: {why}"))
    }
}

fn of_words(endpoint: &str, words: impl Iterator<Item = (String, Option<String>)>) -> Result<Fault, String> {
    let endpoint = if endpoint == "any" { None } else { Some(endpoint.parse::<Endpoint>()?) };
    let mut effects: Vec<Effect> = Vec::new();
    let (mut after, mut retry, mut named) = (None, None, None);
    let mut fault = Fault { endpoint, ..Fault::new(Effect::Page) };
    for (name, value) in words {
        let text = value.as_deref();
        match (name.as_str(), &value) {
            ("cut-after", _) => effects.push(Effect::CutAfter(number(&name, text)?)),
            ("stall", None) => effects.push(Effect::Stall { after: None, millis: None }),
            ("stall", Some(_)) => effects.push(Effect::Stall { after: None, millis: Some(number(&name, text)?) }),
            ("status", _) => {
                let status = number(&name, text)?;
                effects.push(Effect::Status { status, retry_after: None, case: None });
            }
            ("page", None) => effects.push(Effect::Page),
            ("truncated", None) => effects.push(Effect::Truncated),
            ("outside", None) => effects.push(Effect::Outside),
            ("other-symbol", None) => effects.push(Effect::OtherSymbol),
            ("no-records", None) => effects.push(Effect::NoRecords),
            ("no-body", None) => effects.push(Effect::NoBody),
            ("after", _) => after = Some(number(&name, text)?),
            ("retry-after", _) => retry = Some(number(&name, text)?),
            ("case", Some(word)) => named = Some(word.clone()),
            ("times", _) => fault.times = Some(number(&name, text)?),
            ("always", None) => fault.times = None,
            ("start", Some(day)) => fault.start = Some(date(day)?),
            ("symbol", Some(symbol)) => fault.symbol = Some(symbol.clone()),
            _ => return Err(format!("expected one of {WORDS}; found {name:?}")),
        }
    }
    let found = effects.len();
    let Some(mut effect) = effects.pop().filter(|_| found == 1) else {
        return Err(format!("expected one thing that goes wrong, of {WORDS}; found {found}"));
    };
    match &mut effect {
        Effect::Stall { after: mine, .. } => *mine = after.take(),
        Effect::Status { retry_after, case, .. } => (*retry_after, *case) = (retry.take(), named.take()),
        _ => {}
    }
    if after.is_some() || retry.is_some() || named.is_some() {
        return Err("after= belongs to a stall, retry-after= and case= to a status".to_owned());
    }
    if fault.times == Some(0) {
        return Err("expected times= of 1 at least, found 0".to_owned());
    }
    Ok(Fault { effect, ..fault })
}

fn number<T: FromStr>(name: &str, value: Option<&str>) -> Result<T, String> {
    let value = value.unwrap_or_default();
    value.parse().map_err(|_| format!("expected {name}= with a number, found {value:?}"))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endpoint.map_or("any", Endpoint::as_str))?;
        match &self.effect {
            Effect::CutAfter(bytes) => write!(f, ":cut-after={bytes}")?,
            Effect::Stall { after, millis } => {
                f.write_str(":stall")?;
                millis.iter().try_for_each(|millis| write!(f, "={millis}"))?;
                after.iter().try_for_each(|after| write!(f, ":after={after}"))?;
            }
            Effect::Status { status, retry_after, case } => {
                write!(f, ":status={status}")?;
                retry_after.iter().try_for_each(|seconds| write!(f, ":retry-after={seconds}"))?;
                case.iter().try_for_each(|case| write!(f, ":case={case}"))?;
            }
            Effect::Page => f.write_str(":page")?,
            Effect::Truncated => f.write_str(":truncated")?,
            Effect::Outside => f.write_str(":outside")?,
            Effect::OtherSymbol => f.write_str(":other-symbol")?,
            Effect::NoRecords => f.write_str(":no-records")?,
            Effect::NoBody => f.write_str(":no-body")?,
        }
        match self.times {
            None => f.write_str(":always")?,
            Some(1) => {}
            Some(times) => write!(f, ":times={times}")?,
        }
        self.start.iter().try_for_each(|day| write!(f, ":start={}", date_text(*day)))?;
        self.symbol.iter().try_for_each(|symbol| write!(f, ":symbol={symbol}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn faults_are_written_as_they_are_read() {
        for text in [
            "timeseries.get_range:cut-after=1000:times=2:start=2024-02-01:symbol=ES.c.0",
            "any:stall",
            "metadata.get_cost:stall=20:after=100:always",
            "any:status=429:retry-after=3",
            "any:status=403:case=license_not_found_unauthorized",
            "timeseries.get_range:page",
            "timeseries.get_range:truncated",
            "timeseries.get_range:outside",
            "timeseries.get_range:other-symbol",
            "timeseries.get_range:no-records",
            "timeseries.get_range:no-body",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        let words = json!({ "cut-after": 1000, "times": 2, "page": false });
        assert_eq!(Fault::of_json(&words), "get_range:cut-after=1000:times=2".parse());
        assert_eq!(Fault::of_json(&json!("any:page")), "any:page".parse());
        assert_eq!(Fault::of_json(&json!({ "endpoint": "any", "page": true })), "any:page".parse());
    }

    #[test]
    fn what_is_no_fault_says_what_was_expected() {
        for (text, why) in [
            ("get_rang:page", "expected an endpoint"),
            ("get_range", "expected one thing that goes wrong"),
            ("get_range:page:truncated", "found 2"),
            ("get_range:cut-after", "expected cut-after= with a number"),
            ("get_range:cut-after=-1", "found \"-1\""),
            ("get_range:page:after=3", "belongs to a stall"),
            ("get_range:page:times=0", "found 0"),
            ("get_range:page=1", "found \"page\""),
            ("get_range:page:start=2024", "expected a date"),
        ] {
            let error = text.parse::<Fault>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert!(Fault::of_json(&json!(3)).is_err());
    }
}
