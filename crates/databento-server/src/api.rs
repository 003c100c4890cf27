//! What each endpoint answers.

mod encode;
mod fields;
mod metadata;
mod query;
mod symbology;
mod timeseries;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::fault::Effect;
use crate::parameters::Parameters;
use crate::refusal::Refusal;
use crate::{Endpoint, Store};

/// An answer before anything goes wrong with it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Body,
    /// How many records it holds.
    pub(crate) records: Option<usize>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// Sent with its length.
    Whole(Bytes),
    /// Sent as a stream. A reader can make something of each piece without those after it.
    Pieces(Vec<Bytes>),
}

impl Answer {
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
        Self { status, headers, body: Body::Whole(body.into()), records: None }
    }

    pub(crate) fn json(value: &Value) -> Self {
        Self::new(StatusCode::OK, "application/json", value.to_string())
    }
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status, "application/json", refusal.body())
    }
}

/// The answer of an endpoint; `effect` is what befalls the records, if anything.
pub(crate) fn answer(
    store: &Store,
    endpoint: Endpoint,
    given: &Parameters,
    effect: Option<&Effect>,
) -> Result<Answer, Refusal> {
    let value = match endpoint {
        Endpoint::ListPublishers => metadata::publishers(store),
        Endpoint::ListDatasets => metadata::datasets(store, given)?,
        Endpoint::ListSchemas => metadata::schemas(store, given)?,
        Endpoint::ListFields => fields::list(store, given)?,
        Endpoint::ListUnitPrices => metadata::unit_prices(store, given)?,
        Endpoint::GetDatasetCondition => metadata::condition(store, given)?,
        Endpoint::GetDatasetRange => metadata::range(store, given)?,
        Endpoint::GetRecordCount => metadata::record_count(store, given)?,
        Endpoint::GetBillableSize => metadata::billable_size(store, given)?,
        Endpoint::GetCost => metadata::cost(store, given)?,
        Endpoint::Resolve => symbology::resolve(store, given)?,
        Endpoint::GetRange => return timeseries::range(store, given, effect),
    };
    Ok(Answer::json(&value))
}
