//! What every answer says.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, Entry, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Another site's page may not even embed an answer.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(super) async fn add(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    unless_set(headers, REFERRER_POLICY, "no-referrer");
    unless_set(headers, RESOURCE_POLICY, "same-origin");
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        unless_set(headers, X_FRAME_OPTIONS, "DENY");
    }
    let is_json = |value: &HeaderValue| {
        let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        kind == "application/json" || kind == "application/problem+json"
    };
    // What has no type has no body either, and is a moment's answer as well: a session, a deletion.
    if is_api && headers.get(CONTENT_TYPE).is_none_or(is_json) {
        unless_set(headers, CACHE_CONTROL, "no-store");
    }
    response
}

fn unless_set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if let Entry::Vacant(free) = headers.entry(name) {
        free.insert(HeaderValue::from_static(value));
    }
}
