//! Whom a request is meant for, and which page sends it.

use crate::support::Server;

fn request(target: &str, hosts: &[&str]) -> String {
    let hosts: String = hosts.iter().map(|host| format!("Host: {host}\r\n")).collect();
    format!("GET {target} HTTP/1.1\r\n{hosts}\r\n")
}

#[tokio::test]
async fn t131_only_known_hosts_are_served() {
    let server = Server::start(|settings, _| {
        settings.allowed_hosts = vec!["pdp.example".to_owned(), "[2001:db8::1]:8443".to_owned()];
    });
    let port = server.address.port();
    for host in [
        "localhost",
        "LocalHost:1",
        "127.0.0.1",
        &format!("127.0.0.1:{port}"),
        "[::1]",
        "[::1]:8080",
        "pdp.example",
        "PDP.example:99",
        "[2001:db8:0::1]:8443",
    ] {
        assert_eq!(server.send(&request("/health", &[host])).await.status, 200, "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "evil-localhost",
        "pdp.example.org",
        "x.pdp.example",
        "127.0.0.2",
        "0.0.0.0",
        "[::]",
        "[2001:db8::1]",
        "[2001:db8::1]:80",
        "127.0.0.1.nip.io",
        "localhost.",
        "2130706433",
        "0x7f.1",
    ] {
        let answer = server.send(&request("/health", &[host])).await;
        answer.is_problem(421, "does not go by the name");
        assert!(!answer.body.contains(host));
    }
    for hosts in [
        &[][..],
        &["localhost", "localhost"],
        &["localhost", "evil.example"],
        &[""],
        &["localhost:"],
        &["localhost:99999"],
        &["localhost:80:80"],
        &["user@localhost"],
        &["localhost, evil.example"],
        &["localhost/"],
        &["[::1"],
        &["::1"],
    ] {
        server.send(&request("/health", hosts)).await.is_problem(400, "Host");
    }
    server.send("GET /health HTTP/1.0\r\n\r\n").await.is_problem(400, "Host");
}

#[tokio::test]
async fn t131_the_target_and_the_header_name_one_host() {
    let server = Server::plain();
    for (target, host) in [
        ("http://localhost/health", "localhost"),
        ("http://localhost:80/health", "localhost"),
        ("http://[::1]:8080/health", "[::1]:8080"),
    ] {
        assert_eq!(server.send(&request(target, &[host])).await.status, 200, "{target}");
    }
    for (target, host, status) in [
        ("http://evil.example/health", "localhost", 400),
        ("http://localhost/health", "evil.example", 400),
        ("http://localhost:81/health", "localhost", 400),
        ("http://user@localhost/health", "localhost", 400),
        ("http://evil.example/health", "evil.example", 421),
    ] {
        assert_eq!(server.send(&request(target, &[host])).await.status, status, "{target} {host}");
    }
}

#[tokio::test]
async fn t132_pages_of_other_origins_may_not_write_nor_ask_whether_they_may() {
    let server = Server::plain();
    let token = "{\"token\":\"x\"}";
    for fields in ["", "Origin: http://localhost\r\n", "Origin: http://localhost:80\r\nSec-Fetch-Site: same-origin\r\n"]
    {
        assert_eq!(server.post("POST /api/session", fields, token).await.status, 204, "{fields}");
    }
    for fields in [
        "Origin: http://evil.example\r\n",
        "Origin: http://localhost:81\r\n",
        "Origin: https://localhost\r\n",
        "Origin: http://127.0.0.1\r\n",
        "Origin: null\r\n",
        "Origin: http://localhost\r\nOrigin: http://localhost\r\n",
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "Origin: http://localhost\r\nSec-Fetch-Site: cross-site\r\n",
    ] {
        server.post("POST /api/session", fields, token).await.is_problem(403, "another origin");
        for line in ["DELETE /api/session", "PUT /health", "PATCH /x", "OPTIONS /api/session", "OPTIONS *", "BREW /x"] {
            server.ask(line, fields).await.is_problem(403, "another origin");
        }
    }
    let preflight = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    let refused = server.ask("OPTIONS /api/session", preflight).await;
    // Reading needs no origin, and the answer allows no page to read it.
    let read = server.ask("GET /health", "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n").await;
    assert_eq!(read.status, 200);
    for answer in [refused, read] {
        assert!(!answer.head.contains("access-control-"), "{answer:?}");
    }
}

#[tokio::test]
async fn t132_bodies_that_a_form_can_send_are_no_json() {
    let server = Server::plain();
    let text = |fields: &str| {
        format!(
            "POST /api/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 13\r\n{fields}\r\n{{\"token\":\"x\"}}"
        )
    };
    for fields in [
        "",
        "Content-Type: text/plain\r\n",
        "Content-Type: application/x-www-form-urlencoded\r\n",
        "Content-Type: multipart/form-data; boundary=x\r\n",
        "Content-Type: application/json\r\nContent-Type: text/plain\r\n",
    ] {
        server.send(&text(fields)).await.is_problem(415, "application/json");
    }
    assert_eq!(server.send(&text("Content-Type: application/json; charset=utf-8\r\n")).await.status, 204);
}

#[tokio::test]
async fn answers_say_how_browsers_must_treat_them() {
    let server = Server::plain();
    for line in ["GET /health", "GET /nowhere", "GET /api/session", "POST /health"] {
        let answer = server.ask(line, "").await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{line}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{line}");
        assert_eq!(answer.header("x-frame-options"), Some("deny"), "{line}");
        assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{line}");
        assert!(answer.header("x-request-id").is_some(), "{line}");
    }
    assert_eq!(server.ask("GET /api/session", "").await.header("cache-control"), Some("no-store"));
    server.ask("GET /nowhere", "").await.is_problem(404, "nothing at this path");
    let answer = server.ask("POST /health", "").await;
    answer.is_problem(405, "Allow header");
    assert_eq!(answer.header("allow"), Some("get,head"));
}
