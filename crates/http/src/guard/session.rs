//! Sessions of browsers: the token once, then a cookie.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State as Extract;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::problem::{Kind, Problem};
use crate::state::State;

const COOKIE_NAME: &str = "pdp_session";
/// How long a session lives.
const AGE: Duration = Duration::from_secs(12 * 60 * 60);
/// Most sessions at once; the oldest gives way.
const MOST: usize = 256;
/// Most cookies of our name that are looked at: another port of the same host may have set one too.
const MOST_COOKIES: usize = 8;

type Key = [u8; 32];

/// The sessions that are open: when each began, by the hash of its secret.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<Key, Instant>>);

impl Sessions {
    /// Begins a session and gives its secret.
    fn begin(&self, now: Instant) -> Result<String, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let secret = hex::encode(secret);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, began| now.saturating_duration_since(*began) < AGE);
        while open.len() >= MOST {
            let Some(oldest) = open.iter().min_by_key(|(_, began)| **began).map(|(key, _)| *key) else { break };
            open.remove(&oldest);
        }
        open.insert(key(&secret), now);
        Ok(secret)
    }

    fn is_open(&self, key: &Key, now: Instant) -> bool {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(key).is_some_and(|began| now.saturating_duration_since(*began) < AGE)
    }

    fn end(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

fn key(secret: &str) -> Key {
    Sha256::digest(secret.as_bytes()).into()
}

/// The open session that a request belongs to.
pub(super) fn of(headers: &HeaderMap, state: &State) -> Option<Key> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let ours = cookies.flat_map(|line| line.split(';')).filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then_some(value)
    });
    let now = Instant::now();
    ours.take(MOST_COOKIES).map(key).find(|key| state.gate().sessions.is_open(key, now))
}

/// `/api/session`.
pub(super) fn routes(state: State) -> Router {
    Router::new().route("/api/session", get(show).post(begin).delete(end)).with_state(state)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    token_required: bool,
    authenticated: bool,
    read_only: bool,
}

async fn show(Extract(state): Extract<State>, headers: HeaderMap) -> Json<Shown> {
    let token_required = state.settings().token.is_some();
    let authenticated = !token_required || of(&headers, &state).is_some();
    Json(Shown { token_required, authenticated, read_only: state.settings().read_only })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    token: String,
}

async fn begin(Extract(state): Extract<State>, headers: HeaderMap, body: Bytes) -> Result<Response, Problem> {
    let asked: Begin = serde_json::from_slice(&body)
        .map_err(|_| Problem::new(Kind::BadRequest, "expected {\"token\": \"...\"} and nothing else"))?;
    let Some(token) = &state.settings().token else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    if !token.is(asked.token.as_bytes()) {
        return Err(state.gate().slowness.wrong_token().await);
    }
    let secret = state.gate().sessions.begin(Instant::now());
    let secret = secret.map_err(|_| Problem::new(Kind::Unavailable, "the system gives no random numbers"))?;
    Ok(set(&headers, &secret, AGE))
}

async fn end(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    while let Some(key) = of(&headers, &state) {
        state.gate().sessions.end(&key);
    }
    set(&headers, "", Duration::ZERO)
}

fn set(headers: &HeaderMap, secret: &str, age: Duration) -> Response {
    // A proxy that speaks TLS says so; the cookie then never leaves it in the open.
    let tls = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
    let secure = if tls { "; Secure" } else { "" };
    let age = age.as_secs();
    let cookie = format!("{COOKIE_NAME}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age}{secure}");
    (StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie)])).into_response()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_random_few_and_end() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let first = sessions.begin(start).unwrap();
        assert_eq!(first.len(), 64);
        assert!(sessions.is_open(&key(&first), start) && !sessions.is_open(&key("x"), start));
        assert!(!sessions.is_open(&key(&first), start + AGE));
        let second = sessions.begin(start + Duration::from_secs(1)).unwrap();
        assert_ne!(first, second);
        for _ in 0..MOST - 1 {
            sessions.begin(start + Duration::from_secs(2)).unwrap();
        }
        assert!(!sessions.is_open(&key(&first), start) && sessions.is_open(&key(&second), start));
        assert_eq!(sessions.0.lock().unwrap().len(), MOST);
        sessions.end(&key(&second));
        assert!(!sessions.is_open(&key(&second), start));
    }
}
