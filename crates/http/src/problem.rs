//! Errors as RFC 9457 problem details, without a word about the host's paths.

use std::io;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pdp_packager::{ArchiveError, ErrorKind, PackagerError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::roots::Roots;

/// What went wrong, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// What kind of problem it is: `urn:pdp:problem:` and a word.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words; the same for every problem of a kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time, where, what was expected and what was found.
    pub detail: String,
    /// Each single finding, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// The kinds of problems: word, status, title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $status:ident, $title:literal;)*) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The last part of its `type`.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its status.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// Its title.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

kinds! {
    /// The request cannot be understood.
    BadRequest = "bad-request", BAD_REQUEST, "The request cannot be understood";
    /// A token is needed, or the one given is not right.
    Unauthorized = "unauthorized", UNAUTHORIZED, "A token is needed";
    /// The request is not allowed.
    Forbidden = "forbidden", FORBIDDEN, "The request is not allowed";
    /// There is no such thing.
    NotFound = "not-found", NOT_FOUND, "There is no such thing";
    /// The path is there, with other methods.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The method is not allowed here";
    /// The body takes too long to arrive.
    Timeout = "timeout", REQUEST_TIMEOUT, "The request took too long to arrive";
    /// What is there stands against it.
    Conflict = "conflict", CONFLICT, "What is there stands against it";
    /// Somebody else works on it.
    Locked = "locked", LOCKED, "Somebody else works on it";
    /// The job was cancelled.
    Cancelled = "cancelled", CONFLICT, "The job was cancelled";
    /// The thing was there, and is not any more.
    Gone = "gone", GONE, "It is not there any more";
    /// A length is needed.
    LengthRequired = "length-required", LENGTH_REQUIRED, "The length must be given";
    /// A condition does not hold.
    PreconditionFailed = "precondition-failed", PRECONDITION_FAILED, "A condition does not hold";
    /// The body is too large.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// The body has another type.
    UnsupportedType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body has another type";
    /// The range lies outside.
    RangeNotSatisfiable = "range-not-satisfiable", RANGE_NOT_SATISFIABLE, "The range lies outside";
    /// The request was sent to another host.
    Misdirected = "misdirected", MISDIRECTED_REQUEST, "The request was meant for another host";
    /// The values make no sense.
    Invalid = "invalid-value", UNPROCESSABLE_ENTITY, "A value cannot be used";
    /// Nothing matches.
    NoData = "no-data", UNPROCESSABLE_ENTITY, "No data matches";
    /// The package is damaged or unsafe.
    InvalidPackage = "invalid-package", UNPROCESSABLE_ENTITY, "The package is invalid";
    /// A checksum differs.
    ChecksumMismatch = "checksum-mismatch", UNPROCESSABLE_ENTITY, "The checksum differs";
    /// Too much at once.
    TooMany = "too-many-jobs", TOO_MANY_REQUESTS, "Too much at once";
    /// Headers are too large.
    HeadersTooLarge = "headers-too-large", REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too large";
    /// It failed for reasons of the machine.
    Failed = "failed", INTERNAL_SERVER_ERROR, "It failed for reasons of the server's machine";
    /// The server ends.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The server is not available now";
    /// No room.
    NoSpace = "no-space", INSUFFICIENT_STORAGE, "There is not enough room";
}

impl Problem {
    /// A problem of this kind.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:pdp:problem:{}", kind.word()),
            title: kind.title().to_owned(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            findings: Vec::new(),
        }
    }

    /// What went wrong in the packager; `shown` turns texts that may hold paths of the host into texts that may be shown.
    pub fn of(error: &PackagerError, shown: impl Fn(&str) -> String) -> Self {
        let kind = kind_of(error);
        let (detail, findings) = match error {
            PackagerError::Invalid { summary, findings } | PackagerError::Conflicts { summary, findings } => {
                (summary.clone(), findings.iter().map(|finding| shown(finding)).collect())
            }
            PackagerError::NoSpace { needed, available, .. } => {
                (format!("not enough space: {needed} bytes are needed, {available} are free"), Vec::new())
            }
            PackagerError::Locked { .. } => ("the destination is locked by another import".to_owned(), Vec::new()),
            _ if kind == Kind::NoSpace => ("the disk is full; nothing was left behind".to_owned(), Vec::new()),
            other => (other.to_string(), Vec::new()),
        };
        Self { findings, ..Self::new(kind, shown(&detail)) }
    }
}

/// What the disk said, wherever it stands in the chain of causes.
fn disk_error(error: &PackagerError) -> Option<io::ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        cause = error.source();
    }
    None
}

fn kind_of(error: &PackagerError) -> Kind {
    match error {
        PackagerError::NotFound { what: "data root", .. } => return Kind::Unavailable,
        other if other.kind() == ErrorKind::Failed => match disk_error(other) {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => return Kind::NoSpace,
            // What was there a moment ago is gone, or something else is in its place.
            Some(io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory) => {
                return Kind::Conflict;
            }
            _ => {}
        },
        _ => {}
    }
    match error {
        PackagerError::NoData { .. } => Kind::NoData,
        PackagerError::Conflicts { .. } | PackagerError::Locked { .. } => Kind::Conflict,
        PackagerError::Archive(ArchiveError::Exists { .. }) => Kind::Conflict,
        PackagerError::NoSpace { .. } => Kind::NoSpace,
        other => match other.kind() {
            ErrorKind::Usage => Kind::Invalid,
            ErrorKind::Invalid => Kind::InvalidPackage,
            ErrorKind::NotFound => Kind::NotFound,
            ErrorKind::Interrupted => Kind::Cancelled,
            ErrorKind::Failed => Kind::Failed,
        },
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"pdp\""));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

/// What went wrong in the packager: all of it goes to the log, and what may be said outside is the answer.
pub(crate) fn logged(roots: &Roots, error: &PackagerError) -> Problem {
    logged_as(roots, error, str::to_owned)
}

/// As [`logged`], of texts that are to be changed before they are shown.
pub(crate) fn logged_as(roots: &Roots, error: &PackagerError, change: impl Fn(&str) -> String) -> Problem {
    let problem = Problem::of(error, |text| without_paths(&roots.scrub(&change(text))));
    if problem.status >= StatusCode::INTERNAL_SERVER_ERROR.as_u16() {
        tracing::error!(%error, "failed");
    }
    problem
}

/// A text whose words are no absolute paths; those of the roots have been taken off already.
fn without_paths(text: &str) -> String {
    let is_path = |word: &str| {
        let bare = word.trim_start_matches(['"', '\'', '(']);
        bare.strip_prefix('/').is_some_and(|rest| rest.contains('/'))
    };
    let words = text.split(' ').map(|word| match is_path(word) {
        true if word.ends_with(':') => "(a path of the server):",
        true => "(a path of the server)",
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t143_texts_hold_no_absolute_paths() {
        assert_eq!(
            without_paths("writing /var/lib/x/y.zip: No space left (see \"/etc/passwd\")"),
            "writing (a path of the server): No space left (see (a path of the server)"
        );
        assert_eq!(without_paths("data/a/b.jsonl: 1/2 and / or"), "data/a/b.jsonl: 1/2 and / or");
    }
}
