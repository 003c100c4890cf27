//! The server itself.

use axum::extract::State as Extract;
use axum::http::Method;
use axum::{Json, Router};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::State;
use crate::openapi::{Api, Operation};
use crate::problem::Kind;

pub(super) fn add(api: &mut Api) {
    let schema = api.schema::<Health>();
    api.on(
        Operation::new(Method::GET, "/health", "getHealth", "server")
            .says("Show that the server lives", "For whoever watches it; needs no token and tells nothing secret.")
            .open()
            .gives(200, "It lives", schema),
        health,
    );
    let shown = api.schema::<SessionView>();
    let session = |method, id| Operation::new(method, "/api/session", id, "server").open();
    // The guard answers these, before anything else is asked.
    let operations = vec![
        session(Method::GET, "getSession")
            .says("Show what a client may do", "Whether a token is needed, and whether this client has shown it.")
            .gives(200, "What it may", shown),
        session(Method::POST, "beginSession")
            .says("Show the token once", "For browsers: the answer sets a cookie that stands for the token.")
            .body(
                json!({
                    "type": "object", "required": ["token"], "additionalProperties": false,
                    "properties": {"token": {"type": "string", "description": "The server's token"}},
                }),
                json!({"token": "the-token-of-the-server"}),
            )
            .gives_as(204, "It is the token", &[])
            .with(204, "Set-Cookie", "`pdp_session`, for this host alone, not for scripts")
            .problems(&[Kind::Unauthorized, Kind::Invalid]),
        session(Method::DELETE, "endSession")
            .says("Forget the client", "The cookie stands for nothing any more.")
            .gives_as(204, "It is forgotten", &[]),
    ];
    api.merge(Router::new(), operations);
}

/// What a client may do.
#[derive(JsonSchema)]
#[schemars(rename = "Session", rename_all = "camelCase")]
#[allow(dead_code, reason = "for the schema: the guard gives it")]
struct SessionView {
    /// Whether the server has a token.
    token_required: bool,
    /// Whether this client has shown it, or needs none.
    authenticated: bool,
    /// Whether everything that changes a disk is refused.
    read_only: bool,
}

/// That the server lives, and how busy it is.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    /// `ok`.
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// Whether everything that changes a disk is refused.
    read_only: bool,
    /// Its jobs.
    jobs: JobCounts,
}

/// How many jobs there are.
#[derive(Debug, Serialize, JsonSchema)]
struct JobCounts {
    /// Being done.
    running: u64,
    /// Waiting for their turn.
    queued: u64,
}

async fn health(Extract(state): Extract<State>) -> Json<Health> {
    let counts = state.jobs().counts();
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        read_only: state.settings().read_only,
        jobs: JobCounts { running: number(counts.running), queued: number(counts.queued) },
    })
}
