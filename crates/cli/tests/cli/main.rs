//! `pdp` as a person runs it, and what other tools make of its packages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod bars;
mod bars_fetch;
mod bars_import;
mod bars_validate;
mod browse_server;
mod damage;
mod deep;
mod fxd;
mod fxd_killed;
mod fxd_readers;
mod fxd_trip;
mod hostile;
mod import_scripts;
mod interop;
mod journey;
mod killed;
mod loader_tools;
mod loaders;
mod merging;
mod odd_inputs;
mod parts;
mod postgres;
mod profiles;
mod quality;
mod read;
mod report;
mod reproducible;
mod serve_api;
mod serve_config;
mod serve_crowd;
mod serve_files;
mod served;
mod serving;
mod support;
mod usage;
