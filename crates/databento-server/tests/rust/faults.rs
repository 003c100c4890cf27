//! What goes wrong on request, and what the official client makes of it.

use std::time::{Duration, Instant};

use databento::dbn::{Schema, SymbolIndex as _};
use pdp_databento_server::{Effect, Endpoint, Fault, KEY, Server};
use time::macros::date;

use crate::support::{Fetched, XNAS, client, client_of, fetch, held, nanos, refusal, sample, seconds};

/// Longer than any answer takes that does not stall for ever.
const LONG: Duration = Duration::from_secs(60);

/// The first month, with something going wrong on the way; and once more without.
async fn first_and_second(fault: Fault) -> (Server, Fetched, Fetched) {
    with_patience(fault, LONG).await
}

/// The same, by a client that does not wait longer than this for what goes wrong.
async fn with_patience(fault: Fault, patience: Duration) -> (Server, Fetched, Fetched) {
    let server = sample();
    server.faults().push(fault);
    let asked = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 02 - 01));
    let first = fetch(&mut client_of(&server.url(), KEY, patience), &asked).await;
    let second = fetch(&mut client(&server), &asked).await;
    (server, first, second)
}

fn is_io(error: Option<databento::Error>) -> bool {
    matches!(error, Some(databento::Error::Io(_)))
}

#[tokio::test]
async fn a_cut_connection_is_an_error_and_the_next_request_is_well() {
    let (server, first, second) = first_and_second(Fault::cut_after(40_000)).await;
    let (_, whole) = second.whole();
    assert!(!first.bars.is_empty() && first.bars.len() < whole.len());
    assert_eq!(first.bars, whole[..first.bars.len()]);
    assert!(is_io(first.error));
    let requests = server.requests_to(Endpoint::GetRange);
    assert_eq!(requests[0].fault.as_deref(), Some("timeseries.get_range:cut-after=40000"));
    assert_eq!((requests[1].fault.as_deref(), requests.len()), (None, 2));
}

#[tokio::test]
async fn a_cut_leaves_exactly_so_many_bytes() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = sample();
    server.faults().push(Fault::cut_after(12_345));
    let mut socket = tokio::net::TcpStream::connect(server.url().trim_start_matches("http://")).await.unwrap();
    let form = "dataset=XNAS.ITCH&schema=ohlcv-1s&symbols=AAPL&start=2024-01&compression=zstd";
    let head = format!(
        "POST /v0/timeseries.get_range HTTP/1.1\r\nHost: here\r\nAuthorization: Basic {}\r\nContent-Length: {}\r\n\r\n{form}",
        "ZGItMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMHRlc3Q6",
        form.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let text = String::from_utf8_lossy(&answer[..at]).into_owned();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("transfer-encoding: chunked"), "{text}");
    // One chunk, 3039 in hexadecimal, and no last one.
    assert!(answer[at..].starts_with(b"3039\r\n"));
    assert_eq!(answer.len() - at, 6 + 12_345 + 2);
}

#[tokio::test]
async fn a_truncated_stream_looks_whole_to_the_client() {
    let (_, first, second) = first_and_second(Fault::new(Effect::Truncated)).await;
    let (_, whole) = second.whole();
    // This is why the count has to be asked for.
    assert!(first.error.is_none());
    assert!(!first.bars.is_empty() && first.bars.len() < whole.len());
    assert_eq!(first.bars, whole[..first.bars.len()]);
}

#[tokio::test]
async fn statuses_are_those_that_were_asked_for() {
    for (fault, status, said) in [
        (Fault::too_many_requests(3), 429, "Rate limit exceeded"),
        (Fault::status(500), 500, "Internal Server Error"),
        (Fault::status(503), 503, "<h1>503 Service Unavailable</h1>"),
    ] {
        let (server, first, second) = first_and_second(fault).await;
        let (found, message) = first.refusal();
        assert!(found == status && message.contains(said), "{found} {message}");
        second.whole();
        assert_eq!(server.requests()[0].status, status);
    }
    let case = Some("license_not_found_unauthorized".to_owned());
    let fault = Fault::new(Effect::Status { status: 403, retry_after: None, case });
    let (_, first, _) = first_and_second(fault).await;
    assert_eq!(first.refusal(), (403, "license_not_found_unauthorized".to_owned()));
}

#[tokio::test]
async fn the_time_to_wait_is_in_a_header() {
    let server = sample();
    server.faults().push(Fault::too_many_requests(3).on(Endpoint::ListDatasets));
    let http = crate::support::http().build().unwrap();
    let url = format!("{}/v0/metadata.list_datasets", server.url());
    let answer = http.get(url).basic_auth(KEY, None::<&str>).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"3".parse().unwrap()));
}

