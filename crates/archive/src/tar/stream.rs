//! Reading TAR.GZ archives that other tools made: one stream, read from the front.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pdp_manifest::{ContainerFormat, PackageCompression, PackagePath};

use super::entry::{self, DIRECTORY, Entry, GNU_LONG_NAME, LONG_NAME_MAX, TRAILING_MAX};
use super::gzip::{GzipStream, invalid};
use super::header::{self, PAX, REGULAR};
use super::{BLOCK, padding, pax};
use crate::contract::{ContainerReader, MemberInfo, Visitor};
use crate::open::{Limits, Tally};
use crate::positional::read_at;
use crate::{ArchiveError, NameSet};

/// A TAR.GZ that was read through once: its structure is sound, and every gzip checksum in it right.
///
/// Its members can only be visited one after the other, each visit decompressing the archive anew.
#[derive(Debug)]
pub struct StreamedTarReader {
    path: PathBuf,
    file: File,
    size: u64,
    ratio: u64,
    members: Vec<MemberInfo>,
}

impl StreamedTarReader {
    /// Reads the archive at `path` to its end and checks its structure.
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
        let ratio = limits.max_total_ratio;
        let mut reader = Self { path: path.to_owned(), file, size, ratio, members: Vec::new() };
        let mut members = Vec::new();
        let mut names = NameSet::new();
        let mut tally = Tally::new(limits, size);
        let mut tar = reader.tar();
        while let Some(entry) = tar.next().map_err(|error| reader.structure(&tar, &error))? {
            let (name, size) = match entry {
                Entry::File { name, size } => (name, size),
                Entry::Directory(path) => {
                    path.iter().try_for_each(|path| names.insert_directory(path))?;
                    continue;
                }
            };
            let path: PackagePath = name.parse()?;
            names.insert(&path)?;
            // How many bytes store one file of a stream cannot be told; the stream's own ratio is watched instead.
            tally.member(&path, size, size)?;
            tar.skip().map_err(|error| reader.structure(&tar, &error))?;
            members.push(MemberInfo { path, size, stored_size: size, compression: PackageCompression::Gzip });
        }
        drop(tar);
        reader.members = members;
        Ok(reader)
    }

    fn tar(&self) -> TarStream<GzipStream<FileAt<'_>>> {
        TarStream::new(GzipStream::new(FileAt { file: &self.file, at: 0 }, Some(self.ratio)))
    }

    fn structure<R: Read>(&self, tar: &TarStream<GzipStream<R>>, error: &io::Error) -> ArchiveError {
        match error.kind() {
            io::ErrorKind::InvalidData => {
                ArchiveError::Structure { offset: tar.input.position(), reason: error.to_string() }
            }
            kind => ArchiveError::io("reading", &self.path)(kind.into()),
        }
    }
}

