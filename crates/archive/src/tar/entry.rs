//! What the headers of one entry say together.

use std::io;

use pdp_manifest::PackagePath;

use super::gzip::invalid;
use super::header::{Header, OCTAL_MAX};
use super::pax;

pub(super) const DIRECTORY: u8 = b'5';
pub(super) const GNU_LONG_NAME: u8 = b'L';
/// Most zeros behind the end of a tar; tools fill up their last record.
pub(super) const TRAILING_MAX: u64 = 64 << 10;
/// Longest name in a GNU header of its own.
pub(super) const LONG_NAME_MAX: u64 = 8 << 10;

/// An entry of a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A regular file.
    File {
        /// Its name, without the `./` that some tools put before every name; not checked any further.
        name: String,
        /// How many bytes of content follow.
        size: u64,
    },
    /// A directory; none for the top.
    Directory(Option<PackagePath>),
}

/// The name in a GNU header of its own.
pub(super) fn long_name(mut name: Vec<u8>) -> io::Result<Vec<u8>> {
    if name.pop() != Some(0) || name.contains(&0) {
        return Err(invalid("a long name that does not end in one NUL".to_owned()));
    }
    Ok(name)
}

/// Why a header of this kind cannot stand where it stands.
pub(super) fn refused(header: &Header) -> io::Error {
    if matches!(header.kind, super::header::PAX | GNU_LONG_NAME) {
        return invalid("two headers that speak of one entry; readers differ on which counts".to_owned());
    }
    let (name, kind) = (header.name.escape_ascii().to_string(), [header.kind].escape_ascii().to_string());
    invalid(format!("\"{name}\" is an entry of type '{kind}', which is not supported"))
}

/// The entry of a regular header and of what came before it, and the size of its content.
pub(super) fn resolve(
    header: Header,
    records: Option<pax::Records>,
    long_name: Option<Vec<u8>>,
) -> io::Result<(Entry, u64)> {
    let records = records.unwrap_or_default();
    let old_directory = header.is_old && header.name.ends_with(b"/");
    let name = match (records.path, long_name) {
        (Some(path), _) => path,
        (None, name) => String::from_utf8(name.unwrap_or(header.name))
            .map_err(|error| invalid(format!("the name \"{}\" is not UTF-8", error.as_bytes().escape_ascii())))?,
    };
    // `tar -C directory .` writes it before every name; no tool reads another name for it.
    let name = name.strip_prefix("./").filter(|rest| !rest.is_empty()).map(str::to_owned).unwrap_or(name);
    let shown = name.escape_debug();
    if !header.link_is_empty {
        return Err(invalid(format!("\"{shown}\" is a regular entry with the name of a link's target")));
    }
    let mut size = header.size;
    if let Some(other) = records.size.filter(|other| *other != size) {
        // Only where the header cannot hold the size may PAX say another.
        if other <= OCTAL_MAX {
            return Err(invalid(format!("\"{shown}\" has {other} bytes by PAX and {size} by its header")));
        }
        size = other;
    }
    // A trailing slash made a directory of what was called a regular entry before ustar; later, and with names that
    // stand elsewhere, not to every reader.
    if header.kind != DIRECTORY && name.ends_with('/') != old_directory {
        return Err(invalid(format!("\"{shown}\" is not allowed: a directory to some readers and a file to others")));
    }
    if header.kind == DIRECTORY || name.ends_with('/') {
        if size != 0 {
            return Err(invalid(format!("directory \"{shown}\" has {size} bytes of content")));
        }
        if matches!(name.as_str(), "." | "./") {
            return Ok((Entry::Directory(None), 0));
        }
        let path = name.strip_suffix('/').unwrap_or(&name);
        let path = path.parse().map_err(|error| invalid(format!("{error}")))?;
        return Ok((Entry::Directory(Some(path)), 0));
    }
    Ok((Entry::File { name, size }, size))
}
