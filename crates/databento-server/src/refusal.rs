//! Errors as the API answers them.
//!
//! `detail` has three forms: a text, an object with a `case`, and a list of the parameters that are wrong. Both clients know
//! the first two.

use std::ops::Range;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::moment::{date_text, iso, spaced};

const DATASETS: &str = "https://databento.com/docs/api-reference-historical/basics/datasets";
const SYMBOLOGY: &str = "https://databento.com/docs/api-reference-historical/basics/symbology";
const FIELDS: &str = "https://databento.com/docs/standards-and-conventions/common-fields-enums-types";
const KEYS: &str = "https://databento.com/docs/portal/api-keys";

/// A request that is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    detail: Value,
}

impl Refusal {
    /// One with a text.
    pub(crate) fn text(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: Value::String(detail.into()) }
    }

    /// One with a case that programs can tell it by.
    pub(crate) fn case(status: StatusCode, case: &str, message: impl Into<String>, docs: &str, payload: Value) -> Self {
        let message: String = message.into();
        let detail = json!({
            "case": case, "message": message, "status_code": status.as_u16(), "docs": docs, "payload": payload,
        });
        Self { status, detail }
    }

    fn unprocessable(case: &str, message: impl Into<String>, docs: &str, payload: Value) -> Self {
        Self::case(StatusCode::UNPROCESSABLE_ENTITY, case, message, docs, payload)
    }

    /// A parameter that is not there, or has a value out of its bounds.
    pub(crate) fn parameter(kind: &str, place: &str, name: &str, message: &str, input: Option<&str>) -> Self {
        let detail = json!([{ "type": kind, "loc": [place, name], "msg": message, "input": input }]);
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, detail }
    }

    /// A word that means nothing.
    pub(crate) fn malformed(name: &str, why: &str) -> Self {
        Self::text(StatusCode::BAD_REQUEST, format!("Invalid `{name}`: {why}."))
    }

    /// No key, or a wrong one.
    pub(crate) fn key() -> Self {
        let status = StatusCode::UNAUTHORIZED;
        Self::case(status, "auth_authentication_failed", "Authentication failed.", KEYS, Value::Null)
    }

    /// No such dataset.
    pub(crate) fn dataset(name: &str) -> Self {
        let payload = json!({ "dataset": name });
        Self::unprocessable("dataset_not_found", format!("Dataset not found: {name}."), DATASETS, payload)
    }

    /// A schema that the dataset does not have.
    pub(crate) fn schema(dataset: &str, schema: &str, has: &str) -> Self {
        let message = format!("Schema `{schema}` is not available for dataset `{dataset}`, which has {has}.");
        let payload = json!({ "dataset": dataset, "schema": schema });
        Self::unprocessable("data_schema_not_available", message, DATASETS, payload)
    }

    /// A range of moments with nothing between its ends.
    pub(crate) fn no_time(asked: &Range<u64>) -> Self {
        let (start, end) = (spaced(asked.start), spaced(asked.end));
        let message = format!("Invalid time range query, `start` {start} cannot be on or after `end` {end}.");
        let payload = json!({ "start": iso(asked.start), "end": iso(asked.end) });
        Self::unprocessable("data_time_range_start_on_or_after_end", message, FIELDS, payload)
    }

    /// A range of days with nothing between its ends.
    pub(crate) fn no_days(asked: &Range<time::Date>) -> Self {
        let (start, end) = (date_text(asked.start), date_text(asked.end));
        let message = format!("Invalid date range query, `start_date` {start} cannot be on or after `end_date` {end}.");
        let payload = json!({ "start_date": start, "end_date": end });
        Self::unprocessable("data_date_range_start_on_or_after_end", message, FIELDS, payload)
    }

    /// A range that is not within that of the dataset; none if it is.
    pub(crate) fn outside(dataset: &str, asked: &Range<u64>, has: &Range<u64>) -> Option<Self> {
        let (start, end) = (spaced(asked.start), spaced(asked.end));
        let (first, last) = (spaced(has.start), spaced(has.end));
        let (case, message) = if asked.start < has.start {
            let message = format!(
                "`start` in query ('{start}') was before the available start of dataset {dataset} ('{first}'). Try requesting with a later `start`."
            );
            ("data_start_before_available_start", message)
        } else if asked.start >= has.end {
            let message = format!(
                "`start` in query ('{start}') was after the available end of dataset {dataset} ('{last}'). Try requesting with an earlier `start`."
            );
            ("data_start_after_available_end", message)
        } else if asked.end > has.end {
            let message = format!(
                "The dataset {dataset} has data available up to '{last}'. The `end` in the query ('{end}') is after the available range. Try requesting with an earlier `end`."
            );
            ("data_end_after_available_end", message)
        } else {
            return None;
        };
        Some(Self::unprocessable(case, message, DATASETS, ranges(dataset, asked, has)))
    }

    /// A range that is not within that of the schema.
    pub(crate) fn schema_range(dataset: &str, schema: &str, asked: &Range<u64>, has: &Range<u64>) -> Self {
        let (first, last) = (iso(has.start), iso(has.end));
        let message =
            format!("Schema `{schema}` for dataset `{dataset}` is only available between {first} and {last}.");
        Self::unprocessable("data_schema_not_fully_available", message, DATASETS, ranges(dataset, asked, has))
    }

    /// Symbols of which none is known in the range.
    pub(crate) fn symbols(message: impl Into<String>) -> Self {
        Self::unprocessable("symbology_invalid_request", message, SYMBOLOGY, Value::Null)
    }

    /// The body.
    pub(crate) fn body(self) -> Vec<u8> {
        json!({ "detail": self.detail }).to_string().into_bytes()
    }
}

fn ranges(dataset: &str, asked: &Range<u64>, has: &Range<u64>) -> Value {
    json!({
        "dataset": dataset, "start": iso(asked.start), "end": iso(asked.end),
        "available_start": iso(has.start), "available_end": iso(has.end),
    })
}
