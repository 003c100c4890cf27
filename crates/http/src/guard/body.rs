//! How much a request may bring, and how long it may take.
//!
//! A JSON body is read here as a whole, so that no route has to think of clients that send too much or too slowly. An upload
//! goes through as it comes; it may take its time as long as something comes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::{is_write, json};
use crate::problem::{Kind, Problem};
use crate::state::State;

/// What all JSON bodies together may occupy beyond the first [`FREE`] bytes of each, so that thousands of slow clients do not
/// fill the memory.
#[derive(Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// What a body may occupy without asking.
const FREE: usize = 16 << 10;
/// What one permit is for.
const PIECE: usize = 64 << 10;
/// Pieces there are: 64 MiB.
const PIECES: usize = 1024;

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PIECES)))
    }
}

/// What is known of a body while its request is answered.
#[derive(Debug, Default)]
pub(super) struct Watch {
    stalled: Option<Arc<AtomicBool>>,
    /// Kept until the answer is there, since the body may be until then.
    _room: Option<OwnedSemaphorePermit>,
}

impl Watch {
    /// The answer: when the body stalled, that is what there is to say, whatever the route made of it.
    pub(super) fn judge(self, response: Response) -> Response {
        match self.stalled {
            Some(stalled) if stalled.load(Ordering::Relaxed) => stalled_for_too_long().into_response(),
            _ => response,
        }
    }
}

fn stalled_for_too_long() -> Problem {
    Problem::new(Kind::Timeout, "the body did not arrive in time")
}

/// Whether bodies at this path are packages.
fn is_upload(path: &str) -> bool {
    path.strip_prefix("/api/packaging/upload").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The body as the route may have it.
pub(super) async fn limit(head: &Parts, body: Body, state: &State) -> Result<(Body, Watch), Problem> {
    let settings = state.settings();
    if body.size_hint().exact() == Some(0) || !is_write(&head.method) {
        return Ok((body, Watch::default()));
    }
    if is_upload(head.uri.path()) {
        let stalled = Arc::new(AtomicBool::new(false));
        let body = Body::new(Patient::new(body, settings.upload_idle_timeout, Arc::clone(&stalled)));
        return Ok((body, Watch { stalled: Some(stalled), _room: None }));
    }
    if !is_json(&head.headers) {
        return Err(Problem::new(Kind::UnsupportedType, "the body must be JSON, with Content-Type: application/json"));
    }
    let most = usize::try_from(settings.max_json_bytes).unwrap_or(usize::MAX);
    // What is announced need not even be read.
    let announced = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let read = tokio::time::timeout(settings.json_timeout, read(body, most, &state.gate().room));
    let (bytes, room) = read.await.map_err(|_| stalled_for_too_long())??;
    json::check(&bytes)?;
    Ok((Body::from(bytes), Watch { stalled: None, _room: room }))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut given = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (given.next(), given.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("a JSON body has at most {most} bytes"))
}

async fn read(mut body: Body, most: usize, room: &Room) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Problem> {
    let mut bytes = Vec::new();
    let mut permit: Option<OwnedSemaphorePermit> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::new(Kind::BadRequest, "the body ended before it was complete"))?;
        let Ok(data) = frame.into_data() else { continue };
        let length = bytes.len().saturating_add(data.len());
        if length > most {
            return Err(too_large(most));
        }
        let needed = length.saturating_sub(FREE).div_ceil(PIECE);
        let held = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        if needed > held {
            let more = u32::try_from(needed - held).unwrap_or(u32::MAX);
            let more = Arc::clone(&room.0).try_acquire_many_owned(more);
            let more = more.map_err(|_| Problem::new(Kind::Unavailable, "too many large requests at once"))?;
            match &mut permit {
                Some(permit) => permit.merge(more),
                None => permit = Some(more),
            }
        }
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.into(), permit))
}

/// A body that fails when nothing comes for too long.
struct Patient {
    body: Body,
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Whether the deadline counts from a read that waits; what is not read is not late.
    waiting: bool,
    stalled: Arc<AtomicBool>,
}

impl Patient {
    fn new(body: Body, idle: Duration, stalled: Arc<AtomicBool>) -> Self {
        Self { body, idle, deadline: Box::pin(sleep(idle)), waiting: false, stalled }
    }
}

impl HttpBody for Patient {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            this.waiting = false;
            return Poll::Ready(frame);
        }
        if !this.waiting {
            this.waiting = true;
            this.deadline.as_mut().reset(Instant::now() + this.idle);
        }
        ready!(this.deadline.as_mut().poll(cx));
        this.stalled.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(io::Error::from(io::ErrorKind::TimedOut)))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn uploads_and_json_are_told_apart() {
        assert!(is_upload("/api/packaging/upload") && is_upload("/api/packaging/upload/1"));
        assert!(!is_upload("/api/packaging/uploads") && !is_upload("/api/packaging/create"));
        for (text, good) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]);
            assert_eq!(is_json(&headers), good, "{text}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
