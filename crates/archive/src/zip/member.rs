//! One member of a ZIP file: its local header held against the central one, and its bytes.

use std::fs::File;
use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};

use super::directory::{Central, Wide, header_of};
use super::record::{DESCRIPTOR, Fields, Header, IN_ZIP64_32, LOCAL, LOCAL_LEN, METHOD_STORE};
use crate::positional::{read_at, read_exact_at};
use crate::{ArchiveError, deflate};

/// Bytes read from the archive at a time.
const BLOCK: usize = 64 << 10;

/// Where a member's stored bytes lie, and where the member ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    pub(super) data_at: u64,
    pub(super) end: u64,
    /// Whether the local header is byte for byte the one that this library writes.
    pub(super) canonical: bool,
}

/// Reads the local header of `central` and refuses it where the two could be understood differently.
///
/// `limit` is the first byte that is not the members' any more.
pub(super) fn place(file: &File, central: &Central, limit: u64) -> Result<Placement, ArchiveError> {
    let at = central.local_at;
    let error = |reason: String| ArchiveError::Structure { offset: at, reason };
    let shown = central.shown();
    let name_len = central.raw_name.len() as u64;
    if at.checked_add(LOCAL_LEN as u64 + name_len).is_none_or(|end| end > limit) {
        return Err(error(format!("the local header of \"{shown}\" lies outside the members' part of the file")));
    }
    let mut fixed = [0; LOCAL_LEN];
    read_exact_at(file, &mut fixed, at)
        .map_err(|source| error(format!("the local header cannot be read: {source}")))?;
    let parse = || {
        let mut fields = Fields(&fixed);
        let signature = fields.u32()?;
        fields.bytes(2)?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        let modified = fields.bytes(4)?;
        let (crc32, stored, size) = (fields.u32()?, fields.u32()?, fields.u32()?);
        Some((signature, flags, method, modified, crc32, stored, size, fields.u16()?, fields.u16()?))
    };
    let Some((signature, flags, method, modified, crc32, stored, size, local_name_len, extra_len)) = parse() else {
        return Err(error("the local header is cut short".to_owned()));
    };
    if signature != LOCAL {
        return Err(error(format!("no local header of \"{shown}\" where the central directory says")));
    }
    let differs = |what: &str| error(format!("local and central header of \"{shown}\" differ in {what}"));
    if u64::from(local_name_len) != name_len {
        return Err(differs("the name"));
    }
    if flags != central.flags {
        return Err(differs("the flags"));
    }
    if modified != central.modified {
        return Err(differs("the time"));
    }
    if method != central.method {
        return Err(differs("the compression method"));
    }
    let mut rest = vec![0; usize::from(local_name_len) + usize::from(extra_len)];
    read_exact_at(file, &mut rest, at + LOCAL_LEN as u64)
        .map_err(|source| error(format!("the local header cannot be read: {source}")))?;
    let (name, extra) = rest.split_at(usize::from(local_name_len));
    if name != central.raw_name {
        return Err(differs("the name"));
    }
    let wide = Wide::find(extra, name, at)?;
    let masked = [size, stored].contains(&IN_ZIP64_32);
    let mut values = Fields(wide.zip64.unwrap_or_default());
    let mut widen = |narrow: u32| match narrow {
        IN_ZIP64_32 if wide.zip64.is_some() => values.u64().ok_or_else(|| differs("a ZIP64 field that is cut short")),
        narrow => Ok(narrow.into()),
    };
    let (size, stored): (u64, u64) = (widen(size)?, widen(stored)?);
    wide.check_rest(values.0, masked, &[size, stored], at)?;
    // With a data descriptor the local fields are zero, or already right.
    let open = |local: u64| central.has_descriptor() && local == 0;
    if size != central.size && !open(size) {
        return Err(differs("the size"));
    }
    if stored != central.stored_size && !open(stored) {
        return Err(differs("the stored size"));
    }
    if crc32 != central.crc32 && !open(crc32.into()) {
        return Err(differs("the CRC"));
    }
    let data_at = at + LOCAL_LEN as u64 + rest.len() as u64;
    let data_end = data_at.checked_add(central.stored_size).filter(|end| *end <= limit);
    let data_end =
        data_end.ok_or_else(|| error(format!("the bytes of \"{shown}\" reach past the members' part of the file")))?;
    let end = if central.has_descriptor() { data_end + descriptor(file, central, data_end, limit)? } else { data_end };
    let found = [&fixed[..], &rest].concat();
    let sizes = (central.stored_size, central.size);
    let name = central.path.as_ref().map_or("", |path| path.as_str());
    let header = header_of(name, central.method, central.modified, central.crc32, sizes);
    let canonical =
        !central.has_descriptor() && [false, true].into_iter().any(|wide| Header { wide, ..header }.local() == found);
    Ok(Placement { data_at, end, canonical })
}

/// The length of the data descriptor at `at`, which must say what the central directory says (4.3.9).
fn descriptor(file: &File, central: &Central, at: u64, limit: u64) -> Result<u64, ArchiveError> {
    let room = usize::try_from((limit - at).min(24)).unwrap_or(0);
    let mut bytes = vec![0; room];
    let error = |reason: String| ArchiveError::Structure { offset: at, reason };
    read_exact_at(file, &mut bytes, at)
        .map_err(|source| error(format!("a data descriptor cannot be read: {source}")))?;
    for (signed, wide) in [(true, false), (true, true), (false, false), (false, true)] {
        let parse = || {
            let mut fields = Fields(&bytes);
            if signed && fields.u32()? != DESCRIPTOR {
                return None;
            }
            let crc32 = fields.u32()?;
            let (stored, size) =
                if wide { (fields.u64()?, fields.u64()?) } else { (fields.u32()?.into(), fields.u32()?.into()) };
            let same = (crc32, stored, size) == (central.crc32, central.stored_size, central.size);
            same.then_some((room - fields.0.len()) as u64)
        };
        if let Some(len) = parse() {
            return Ok(len);
        }
    }
    Err(error(format!("the data descriptor of \"{}\" differs from the central directory", central.shown())))
}

