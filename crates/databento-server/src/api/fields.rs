//! `metadata.list_fields`.

use dbn::{Encoding, Schema};
use serde_json::{Value, json};

use super::query;
use crate::Store;
use crate::parameters::Parameters;
use crate::refusal::Refusal;

/// The fields of a bar, in the order of its bytes.
const BAR: [(&str, &str); 10] = [
    ("length", "uint8_t"),
    ("rtype", "uint8_t"),
    ("publisher_id", "uint16_t"),
    ("instrument_id", "uint32_t"),
    ("ts_event", "uint64_t"),
    ("open", "int64_t"),
    ("high", "int64_t"),
    ("low", "int64_t"),
    ("close", "int64_t"),
    ("volume", "uint64_t"),
];

pub(super) fn list(store: &Store, given: &Parameters) -> Result<Value, Refusal> {
    let schema = given.schema()?;
    let encoding: Encoding = given.word("encoding", given.required("encoding")?)?;
    if given.optional("dataset").is_some() {
        query::dataset(store, given)?;
    }
    if !matches!(schema, Schema::Ohlcv1S | Schema::Ohlcv1M | Schema::Ohlcv1H | Schema::Ohlcv1D | Schema::OhlcvEod) {
        return Err(Refusal::malformed("schema", &format!("this server knows ohlcv schemas only, found {schema}")));
    }
    // Text has no length of records.
    let fields = BAR.iter().filter(|(name, _)| encoding == Encoding::Dbn || *name != "length");
    Ok(fields.map(|(name, kind)| json!({ "name": name, "type": kind })).collect())
}
