//! Too many at once (T135): who gives way, and who does not.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pdp_http::listen::Limits;
use tokio::sync::Notify;

use crate::support::{Client, Server};

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

#[tokio::test]
async fn t135_who_asks_nothing_gives_way_to_who_asks() {
    let server = Server::start(|_, limits| limits.max_connections = 20);
    let mut crowd: Vec<Client> = Vec::new();
    for number in 0..200 {
        let mut client = server.connect().await;
        match number % 3 {
            0 => client.say("GET /hea").await,
            1 => {
                client.say(HEALTH).await;
                assert_eq!(client.answer().await.unwrap().status, 200);
            }
            _ => {}
        }
        crowd.push(client);
    }
    // The first ones are gone, whoever comes is served, and the last ones still are.
    for client in &mut crowd[..100] {
        let answer = client.answer().await;
        assert!(answer.is_none_or(|answer| answer.status == 503));
    }
    server.healthy().await;
    let last = &mut crowd[199];
    last.say(HEALTH).await;
    assert_eq!(last.answer().await.unwrap().status, 200);
    drop(crowd);
    let served = server.end().await.unwrap().unwrap();
    assert_eq!(served.accepted, 201);
    assert_eq!(served.evicted, 181);
    assert_eq!(served.refused, 0);
}

#[tokio::test]
async fn t135_who_is_being_served_does_not_give_way() {
    let home = tempfile::tempdir().unwrap();
    let go = Arc::new(Notify::new());
    let wait = Arc::clone(&go);
    let routes = Router::new().route(
        "/wait",
        get(move || {
            let wait = Arc::clone(&wait);
            async move {
                wait.notified().await;
                "waited"
            }
        }),
    );
    let mut limits = Limits::default();
    limits.max_connections = 4;
    let server = Server::with(routes, limits, home);
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut client = server.connect().await;
        client.say("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        busy.push(client);
    }
    // Until all four are in the hands of the route.
    let refused = loop {
        let mut client = server.connect().await;
        client.say(HEALTH).await;
        match client.answer().await {
            Some(answer) if answer.status == 503 => break answer,
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert_eq!(refused.header("retry-after"), Some("5"));
    go.notify_waiters();
    for client in &mut busy {
        assert_eq!(client.answer().await.unwrap().body, "waited");
    }
}

#[tokio::test]
async fn t135_slow_bodies_give_way_too() {
    let server = Server::start(|_, limits| {
        limits.max_connections = 10;
        limits.grace = Duration::from_millis(100);
    });
    let head = "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{";
    let mut crowd = Vec::new();
    for _ in 0..50 {
        let mut client = server.connect().await;
        client.say(head).await;
        crowd.push(client);
    }
    for _ in 0..20 {
        server.healthy().await;
    }
    let served = server.end().await.unwrap().unwrap();
    assert!(served.evicted >= 40, "{served:?}");
}
