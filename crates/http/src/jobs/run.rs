//! Doing a job: one call of the packager, and its report without a word about the host's paths.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Duration, Utc};
use pdp_packager::{CreateOptions, PackagerError};
use serde::Serialize;
use serde_json::Value;

use super::job::{Job, Work};
use crate::State;
use crate::problem::{Kind, Problem};
use crate::requests::{CreateRequest, ImportRequest, ValidateRequest};
use crate::roots::Roots;

/// Does `job`. A panic is a failure of this one job.
pub(super) fn run(state: &State, job: &Job) -> Result<Value, Problem> {
    let done = catch_unwind(AssertUnwindSafe(|| match &job.work {
        Work::Create(request) => create(state, job, request),
        Work::Import(request) => import(state, job, request),
        Work::Validate(request) => validate(state, job, request),
    }));
    let outcome = done.unwrap_or_else(|_| Err(Problem::new(Kind::Failed, "an error of this program; see its log")));
    match &outcome {
        Ok(_) => tracing::info!(job = %job.id, "done"),
        Err(problem) => tracing::info!(job = %job.id, problem = %problem.kind, detail = %problem.detail, "failed"),
    }
    outcome
}

fn create(state: &State, job: &Job, request: &CreateRequest) -> Result<Value, Problem> {
    let roots = state.roots();
    let whole_seconds = |at: DateTime<Utc>| DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at);
    let mut options = request.options(state, whole_seconds(job.created_at))?;
    if let Some(most) = state.settings().max_packages_bytes
        && crate::files::packages_bytes(state) >= most
    {
        return Err(Problem::new(
            Kind::NoSpace,
            format!("the packages have {most} bytes or more, which is all they may"),
        ));
    }
    // Two packages made within one second would have one name; the second takes the next second. One that is made anew
    // after a restart finds itself.
    let exists = |options: &CreateOptions| roots.packages().kind(&options.file_name()).is_ok_and(|kind| kind.is_some());
    while request.created_at.is_none() && !request.overwrite && job.attempts() == 1 && exists(&options) {
        options.created_at += Duration::seconds(1);
    }
    let mut report = pdp_packager::create(&options, job).map_err(|error| problem(roots, job, &error))?;
    report.package_path = own_name(&report.package_path);
    for path in [&mut report.sidecar_path, &mut report.signature_path].into_iter().flatten() {
        *path = own_name(path);
    }
    if let Some(verified) = &mut report.verified {
        verified.package_path.clone_from(&report.package_path);
    }
    report.parts = report.parts.iter().map(|part| own_name(part)).collect();
    value(roots, &report)
}

fn import(state: &State, job: &Job, request: &ImportRequest) -> Result<Value, Problem> {
    let roots = state.roots();
    let (options, package, place) = request.options(state)?;
    let imported = pdp_packager::import(&options, job);
    if imported.is_err() {
        place.leave();
    }
    let mut report = imported.map_err(|error| problem(roots, job, &error))?;
    let papers = report.papers_path.strip_prefix(&options.destination).map(Path::to_owned).unwrap_or_default();
    report.package_path = package.as_str().into();
    report.papers_path = match (place.shown.as_str(), papers.as_os_str().is_empty()) {
        (shown, true) => shown.into(),
        (".", false) => papers,
        (shown, false) => Path::new(shown).join(papers),
    };
    report.destination = place.shown.into();
    value(roots, &report)
}

fn validate(state: &State, job: &Job, request: &ValidateRequest) -> Result<Value, Problem> {
    let roots = state.roots();
    let package = roots.find(&request.package_path)?;
    let options = request.options(state)?;
    let mut report = pdp_packager::validate_set(std::slice::from_ref(&package.path), &options, job)
        .map_err(|error| problem(roots, job, &error))?;
    for part in &mut report.parts {
        part.package_path = own_name(&part.package_path);
    }
    // One package is reported as itself.
    match report.parts.as_slice() {
        [only] if report.findings.is_empty() => value(roots, only),
        _ => value(roots, &report),
    }
}

/// The last component of a path in the directory of packages.
fn own_name(path: &Path) -> PathBuf {
    path.file_name().map(PathBuf::from).unwrap_or_default()
}

fn problem(roots: &Roots, job: &Job, error: &PackagerError) -> Problem {
    if matches!(error, PackagerError::Cancelled) {
        return match job.is_interrupted() {
            true => Problem::new(Kind::Unavailable, "the server was shut down; nothing was left behind"),
            false => Problem::new(Kind::Cancelled, "cancelled; nothing was left behind"),
        };
    }
    crate::problem::logged(roots, error)
}

/// A report as JSON; remarks in it may name files, which are named as they are known to others.
fn value<R: Serialize>(roots: &Roots, report: &R) -> Result<Value, Problem> {
    let mut value = serde_json::to_value(report)
        .map_err(|error| Problem::new(Kind::Failed, format!("the report cannot be written: {error}")))?;
    scrub(roots, &mut value);
    Ok(value)
}

fn scrub(roots: &Roots, value: &mut Value) {
    match value {
        Value::String(text) if text.contains('/') => *text = roots.scrub(text),
        Value::Array(values) => values.iter_mut().for_each(|value| scrub(roots, value)),
        Value::Object(values) => values.values_mut().for_each(|value| scrub(roots, value)),
        _ => {}
    }
}
