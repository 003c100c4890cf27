//! Packages as streams: packed to any `AsyncWrite` and unpacked from any `AsyncRead`, as TAR.GZ.
//!
//! [`send`] reads a package of any kind and writes it as a stream, the manifest first; [`pack`] makes one for that and keeps
//! nothing; [`receive`] imports what [`send`] wrote, or what any tool wrote that put the manifest first. Both ends are as
//! strict as [`import`](crate::import()): a stream that ends early, or holds anything but what its manifest declares, leaves
//! nothing behind.
//!
//! ```text
//! send:     package -> container reader, SHA-256 (a blocking thread) -> channel -> tar -> gzip -> AsyncWrite
//! receive:  AsyncRead -> gzip -> rules of the tar -> tar -> channel -> SHA-256, staged file (a blocking thread) -> import
//! ```
//!
//! A channel holds a few blocks, so memory does not depend on the package but for its manifest, and a slow peer slows the
//! other end down. Disks are only touched on blocking threads. The futures need a tokio runtime and may be dropped at any
//! await: what was staged is removed then, or, when the process ends with the runtime, by the next run in that place.
//!
//! A package that came as a stream was packed anew, so its `packageSizeBytes` says nothing about the stream; everything
//! else that the manifest claims is verified.

mod compress;
mod expected;
mod inflate;
mod receive;
mod send;
mod stage;
mod tap;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use pdp_archive::Limits;
use tokio::task::{JoinHandle, spawn_blocking};

pub use self::receive::{ReceiveOptions, receive};
pub use self::send::{PackReport, SendReport, pack, send};
use crate::{PackagerError, Progress, Stage};

/// Progress that can be told from a blocking thread.
pub type SharedProgress = Arc<dyn Progress + Send>;

/// How many blocks a channel between the two sides of a stream holds.
const BLOCKS: usize = 8;
/// Most bytes of a block.
const BLOCK: usize = 64 << 10;

/// The progress of an operation whose future may be dropped, which then counts as being cancelled.
struct Watched {
    progress: SharedProgress,
    dropped: Arc<AtomicBool>,
}

/// Tells the blocking side that the future is gone; to be kept by the future.
struct DropGuard(Arc<AtomicBool>);

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Watched {
    fn new(progress: &SharedProgress) -> (Self, DropGuard) {
        let dropped = Arc::new(AtomicBool::new(false));
        (Self { progress: Arc::clone(progress), dropped: Arc::clone(&dropped) }, DropGuard(dropped))
    }
}

impl Progress for Watched {
    fn begin(&self, stage: Stage, files: u64, bytes: u64) {
        self.progress.begin(stage, files, bytes);
    }

    fn advance(&self, files: u64, bytes: u64) {
        self.progress.advance(files, bytes);
    }

    fn is_cancelled(&self) -> bool {
        self.dropped.load(Ordering::Acquire) || self.progress.is_cancelled()
    }
}

/// Runs `work` on a blocking thread.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PackagerError> + Send + 'static,
) -> JoinHandle<Result<T, PackagerError>> {
    spawn_blocking(work)
}

/// What a blocking thread came to.
async fn outcome<T>(handle: JoinHandle<Result<T, PackagerError>>) -> Result<T, PackagerError> {
    match handle.await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is being shut down.
        Err(_) => Err(PackagerError::Cancelled),
    }
}

/// A future that was dropped is not there to be told; an operation that was asked to stop says just that.
fn stopped(error: PackagerError, progress: &dyn Progress) -> PackagerError {
    if progress.is_cancelled() { PackagerError::Cancelled } else { error }
}