/// The bytes of a member. Reading fails unless they have exactly the declared size and CRC.
pub(super) struct MemberReader<'a> {
    file: &'a File,
    at: u64,
    stored_left: u64,
    size: u64,
    given: u64,
    expected_crc: u32,
    crc: crc32fast::Hasher,
    inflate: Option<Decompress>,
    block: Vec<u8>,
    used: usize,
    ended: bool,
    checked: bool,
    /// What a member of moderate size inflated to in one piece, CRC and all, and how much of it was given.
    whole: Option<(Vec<u8>, usize)>,
}

impl<'a> MemberReader<'a> {
    pub(super) fn new(file: &'a File, central: &Central, placement: Placement) -> Self {
        Self {
            file,
            at: placement.data_at,
            stored_left: central.stored_size,
            size: central.size,
            given: 0,
            expected_crc: central.crc32,
            crc: crc32fast::Hasher::new(),
            inflate: (central.method != METHOD_STORE).then(|| Decompress::new(false)),
            block: Vec::new(),
            used: 0,
            ended: false,
            checked: false,
            whole: Self::inflate_at_once(file, central, placement).map(|whole| (whole, 0)),
        }
    }

    /// The member's bytes, if they are not too many and everything about them is right; what is wrong is found by
    /// reading piece by piece.
    fn inflate_at_once(file: &File, central: &Central, placement: Placement) -> Option<Vec<u8>> {
        if central.method == METHOD_STORE || central.size.max(central.stored_size) > deflate::AT_ONCE {
            return None;
        }
        let stored = usize::try_from(central.stored_size).ok()?;
        let size = u32::try_from(central.size).ok()?;
        let head = deflate::GZIP_HEAD.len();
        let mut member = vec![0; head + stored];
        member.get_mut(..head)?.copy_from_slice(&deflate::GZIP_HEAD);
        read_exact_at(file, member.get_mut(head..)?, placement.data_at).ok()?;
        member.extend_from_slice(&central.crc32.to_le_bytes());
        member.extend_from_slice(&size.to_le_bytes());
        deflate::inflate_gzip(&member, head, usize::try_from(size).ok()?)
    }

    fn waiting(&self) -> &[u8] {
        self.block.get(self.used..).unwrap_or_default()
    }

    /// Brings in the next block of stored bytes when the last one is used up.
    fn refill(&mut self) -> io::Result<()> {
        if !self.waiting().is_empty() || self.stored_left == 0 {
            return Ok(());
        }
        let len = usize::try_from(self.stored_left.min(BLOCK as u64)).unwrap_or(BLOCK);
        self.block.resize(len, 0);
        self.used = 0;
        let n = loop {
            match read_at(self.file, &mut self.block, self.at) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.block.truncate(n);
        self.at += n as u64;
        self.stored_left -= n as u64;
        Ok(())
    }

    /// Some of the member's bytes, not held against its size; 0 at the end of the stream.
    fn produce(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.inflate.is_none() {
            self.refill()?;
            let n = self.waiting().len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..n), self.block.get(self.used..self.used + n)) {
                to.copy_from_slice(from);
            }
            self.used += n;
            return Ok(n);
        }
        while !self.ended {
            self.refill()?;
            let input_ended = self.stored_left == 0 && self.waiting().is_empty();
            let Some(inflate) = &mut self.inflate else { break };
            let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
            let input = self.block.get(self.used..).unwrap_or_default();
            let status = inflate
                .decompress(input, buffer, FlushDecompress::None)
                .map_err(|error| invalid(format!("its Deflate stream is damaged: {error}")))?;
            self.used += usize::try_from(inflate.total_in() - before_in).unwrap_or(0);
            let n = usize::try_from(inflate.total_out() - before_out).unwrap_or(0);
            self.ended = status == Status::StreamEnd;
            if n > 0 {
                return Ok(n);
            }
            if !self.ended && input_ended {
                return Err(invalid("its Deflate stream is cut short".to_owned()));
            }
        }
        Ok(0)
    }

    fn check_end(&mut self) -> io::Result<()> {
        if self.checked {
            return Ok(());
        }
        if self.given != self.size {
            return Err(invalid(format!("it has {} bytes, its header says {}", self.given, self.size)));
        }
        let over = self.stored_left + self.waiting().len() as u64;
        if over != 0 {
            return Err(invalid(format!("{over} bytes follow the end of its Deflate stream")));
        }
        let actual = self.crc.clone().finalize();
        if actual != self.expected_crc {
            return Err(invalid(format!("its CRC-32 is {actual:08x}, its header says {:08x}", self.expected_crc)));
        }
        self.checked = true;
        Ok(())
    }
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl Read for MemberReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if let Some((whole, given)) = &mut self.whole {
            let rest = whole.get(*given..).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
                to.copy_from_slice(from);
            }
            *given += n;
            return Ok(n);
        }
        let n = self.produce(buffer)?;
        if n == 0 {
            self.check_end()?;
            return Ok(0);
        }
        self.given += n as u64;
        if self.given > self.size {
            return Err(invalid(format!("it has more than the {} bytes its header says", self.size)));
        }
        self.crc.update(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}
