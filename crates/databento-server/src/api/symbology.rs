//! `symbology.resolve`.

use dbn::SType;
use serde_json::{Map, Value, json};

use super::query;
use crate::Store;
use crate::moment::{date_text, nanos, next};
use crate::parameters::{Parameters, Symbols};
use crate::refusal::Refusal;

pub(super) fn resolve(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let dataset = query::dataset(store, given)?;
    let stypes = (given.stype("stype_in", SType::RawSymbol)?, given.stype("stype_out", SType::InstrumentId)?);
    let text = given.required("start_date")?;
    let start = given.date("start_date")?.ok_or_else(|| Refusal::malformed("start_date", text))?;
    let days = start..given.date("end_date")?.unwrap_or_else(|| next(start));
    if days.is_empty() {
        return Err(Refusal::no_days(&days));
    }
    if let Some(refusal) = Refusal::outside(dataset.name(), &nanos(&days), &nanos(&dataset.days)) {
        return Err(refusal);
    }
    given.required("symbols")?;
    let symbols = given.symbols()?;
    let found = dataset.resolve(stypes, &symbols, &days)?;
    // Every symbol that was asked for is there, be it with an empty list.
    let result: Map<String, Value> = found
        .resolved
        .iter()
        .map(|resolved| {
            let spans = resolved.spans.iter().map(
                |span| json!({ "d0": date_text(span.days.start), "d1": date_text(span.days.end), "s": span.symbol }),
            );
            (resolved.name.clone(), spans.collect())
        })
        .collect();
    let (message, status) = match (found.not_found.is_empty(), found.partial.is_empty()) {
        (false, _) => ("Not found", 2),
        (true, false) => ("Partially resolved", 1),
        (true, true) => ("OK", 0),
    };
    let asked = match symbols {
        Symbols::All => vec!["ALL_SYMBOLS".to_owned()],
        Symbols::These(names) => names,
    };
    Ok(json!({
        "result": result, "symbols": asked, "stype_in": stypes.0.as_str(), "stype_out": stypes.1.as_str(),
        "start_date": date_text(days.start), "end_date": date_text(days.end),
        "partial": found.partial, "not_found": found.not_found, "message": message, "status": status,
    }))
}
