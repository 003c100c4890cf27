//! The documentation at `/api/docs`: Swagger UI, all of it from the binary, over the OpenAPI document.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::Config;

use crate::extract::Segment;
use crate::problem::{Kind, Problem};

const INDEX: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Portable Data Packager: API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" href="/api/docs/favicon-32x32.png">
</head>
<body>
<main id="swagger-ui"></main>
<noscript><p>The documentation needs JavaScript; <a href="/api/openapi.json">the OpenAPI document</a> does not.</p></noscript>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
"##;

/// No validator: it would be asked over the network.
const START: &str = r##""use strict";
SwaggerUIBundle({
  url: "/api/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
"##;

/// Its styles are put in by its scripts; everything else comes from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      font-src data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/api/docs", get(index)).route("/api/docs/", get(index)).route("/api/docs/{file}", get(file))
}

async fn index() -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    (headers, Html(INDEX)).into_response()
}

async fn file(Segment(name): Segment) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    if name == "start.js" {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
        return Ok((headers, START).into_response());
    }
    let nothing = || Problem::new(Kind::NotFound, "there is no such file");
    let wanted = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"].contains(&name.as_str());
    let found = wanted.then(|| utoipa_swagger_ui::serve(&name, Arc::new(Config::from("/api/openapi.json"))));
    let found = found.and_then(|found| found.ok().flatten()).ok_or_else(nothing)?;
    let kind = HeaderValue::from_str(&found.content_type).map_err(|_| nothing())?;
    headers.insert(header::CONTENT_TYPE, kind);
    Ok((headers, found.bytes.into_owned()).into_response())
}
