//! Looking into packages and into the data root.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use pdp_packager::ListReport;
use pdp_packager::manifest::QualityReport;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::State;
use crate::extract::Parameters;
use crate::openapi::{Api, Operation};
use crate::problem::{Kind, Problem};
use crate::reading::{self, DataView, PackageList};
use crate::requests::limits;

const EXAMPLE: &str = "my-package_20240103_120000.zip";
const NAMED: &str = "The package: its file name in the directory of packages";

pub(super) fn add(api: &mut Api) {
    let schema = api.schema::<PackageList>();
    api.on(
        Operation::new(Method::GET, "/api/packaging/list", "listPackages", "packaging")
            .says("List the packages", "Every package in the directory, the newest first.")
            .gives(200, "The packages", schema),
        list,
    );
    let schema = api.schema::<ListReport>();
    api.on(
        Operation::new(Method::GET, "/api/packaging/contents", "getContents", "packaging")
            .says("Show what a package holds", "What its manifest says; nothing is verified but the structure.")
            .needs("path", NAMED, EXAMPLE)
            .gives(200, "What it holds", schema)
            .problems(&[Kind::NotFound, Kind::Conflict, Kind::InvalidPackage]),
        contents,
    );
    let schema = api.schema::<QualityAnswer>();
    api.on(
        Operation::new(Method::GET, "/api/packaging/quality", "getQuality", "packaging")
            .says("Show whether a package's data can be trusted", "Its quality report, as JSON or as a page.")
            .needs("path", NAMED, EXAMPLE)
            .takes("format", "`json`, or `html` for the page", json!({"type": "string", "enum": ["json", "html"]}))
            .gives_as(200, "The report", &[("application/json", schema), ("text/html", json!({"type": "string"}))])
            .problems(&[Kind::NotFound, Kind::Conflict, Kind::InvalidPackage]),
        quality,
    );
    let schema = api.schema::<DataView>();
    api.on(
        Operation::new(Method::GET, "/api/packaging/data", "getData", "packaging")
            .says("Show what the data root holds", "Its symbols, event types and days: what `create` can be asked for.")
            .gives(200, "What there is", schema)
            .problems(&[Kind::Unavailable]),
        data,
    );
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    path: String,
}

async fn list(Extract(state): Extract<State>) -> Result<Json<PackageList>, Problem> {
    reading::read(&state, reading::packages).await.map(Json)
}

async fn contents(
    Extract(state): Extract<State>,
    Parameters(named): Parameters<Named>,
) -> Result<Json<ListReport>, Problem> {
    reading::read(&state, move |state| reading::contents(state, &named.path)).await.map(Json)
}

async fn data(Extract(state): Extract<State>) -> Result<Response, Problem> {
    Ok(Json(&*reading::data(&state).await?).into_response())
}

/// A package's quality report.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct QualityAnswer {
    /// The package.
    package_path: String,
    /// Whether its maker gave a checksum for the report, which was compared.
    verified: bool,
    /// The report.
    report: QualityReport,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QualityWanted {
    path: String,
    format: Option<Form>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    Json,
    Html,
}

async fn quality(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    Parameters(wanted): Parameters<QualityWanted>,
) -> Result<Response, Problem> {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let html = match wanted.format {
        Some(form) => form == Form::Html,
        None => accepts.starts_with("text/html"),
    };
    reading::read(&state, move |state| {
        let found = state.roots().find(&wanted.path)?;
        let failed = |error| crate::problem::logged(state.roots(), &error);
        let view = pdp_packager::report_within(&found.path, &limits()).map_err(failed)?;
        if !html {
            let (package_path, verified) = (found.name.as_str().to_owned(), view.verified);
            return Ok(Json(QualityAnswer { package_path, verified, report: view.report }).into_response());
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        Ok((headers, view.page().map_err(failed)?).into_response())
    })
    .await
}

/// The page has its styles in itself, has no script, asks for nothing, and may be shown in a frame of our own page only,
/// which measures it to give it its height.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; \
                           base-uri 'none'; form-action 'none'; sandbox allow-same-origin";
