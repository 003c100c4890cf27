//! What a request for records asks for, checked in the order in which the API does.

use std::num::NonZeroU64;
use std::ops::Range;

use dbn::{OhlcvMsg, SType, Schema};

use crate::moment::{days_of, nanos};
use crate::parameters::{Parameters, Symbols};
use crate::refusal::Refusal;
use crate::store::{Resolution, Series, Wanted};
use crate::{Dataset, Store};

/// A request for records.
pub(super) struct Query<'a> {
    pub(super) dataset: &'a Dataset,
    pub(super) schema: Schema,
    series: &'a Series,
    /// The moments, with the last one excluded.
    pub(super) range: Range<u64>,
    /// What kind the symbols are of, and those of the answer.
    pub(super) stypes: (SType, SType),
    pub(super) symbols: Symbols,
    pub(super) resolution: Resolution,
    pub(super) limit: Option<NonZeroU64>,
    /// Which instruments, and when; all if there is nothing.
    pub(super) wanted: Option<Wanted>,
}

/// The dataset that a request names.
pub(super) fn dataset<'a>(store: &'a Store, given: &Parameters) -> Result<&'a Dataset, Refusal> {
    let name = given.required("dataset")?;
    store.get(name).ok_or_else(|| Refusal::dataset(name))
}

impl<'a> Query<'a> {
    /// What the request asks for; `zero` says what becomes of a limit of 0.
    pub(super) fn of(
        store: &'a Store,
        given: &Parameters,
        zero: impl Fn() -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let dataset = dataset(store, given)?;
        let schema = given.schema()?;
        let Some(series) = dataset.schemas.get(&schema) else {
            let has: Vec<&str> = dataset.schemas.keys().map(Schema::as_str).collect();
            return Err(Refusal::schema(dataset.name(), schema.as_str(), &has.join(", ")));
        };
        let limit = given.limit(zero)?;
        let available = nanos(&dataset.days);
        let range = given.times(&available)?;
        if let Some(refusal) = Refusal::outside(dataset.name(), &range, &available) {
            return Err(refusal);
        }
        if range.start < series.range.start || range.end > series.range.end {
            return Err(Refusal::schema_range(dataset.name(), schema.as_str(), &range, &series.range));
        }
        let stypes = (given.stype("stype_in", SType::RawSymbol)?, given.stype("stype_out", SType::InstrumentId)?);
        let symbols = given.symbols()?;
        let resolution = dataset.resolve(stypes, &symbols, &days_of(&range))?;
        let found = resolution.resolved.iter().any(|resolved| !resolved.spans.is_empty());
        if symbols != Symbols::All && !found {
            let smart = matches!(stypes.0, SType::Continuous | SType::Parent);
            return Err(Refusal::symbols(match smart {
                true => format!("Could not resolve smart symbols: {}", resolution.not_found.join(", ")),
                false => "None of the symbols could be resolved".to_owned(),
            }));
        }
        // Of all symbols nothing is left out, not even what has no name.
        let wanted = (symbols != Symbols::All).then(|| resolution.wanted());
        Ok(Self { dataset, schema, series, range, stypes, symbols, resolution, limit, wanted })
    }

    /// The bars, by their moments.
    pub(super) fn bars(&self) -> impl Iterator<Item = &OhlcvMsg> {
        self.series.select(&self.range, self.wanted.as_ref(), self.limit)
    }
}
