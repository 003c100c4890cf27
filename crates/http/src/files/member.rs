//! Single members of packages.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as AxumState};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body::{Frame, SizeHint};
use pdp_packager::manifest::PackagePath;
use pdp_packager::{MemberReader, PackagerError, Silent};
use serde::Deserialize;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::download::conditions::{Validators, Verdict};
use super::opened::Opened;
use super::{blocking, names};
use crate::State;
use crate::problem::{Kind, Problem};

/// How many blocks wait for the client.
const BLOCKS: usize = 4;

/// Which member of which package.
#[derive(Debug, Deserialize)]
pub(super) struct Question {
    path: String,
    member: String,
}

pub(super) async fn member(
    AxumState(state): AxumState<State>,
    method: Method,
    question: Result<Query<Question>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Query(question) = question.map_err(|error| Problem::new(Kind::BadRequest, error.body_text()))?;
    let found = state.clone();
    let opened = blocking(move || Opened::find(&found, &question.path)).await??;
    let none = || Problem::new(Kind::NotFound, "there is no member of this name in the package");
    let path: PackagePath = question.member.parse().map_err(|_| none())?;
    let (opened, reader) = open(state.clone(), opened).await?;
    let entry = reader.entry(&path).map_err(|error| match error {
        PackagerError::NotFound { .. } => none(),
        other => opened.problem(&state, &other),
    })?;

    let mut own = HeaderMap::new();
    if let Some(digest) = &entry.checksum_sha256 {
        let validators = Validators { etag: format!("\"{digest}\""), modified: None };
        validators.put(&mut own);
        match validators.check(&headers) {
            Verdict::Go => {}
            Verdict::NotModified => return Ok((StatusCode::NOT_MODIFIED, own).into_response()),
            Verdict::Failed => {
                let reason = "the member is another one than the request asks for";
                return Err(Problem::new(Kind::PreconditionFailed, reason));
            }
        }
    }
    let file_name = path.as_str().rsplit('/').next().unwrap_or_default();
    own.insert(header::CONTENT_TYPE, HeaderValue::from_static(names::media_type(file_name)));
    own.insert(header::CONTENT_LENGTH, entry.size_bytes.into());
    own.insert(header::CONTENT_DISPOSITION, names::attachment(file_name));
    own.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    // It is somebody's data: a browser must neither guess what it is nor run what is in it.
    own.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    own.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    if method == Method::HEAD {
        return Ok((own, Body::empty()).into_response());
    }
    let (pieces, mut inbox) = channel(BLOCKS);
    let reading = state.clone();
    tokio::task::spawn_blocking(move || {
        let outcome = reader.read(&path, &mut Pieces(&pieces), &Silent);
        let end = match outcome {
            Ok(_) => Piece::End,
            Err(error) => Piece::Failed(opened.problem(&reading, &error)),
        };
        // Whoever hung up need not be told.
        let _ = pieces.blocking_send(end);
    });
    // Of a small member everything is known before anything is promised.
    match inbox.recv().await {
        Some(Piece::Block(first)) => {
            Ok((own, Body::new(MemberBody { first: Some(first), inbox, left: entry.size_bytes })).into_response())
        }
        Some(Piece::End) => Ok((own, Body::empty()).into_response()),
        Some(Piece::Failed(problem)) => Err(problem),
        None => Err(Problem::new(Kind::Unavailable, "the server is being shut down")),
    }
}

/// Opens a package for reading members of it.
pub(super) async fn open(state: State, opened: Opened) -> Result<(Opened, MemberReader), Problem> {
    blocking(move || match MemberReader::open(&opened.path) {
        Ok(reader) => Ok((opened, reader)),
        Err(error) => Err(opened.problem(&state, &error)),
    })
    .await?
}

/// What the reading side hands over.
enum Piece {
    Block(Bytes),
    End,
    Failed(Problem),
}

/// The reading side's end of the channel.
struct Pieces<'a>(&'a Sender<Piece>);

impl Write for Pieces<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !bytes.is_empty() {
            let sent = self.0.blocking_send(Piece::Block(Bytes::copy_from_slice(bytes)));
            sent.map_err(|_| io::ErrorKind::BrokenPipe)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A member's bytes as they come.
struct MemberBody {
    first: Option<Bytes>,
    inbox: Receiver<Piece>,
    /// Bytes to come; none when everything came, for the last ones come when all are verified.
    left: u64,
}

impl http_body::Body for MemberBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let piece = match self.first.take() {
            Some(first) => Some(Piece::Block(first)),
            None => ready!(self.inbox.poll_recv(cx)),
        };
        Poll::Ready(Some(match piece {
            Some(Piece::Block(block)) => {
                self.left = self.left.saturating_sub(u64::try_from(block.len()).unwrap_or(u64::MAX));
                Ok(Frame::data(block))
            }
            // The body ends before its length is reached, and so does the connection.
            Some(Piece::Failed(problem)) => Err(io::Error::other(problem.detail)),
            Some(Piece::End) | None => Err(io::ErrorKind::UnexpectedEof.into()),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
