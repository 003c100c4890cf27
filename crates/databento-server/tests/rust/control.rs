//! Telling a server that runs what is to go wrong, and asking it what it was asked.

use pdp_databento_server::KEY;
use serde_json::{Value, json};
use time::macros::date;

use crate::support::{XNAS, client, fetch, sample, seconds};

async fn send(method: reqwest::Method, url: &str, body: &Value) -> (u16, Value) {
    let http = crate::support::http().build().unwrap();
    let answer = http.request(method, url).body(body.to_string()).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn faults_are_posted_and_requests_are_got() {
    let server = sample();
    let url = |name: &str| format!("{}/control/{name}", server.url());
    let (get, post, delete) = (reqwest::Method::GET, reqwest::Method::POST, reqwest::Method::DELETE);
    let faults = json!(["any:page", { "endpoint": "get_range", "status": 503, "times": 2 }]);
    let (status, left) = send(post.clone(), &url("faults"), &faults).await;
    assert_eq!((status, &left["left"][1]), (200, &json!("timeseries.get_range:status=503:times=2")));
    assert_eq!(send(delete.clone(), &url("faults"), &json!(null)).await.1, json!({ "left": [] }));
    // None of a list with one that is wrong is taken.
    let (status, said) = send(post.clone(), &url("faults"), &json!(["any:page", "get_range:pag"])).await;
    assert!(status == 400 && said["detail"].as_str().unwrap().contains("found \"pag\""), "{said}");
    assert_eq!(send(get.clone(), &url("faults"), &json!(null)).await.1, json!({ "left": [] }));

    send(post, &url("faults"), &json!({ "status": 503 })).await;
    let asked = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 01 - 02));
    assert!(fetch(&mut client(&server), &asked).await.error.is_some());
    let (_, requests) = send(get.clone(), &url("requests"), &json!(null)).await;
    let expected = json!([{
        "endpoint": "timeseries.get_range",
        "parameters": {
            "dataset": "XNAS.ITCH", "schema": "ohlcv-1s", "encoding": "dbn", "compression": "zstd", "symbols": "AAPL",
            "stype_in": "raw_symbol", "stype_out": "instrument_id",
            "start": "1704067200000000000", "end": "1704153600000000000",
        },
        "status": 503, "records": null, "fault": "timeseries.get_range:status=503",
    }]);
    assert_eq!(requests, expected);
    assert!(!requests.to_string().contains(KEY));
    send(delete, &url("requests"), &json!(null)).await;
    assert_eq!(send(get, &url("requests"), &json!(null)).await.1, json!([]));
}
