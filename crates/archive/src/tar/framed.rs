//! Reading the TAR.GZ archives that this library writes: any file without the others, on any thread.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::path::Path;

use pdp_manifest::{ContainerFormat, PackageCompression, PackagePath};
use rayon::prelude::*;

use super::gzip::{self, Frame, HEAD, invalid};
use super::header::{self, PAX, REGULAR};
use super::{BLOCK, padding, pax};
use crate::contract::{ContainerReader, MemberInfo, Visitor};
use crate::deflate::inflate_some;
use crate::open::{Limits, Tally};
use crate::positional::read_exact_at;
use crate::{ArchiveError, NameSet};

/// How much of a gzip member is read to see the header of the entry in it.
const PEEK: usize = 4 << 10;

/// A framed TAR.GZ whose structure has been checked: every byte of the file belongs to exactly one gzip member, and
/// every entry's header is the one that this library writes.
#[derive(Debug)]
pub struct FramedTarReader {
    file: File,
    size: u64,
    members: Vec<MemberInfo>,
    places: Vec<Place>,
    frames: Vec<(u64, Frame)>,
}

/// Where an entry lies.
#[derive(Debug)]
struct Place {
    /// Length of its header blocks, at the beginning of its first frame.
    head: usize,
    /// Its frames.
    frames: Range<usize>,
}

