//! Datasets from DBN files.

use std::collections::BTreeSet;
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::path::Path;

use dbn::decode::{DbnDecoder, DbnMetadata, DecodeRecordRef};
use dbn::{Metadata, OhlcvMsg, Publisher, Record, SType, Schema, VersionUpgradePolicy};
use time::Date;

use super::bars::Series;
use super::{Dataset, Store};
use crate::moment::{days_of, nanos};

/// What a zstd frame begins with.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Magic number, version and length of the metadata.
const PRELUDE: usize = 8;

/// `store` with what the file holds.
pub(super) fn add(mut store: Store, file: &Path) -> Result<Store> {
    let wrong = |why: String| Error::new(ErrorKind::InvalidData, format!("{}: {why}", file.display()));
    let failed = |error: Error| Error::new(error.kind(), format!("{}: {error}", file.display()));
    let mut bytes = std::fs::read(file).map_err(failed)?;
    if bytes.starts_with(&ZSTD) {
        bytes = zstd::stream::decode_all(bytes.as_slice()).map_err(failed)?;
    }
    let (metadata, bars) = read(&bytes).map_err(wrong)?;
    let Some(schema) = metadata.schema.or_else(|| bars.first().and_then(|bar| schema_of(bar.hd.rtype))) else {
        return Err(wrong("expected the schema in the metadata or in a first record, found neither".to_owned()));
    };
    let days = days_with(&metadata, &bars);
    let name = metadata.dataset.clone();
    let mut dataset = store.remove(&name).unwrap_or_else(|| Dataset::new(name, days.clone()));
    dataset.days = dataset.days.start.min(days.start)..dataset.days.end.max(days.end);
    let range = nanos(&days);
    let series = dataset.schemas.entry(schema).or_insert_with(|| Series::new(range.clone()));
    series.range = series.range.start.min(range.start)..series.range.end.max(range.end);
    dataset = with_symbols(dataset, &metadata).map_err(wrong)?;
    dataset = with_ids(dataset, &bars, &days);
    Ok(store.dataset(dataset.bars(schema, bars)))
}

/// The metadata and the records, all of which are bars and whole.
fn read(bytes: &[u8]) -> std::result::Result<(Metadata, Vec<OhlcvMsg>), String> {
    let broken = |error: dbn::Error| format!("not a readable DBN file: {error}");
    let mut decoder = DbnDecoder::with_upgrade_policy(bytes, VersionUpgradePolicy::AsIs).map_err(broken)?;
    let metadata = decoder.metadata().clone();
    let mut bars = Vec::new();
    let mut length = 0;
    while let Some(record) = decoder.decode_record_ref().map_err(broken)? {
        length += record.record_size();
        let number = bars.len() + 1;
        let Some(bar) = record.get::<OhlcvMsg>() else {
            let rtype = record.header().rtype;
            return Err(format!("record {number}: expected a bar, rtype 32 to 36, found {rtype}"));
        };
        bars.push(bar.clone());
    }
    // The decoder takes a record that is cut short for the end.
    let head = bytes.get(4..PRELUDE).and_then(|length| length.try_into().ok()).map_or(0, u32::from_le_bytes);
    let head = usize::try_from(head).unwrap_or(usize::MAX).saturating_add(PRELUDE);
    let left = bytes.len().saturating_sub(head).saturating_sub(length);
    if left > 0 {
        return Err(format!("expected {} whole records, found {left} bytes of one more", bars.len()));
    }
    Ok((metadata, bars))
}

fn schema_of(rtype: u8) -> Option<Schema> {
    [Schema::Ohlcv1S, Schema::Ohlcv1M, Schema::Ohlcv1H, Schema::Ohlcv1D, Schema::OhlcvEod]
        .into_iter()
        .find(|schema| u8::from(dbn::RType::from(*schema)) == rtype)
}

/// The whole days that the request and the records touch.
fn days_with(metadata: &Metadata, bars: &[OhlcvMsg]) -> Range<Date> {
    let moments = || bars.iter().map(|bar| bar.hd.ts_event);
    let start = moments().chain([metadata.start]).min().unwrap_or(metadata.start);
    let asked = metadata.end.map_or(metadata.start, std::num::NonZeroU64::get);
    let end = moments().map(|ts| ts.saturating_add(1)).chain([asked]).max().unwrap_or(asked);
    days_of(&(start..end.max(start.saturating_add(1))))
}

/// The symbols that the metadata maps.
fn with_symbols(mut dataset: Dataset, metadata: &Metadata) -> std::result::Result<Dataset, String> {
    let id = |text: &str| {
        text.parse::<u32>().map_err(|_| format!("expected an instrument id in the metadata's mappings, found {text:?}"))
    };
    for mapping in &metadata.mappings {
        let name = mapping.raw_symbol.as_str();
        for interval in mapping.intervals.iter().filter(|interval| !interval.symbol.is_empty()) {
            let days = interval.start_date..interval.end_date;
            let symbol = interval.symbol.as_str();
            dataset = match (metadata.stype_in, metadata.stype_out) {
                (Some(SType::Continuous), SType::InstrumentId) => dataset.continuous(name, [(id(symbol)?, days)]),
                (Some(SType::InstrumentId), SType::RawSymbol) => dataset.symbol(symbol, [(id(name)?, days)]),
                (Some(SType::InstrumentId), _) => dataset,
                (_, SType::InstrumentId) => dataset.symbol(name, [(id(symbol)?, days)]),
                _ => dataset,
            };
        }
        if metadata.stype_in == Some(SType::Parent) {
            for parent in &metadata.symbols {
                dataset = dataset.parent(parent, [name]);
            }
        }
    }
    Ok(dataset)
}

