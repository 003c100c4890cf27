//! The end of a ZIP file and its central directory.

use std::fs::File;

use pdp_manifest::PackagePath;

use super::record::{
    CENTRAL, CENTRAL_LEN, DOS_DIRECTORY, DOS_VOLUME, DosTime, END, END_LEN, END64, END64_LEN, EXTRA_AES,
    EXTRA_UNICODE_PATH, EXTRA_ZIP64, FLAG_DESCRIPTOR, FLAG_ENCRYPTED, FLAG_MASKED, FLAG_PATCH, FLAG_STRONG_ENCRYPTION,
    FLAG_UTF8, Fields, Header, IN_ZIP64_16, IN_ZIP64_32, LOCATOR64, LOCATOR64_LEN, METHOD_DEFLATE, METHOD_STORE,
    NEEDED_MAX, end_records,
};
use crate::open::Limits;
use crate::positional::read_exact_at;
use crate::{ArchiveError, NameSet};

/// Where the central directory lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) count: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl End {
    /// Whether everything behind the central directory is what this library writes there.
    pub(super) fn is_canonical(&self, file: &File, file_len: u64) -> Result<bool, ArchiveError> {
        let expected = end_records(self.count, self.offset, self.size);
        let at = self.offset.saturating_add(self.size);
        if file_len.checked_sub(at) != Some(expected.len() as u64) {
            return Ok(false);
        }
        Ok(read(file, at, expected.len())? == expected)
    }
}

/// One member as the central directory has it.
#[derive(Debug, Clone)]
pub(super) struct Central {
    /// `None` for a directory entry, which holds nothing.
    pub(super) path: Option<PackagePath>,
    /// The directory that a directory entry names.
    pub(super) directory: Option<PackagePath>,
    pub(super) raw_name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// Time and date as they stand.
    pub(super) modified: [u8; 4],
    pub(super) crc32: u32,
    pub(super) stored_size: u64,
    pub(super) size: u64,
    pub(super) local_at: u64,
    /// Whether the header is byte for byte the one that this library writes.
    pub(super) canonical: bool,
}

impl Central {
    pub(super) const fn has_descriptor(&self) -> bool {
        self.flags & FLAG_DESCRIPTOR != 0
    }

    /// The name for messages.
    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.raw_name).escape_debug().to_string()
    }
}

fn structure(offset: u64, reason: impl Into<String>) -> ArchiveError {
    ArchiveError::Structure { offset, reason: reason.into() }
}

fn read(file: &File, offset: u64, len: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut buffer = vec![0; len];
    read_exact_at(file, &mut buffer, offset)
        .map_err(|error| structure(offset, format!("{len} bytes cannot be read: {error}")))?;
    Ok(buffer)
}

/// Finds the end records of a file of `file_len` bytes and checks that nothing follows them.
pub(super) fn locate(file: &File, file_len: u64) -> Result<End, ArchiveError> {
    let tail_len = usize::try_from(file_len.min(END_LEN as u64 + u64::from(u16::MAX))).unwrap_or(0);
    let tail_at = file_len - tail_len as u64;
    let tail = read(file, tail_at, tail_len)?;
    let signature = END.to_le_bytes();
    let ends: Vec<usize> = memchr_all(&tail, &signature);
    let at = match ends.as_slice() {
        [] => return Err(structure(file_len, "no end of central directory: not a ZIP archive, or cut short")),
        [at] => *at,
        [.., last] => {
            // Stored members may hold ZIP files of their own; only records that could be this file's end count.
            let fits = |at: &&usize| end_at(&tail, **at).is_some_and(|end| end.reaches_end);
            let mut fitting = ends.iter().filter(fits);
            match (fitting.next(), fitting.next()) {
                (Some(_), Some(_)) => {
                    return Err(structure(tail_at + *last as u64, "two end of central directory records"));
                }
                (Some(at), None) => *at,
                (None, _) => *last,
            }
        }
    };
    let position = tail_at + at as u64;
    // Another reader looks from the back and takes the first it finds.
    if ends.last().is_some_and(|last| *last > at) {
        return Err(structure(position, "the signature of an end record inside the comment"));
    }
    let end = end_at(&tail, at).ok_or_else(|| structure(position, "the end of central directory is cut short"))?;
    if !end.reaches_end {
        return Err(structure(position, "the end of central directory is followed by bytes that are not its comment"));
    }
    if end.disks {
        return Err(structure(position, "an archive of several disks"));
    }
    let wide_at = position.checked_sub((LOCATOR64_LEN + END64_LEN) as u64);
    let found = match wide_at.map(|wide_at| locate_wide(file, wide_at)).transpose()?.flatten() {
        Some(wide) => {
            let agrees = |narrow: u64, mask: u64, wide: u64| narrow == wide || narrow == mask;
            let same = agrees(end.count.into(), IN_ZIP64_16.into(), wide.count)
                && agrees(end.offset.into(), IN_ZIP64_32.into(), wide.offset)
                && agrees(end.size.into(), IN_ZIP64_32.into(), wide.size);
            if !same {
                return Err(structure(position, "the end of central directory and its ZIP64 form disagree"));
            }
            (wide, wide_at.unwrap_or(position))
        }
        None => {
            if end.count == IN_ZIP64_16 || end.offset == IN_ZIP64_32 || end.size == IN_ZIP64_32 {
                return Err(structure(
                    position,
                    "the end of central directory points to ZIP64 records that are not there",
                ));
            }
            (End { count: end.count.into(), offset: end.offset.into(), size: end.size.into() }, position)
        }
    };
    let (end, directory_end) = found;
    if end.offset.checked_add(end.size) != Some(directory_end) {
        return Err(structure(
            end.offset,
            format!(
                "the central directory of {} bytes does not end where its end record stands ({directory_end})",
                end.size
            ),
        ));
    }
    Ok(end)
}

