//! Files of bars, read and written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod csv;
mod hostile;
mod market;
mod packed;
mod real;
mod round_trips;
mod support;
mod tables;
