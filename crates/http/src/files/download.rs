//! Downloads of packages and of what lies beside them.

mod block;
mod body;
pub(super) mod conditions;
mod range;

use std::fs::{File, Metadata};
use std::time::SystemTime;

use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use pdp_archive::disk::Kind as EntryKind;
use serde::Deserialize;

use self::body::{FileBody, Piece};
use self::conditions::{Validators, Verdict};
use self::range::{Span, Wanted};
use super::names::{self, Archive};
use super::{blocking, random_name, restream};
use crate::State;
use crate::problem::{Kind, Problem};
use crate::roots::{FileName, no_such_package};

/// What may stand behind the question mark.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Form {
    /// The form in which the package is wanted; as it lies when there is none.
    #[serde(rename = "as")]
    wanted: Option<String>,
}

pub(super) async fn download(
    AxumState(state): AxumState<State>,
    method: Method,
    name: Result<Path<String>, PathRejection>,
    form: Result<Query<Form>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = names::segment(name.as_ref().ok().map(|Path(name)| name.as_str())).ok_or_else(no_such_package)?;
    let Query(form) = form.map_err(|error| Problem::new(Kind::BadRequest, error.body_text()))?;
    match form.wanted.as_deref() {
        None => {}
        Some("tar.gz") => return restream::restream(state, name, &method).await,
        Some(_) => return Err(Problem::new(Kind::BadRequest, "as: expected tar.gz, or nothing")),
    }
    let (name, file, found) = blocking(move || open(&state, name)).await??;
    answer(&name, file, &found, &method, &headers)
}

/// Opens the file.
fn open(state: &State, name: FileName) -> Result<(FileName, File, Metadata), Problem> {
    let directory = state.roots().packages();
    // Only packages are served, and what lies beside one: an archive, or a folder, which is no file itself.
    let served = Archive::of(name.as_str()).is_some()
        || names::beside(name.as_str()).is_some_and(|package| {
            Archive::of(package).is_some() || matches!(directory.kind(package), Ok(Some(EntryKind::Directory)))
        });
    let file = Some(&name).filter(|_| served).and_then(|name| directory.read(name.as_str()).ok());
    let file = file.ok_or_else(no_such_package)?;
    let metadata = file.metadata().map_err(|_| no_such_package())?;
    Ok((name, file, metadata))
}

fn answer(
    name: &FileName,
    file: File,
    metadata: &Metadata,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (size, validators) = (metadata.len(), Validators::of(metadata));
    let mut own = HeaderMap::new();
    validators.put(&mut own);
    own.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    match validators.check(headers) {
        Verdict::Go => {}
        Verdict::NotModified => return Ok((StatusCode::NOT_MODIFIED, own).into_response()),
        Verdict::Failed => {
            return Err(Problem::new(Kind::PreconditionFailed, "the file is another one than the request asks for"));
        }
    }
    let media_type = Archive::of(name.as_str()).map_or("text/plain; charset=utf-8", Archive::media_type);
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    own.insert(header::CONTENT_DISPOSITION, names::attachment(name.as_str()));
    own.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let asked = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let asked = asked.filter(|_| method == Method::GET && validators.allow_range(headers, SystemTime::now()));
    let whole = Span { start: 0, end: size };
    let (status, pieces) = match asked.map_or(Wanted::Whole, |value| range::wanted(value, size)) {
        Wanted::Whole => (StatusCode::OK, vec![Piece::Span(whole)]),
        Wanted::Nothing => {
            let mut refusal =
                Problem::new(Kind::RangeNotSatisfiable, format!("there are {size} bytes")).into_response();
            refusal.headers_mut().insert(header::CONTENT_RANGE, value(format!("bytes */{size}"))?);
            return Ok(refusal);
        }
        Wanted::Parts(parts) => match parts.as_slice() {
            [span] => {
                own.insert(header::CONTENT_RANGE, value(content_range(*span, size))?);
                (StatusCode::PARTIAL_CONTENT, vec![Piece::Span(*span)])
            }
            parts => {
                // A line that stands in no file.
                let boundary = random_name()?;
                own.insert(header::CONTENT_TYPE, value(format!("multipart/byteranges; boundary={boundary}"))?);
                (StatusCode::PARTIAL_CONTENT, multipart(parts, size, media_type, &boundary))
            }
        },
    };
    let body = FileBody::new(file, pieces);
    let length = http_body::Body::size_hint(&body).lower();
    own.insert(header::CONTENT_LENGTH, length.into());
    let body = if method == Method::HEAD { Body::empty() } else { Body::new(body) };
    Ok((status, own, body).into_response())
}

/// The parts, each under its own header.
fn multipart(parts: &[Span], size: u64, media_type: &str, boundary: &str) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(parts.len() * 2 + 1);
    for (span, line) in parts.iter().zip(std::iter::once("").chain(std::iter::repeat("\r\n"))) {
        let range = content_range(*span, size);
        let head = format!("{line}--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {range}\r\n\r\n");
        pieces.extend([Piece::Text(Bytes::from(head)), Piece::Span(*span)]);
    }
    pieces.push(Piece::Text(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    pieces
}

fn content_range(span: Span, size: u64) -> String {
    format!("bytes {}-{}/{size}", span.start, span.end.saturating_sub(1))
}

fn value(text: String) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&text).map_err(|_| Problem::new(Kind::Failed, "a header cannot be written"))
}
