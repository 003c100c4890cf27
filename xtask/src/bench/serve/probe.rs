//! Asking for the server's health and taking the time.

use std::io::{Read as _, Result, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What answers took, from connecting to the last byte, the shortest first.
#[derive(Debug)]
pub(super) struct Latencies {
    sorted: Vec<Duration>,
    /// Requests that got no good answer.
    pub(super) failed: usize,
}

impl Latencies {
    /// Asks for `time`, every `pace`.
    pub(super) fn measure(address: SocketAddr, time: Duration, pace: Duration) -> Self {
        let (mut sorted, mut failed, begun) = (Vec::new(), 0, Instant::now());
        while begun.elapsed() < time {
            match ask(address) {
                Ok(taken) => sorted.push(taken),
                Err(_) => failed += 1,
            }
            std::thread::sleep(pace);
        }
        sorted.sort_unstable();
        Self { sorted, failed }
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The time that this part of the answers took at most; a day where there is none.
    pub(super) fn at(&self, part: f64) -> Duration {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a length is an index")]
        let index = (self.sorted.len().saturating_sub(1) as f64 * part).round() as usize;
        self.sorted.get(index).copied().unwrap_or(Duration::from_secs(24 * 60 * 60))
    }
}

fn ask(address: SocketAddr) -> Result<Duration> {
    let limit = Duration::from_secs(5);
    let begun = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let taken = begun.elapsed();
    if answer.starts_with(b"HTTP/1.1 200 ") { Ok(taken) } else { Err(std::io::ErrorKind::InvalidData.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_the_answers() {
        let sorted: Vec<Duration> = (1..=101).map(Duration::from_millis).collect();
        let latencies = Latencies { sorted, failed: 0 };
        let ms = |part| latencies.at(part).as_millis();
        assert_eq!((ms(0.0), ms(0.5), ms(0.99), ms(1.0)), (1, 51, 100, 101));
        assert!(Latencies { sorted: Vec::new(), failed: 1 }.at(0.5) > Duration::from_secs(1));
    }
}