impl FramedTarReader {
    /// Opens the archive at `path` and checks its structure; no content is decompressed.
    ///
    /// # Errors
    /// I/O, or what is wrong and at which byte.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, ArchiveError> {
        let file = File::open(path).map_err(ArchiveError::io("opening", path))?;
        Self::of(path, file, limits)
    }

    /// As [`Self::open`], of a file that is open.
    pub(crate) fn of(path: &Path, file: File, limits: &Limits) -> Result<Self, ArchiveError> {
        let size = file.metadata().map_err(ArchiveError::io("reading", path))?.len();
        let mut reader = Self { file, size, members: Vec::new(), places: Vec::new(), frames: Vec::new() };
        reader.walk(limits)?;
        Ok(reader)
    }

    fn walk(&mut self, limits: &Limits) -> Result<(), ArchiveError> {
        let mut names = NameSet::new();
        let mut tally = Tally::new(limits, self.size);
        let mut modified = None;
        let mut at = 0;
        let mut peeked = Vec::new();
        loop {
            let first = self.frame(at, PEEK, &mut peeked)?;
            let next = at + u64::from(first.stored);
            let found = self.head(at, first, &mut peeked)?;
            let Some((path, head, size, time)) = found else {
                if next != self.size {
                    return Err(structure(next, "the archive goes on behind the end of its tar"));
                }
                return Ok(());
            };
            if *modified.get_or_insert(time) != time {
                return Err(structure(
                    at,
                    format!(
                        "\"{path}\" has another time than the entries before it, and in canonical form all have one"
                    ),
                ));
            }
            names.insert(&path)?;
            let start = self.frames.len();
            self.frames.push((at, first));
            at = next;
            let total = size.checked_add(head as u64 + padding(size) as u64);
            let total = total.ok_or_else(|| structure(at, format!("\"{path}\" has an impossible size of {size}")))?;
            let mut held = u64::from(first.size);
            let mut stored = u64::from(first.stored);
            // The first frame of a large file holds its header alone; its content follows.
            while held < total {
                let frame = self.frame(at, HEAD, &mut peeked)?;
                self.frames.push((at, frame));
                at += u64::from(frame.stored);
                held += u64::from(frame.size);
                stored += u64::from(frame.stored);
            }
            if held != total {
                return Err(structure(
                    at,
                    format!(
                        "\"{path}\" does not end with a gzip member, as in canonical form: {held} of {total} bytes"
                    ),
                ));
            }
            tally.member(&path, size, stored)?;
            self.places.push(Place { head, frames: start..self.frames.len() });
            let compression = PackageCompression::Gzip;
            self.members.push(MemberInfo { path, size, stored_size: stored, compression });
        }
    }

    /// The frame at `at`, and up to `len` of its bytes.
    fn frame(&self, at: u64, len: usize, bytes: &mut Vec<u8>) -> Result<Frame, ArchiveError> {
        let left = self.size.saturating_sub(at);
        if left == 0 {
            return Err(structure(at, "the archive is cut short: its tar has no end"));
        }
        bytes.resize(usize::try_from(left).unwrap_or(usize::MAX).min(len), 0);
        read_exact_at(&self.file, bytes, at).map_err(|error| structure(at, format!("it cannot be read: {error}")))?;
        let frame = gzip::frame(bytes)
            .ok_or_else(|| structure(at, "no gzip member in the canonical form that this archive has"))?;
        if u64::from(frame.stored) > left {
            let reason = format!("the archive is cut short: a gzip member of {} bytes, {left} are there", frame.stored);
            return Err(structure(at, reason));
        }
        bytes.truncate(usize::try_from(frame.stored).unwrap_or(usize::MAX));
        Ok(frame)
    }

    /// The entry that begins with the frame at `at`: name, length of its header, size and time; none at the end.
    fn head(
        &self,
        at: u64,
        frame: Frame,
        peeked: &mut Vec<u8>,
    ) -> Result<Option<(PackagePath, usize, u64, u64)>, ArchiveError> {
        let damaged = |error: io::Error| structure(at, error.to_string());
        let mut plain = self.inflate_head(at, frame, peeked, BLOCK)?;
        let block = |bytes: &[u8], at: usize| bytes.get(at..at + BLOCK)?.try_into().ok();
        let cut = || structure(at, "a header is cut short before its end");
        let mut first: [u8; BLOCK] = block(&plain, 0).ok_or_else(cut)?;
        if first == [0; BLOCK] {
            return match usize::try_from(frame.size) == Ok(2 * BLOCK) {
                true => {
                    let member = self.member(at, frame).map_err(damaged)?;
                    let zeros = gzip::decode(&member, frame).map_err(damaged)?.iter().all(|byte| *byte == 0);
                    zeros.then_some(None).ok_or_else(|| structure(at, "the end of the tar is damaged"))
                }
                false => Err(structure(at, "the end of the tar is not in canonical form")),
            };
        }
        let describe = |reason: String| structure(at, format!("the header of an entry: {reason}"));
        let mut parsed = header::parse(&first).map_err(describe)?;
        let regular = |header: &header::Header| match header.kind {
            REGULAR | PAX => Ok(()),
            kind => {
                let (name, kind) = (header.name.escape_ascii(), [kind].escape_ascii().to_string());
                Err(structure(
                    at,
                    format!(
                        "\"{name}\" is an entry of type '{kind}', which is not supported; in canonical form there are files only"
                    ),
                ))
            }
        };
        regular(&parsed)?;
        let mut long = None;
        let mut head = BLOCK;
        if parsed.kind == PAX {
            if parsed.size > pax::MAX {
                return Err(structure(at, format!("PAX records of {} bytes", parsed.size)));
            }
            let len = usize::try_from(parsed.size).unwrap_or(0);
            head = 2 * BLOCK + len + padding(parsed.size);
            plain = self.inflate_head(at, frame, peeked, head)?;
            let records = pax::parse(plain.get(BLOCK..BLOCK + len).ok_or_else(cut)?).map_err(describe)?;
            long = records.path;
            first = block(&plain, head - BLOCK).ok_or_else(cut)?;
            parsed = header::parse(&first).map_err(describe)?;
            regular(&parsed)?;
        }
        let name = match long {
            Some(name) => name,
            None => String::from_utf8(parsed.name).map_err(|_| structure(at, "a name that is not UTF-8"))?,
        };
        let path: PackagePath = name.parse()?;
        if header::entry_head(&path, parsed.size, parsed.modified) != plain.get(..head).unwrap_or_default() {
            return Err(structure(at, format!("the header of \"{path}\" is not in canonical form")));
        }
        Ok(Some((path, head, parsed.size, parsed.modified)))
    }

    /// The first `len` bytes that the frame at `at` inflates to.
    fn inflate_head(&self, at: u64, frame: Frame, peeked: &mut Vec<u8>, len: usize) -> Result<Vec<u8>, ArchiveError> {
        let damaged = |error: io::Error| structure(at, error.to_string());
        let whole = usize::try_from(frame.stored).unwrap_or(usize::MAX);
        loop {
            let stream = peeked.get(HEAD..).unwrap_or_default();
            let plain = inflate_some(stream, len).map_err(damaged)?;
            if plain.len() == len {
                return Ok(plain);
            }
            if peeked.len() >= whole {
                return Err(structure(at, "a header is cut short before its end"));
            }
            *peeked = vec![0; whole.min(peeked.len().saturating_mul(4))];
            read_exact_at(&self.file, peeked, at).map_err(damaged)?;
        }
    }

    fn member(&self, at: u64, frame: Frame) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(frame.stored).unwrap_or(0)];
        read_exact_at(&self.file, &mut bytes, at)?;
        Ok(bytes)
    }

    fn content(&self, (at, frame): (u64, Frame)) -> io::Result<Vec<u8>> {
        let bytes = self.member(at, frame)?;
        if gzip::frame(&bytes) != Some(frame) {
            return Err(invalid("the archive changed while it was read".to_owned()));
        }
        gzip::decode(&bytes, frame)
    }
}

