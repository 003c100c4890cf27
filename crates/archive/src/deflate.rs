//! Raw Deflate: whole members, and segments of a member that are compressed apart and joined.

use std::cell::RefCell;
use std::io;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use memchr::memmem;
use pdp_manifest::CompressionLevel;

/// How far back Deflate can refer.
pub(crate) const WINDOW: usize = 32 << 10;

/// Readers refuse members of a much higher ratio as bombs, so nothing is written with a higher one than this.
const RATIO_MAX: usize = 90;
/// Smaller members are left alone; all of them together stay far below what readers look at.
const RATIO_FROM: usize = 4 << 10;

thread_local! {
    static COMPRESSOR: RefCell<Option<(CompressionLevel, Compressor)>> = const { RefCell::new(None) };
    static INFLATE: RefCell<Decompress> = RefCell::new(Decompress::new(false));
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
}

/// Streams up to this size, packed and unpacked, are inflated in one piece.
pub(crate) const AT_ONCE: u64 = 8 << 20;
/// The length of the CRC-32 and the size at the end of a gzip member.
pub(crate) const GZIP_TAIL: usize = 8;
/// The shortest header of a gzip member.
pub(crate) const GZIP_HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// One complete Deflate stream of `bytes`, or `None` when it would not be smaller than they are.
pub(crate) fn whole(level: CompressionLevel, bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return None;
    }
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.as_ref().is_none_or(|(kept, _)| *kept != level) {
            *slot = Some((level, Compressor::new(lvl(level))));
        }
        let (_, compressor) = slot.as_mut()?;
        // One byte less than the input: what does not fit is not worth keeping compressed.
        let mut out = vec![0; bytes.len() - 1];
        let used = compressor.deflate_compress(bytes, &mut out).ok()?;
        if let Some(plain) = to_keep_plain(bytes.len(), used) {
            let (head, tail) = bytes.split_at_checked(plain)?;
            return Some(fixed_head(level, head, tail));
        }
        out.truncate(used);
        out.shrink_to_fit();
        Some(out)
    })
}

/// How many bytes of `len` are to be stored as they are, so that `packed` does not look like a bomb; none mostly.
const fn to_keep_plain(len: usize, packed: usize) -> Option<usize> {
    if len > RATIO_FROM && packed.saturating_mul(RATIO_MAX) < len { Some(len / RATIO_MAX) } else { None }
}

/// A complete Deflate stream of `bytes` as they are.
pub(crate) fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8192 + 5);
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        stored_block(block, blocks.peek().is_none(), &mut out);
    }
    if bytes.is_empty() {
        stored_block(&[], true, &mut out);
    }
    out
}

fn stored_block(block: &[u8], last: bool, out: &mut Vec<u8>) {
    let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
    out.push(u8::from(last));
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&(!len).to_le_bytes());
    out.extend_from_slice(block);
}

/// What a complete Deflate stream inflates to, which is exactly `size` bytes; the stream is all of `stream`.
pub(crate) fn inflate_exact(stream: &[u8], size: usize) -> io::Result<Vec<u8>> {
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(false);
        let mut out = vec![0; size];
        // Room for one byte more tells a stream that holds more.
        let mut input = stream;
        let mut given = 0;
        loop {
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let mut one = [0];
            let room = match out.get_mut(given..) {
                Some(room) if !room.is_empty() => room,
                _ => &mut one,
            };
            let status = inflate
                .decompress(input, room, FlushDecompress::Finish)
                .map_err(|error| damaged(format!("its Deflate stream is damaged: {error}")))?;
            let taken = usize::try_from(inflate.total_in() - before_in).unwrap_or(0);
            input = input.get(taken..).unwrap_or_default();
            given += usize::try_from(inflate.total_out() - before_out).unwrap_or(0);
            if given > size {
                return Err(damaged(format!("it has more than the {size} bytes its header says")));
            }
            if status == Status::StreamEnd {
                break;
            }
            if taken == 0 && inflate.total_out() == before_out {
                return Err(damaged("its Deflate stream is cut short".to_owned()));
            }
        }
        if given != size {
            return Err(damaged(format!("it has {given} bytes, its header says {size}")));
        }
        if !input.is_empty() {
            return Err(damaged(format!("{} bytes follow the end of its Deflate stream", input.len())));
        }
        Ok(out)
    })
}

