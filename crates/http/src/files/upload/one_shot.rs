//! An upload in one request.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use super::finish::{self, finish};
use super::receive::{Stop, receive};
use super::store::{self, Record, Upload};
use super::{room, wire};
use crate::State;
use crate::files::blocking;
use crate::problem::{Kind, Problem};
use crate::reading;

/// Media types of packages.
const TYPES: [&str; 4] = ["application/octet-stream", "application/zip", "application/gzip", "application/x-gzip"];

/// Takes the body as a package of this name.
pub(super) async fn upload(
    state: State,
    file_name: Option<String>,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !is_one_of(headers, &TYPES) {
        let detail = format!("Content-Type: expected one of {}", TYPES.join(", "));
        return Err(Problem::new(Kind::UnsupportedType, detail));
    }
    let length = wire::number(headers, &header::CONTENT_LENGTH)?;
    let name = file_name.ok_or_else(|| Problem::new(Kind::BadRequest, "fileName: expected the package's name"))?;
    let record = Record::new(name, length, None);
    let (upload, most) = begin(state.clone(), record).await?;
    let (upload, _, received) = receive(state.clone(), upload, body, most, None).await;
    if let Err(stop) = received {
        let removing = state.clone();
        blocking(move || upload.remove(&removing)).await??;
        return Err(match stop {
            Stop::Refused(problem) => problem,
            Stop::Broken => Problem::new(Kind::BadRequest, "the body broke off"),
            Stop::TooLong if length.is_none() => {
                Problem::new(Kind::TooLarge, format!("there is room for an upload of {most} bytes"))
            }
            Stop::TooLong => Problem::new(Kind::TooLarge, "the body is longer than it was said to be"),
        });
    }
    let name = finish(state.clone(), upload).await?;
    let location = finish::location(&name);
    let gone = || Problem::new(Kind::Gone, "the package is there no more");
    let entry = reading::read(&state, move |state| reading::listed(state, &name).ok_or_else(gone)).await?;
    let mut response = (StatusCode::CREATED, Json(entry)).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Begins an upload, when its name is free and there is room for it; and how many bytes it may have.
pub(super) async fn begin(state: State, record: Record) -> Result<(Upload, u64), Problem> {
    blocking(move || {
        let name = wire::package_name(&record.file_name)?;
        let _one_at_a_time = state.uploads().creating();
        store::sweep(&state);
        if !matches!(state.roots().packages().kind(name.as_str()), Ok(None)) {
            return Err(finish::taken());
        }
        room::check(&state, record.length.unwrap_or(0))?;
        let most = match record.length {
            Some(length) => length,
            None => room::for_one_more(&state)?.min(state.settings().max_upload_bytes),
        };
        Ok((store::create(&state, record)?, most))
    })
    .await?
}

/// Whether the body has one of these types; parameters aside.
pub(super) fn is_one_of(headers: &HeaderMap, types: &[&str]) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.split(';').next().unwrap_or_default().trim();
    types.iter().any(|known| given.eq_ignore_ascii_case(known))
}
