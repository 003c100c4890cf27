//! The server itself.

use axum::Json;
use axum::extract::State as Extract;
use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use crate::State;
use crate::openapi::{Api, Operation};

pub(super) fn add(api: &mut Api) {
    let schema = api.schema::<Health>();
    api.on(
        Operation::new(Method::GET, "/health", "getHealth", "server")
            .says("Show that the server lives", "For whoever watches it; needs no token and tells nothing secret.")
            .open()
            .gives(200, "It lives", schema),
        health,
    );
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
