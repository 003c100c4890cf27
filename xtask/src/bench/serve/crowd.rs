//! Thousands of clients that are slow on purpose, and come back when they are turned away.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How clients are slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// They say nothing.
    Silent,
    /// They send a head, a byte a second.
    Heads,
    /// They send a head, and then a body, a byte a second.
    Bodies,
    /// They ask once and stay.
    Resting,
    /// A quarter of them each.
    Mixed,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Heads => "slow heads",
            Self::Bodies => "slow bodies",
            Self::Resting => "keep-alive",
            Self::Mixed => "mixed",
        }
    }

    /// What the client of this number is.
    const fn of(self, number: usize) -> Self {
        match (self, number % 4) {
            (Self::Mixed, 0) => Self::Silent,
            (Self::Mixed, 1) => Self::Heads,
            (Self::Mixed, 2) => Self::Bodies,
            (Self::Mixed, _) => Self::Resting,
            (other, _) => other,
        }
    }

    /// What is said at once.
    const fn greeting(self) -> &'static [u8] {
        match self {
            Self::Silent | Self::Mixed => b"",
            Self::Heads => b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ",
            Self::Bodies => {
                b"POST /api/packaging/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{"
            }
            Self::Resting => b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        }
    }

    const fn drips(self) -> bool {
        matches!(self, Self::Heads | Self::Bodies)
    }
}

/// The clients, on a thread of their own.
pub(super) struct Crowd {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(usize, usize)>,
}

impl Crowd {
    /// Begins to connect `wanted` clients, and gives the crowd when all have connected once.
    /// Of those who are closed, `rate` come back in a second.
    pub(super) fn gather(address: SocketAddr, kind: Kind, wanted: usize, rate: usize) -> Self {
        let (stop, there) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ends, came) = (Arc::clone(&stop), Arc::clone(&there));
        let thread = std::thread::spawn(move || keep(address, kind, (wanted, rate), &ends, &came));
        while there.load(Ordering::Relaxed) < wanted && !thread.is_finished() {
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { stop, thread }
    }

    /// Ends them; how many were connected at the end, and how many had been replaced.
    pub(super) fn disperse(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn keep(
    address: SocketAddr,
    kind: Kind,
    (wanted, rate): (usize, usize),
    stop: &AtomicBool,
    there: &AtomicUsize,
) -> (usize, usize) {
    let mut clients: Vec<Option<TcpStream>> = Vec::new();
    clients.resize_with(wanted, || None);
    let (mut replaced, mut first) = (0, true);
    while !stop.load(Ordering::Relaxed) {
        let (round, mut back) = (Instant::now(), 0);
        for (number, place) in clients.iter_mut().enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let kind = kind.of(number);
            if place.as_mut().is_some_and(|client| lives(client, kind)) {
                continue;
            }
            *place = None;
            if first {
                there.store(number + 1, Ordering::Relaxed);
            } else if back == rate {
                continue;
            } else {
                back += 1;
                replaced += 1;
            }
            *place = connect(address, kind);
        }
        first = false;
        std::thread::sleep(Duration::from_secs(1).saturating_sub(round.elapsed()));
    }
    let open = clients.iter_mut().enumerate().filter_map(|(number, client)| Some((number, client.as_mut()?)));
    (open.filter_map(|(number, client)| lives(client, kind.of(number)).then_some(())).count(), replaced)
}

fn connect(address: SocketAddr, kind: Kind) -> Option<TcpStream> {
    let mut client = TcpStream::connect_timeout(&address, Duration::from_secs(5)).ok()?;
    client.write_all(kind.greeting()).ok()?;
    client.set_nonblocking(true).ok()?;
    Some(client)
}

/// Whether the connection is still there; says another byte where the client does that.
fn lives(client: &mut TcpStream, kind: Kind) -> bool {
    let mut scratch = [0; 1024];
    let open = match client.read(&mut scratch) {
        Ok(count) => count > 0,
        Err(error) => error.kind() == ErrorKind::WouldBlock,
    };
    open && (!kind.drips() || client.write_all(b" ").is_ok())
}