struct Narrow {
    count: u16,
    offset: u32,
    size: u32,
    disks: bool,
    reaches_end: bool,
}

fn end_at(tail: &[u8], at: usize) -> Option<Narrow> {
    let rest = tail.get(at..)?;
    let mut fields = Fields(rest);
    fields.u32()?;
    let disks = (fields.u16()?, fields.u16()?);
    let (here, count) = (fields.u16()?, fields.u16()?);
    let (size, offset) = (fields.u32()?, fields.u32()?);
    let comment = fields.u16()?;
    let reaches_end = rest.len() == END_LEN + usize::from(comment);
    Some(Narrow { count, offset, size, disks: disks != (0, 0) || here != count, reaches_end })
}

fn locate_wide(file: &File, wide_at: u64) -> Result<Option<End>, ArchiveError> {
    let bytes = read(file, wide_at, END64_LEN + LOCATOR64_LEN)?;
    let parse = || {
        let mut locator = Fields(bytes.get(END64_LEN..)?);
        if locator.u32()? != LOCATOR64 {
            return None;
        }
        Some((locator.u32()?, locator.u64()?, locator.u32()?))
    };
    let Some((disk, at, disks)) = parse() else { return Ok(None) };
    if disk != 0 || disks != 1 {
        return Err(structure(wide_at, "an archive of several disks"));
    }
    if at != wide_at {
        return Err(structure(wide_at, format!("the ZIP64 locator points to {at}, not to the record before it")));
    }
    let record = || {
        let mut fields = Fields(&bytes);
        let head = (fields.u32()?, fields.u64()?);
        fields.bytes(4)?;
        let disks = (fields.u32()?, fields.u32()?);
        let counts = (fields.u64()?, fields.u64()?);
        Some((head, disks, counts, fields.u64()?, fields.u64()?))
    };
    match record() {
        Some(((END64, 44), (0, 0), (here, count), size, offset)) if here == count => {
            Ok(Some(End { count, offset, size }))
        }
        _ => Err(structure(wide_at, "the ZIP64 end of central directory is damaged")),
    }
}

/// Reads the central directory: names made safe, no two the same, every field accounted for.
pub(super) fn read_all(file: &File, end: &End, limits: &Limits) -> Result<Vec<Central>, ArchiveError> {
    if end.count > limits.max_members {
        return Err(ArchiveError::Limit { what: "number of members", actual: end.count, limit: limits.max_members });
    }
    let least = end.count.checked_mul(CENTRAL_LEN as u64);
    if least.is_none_or(|least| least > end.size) {
        let reason = format!("{} members cannot be listed in a central directory of {} bytes", end.count, end.size);
        return Err(structure(end.offset, reason));
    }
    if end.size > limits.max_directory_bytes {
        let (actual, limit) = (end.size, limits.max_directory_bytes);
        return Err(ArchiveError::Limit { what: "size of the central directory", actual, limit });
    }
    let len = usize::try_from(end.size).map_err(|_| structure(end.offset, "a central directory too large to read"))?;
    let bytes = read(file, end.offset, len)?;
    let mut fields = Fields(&bytes);
    let mut members = Vec::with_capacity(usize::try_from(end.count).unwrap_or(0));
    let mut names = NameSet::new();
    for _ in 0..end.count {
        let at = end.offset + (bytes.len() - fields.0.len()) as u64;
        let member = entry(&mut fields, at)?;
        match (&member.path, &member.directory) {
            (Some(path), _) => names.insert(path)?,
            (None, Some(path)) => names.insert_directory(path)?,
            (None, None) => {}
        }
        members.push(member);
    }
    if !fields.0.is_empty() {
        let at = end.offset + (bytes.len() - fields.0.len()) as u64;
        return Err(structure(at, "the central directory lists more members than its end record counts"));
    }
    Ok(members)
}

