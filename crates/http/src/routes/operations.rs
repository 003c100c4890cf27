//! Create, import and validate: at once, or as a job.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pdp_packager::{CreateReport, ImportReport, SetReport, ValidateReport};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::State;
use crate::extract::{Body, Parameters};
use crate::jobs::{Job, JobView, Work};
use crate::openapi::{Api, Operation};
use crate::problem::{Kind, Problem};
use crate::requests::{CreateRequest, ImportRequest, ValidateRequest};

const PROBLEMS: &[Kind] =
    &[Kind::Invalid, Kind::InvalidPackage, Kind::TooMany, Kind::Cancelled, Kind::NoSpace, Kind::Unavailable];

pub(super) fn add(api: &mut Api) {
    let request = api.schema::<CreateRequest>();
    let report = api.schema::<CreateReport>();
    let operation = Operation::new(Method::POST, "/api/packaging/create", "createPackage", "packaging")
        .says(
            "Create a package",
            "Packs the data below the data root that matches into one archive. It appears whole and verified, or not at all. The \
             same data, options and `createdAt` give the same bytes.",
        )
        .body(request, create_example())
        .gives(201, "The package was made", report)
        .with(201, "Location", "Where it can be downloaded")
        .problems(&[Kind::NoData, Kind::Conflict]);
    let operation = or_job(api, operation);
    api.on(operation, create);

    let request = api.schema::<ImportRequest>();
    let report = api.schema::<ImportReport>();
    let operation = Operation::new(Method::POST, "/api/packaging/import", "importPackage", "packaging")
        .says("Import a package", "Unpacks a package below the data root, verified: all of it or nothing.")
        .body(
            request,
            json!({
                "packagePath": "my-package_20240103_120000.zip",
                "destinationDirectory": "imported",
                "validateChecksums": true,
            }),
        )
        .gives(200, "It was imported", report)
        .problems(&[Kind::NotFound, Kind::Conflict]);
    let operation = or_job(api, operation);
    api.on(operation, import);

    let request = api.schema::<ValidateRequest>();
    let (one, set) = (api.schema::<ValidateReport>(), api.schema::<SetReport>());
    let operation = Operation::new(Method::POST, "/api/packaging/validate", "validatePackage", "packaging")
        .says(
            "Validate a package",
            "Recomputes everything that a package claims. One that is wrong is answered with `valid: false` and what was found; \
             one that is so damaged that its members cannot be told is a problem. A part of a split package is validated with \
             the parts beside it.",
        )
        .body(request, json!({"packagePath": "my-package_20240103_120000.zip"}))
        .gives(200, "It was validated", json!({"anyOf": [one, set]}))
        .problems(&[Kind::NotFound, Kind::Conflict]);
    let operation = or_job(api, operation);
    api.on(operation, validate);
}

/// The documented request, with the time that gives its package the documented name.
fn create_example() -> Value {
    json!({
        "name": "my-package",
        "description": "Research data for Q1 2024",
        "symbols": ["AAPL", "MSFT"],
        "eventTypes": ["Trade", "BboQuote"],
        "startDate": "2024-01-01",
        "endDate": "2024-03-31",
        "format": "zip",
        "compressionLevel": "balanced",
        "includeQualityReport": true,
        "includeLoaderScripts": true,
        "createdAt": "2024-01-03T12:00:00Z",
    })
}

fn or_job(api: &mut Api, operation: Operation) -> Operation {
    let job = api.schema::<JobView>();
    operation
        .takes(
            "async",
            "Answer at once with a job, which goes on when the client leaves and over a restart of the server",
            json!({"type": "boolean", "default": false}),
        )
        .gives(202, "The job was queued", job)
        .with(202, "Location", "Where the job is")
        .problems(PROBLEMS)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default, rename = "async")]
    as_job: bool,
}

async fn create(
    Extract(state): Extract<State>,
    Parameters(how): Parameters<How>,
    Body(request): Body<CreateRequest>,
) -> Result<Response, Problem> {
    // What makes no sense is told before it is queued.
    request.options(&state, chrono::Utc::now())?;
    let done = match go(&state, Work::Create(request), how.as_job).await? {
        Outcome::Queued(job) => return Ok(accepted(&job)),
        Outcome::Done(report) => report,
    };
    let name = done.get("packagePath").and_then(Value::as_str).unwrap_or_default();
    let location = format!("/api/packaging/download/{}", crate::files::encoded(name));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(done)).into_response())
}

async fn import(
    Extract(state): Extract<State>,
    Parameters(how): Parameters<How>,
    Body(request): Body<ImportRequest>,
) -> Result<Response, Problem> {
    request.check(&state)?;
    match go(&state, Work::Import(request), how.as_job).await? {
        Outcome::Queued(job) => Ok(accepted(&job)),
        Outcome::Done(report) => Ok(Json(report).into_response()),
    }
}

async fn validate(
    Extract(state): Extract<State>,
    Parameters(how): Parameters<How>,
    Body(request): Body<ValidateRequest>,
) -> Result<Response, Problem> {
    state.roots().find(&request.package_path)?;
    request.options(&state)?;
    match go(&state, Work::Validate(request), how.as_job).await? {
        Outcome::Queued(job) => Ok(accepted(&job)),
        Outcome::Done(report) => Ok(Json(report).into_response()),
    }
}

enum Outcome {
    Queued(Arc<Job>),
    Done(Value),
}

/// Stops a job whose client has gone.
struct Watch(Arc<Job>, State);

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.0.state().is_final() {
            self.1.jobs().cancel(&self.0);
        }
    }
}

async fn go(state: &State, work: Work, as_job: bool) -> Result<Outcome, Problem> {
    let lasts = as_job && !state.settings().read_only;
    // Writing it down is work for a disk.
    let submit = {
        let state = state.clone();
        move || state.jobs().submit(work, lasts)
    };
    let failed = |_| Problem::new(Kind::Failed, "an error of this program; see its log");
    let job = tokio::task::spawn_blocking(submit).await.map_err(failed)??;
    if as_job {
        return Ok(Outcome::Queued(job));
    }
    let watch = Watch(Arc::clone(&job), state.clone());
    job.ended().await;
    drop(watch);
    let nothing = || Problem::new(Kind::Failed, "the job came to nothing");
    job.outcome().ok_or_else(nothing)?.map(Outcome::Done)
}

fn accepted(job: &Job) -> Response {
    let mut response = (StatusCode::ACCEPTED, Json(job.view())).into_response();
    if let Ok(location) = HeaderValue::from_str(&format!("/api/jobs/{}", job.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
