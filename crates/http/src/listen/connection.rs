//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep_until};
use tower::ServiceExt as _;

use super::Shared;
use super::limits::Limits;
use super::register::Place;
use super::socket::Socket;
use super::watch::{Command, Phase, Watch};
use crate::problem::{Kind, Problem};

type Connection = http1::Connection<TokioIo<Socket>, Requests>;
type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Least and usual room for what is read of one connection; answers are buffered in as much.
const BUFFER: usize = 64 << 10;
/// How long, and how much, is read of a client that goes on sending after it has its answer: closing at once would take the
/// answer from it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 << 20;

/// How a connection ended.
enum End {
    /// Both sides have nothing more to say.
    Done,
    /// Something went wrong between them.
    Broken,
    /// It was told to end.
    Told,
    /// The client took too long.
    Late,
}

/// Serves the connection until it ends.
pub(super) async fn run(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    let watch = Watch::new();
    let mut place = shared.register.enter(&watch);
    let requests = Requests { router: shared.router.clone(), watch: watch.clone(), peer };
    let limits = &shared.limits;
    let mut connection = http1::Builder::new()
        .half_close(true)
        .header_read_timeout(None)
        .max_header_size(limits.max_header_bytes)
        .max_headers(limits.max_headers)
        .max_buf_size(BUFFER.max(limits.max_header_bytes))
        .serve_connection(TokioIo::new(Socket::new(stream, watch.clone())), requests);
    let end = drive(&mut connection, &watch, &mut place, limits).await;
    let socket = connection.into_parts().io.into_inner();
    let asks = matches!(watch.lock().phase, Phase::Head { .. });
    match end {
        End::Done if !socket.is_in_body() => {}
        End::Done | End::Broken => linger(socket, &watch, &mut place).await,
        // Whoever has begun to ask is told; nothing can have been written yet.
        End::Late if asks => say(socket.stream(), "408 Request Timeout"),
        End::Told if asks => say(socket.stream(), "503 Service Unavailable"),
        End::Late | End::Told => {}
    }
}

/// Tells a client for whom there is no room.
pub(super) fn turn_away(stream: &TcpStream) {
    say(stream, "503 Service Unavailable");
}

/// Sends an answer without a body if it can be sent at once; a client that does not hear it sees the end.
fn say(stream: &TcpStream, status: &str) {
    let retry = if status.starts_with("503") { "retry-after: 5\r\n" } else { "" };
    let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\n{retry}content-length: 0\r\n\r\n");
    let _ = stream.try_write(answer.as_bytes());
}

/// Polls the connection, and with it its deadline and what it is told.
async fn drive(connection: &mut Connection, watch: &Watch, place: &mut Place<'_>, limits: &Limits) -> End {
    let mut sleep = pin!(sleep_until(Instant::now().into()));
    let mut deadline = None;
    let mut draining = false;
    let mut since = None;
    poll_fn(|cx| {
        let command = {
            let mut doing = watch.lock();
            doing.wake(cx.waker());
            doing.command
        };
        match command {
            Command::Close => return Poll::Ready(End::Told),
            Command::Drain if !draining => {
                draining = true;
                Pin::new(&mut *connection).graceful_shutdown();
            }
            Command::Drain | Command::Serve => {}
        }
        if let Poll::Ready(outcome) = connection.poll_without_shutdown(cx) {
            return Poll::Ready(if outcome.is_ok() { End::Done } else { End::Broken });
        }
        let (phase, rank, next) = {
            let doing = watch.lock();
            (doing.phase, doing.rank(), doing.deadline(limits))
        };
        if draining && matches!(phase, Phase::Waiting { .. } | Phase::Head { .. }) && rank.is_some() {
            return Poll::Ready(End::Told);
        }
        let now_since = match phase {
            Phase::Waiting { since, .. } => Some(since),
            Phase::Head { .. } => since,
            Phase::Request { .. } => None,
        };
        place.set(watch, rank, now_since != since);
        since = now_since;
        late(sleep.as_mut(), &mut deadline, next, cx)
    })
    .await
}

/// Whether the deadline, which may have moved, is over.
fn late(
    mut sleep: Pin<&mut Sleep>,
    set: &mut Option<Instant>,
    next: Option<Instant>,
    cx: &mut Context<'_>,
) -> Poll<End> {
    let Some(next) = next else {
        *set = None;
        return Poll::Pending;
    };
    if *set != Some(next) {
        *set = Some(next);
        sleep.as_mut().reset(next.into());
    }
    sleep.poll(cx).map(|()| End::Late)
}

/// Ends our side and waits a little for the client to end its own, so that it can read the answer.
async fn linger(socket: Socket, watch: &Watch, place: &mut Place<'_>) {
    use tokio::io::AsyncWriteExt as _;
    place.set(watch, Some(super::watch::Rank::Asks), true);
    let mut socket = socket;
    let read = async {
        if socket.shutdown().await.is_err() {
            return;
        }
        let mut left = LINGER_BYTES;
        let mut scratch = vec![0; BUFFER];
        while let Ok(count @ 1..) = socket.read(&mut scratch).await {
            left = left.saturating_sub(count);
            if left == 0 {
                return;
            }
        }
    };
    let mut read = pin!(tokio::time::timeout(LINGER, read));
    poll_fn(|cx| {
        let command = {
            let mut doing = watch.lock();
            doing.wake(cx.waker());
            doing.command
        };
        if command == Command::Serve { read.as_mut().poll(cx).map(|_| ()) } else { Poll::Ready(()) }
    })
    .await;
}

/// The requests of one connection on their way to the router.
struct Requests {
    router: Router,
    watch: Watch,
    peer: SocketAddr,
}

impl Service<hyper::Request<Incoming>> for Requests {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Answer {
        let (ambiguous, last) = {
            let mut doing = self.watch.lock();
            (std::mem::take(&mut doing.ambiguous), doing.last)
        };
        let (router, peer) = (self.router.clone(), self.peer);
        Box::pin(async move {
            let mut response = if ambiguous {
                tracing::warn!(%peer, "a request with both Content-Length and Transfer-Encoding");
                let text = "a request has Content-Length or Transfer-Encoding, not both";
                Problem::new(Kind::BadRequest, text).into_response()
            } else {
                request.extensions_mut().insert(ConnectInfo(peer));
                let Ok(response) = router.oneshot(request).await;
                response
            };
            if last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response)
        })
    }
}