fn entry<'a>(fields: &mut Fields<'a>, at: u64) -> Result<Central, ArchiveError> {
    let cut = || structure(at, "a central header is cut short");
    let whole = fields.0;
    if fields.u32().ok_or_else(cut)? != CENTRAL {
        return Err(structure(at, "a central header was expected"));
    }
    let fixed = |fields: &mut Fields<'a>| {
        fields.bytes(2)?; // made by
        let needed = fields.u16()?;
        let (flags, method) = (fields.u16()?, fields.u16()?);
        // Any value is taken, as long as both headers have the same.
        let modified = fields.bytes(4)?.try_into().ok()?;
        let crc32 = fields.u32()?;
        let sizes = (fields.u32()?, fields.u32()?);
        let lengths = (fields.u16()?, fields.u16()?, fields.u16()?);
        let disk = fields.u16()?;
        fields.bytes(2)?;
        let attributes = fields.u32()?;
        let offset = fields.u32()?;
        let name = fields.bytes(lengths.0.into())?;
        let extra = fields.bytes(lengths.1.into())?;
        fields.bytes(lengths.2.into())?;
        Some((needed, flags, method, modified, crc32, sizes, disk, attributes, offset, name, extra))
    };
    let (needed, flags, method, modified, crc32, sizes, disk, attributes, offset, name, extra) =
        fixed(fields).ok_or_else(cut)?;
    let shown = String::from_utf8_lossy(name).escape_debug().to_string();
    let unsupported = |feature: &str| ArchiveError::Unsupported { member: shown.clone(), feature: feature.to_owned() };
    if flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED) != 0 {
        return Err(unsupported("encryption"));
    }
    if flags & FLAG_PATCH != 0 {
        return Err(unsupported("a patch for another file"));
    }
    if needed > NEEDED_MAX {
        return Err(unsupported(&format!("version {needed} of ZIP, which it says it needs")));
    }
    if method != METHOD_STORE && method != METHOD_DEFLATE {
        return Err(unsupported(&format!("compression method {method}")));
    }
    if disk != 0 {
        return Err(structure(at, "a member on another disk"));
    }
    let wide = Wide::find(extra, name, at)?;
    let mut values = Fields(wide.zip64.unwrap_or_default());
    let mut widen = |narrow: u32| match narrow {
        IN_ZIP64_32 => values.u64().ok_or_else(|| structure(at, "a ZIP64 extra field is missing or cut short")),
        narrow => Ok(narrow.into()),
    };
    let (size, stored_size, local_at) = (widen(sizes.1)?, widen(sizes.0)?, widen(offset)?);
    let masked = [sizes.1, sizes.0, offset].contains(&IN_ZIP64_32);
    wide.check_rest(values.0, masked, &[size, stored_size, local_at], at)?;

    let (path, is_directory) = safe_name(name, flags, at)?;
    // The upper half holds the Unix mode: only regular files and directories, or nothing at all.
    let kind = (attributes >> 16) & 0o170_000;
    let regular = matches!((kind, is_directory), (0, _) | (0o100_000, false) | (0o040_000, true));
    if !regular {
        return Err(unsupported(&format!("a member that is no regular file (mode {:o})", attributes >> 16)));
    }
    // The lower half holds the attributes of DOS, which some readers go by.
    if attributes & DOS_VOLUME != 0 || (!is_directory && attributes & DOS_DIRECTORY != 0) {
        return Err(unsupported(&format!("a member that is no regular file (attributes {:#04x})", attributes & 0xff)));
    }
    if is_directory && (size, stored_size) != (0, 0) {
        return Err(structure(at, format!("directory \"{shown}\" has {size} bytes of content, {stored_size} stored")));
    }
    if is_directory && crc32 != 0 {
        return Err(structure(at, format!("directory \"{shown}\" has the CRC-32 of some content")));
    }
    if method == METHOD_STORE && size != stored_size {
        return Err(structure(at, format!("stored member \"{shown}\" has {size} bytes and {stored_size} stored ones")));
    }
    let used = whole.get(..whole.len() - fields.0.len()).unwrap_or_default();
    let header = header_of(path.as_str(), method, modified, crc32, (stored_size, size));
    let canonical = !is_directory
        && [false, true].into_iter().any(|wide| {
            let mut expected = Vec::with_capacity(used.len());
            Header { wide, ..header }.central(local_at, &mut expected);
            expected == used
        });
    let (path, directory) = if is_directory { (None, Some(path)) } else { (Some(path), None) };
    Ok(Central {
        canonical,
        path,
        directory,
        raw_name: name.to_vec(),
        flags,
        method,
        modified,
        crc32,
        stored_size,
        size,
        local_at,
    })
}

