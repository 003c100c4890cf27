//! Packages as files over a real socket: cases T129, T130, T138, T139 and T142.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod conditions;
mod downloads;
mod hostile_uploads;
mod members;
mod names;
mod removal;
mod restreams;
mod resumed;
mod support;
mod uploads;
