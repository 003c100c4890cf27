//! A server on a copy of the sample data, and requests to it.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use pdp_http::{Settings, State};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A server, its directories, and how to ask it.
pub(crate) struct Server {
    pub(crate) home: TempDir,
    pub(crate) state: State,
    router: Router,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/sample-data")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let home = TempDir::new().unwrap();
        copy(&sample(), &home.path().join("data"));
        Self::on(home, change)
    }

    /// A server on directories that are there.
    pub(crate) fn on(home: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(home.path().join("data"), home.path().join("packages"));
        change(&mut settings);
        let state = State::open(settings).unwrap();
        let router = pdp_http::router(state.clone());
        Self { home, state, router }
    }

    /// Ends the server; its directories stay.
    pub(crate) fn end(self) -> TempDir {
        self.state.shutdown();
        self.home
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(request("GET", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.ask(request("DELETE", path).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(request("POST", path).header("content-type", "application/json").body(body.into()).unwrap()).await
    }

    /// A package of the sample data, and its file name.
    pub(crate) async fn package(&self) -> String {
        let answer = self.post("/api/packaging/create", r#"{"name":"p","createdAt":"2024-01-03T12:00:00Z"}"#).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["packagePath"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn request(method: &str, path: &str) -> axum::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost")
}
