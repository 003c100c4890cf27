//! Packing: members are read, hashed and compressed on several threads and written in order.

use std::collections::VecDeque;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use pdp_manifest::digest::Hasher;
use pdp_manifest::{CompressionLevel, PackagePath};
use rayon::ThreadPool;

use crate::contract::{Codec, ContainerWriter, MemberFacts, MemberSource, Method, PreparedMember};
use crate::spool::length;
use crate::{ArchiveError, deflate, tar};

/// Members up to this size are compressed in one piece, larger ones in segments.
const WHOLE_MAX: u64 = 4 << 20;
/// Size of a segment; part of what makes the bytes reproducible.
const SEGMENT: usize = 2 << 20;
/// Bytes that may wait for their turn for each thread.
const WAITING_PER_THREAD: u64 = 24 << 20;

/// How to pack.
#[derive(Debug)]
pub struct PackOptions<'a> {
    /// The threads that read, hash and compress.
    pub pool: &'a ThreadPool,
}

/// What became of one source.
pub type Outcome = Result<MemberFacts, io::Error>;

/// Packs `sources` into `writer`, in their order.
///
/// `done` is called once for every source, in the same order, with what became of it: its facts, or the error with
/// which it could not be opened (it is then not in the container). An error that `done` returns ends the packing.
///
/// The bytes written depend on the sources, their order and the writer, and on nothing else. Memory is bounded by
/// the number of threads.
///
/// # Errors
/// A source that fails after it was opened, the writer's errors, and those of `done`.
pub fn pack<S: MemberSource>(
    writer: &mut dyn ContainerWriter,
    sources: impl IntoIterator<Item = S>,
    options: &PackOptions<'_>,
    done: &mut dyn FnMut(S, Outcome) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let codec = writer.codec();
    let threads = u64::try_from(options.pool.current_num_threads()).unwrap_or(1);
    let mut queue = Queue { writer, done, pending: VecDeque::new(), waiting: 0, stored: 0 };
    // The scope's own thread reads large members and writes; the pool does the rest.
    options.pool.in_place_scope_fifo(|scope| {
        for source in sources {
            let expected = source.expected_size();
            if expected <= WHOLE_MAX {
                let (send, receive) = sync_channel(1);
                scope.spawn_fifo(move |_| {
                    let mut source = source;
                    let outcome = pack_whole(&mut source, codec);
                    // The receiver is gone only when packing has failed already.
                    let _ = send.send((source, outcome));
                });
                queue.push(Pending::Whole(receive), expected);
            } else {
                pack_large(source, codec, scope, &mut queue, threads * WAITING_PER_THREAD)?;
            }
            queue.drain_to(threads * WAITING_PER_THREAD)?;
        }
        queue.drain_to(0)
    })
}

/// Compresses and hashes a member whose bytes are in memory already.
#[must_use]
pub fn prepare(path: PackagePath, bytes: &[u8], codec: Codec) -> PreparedMember {
    let (method, stored) = match codec {
        Codec::Raw => (Method::Store, bytes.to_vec()),
        Codec::Deflate(level) => match deflate::whole(level, bytes) {
            Some(stream) => (Method::Compress, stream),
            None => (Method::Store, bytes.to_vec()),
        },
        Codec::TarGz { level, modified } => {
            let mut entry = tar::entry_head(&path, length(bytes), modified);
            entry.reserve(bytes.len() + tar::BLOCK);
            entry.extend_from_slice(bytes);
            entry.resize(entry.len() + tar::padding(length(bytes)), 0);
            tar::encode_all(level, &entry)
        }
    };
    let mut hasher = Hasher::new();
    hasher.update(bytes);
    let facts = MemberFacts {
        path,
        size: length(bytes),
        stored_size: length(&stored),
        crc32: crc32fast::hash(bytes),
        sha256: hasher.finish(),
        method,
    };
    PreparedMember { facts, stored }
}

