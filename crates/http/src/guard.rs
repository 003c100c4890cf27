//! What stands between the network and the routes: whom a request was meant for, who sends it, what it may, how much it
//! may bring, and what every answer says.
//!
//! A page of another site can make a browser send requests to this machine. It cannot read the answers, and it can neither
//! leave out `Host` and `Origin` nor choose them; so both are looked at before anything else is.

mod access;
mod body;
mod fallback;
mod headers;
mod host;
mod json;
mod log;
mod origin;
mod panics;
mod session;

use axum::Router;
use axum::extract::{Request, State as Extract};
use axum::http::Method;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

pub use self::host::is_host_name;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::state::State;

/// What the guard remembers between requests.
#[derive(Debug)]
pub(crate) struct Gate {
    hosts: host::Names,
    sessions: session::Sessions,
    slowness: access::Slowness,
    room: body::Room,
}

impl Gate {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            hosts: host::Names::new(&settings.allowed_hosts),
            sessions: session::Sessions::default(),
            slowness: access::Slowness::default(),
            room: body::Room::default(),
        }
    }
}

/// Puts the guard before `router`, and adds what belongs to it: sessions, and answers where there is no route.
pub(crate) fn protect(router: Router, state: State) -> Router {
    router
        .merge(session::routes(state.clone()))
        .fallback(fallback::not_found)
        .method_not_allowed_fallback(fallback::method_not_allowed)
        .layer(from_fn_with_state(state, check))
        .layer(from_fn(panics::caught))
        .layer(from_fn(headers::add))
        .layer(from_fn(log::record))
}

async fn check(Extract(state): Extract<State>, request: Request, next: Next) -> Response {
    match admit(&state, request).await {
        Ok((request, watch)) => watch.judge(next.run(request).await),
        Err(problem) => problem.into_response(),
    }
}

/// The request as the routes may see it.
async fn admit(state: &State, request: Request) -> Result<(Request, body::Watch), Problem> {
    let (head, body) = request.into_parts();
    let host = host::check(&head, &state.gate().hosts)?;
    if is_write(&head.method) || head.method == Method::OPTIONS {
        origin::check(&head.headers, &host)?;
    }
    access::check(&head, state).await?;
    let (body, watch) = body::limit(&head, body, state).await?;
    Ok((Request::from_parts(head, body), watch))
}

/// Whether the method may change something; one that nobody knows may.
fn is_write(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}
