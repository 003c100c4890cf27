//! The routes, each with its documentation.

mod files;
mod jobs;
mod operations;
mod packages;
mod server;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use crate::openapi::Api;
use crate::{State, guard};

/// The API, and the document about it.
fn api() -> (Router<State>, Value) {
    let mut api = Api::new();
    operations::add(&mut api);
    packages::add(&mut api);
    files::add(&mut api, crate::files::router());
    jobs::add(&mut api);
    server::add(&mut api);
    api.finish()
}

/// The OpenAPI document of the API.
pub(crate) fn document() -> Value {
    api().1
}

pub(crate) fn router(state: State) -> Router {
    let (router, document) = api();
    let text: std::sync::Arc<str> = document.to_string().into();
    let openapi = move || async move { json_text(text) };
    let routes = router.route("/api/openapi.json", get(openapi)).merge(crate::docs::router()).with_state(state.clone());
    guard::protect(routes.merge(crate::page::router()), state)
}

fn json_text(text: std::sync::Arc<str>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (headers, text.to_string()).into_response()
}
