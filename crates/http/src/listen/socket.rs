//! A socket that hands the HTTP implementation one head at a time, and writes down what the connection is doing.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::net::TcpStream;

use super::head::{Framing, Scanner};
use super::watch::{Phase, Watch};

/// Most bytes of a head that are read at once.
const PIECE: usize = 4096;

/// The socket of one connection.
#[derive(Debug)]
pub(super) struct Socket {
    stream: Take<TcpStream>,
    watch: Watch,
    scanner: Scanner,
    /// What was read behind a head.
    held: Vec<u8>,
    part: Part,
}

/// What the next bytes from the client belong to.
#[derive(Debug, Clone, Copy)]
enum Part {
    Head,
    /// A body of which so many bytes are to come.
    Body(u64),
    /// The last body of this connection; only the HTTP implementation knows where it ends.
    Last,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, watch: Watch) -> Self {
        Self { stream: stream.take(u64::MAX), watch, scanner: Scanner::default(), held: Vec::new(), part: Part::Head }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Whether the client may still be sending the body of a request.
    pub(super) fn is_in_body(&self) -> bool {
        !matches!(self.part, Part::Head)
    }

    fn stream_mut(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.get_mut())
    }

    /// A head has ended.
    fn end_of_head(&mut self, framing: Framing) {
        // Bodies in chunks have no end that could be seen from here, and of those that end in two ways no end is right.
        let last = framing.has_encoding || framing.is_ambiguous();
        let length = framing.length.unwrap_or(0);
        self.part = match length {
            _ if last => Part::Last,
            0 => Part::Head,
            length => Part::Body(length),
        };
        let mut doing = self.watch.lock();
        doing.phase = Phase::Request { body: 0, whole: !last && length == 0 };
        doing.ambiguous = framing.is_ambiguous();
        doing.last = last;
    }

    /// So many bytes of a body have come.
    fn body_came(&mut self, count: u64) {
        let ended = match &mut self.part {
            Part::Body(left) => {
                *left = left.saturating_sub(count);
                *left == 0
            }
            Part::Head | Part::Last => false,
        };
        if ended {
            self.part = Part::Head;
        }
        if let Phase::Request { body, whole } = &mut self.watch.lock().phase {
            *body = body.saturating_add(count);
            *whole |= ended;
        }
    }

    fn poll_head(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        {
            // The implementation asks for a head only when it has done with the request before.
            let mut doing = self.watch.lock();
            if matches!(doing.phase, Phase::Request { .. }) {
                doing.phase = Phase::Waiting { since: Instant::now(), first: false };
            }
        }
        let mut scratch = [0; PIECE];
        let mut held = std::mem::take(&mut self.held);
        let bytes = if held.is_empty() {
            let mut piece = ReadBuf::new(&mut scratch);
            ready!(self.stream_mut().poll_read(cx, &mut piece))?;
            let count = piece.filled().len();
            held.extend_from_slice(scratch.get(..count).unwrap_or_default());
            held
        } else {
            held
        };
        let room = bytes.get(..out.remaining().min(bytes.len())).unwrap_or_default();
        let (passed, ended) = match self.scanner.scan(room) {
            Some((count, framing)) => (count, Some(framing)),
            None => (room.len(), None),
        };
        let (now, later) = bytes.split_at_checked(passed).unwrap_or((&bytes, &[]));
        out.put_slice(now);
        self.held = later.to_vec();
        if let Some(framing) = ended {
            self.end_of_head(framing);
        } else if self.scanner.has_begun() {
            let mut doing = self.watch.lock();
            if let Phase::Waiting { since, first } = doing.phase {
                // The first head is awaited from the moment of the connection, so that a byte now and then wins nothing.
                doing.phase = Phase::Head { since: if first { since } else { Instant::now() } };
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>, left: u64) -> Poll<io::Result<()>> {
        let before = out.filled().len();
        if self.held.is_empty() {
            self.stream.set_limit(left);
            ready!(Pin::new(&mut self.stream).poll_read(cx, out))?;
        } else {
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(out.remaining()).min(self.held.len());
            out.put_slice(self.held.get(..most).unwrap_or_default());
            self.held.drain(..most);
        }
        let count = out.filled().len().saturating_sub(before);
        self.body_came(u64::try_from(count).unwrap_or(u64::MAX));
        Poll::Ready(Ok(()))
    }

    /// Writes down whether the client takes what it is sent.
    fn wrote<T>(&self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        let mut doing = self.watch.lock();
        if outcome.is_ready() {
            // Rest begins when the answer has left.
            if doing.blocked.take().is_some()
                && let Phase::Waiting { since, first: false } = &mut doing.phase
            {
                *since = Instant::now();
            }
        } else {
            doing.blocked.get_or_insert_with(Instant::now);
        }
        outcome
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if out.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        match this.part {
            Part::Head => this.poll_head(cx, out),
            Part::Body(left) => this.poll_body(cx, out, left),
            Part::Last => this.poll_body(cx, out, u64::MAX),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream_mut().poll_write(cx, bytes);
        this.wrote(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = this.stream_mut().poll_write_vectored(cx, pieces);
        this.wrote(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().stream_mut().poll_shutdown(cx)
    }
}