#[tokio::test]
async fn other_content_is_no_data() {
    for effect in [Effect::Page, Effect::NoBody] {
        let (_, first, second) = first_and_second(Fault::new(effect)).await;
        assert!(first.bars.is_empty() && is_io(first.error));
        second.whole();
    }
    let server = sample();
    server.faults().push(Fault::new(Effect::Page).on(Endpoint::ListDatasets));
    let error = client(&server).metadata().list_datasets(None).await.unwrap_err();
    assert!(matches!(error, databento::Error::Json(_)), "{error}");
}

#[tokio::test]
async fn records_can_lie_outside_the_range() {
    let (_, first, second) = first_and_second(Fault::new(Effect::Outside)).await;
    let ((_, bars), (_, whole)) = (first.whole(), second.whole());
    assert_eq!(bars[1..bars.len() - 1], whole);
    assert_eq!(bars[0].hd.ts_event, nanos(date!(2024 - 01 - 01)) - 1_000_000_000);
    assert_eq!(bars.last().unwrap().hd.ts_event, nanos(date!(2024 - 02 - 01)));
}

#[tokio::test]
async fn records_can_be_another_symbols() {
    let (_, first, second) = first_and_second(Fault::new(Effect::OtherSymbol)).await;
    let ((metadata, bars), (_, whole)) = (first.whole(), second.whole());
    let symbols = metadata.symbol_map().unwrap();
    let strangers = bars.iter().filter(|bar| symbols.get_for_rec(*bar).is_none()).count();
    assert_eq!(strangers, whole.len() - whole.len() / 2);
}

#[tokio::test]
async fn an_answer_can_be_without_records_that_there_are() {
    let (_, first, second) = first_and_second(Fault::new(Effect::NoRecords)).await;
    assert!(first.whole().1.is_empty());
    assert!(!second.whole().1.is_empty());
}

#[tokio::test]
async fn a_stall_is_waited_for_as_long_as_the_client_is_patient() {
    // Before the head, and in the body.
    for after in [None, Some(20_000)] {
        let endless = Fault::new(Effect::Stall { after, millis: None });
        let (_, first, second) = with_patience(endless, Duration::from_secs(2)).await;
        assert!(first.error.is_some());
        assert_eq!(first.bars.is_empty(), after.is_none());
        second.whole();
        let begun = Instant::now();
        let fault = Fault::new(Effect::Stall { after, millis: Some(100) });
        let (_, first, second) = first_and_second(fault).await;
        assert_eq!(first.whole().1, second.whole().1);
        assert!(begun.elapsed() >= Duration::from_millis(100));
    }
}

#[tokio::test]
async fn a_server_ends_while_it_stalls() {
    let server = sample();
    server.faults().push(Fault::stall(None).on(Endpoint::ListDatasets));
    let mut client = client(&server);
    let asked = tokio::spawn(async move { client.metadata().list_datasets(None).await });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    drop(server);
    assert!(asked.await.unwrap().is_err());
}

#[tokio::test]
async fn a_fault_waits_for_its_month_and_symbol_and_comes_as_often_as_it_was_said() {
    let server = sample();
    let mut client = client(&server);
    server.faults().push(Fault::status(500).starting(date!(2024 - 02 - 01)).of_symbol("AAPL").times(2));
    let months = [date!(2024 - 01 - 01), date!(2024 - 02 - 01), date!(2024 - 03 - 01), date!(2024 - 04 - 01)];
    let mut statuses = Vec::new();
    for _ in 0..3 {
        for month in months.windows(2) {
            for symbol in ["AAPL", "MSFT"] {
                let fetched = fetch(&mut client, &seconds(XNAS, symbol, month[0], month[1])).await;
                statuses.push(fetched.error.map_or(200, |error| refusal(&error).0));
            }
        }
    }
    let once = [200, 200, 500, 200, 200, 200];
    assert_eq!(statuses, [once, once, [200; 6]].concat());
    assert!(server.faults().left().is_empty());
    // How often a month was bought.
    let asked = server.requests_to(Endpoint::GetRange);
    let february = asked.iter().filter(|one| {
        one.parameter("symbols") == "AAPL" && one.parameter("start") == nanos(date!(2024 - 02 - 01)).to_string()
    });
    assert_eq!(february.map(|one| one.status).collect::<Vec<_>>(), [500, 500, 200]);
    server.forget_requests();
    assert!(server.requests().is_empty());
    let march = held(XNAS, Schema::Ohlcv1S, date!(2024 - 03 - 01), date!(2024 - 04 - 01), |_| true);
    assert!(!march.is_empty());
}
