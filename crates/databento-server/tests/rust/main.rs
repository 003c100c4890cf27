//! The server as the official Rust client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod control;
mod dbn_files;
mod faults;
mod metadata;
mod program;
mod refusals;
mod support;
mod symbology;
mod timeseries;