/// What a whole gzip member inflates to, if that is exactly `size` bytes, its CRC-32 is right, and its Deflate stream,
/// which begins at `head`, takes all of it. None where it is not or cannot be told here: a reader that goes through it
/// byte by byte then says what is wrong.
///
/// This is twice as fast as [`inflate_exact`], but libdeflate does not tell where the stream ended. It does compare what
/// follows the stream with CRC and size; so where those eight bytes stand at the end of the member and nowhere before,
/// the stream ended there.
pub(crate) fn inflate_gzip(member: &[u8], head: usize, size: usize) -> Option<Vec<u8>> {
    let (body, tail) = member.split_at_checked(member.len().checked_sub(GZIP_TAIL)?)?;
    // Also across the border: the tail may begin before its place.
    let before = member.get(head..member.len() - 1)?;
    if body.len() < head || memmem::find(before, tail).is_some() {
        return None;
    }
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let mut out = vec![0; size];
        let given = decompressor.gzip_decompress(member, &mut out).ok()?;
        // What libdeflate compared stood behind the stream; it must be what stands at the end.
        let (crc, len) = (crc32fast::hash(&out).to_le_bytes(), u32::try_from(size).ok()?.to_le_bytes());
        (given == size && tail == [crc, len].concat()).then_some(out)
    })
}

/// The first bytes that a Deflate stream inflates to, `len` at most; fewer where the stream ends or is cut.
pub(crate) fn inflate_some(stream: &[u8], len: usize) -> io::Result<Vec<u8>> {
    INFLATE.with_borrow_mut(|inflate| {
        inflate.reset(false);
        let mut out = vec![0; len];
        inflate
            .decompress(stream, &mut out, FlushDecompress::None)
            .map_err(|error| damaged(format!("its Deflate stream is damaged: {error}")))?;
        out.truncate(usize::try_from(inflate.total_out()).unwrap_or(0));
        Ok(out)
    })
}

