//! What a request may bring, and what an answer gives away.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use http_body_util::BodyExt as _;
use pdp_http::listen::Limits;

use crate::support::Server;

#[tokio::test]
async fn t136_a_json_body_is_not_longer_than_the_limit() {
    let server = Server::start(|settings, _| settings.max_json_bytes = 1000);
    let gibibyte = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1073741824\r\n\r\n";
    // The length alone is enough; nothing of the body is sent.
    server.send(gibibyte).await.is_problem(413, "at most 1000 bytes");
    // A client that sends it all the same still gets to read the answer.
    let mut client = server.connect().await;
    client.say(&format!("{gibibyte}{}", "x".repeat(1 << 20))).await;
    client.answer().await.unwrap().is_problem(413, "at most 1000 bytes");
    // In chunks no length is announced.
    let chunk = format!("3e8\r\n{}\r\n", "x".repeat(1000));
    let text = format!(
        "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}"
    );
    server.send(&text).await.is_problem(413, "at most 1000 bytes");
    server.healthy().await;
}

#[tokio::test]
async fn t136_chunks_without_end_run_out_of_time() {
    let server = Server::start(|settings, _| settings.json_timeout = Duration::from_millis(300));
    let mut client = server.connect().await;
    let head = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    client.say(head).await;
    let (mut reading, mut writing) = client.0.into_split();
    let drip = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while writing.write_all(b"1\r\n \r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = Vec::new();
    use tokio::io::AsyncReadExt as _;
    let _ = tokio::time::timeout(crate::support::LONG, reading.read_to_end(&mut answer)).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 408 "), "{}", String::from_utf8_lossy(&answer));
    drip.abort();
    server.healthy().await;
}

#[tokio::test]
async fn t136_a_body_whose_end_is_in_two_places_is_refused_and_nothing_behind_it_is_served() {
    let server = Server::plain();
    let (length, chunked) = ("Content-Length: 13\r\n", "Transfer-Encoding: chunked\r\n");
    let smuggled = "0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for fields in [format!("{length}{chunked}"), format!("{chunked}{length}"), format!("{chunked}X: y\r\n{length}")] {
        let mut client = server.connect().await;
        let head =
            format!("POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{fields}\r\n");
        client.say(&format!("{head}{smuggled}")).await;
        let answer = client.answer().await.unwrap();
        answer.is_problem(400, "not both");
        assert_eq!(answer.header("connection"), Some("close"), "{fields}");
        assert!(client.ends().await, "{fields}");
    }
    // Behind a good request on the same connection, too.
    let mut client = server.connect().await;
    let good = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"token\":\"x\"}";
    client
        .say(&format!("{good}{good}GET /health HTTP/1.1\r\nHost: localhost\r\n{length}{chunked}\r\n{smuggled}"))
        .await;
    for _ in 0..2 {
        assert_eq!(client.answer().await.unwrap().status, 204);
    }
    client.answer().await.unwrap().is_problem(400, "not both");
    assert!(client.ends().await);
    for fields in [
        "Content-Length: 1\r\nContent-Length: 2\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Transfer-Encoding: chunked, gzip\r\n",
        "Content-Length : 5\r\n",
    ] {
        let answer = server.ask("POST /api/session", fields).await;
        assert_eq!(answer.status, 400, "{fields}: {answer:?}");
    }
}

#[tokio::test]
async fn t137_json_bombs() {
    let server = Server::plain();
    let symbols = format!("{{\"token\":\"x\",\"symbols\":[{}\"A\"]}}", "\"A\",".repeat(200_000));
    let digits = format!("{{\"token\":{}}}", "9".repeat(1_000_000));
    for (body, detail) in [
        ("[".repeat(500_000).as_str(), "deep"),
        ("{\"a\":".repeat(100_000).as_str(), "deep"),
        (&symbols, "values"),
        (&digits, "number out of range"),
        ("{\"token\":\"a\",\"token\":\"b\"}", "twice"),
        ("{\"token\":\"\\ud800\"}", "the body"),
        ("{\"token\":\"a\"", "EOF"),
    ] {
        server.post("POST /api/session", "", body).await.is_problem(400, detail);
    }
    server.healthy().await;
}

#[tokio::test]
async fn uploads_may_take_their_time_as_long_as_something_comes() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = pdp_http::Settings::new(home.path().join("data"), home.path().join("packages"));
    settings.upload_idle_timeout = Duration::from_millis(400);
    settings.max_json_bytes = 10;
    let state = pdp_http::State::open(settings).unwrap();
    let read = async |body: Body| match body.collect().await {
        Ok(body) => body.to_bytes().len().to_string(),
        Err(error) => error.to_string(),
    };
    let routes = Router::new().route("/api/packaging/upload", post(read));
    let server = Server::with(pdp_http::guarded(routes, state), Limits::default(), home);
    let head = "POST /api/packaging/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n";
    let mut client = server.connect().await;
    client.say(head).await;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        client.say("0123456789").await;
    }
    let answer = client.answer().await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "30"));
    let mut client = server.connect().await;
    client.say(&format!("{head}0123456789")).await;
    client.answer().await.unwrap().is_problem(408, "did not arrive in time");
}

#[tokio::test]
async fn t143_a_panic_costs_one_request_and_says_nothing() {
    let home = tempfile::tempdir().unwrap();
    let settings = pdp_http::Settings::new(home.path().join("data"), home.path().join("packages"));
    let state = pdp_http::State::open(settings).unwrap();
    async fn late() -> &'static str {
        tokio::task::yield_now().await;
        panic!("secret {}", "/etc/shadow")
    }
    let routes = Router::new().route("/panic", get(late)).route("/fine", get(async || "fine"));
    let server = Server::with(pdp_http::guarded(routes, state), Limits::default(), home);
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.say("GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let answer = client.answer().await.unwrap();
        answer.is_problem(500, "an error in the program");
        for word in ["secret", "shadow", "src/", ".rs", "panicked"] {
            assert!(!answer.body.contains(word), "{word}");
        }
        client.say("GET /fine HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(client.answer().await.unwrap().body, "fine");
    }
}

#[tokio::test]
async fn t143_errors_hold_no_path_of_the_host() {
    let server = Server::plain();
    let home = server.home.path().to_str().unwrap().to_owned();
    for (line, body) in [
        ("GET /nowhere", ""),
        ("GET /%00", ""),
        ("GET /..%2f..%2fetc/passwd", ""),
        ("POST /health", ""),
        ("POST /api/session", "{"),
        ("POST /api/session", "{\"token\":\"/etc/passwd\"}x"),
    ] {
        let answer = server.post(line, "", body).await;
        assert!(answer.status >= 400, "{line}");
        for word in [home.as_str(), "/etc/", "/home", "/root", "/tmp", ".rs:", "stack backtrace"] {
            assert!(!answer.body.contains(word), "{line}: {word} in {}", answer.body);
        }
    }
}
