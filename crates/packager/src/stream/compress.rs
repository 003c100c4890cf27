//! Gzip members that no reader takes for a bomb.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_compression::Level;
use async_compression::tokio::write::GzipEncoder;
use pdp_manifest::CompressionLevel;
use tokio::io::AsyncWrite;

/// How much goes into one gzip member.
const MEMBER: usize = 256 << 10;
/// Readers refuse a stream that inflates to 100 times its size, so what is honest and very regular is stored now and then.
const RATIO_MAX: u64 = 50;

/// Compresses to gzip members of a quarter of a mebibyte. Shutting it down ends the last one, and then what it writes to.
///
/// A member is compressed when all of its bytes are there, so that the stream does not depend on who waited for whom;
/// for the same reason flushing it ends none.
pub(super) struct GzipMembers<W> {
    out: W,
    level: Level,
    /// What will be the next member.
    plain: Vec<u8>,
    /// A member, and how much of it has been written.
    packed: Vec<u8>,
    sent: usize,
    given: u64,
    written: u64,
}

impl<W: AsyncWrite + Unpin> GzipMembers<W> {
    pub(super) const fn new(out: W, level: CompressionLevel) -> Self {
        let level = match level {
            CompressionLevel::None => Level::Precise(0),
            CompressionLevel::Fast => Level::Precise(1),
            CompressionLevel::Balanced => Level::Precise(6),
            CompressionLevel::Maximum => Level::Precise(9),
        };
        Self { out, level, plain: Vec::new(), packed: Vec::new(), sent: 0, given: 0, written: 0 }
    }

    /// Bytes taken so far, and bytes written.
    pub(super) const fn sizes(&self) -> (u64, u64) {
        (self.given, self.written)
    }

    /// Compresses and writes the bytes that are there.
    fn poll_member(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.plain.is_empty() && self.packed.is_empty() {
            let regular = self.given > self.written.saturating_mul(RATIO_MAX).saturating_add(MEMBER as u64);
            let level = if regular { Level::Precise(0) } else { self.level };
            self.packed = ready!(poll_compress(&self.plain, level, cx))?;
            self.plain.clear();
        }
        while let Some(waiting) = self.packed.get(self.sent..).filter(|waiting| !waiting.is_empty()) {
            match ready!(Pin::new(&mut self.out).poll_write(cx, waiting))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => {
                    self.sent += n;
                    self.written += n as u64;
                }
            }
        }
        self.packed.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

/// A gzip member of `plain`. Memory takes whatever it is given, so this never waits.
fn poll_compress(plain: &[u8], level: Level, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
    let mut encoder = GzipEncoder::with_quality(Vec::new(), level);
    let mut rest = plain;
    while !rest.is_empty() {
        let n = ready!(Pin::new(&mut encoder).poll_write(cx, rest))?;
        rest = rest.get(n..).filter(|_| n > 0).ok_or(io::ErrorKind::WriteZero)?;
    }
    ready!(Pin::new(&mut encoder).poll_shutdown(cx))?;
    Poll::Ready(Ok(encoder.into_inner()))
}

impl<W: AsyncWrite + Unpin> AsyncWrite for GzipMembers<W> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.plain.len() >= MEMBER || !self.packed.is_empty() {
            ready!(self.poll_member(cx))?;
        }
        let now = bytes.get(..MEMBER.saturating_sub(self.plain.len())).unwrap_or(bytes);
        self.plain.extend_from_slice(now);
        self.given += now.len() as u64;
        Poll::Ready(Ok(now.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A member may be on its way when another waits.
        while !self.plain.is_empty() || !self.packed.is_empty() {
            ready!(self.poll_member(cx))?;
        }
        Pin::new(&mut self.out).poll_shutdown(cx)
    }
}
