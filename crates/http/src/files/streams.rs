//! How many packages are opened for streaming at a time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::{Kind, Problem};

/// Each has its package's manifest in memory, however slowly its client reads.
const MOST: usize = 32;

/// The places of members and packages that are read while they are sent.
#[derive(Debug)]
pub(crate) struct Streams(Arc<Semaphore>);

impl Default for Streams {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MOST)))
    }
}

/// The place of one, until it is dropped.
pub(super) type Place = OwnedSemaphorePermit;

impl Streams {
    /// Takes a place; there is none when too many are taken.
    pub(super) fn enter(&self) -> Result<Place, Problem> {
        let place = Arc::clone(&self.0).try_acquire_owned();
        place.map_err(|_| Problem::new(Kind::TooMany, format!("{MOST} members or packages are being read")))
    }
}
