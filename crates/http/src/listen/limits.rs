//! How much a server takes upon itself at once, and how long it waits for whom.

use std::time::Duration;

use super::bind::raise_descriptor_limit;

/// The limits of a server's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Most connections at once; fewer when the system does not give twice as many descriptors.
    pub max_connections: usize,
    /// How long the head of a request may take.
    pub header_timeout: Duration,
    /// Most bytes of a head.
    pub max_header_bytes: usize,
    /// Most fields of a head.
    pub max_headers: usize,
    /// How long a connection may rest between two requests.
    pub keep_alive: Duration,
    /// How long a client may read nothing of an answer.
    pub write_stall: Duration,
    /// How long requests in flight may go on when the server ends.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 8192,
            header_timeout: Duration::from_secs(10),
            max_header_bytes: 32 << 10,
            max_headers: 64,
            keep_alive: Duration::from_secs(60),
            write_stall: Duration::from_secs(300),
            grace: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// How many connections there can be: each may have a file open beside its socket.
    pub(super) fn connections(&self) -> usize {
        let descriptors = raise_descriptor_limit().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let most = self.max_connections.min(descriptors / 2).min(tokio::sync::Semaphore::MAX_PERMITS);
        most.max(1)
    }
}
