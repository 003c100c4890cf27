//! What is learnt of compressed bytes while a decoder uses them up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, BufReader, ReadBuf};

/// A gzip member that goes on for so long without giving a byte has a header, or empty blocks, without an end.
const QUIET_MAX: u64 = 1 << 20;

/// A buffered reader that knows how far it has been used and how the gzip member being read began.
pub(super) struct Tap<R> {
    input: BufReader<R>,
    /// Bytes used.
    position: u64,
    /// Bytes used since something came out.
    quiet: u64,
    /// The first bytes of the member.
    head: Vec<u8>,
    /// Whether reading itself failed.
    failed: bool,
}

/// How much of a member's header is kept: magic, method and flags.
const HEAD: usize = 4;

impl<R: AsyncRead + Unpin> Tap<R> {
    pub(super) fn new(input: R) -> Self {
        let input = BufReader::with_capacity(super::BLOCK, input);
        Self { input, position: 0, quiet: 0, head: Vec::with_capacity(HEAD), failed: false }
    }

    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// A gzip member begins here.
    pub(super) fn begin(&mut self) {
        self.head.clear();
        self.quiet = 0;
    }

    /// Something came out.
    pub(super) const fn heard(&mut self) {
        self.quiet = 0;
    }

    /// The flags of the member being read, once they have come.
    pub(super) fn flags(&self) -> Option<u8> {
        self.head.get(HEAD - 1).copied()
    }
}

impl<R: AsyncRead + Unpin> AsyncBufRead for Tap<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        if this.quiet > QUIET_MAX {
            let reason = format!("byte {}: a gzip member of {} bytes that hold nothing", this.position, this.quiet);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
        }
        let filled = ready!(Pin::new(&mut this.input).poll_fill_buf(cx));
        this.failed = filled.is_err();
        Poll::Ready(filled)
    }

    fn consume(mut self: Pin<&mut Self>, n: usize) {
        let this = &mut *self;
        let missing = HEAD.saturating_sub(this.head.len());
        let used = this.input.buffer().iter().take(n);
        this.head.extend(used.take(missing));
        this.position += n as u64;
        this.quiet += n as u64;
        Pin::new(&mut this.input).consume(n);
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Tap<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let waiting = ready!(self.as_mut().poll_fill_buf(cx))?;
        let n = waiting.len().min(buffer.remaining());
        buffer.put_slice(waiting.get(..n).unwrap_or_default());
        self.consume(n);
        Poll::Ready(Ok(()))
    }
}
