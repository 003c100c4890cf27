//! One line of the log for each request, written when the last byte of the answer is on its way.
//!
//! It never holds headers, bodies or queries, so no token, cookie or secret; and of a path only what can be printed.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Most characters of a path that are written.
const LONGEST_PATH: usize = 1024;

pub(super) async fn record(request: Request, next: Next) -> Response {
    let mut line = Line::new(&request);
    let mut response = next.run(request).await;
    if let Ok(id) = HeaderValue::from_str(&line.id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    line.status = response.status().as_u16();
    response.map(|body| {
        let length = body.size_hint().exact();
        Body::new(Counted { body, line, length, ended: false })
    })
}

/// A number that no other request of this server has, behind one that other servers do not share.
fn next_id() -> String {
    static PROCESS: LazyLock<u32> = LazyLock::new(|| getrandom::u32().unwrap_or(0));
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("{:08x}-{}", *PROCESS, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// `text` with everything escaped that is not printable ASCII.
fn printable(text: &str) -> String {
    let escape = |c: char| if c.is_ascii_graphic() { c.to_string() } else { c.escape_default().to_string() };
    text.chars().take(LONGEST_PATH).map(escape).collect()
}

/// The line, which writes itself when it is dropped: also when the client went away first.
struct Line {
    id: String,
    begun: Instant,
    method: String,
    path: String,
    peer: Option<SocketAddr>,
    /// Zero as long as there is no answer.
    status: u16,
    bytes: u64,
    complete: bool,
}

impl Line {
    fn new(request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| *peer);
        Self {
            id: next_id(),
            begun: Instant::now(),
            method: printable(request.method().as_str()),
            path: printable(request.uri().path()),
            peer,
            status: 0,
            bytes: 0,
            complete: false,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let Self { id, method, path, status, bytes, complete, .. } = self;
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let peer = self.peer.map(|peer| peer.to_string()).unwrap_or_default();
        // Whoever watches over a server asks for its health every few seconds.
        if path == "/health" {
            tracing::debug!(id, method, path, status, bytes, ms, peer, complete, "request");
        } else {
            tracing::info!(id, method, path, status, bytes, ms, peer, complete, "request");
        }
    }
}

/// A body that is counted as it goes out.
struct Counted {
    body: Body,
    line: Line,
    /// Its length, where that is known.
    length: Option<u64>,
    ended: bool,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
            this.line.bytes = this.line.bytes.saturating_add(length);
        }
        this.ended = frame.is_none();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.line.complete = self.ended || self.body.is_end_stream() || self.length == Some(self.line.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_only_what_can_be_printed() {
        assert_eq!(printable("/a%0a/\u{1b}[2J\n\u{202e}é b"), "/a%0a/\\u{1b}[2J\\n\\u{202e}\\u{e9} b");
        assert_eq!(printable(&"x".repeat(5000)).len(), LONGEST_PATH);
        assert_ne!(next_id(), next_id());
    }
}
