//! A panic is our fault, and costs the one request that met it.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::{Kind, Problem};

pub(super) async fn caught(request: Request, next: Next) -> Response {
    let mut run = pin!(next.run(request));
    // What a panic leaves behind is dropped with the request; what is shared is behind locks that bear it.
    let outcome = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    });
    outcome.await.unwrap_or_else(|panic| {
        tracing::error!(panic = said(panic.as_ref()), "a request met a panic");
        Problem::new(Kind::Failed, "the request met an error in the program; its log says more").into_response()
    })
}

/// What the panic said, where it is a text.
fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("not a text")
}
