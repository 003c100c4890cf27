//! `timeseries.get_range`: which records, and what the metadata says of them.

use std::num::NonZeroU64;

use databento::Symbols;
use databento::dbn::{OhlcvMsg, Publisher, SType, Schema, SymbolIndex as _};
use databento::historical::DateTimeRange;
use databento::historical::timeseries::GetRangeParams;
use pdp_databento_server::Endpoint;
use time::macros::{date, datetime};

use crate::support::{GLBX, XNAS, client, fetch, held, nanos, query, range, sample, seconds};

#[tokio::test]
async fn a_month_has_its_first_second_and_its_last_and_no_more() {
    let server = sample();
    let mut client = client(&server);
    let params = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 02 - 01));
    let (metadata, bars) = fetch(&mut client, &params).await.whole();
    let symbols = metadata.symbol_map().unwrap();
    let name = |bar: &OhlcvMsg| symbols.get_for_ts(bar.hd.ts_event, bar.hd.instrument_id).map(String::as_str);
    assert!(bars.iter().all(|bar| name(bar) == Some("AAPL")));
    // An instrument of one week is that of the other symbol a week before.
    let others =
        held(XNAS, Schema::Ohlcv1S, date!(2024 - 01 - 01), date!(2024 - 02 - 01), |bar| name(bar) != Some("AAPL"));
    let all = held(XNAS, Schema::Ohlcv1S, date!(2024 - 01 - 01), date!(2024 - 02 - 01), |_| true);
    assert!(!others.is_empty());
    assert_eq!(bars.len() + others.len(), all.len());
    assert_eq!(bars, all.iter().filter(|bar| name(bar) == Some("AAPL")).cloned().collect::<Vec<_>>());
    assert_eq!(bars[0].hd.ts_event, nanos(date!(2024 - 01 - 01)));
    assert_eq!(bars.last().unwrap().hd.ts_event, nanos(date!(2024 - 02 - 01)) - 1_000_000_000);

    assert_eq!((metadata.version, metadata.schema), (3, Some(Schema::Ohlcv1S)));
    assert_eq!(
        (metadata.start, metadata.end.unwrap().get()),
        (nanos(date!(2024 - 01 - 01)), nanos(date!(2024 - 02 - 01)))
    );
    assert_eq!((metadata.symbols, metadata.mappings.len()), (vec!["AAPL".to_owned()], 1));
    let weeks = &metadata.mappings[0].intervals;
    assert_eq!((weeks.len(), weeks[4].end_date), (5, date!(2024 - 02 - 01)));

    let count = client.metadata().get_record_count(&query(&params)).await.unwrap();
    assert_eq!(count, bars.len() as u64);
    assert_eq!(server.requests_to(Endpoint::GetRange)[0].records, Some(bars.len()));
}

#[tokio::test]
async fn a_range_is_half_open_to_the_nanosecond() {
    let server = sample();
    let mut client = client(&server);
    let midnight = nanos(date!(2024 - 02 - 01));
    for (start, end, expected) in
        [(midnight, midnight + 1, 1), (midnight - 1_000_000_000, midnight, 1), (midnight - 1, midnight, 0)]
    {
        let times = DateTimeRange::try_from((start, end)).unwrap();
        let params = range(XNAS, Schema::Ohlcv1S, SType::RawSymbol, "AAPL", times);
        let (_, bars) = fetch(&mut client, &params).await.whole();
        assert_eq!(bars.len(), expected, "{start}");
    }
}

#[tokio::test]
async fn a_continuous_symbol_rolls_at_midnight() {
    let server = sample();
    let params =
        range(GLBX, Schema::Ohlcv1S, SType::Continuous, "ES.c.0", date!(2024 - 03 - 14)..date!(2024 - 03 - 16));
    let (metadata, bars) = fetch(&mut client(&server), &params).await.whole();
    let roll = nanos(date!(2024 - 03 - 15));
    let (before, after): (Vec<_>, Vec<_>) = bars.iter().partition(|bar| bar.hd.ts_event < roll);
    assert!(before.iter().all(|bar| bar.hd.instrument_id == 17_077));
    assert!(after.iter().all(|bar| bar.hd.instrument_id == 5_602));
    assert_eq!(before.last().unwrap().hd.ts_event, roll - 1_000_000_000);
    assert_eq!(after[0].hd.ts_event, roll);
    let symbols = metadata.symbol_map().unwrap();
    assert!(bars.iter().all(|bar| symbols.get_for_rec(bar).is_some_and(|name| name == "ES.c.0")));
    assert_eq!(metadata.mappings[0].intervals.len(), 2);
}

#[tokio::test]
async fn a_parent_is_what_is_below_it_under_its_own_names() {
    let server = sample();
    let params = range(GLBX, Schema::Ohlcv1S, SType::Parent, "ES.FUT", date!(2024 - 03 - 15)..date!(2024 - 04 - 01));
    let (metadata, bars) = fetch(&mut client(&server), &params).await.whole();
    let mapped: Vec<&str> = metadata.mappings.iter().map(|mapping| mapping.raw_symbol.as_str()).collect();
    assert_eq!(mapped, ["ESH4", "ESM4"]);
    assert_eq!((metadata.symbols, metadata.partial), (vec!["ES.FUT".to_owned()], vec!["ESH4".to_owned()]));
    assert_eq!(bars, held(GLBX, Schema::Ohlcv1S, date!(2024 - 03 - 15), date!(2024 - 04 - 01), |_| true));
    // As documented for answers with symbols that did not resolve wholly.
    assert_eq!(server.requests()[0].status, 206);
}

