//! What the API has: datasets, schemas, symbols.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use databento::dbn::Schema;
use databento::historical::DateRange;
use databento::historical::metadata::{DatasetCondition, FeedMode, GetDatasetConditionParams};
use databento::historical::symbology::{Resolution, ResolveParams};
use serde::Serialize;

use super::client::Historical;
use super::error::FetchError;
use super::event::Told;
use super::plan::Request;

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dataset {
    /// Its name, such as `GLBX.MDP3`.
    pub dataset: String,
    /// The first moment that it has.
    pub start: DateTime<Utc>,
    /// The moment behind the last.
    pub end: DateTime<Utc>,
}

/// A schema of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SchemaPrice {
    /// Its name, such as `ohlcv-1s`.
    pub schema: String,
    /// US dollars for a gigabyte by the historical streaming feed, where the API says it.
    pub dollars_per_gigabyte: Option<f64>,
}

/// A span of days on which a symbol stands for something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SymbolSpan {
    /// The first day.
    pub start_date: String,
    /// The day behind the last.
    pub end_date: String,
    /// What it stands for: an instrument's id.
    pub symbol: String,
}

/// When symbols can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Availability {
    /// By symbol, in order of time; nothing, where there is none.
    pub mappings: BTreeMap<String, Vec<SymbolSpan>>,
    /// Symbols that are there on some of the days only.
    pub partial: Vec<String>,
    /// Symbols that are not there.
    pub not_found: Vec<String>,
    /// The kind of symbol that was asked for.
    pub stype_in: String,
    /// What they stand for.
    pub stype_out: String,
}

/// What the vendor says of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Day {
    pub(super) date: String,
    pub(super) condition: &'static str,
    pub(super) last_modified_date: Option<String>,
}

impl Historical {
    /// The names of all datasets. The quickest way to see whether the key is good.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn dataset_names(&self, told: Told<'_>) -> Result<Vec<String>, FetchError> {
        self.ask("asking for datasets", told, async |mut client| client.metadata().list_datasets(None).await).await
    }

    /// A dataset, with the moments that it has.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn dataset(&self, name: &str, told: Told<'_>) -> Result<Dataset, FetchError> {
        self.range(name, None, told).await
    }

    /// A dataset, with the moments that it has of a schema, which may end earlier than others.
    pub(super) async fn range(
        &self,
        name: &str,
        schema: Option<Schema>,
        told: Told<'_>,
    ) -> Result<Dataset, FetchError> {
        let doing = format!("asking for the range of {name}");
        let range = self.ask(&doing, told, async |mut client| client.metadata().get_dataset_range(name).await).await?;
        let of_schema = schema.and_then(|schema| range.range_by_schema.get(&schema));
        let (start, end) = of_schema.map_or((range.start, range.end), |range| (range.start, range.end));
        Ok(Dataset {
            dataset: name.to_owned(),
            start: utc(start.unix_timestamp(), start.nanosecond()),
            end: utc(end.unix_timestamp(), end.nanosecond()),
        })
    }

    /// The schemas of a dataset, and what they cost.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn schemas(&self, dataset: &str, told: Told<'_>) -> Result<Vec<SchemaPrice>, FetchError> {
        let doing = format!("asking for the schemas of {dataset}");
        let schemas = self.ask(&doing, told, async |mut client| client.metadata().list_schemas(dataset).await).await?;
        let doing = format!("asking for the prices of {dataset}");
        let prices =
            self.ask(&doing, told, async |mut client| client.metadata().list_unit_prices(dataset).await).await?;
        let streaming = prices.iter().find(|prices| prices.mode == FeedMode::HistoricalStreaming);
        let price = |schema| streaming.and_then(|prices| prices.unit_prices.get(schema).copied());
        let schemas = schemas
            .iter()
            .map(|schema| SchemaPrice { schema: schema.to_string(), dollars_per_gigabyte: price(schema) });
        Ok(schemas.collect())
    }

    /// On which days symbols can be had, from a day on and before another.
    ///
    /// # Errors
    /// When the API refuses or cannot be reached.
    pub async fn symbols(
        &self,
        dataset: &str,
        symbols: &[String],
        stype_in: &str,
        (start, end): (NaiveDate, NaiveDate),
        told: Told<'_>,
    ) -> Result<Availability, FetchError> {
        let stype = super::plan::stype(stype_in)?;
        let params = ResolveParams::builder()
            .dataset(dataset)
            .symbols(symbols.to_vec())
            .stype_in(stype)
            .date_range(DateRange::from(start..end))
            .build();
        let doing = format!("asking for symbols of {dataset}");
        let found = self.ask(&doing, told, async |mut client| client.symbology().resolve(&params).await).await?;
        Ok(availability(found))
    }

    /// What the vendor says of the days of a request.
    pub(super) async fn conditions(&self, request: &Request, told: Told<'_>) -> Result<Vec<Day>, FetchError> {
        let (first, last) = (request.start.date_naive(), last_day(request.end));
        // The API takes the last day of this as one to tell of.
        let params = GetDatasetConditionParams::builder()
            .dataset(&request.dataset)
            .date_range(DateRange::from((first, last)))
            .build();
        let doing = format!("asking for the condition of {}", request.dataset);
        let days =
            self.ask(&doing, told, async |mut client| client.metadata().get_dataset_condition(&params).await).await?;
        let day = |day: databento::historical::metadata::DatasetConditionDetail| Day {
            date: day.date.to_string(),
            condition: match day.condition {
                DatasetCondition::Available => "available",
                DatasetCondition::Degraded => "degraded",
                DatasetCondition::Pending => "pending",
                DatasetCondition::Missing => "missing",
            },
            last_modified_date: day.last_modified_date.map(|date| date.to_string()),
        };
        Ok(days.into_iter().map(day).collect())
    }
}

/// The day of the last moment before another.
pub(super) fn last_day(end: DateTime<Utc>) -> NaiveDate {
    (end - chrono::Duration::nanoseconds(1)).date_naive()
}

fn availability(found: Resolution) -> Availability {
    let spans = |spans: Vec<databento::dbn::MappingInterval>| {
        let span = |span: databento::dbn::MappingInterval| SymbolSpan {
            start_date: span.start_date.to_string(),
            end_date: span.end_date.to_string(),
            symbol: span.symbol,
        };
        let mut spans: Vec<_> = spans.into_iter().map(span).collect();
        spans.sort();
        spans
    };
    Availability {
        mappings: found.mappings.into_iter().map(|(symbol, found)| (symbol, spans(found))).collect(),
        partial: found.partial,
        not_found: found.not_found,
        stype_in: found.stype_in.to_string(),
        stype_out: found.stype_out.to_string(),
    }
}

fn utc(seconds: i64, nanos: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, nanos).unwrap_or_default()
}
