//! Packages as streams: over sockets, by other tools, damaged and hostile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

mod damage;
mod hostile;
mod journey;
mod made_by_hand;
mod support;
mod tools;