fn structure(offset: u64, reason: impl Into<String>) -> ArchiveError {
    ArchiveError::Structure { offset, reason: reason.into() }
}

impl ContainerReader for FramedTarReader {
    fn format(&self) -> ContainerFormat {
        ContainerFormat::TarGz
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn members(&self) -> &[MemberInfo] {
        &self.members
    }

    fn visit(&self, wanted: &(dyn Fn(&MemberInfo) -> bool + Sync), visit: &Visitor<'_>) -> Result<(), ArchiveError> {
        self.members.par_iter().zip(&self.places).filter(|(info, _)| wanted(info)).try_for_each(|(info, place)| {
            let frames = self.frames.get(place.frames.clone()).unwrap_or_default();
            let mut body = Body {
                archive: self,
                frames,
                head: place.head,
                left: info.size,
                ready: Vec::new().into_iter(),
                piece: Vec::new(),
                used: 0,
            };
            visit(info, &mut body)
        })
    }
}

/// The content of an entry.
struct Body<'a> {
    archive: &'a FramedTarReader,
    /// Frames not yet decoded.
    frames: &'a [(u64, Frame)],
    /// Header bytes still to be skipped.
    head: usize,
    /// Content still to be given.
    left: u64,
    /// Decoded and not yet begun.
    ready: std::vec::IntoIter<Vec<u8>>,
    piece: Vec<u8>,
    used: usize,
}

impl Body<'_> {
    /// Decodes the next frames, on as many threads as there are.
    fn refill(&mut self) -> io::Result<bool> {
        if self.ready.len() == 0 {
            let (now, later) = self.frames.split_at(self.frames.len().min(rayon::current_num_threads()));
            let pieces: io::Result<Vec<Vec<u8>>> = match now {
                [] => return Ok(false),
                [one] => self.archive.content(*one).map(|piece| vec![piece]),
                many => many.par_iter().map(|frame| self.archive.content(*frame)).collect(),
            };
            self.frames = later;
            self.ready = pieces?.into_iter();
        }
        self.piece = self.ready.next().unwrap_or_default();
        self.used = std::mem::take(&mut self.head);
        Ok(true)
    }
}

impl Read for Body<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let waiting = self.piece.get(self.used..).unwrap_or_default();
            if self.left == 0 {
                // What is left is padding; nothing may hide in it.
                if !waiting.iter().all(|byte| *byte == 0) {
                    return Err(invalid("there are bytes in the padding behind it".to_owned()));
                }
            } else if !waiting.is_empty() {
                let most = usize::try_from(self.left).unwrap_or(usize::MAX);
                let n = waiting.len().min(buffer.len()).min(most);
                if let (Some(to), Some(from)) = (buffer.get_mut(..n), waiting.get(..n)) {
                    to.copy_from_slice(from);
                }
                self.used += n;
                self.left -= n as u64;
                return Ok(n);
            }
            self.piece.clear();
            self.used = 0;
            if !self.refill()? {
                return match self.left {
                    0 => Ok(0),
                    left => Err(invalid(format!("{left} bytes of it are missing"))),
                };
            }
        }
    }
}
