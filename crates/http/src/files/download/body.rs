//! The bytes of an open file as the body of an answer.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use super::block::{self, Block};
use super::range::Span;

/// A part of a body.
#[derive(Debug)]
pub(super) enum Piece {
    /// These bytes.
    Text(Bytes),
    /// These of the file.
    Span(Span),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::Span(span) => span.len(),
        }
    }
}

/// A body made of pieces of an open file. It has the length it had when it was made, or an error instead of its end.
///
/// What the system has in memory is read where the body is asked for it, without another thread, so that the bytes are
/// still in the processor's cache when they are sent. What must come from a disk is read on a thread that may wait, which
/// also asks the system to fetch more of it. Where the system cannot be asked what it has in memory, all of it is read there,
/// a block ahead.
#[derive(Debug)]
pub(super) struct FileBody {
    file: Arc<File>,
    pieces: VecDeque<Piece>,
    left: u64,
    /// A block on its way, and where it begins.
    reading: Option<(u64, JoinHandle<io::Result<Block>>)>,
    /// Whether the file system can be asked for what is in memory.
    at_once: bool,
}

impl FileBody {
    pub(super) fn new(file: File, pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<Piece> = pieces.into_iter().filter(|piece| piece.len() > 0).collect();
        let left = pieces.iter().map(Piece::len).fold(0, u64::saturating_add);
        Self { file: Arc::new(file), pieces, left, reading: None, at_once: true }
    }

    /// The next bytes of the file, those of `span` at most.
    fn poll_read(&mut self, span: Span, cx: &mut Context<'_>) -> Poll<io::Result<Block>> {
        if self.reading.is_none() && self.at_once {
            match block::read_now(&self.file, span) {
                Ok(Some(block)) => return Poll::Ready(Ok(block)),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::Unsupported => self.at_once = false,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        let (start, mut handle) = self.reading.take().unwrap_or_else(|| (span.start, self.begin(span)));
        let Poll::Ready(joined) = Pin::new(&mut handle).poll(cx) else {
            self.reading = Some((start, handle));
            return Poll::Pending;
        };
        let block = joined.map_err(|_| io::Error::other("the server is being shut down"))??;
        let next = Span { start: span.start.saturating_add(block.len()).min(span.end), end: span.end };
        // The next one may be in memory by now; where that cannot be known, it is fetched while this one is sent.
        if next.len() > 0 && !self.at_once {
            self.reading = Some((next.start, self.begin(next)));
        }
        Poll::Ready(Ok(block))
    }

    fn begin(&self, span: Span) -> JoinHandle<io::Result<Block>> {
        let file = Arc::clone(&self.file);
        spawn_blocking(move || block::read(&file, span))
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let bytes = match this.pieces.pop_front() {
            None => return Poll::Ready(None),
            Some(Piece::Text(text)) => text,
            Some(Piece::Span(span)) => match this.poll_read(span, cx) {
                Poll::Pending => {
                    this.pieces.push_front(Piece::Span(span));
                    return Poll::Pending;
                }
                Poll::Ready(Ok(block)) => {
                    let rest = Span { start: span.start.saturating_add(block.len()).min(span.end), end: span.end };
                    if rest.len() > 0 {
                        this.pieces.push_front(Piece::Span(rest));
                    }
                    Bytes::from_owner(block)
                }
                Poll::Ready(Err(error)) => {
                    this.pieces.clear();
                    return Poll::Ready(Some(Err(error)));
                }
            },
        };
        this.left = this.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use std::io::Write as _;

    use http_body_util::BodyExt as _;

    use super::*;

    /// Some blocks and a bit, of a file that has a name no more.
    fn file() -> (Vec<u8>, File) {
        let bytes: Vec<u8> = (0..1_000_003_u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        (bytes, file)
    }

    #[tokio::test]
    async fn both_ways_of_reading_give_the_same_bytes() {
        for at_once in [true, false] {
            let (bytes, file) = file();
            let pieces = [
                Piece::Text(Bytes::from_static(b"head")),
                Piece::Span(Span { start: 500_000, end: 900_001 }),
                Piece::Span(Span { start: 7, end: 7 }),
                Piece::Text(Bytes::from_static(b"between")),
                Piece::Span(Span { start: 0, end: 3 }),
            ];
            let mut body = FileBody::new(file, pieces);
            body.at_once = at_once;
            let expected = [b"head".as_slice(), &bytes[500_000..900_001], b"between", &bytes[..3]].concat();
            assert_eq!(body.size_hint().exact(), Some(expected.len() as u64));
            assert!(body.collect().await.unwrap().to_bytes() == expected);
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_short_gives_an_error_instead_of_an_end() {
        for at_once in [true, false] {
            let (bytes, file) = file();
            let len = bytes.len() as u64;
            let mut body = FileBody::new(file, [Piece::Span(Span { start: 0, end: len + 1 })]);
            body.at_once = at_once;
            assert_eq!(body.collect().await.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
