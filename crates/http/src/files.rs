//! Packages as files: downloads, single members, removal and uploads.

mod delete;
mod download;
mod member;
mod names;
mod opened;
mod restream;
mod streams;
mod upload;

use axum::Router;
use axum::routing::{delete, get};

use crate::State;
use crate::problem::{Kind, Problem};

pub(crate) use self::names::{encoded, is_archive};
pub(crate) use self::streams::Streams;
pub(crate) use self::upload::{Uploads, packages_bytes};

/// The routes.
pub(crate) fn router() -> Router<State> {
    Router::new()
        .route("/api/packaging/download/{file_name}", get(download::download))
        .route("/api/packaging/member", get(member::member))
        .route("/api/packaging/{file_name}", delete(delete::delete))
        .merge(upload::router())
}

/// Removes what an earlier server left unfinished: packages half made or half removed, and uploads whose time is over.
pub(crate) fn sweep(state: &State) {
    pdp_archive::disk::sweep(state.roots().packages_path());
    upload::sweep(state);
}

/// Runs `work`, which may wait for a disk, on a thread where that is allowed.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(Problem::new(Kind::Unavailable, "the server is being shut down")),
    }
}

/// A name that nothing else has.
fn random_name() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new(Kind::Failed, "the system gives no random numbers"))?;
    Ok(hex::encode(bytes))
}