/// What waits for its turn to be written.
enum Pending<S> {
    Whole(Receiver<(S, Packed)>),
    Begin(PackagePath, Method, u64),
    Segment(Receiver<io::Result<Vec<u8>>>),
    Ready(Vec<u8>),
    End(S, Box<LargeFacts>),
    Unopened(S, io::Error),
}

/// What a worker made of a whole member.
enum Packed {
    Ready(PreparedMember),
    Unopened(io::Error),
    Failed(ArchiveError),
}

struct LargeFacts {
    path: PackagePath,
    size: u64,
    crc32: u32,
    hasher: Hasher,
    method: Method,
}

struct Queue<'a, S> {
    writer: &'a mut dyn ContainerWriter,
    done: &'a mut dyn FnMut(S, Outcome) -> Result<(), ArchiveError>,
    pending: VecDeque<(Pending<S>, u64)>,
    waiting: u64,
    /// Bytes stored so far of the large member being written.
    stored: u64,
}

impl<S: MemberSource> Queue<'_, S> {
    fn push(&mut self, item: Pending<S>, bytes: u64) {
        // A member costs something even when it is empty.
        let bytes = bytes + 4096;
        self.waiting += bytes;
        self.pending.push_back((item, bytes));
    }

    /// Writes what has come to the head of the queue until at most `most` bytes wait.
    fn drain_to(&mut self, most: u64) -> Result<(), ArchiveError> {
        while self.waiting > most || (most == 0 && !self.pending.is_empty()) {
            let Some((item, bytes)) = self.pending.pop_front() else { break };
            self.waiting = self.waiting.saturating_sub(bytes);
            self.write(item)?;
        }
        Ok(())
    }

    fn write(&mut self, item: Pending<S>) -> Result<(), ArchiveError> {
        match item {
            Pending::Whole(receiver) => {
                let (source, outcome) = receiver.recv().map_err(|_| worker_lost())?;
                match outcome {
                    Packed::Ready(member) => {
                        self.writer.add(&member)?;
                        (self.done)(source, Ok(member.facts))
                    }
                    Packed::Unopened(error) => (self.done)(source, Err(error)),
                    Packed::Failed(error) => Err(error),
                }
            }
            Pending::Begin(path, method, size) => {
                self.stored = 0;
                self.writer.begin(&path, method, size)
            }
            Pending::Segment(receiver) => {
                let bytes = receiver.recv().map_err(|_| worker_lost())?;
                self.chunk(&bytes.map_err(ArchiveError::io("compressing", "a segment"))?)
            }
            Pending::Ready(bytes) => self.chunk(&bytes),
            Pending::End(source, large) => {
                let LargeFacts { path, size, crc32, hasher, method } = *large;
                let sha256 = hasher.finish();
                let facts = MemberFacts { path, size, stored_size: self.stored, crc32, sha256, method };
                self.writer.end(&facts)?;
                (self.done)(source, Ok(facts))
            }
            Pending::Unopened(source, error) => (self.done)(source, Err(error)),
        }
    }
}

impl<S> Queue<'_, S> {
    fn chunk(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.stored += length(bytes);
        self.writer.chunk(bytes)
    }
}

fn worker_lost() -> ArchiveError {
    ArchiveError::Io {
        action: "packing",
        path: "a member".into(),
        source: io::Error::other("a worker thread ended early"),
    }
}

fn source_error<S: MemberSource>(source: &S, error: io::Error) -> ArchiveError {
    ArchiveError::Source { member: source.path().clone(), source: error }
}

fn pack_whole<S: MemberSource>(source: &mut S, codec: Codec) -> Packed {
    let size = match source.open() {
        Ok(size) => size,
        Err(error) => return Packed::Unopened(error),
    };
    let mut bytes = Vec::with_capacity(usize::try_from(size.min(WHOLE_MAX)).unwrap_or_default() + 1);
    // One byte more than announced tells a source that does not keep its word.
    if let Err(error) = source.by_ref().take(size.saturating_add(1)).read_to_end(&mut bytes) {
        return Packed::Failed(source_error(source, error));
    }
    if length(&bytes) > size {
        return Packed::Failed(source_error(source, grown()));
    }
    let codec = if source.is_compressed() { codec.without_compression() } else { codec };
    Packed::Ready(prepare(source.path().clone(), &bytes, codec))
}

