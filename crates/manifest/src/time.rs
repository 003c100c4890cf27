//! Dates and times as packages write and read them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, Utc};

/// A time as packages write it: RFC 3339 in UTC with `Z`, with as many digits of a second (0, 3, 6 or 9) as it needs.
#[must_use]
pub fn format(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Midnight UTC at the start of `date`.
#[must_use]
pub fn midnight(date: NaiveDate) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc()
}

/// Reads an ISO 8601 date, or date and time.
///
/// An offset is applied; a time without one is taken as UTC, and a date alone as its midnight. A blank may stand for
/// the `T`. Digits beyond nanoseconds are dropped. `None` for anything else.
#[must_use]
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    parse_zoned(text).map(|(time, _)| time)
}

/// As [`parse`], and whether the text named its offset.
#[must_use]
pub fn parse_zoned(text: &str) -> Option<(DateTime<Utc>, bool)> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some((time.with_timezone(&Utc), true));
    }
    // Long enough for any of the forms below; keeps a hostile megabyte out of the parsers.
    if text.len() > 40 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    for form in ["%Y-%m-%d %H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%#z"] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return Some((time.with_timezone(&Utc), true));
        }
    }
    let (bare, zoned) = match text.strip_suffix('Z') {
        Some(bare) => (bare, true),
        None => (text, false),
    };
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(bare, form) {
            return Some((time.and_utc(), zoned));
        }
    }
    parse_date(bare).map(|date| (midnight(date), zoned))
}

/// Reads a date of exactly the form `YYYY-MM-DD`.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if shaped { NaiveDate::parse_from_str(text, "%Y-%m-%d").ok() } else { None }
}

/// A time in a package's JSON: read in any ISO 8601 form, written in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format(self.0))
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        parse(&text).map(Self).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            serde::de::Error::custom(format_args!("\"{}\" is not an ISO 8601 time", shown.escape_debug()))
        })
    }
}

impl schemars::JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time", "description": "ISO 8601 time, written in UTC" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("2024-01-03T12:00:00Z", "2024-01-03T12:00:00Z"),
            ("2019-10-11T00:00:11.62+00:00", "2019-10-11T00:00:11.620Z"),
            ("2024-01-03T12:00:00.1234567+02:00", "2024-01-03T10:00:00.123456700Z"),
            ("2024-01-03T12:00:00", "2024-01-03T12:00:00Z"),
            ("2024-01-03 12:00:00.5", "2024-01-03T12:00:00.500Z"),
            ("2024-01-03 12:00:00+00:00", "2024-01-03T12:00:00Z"),
            ("2024-01-03", "2024-01-03T00:00:00Z"),
            ("0001-01-01T00:00:00+00:00", "0001-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(format).as_deref(), Some(expected), "{text}");
        }
        for bad in ["", "yesterday", "2024-13-01", "2024-02-30", "20240103", "1704283200", &"9".repeat(1000)] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_full_dates() {
        assert!(parse_date("2024-02-29").is_some());
        for bad in ["2024-2-29", "2023-02-29", "2024/02/29", "24-02-29", "2024-02-29T00:00:00Z"] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
