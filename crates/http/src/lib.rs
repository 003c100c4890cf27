//! Portable data packages over HTTP.
//!
//! [`router`] gives an axum router that any service can mount; [`State::open`] gives it what it serves. Requests are
//! translated into options of [`pdp_packager`], one of its functions is called, and its report is the answer.

mod docs;
mod extract;
mod files;
mod guard;
mod jobs;
pub mod listen;
mod openapi;
mod page;
pub mod problem;
mod reading;
mod requests;
mod roots;
mod routes;
mod settings;
mod state;
mod token;

use axum::Router;

pub use self::guard::is_host_name;
pub use self::jobs::{Id as JobId, JobState, JobView, ProgressView, Work};
pub use self::reading::{DataView, ListedPackage, PackageList, Summary, SymbolView};
pub use self::requests::{ArchiveFormat, Conflict, CreateRequest, ImportRequest, ValidateRequest, Yes};
pub use self::roots::{FileName, Found, Place, Roots};
pub use self::settings::Settings;
pub use self::state::State;
pub use self::token::{MIN_TOKEN_BYTES, Token};

/// `routes` behind the guard that stands before all of ours: hosts, origins, tokens, sizes, panics.
pub fn guarded(routes: Router, state: State) -> Router {
    guard::protect(routes, state)
}

/// The whole interface: API, documentation and page.
pub fn router(state: State) -> Router {
    routes::router(state)
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn openapi() -> serde_json::Value {
    routes::document()
}
