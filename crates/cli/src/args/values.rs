//! Reading the values of options: what cannot be read is an error that says what can.

use std::fmt::Display;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use pdp_packager::manifest::time;

/// A value by its own rules.
pub(crate) fn parse<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A list separated by commas: at least one value, none of them empty.
#[derive(Debug, Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T: FromStr<Err: Display>> FromStr for List<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let values: Vec<&str> = text.split(',').map(str::trim).collect();
        if values.iter().any(|value| value.is_empty()) {
            return Err("an empty value in the list; expected values separated by commas, such as A,B".to_owned());
        }
        values.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }
}

/// A day.
pub(crate) fn date(text: &str) -> Result<NaiveDate, String> {
    time::parse_date(text).ok_or_else(|| "expected a date of the form YYYY-MM-DD".to_owned())
}

/// A point in time: ISO 8601, or seconds since 1970.
pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    time::parse(text)
        .or_else(|| text.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)))
        .ok_or_else(|| "expected a time such as 2024-01-03T12:00:00Z, or seconds since 1970".to_owned())
}

/// A size in bytes, with or without a unit: `KB` is 1000, `KiB` and `K` are 1024, and so on.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as 500MB, 2GiB or a number of bytes".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "tb" => 1000 * 1000 * 1000 * 1000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        _ => return Err(expected()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(expected)
}

/// `key=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("expected key=value".to_owned()),
    }
}

/// A tag: not blank.
pub(crate) fn tag(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("an empty tag".to_owned()) } else { Ok(text.trim().to_owned()) }
}