/// The publishers of the records, and the instruments that have no raw symbol: their ids are taken for it.
fn with_ids(mut dataset: Dataset, bars: &[OhlcvMsg], days: &Range<Date>) -> Dataset {
    let known: BTreeSet<u16> = dataset.publishers.iter().map(|publisher| publisher.id).collect();
    let publishers: BTreeSet<u16> = bars.iter().map(|bar| bar.hd.publisher_id).collect();
    for publisher in publishers.difference(&known).filter_map(|id| Publisher::try_from(*id).ok()) {
        dataset = dataset.publisher(publisher, publisher.as_str());
    }
    let named: BTreeSet<u32> = dataset.symbols.values().flatten().map(|(id, _)| *id).collect();
    let found: BTreeSet<u32> = bars.iter().map(|bar| bar.hd.instrument_id).collect();
    for id in found.difference(&named) {
        dataset = dataset.symbol(id.to_string(), [(*id, days.clone())]);
    }
    dataset
}

#[cfg(test)]
mod tests {
    use dbn::encode::{DbnEncoder, EncodeRecord};
    use time::macros::date;

    use super::*;
    use crate::bar;
    use crate::moment::midnight;

    const DAY: Date = date!(2024 - 01 - 31);

    fn file(stype_in: SType, records: &[OhlcvMsg], end: &[u8]) -> Vec<u8> {
        let interval =
            dbn::MappingInterval { start_date: DAY, end_date: date!(2024 - 02 - 01), symbol: "7".to_owned() };
        let metadata = Metadata::builder()
            .dataset("GLBX.MDP3")
            .schema(Some(Schema::Ohlcv1M))
            .start(midnight(DAY))
            .stype_in(Some(stype_in))
            .stype_out(SType::InstrumentId)
            .symbols(vec!["ES.c.0".to_owned()])
            .mappings(vec![dbn::SymbolMapping { raw_symbol: "ES.c.0".to_owned(), intervals: vec![interval] }])
            .build();
        let mut bytes = Vec::new();
        let mut encoder = DbnEncoder::new(&mut bytes, &metadata).unwrap();
        encoder.encode_records(records).unwrap();
        bytes.extend_from_slice(end);
        bytes
    }

    fn opened(bytes: &[u8]) -> Result<Store> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Store::from_dbn(file.path())
    }

    #[test]
    fn a_file_becomes_a_dataset() {
        let bars = [bar(1, 7, midnight(DAY), [1, 2, 1, 2], 3), bar(1, 8, midnight(DAY) + 1, [4, 4, 4, 4], 5)];
        for bytes in [file(SType::Continuous, &bars, &[]), {
            zstd::stream::encode_all(file(SType::Continuous, &bars, &[]).as_slice(), 0).unwrap()
        }] {
            let store = opened(&bytes).unwrap();
            let dataset = store.get("GLBX.MDP3").unwrap();
            assert_eq!(dataset.days, DAY..date!(2024 - 02 - 01));
            assert_eq!(dataset.all_bars(Schema::Ohlcv1M).len(), 2);
            assert_eq!(dataset.continuous["ES.c.0"], [(7, DAY..date!(2024 - 02 - 01))]);
            assert_eq!(dataset.symbols.keys().collect::<Vec<_>>(), ["7", "8"]);
            assert_eq!(dataset.publishers[0].venue, "GLBX");
        }
    }

    #[test]
    fn a_parents_file_has_what_is_below_it() {
        let store = opened(&file(SType::Parent, &[], &[])).unwrap();
        let dataset = store.get("GLBX.MDP3").unwrap();
        assert_eq!(dataset.parents["ES.c.0"], ["ES.c.0"]);
    }

    #[test]
    fn a_file_that_is_cut_or_none_at_all_is_refused() {
        let bars = [bar(1, 7, midnight(DAY), [1, 2, 1, 2], 3)];
        let said = |bytes: &[u8]| opened(bytes).unwrap_err().to_string();
        let whole = file(SType::Continuous, &bars, &[]);
        assert!(said(&whole[..whole.len() - 3]).contains("found 53 bytes of one more"));
        let packed = zstd::stream::encode_all(whole.as_slice(), 0).unwrap();
        assert!(opened(&packed[..packed.len() - 3]).is_err());
        assert!(said(b"ts_event,open").contains("not a readable DBN file"));
        assert!(Store::from_dbn("/no/such/file").is_err());
    }
}
