//! Uploads of packages: in one request, or in as many as it takes (tus 1.0.0, <https://tus.io/protocols/resumable-upload>).
//!
//! What has arrived lies in a hidden directory beside the packages, under a name that nobody chose, until it is whole and
//! was validated in full. Then it gets its own name, unless something has that already.

mod finish;
mod one_shot;
mod receive;
mod room;
mod store;
mod tus;
mod wire;

use axum::Router;
use axum::routing::post;

use crate::State;

pub(crate) use self::room::packages_bytes;
pub(crate) use self::store::{Uploads, sweep};

/// The routes.
pub(super) fn router() -> Router<State> {
    let one = post(tus::overridden).head(tus::head).patch(tus::patch).delete(tus::terminate).options(tus::options);
    Router::new()
        .route("/api/packaging/upload", post(tus::create).options(tus::options))
        .route("/api/packaging/upload/{id}", one)
}