#[tokio::test]
async fn an_instrument_can_be_asked_for_by_its_id() {
    let server = sample();
    let days = date!(2024 - 01 - 01)..date!(2024 - 01 - 15);
    for (stype_out, name) in [(SType::InstrumentId, "6801"), (SType::RawSymbol, "AAPL")] {
        let mut params = range(XNAS, Schema::Ohlcv1S, SType::InstrumentId, 6801, days.clone());
        params.stype_out = stype_out;
        let (metadata, bars) = fetch(&mut client(&server), &params).await.whole();
        assert_eq!(bars, held(XNAS, Schema::Ohlcv1S, days.start, days.end, |bar| bar.hd.instrument_id == 6801));
        let intervals = &metadata.mappings[0].intervals;
        assert_eq!((intervals.len(), intervals[1].symbol.as_str()), (2, name));
    }
}

#[tokio::test]
async fn venues_have_bars_of_the_same_seconds() {
    let server = sample();
    let params = seconds("DBEQ.BASIC", "SPY", date!(2024 - 01 - 15), date!(2024 - 01 - 16));
    let (_, bars) = fetch(&mut client(&server), &params).await.whole();
    let venues = [Publisher::DbeqBasicXchi, Publisher::DbeqBasicXcis, Publisher::DbeqBasicIexg].map(u16::from);
    for second in bars.chunks(3) {
        assert_eq!([0, 1, 2].map(|at| second[at].hd.publisher_id), venues);
        assert!(second.iter().all(|bar| bar.hd.ts_event == second[0].hd.ts_event));
        assert_ne!(second[0].close, second[1].close);
    }
    assert!(bars.len() > 1000);
}

#[tokio::test]
async fn nothing_found_is_an_answer_without_records() {
    let server = sample();
    let params = seconds(XNAS, "MSFT", date!(2024 - 02 - 01), date!(2024 - 03 - 01));
    let mut client = client(&server);
    let (metadata, bars) = fetch(&mut client, &params).await.whole();
    assert!(bars.is_empty() && !metadata.mappings.is_empty());
    assert_eq!(client.metadata().get_record_count(&query(&params)).await.unwrap(), 0);
    assert_eq!(server.requests()[0].status, 200);
}

#[tokio::test]
async fn all_symbols_come_without_their_names() {
    let server = sample();
    let params = range(XNAS, Schema::Ohlcv1S, SType::RawSymbol, Symbols::All, date!(2024 - 01 - 02));
    let mut client = client(&server);
    let (metadata, bars) = fetch(&mut client, &params).await.whole();
    assert_eq!(bars, held(XNAS, Schema::Ohlcv1S, date!(2024 - 01 - 02), date!(2024 - 01 - 03), |_| true));
    assert!(metadata.mappings.is_empty());
    let resolution = client.symbology().resolve(&metadata.try_into().unwrap()).await.unwrap();
    let symbols = resolution.symbol_map().unwrap();
    let names: std::collections::BTreeSet<&str> =
        bars.iter().map(|bar| symbols.get_for_rec(bar).unwrap().as_str()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["AAPL", "MSFT"]);
}

#[tokio::test]
async fn several_symbols_come_by_their_moments_up_to_the_limit() {
    let server = sample();
    let mut params = range(
        XNAS,
        Schema::Ohlcv1S,
        SType::RawSymbol,
        vec!["MSFT", "AAPL", "NOSUCH", "AAPL"],
        datetime!(2024-03-31 00:00 UTC)..datetime!(2024-03-31 01:00 UTC),
    );
    let mut client = client(&server);
    let (metadata, bars) = fetch(&mut client, &params).await.whole();
    assert!(bars.is_sorted_by_key(|bar| bar.hd.ts_event));
    assert_eq!(metadata.not_found, ["NOSUCH"]);
    assert_eq!((metadata.symbols.len(), metadata.mappings.len()), (3, 2));
    params.limit = NonZeroU64::new(5);
    let (metadata, first) = fetch(&mut client, &params).await.whole();
    assert_eq!((first, metadata.limit), (bars[..5].to_vec(), params.limit));
    assert_eq!(client.metadata().get_record_count(&query(&params)).await.unwrap(), 5);
}

#[tokio::test]
async fn other_intervals_are_there_where_they_were_given() {
    let server = sample();
    let params = range(XNAS, Schema::Ohlcv1D, SType::RawSymbol, "AAPL", date!(2024 - 01 - 01)..date!(2024 - 02 - 01));
    let (_, bars) = fetch(&mut client(&server), &params).await.whole();
    assert_eq!(bars.len(), 5);
    assert!(bars.iter().all(|bar| bar.hd.rtype == 35 && bar.hd.ts_event % 86_400_000_000_000 == 0));
}

#[tokio::test]
async fn a_file_of_the_client_holds_the_same() {
    let server = sample();
    let folder = tempfile::tempdir().unwrap();
    let params: GetRangeParams = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 01 - 03));
    let file = folder.path().join("aapl.dbn.zst");
    let mut decoder = client(&server).timeseries().get_range_to_file(&params.clone().with_path(&file)).await.unwrap();
    let mut bars = Vec::new();
    while let Some(bar) = decoder.decode_record::<OhlcvMsg>().await.unwrap() {
        bars.push(bar.clone());
    }
    assert_eq!(bars, fetch(&mut client(&server), &params).await.whole().1);
    let again = pdp_databento_server::Store::from_dbn(&file).unwrap();
    assert_eq!(again.get(XNAS).unwrap().all_bars(Schema::Ohlcv1S), bars);
}
