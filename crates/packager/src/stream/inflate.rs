//! Reading gzip members one after the other, and the tar in them, as strictly as from a file.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use async_compression::tokio::bufread::GzipDecoder;
use pdp_archive::tar::{Entry, TarCheck};
use tokio::io::{AsyncBufRead as _, AsyncRead, ReadBuf};

use super::tap::Tap;

/// Up to this size no ratio is too high.
const RATIO_FROM: u64 = 1 << 20;

/// What can be asked about a stream while another reads it.
#[derive(Default)]
pub(super) struct Seen {
    check: TarCheck,
    /// Compressed bytes used.
    pub(super) position: u64,
    /// Bytes that came out of them.
    pub(super) given: u64,
    /// Whether reading itself failed, not what was read.
    pub(super) failed: bool,
}

impl Seen {
    /// The entry whose header was read last.
    pub(super) fn take_entry(&mut self) -> Option<Entry> {
        self.check.take_entry()
    }

    /// Whether the tar has come to its end.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.check.finish()
    }
}

/// [`Seen`], shared with whoever reads.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Seen>>);

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tar inside of gzip members. Nothing but gzip members may follow, none may be empty, and every byte has been held
/// against the rules of a tar before it is given.
pub(super) struct CheckedTar<R> {
    state: State<R>,
    ratio: u64,
    seen: Shared,
}

enum State<R> {
    Between(Tap<R>),
    /// A member, and what it gave so far.
    Within(Box<GzipDecoder<Tap<R>>>, u64),
    End,
}

impl<R: AsyncRead + Unpin> CheckedTar<R> {
    /// `ratio` is the most bytes that may come out for each that goes in, over the first mebibyte.
    pub(super) fn new(input: R, ratio: u64) -> (Self, Shared) {
        let seen = Shared::default();
        (Self { state: State::Between(Tap::new(input)), ratio, seen: seen.clone() }, seen)
    }

    /// The next bytes of the tar, unchecked; none at the end.
    fn poll_inflate(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::End) {
                State::End => return Poll::Ready(Ok(())),
                State::Between(mut tap) => match Pin::new(&mut tap).poll_fill_buf(cx) {
                    Poll::Pending => {
                        self.state = State::Between(tap);
                        return Poll::Pending;
                    }
                    Poll::Ready(Ok([])) => State::End,
                    Poll::Ready(Ok(_)) => {
                        tap.begin();
                        State::Within(Box::new(GzipDecoder::new(tap)), 0)
                    }
                    Poll::Ready(Err(error)) => {
                        self.seen.lock().failed = tap.failed();
                        return Poll::Ready(Err(error));
                    }
                },
                State::Within(mut decoder, given) => {
                    let before = buffer.filled().len();
                    let polled = Pin::new(&mut *decoder).poll_read(cx, buffer);
                    let n = (buffer.filled().len() - before) as u64;
                    let tap = decoder.get_mut();
                    let at = tap.position();
                    self.seen.lock().position = at;
                    // What the decoder itself refuses, it describes better.
                    let refused = matches!(polled, Poll::Ready(Err(_)));
                    if let Some(flags) = tap.flags().filter(|flags| !refused && flags & 0b1110_0000 != 0) {
                        return Poll::Ready(Err(invalid(format!("a gzip header with reserved flags {flags:#04x}"))));
                    }
                    match polled {
                        Poll::Pending => {
                            self.state = State::Within(decoder, given);
                            return Poll::Pending;
                        }
                        Poll::Ready(Err(error)) => {
                            self.seen.lock().failed = tap.failed();
                            return Poll::Ready(Err(describe(error)));
                        }
                        Poll::Ready(Ok(())) if n == 0 && given == 0 => {
                            return Poll::Ready(Err(invalid("an empty gzip member".to_owned())));
                        }
                        Poll::Ready(Ok(())) if n == 0 => State::Between(decoder.into_inner()),
                        Poll::Ready(Ok(())) => {
                            tap.heard();
                            self.state = State::Within(decoder, given + n);
                            return Poll::Ready(self.count(n, at));
                        }
                    }
                }
            };
        }
    }

    fn count(&self, n: u64, at: u64) -> io::Result<()> {
        let mut seen = self.seen.lock();
        seen.given += n;
        if seen.given > RATIO_FROM.saturating_add(self.ratio.saturating_mul(at)) {
            return Err(invalid(format!("it inflates to more than {} times its size", self.ratio)));
        }
        Ok(())
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for CheckedTar<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let inflated = ready!(self.poll_inflate(cx, buffer));
        let checked = inflated.and_then(|()| {
            let new = buffer.filled().get(before..).unwrap_or_default();
            self.seen.lock().check.push(new)
        });
        if checked.is_err() {
            // What was refused is not given away, now or later.
            buffer.set_filled(before);
            self.state = State::End;
        }
        Poll::Ready(checked)
    }
}

pub(super) fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// The decoder's own words, some of which say little.
fn describe(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => io::Error::new(io::ErrorKind::UnexpectedEof, "the gzip data is cut short"),
        io::ErrorKind::InvalidData if error.to_string() == "Invalid gzip header" => {
            invalid("no gzip member, and only those may follow".to_owned())
        }
        _ => error,
    }
}
