//! Gzip members (RFC 1952): those this library writes, which say how long they are, and those of other tools.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use pdp_manifest::CompressionLevel;

use super::FRAME_MAX;
use crate::contract::Method;
use crate::deflate;

/// Length of the header of a framed gzip member.
pub(super) const HEAD: usize = 24;
/// Length of the CRC-32 and the size behind the Deflate stream.
pub(super) const TAIL: usize = deflate::GZIP_TAIL;

/// The header of a framed gzip member but for the two lengths in its extra field.
const FIXED: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 12, 0, b'P', b'D', 8, 0];

/// How long a framed gzip member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// With header and trailer.
    pub(super) stored: u32,
    /// What it inflates to.
    pub(super) size: u32,
}

/// A whole framed gzip member of at most [`FRAME_MAX`] bytes; without a level its bytes are stored.
///
/// Also tells whether compressing made it smaller.
pub(crate) fn encode(level: CompressionLevel, content: &[u8]) -> (Vec<u8>, bool) {
    let packed = if level == CompressionLevel::None { None } else { deflate::whole(level, content) };
    let smaller = packed.is_some();
    (wrap(content, &packed.unwrap_or_else(|| deflate::stored(content))), smaller)
}

/// As many framed gzip members as a whole entry needs, and whether compressing made them smaller.
pub(crate) fn encode_all(level: CompressionLevel, entry: &[u8]) -> (Method, Vec<u8>) {
    let mut out = Vec::new();
    let mut method = Method::Store;
    // One, but for entries larger than those that come here.
    for piece in entry.chunks(usize::try_from(FRAME_MAX).unwrap_or(usize::MAX)) {
        let (member, smaller) = encode(level, piece);
        if smaller {
            method = Method::Compress;
        }
        if out.is_empty() { out = member } else { out.extend(member) }
    }
    (method, out)
}

/// A framed gzip member of `head` and `tail` whose length does not depend on what `head` holds.
pub(crate) fn encode_fixed(level: CompressionLevel, head: &[u8], tail: &[u8]) -> Vec<u8> {
    let content = [head, tail].concat();
    let stream = match level {
        CompressionLevel::None => deflate::stored(&content),
        level => deflate::fixed_head(level, head, tail),
    };
    wrap(&content, &stream)
}

fn wrap(content: &[u8], stream: &[u8]) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let stored = u32::try_from(HEAD + stream.len() + TAIL).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(HEAD + stream.len() + TAIL);
    out.extend_from_slice(&FIXED);
    out.extend_from_slice(&stored.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(stream);
    out.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
    out
}

/// Whether a file that begins like this is framed.
pub(crate) fn is_framed(head: &[u8]) -> bool {
    head.starts_with(&FIXED)
}

/// The lengths in the header of a framed gzip member.
pub(super) fn frame(head: &[u8]) -> Option<Frame> {
    let lengths = head.strip_prefix(&FIXED)?;
    let stored = u32::from_le_bytes(lengths.get(..4)?.try_into().ok()?);
    let size = u32::from_le_bytes(lengths.get(4..8)?.try_into().ok()?);
    let plausible = usize::try_from(stored).is_ok_and(|stored| stored > HEAD + TAIL) && (1..=FRAME_MAX).contains(&size);
    plausible.then_some(Frame { stored, size })
}

/// The content of a whole framed gzip member, every byte of it held against what it says.
pub(super) fn decode(member: &[u8], frame: Frame) -> io::Result<Vec<u8>> {
    let size = usize::try_from(frame.size).unwrap_or(0);
    if let Some(content) = deflate::inflate_gzip(member, HEAD, size) {
        return Ok(content);
    }
    let stream = member.get(HEAD..member.len().saturating_sub(TAIL)).unwrap_or_default();
    let content = deflate::inflate_exact(stream, size)?;
    let expected = [crc32fast::hash(&content).to_le_bytes(), frame.size.to_le_bytes()].concat();
    let stated = member.get(member.len().saturating_sub(TAIL)..).unwrap_or_default();
    if stated != expected {
        return Err(invalid("the CRC-32 or size behind its Deflate stream is wrong".to_owned()));
    }
    Ok(content)
}

pub(super) fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// Longest name or comment in a header of another tool.
const TEXT_MAX: usize = 64 << 10;

/// The content of one gzip member after the other, as any tool may have written them.
///
/// Nothing but gzip members may follow, and none may be empty.
pub(super) struct GzipStream<R> {
    input: R,
    /// Read from `input` and not yet used.
    block: Vec<u8>,
    used: usize,
    /// Position of the next unused byte.
    at: u64,
    given: u64,
    ratio: Option<u64>,
    state: State,
    inflate: Decompress,
    crc: crc32fast::Hasher,
    size: u64,
}

#[derive(PartialEq, Eq)]
enum State {
    Header,
    Body,
    End,
}

impl<R: Read> GzipStream<R> {
    /// `ratio` is the most bytes that may come out for each that goes in, over the first mebibyte.
    pub(super) fn new(input: R, ratio: Option<u64>) -> Self {
        Self {
            input,
            block: Vec::new(),
            used: 0,
            at: 0,
            given: 0,
            ratio,
            state: State::Header,
            inflate: Decompress::new(false),
            crc: crc32fast::Hasher::new(),
            size: 0,
        }
    }

