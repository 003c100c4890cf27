//! What is refused, with which status and case.

use std::time::Duration;

use databento::dbn::{SType, Schema};
use databento::historical::DateTimeRange;
use pdp_databento_server::{KEY, WRONG_KEY};
use time::macros::{date, datetime};

use crate::support::{GLBX, XNAS, client, client_of, fetch, nanos, query, range, refusal, sample, seconds};

#[tokio::test]
async fn what_a_dataset_does_not_have_is_refused_by_the_cases_of_the_api() {
    let server = sample();
    let mut client = client(&server);
    let (start, end) = (date!(2024 - 01 - 01), date!(2024 - 02 - 01));
    let raw = SType::RawSymbol;
    let parent = |symbol: &str| range(GLBX, Schema::Ohlcv1S, SType::Parent, symbol, start..end);
    for (asked, case) in [
        (seconds("NO.SUCH", "AAPL", start, end), "dataset_not_found"),
        (range(XNAS, Schema::Trades, raw, "AAPL", start..end), "data_schema_not_available"),
        (seconds(XNAS, "AAPL", start, start), "data_time_range_start_on_or_after_end"),
        (seconds(XNAS, "AAPL", end, start), "data_time_range_start_on_or_after_end"),
        (seconds(XNAS, "AAPL", date!(2023 - 12 - 31), end), "data_start_before_available_start"),
        (seconds(XNAS, "AAPL", date!(2024 - 04 - 01), date!(2024 - 04 - 02)), "data_start_after_available_end"),
        (seconds(XNAS, "AAPL", start, date!(2024 - 04 - 02)), "data_end_after_available_end"),
        (range(XNAS, Schema::Ohlcv1D, raw, "AAPL", start..date!(2024 - 04 - 01)), "data_schema_not_fully_available"),
        (seconds(XNAS, "NOSUCH", start, end), "symbology_invalid_request"),
        (seconds(XNAS, "NEWB", start, end), "symbology_invalid_request"),
        (parent("NQ.FUT"), "symbology_invalid_request"),
        (range(XNAS, Schema::Ohlcv1S, SType::NasdaqSymbol, "AAPL", start..end), "symbology_invalid_request"),
    ] {
        assert_eq!(fetch(&mut client, &asked).await.refusal(), (422, case.to_owned()));
        let counted = client.metadata().get_record_count(&query(&asked)).await.unwrap_err();
        assert_eq!(refusal(&counted), (422, case.to_owned()));
        assert_eq!(refusal(&client.metadata().get_cost(&query(&asked)).await.unwrap_err()), (422, case.to_owned()));
    }
    let error = fetch(&mut client, &parent("NQ.FUT")).await.error.unwrap().to_string();
    assert!(error.contains("Could not resolve smart symbols: NQ.FUT"), "{error}");
}

#[tokio::test]
async fn the_payload_says_what_there_is() {
    let server = sample();
    let times = DateTimeRange::from(datetime!(2024-03-31 00:00 UTC)..datetime!(2024-04-01 00:00:00.000000001 UTC));
    let fetched = fetch(&mut client(&server), &range(XNAS, Schema::Ohlcv1S, SType::RawSymbol, "AAPL", times)).await;
    let Some(databento::Error::Api(error)) = fetched.error else { panic!("expected a refusal") };
    let payload = error.payload.unwrap();
    assert_eq!(payload["available_end"], "2024-04-01T00:00:00.000000000Z");
    assert_eq!(payload["end"], "2024-04-01T00:00:00.000000001Z");
    assert!(error.message.contains("data available up to '2024-04-01 00:00:00+00:00'"), "{}", error.message);
    assert!(error.docs_url.unwrap().starts_with("https://databento.com/docs/"));
    assert_eq!(error.request_id.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_no_key_is_remembered() {
    let server = sample();
    let mut refused = client_of(&server.url(), WRONG_KEY, Duration::from_secs(60));
    let error = refused.metadata().list_datasets(None).await.unwrap_err();
    assert_eq!(refusal(&error), (401, "auth_authentication_failed".to_owned()));
    // A key where none belongs.
    let url = format!("{}/v0/metadata.list_datasets?key={KEY}", server.url());
    let http = crate::support::http().build().unwrap();
    assert_eq!(http.get(url).basic_auth(KEY, Some("word")).send().await.unwrap().status(), 401);
    let remembered = format!("{:?}", server.requests());
    assert!(!remembered.contains(KEY) && !remembered.contains(WRONG_KEY), "{remembered}");
    assert_eq!(server.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [401, 401]);
}

#[tokio::test]
async fn requests_that_no_client_sends_are_refused_as_well() {
    let server = sample();
    let http = crate::support::http().build().unwrap();
    let start = nanos(date!(2024 - 01 - 01)).to_string();
    let base = [("dataset", XNAS), ("schema", "ohlcv-1s"), ("symbols", "AAPL"), ("start", start.as_str())];
    for (name, more, status, said) in [
        ("timeseries.get_range", vec![("encoding", "csv")], 422, "dbn only"),
        ("timeseries.get_range", vec![("encoding", "xml")], 400, "Invalid `encoding`"),
        ("timeseries.get_range", vec![("schema", "bars")], 400, "Invalid `schema`"),
        ("timeseries.get_range", vec![("start", "soon")], 400, "nanoseconds since 1970"),
        ("timeseries.get_range", vec![("symbols", "A,,B")], 400, "Invalid `symbols`"),
        ("timeseries.get_range", vec![("limit", "many")], 422, "int_parsing"),
        ("metadata.get_record_count", vec![("limit", "0")], 422, "Input should be greater than 0"),
        ("symbology.resolve", vec![], 422, "Field required"),
        ("metadata.list_datasets", vec![], 405, "Method Not Allowed"),
        ("batch.submit_job", vec![], 404, "Not Found"),
    ] {
        let form: Vec<_> = base.into_iter().chain(more).collect();
        let url = format!("{}/v0/{name}", server.url());
        let answer = http.post(url).basic_auth(KEY, None::<&str>).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name} {form:?}");
        let body = answer.text().await.unwrap();
        assert!(body.contains(said), "{name} {form:?}: {body}");
    }
    // As measured of the API: a limit of 0 is refused by those that count, and is none for the one that sends. Without an end, the
    // start is filled forward, be it to the next nanosecond.
    let form: Vec<_> = base.into_iter().chain([("limit", "0")]).collect();
    let url = format!("{}/v0/timeseries.get_range", server.url());
    let answer = http.post(url).basic_auth(KEY, None::<&str>).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(server.requests().last().unwrap().records, Some(1));
}