impl ContainerReader for StreamedTarReader {
    fn format(&self) -> ContainerFormat {
        ContainerFormat::TarGz
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn members(&self) -> &[MemberInfo] {
        &self.members
    }

    fn deviation(&self) -> Option<&str> {
        Some("the archive is not made of gzip members that say how long they are")
    }

    fn visit(&self, wanted: &(dyn Fn(&MemberInfo) -> bool + Sync), visit: &Visitor<'_>) -> Result<(), ArchiveError> {
        let mut left = self.members.iter().filter(|info| wanted(info)).count();
        let mut expected = self.members.iter();
        let mut tar = self.tar();
        while left > 0 {
            let entry = tar.next().map_err(|error| self.structure(&tar, &error))?;
            let info = match entry {
                Some(Entry::Directory(_)) => {
                    tar.skip().map_err(|error| self.structure(&tar, &error))?;
                    continue;
                }
                Some(Entry::File { name, size }) => {
                    expected.next().filter(|info| info.path.as_str() == name && info.size == size)
                }
                None => None,
            };
            let Some(info) = info else {
                let reason = "the archive changed while it was read".to_owned();
                return Err(ArchiveError::Structure { offset: tar.input.position(), reason });
            };
            if wanted(info) {
                visit(info, &mut Content { tar: &mut tar })?;
                left -= 1;
            }
            tar.skip().map_err(|error| self.structure(&tar, &error))?;
        }
        Ok(())
    }
}

/// A file read from a position of its own.
struct FileAt<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FileAt<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = read_at(self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

/// The entries of a tar, one after the other.
pub(super) struct TarStream<R> {
    input: R,
    /// Content of the current entry that has not been read.
    left: u64,
    /// Padding behind it.
    padding: usize,
}

impl<R: Read> TarStream<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, left: 0, padding: 0 }
    }

    fn block(&mut self) -> io::Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => invalid("the tar is cut short".to_owned()),
            _ => error,
        })?;
        Ok(block)
    }

    /// The whole content of the current entry, which is one of `most` bytes at most.
    fn small(&mut self, most: u64, what: &str) -> io::Result<Vec<u8>> {
        if self.left > most {
            return Err(invalid(format!("{what} of {} bytes, over the limit of {most}", self.left)));
        }
        let mut bytes = vec![0; usize::try_from(self.left).unwrap_or(0)];
        self.input.read_exact(&mut bytes)?;
        self.left = 0;
        self.skip()?;
        Ok(bytes)
    }

    /// Passes over what is left of the current entry.
    fn skip(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        while self.left > 0 {
            if self.content(&mut buffer)? == 0 {
                return Err(invalid("the tar is cut short".to_owned()));
            }
        }
        let mut rest = [0; BLOCK];
        let rest = rest.get_mut(..std::mem::take(&mut self.padding)).unwrap_or_default();
        self.input.read_exact(rest).map_err(|_| invalid("the tar is cut short".to_owned()))?;
        match rest.iter().all(|byte| *byte == 0) {
            true => Ok(()),
            false => Err(invalid("there are bytes in the padding behind an entry".to_owned())),
        }
    }

    fn content(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let n = self.input.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= n as u64;
        Ok(n)
    }

    /// The next entry; the current one must have been passed over. None at the end, behind which there is nothing.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut records: Option<pax::Records> = None;
        let mut long_name: Option<Vec<u8>> = None;
        loop {
            let block = self.block()?;
            if block == [0; BLOCK] {
                if records.is_some() || long_name.is_some() {
                    return Err(invalid("the tar ends behind a header that speaks of a next entry".to_owned()));
                }
                self.end()?;
                return Ok(None);
            }
            let header = header::parse(&block).map_err(|reason| invalid(format!("a tar header: {reason}")))?;
            self.left = header.size;
            self.padding = padding(header.size);
            match header.kind {
                PAX if records.is_none() && long_name.is_none() => {
                    let text = self.small(pax::MAX, "PAX records")?;
                    records = Some(pax::parse(&text).map_err(invalid)?);
                }
                GNU_LONG_NAME if records.is_none() && long_name.is_none() => {
                    long_name = Some(entry::long_name(self.small(LONG_NAME_MAX, "a name")?)?);
                }
                REGULAR | DIRECTORY => {
                    let (entry, size) = entry::resolve(header, records, long_name)?;
                    self.left = size;
                    self.padding = padding(size);
                    return Ok(Some(entry));
                }
                _ => return Err(entry::refused(&header)),
            }
        }
    }

    /// One zero block has come: there must be another, and then nothing but zeros.
    fn end(&mut self) -> io::Result<()> {
        if self.block()? != [0; BLOCK] {
            return Err(invalid("one block of zeros in the middle of the tar".to_owned()));
        }
        let mut buffer = [0; 4 << 10];
        let mut count = 0;
        loop {
            let n = self.input.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            count += n as u64;
            if count > TRAILING_MAX || !buffer.get(..n).unwrap_or_default().iter().all(|byte| *byte == 0) {
                return Err(invalid("the archive goes on behind the end of its tar".to_owned()));
            }
        }
    }
}

/// The content of the current entry.
struct Content<'a, R> {
    tar: &'a mut TarStream<R>,
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.tar.content(buffer)?;
        if n == 0 && !buffer.is_empty() && self.tar.left > 0 {
            return Err(invalid("the tar is cut short".to_owned()));
        }
        Ok(n)
    }
}
