//! What is told while something goes on.

use std::ops::ControlFlow;
use std::time::Duration;

/// What goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Nothing: an occasion to stop.
    Going,
    /// A request failed for a reason that may pass, and will be tried again.
    Retry {
        /// Why it failed.
        why: &'a str,
        /// Which try failed, from 1.
        tried: u32,
        /// How many there will be at most.
        most: u32,
        /// How long is waited before the next.
        wait: Duration,
    },
    /// A month is there.
    Done {
        /// Year and month.
        month: &'a str,
        /// Its bars.
        rows: u64,
    },
}

/// Told of what goes on; says whether to stop.
pub type Told<'a> = &'a dyn Fn(Event<'_>) -> ControlFlow<()>;
