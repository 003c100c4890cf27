//! The OpenAPI document: as it is published, and true.

use std::path::Path;

use axum::body::Body;
use serde_json::{Value, json};

use crate::support::{Server, request};

/// The document that is published must be the one that the code gives; `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_published_document_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/openapi.json");
    let text = serde_json::to_string_pretty(&pdp_http::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(published == text, "docs/formats/openapi.json is not what the code gives; UPDATE_GOLDEN=1 writes it");
}

/// The value of a parameter in an example request.
fn example(parameter: &Value) -> Option<String> {
    Some(parameter["example"].as_str()?.to_owned())
}

#[tokio::test]
async fn every_documented_route_is_there_and_every_example_works() {
    let server = Server::new();
    let document = pdp_http::openapi();
    let operations: Vec<(String, String, Value)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().iter();
            methods
                .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
                .collect::<Vec<_>>()
        })
        .collect();
    // A package is there before it is looked into, and gone last.
    let rank = |id: &str| match id {
        "createPackage" => 0,
        "deletePackage" => 2,
        _ => 1,
    };
    let mut ordered: Vec<_> = operations.iter().collect();
    ordered.sort_by_key(|(_, _, operation)| rank(operation["operationId"].as_str().unwrap()));
    let mut worked = 0;
    for (path, method, operation) in ordered {
        let id = operation["operationId"].as_str().unwrap();
        let mut target = path.clone();
        let mut query = Vec::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (Some(value), Some(name)) = (example(parameter), parameter["name"].as_str()) else { continue };
            match parameter["in"].as_str() {
                Some("path") => target = target.replace(&format!("{{{name}}}"), &value),
                _ => query.push(format!("{name}={value}")),
            }
        }
        if !query.is_empty() {
            target = format!("{target}?{}", query.join("&"));
        }
        let body = &operation["requestBody"]["content"]["application/json"]["example"];
        let asked = request(method, &target).header("tus-resumable", "1.0.0");
        let asked = match body.is_null() {
            true => asked.body(Body::empty()),
            false => asked.header("content-type", "application/json").body(Body::from(body.to_string())),
        };
        let answer = server.ask(asked.unwrap()).await;
        let status = answer.status.as_u16().to_string();
        assert!(
            operation["responses"].get(&status).is_some(),
            "{id} {target}: {status} is not documented: {}",
            answer.text()
        );
        // Jobs and uploads of the examples are not there.
        let absent =
            path.starts_with("/api/jobs/{id}") || path.starts_with("/api/packaging/upload") || path == "/api/session";
        if !absent {
            assert!(answer.status.is_success(), "{id} {target}: {status}: {}", answer.text());
            worked += 1;
        }
    }
    assert!(worked >= 10, "{worked}");
    server.end();
}

#[tokio::test]
async fn the_documentation_needs_nothing_from_elsewhere() {
    let server = Server::new();
    let page = server.get("/api/docs").await;
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    for part in page.text().split('"').filter(|part| part.starts_with("/api/") || part.contains("://")) {
        assert!(!part.contains("://"), "{part}");
        assert_eq!(server.get(part).await.status, 200, "{part}");
    }
    assert_eq!(server.get("/api/openapi.json").await.json(), pdp_http::openapi());
    server.end();
}

#[tokio::test]
async fn every_documented_request_works_as_it_is_written() {
    let server = Server::new();
    let create = json!({
        "name": "my-package",
        "description": "Research data for Q1 2024",
        "symbols": ["AAPL", "MSFT"],
        "eventTypes": ["Trade", "BboQuote"],
        "startDate": "2024-01-01",
        "endDate": "2024-03-31",
        "format": "zip",
        "compressionLevel": "balanced",
        "includeQualityReport": true,
        "includeLoaderScripts": true
    });
    let made = server.post("/api/packaging/create", create.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_eq!(made.json()["symbols"], json!(["AAPL", "MSFT"]));
    assert_eq!(made.json()["verified"]["valid"], true);
    let name = made.json()["packagePath"].as_str().unwrap().to_owned();
    assert!(name.starts_with("my-package_") && name.ends_with(".zip"), "{name}");
    let whole = server.home.path().join("packages").join(&name);
    let destination = server.home.path().join("data/imported");
    for (package, place) in [(json!(whole), json!(destination)), (json!(name), json!("imported"))] {
        let import = json!({"packagePath": package, "destinationDirectory": place, "validateChecksums": true});
        let answer = server.post("/api/packaging/import", import.to_string()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["validated"]), (200, &json!(true)), "{}", answer.text());
        let answer = server.post("/api/packaging/validate", json!({"packagePath": package}).to_string()).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["valid"]), (200, &json!(true)));
        let answer = server.get(&format!("/api/packaging/contents?path={}", package.as_str().unwrap())).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["name"]), (200, &json!("my-package")));
    }
    let list = server.get("/api/packaging/list").await.json();
    assert_eq!(list["packages"][0]["fileName"], name.as_str());
    assert_eq!(list["packages"][0]["totalFiles"], made.json()["totalFiles"]);
    server.end();
}
