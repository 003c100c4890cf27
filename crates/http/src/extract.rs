//! What a request says, taken apart; what cannot be is a problem that says where.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::State;
use crate::problem::{Kind, Problem};

/// A JSON body of a type that is known.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<State> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Kind::UnsupportedType, "expected a body with Content-Type: application/json"));
        }
        let limit = state.settings().max_json_bytes;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let body = axum::body::to_bytes(request.into_body(), most);
        let bytes: Bytes = body.await.map_err(|error| {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(next) = cause.source() {
                cause = next;
            }
            match cause.to_string().contains("length limit") {
                true => Problem::new(Kind::TooLarge, format!("a JSON body has at most {limit} bytes")),
                false => Problem::new(Kind::BadRequest, "the body did not arrive whole"),
            }
        })?;
        parse(&bytes).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// Reads an object, in which the guard has found nothing twice; nothing may be unknown.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let bad = |error: serde_json::Error| {
        // A value of a wrong kind or word is told from text that is no JSON.
        let kind = if error.is_data() { Kind::Invalid } else { Kind::BadRequest };
        Problem::new(kind, format!("the body: {error}"))
    };
    // An array would be read field by field, unnamed.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return Err(Problem::new(Kind::BadRequest, "the body: expected an object"));
    }
    serde_json::from_slice(bytes).map_err(bad)
}

/// The parameters behind the question mark; unknown ones are refused, for they would do nothing.
pub(crate) struct Parameters<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(parameters)) => Ok(Self(parameters)),
            Err(rejection) => {
                let cause = std::error::Error::source(&rejection).map(ToString::to_string);
                let detail = format!("the query: {}", cause.unwrap_or_else(|| rejection.body_text()));
                Err(Problem::new(Kind::BadRequest, detail))
            }
        }
    }
}

/// The one component of the path that a route leaves open.
pub(crate) struct Segment(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            // Text that is not UTF-8 names nothing.
            Err(_) => Err(Problem::new(Kind::NotFound, "there is nothing of this name")),
        }
    }
}
