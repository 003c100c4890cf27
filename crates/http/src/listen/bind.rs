//! Addresses and descriptors.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// Listens on `address`.
///
/// # Errors
/// The address is taken, or is none of this machine's.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { only_v6()? };
    // A server that starts again must not wait for the connections of the one before.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A socket that leaves addresses of the other family to others, so that both can be listened on.
#[cfg(unix)]
fn only_v6() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v6()?;
    rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
    Ok(socket)
}

/// A socket that leaves addresses of the other family to others, as all do here.
#[cfg(not(unix))]
fn only_v6() -> io::Result<TcpSocket> {
    TcpSocket::new_v6()
}

/// Raises the number of descriptors that this process may have as far as it may be raised, and gives it; none where there is
/// no limit.
#[cfg(unix)]
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Nofile);
    if now.current != now.maximum {
        // Where it is refused, what there is must do.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: now.maximum, maximum: now.maximum });
    }
    getrlimit(Resource::Nofile).current
}

/// The number of descriptors that this process may have; none, since there is no limit here.
#[cfg(not(unix))]
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    None
}
