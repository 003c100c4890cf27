//! Packages as streams of TAR.GZ, whatever they are on the disk.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use http_body::Frame;
use pdp_packager::Silent;
use pdp_packager::stream::send;
use tokio::io::{AsyncRead as _, AsyncReadExt as _, DuplexStream, ReadBuf, duplex};
use tokio::task::JoinHandle;

use super::names::{self, Archive};
use super::opened::Opened;
use super::{blocking, member};
use crate::State;
use crate::problem::{Kind, Problem};
use crate::roots::FileName;

/// Most bytes that wait for the client.
const WAITING: usize = 256 << 10;

pub(super) async fn restream(state: State, name: FileName, method: &Method) -> Result<Response, Problem> {
    let found = state.clone();
    let opened = blocking(move || Opened::find(&found, name.as_str())).await??;
    let mut headers = HeaderMap::new();
    let file_name = format!("{}.tar.gz", names::stem(opened.name.as_str()));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(Archive::TarGz.media_type()));
    headers.insert(header::CONTENT_DISPOSITION, names::attachment(&file_name));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if method == Method::HEAD {
        member::open(state, opened).await?;
        // Of unknown length, as what a GET gives.
        return Ok((headers, Body::new(StreamBody::nothing())).into_response());
    }
    let (out, mut input) = duplex(WAITING);
    let (sent, sender) = (state, opened);
    let mut sending = tokio::spawn(async move {
        let outcome = send(&sender.path, out, Arc::new(Silent)).await;
        outcome.map(|_| ()).map_err(|error| sender.problem(&sent, &error))
    });
    // Nothing is promised before there is something: a package that is no sound one is known by then.
    let mut first = vec![0; WAITING];
    let read = match input.read(&mut first).await {
        Ok(0) | Err(_) => {
            return Err(match (&mut sending).await {
                Ok(Err(problem)) => problem,
                _ => Problem::new(Kind::Unavailable, "the server is being shut down"),
            });
        }
        Ok(read) => read,
    };
    first.truncate(read);
    let body = StreamBody { first: Some(first.into()), input, sending };
    Ok((headers, Body::new(body)).into_response())
}

/// What is sent, and whether it was sent to its end.
struct StreamBody {
    first: Option<Bytes>,
    input: DuplexStream,
    sending: JoinHandle<Result<(), Problem>>,
}

impl StreamBody {
    /// A body that has nothing in it, and does not say so.
    fn nothing() -> Self {
        let (_, input) = duplex(1);
        Self { first: None, input, sending: tokio::spawn(async { Ok(()) }) }
    }
}

impl http_body::Body for StreamBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let mut block = vec![0; WAITING];
        let mut buffer = ReadBuf::new(&mut block);
        ready!(Pin::new(&mut self.input).poll_read(cx, &mut buffer))?;
        let read = buffer.filled().len();
        if read > 0 {
            block.truncate(read);
            return Poll::Ready(Some(Ok(Frame::data(block.into()))));
        }
        // A stream that ended early must not look whole.
        match ready!(Pin::new(&mut self.sending).poll(cx)) {
            Ok(Ok(())) => Poll::Ready(None),
            Ok(Err(problem)) => Poll::Ready(Some(Err(io::Error::other(problem.detail)))),
            Err(error) => Poll::Ready(Some(Err(io::Error::other(error)))),
        }
    }
}

impl Drop for StreamBody {
    fn drop(&mut self) {
        // A client that hung up is not worked for.
        self.sending.abort();
    }
}
