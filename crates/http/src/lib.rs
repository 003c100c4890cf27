//! Portable data packages over HTTP.
//!
//! [`router`] gives an axum router that any service can mount; [`State::open`] gives it what it serves. Requests are
//! translated into options of [`pdp_packager`], one of its functions is called, and its report is the answer.

pub mod problem;
mod roots;
mod routes;
mod settings;
mod state;
mod token;

use axum::Router;

pub use self::roots::{FileName, Found, Place, Roots};
pub use self::settings::Settings;
pub use self::state::State;
pub use self::token::{MIN_TOKEN_BYTES, Token};

/// The whole interface: API, documentation and page.
pub fn router(state: State) -> Router {
    routes::router(state)
}
