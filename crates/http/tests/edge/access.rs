//! Who may do what.

use crate::support::{Server, TOKEN};
use pdp_http::Token;

#[tokio::test]
async fn t133_without_the_token_there_is_nothing_under_api() {
    let server = Server::with_token();
    for line in [
        "GET /api/packaging/list",
        "POST /api/packaging/create",
        "DELETE /api/packaging/x.zip",
        "PATCH /api/packaging/upload/1",
        "OPTIONS /api/packaging/upload",
        "GET /api",
        "GET //api/packaging/list",
        "GET /%61pi/packaging/list",
        "GET /api/session/../packaging/list",
    ] {
        let answer = server.ask(line, "").await;
        answer.is_problem(401, "token");
        assert_eq!(answer.header("www-authenticate"), Some("bearer realm=\"pdp\""), "{line}");
    }
    for line in ["GET /health", "GET /api/session"] {
        assert_eq!(server.ask(line, "").await.status, 200, "{line}");
    }
    for line in ["GET /assets/nothing", "GET /api/docs/nothing"] {
        assert_eq!(server.ask(line, "").await.status, 404, "{line}");
    }
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(server.ask("GET /api/nothing", &right).await.status, 404);
    for wrong in [
        "Authorization: Bearer wrong-horse-battery-staple\r\n".to_owned(),
        "Authorization: Bearer\r\n".to_owned(),
        format!("Authorization: Basic {TOKEN}\r\n"),
        format!("Authorization: Bearer {TOKEN}x\r\n"),
        format!("{right}{right}"),
    ] {
        let answer = server.ask("GET /api/nothing", &wrong).await;
        answer.is_problem(401, "not the token");
        assert!(!answer.body.contains("horse"));
    }
    // Not even a query may carry it.
    assert_eq!(server.ask(&format!("GET /api/nothing?token={TOKEN}"), "").await.status, 401);
}

#[tokio::test]
async fn t133_a_session_stands_for_the_token() {
    let server = Server::with_token();
    let shown = server.ask("GET /api/session", "").await.json();
    assert_eq!(shown, serde_json::json!({ "tokenRequired": true, "authenticated": false, "readOnly": false }));
    server.post("POST /api/session", "", "{\"token\":\"wrong\"}").await.is_problem(401, "not the token");
    for body in ["{}", "[]", "{\"token\":1}", "{\"token\":\"a\",\"more\":1}", "{\"token\":\"a\",\"token\":\"b\"}", "x"]
    {
        let answer = server.post("POST /api/session", "", body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
    }
    let open = async || {
        let answer = server.post("POST /api/session", "", &format!("{{\"token\":\"{TOKEN}\"}}")).await;
        assert_eq!(answer.status, 204, "{answer:?}");
        let cookie = answer.header("set-cookie").unwrap().to_owned();
        for word in ["httponly", "samesite=strict", "path=/"] {
            assert!(cookie.split("; ").any(|part| part == word), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    };
    let (first, second) = (open().await, open().await);
    assert_ne!(first, second);
    let with = |cookie: &str| format!("Cookie: other=1; {cookie}; pdp_session=of-another-port\r\n");
    assert_eq!(server.ask("GET /api/nothing", &with(&first)).await.status, 404);
    assert_eq!(server.ask("GET /api/session", &with(&first)).await.json()["authenticated"], true);
    let ended = server.ask("DELETE /api/session", &with(&first)).await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").unwrap().contains("max-age=0"));
    assert_eq!(server.ask("GET /api/nothing", &with(&first)).await.status, 401);
    assert_eq!(server.ask("GET /api/nothing", &with(&second)).await.status, 404);
    for cookie in ["pdp_session=", "pdp_session=00", "pdp_session"] {
        assert_eq!(server.ask("GET /api/nothing", &format!("Cookie: {cookie}\r\n")).await.status, 401);
    }
}

#[tokio::test]
async fn a_server_that_changes_nothing_refuses_to() {
    let server = Server::start(|settings, _| {
        std::fs::create_dir_all(&settings.packages).unwrap();
        std::fs::create_dir_all(&settings.data_root).unwrap();
        settings.read_only = true;
        settings.token = Some(Token::new(TOKEN).unwrap());
    });
    let right = format!("Authorization: Bearer {TOKEN}\r\n");
    for line in [
        "POST /api/packaging/create",
        "POST /api/packaging/import",
        "POST /api/packaging/upload?fileName=x.zip",
        "DELETE /api/packaging/x.zip",
        "PATCH /api/packaging/upload/1",
        "DELETE /api/jobs/1",
    ] {
        assert_eq!(server.ask(line, "").await.status, 401, "{line}");
        server.ask(line, &right).await.is_problem(403, "read-only");
    }
    assert_ne!(server.post("POST /api/packaging/validate", &right, "{}").await.status, 403);
    assert_eq!(server.post("POST /api/session", "", &format!("{{\"token\":\"{TOKEN}\"}}")).await.status, 204);
    assert_eq!(server.ask("GET /api/session", "").await.json()["readOnly"], true);
}
