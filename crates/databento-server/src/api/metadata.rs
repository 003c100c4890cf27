//! `metadata.*`.

use serde_json::{Map, Value, json};

use super::query::{self, Query};
use crate::moment::{date_text, iso, nanos, next};
use crate::parameters::Parameters;
use crate::refusal::Refusal;
use crate::{Condition, Store};

/// Bytes of a bar, which is what is paid for, compressed or not.
const BAR: u64 = 56;
/// Bytes of the gigabyte of prices.
const GIGABYTE: f64 = 1_073_741_824.0;

pub(super) fn publishers(store: &Store) -> Value {
    let mut all: Vec<_> = store
        .datasets()
        .flat_map(|dataset| dataset.publishers.iter().map(move |publisher| (publisher, dataset.name())))
        .collect();
    all.sort_by_key(|(publisher, _)| publisher.id);
    let shown = all.into_iter().map(|(publisher, dataset)| {
        json!({
            "publisher_id": publisher.id, "dataset": dataset,
            "venue": publisher.venue, "description": publisher.description,
        })
    });
    shown.collect()
}

pub(super) fn datasets(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let (start, end) = (given.date("start_date")?, given.date("end_date")?);
    if let (Some(start), Some(end)) = (start, end)
        && start >= end
    {
        return Err(Refusal::no_days(&(start..end)));
    }
    let within = store.datasets().filter(|dataset| {
        start.is_none_or(|start| start < dataset.days.end) && end.is_none_or(|end| end > dataset.days.start)
    });
    Ok(within.map(|dataset| dataset.name()).collect())
}

pub(super) fn schemas(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    Ok(query::dataset(store, given)?.schemas.keys().map(|schema| schema.as_str()).collect())
}

pub(super) fn unit_prices(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let prices = &query::dataset(store, given)?.prices;
    let prices: Map<String, Value> =
        prices.iter().map(|(schema, dollars)| (schema.to_string(), json!(dollars))).collect();
    let modes = ["historical", "historical-streaming", "live"];
    Ok(modes.iter().map(|mode| json!({ "mode": mode, "unit_prices": prices })).collect())
}

/// The end of the range is the last day here, and not the one after it, unlike everywhere else.
pub(super) fn condition(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let dataset = query::dataset(store, given)?;
    let last = dataset.days.end.previous_day().unwrap_or(dataset.days.end);
    let start = given.date("start_date")?.unwrap_or(dataset.days.start);
    let end = given.date("end_date")?.unwrap_or(last);
    if start > end {
        return Err(Refusal::no_days(&(start..end)));
    }
    let (mut day, end) = (start.max(dataset.days.start), end.min(last));
    let mut days = Vec::new();
    while day <= end {
        let condition = dataset.condition_of(day);
        let modified = match condition {
            Condition::Missing => Value::Null,
            _ => Value::String(date_text(next(day))),
        };
        days.push(json!({ "date": date_text(day), "condition": condition.as_str(), "last_modified_date": modified }));
        day = next(day);
    }
    Ok(Value::Array(days))
}

pub(super) fn range(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let dataset = query::dataset(store, given)?;
    let ends = |range: &std::ops::Range<u64>| json!({ "start": iso(range.start), "end": iso(range.end) });
    let by_schema: Map<String, Value> =
        dataset.schemas.iter().map(|(schema, series)| (schema.to_string(), ends(&series.range))).collect();
    let mut all = ends(&nanos(&dataset.days));
    if let Some(all) = all.as_object_mut() {
        all.insert("schema".to_owned(), Value::Object(by_schema));
    }
    Ok(all)
}

fn count(store: &Store, given: &Parameters) -> Result<(u64, f64), Refusal> {
    let query = Query::of(store, given, || given.no_zero())?;
    let price = query.dataset.prices.get(&query.schema).copied().unwrap_or(0.0);
    Ok((u64::try_from(query.bars().count()).unwrap_or(u64::MAX), price))
}

pub(super) fn record_count(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    Ok(json!(count(store, given)?.0))
}

pub(super) fn billable_size(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    Ok(json!(count(store, given)?.0.saturating_mul(BAR)))
}

pub(super) fn cost(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let (records, price) = count(store, given)?;
    // The bytes of all that memory could hold are a whole number of a double.
    #[expect(clippy::cast_precision_loss, reason = "a price is rounded in any case")]
    let bytes = records.saturating_mul(BAR) as f64;
    let dollars = bytes / GIGABYTE * price;
    // The API gives twelve digits.
    Ok(json!((dollars * 1e12).round() / 1e12))
}
