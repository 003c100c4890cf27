//! A file's text, from whatever it is packed in.

mod member;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

use crate::BarsError;

/// Text that is being read.
pub(crate) struct Input {
    pub(crate) reader: Box<dyn Read>,
    pub(crate) progress: Progress,
    /// The name of what is read: the file's, or that of its member.
    pub(crate) name: PathBuf,
}

/// How many bytes were read from disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    read: Arc<AtomicU64>,
}

impl Progress {
    /// The bytes since this was last asked.
    pub(crate) fn take(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }
}

/// A file whose reads are counted.
pub(crate) struct Counted {
    file: File,
    progress: Progress,
}

impl Counted {
    pub(crate) const fn new(file: File, progress: Progress) -> Self {
        Self { file, progress }
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.progress.read.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Whether a name in lower case is that of text with rows, packed or not.
pub(crate) fn is_text(name: &str) -> bool {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    [".csv", ".txt", ".tsv"].iter().any(|end| name.ends_with(end))
}

/// The size of what is read from a packed file at a time.
const BUFFER: usize = 256 << 10;

/// Opens a file, and unpacks it as its name says: `.gz`, `.zst`, or `.zip` with exactly one CSV file in it.
pub(crate) fn open(path: &Path) -> Result<Input, BarsError> {
    let read = |source| BarsError::read(path, source);
    let progress = Progress::default();
    let file = Counted::new(File::open(path).map_err(read)?, progress.clone());
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (reader, name): (Box<dyn Read>, _) = if name.ends_with(".zip") {
        member::open(path, file)?
    } else if name.ends_with(".gz") {
        (Box::new(MultiGzDecoder::new(BufReader::with_capacity(BUFFER, file))), path.to_owned())
    } else if name.ends_with(".zst") {
        let buffered = BufReader::with_capacity(BUFFER, file);
        (Box::new(zstd::stream::read::Decoder::with_buffer(buffered).map_err(read)?), path.to_owned())
    } else {
        (Box::new(file), path.to_owned())
    };
    Ok(Input { reader, progress, name })
}
