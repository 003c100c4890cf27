//! Accepting connections so that those who are slow, many or confused take nothing from the others.
//!
//! Each connection has deadlines for what it is doing: sending a head, waiting for the next one, reading an answer. Their
//! number is bounded; when it is reached, the one that has waited longest without having asked anything gives way.

mod bind;
mod connection;
mod head;
mod limits;
mod register;
mod socket;
mod watch;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

pub use self::bind::{bind, raise_descriptor_limit};
pub use self::limits::Limits;
use self::register::Register;

/// What a server did in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that gave way to others.
    pub evicted: u64,
    /// Connections that were turned away, since all others were being served.
    pub refused: u64,
    /// Connections that were still busy when the time for ending was over.
    pub cut: u64,
}

/// How long nothing is accepted after accepting failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(50);

/// What the tasks of a server share.
struct Shared {
    router: Router,
    limits: Limits,
    register: Register,
    free: Arc<Semaphore>,
    /// How many are kept free where others give way, so that who comes need not wait until they have gone.
    headroom: usize,
    accepted: AtomicU64,
    evicted: AtomicU64,
    refused: AtomicU64,
}

/// Serves `router` on all of `listeners` until `shutdown` is done; then finishes the requests that are in flight, as long as
/// [`Limits::grace`] lasts.
///
/// # Errors
/// There is no listener. What goes wrong with a connection ends that connection; a listener that fails is tried again.
pub async fn serve(
    listeners: Vec<TcpListener>,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> io::Result<Served> {
    if listeners.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "there is no address to listen on"));
    }
    let most = limits.connections();
    let shared = Arc::new(Shared {
        router,
        limits,
        register: Register::default(),
        free: Arc::new(Semaphore::new(most)),
        headroom: most / 64,
        accepted: AtomicU64::new(0),
        evicted: AtomicU64::new(0),
        refused: AtomicU64::new(0),
    });
    let mut accepting = JoinSet::new();
    for listener in listeners {
        accepting.spawn(accept(listener, Arc::clone(&shared)));
    }
    shutdown.await;
    // Dropping the listeners refuses new connections at once.
    accepting.shutdown().await;
    shared.register.drain();
    let all = u32::try_from(most).unwrap_or(u32::MAX);
    let cut = match tokio::time::timeout(shared.limits.grace, shared.free.acquire_many(all)).await {
        Ok(_) => 0,
        Err(_) => {
            let cut = most.saturating_sub(shared.free.available_permits());
            shared.register.close_all();
            // Closing takes no longer than polling each of them once more.
            let _ = tokio::time::timeout(Duration::from_secs(1), shared.free.acquire_many(all)).await;
            u64::try_from(cut).unwrap_or(u64::MAX)
        }
    };
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    Ok(Served {
        accepted: count(&shared.accepted),
        evicted: count(&shared.evicted),
        refused: count(&shared.refused),
        cut,
    })
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                shared.accepted.fetch_add(1, Ordering::Relaxed);
                admit(stream, peer, &shared).await;
            }
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "accepting failed; waiting a moment");
                if shared.register.evict() {
                    shared.evicted.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the client alone has the error.
fn is_of_the_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves the connection when there is room or room can be made.
async fn admit(stream: TcpStream, peer: SocketAddr, shared: &Arc<Shared>) {
    let Some(permit) = permit(shared).await else {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        connection::turn_away(&stream);
        return;
    };
    // Small answers must not wait for more; a socket that refuses this serves all the same.
    let _ = stream.set_nodelay(true);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        connection::run(stream, peer, &shared).await;
        drop(permit);
    });
}

async fn permit(shared: &Arc<Shared>) -> Option<OwnedSemaphorePermit> {
    let free = Arc::clone(&shared.free).try_acquire_owned().ok();
    if free.is_some() && shared.free.available_permits() >= shared.headroom {
        return free;
    }
    let gave_way = shared.register.evict();
    if gave_way {
        shared.evicted.fetch_add(1, Ordering::Relaxed);
    }
    match free {
        Some(permit) => Some(permit),
        // What was evicted ends as soon as it is polled.
        None if gave_way => Arc::clone(&shared.free).acquire_owned().await.ok(),
        None => None,
    }
}
