//! Uploads in pieces: the requests of the tus protocol.

use std::time::SystemTime;

use axum::body::Body;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::finish::finish;
use super::one_shot::{self, begin, is_one_of};
use super::receive::{Stop, receive};
use super::store::{self, Id, LIFE, Record, Upload};
use super::wire::{self, Checksum, PIECE, versioned};
use crate::State;
use crate::files::blocking;
use crate::problem::{Kind, Problem};

/// What may stand behind the question mark.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Form {
    file_name: Option<String>,
}

type Name = Result<Path<String>, PathRejection>;

/// What this server can do.
pub(super) async fn options(AxumState(state): AxumState<State>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(wire::EXTENSION, HeaderValue::from_static(wire::EXTENSIONS));
    headers.insert(wire::CHECKSUM_ALGORITHM, HeaderValue::from_static(wire::ALGORITHMS));
    headers.insert(wire::MAX_SIZE, state.settings().max_upload_bytes.into());
    versioned(response)
}

/// Begins an upload in pieces; or takes one in a single request, where nothing speaks of the protocol.
pub(super) async fn create(
    AxumState(state): AxumState<State>,
    form: Result<Query<Form>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let form = match form {
        Ok(Query(form)) => form,
        Err(error) => return Problem::new(Kind::BadRequest, error.body_text()).into_response(),
    };
    let speaks_tus = [wire::RESUMABLE, wire::LENGTH, wire::DEFER_LENGTH].iter().any(|name| headers.contains_key(name));
    if !speaks_tus {
        return one_shot::upload(state, form.file_name, &headers, body).await.into_response();
    }
    versioned(creation(state, form, &headers, body).await.into_response())
}

async fn creation(state: State, form: Form, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    wire::check_version(headers)?;
    if headers.contains_key(wire::DEFER_LENGTH) || headers.contains_key(wire::CONCAT) {
        return Err(Problem::new(Kind::BadRequest, "the whole length must be said, of one file"));
    }
    let length = wire::number(headers, &wire::LENGTH)?;
    let length = length.ok_or_else(|| Problem::new(Kind::BadRequest, format!("{}: is missing", wire::LENGTH)))?;
    let (metadata, name) = wire::metadata(headers)?;
    let name = name.or(form.file_name).ok_or_else(|| {
        Problem::new(Kind::BadRequest, format!("{}: expected a filename, the package's name", wire::METADATA))
    })?;
    let record = Record::new(name, Some(length), Some(metadata));
    let has_piece = is_one_of(headers, &[PIECE]);
    let checksum = Checksum::of(headers)?;
    let (upload, _) = begin(state.clone(), record).await?;
    let location = format!("/api/packaging/upload/{}", upload.id.as_str());
    let piece = if has_piece { body } else { Body::empty() };
    let id = upload.id.clone();
    let offset = match append(state.clone(), upload, headers, piece, checksum).await {
        Ok(offset) => offset,
        Err(problem) => {
            // The client is not told where it lies, so it cannot go on with it.
            let removed = blocking(move || store::open(&state, &id).and_then(|upload| upload.remove(&state))).await?;
            return Err(removed.err().filter(|error| error.status >= 500).unwrap_or(problem));
        }
    };
    let mut response = StatusCode::CREATED.into_response();
    let answer = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(&location) {
        answer.insert(header::LOCATION, location);
    }
    if has_piece {
        answer.insert(wire::OFFSET, offset.into());
    }
    wire::expires(answer, SystemTime::now().checked_add(LIFE));
    Ok(response)
}

/// Tells how far an upload is.
pub(super) async fn head(AxumState(state): AxumState<State>, name: Name, headers: HeaderMap) -> Response {
    versioned(looked_at(state, name, &headers).await.into_response())
}

async fn looked_at(state: State, name: Name, headers: &HeaderMap) -> Result<Response, Problem> {
    wire::check_version(headers)?;
    let id = id(name)?;
    let looking = state.clone();
    let (standing, whole) = blocking(move || {
        let standing = store::standing(&looking, &id)?;
        let is_whole = !standing.record.finished && Some(standing.offset) == standing.record.length;
        // One that was whole when the server ended is finished now; one that somebody works on is not ours.
        let whole = if is_whole { store::open(&looking, &id).ok() } else { None };
        Ok::<_, Problem>((standing, whole))
    })
    .await??;
    if let Some(whole) = whole {
        finish(state, whole).await?;
    }
    let mut response = StatusCode::OK.into_response();
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.insert(wire::OFFSET, standing.offset.into());
    if let Some(length) = standing.record.length {
        answer.insert(wire::LENGTH, length.into());
    }
    if let Some(value) = HeaderValue::from_str(&standing.record.metadata).ok().filter(|value| !value.is_empty()) {
        answer.insert(wire::METADATA, value);
    }
    wire::expires(answer, standing.expires);
    Ok(response)
}

