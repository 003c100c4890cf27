//! How a server ends.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use pdp_http::listen::{self, Limits};
use tokio::net::TcpStream;

use crate::support::{Server, skipped};

fn late(delay: Duration) -> Router {
    Router::new().route(
        "/late",
        get(move || async move {
            tokio::time::sleep(delay).await;
            "late"
        }),
    )
}

#[tokio::test]
async fn requests_in_flight_are_answered_and_the_rest_ends() {
    let server = Server::with(late(Duration::from_millis(500)), Limits::default(), tempfile::tempdir().unwrap());
    let address = server.address;
    let mut busy = server.connect().await;
    busy.say("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    let (mut silent, mut slow) = (server.connect().await, server.connect().await);
    slow.say("GET /la").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ended = server.end();
    assert!(silent.ends().await);
    assert_eq!(slow.answer().await.unwrap().status, 503);
    let answer = busy.answer().await.unwrap();
    assert_eq!((answer.body.as_str(), answer.header("connection")), ("late", Some("close")));
    assert!(busy.ends().await);
    let served = ended.await.unwrap().unwrap();
    assert_eq!((served.accepted, served.cut), (3, 0));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn what_takes_longer_than_the_grace_is_cut() {
    let mut limits = Limits::default();
    limits.grace = Duration::from_millis(200);
    let server = Server::with(late(Duration::from_secs(600)), limits, tempfile::tempdir().unwrap());
    let mut busy = server.connect().await;
    busy.say("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let ended = server.end();
    assert!(busy.ends().await);
    assert_eq!(ended.await.unwrap().unwrap().cut, 1);
}

#[tokio::test]
async fn several_addresses_are_served_at_once() {
    let first = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut listeners = vec![first];
    match listen::bind("[::1]:0".parse().unwrap()) {
        Ok(listener) => listeners.push(listener),
        Err(error) => skipped(&format!("no IPv6 here: {error}")),
    }
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        let _ = ended.await;
    };
    let task = tokio::spawn(listen::serve(listeners, late(Duration::ZERO), Limits::default(), shutdown));
    for address in addresses {
        let mut client = crate::support::Client(TcpStream::connect(address).await.unwrap());
        client.say("GET /late HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(client.answer().await.unwrap().body, "late");
    }
    end.send(()).unwrap();
    task.await.unwrap().unwrap();
    assert!(listen::serve(Vec::new(), late(Duration::ZERO), Limits::default(), async {}).await.is_err());
}
