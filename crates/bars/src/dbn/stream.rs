//! The bytes of a DBN file, and where they end.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;

use crate::BarsError;
use crate::input::{Counted, Progress};

/// The most metadata that is read: a million mappings take less.
const METADATA: u64 = 256 << 20;

/// A file's bytes. Fills the buffers it is given as far as there are bytes, and remembers how many there were and whether
/// they ended with a failure: the decoder does not tell a whole file from one that is cut short.
#[derive(Debug)]
pub(crate) struct Stream<R> {
    inner: R,
    read: u64,
    metadata: u64,
    failure: Option<String>,
}

impl<R> Stream<R> {
    /// How many bytes of records there were so far.
    pub(crate) const fn records(&self) -> u64 {
        self.read.saturating_sub(self.metadata)
    }

    /// What ended the bytes, if that was not the end of the file.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while let Some(rest) = buffer.get_mut(count..).filter(|rest| !rest.is_empty()) {
            match self.inner.read(rest) {
                Ok(0) => break,
                Ok(more) => count += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error.to_string());
                    if count == 0 {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        self.read = self.read.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }
}

/// Opens a file, and looks at its first bytes for how it is compressed and of which version it is.
pub(super) fn open(file: &Path) -> Result<(Stream<Box<dyn Read>>, Progress), BarsError> {
    let read = |source| BarsError::read(file, source);
    let progress = Progress::default();
    let mut raw = BufReader::with_capacity(256 << 10, Counted::new(File::open(file).map_err(read)?, progress.clone()));
    let magic = start(&mut raw, 4).map_err(read)?;
    let compressed = magic == [0x28, 0xb5, 0x2f, 0xfd];
    let whole = Cursor::new(magic).chain(raw);
    let mut inner: Box<dyn Read> =
        if compressed { Box::new(zstd::stream::read::Decoder::new(whole).map_err(read)?) } else { Box::new(whole) };
    let prelude = start(&mut inner, 8).map_err(read)?;
    let [b'D', b'B', b'N', version, length @ ..] = prelude.as_slice() else {
        return Err(BarsError::file(file, "not a DBN file: it does not begin with DBN"));
    };
    if !(1..=3).contains(version) {
        return Err(BarsError::file(file, format!("DBN version {version}, expected 1, 2 or 3")));
    }
    let length = <[u8; 4]>::try_from(length)
        .map(u32::from_le_bytes)
        .map_err(|_| BarsError::file(file, "not a DBN file: it ends inside its metadata"))?;
    if u64::from(length) > METADATA {
        return Err(BarsError::file(file, format!("{length} bytes of metadata, expected {METADATA} at most")));
    }
    let metadata = u64::from(length) + 8;
    let inner: Box<dyn Read> = Box::new(Cursor::new(prelude).chain(inner));
    Ok((Stream { inner, read: 0, metadata, failure: None }, progress))
}

/// The first bytes, or as many as there are.
fn start(input: &mut impl Read, count: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(count).read_to_end(&mut bytes)?;
    Ok(bytes)
}
