//! `timeseries.get_range`.

use std::num::NonZeroU64;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use dbn::{Compression, Encoding, MappingInterval, Metadata, OhlcvMsg, SymbolMapping};

use super::encode;
use super::query::Query;
use super::{Answer, Body};
use crate::fault::Effect;
use crate::moment::{SECOND, date_text, day_of, days_of};
use crate::parameters::{Parameters, Symbols};
use crate::refusal::Refusal;
use crate::{Condition, Store};

/// Where warnings are: a JSON list of texts.
const WARNING: HeaderName = HeaderName::from_static("x-warning");
/// The most symbols or days that a warning names.
const MOST_NAMED: usize = 10;

pub(super) fn range(store: &Store, given: &Parameters, effect: Option<&Effect>) -> Result<Answer, Refusal> {
    let encoding: Encoding =
        given.optional("encoding").map_or(Ok(Encoding::Dbn), |text| given.word("encoding", text))?;
    let compression: Compression =
        given.optional("compression").map_or(Ok(Compression::None), |text| given.word("compression", text))?;
    if encoding != Encoding::Dbn {
        let why = format!("this server answers `encoding` dbn only, found {encoding}");
        return Err(Refusal::text(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    // A limit of 0 is none here.
    let query = Query::of(store, given, || Ok(()))?;
    let mut bars: Vec<OhlcvMsg> = query.bars().cloned().collect();
    let metadata = metadata_of(&query);
    let warnings = warnings(&query, bars.is_empty());
    if let Some(effect) = effect {
        spoil(&mut bars, &query, effect);
    }
    let pieces = encode::dbn(&metadata, &bars, compression)
        .map_err(|error| Refusal::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let complete = query.resolution.partial.is_empty() && query.resolution.not_found.is_empty();
    let content_type = match compression {
        Compression::None => "application/octet-stream",
        Compression::Zstd => "application/zstd",
    };
    let mut headers = vec![(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    headers.extend(file_name(&query, compression).map(|name| (header::CONTENT_DISPOSITION, name)));
    headers.extend(warnings.map(|warnings| (WARNING, warnings)));
    let status = if complete { StatusCode::OK } else { StatusCode::PARTIAL_CONTENT };
    Ok(Answer { status, headers, body: Body::Pieces(pieces), records: Some(bars.len()) })
}

/// The metadata, which tells what was asked for and not what there is.
fn metadata_of(query: &Query<'_>) -> Metadata {
    let builder = Metadata::builder()
        .dataset(query.dataset.name())
        .schema(Some(query.schema))
        .start(query.range.start)
        .end(NonZeroU64::new(query.range.end))
        .limit(query.limit)
        .stype_in(Some(query.stypes.0))
        .stype_out(query.stypes.1);
    let Symbols::These(names) = &query.symbols else {
        // What all symbols are must be asked for elsewhere.
        return builder.symbols(vec!["ALL_SYMBOLS".to_owned()]).build();
    };
    let found = query.resolution.resolved.iter().filter(|resolved| !resolved.spans.is_empty());
    let mappings = found.map(|resolved| {
        let intervals = resolved.spans.iter().map(|span| MappingInterval {
            start_date: span.days.start,
            end_date: span.days.end,
            symbol: span.symbol.clone(),
        });
        SymbolMapping { raw_symbol: resolved.name.clone(), intervals: intervals.collect() }
    });
    builder
        .symbols(names.clone())
        .partial(query.resolution.partial.clone())
        .not_found(query.resolution.not_found.clone())
        .mappings(mappings.collect())
        .build()
}

fn warnings(query: &Query<'_>, is_empty: bool) -> Option<HeaderValue> {
    let listed = |names: &[String]| match names.get(..MOST_NAMED) {
        Some(first) if names.len() > MOST_NAMED => format!("{}...", first.join(", ")),
        _ => names.join(", "),
    };
    let mut warnings = Vec::new();
    let unresolved = [query.resolution.not_found.as_slice(), query.resolution.partial.as_slice()].concat();
    if !unresolved.is_empty() {
        let symbols = listed(&unresolved);
        warnings
            .push(format!("Warning: The streaming request had one or more symbols which did not resolve: {symbols}"));
    }
    let days = days_of(&query.range);
    let poor: Vec<String> = query
        .dataset
        .conditions
        .range(days)
        .filter(|(_, condition)| **condition != Condition::Available)
        .map(|(day, condition)| format!("{} ({})", date_text(*day), condition.as_str()))
        .collect();
    if !poor.is_empty() {
        let days = listed(&poor);
        let text = "Warning: The streaming request contained one or more days which have reduced quality";
        warnings.push(format!("{text}: {days}"));
    }
    if is_empty {
        warnings.push("Warning: No data found for the request you submitted.".to_owned());
    }
    let text = serde_json::to_string(&warnings).ok().filter(|_| !warnings.is_empty())?;
    HeaderValue::from_str(&text).ok()
}

fn file_name(query: &Query<'_>, compression: Compression) -> Option<HeaderValue> {
    let dataset = query.dataset.name().to_lowercase().replace('.', "-");
    let day = date_text(day_of(query.range.start)).replace('-', "");
    let end = if compression == Compression::Zstd { ".zst" } else { "" };
    HeaderValue::from_str(&format!("attachment; filename={dataset}-{day}.{}.dbn{end}", query.schema)).ok()
}

/// Records that should not be there, or should.
fn spoil(bars: &mut Vec<OhlcvMsg>, query: &Query<'_>, effect: &Effect) {
    match effect {
        Effect::NoRecords => bars.clear(),
        Effect::Outside => {
            // Of an answer without records, some bar of the dataset is taken.
            let any = query.dataset.all_bars(query.schema);
            let (Some(mut first), Some(mut last)) =
                (bars.first().or(any.first()).cloned(), bars.last().or(any.last()).cloned())
            else {
                return;
            };
            first.hd.ts_event = query.range.start.saturating_sub(SECOND);
            last.hd.ts_event = query.range.end;
            bars.insert(0, first);
            bars.push(last);
        }
        Effect::OtherSymbol => {
            let known: Vec<u32> = query.dataset.symbols.values().flatten().map(|(id, _)| *id).collect();
            let mine = |id: &u32| query.wanted.as_ref().is_none_or(|wanted| wanted.contains_key(id));
            let unknown = known.iter().max().map_or(1, |id| id.saturating_add(1));
            let other = known.iter().copied().find(|id| !mine(id)).unwrap_or(unknown);
            let half = bars.len() / 2;
            bars.iter_mut().skip(half).for_each(|bar| bar.hd.instrument_id = other);
        }
        _ => {}
    }
}