/// The header that this library writes for a member, but for the choice of ZIP64.
pub(super) fn header_of(name: &str, method: u16, modified: [u8; 4], crc32: u32, sizes: (u64, u64)) -> Header<'_> {
    let [time_low, time_high, date_low, date_high] = modified;
    let time =
        DosTime { time: u16::from_le_bytes([time_low, time_high]), date: u16::from_le_bytes([date_low, date_high]) };
    Header { name, method, time, crc32, stored_size: sizes.0, size: sizes.1, wide: false }
}

/// The name as a path, and whether it is that of a directory.
fn safe_name(name: &[u8], flags: u16, at: u64) -> Result<(PackagePath, bool), ArchiveError> {
    let text = std::str::from_utf8(name).map_err(|_| structure(at, "a name that is not UTF-8"))?;
    // Without the flag a name is in some code page, which only plain ASCII survives.
    if flags & FLAG_UTF8 == 0 && !text.is_ascii() {
        return Err(structure(at, format!("the name \"{}\" is not marked as UTF-8", text.escape_debug())));
    }
    let (text, is_directory) = match text.strip_suffix('/') {
        Some(directory) => (directory, true),
        None => (text, false),
    };
    Ok((text.parse()?, is_directory))
}

/// The extra fields that matter.
#[derive(Default)]
pub(super) struct Wide<'a> {
    pub(super) zip64: Option<&'a [u8]>,
}

impl Wide<'_> {
    /// What a ZIP64 field holds beside what was needed of it must say the same as the header.
    pub(super) fn check_rest(&self, rest: &[u8], masked: bool, values: &[u64], at: u64) -> Result<(), ArchiveError> {
        let same: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        if rest.is_empty() || (!masked && same.starts_with(rest)) {
            return Ok(());
        }
        Err(structure(at, "a ZIP64 extra field says other than its header"))
    }
}

impl<'a> Wide<'a> {
    /// Those of the header at `at`, which is of the member `name`.
    pub(super) fn find(extra: &'a [u8], name: &[u8], at: u64) -> Result<Self, ArchiveError> {
        let mut found = Self::default();
        let mut fields = Fields(extra);
        while !fields.0.is_empty() {
            let part = |fields: &mut Fields<'a>| {
                let id = fields.u16()?;
                let len = fields.u16()?;
                Some((id, fields.bytes(len.into())?))
            };
            let Some((id, body)) = part(&mut fields) else {
                return Err(structure(at, "an extra field reaches past its end"));
            };
            match id {
                EXTRA_ZIP64 if found.zip64.is_some() => {
                    return Err(structure(at, "two ZIP64 extra fields in one header"));
                }
                EXTRA_ZIP64 => found.zip64 = Some(body),
                // A version byte and a CRC stand before the name.
                EXTRA_UNICODE_PATH if body.get(5..) != Some(name) => {
                    let shown = String::from_utf8_lossy(name).escape_debug().to_string();
                    let reason = format!("member \"{shown}\" has another name in its Unicode path field");
                    return Err(structure(at, reason));
                }
                EXTRA_AES => {
                    let member = String::from_utf8_lossy(name).escape_debug().to_string();
                    return Err(ArchiveError::Unsupported { member, feature: "encryption".to_owned() });
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

fn memchr_all(haystack: &[u8], needle: &[u8; 4]) -> Vec<usize> {
    haystack.windows(4).enumerate().filter(|(_, window)| window == needle).map(|(at, _)| at).collect()
}
