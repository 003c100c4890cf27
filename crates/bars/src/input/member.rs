//! The one CSV file in a zip archive.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::{BUFFER, Counted};
use crate::BarsError;

/// A member that is read to its end must have the size and checksum that the archive says.
struct Checked<R> {
    inner: R,
    hasher: crc32fast::Hasher,
    read: u64,
    size: u64,
    crc32: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            let (found, expected) = ((self.read, self.hasher.clone().finalize()), (self.size, self.crc32));
            if found != expected {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!(
                        "the member is damaged: {} bytes of checksum {:08x}, expected {} of {:08x}",
                        found.0, found.1, expected.0, expected.1
                    ),
                ));
            }
        }
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.read = self.read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Finds the member and opens it; returns its name too.
pub(super) fn open(path: &Path, file: Counted) -> Result<(Box<dyn Read>, PathBuf), BarsError> {
    let broken = |error: zip::result::ZipError| match error {
        zip::result::ZipError::Io(source) => BarsError::read(path, source),
        error => BarsError::file(path, format!("not a readable zip archive: {error}")),
    };
    let mut archive = ZipArchive::new(file).map_err(broken)?;
    let mut all = Vec::new();
    for name in archive.file_names() {
        all.push(name.map_err(broken)?.into_owned());
    }
    let found = |ends: &[&str]| -> Vec<&String> {
        all.iter().filter(|name| ends.iter().any(|end| name.to_ascii_lowercase().ends_with(end))).collect()
    };
    // HISTDATA puts a report on the gaps beside the bars, as text.
    let mut names = found(&[".csv"]);
    if names.is_empty() {
        names = found(&[".txt", ".tsv"]);
    }
    let &[name] = names.as_slice() else {
        return Err(BarsError::file(path, format!("{} CSV files in the archive, expected exactly one", names.len())));
    };
    let (start, packed, size, crc32, method) = {
        let member = archive.by_name(name).map_err(broken)?;
        let start = member
            .data_start()
            .ok_or_else(|| BarsError::file(path, format!("where \"{name}\" begins in the archive cannot be told")))?;
        (start, member.compressed_size(), member.size(), member.crc32(), member.compression())
    };
    let mut file = archive.into_inner();
    file.seek(SeekFrom::Start(start)).map_err(|source| BarsError::read(path, source))?;
    let packed = BufReader::with_capacity(BUFFER, file.take(packed));
    let inner: Box<dyn Read> = match method {
        CompressionMethod::Stored => Box::new(packed),
        CompressionMethod::Deflated => Box::new(DeflateDecoder::new(packed)),
        other => {
            return Err(BarsError::file(
                path,
                format!("\"{name}\" is compressed with {other}, expected deflate or none"),
            ));
        }
    };
    let reader = Checked { inner, hasher: crc32fast::Hasher::new(), read: 0, size, crc32 };
    Ok((Box::new(reader), PathBuf::from(name)))
}
