//! A local server that speaks Databento's historical HTTP API, for tests.
//!
//! The official clients work against it. It serves bars from memory, misbehaves when it is told to ([`Faults`]), and remembers
//! what it was asked ([`Server::requests`]).
//!
//! ```
//! use pdp_databento_server::{Endpoint, Fault, Server, Store};
//!
//! let server = Server::start(Store::sample())?;
//! server.faults().push(Fault::cut_after(1000).times(2));
//! // ... a client with the base URL server.url() and the key pdp_databento_server::KEY ...
//! assert!(server.requests_to(Endpoint::GetRange).is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

mod api;
mod control;
mod deliver;
mod endpoint;
mod fault;
mod key;
mod log;
mod moment;
mod parameters;
mod refusal;
mod server;
mod store;

// What descriptions of datasets are made of.
pub use dbn::{OhlcvMsg, Publisher, Schema};
pub use time::Date;
pub use time::macros::date;

pub use self::endpoint::Endpoint;
pub use self::fault::{Effect, Fault, Faults};
pub use self::key::{KEY, WRONG_KEY};
pub use self::log::Request;
pub use self::server::Server;
pub use self::store::{Condition, Dataset, Store, bar};

/// The README's example is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
