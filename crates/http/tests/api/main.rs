//! The API as programs use it: requests in, answers out, without a network between.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod documented;
mod hostile;
mod jobs;
mod support;
