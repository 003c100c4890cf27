//! Bars from Databento's historical API, a month at a time.
//!
//! Only with the feature `fetch`. A month that was fetched is known by its rows and hash in a small file beside the data, so that what was cut
//! off, lost or changed is fetched again, and nothing else is: data cost money.

mod client;
mod describe;
mod error;
mod event;
mod month;
mod plan;
mod purse;
mod run;
mod state;

pub use client::{Connect, Historical};
pub use describe::{Availability, Dataset, SchemaPrice, SymbolSpan};
pub use error::FetchError;
pub use event::{Event, Told};
pub use plan::{Have, Month, Plan, Request};
pub use run::{Fetched, Fetching};
pub use state::changed;
