//! A data file on its way into the container: read once, looked at as it goes by.

use std::fs::File;
use std::io::{self, Read, Seek as _};

use pdp_archive::MemberSource;
use pdp_manifest::{ContentEncoding, PackagePath};

use crate::inspect::{Findings, Inspection, at_random, is_read_at_random};
use crate::scan::DataFile;
use crate::{PackagerError, Progress};

/// What goes into the container: a file, or a text made here.
pub(super) enum Source<'a> {
    File(Box<FileSource<'a>>),
    Text(TextSource),
}

/// A data file.
pub(super) struct FileSource<'a> {
    pub(super) file: DataFile,
    pub(super) member: PackagePath,
    progress: &'a dyn Progress,
    /// Whether the values of its records are looked at, and not only counted.
    measure: bool,
    handle: Option<File>,
    /// Bytes still to be given: a file that grows is packed as it was when it was opened.
    left: u64,
    inspection: Option<Inspection>,
    findings: Option<Findings>,
    compressed: bool,
    /// How the file changed under the reader, if it did.
    changed: Option<String>,
}

/// A text made here.
pub(super) struct TextSource {
    pub(super) member: PackagePath,
    bytes: io::Cursor<Vec<u8>>,
}

impl<'a> FileSource<'a> {
    pub(super) fn new(file: DataFile, member: PackagePath, measure: bool, progress: &'a dyn Progress) -> Self {
        let compressed = is_compressed(&file);
        let (handle, inspection, findings, changed) = (None, None, None, None);
        Self { file, member, progress, measure, handle, left: 0, inspection, findings, compressed, changed }
    }

    /// The file, what it holds, and how it changed while it was read.
    pub(super) fn into_parts(mut self) -> (DataFile, PackagePath, Findings, Option<String>) {
        self.end();
        let findings = self.findings.unwrap_or_default();
        (self.file, self.member, findings, self.changed)
    }

    /// The end of the file has come: settle what was found, once.
    fn end(&mut self) {
        if let Some(inspection) = self.inspection.take() {
            let mut findings = inspection.finish();
            if let Some(seen) = self.file.findings.take() {
                findings = Findings { uncompressed_size: findings.uncompressed_size, ..*seen };
            }
            // It may wait until the files before it are written.
            findings.tally.close();
            self.findings = Some(findings);
            self.changed = self.changed.take().or_else(|| self.change_since_opened());
            self.progress.advance(1, 0);
        }
    }

    fn change_since_opened(&self) -> Option<String> {
        let metadata = self.handle.as_ref()?.metadata().ok()?;
        if self.left > 0 {
            return Some(format!("it shrank by {} bytes while it was packed", self.left));
        }
        if metadata.len() > self.file.size {
            let (more, packed) = (metadata.len() - self.file.size, self.file.size);
            return Some(format!("it grew by {more} bytes while it was packed; its first {packed} bytes are in"));
        }
        (metadata.modified().ok() != self.file.modified).then(|| "it was written to while it was packed".to_owned())
    }
}

impl Read for FileSource<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.progress.is_cancelled() {
            return Err(io::Error::other(PackagerError::Cancelled));
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(handle) = &mut self.handle else { return Ok(0) };
        let room = buffer.get_mut(..most).unwrap_or_default();
        let n = if room.is_empty() { 0 } else { handle.read(room)? };
        if n == 0 && !buffer.is_empty() {
            self.end();
            return Ok(0);
        }
        let count = u64::try_from(n).unwrap_or(0);
        self.left = self.left.saturating_sub(count);
        if let Some(inspection) = &mut self.inspection {
            inspection.feed(buffer.get(..n).unwrap_or_default());
        }
        self.progress.advance(0, count);
        Ok(n)
    }
}

impl MemberSource for FileSource<'_> {
    fn path(&self) -> &PackagePath {
        &self.member
    }

    fn open(&mut self) -> io::Result<u64> {
        if self.progress.is_cancelled() {
            return Err(io::Error::other(PackagerError::Cancelled));
        }
        if let Some(error) = self.file.unreadable.take() {
            return Err(error);
        }
        let mut handle = File::open(&self.file.path)?;
        let metadata = handle.metadata()?;
        let modified = metadata.modified().ok();
        let same = metadata.len() == self.file.size && modified == self.file.modified;
        // When it was looked for, only its symbol and times were read.
        if is_read_at_random(self.file.format) && (self.measure || !same) {
            self.file.findings = Some(Box::new(at_random(self.file.format, &handle, self.measure)));
            // It was read here and there; it is packed from its start.
            handle.rewind()?;
            self.compressed = is_compressed(&self.file);
        }
        if !same {
            self.file.size = metadata.len();
            self.file.modified = modified;
        }
        self.left = self.file.size;
        self.inspection = Some(Inspection::new(self.file.format, self.file.encoding, self.measure));
        self.handle = Some(handle);
        Ok(self.left)
    }

    fn expected_size(&self) -> u64 {
        self.file.size
    }

    fn is_compressed(&self) -> bool {
        self.compressed
    }
}

/// Whether compressing a file again would gain nothing.
fn is_compressed(file: &DataFile) -> bool {
    file.encoding != ContentEncoding::Identity
        || file.findings.as_ref().is_some_and(|findings| findings.already_compressed)
}

impl TextSource {
    pub(super) fn new(member: PackagePath, text: impl Into<Vec<u8>>) -> Self {
        Self { member, bytes: io::Cursor::new(text.into()) }
    }
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(source) => source.read(buffer),
            Self::Text(source) => source.bytes.read(buffer),
        }
    }
}

impl MemberSource for Source<'_> {
    fn path(&self) -> &PackagePath {
        match self {
            Self::File(source) => source.path(),
            Self::Text(source) => &source.member,
        }
    }

    fn open(&mut self) -> io::Result<u64> {
        match self {
            Self::File(source) => source.open(),
            Self::Text(source) => Ok(u64::try_from(source.bytes.get_ref().len()).unwrap_or(u64::MAX)),
        }
    }

    fn expected_size(&self) -> u64 {
        match self {
            Self::File(source) => source.expected_size(),
            Self::Text(source) => u64::try_from(source.bytes.get_ref().len()).unwrap_or(u64::MAX),
        }
    }

    fn is_compressed(&self) -> bool {
        match self {
            Self::File(source) => source.is_compressed(),
            Self::Text(_) => false,
        }
    }
}
