//! How a server that runs is told what is to go wrong, and asked what it was asked. It needs no key.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::log::Request;
use crate::server::Shared;

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/control/faults", get(faults).post(push).delete(clear))
        .route("/control/requests", get(requests).delete(forget))
}

fn left(shared: &Shared) -> Json<Value> {
    let left: Vec<String> = shared.faults.left().iter().map(Fault::to_string).collect();
    Json(json!({ "left": left }))
}

async fn faults(State(shared): State<Shared>) -> Json<Value> {
    left(&shared)
}

/// One fault or a list of them, all of which must be right.
async fn push(State(shared): State<Shared>, body: Bytes) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refused = |why: String| (StatusCode::BAD_REQUEST, Json(json!({ "detail": why })));
    let value: Value = serde_json::from_slice(&body).map_err(|error| refused(format!("expected JSON: {error}")))?;
    let several = match value {
        Value::Array(several) => several,
        one => vec![one],
    };
    let faults: Vec<Fault> = several.iter().map(Fault::of_json).collect::<Result<_, _>>().map_err(refused)?;
    faults.into_iter().for_each(|fault| shared.faults.push(fault));
    Ok(left(&shared))
}

async fn clear(State(shared): State<Shared>) -> Json<Value> {
    shared.faults.clear();
    left(&shared)
}

async fn requests(State(shared): State<Shared>) -> Json<Vec<Request>> {
    Json(shared.log.all())
}

async fn forget(State(shared): State<Shared>) -> Json<Vec<Request>> {
    shared.log.clear();
    Json(Vec::new())
}
