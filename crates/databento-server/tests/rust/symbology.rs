//! `symbology.resolve`.

use databento::dbn::SType;
use databento::historical::symbology::ResolveParams;
use databento::historical::timeseries::GetRangeParams;
use pdp_databento_server::Endpoint;
use time::Date;
use time::macros::date;

use crate::support::{GLBX, XNAS, client, refusal, sample, seconds};

fn params(dataset: &str, stype_in: SType, symbols: Vec<&str>, start: Date, end: Date) -> ResolveParams {
    ResolveParams::builder().dataset(dataset).stype_in(stype_in).symbols(symbols).date_range((start, end)).build()
}

#[tokio::test]
async fn every_symbol_that_was_asked_for_is_answered() {
    let server = sample();
    let asked =
        params(XNAS, SType::RawSymbol, vec!["AAPL", "NEWB", "NOSUCH"], date!(2024 - 02 - 05), date!(2024 - 02 - 13));
    let found = client(&server).symbology().resolve(&asked).await.unwrap();
    assert_eq!(found.mappings["AAPL"].len(), 2);
    assert_eq!(found.mappings["AAPL"][0].symbol, "6805");
    assert_eq!(found.mappings["AAPL"][1].end_date, date!(2024 - 02 - 13));
    assert_eq!((found.partial, found.not_found), (vec!["NEWB".to_owned()], vec!["NOSUCH".to_owned()]));
    assert_eq!(found.mappings["NEWB"][0].start_date, date!(2024 - 02 - 10));
    assert!(found.mappings["NOSUCH"].is_empty());
    assert_eq!(server.requests_to(Endpoint::Resolve)[0].parameter("symbols"), "AAPL,NEWB,NOSUCH");
}

#[tokio::test]
async fn continuous_symbols_are_resolved_by_days() {
    let server = sample();
    let asked = params(GLBX, SType::Continuous, vec!["ES.c.0", "ES.c.1"], date!(2024 - 03 - 01), date!(2024 - 04 - 01));
    let found = client(&server).symbology().resolve(&asked).await.unwrap();
    let ids: Vec<&str> = found.mappings["ES.c.0"].iter().map(|interval| interval.symbol.as_str()).collect();
    assert_eq!(ids, ["17077", "5602"]);
    assert_eq!(found.mappings["ES.c.0"][1].start_date, date!(2024 - 03 - 15));
    assert_eq!(found.partial, ["ES.c.1"], "there is none after the roll");
    assert!(found.symbol_map().is_ok());
}

#[tokio::test]
async fn instruments_have_names_and_parents_have_children() {
    let server = sample();
    let mut client = client(&server);
    let mut asked = params(XNAS, SType::InstrumentId, vec!["6801"], date!(2024 - 01 - 01), date!(2024 - 01 - 15));
    asked.stype_out = SType::RawSymbol;
    let found = client.symbology().resolve(&asked).await.unwrap();
    let names: Vec<&str> = found.mappings["6801"].iter().map(|interval| interval.symbol.as_str()).collect();
    assert_eq!(names, ["MSFT", "AAPL"]);

    let asked = params(GLBX, SType::Parent, vec!["ES.FUT"], date!(2024 - 01 - 01), date!(2024 - 01 - 02));
    let found = client.symbology().resolve(&asked).await.unwrap();
    assert_eq!((found.mappings.len(), found.mappings["ESM4"][0].symbol.as_str()), (2, "5602"));
}

#[tokio::test]
async fn the_end_is_excluded_and_the_range_is_that_of_the_dataset() {
    let server = sample();
    let mut client = client(&server);
    for (start, end, case) in [
        (date!(2024 - 01 - 02), date!(2024 - 01 - 02), "data_date_range_start_on_or_after_end"),
        (date!(2023 - 12 - 31), date!(2024 - 01 - 02), "data_start_before_available_start"),
        (date!(2024 - 03 - 31), date!(2024 - 04 - 02), "data_end_after_available_end"),
    ] {
        let error = client.symbology().resolve(&params(XNAS, SType::RawSymbol, vec!["AAPL"], start, end)).await;
        assert_eq!(refusal(&error.unwrap_err()), (422, case.to_owned()));
    }
    let mut asked = params(GLBX, SType::Continuous, vec!["ES.c.0"], date!(2024 - 01 - 01), date!(2024 - 01 - 02));
    asked.stype_out = SType::RawSymbol;
    let error = client.symbology().resolve(&asked).await.unwrap_err();
    assert_eq!(refusal(&error), (422, "symbology_invalid_request".to_owned()));
}

#[tokio::test]
async fn the_question_of_a_range_can_be_resolved() {
    let server = sample();
    let range: GetRangeParams = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 01 - 08));
    let found = client(&server).symbology().resolve(&range.into()).await.unwrap();
    assert_eq!(found.mappings["AAPL"].len(), 1);
}
