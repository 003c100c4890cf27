//! The routes.

use axum::Router;
use axum::routing::get;

use crate::State;

pub(crate) fn router(state: State) -> Router {
    Router::new().route("/health", get(health)).with_state(state)
}

async fn health() -> &'static str {
    "{\"status\":\"ok\"}"
}
