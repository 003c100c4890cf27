//! Answers on their way out, and what goes wrong with them there.

use std::io;
use std::time::Duration;

use axum::body::{Body as Stream, Bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::api::{Answer, Body};
use crate::fault::Effect;
use crate::refusal::Refusal;

const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// How long the bytes before a cut have to leave, as what is in buffers then is lost.
const DRAIN: Duration = Duration::from_millis(50);
const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body><h1>Sign in to continue</h1></body></html>\n";

/// The answer that a fault gives in the place of the true one.
pub(crate) fn instead(effect: &Effect) -> Option<Answer> {
    match effect {
        Effect::Page => Some(Answer::new(StatusCode::OK, "text/html; charset=utf-8", PAGE)),
        Effect::NoBody => Some(Answer::new(StatusCode::OK, "application/zstd", "")),
        Effect::Status { status, retry_after, case } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = error(status, case.as_deref());
            if let Some(seconds) = retry_after {
                answer.headers.push((header::RETRY_AFTER, HeaderValue::from(*seconds)));
            }
            Some(answer)
        }
        _ => None,
    }
}

/// A gateway's page is not of the API's form; its other errors are.
fn error(status: StatusCode, case: Option<&str>) -> Answer {
    let reason = status.canonical_reason().unwrap_or("Error");
    if let Some(case) = case {
        let docs = "https://databento.com/docs";
        return Refusal::case(status, case, format!("{reason}."), docs, serde_json::Value::Null).into();
    }
    match status {
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
            let page = format!("<html><body><h1>{} {reason}</h1></body></html>\n", status.as_u16());
            Answer::new(status, "text/html", page)
        }
        StatusCode::TOO_MANY_REQUESTS => Refusal::text(status, "Rate limit exceeded. Try again later.").into(),
        _ => Refusal::text(status, reason).into(),
    }
}

/// The response of an answer.
pub(crate) async fn response(answer: Answer, effect: Option<&Effect>, number: u64) -> Response {
    if let Some(Effect::Stall { after: None, millis }) = effect {
        stall(*millis).await;
    }
    let body = match (answer.body, effect) {
        (body, Some(Effect::CutAfter(bytes))) => cut(pieces(body), *bytes),
        (body, Some(Effect::Stall { after: Some(bytes), millis })) => stalled(pieces(body), *bytes, *millis),
        (body, Some(Effect::Truncated)) => whole(half(pieces(body))),
        (Body::Whole(bytes), _) => Stream::from(bytes),
        (Body::Pieces(pieces), _) => whole(pieces),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    response.headers_mut().insert(REQUEST_ID, HeaderValue::from(number));
    response
}

fn pieces(body: Body) -> Vec<Bytes> {
    match body {
        Body::Whole(bytes) => vec![bytes],
        Body::Pieces(pieces) => pieces,
    }
}

async fn stall(millis: Option<u64>) {
    match millis {
        Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        None => std::future::pending().await,
    }
}

fn whole(pieces: Vec<Bytes>) -> Stream {
    Stream::from_stream(tokio_stream::iter(pieces.into_iter().map(Ok::<_, io::Error>)))
}

/// The first half: of the pieces, or of the bytes of a single one.
fn half(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    match pieces.as_mut_slice() {
        [only] => only.truncate(only.len() / 2),
        _ => pieces.truncate(pieces.len() / 2),
    }
    pieces
}

/// The first bytes, and then the rest.
fn split(pieces: Vec<Bytes>, at: usize) -> (Bytes, Bytes) {
    let mut first = Bytes::from(pieces.concat());
    let rest = first.split_off(at.min(first.len()));
    (first, rest)
}

/// A body that ends in an error: the connection is closed without saying that the body is over.
fn cut(pieces: Vec<Bytes>, after: usize) -> Stream {
    let (first, _) = split(pieces, after);
    sent(|out| async move {
        if out.send(Ok(first)).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
            let _ = out.send(Err(io::Error::other("cut on purpose"))).await;
        }
    })
}

fn stalled(pieces: Vec<Bytes>, after: usize, millis: Option<u64>) -> Stream {
    let (first, rest) = split(pieces, after);
    sent(move |out| async move {
        let _ = out.send(Ok(first)).await;
        // Whoever has gone need not be waited for.
        tokio::select! {
            () = stall(millis) => { let _ = out.send(Ok(rest)).await; }
            () = out.closed() => {}
        }
    })
}

/// A body that a task of its own writes.
fn sent<F>(write: impl FnOnce(mpsc::Sender<io::Result<Bytes>>) -> F) -> Stream
where
    F: Future<Output = ()> + Send + 'static,
{
    let (out, body) = mpsc::channel(1);
    tokio::spawn(write(out));
    Stream::from_stream(ReceiverStream::new(body))
}