/// Takes a piece.
pub(super) async fn patch(AxumState(state): AxumState<State>, name: Name, headers: HeaderMap, body: Body) -> Response {
    versioned(piece(state, name, &headers, body).await.into_response())
}

async fn piece(state: State, name: Name, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    wire::check_version(headers)?;
    let id = id(name)?;
    if !is_one_of(headers, &[PIECE]) {
        return Err(Problem::new(Kind::UnsupportedType, format!("Content-Type: expected {PIECE}")));
    }
    let from = wire::number(headers, &wire::OFFSET)?;
    let from = from.ok_or_else(|| Problem::new(Kind::BadRequest, format!("{}: is missing", wire::OFFSET)))?;
    let checksum = Checksum::of(headers)?;
    let opening = state.clone();
    let upload = blocking(move || {
        let upload = store::open(&opening, &id)?;
        let offset = upload.offset()?;
        match offset == from {
            true => Ok(upload),
            false => Err(Problem::new(Kind::Conflict, format!("the upload goes on at byte {offset}, not at {from}"))),
        }
    })
    .await??;
    let offset = append(state, upload, headers, body, checksum).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.headers_mut().insert(wire::OFFSET, offset.into());
    wire::expires(response.headers_mut(), SystemTime::now().checked_add(LIFE));
    Ok(response)
}

/// Receives a piece; an upload that is whole then becomes a package. Gives the offset behind it.
async fn append(
    state: State,
    mut upload: Upload,
    headers: &HeaderMap,
    body: Body,
    checksum: Option<Checksum>,
) -> Result<u64, Problem> {
    let from = upload.offset()?;
    let most = upload.record.length.unwrap_or(from).saturating_sub(from);
    let too_long = || Problem::new(Kind::TooLarge, format!("{most} bytes are left of the upload's length"));
    if wire::number(headers, &header::CONTENT_LENGTH)?.is_some_and(|length| length > most) {
        return Err(too_long());
    }
    let verified = checksum.is_some();
    if verified {
        // What a crash leaves of this request is not to be trusted.
        upload.record.doubtful_from = Some(from);
        let noting = state.clone();
        upload = blocking(move || upload.note(&noting).map(|()| upload)).await??;
    }
    let (upload, checksum, received) = receive(state.clone(), upload, body, most, checksum).await;
    let outcome = match received {
        Ok(()) if checksum.is_some_and(|checksum| !checksum.agrees()) => Err((wire::wrong_checksum(), true)),
        Ok(()) => Ok(()),
        // A piece that is not whole cannot be compared with its checksum.
        Err(Stop::Broken) => Err((Problem::new(Kind::BadRequest, "the body broke off"), verified)),
        Err(Stop::TooLong) => Err((too_long(), true)),
        Err(Stop::Refused(problem)) => Err((problem, verified)),
    };
    let settling = state.clone();
    let (upload, offset) = blocking(move || {
        let mut upload = upload;
        if let Err((problem, cut)) = outcome {
            if cut {
                let cut = upload.file.truncate(from);
                cut.map_err(|error| store::failed("the upload cannot be cut back", &error))?;
                settle(&settling, &mut upload)?;
            }
            return Err(problem);
        }
        settle(&settling, &mut upload)?;
        let offset = upload.offset()?;
        Ok((upload, offset))
    })
    .await??;
    if upload.record.length == Some(offset) {
        finish(state, upload).await?;
    }
    Ok(offset)
}

/// Nothing of it is in doubt any more.
fn settle(state: &State, upload: &mut Upload) -> Result<(), Problem> {
    match upload.record.doubtful_from.take() {
        Some(_) => upload.note(state),
        None => Ok(()),
    }
}

/// Gives an upload up.
pub(super) async fn terminate(AxumState(state): AxumState<State>, name: Name, headers: HeaderMap) -> Response {
    let removed = async {
        wire::check_version(&headers)?;
        let id = id(name)?;
        blocking(move || store::open(&state, &id).and_then(|upload| upload.remove(&state))).await??;
        Ok::<_, Problem>(StatusCode::NO_CONTENT)
    };
    versioned(removed.await.into_response())
}

/// For clients whose way here lets no other methods pass.
pub(super) async fn overridden(state: AxumState<State>, name: Name, headers: HeaderMap, body: Body) -> Response {
    let method = headers.get(wire::METHOD_OVERRIDE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match method {
        "PATCH" => patch(state, name, headers, body).await,
        "DELETE" => terminate(state, name, headers).await,
        "HEAD" => head(state, name, headers).await,
        _ => {
            let mut answer = Problem::new(Kind::MethodNotAllowed, "expected HEAD, PATCH or DELETE").into_response();
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("HEAD, PATCH, DELETE"));
            versioned(answer)
        }
    }
}

fn id(name: Name) -> Result<Id, Problem> {
    name.ok().and_then(|Path(name)| Id::parse(&name)).ok_or_else(store::no_such_upload)
}
