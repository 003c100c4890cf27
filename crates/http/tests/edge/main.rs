//! The edge of the server over real sockets: cases T131 to T137 and T143.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod addressed;
mod bodies;
mod crowds;
mod ending;
mod slow;
mod support;
