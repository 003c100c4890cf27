//! A dataset, and its description in code.

use std::collections::BTreeMap;
use std::ops::Range;

use dbn::{OhlcvMsg, Publisher, Schema};
use time::Date;

use super::bars::Series;
use crate::moment::nanos;

/// How good the data of a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// With no known fault.
    Available,
    /// There, with faults.
    Degraded,
    /// Not yet there.
    Pending,
    /// Not there.
    Missing,
}

impl Condition {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Degraded => "degraded",
            Self::Pending => "pending",
            Self::Missing => "missing",
        }
    }
}

/// The instruments that a name stands for, each on its days.
pub(crate) type Spans = Vec<(u32, Range<Date>)>;

/// A publisher of a dataset.
#[derive(Debug, Clone)]
pub(crate) struct Publishes {
    pub(crate) id: u16,
    pub(crate) venue: String,
    pub(crate) description: String,
}

/// A dataset: what there is, from when to when, and what its symbols mean.
#[derive(Debug, Clone)]
pub struct Dataset {
    name: String,
    pub(crate) days: Range<Date>,
    pub(crate) schemas: BTreeMap<Schema, Series>,
    /// Dollars a gigabyte.
    pub(crate) prices: BTreeMap<Schema, f64>,
    pub(crate) conditions: BTreeMap<Date, Condition>,
    pub(crate) publishers: Vec<Publishes>,
    pub(crate) symbols: BTreeMap<String, Spans>,
    pub(crate) continuous: BTreeMap<String, Spans>,
    pub(crate) parents: BTreeMap<String, Vec<String>>,
}

impl Dataset {
    /// A dataset that is available on these days, the last one excluded. It has no schema yet.
    #[must_use]
    pub fn new(name: impl Into<String>, days: Range<Date>) -> Self {
        Self {
            name: name.into(),
            days,
            schemas: BTreeMap::new(),
            prices: BTreeMap::new(),
            conditions: BTreeMap::new(),
            publishers: Vec::new(),
            symbols: BTreeMap::new(),
            continuous: BTreeMap::new(),
            parents: BTreeMap::new(),
        }
    }

    /// Its name, such as `XNAS.ITCH`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With this schema on all of its days.
    #[must_use]
    pub fn schema(self, schema: Schema) -> Self {
        let days = self.days.clone();
        self.schema_on(schema, days)
    }

    /// With this schema on some of its days.
    #[must_use]
    pub fn schema_on(mut self, schema: Schema, days: Range<Date>) -> Self {
        let range = nanos(&days);
        self.schemas.entry(schema).or_insert_with(|| Series::new(range.clone())).range.clone_from(&range);
        self
    }

    /// With bars of this schema, in any order. A schema that was not named yet is there on all days.
    #[must_use]
    pub fn bars(mut self, schema: Schema, bars: impl IntoIterator<Item = OhlcvMsg>) -> Self {
        let range = nanos(&self.days);
        self.schemas.entry(schema).or_insert_with(|| Series::new(range)).add(schema, bars);
        self
    }

    /// With this price of a gigabyte, in dollars.
    #[must_use]
    pub fn unit_price(mut self, schema: Schema, dollars: f64) -> Self {
        self.prices.insert(schema, dollars);
        self
    }

    /// With a day that is not simply available.
    #[must_use]
    pub fn condition(mut self, day: Date, condition: Condition) -> Self {
        self.conditions.insert(day, condition);
        self
    }

    /// With a publisher.
    #[must_use]
    pub fn publisher(mut self, publisher: Publisher, description: impl Into<String>) -> Self {
        let venue = publisher.venue().as_str().to_owned();
        self.publishers.push(Publishes { id: u16::from(publisher), venue, description: description.into() });
        self
    }

    /// With a raw symbol, and the instruments that it stands for on some days each.
    #[must_use]
    pub fn symbol(mut self, raw: impl Into<String>, spans: impl IntoIterator<Item = (u32, Range<Date>)>) -> Self {
        add(&mut self.symbols, raw.into(), spans);
        self
    }

    /// With a continuous symbol, such as `ES.c.0`, and the instruments that it stands for on some days each.
    #[must_use]
    pub fn continuous(mut self, name: impl Into<String>, spans: impl IntoIterator<Item = (u32, Range<Date>)>) -> Self {
        add(&mut self.continuous, name.into(), spans);
        self
    }

    /// With a parent symbol, such as `ES.FUT`, and the raw symbols below it.
    #[must_use]
    pub fn parent<S: Into<String>>(mut self, name: impl Into<String>, raw: impl IntoIterator<Item = S>) -> Self {
        let below = self.parents.entry(name.into()).or_default();
        below.extend(raw.into_iter().map(Into::into));
        below.sort_unstable();
        below.dedup();
        self
    }

    /// Its bars of a schema, by their moments.
    #[must_use]
    pub fn all_bars(&self, schema: Schema) -> &[OhlcvMsg] {
        self.schemas.get(&schema).map_or(&[], Series::all)
    }

    /// How good a day is.
    #[must_use]
    pub fn condition_of(&self, day: Date) -> Condition {
        self.conditions.get(&day).copied().unwrap_or(Condition::Available)
    }
}

fn add(names: &mut BTreeMap<String, Spans>, name: String, spans: impl IntoIterator<Item = (u32, Range<Date>)>) {
    let mine = names.entry(name).or_default();
    mine.extend(spans);
    mine.sort_by_key(|(_, days)| days.start);
    mine.dedup();
}