fn damaged(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

fn lvl(level: CompressionLevel) -> CompressionLvl {
    CompressionLvl::new(i32::from(level.deflate_level())).unwrap_or_default()
}

/// A Deflate stream of `head` and `tail` whose length does not depend on what `head` holds, only on its length.
///
/// `head` stands in stored blocks, `tail` follows as blocks of its own that do not refer back to it.
pub(crate) fn fixed_head(level: CompressionLevel, head: &[u8], tail: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for block in head.chunks(usize::from(u16::MAX)) {
        stored_block(block, false, &mut out);
    }
    let mut compressor = Compressor::new(lvl(level));
    let mut rest = vec![0; compressor.deflate_compress_bound(tail.len())];
    let used = compressor
        .deflate_compress(tail, &mut rest)
        .unwrap_or_else(|_| unreachable!("the bound is enough for any input"));
    rest.truncate(used);
    out.extend_from_slice(&rest);
    out
}

/// One segment of a longer stream: it begins and ends on a byte and may refer back to `before`, the bytes ahead of it.
///
/// Segments put one behind the other make one stream; the last one closes it.
pub(crate) fn segment(level: CompressionLevel, before: &[u8], bytes: &[u8], last: bool) -> io::Result<Vec<u8>> {
    let packed = pack_segment(level, before, bytes, last)?;
    let Some(plain) = to_keep_plain(bytes.len(), packed.len()) else { return Ok(packed) };
    let (head, tail) = bytes.split_at(plain);
    let mut out = Vec::with_capacity(plain + packed.len());
    for block in head.chunks(usize::from(u16::MAX)) {
        stored_block(block, false, &mut out);
    }
    let window = head.get(head.len().saturating_sub(WINDOW)..).unwrap_or_default();
    out.extend(pack_segment(level, window, tail, last)?);
    Ok(out)
}

fn pack_segment(level: CompressionLevel, before: &[u8], bytes: &[u8], last: bool) -> io::Result<Vec<u8>> {
    let mut compress = Compress::new(Compression::new(u32::from(level.deflate_level())), false);
    if !before.is_empty() {
        compress.set_dictionary(before).map_err(io::Error::other)?;
    }
    let flush = if last { FlushCompress::Finish } else { FlushCompress::Sync };
    let mut out = Vec::with_capacity(bytes.len() / 4 + 1024);
    let mut input = bytes;
    loop {
        let before_in = compress.total_in();
        let status = compress.compress_vec(input, &mut out, flush).map_err(io::Error::other)?;
        let taken = usize::try_from(compress.total_in() - before_in).unwrap_or(usize::MAX);
        input = input.get(taken..).unwrap_or_default();
        // Room left over means that nothing is waiting inside for more of it.
        let flushed = input.is_empty() && out.len() < out.capacity();
        if status == Status::StreamEnd || (!last && flushed) {
            return Ok(out);
        }
        out.reserve(out.capacity().max(1024));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn inflate(stream: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::DeflateDecoder::new(stream).read_to_end(&mut out).unwrap();
        out
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|i| b"abcdefgh,0123456789\n"[(i * i / 7 + i) % 20]).collect()
    }

    const LEVELS: [CompressionLevel; 3] =
        [CompressionLevel::Fast, CompressionLevel::Balanced, CompressionLevel::Maximum];

    #[test]
    fn joined_segments_are_one_stream() {
        let data = text(700_001);
        for level in LEVELS {
            for size in [1000, 65_536, 300_000, 700_001] {
                let mut joined = Vec::new();
                let count = data.chunks(size).count();
                for (i, part) in data.chunks(size).enumerate() {
                    let start = i * size;
                    let before = &data[start.saturating_sub(WINDOW)..start];
                    joined.extend(segment(level, before, part, i + 1 == count).unwrap());
                }
                assert_eq!(inflate(&joined), data, "{level} {size}");
            }
        }
    }

    #[test]
    fn an_empty_last_segment_closes_the_stream() {
        let data = text(5000);
        let mut joined = segment(CompressionLevel::Fast, &[], &data, false).unwrap();
        joined.extend(segment(CompressionLevel::Fast, &data, &[], true).unwrap());
        assert_eq!(inflate(&joined), data);
    }

    #[test]
    fn whole_members_round_trip_or_are_declined() {
        for level in LEVELS {
            let data = text(100_000);
            assert_eq!(inflate(&whole(level, &data).unwrap()), data);
        }
        let noise: Vec<u8> = (0..4000_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let again = whole(CompressionLevel::Maximum, &whole(CompressionLevel::Maximum, &text(9000)).unwrap());
        assert!(again.is_none() || again.unwrap().len() < 9000);
        assert!(whole(CompressionLevel::Fast, b"").is_none());
        assert!(whole(CompressionLevel::Fast, b"x").is_none());
        if let Some(stream) = whole(CompressionLevel::Fast, &noise) {
            assert_eq!(inflate(&stream), noise);
        }
    }

    #[test]
    fn nothing_is_written_that_looks_like_a_bomb() {
        let zeros = vec![0; 3 << 20];
        for level in LEVELS {
            let stream = whole(level, &zeros).unwrap();
            assert!(stream.len() * 100 > zeros.len() && stream.len() * 80 < zeros.len(), "{}", stream.len());
            assert_eq!(inflate(&stream), zeros);
            let mut joined = segment(level, &[], &zeros[..1 << 20], false).unwrap();
            joined.extend(segment(level, &zeros[..WINDOW], &zeros[1 << 20..], true).unwrap());
            assert!(joined.len() * 100 > zeros.len());
            assert_eq!(inflate(&joined), zeros);
        }
    }

    #[test]
    fn streams_are_inflated_exactly_or_refused() {
        let data = text(100_000);
        for stream in [stored(&data), whole(CompressionLevel::Balanced, &data).unwrap()] {
            assert_eq!(inflate_exact(&stream, data.len()).unwrap(), data);
            assert_eq!(inflate_some(&stream, 600).unwrap(), data[..600]);
            assert!(inflate_exact(&stream, data.len() - 1).is_err());
            assert!(inflate_exact(&stream, data.len() + 1).is_err());
            assert!(inflate_exact(&[&stream[..], &[0]].concat(), data.len()).is_err());
            for cut in (0..stream.len()).step_by(stream.len() / 97 + 1).chain([stream.len() - 1]) {
                assert!(inflate_exact(&stream[..cut], data.len()).is_err(), "{cut}");
            }
        }
        assert_eq!(inflate_exact(&stored(b""), 0).unwrap(), b"");
    }

    #[test]
    fn gzip_members_are_inflated_whole_or_not_at_all() {
        let data = text(50_000);
        let stream = whole(CompressionLevel::Balanced, &data).unwrap();
        let tail = [crc32fast::hash(&data).to_le_bytes(), 50_000_u32.to_le_bytes()].concat();
        let member = |between: &[u8]| [&GZIP_HEAD[..], &stream, between, &tail].concat();
        let head = GZIP_HEAD.len();
        assert_eq!(inflate_gzip(&member(&[]), head, data.len()).unwrap(), data);
        for hidden in [&b"x"[..], b"hidden bytes", &tail, &[&tail[..], b"more"].concat(), &tail[..4]] {
            assert!(inflate_gzip(&member(hidden), head, data.len()).is_none(), "{hidden:?}");
        }
        let other = [&GZIP_HEAD[..], &stream, &tail, b"and 8 by"].concat();
        assert!(inflate_gzip(&other, head, data.len()).is_none());
        for size in [0, data.len() - 1, data.len() + 1] {
            assert!(inflate_gzip(&member(&[]), head, size).is_none());
        }
        let good = member(&[]);
        for cut in [0, 5, 17, 18, 19, good.len() - 1] {
            assert!(inflate_gzip(&good[..cut], head, data.len()).is_none(), "{cut}");
        }
    }

    #[test]
    fn a_fixed_head_keeps_the_length() {
        let tail = text(3000);
        let long = text(70_000);
        for (a, b) in [(&b"size 1         "[..], &b"size 8388607   "[..]), (&long, &vec![b'x'; 70_000])] {
            let (one, other) =
                (fixed_head(CompressionLevel::Balanced, a, &tail), fixed_head(CompressionLevel::Balanced, b, &tail));
            assert_eq!(one.len(), other.len());
            assert_eq!(inflate(&one), [a, &tail].concat());
            assert_eq!(inflate(&other), [b, &tail[..]].concat());
        }
    }
}