fn grown() -> io::Error {
    io::Error::other("it grew past its announced size while it was read")
}

/// Reads a member of many segments on this thread and has the segments compressed by the pool.
fn pack_large<'scope, S: MemberSource + 'scope>(
    mut source: S,
    codec: Codec,
    scope: &rayon::ScopeFifo<'scope>,
    queue: &mut Queue<'_, S>,
    most_waiting: u64,
) -> Result<(), ArchiveError> {
    let announced = match source.open() {
        Ok(size) => size,
        Err(error) => {
            queue.push(Pending::Unopened(source, error), 0);
            return Ok(());
        }
    };
    let path = source.path().clone();
    let mut hasher = Hasher::new();
    let mut crc = crc32fast::Hasher::new();
    let mut size = 0_u64;
    let mut method = None;
    let mut before: Arc<Vec<u8>> = Arc::default();
    loop {
        let mut segment = vec![0; SEGMENT];
        let used = read_full(&mut source, &mut segment).map_err(|error| source_error(&source, error))?;
        segment.truncate(used);
        let last = used < SEGMENT;
        hasher.update(&segment);
        crc.update(&segment);
        size += length(&segment);
        if size > announced {
            return Err(source_error(&source, grown()));
        }
        let chosen = *method.get_or_insert_with(|| {
            let chosen = choose_method(codec, &segment, source.is_compressed());
            queue.push(Pending::Begin(path.clone(), chosen, announced), 0);
            chosen
        });
        match (chosen, codec) {
            (Method::Compress, Codec::Deflate(level)) => {
                let (send, receive) = sync_channel(1);
                let segment = Arc::new(segment);
                let (own, ahead) = (Arc::clone(&segment), std::mem::replace(&mut before, segment));
                scope.spawn_fifo(move |_| {
                    let window = ahead.get(ahead.len().saturating_sub(deflate::WINDOW)..).unwrap_or_default();
                    let _ = send.send(deflate::segment(level, window, &own, last));
                });
                queue.push(Pending::Segment(receive), 2 * length(&before));
            }
            (_, Codec::TarGz { level, .. }) => {
                let level = if chosen == Method::Compress { level } else { CompressionLevel::None };
                if last {
                    segment.resize(segment.len() + tar::padding(size), 0);
                }
                if !segment.is_empty() {
                    let bytes = length(&segment);
                    let (send, receive) = sync_channel(1);
                    scope.spawn_fifo(move |_| {
                        let _ = send.send(Ok(tar::encode(level, &segment).0));
                    });
                    queue.push(Pending::Segment(receive), 2 * bytes);
                }
            }
            _ => {
                let bytes = length(&segment);
                queue.push(Pending::Ready(segment), bytes);
            }
        }
        queue.drain_to(most_waiting)?;
        if last {
            break;
        }
    }
    let method = method.unwrap_or(Method::Store);
    let facts = LargeFacts { path, size, crc32: crc.finalize(), hasher, method };
    queue.push(Pending::End(source, Box::new(facts)), 0);
    Ok(())
}

/// Whether the first segment promises that compressing is worth it.
fn choose_method(codec: Codec, first: &[u8], is_compressed: bool) -> Method {
    match codec {
        Codec::Deflate(level) | Codec::TarGz { level, .. } if !is_compressed && level != CompressionLevel::None => {
            match deflate::whole(level, first) {
                Some(stream) if stream.len() <= first.len() - first.len() / 50 => Method::Compress,
                _ => Method::Store,
            }
        }
        _ => Method::Store,
    }
}

fn read_full(source: &mut impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut used = 0;
    while let Some(rest) = buffer.get_mut(used..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(n) => used += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(used)
}
