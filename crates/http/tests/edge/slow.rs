//! Those who are slow (T135): the deadlines of a connection.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pdp_http::listen::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::Server;

const SHORT: Duration = Duration::from_millis(300);
const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn t135_slow_heads_and_silent_connections_end() {
    let server = Server::start(|_, limits| limits.header_timeout = SHORT);
    // Nothing at all.
    assert!(server.connect().await.ends().await);
    // A byte now and then does not move the deadline.
    let client = server.connect().await;
    let (mut reading, mut writing) = client.0.into_split();
    let drip = tokio::spawn(async move {
        for byte in HEALTH.bytes().cycle() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(crate::support::LONG, reading.read_to_end(&mut answer)).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 408 "), "{answer:?}");
    drip.abort();
    // Nor do empty lines.
    let mut client = server.connect().await;
    client.say("\r\n\r\n").await;
    assert!(client.ends().await);
    server.healthy().await;
}

#[tokio::test]
async fn t135_a_connection_may_rest_between_requests_and_then_has_time_for_a_head_again() {
    let server = Server::start(|_, limits| {
        limits.header_timeout = SHORT;
        limits.keep_alive = Duration::from_millis(1500);
    });
    let mut client = server.connect().await;
    client.say(HEALTH).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    tokio::time::sleep(SHORT * 2).await;
    client.say(HEALTH).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    client.say("GET /hea").await;
    assert_eq!(client.answer().await.unwrap().status, 408);
    assert!(client.ends().await);
    let mut client = server.connect().await;
    client.say(HEALTH).await;
    assert_eq!(client.answer().await.unwrap().status, 200);
    // Rest has an end too, without a word.
    assert!(client.ends().await);
}

#[tokio::test]
async fn t135_who_reads_nothing_is_dropped_and_who_reads_slowly_is_not() {
    const SIZE: usize = 64 << 20;
    let home = tempfile::tempdir().unwrap();
    let routes = Router::new().route("/large", get(async || vec![b'x'; SIZE]));
    let mut limits = Limits::default();
    limits.write_stall = Duration::from_millis(700);
    let server = Server::with(routes, limits, home);
    let ask = "GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut stalled = server.connect().await;
    stalled.say(ask).await;
    let mut slow = server.connect().await;
    slow.say(ask).await;
    let mut scratch = vec![0; 4 << 20];
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_ne!(slow.0.read(&mut scratch).await.unwrap(), 0);
    }
    let mut rest = Vec::new();
    // What the sockets hold comes still; then the end, too early.
    let _ = tokio::time::timeout(crate::support::LONG, stalled.0.read_to_end(&mut rest)).await.unwrap();
    assert!(rest.len() < SIZE, "{} bytes", rest.len());
    let mut left = Vec::new();
    slow.0.read_to_end(&mut left).await.unwrap();
    assert!(!left.is_empty());
}

#[tokio::test]
async fn t135_heads_have_limits() {
    let server = Server::start(|_, limits| {
        limits.max_header_bytes = 8192;
        limits.max_headers = 20;
    });
    let long = format!("X: {}\r\n", "x".repeat(9000));
    let many = "X: y\r\n".repeat(30);
    for fields in [&long, &many] {
        assert_eq!(server.ask("GET /health", fields).await.status, 431);
    }
    // Without end, and far more than is read.
    let mut client = server.connect().await;
    client.say(&format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(1 << 20))).await;
    assert_eq!(client.answer().await.unwrap().status, 431);
    assert_eq!(server.ask(&format!("GET /{}", "x".repeat(7000)), "").await.status, 404);
    for garbage in
        ["\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHo st: x\r\n\r\n"]
    {
        let answer = server.send(garbage).await;
        assert!((400..=505).contains(&answer.status), "{garbage:?}: {answer:?}");
    }
    server.healthy().await;
}

#[tokio::test]
async fn t135_pipelined_requests_are_answered_in_their_order() {
    let server = Server::plain();
    let mut client = server.connect().await;
    let many = 500;
    let post = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{\"token\":\"x\"}";
    client.say(&format!("{HEALTH}{post}GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n").repeat(many)).await;
    for _ in 0..many {
        for status in [200, 204, 404] {
            assert_eq!(client.answer().await.unwrap().status, status);
        }
    }
}

#[tokio::test]
async fn t135_who_has_said_everything_may_say_so_and_still_be_answered() {
    let home = tempfile::tempdir().unwrap();
    let late = async || {
        tokio::time::sleep(Duration::from_millis(200)).await;
        "late"
    };
    let server = Server::with(Router::new().route("/late", get(late)), Limits::default(), home);
    let mut client = server.connect().await;
    client.say("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    client.0.shutdown().await.unwrap();
    assert_eq!(client.answer().await.unwrap().body, "late");
    assert!(client.ends().await);
    // A request that is cut short is none.
    let mut client = server.connect().await;
    client.say("GET /late HTTP/1.1\r\nHost: loc").await;
    client.0.shutdown().await.unwrap();
    assert!(client.answer().await.is_none_or(|answer| answer.status == 400));
}
