//! Who sends a request, and what it may do here.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::{is_write, session};
use crate::problem::{Kind, Problem};
use crate::state::State;

/// What needs no token: the page, what it needs before somebody has given one, and what says nothing secret.
fn is_open(path: &str) -> bool {
    matches!(path, "/" | "/health" | "/favicon.ico" | "/api/session" | "/api/openapi.json" | "/api/docs")
        || path.starts_with("/assets/")
        || path.starts_with("/api/docs/")
}

/// Refuses what may not be done by whoever sends it.
pub(super) async fn check(head: &Parts, state: &State) -> Result<(), Problem> {
    let path = head.uri.path();
    if !is_open(path) {
        authenticate(head, state).await?;
    }
    let changes_nothing = matches!(path, "/api/packaging/validate" | "/api/session");
    if state.settings().read_only && is_write(&head.method) && !changes_nothing {
        return Err(Problem::new(Kind::Forbidden, "this server changes nothing: it was started with --read-only"));
    }
    Ok(())
}

async fn authenticate(head: &Parts, state: &State) -> Result<(), Problem> {
    let Some(token) = &state.settings().token else { return Ok(()) };
    let mut given = head.headers.get_all(AUTHORIZATION).iter();
    match (given.next(), given.next()) {
        (None, _) if session::of(&head.headers, state).is_some() => Ok(()),
        (None, _) => {
            Err(Problem::new(Kind::Unauthorized, "give the token as Authorization: Bearer, or open a session"))
        }
        (Some(value), None) if bearer(value.as_bytes()).is_some_and(|given| token.is(given)) => Ok(()),
        _ => Err(state.gate().slowness.wrong_token().await),
    }
}

/// What stands behind `Bearer`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| rest.trim_ascii())
}

/// How long whoever gives a wrong token must wait for the answer: longer with every wrong one, for everybody who is wrong.
#[derive(Debug, Default)]
pub(super) struct Slowness(Mutex<Option<(Instant, u32)>>);

/// How long after the last wrong token everything is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

impl Slowness {
    /// Waits, and gives what to answer.
    pub(super) async fn wrong_token(&self) -> Problem {
        tokio::time::sleep(self.next(Instant::now())).await;
        Problem::new(Kind::Unauthorized, "this is not the token")
    }

    fn next(&self, now: Instant) -> Duration {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.filter(|(at, _)| now.saturating_duration_since(*at) < FORGOTTEN_AFTER).map_or(0, |(_, n)| n);
        *last = Some((now, before.saturating_add(1)));
        Duration::from_millis(100).saturating_mul(1 << before.min(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_tokens_wait_longer_until_they_are_forgotten() {
        let (slowness, start) = (Slowness::default(), Instant::now());
        let waits: Vec<_> = (0..8).map(|_| slowness.next(start).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 3200, 3200]);
        assert_eq!(slowness.next(start + FORGOTTEN_AFTER).as_millis(), 100);
    }

    #[test]
    fn bearers() {
        assert_eq!(bearer(b"Bearer abc"), Some(b"abc".as_slice()));
        assert_eq!(bearer(b"bEARER  abc "), Some(b"abc".as_slice()));
        for other in [b"Basic abc".as_slice(), b"Bearer", b"", b"Bearerabc"] {
            assert_eq!(bearer(other), None);
        }
    }

    #[test]
    fn what_is_open_is_named() {
        assert!(is_open("/") && is_open("/assets/a.js") && is_open("/api/docs/x.css"));
        for path in ["/api", "/api/", "/api/packaging/list", "/api/session/", "/api/docsx", "//", "/assets", "", "*"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