    /// The position in the compressed input up to which it has been used.
    pub(super) const fn position(&self) -> u64 {
        self.at
    }

    fn waiting(&self) -> &[u8] {
        self.block.get(self.used..).unwrap_or_default()
    }

    fn refill(&mut self) -> io::Result<bool> {
        if self.waiting().is_empty() {
            self.block.resize(64 << 10, 0);
            self.used = 0;
            let n = loop {
                match self.input.read(&mut self.block) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
            self.block.truncate(n);
        }
        Ok(!self.waiting().is_empty())
    }

    fn take(&mut self, n: usize) {
        self.used += n;
        self.at += n as u64;
    }

    fn byte(&mut self) -> io::Result<u8> {
        if !self.refill()? {
            return Err(invalid(format!("the gzip data is cut short at byte {}", self.at)));
        }
        let byte = self.waiting().first().copied().unwrap_or(0);
        self.take(1);
        Ok(byte)
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut out = [0; N];
        for slot in &mut out {
            *slot = self.byte()?;
        }
        Ok(out)
    }

    /// Reads the header of the next member; false at the end of the input.
    fn header(&mut self) -> io::Result<bool> {
        if !self.refill()? {
            return Ok(false);
        }
        let start = self.at;
        let mut sum = crc32fast::Hasher::new();
        if !self.waiting().starts_with(&[0x1f]) {
            return Err(invalid(format!("byte {start}: no gzip member, and only those may follow")));
        }
        let fixed: [u8; 10] = self.bytes()?;
        sum.update(&fixed);
        let [0x1f, 0x8b, 8, flags, ..] = fixed else {
            return Err(invalid(format!("byte {start}: no gzip member, and only those may follow")));
        };
        if flags & 0b1110_0000 != 0 {
            return Err(invalid(format!("byte {start}: a gzip header with reserved flags {flags:#04x}")));
        }
        if flags & 4 != 0 {
            let len: [u8; 2] = self.bytes()?;
            sum.update(&len);
            for _ in 0..u16::from_le_bytes(len) {
                sum.update(&[self.byte()?]);
            }
        }
        for _ in 0..(flags & 8 != 0) as u8 + (flags & 16 != 0) as u8 {
            for count in 0.. {
                let byte = self.byte()?;
                sum.update(&[byte]);
                if byte == 0 {
                    break;
                }
                if count > TEXT_MAX {
                    return Err(invalid(format!("byte {start}: a gzip header with a name over {TEXT_MAX} bytes")));
                }
            }
        }
        if flags & 2 != 0 {
            let [low, high, ..] = sum.finalize().to_le_bytes();
            if self.bytes()? != [low, high] {
                return Err(invalid(format!("byte {start}: a gzip header whose CRC is wrong")));
            }
        }
        self.inflate.reset(false);
        self.crc = crc32fast::Hasher::new();
        self.size = 0;
        Ok(true)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let at = self.at;
        let (crc, size): ([u8; 4], [u8; 4]) = (self.bytes()?, self.bytes()?);
        let actual = self.crc.clone().finalize();
        if u32::from_le_bytes(crc) != actual {
            let stated = u32::from_le_bytes(crc);
            return Err(invalid(format!("byte {at}: the CRC-32 is {actual:08x}, the gzip trailer says {stated:08x}")));
        }
        if u64::from(u32::from_le_bytes(size)) != self.size & 0xffff_ffff {
            let stated = u32::from_le_bytes(size);
            return Err(invalid(format!("byte {at}: {} bytes, the gzip trailer says {stated}", self.size)));
        }
        if self.size == 0 {
            return Err(invalid(format!("byte {at}: an empty gzip member")));
        }
        Ok(())
    }

    fn body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let more = self.refill()?;
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let input = self.block.get(self.used..).unwrap_or_default();
            let at = self.at;
            let status = self
                .inflate
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|error| invalid(format!("byte {at}: a damaged Deflate stream: {error}")))?;
            self.take(usize::try_from(self.inflate.total_in() - before_in).unwrap_or(0));
            let n = self.inflate.total_out() - before_out;
            self.size += n;
            self.given += n;
            let n = usize::try_from(n).unwrap_or(0);
            self.crc.update(buffer.get(..n).unwrap_or_default());
            if let Some(ratio) = self.ratio
                && self.given > (1 << 20) + ratio.saturating_mul(self.at)
            {
                return Err(invalid(format!("byte {}: it inflates to more than {ratio} times its size", self.at)));
            }
            if status == Status::StreamEnd {
                self.trailer()?;
                self.state = State::Header;
                return Ok(n);
            }
            if n > 0 {
                return Ok(n);
            }
            if !more {
                return Err(invalid(format!("the gzip data is cut short at byte {}", self.at)));
            }
        }
    }
}

impl<R: Read> Read for GzipStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match self.state {
                State::End => return Ok(0),
                State::Header => self.state = if self.header()? { State::Body } else { State::End },
                State::Body => {
                    let n = self.body(buffer)?;
                    if n > 0 {
                        return Ok(n);
                    }
                }
            }
        }
    }
}
