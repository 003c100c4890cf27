//! Importing a package from a stream.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use pdp_archive::tar::Entry as TarEntry;
use pdp_archive::{ArchiveError, Limits, NameSet};
use pdp_manifest::PackagePath;
use pdp_manifest::json::{DEFAULT_MAX_BYTES, MANIFEST_PATH, ManifestError};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::mpsc::{Sender, channel};
use tokio_stream::StreamExt as _;
use tokio_tar::{Archive, Entry};

use super::expected::Expected;
use super::inflate::{CheckedTar, Shared};
use super::stage::{self, Order};
use super::{BLOCK, BLOCKS, SharedProgress, Watched, blocking, outcome, stopped};
use crate::{ImportReport, OnConflict, PackagerError};

/// Where to import a stream and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ReceiveOptions {
    /// What the stream is called in the report and in messages; `stream` by default.
    pub stream: PathBuf,
    /// Where the members go; made when it does not exist. They are staged beside it, on the same file system.
    pub destination: PathBuf,
    /// Whether files that exist are kept, as [`ImportOptions::merge`](crate::ImportOptions::merge) says.
    pub merge: bool,
    /// What to do, when merging, with files that differ and cannot be merged; without it they end the import.
    pub on_conflict: Option<OnConflict>,
    /// Threads of a merge; the number of cores when zero.
    pub threads: usize,
    /// What is accepted of a stream.
    pub limits: Limits,
}

impl ReceiveOptions {
    /// Receiving to `destination`, replacing what is there.
    pub fn new(destination: impl Into<PathBuf>) -> Self {
        Self {
            stream: "stream".into(),
            destination: destination.into(),
            merge: false,
            on_conflict: None,
            threads: 0,
            limits: Limits::default(),
        }
    }
}

/// Imports a package from a TAR.GZ stream, which is read to its end.
///
/// The manifest must come first. Names, sizes and hashes are verified as the members come, and nothing shows at the
/// destination until everything that the manifest declares has come and nothing else; then it is placed as
/// [`import`](crate::import()) places it. Whether to stop is asked between blocks; where a peer may fall silent, drop the
/// future after a time.
///
/// # Errors
/// The stream is damaged, unsafe or cut short, or is not what its manifest declares; there is not enough space; something
/// lies in the way; reading or writing fails. The destination is then as it was.
pub async fn receive(
    input: impl AsyncRead + Unpin + Send,
    options: &ReceiveOptions,
    progress: SharedProgress,
) -> Result<ImportReport, PackagerError> {
    let (watched, _guard) = Watched::new(&progress);
    let (orders, mut inbox) = channel(BLOCKS);
    let owned = options.clone();
    let writer = blocking(move || stage::run(&mut inbox, &owned, &watched).map_err(|error| stopped(error, &watched)));
    let (tar, seen) = CheckedTar::new(input, options.limits.max_total_ratio);
    let read = Reading { options, orders, seen }.run(tar).await;
    let staged = outcome(writer).await;
    match (read, staged) {
        // The writer stopped first, and knows why.
        (Ok(()) | Err(Failed::Writer), staged) => staged,
        (Err(Failed::Stream(_)), Err(PackagerError::Cancelled)) if progress.is_cancelled() => {
            Err(PackagerError::Cancelled)
        }
        (Err(Failed::Stream(error)), _) => Err(error),
    }
}

enum Failed {
    /// The writing side takes no more orders.
    Writer,
    Stream(PackagerError),
}

impl<E: Into<PackagerError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Stream(error.into())
    }
}

struct Reading<'a> {
    options: &'a ReceiveOptions,
    orders: Sender<Order>,
    seen: Shared,
}

impl Reading<'_> {
    async fn run<R: AsyncRead + Unpin + Send>(self, tar: CheckedTar<R>) -> Result<(), Failed> {
        let mut archive = Archive::new(tar);
        self.members(&mut archive).await?;
        // Behind the end there may be zeros, and another may have read less than the whole end.
        let mut rest = archive.into_inner().map_err(|_| self.invalid("it is still being read"))?;
        let mut buffer = vec![0; BLOCK];
        while rest.read(&mut buffer).await.map_err(|error| self.failed(&error))? > 0 {}
        let (finished, position, given) = {
            let seen = self.seen.lock();
            (seen.finish(), seen.position, seen.given)
        };
        finished.map_err(|error| self.failed(&error))?;
        let limit = self.options.limits.max_total_ratio;
        if given > 1 << 20 && given / limit.max(1) > position {
            return Err(ArchiveError::Ratio { member: None, size: given, stored: position, limit }.into());
        }
        self.order(Order::Finish).await
    }

    async fn members<R: AsyncRead + Unpin + Send>(&self, archive: &mut Archive<CheckedTar<R>>) -> Result<(), Failed> {
        let mut entries = archive.entries().map_err(|error| self.failed(&error))?;
        let mut expected: Option<Arc<Expected>> = None;
        let mut names = NameSet::new();
        let mut came = HashSet::new();
        while let Some(entry) = entries.next().await {
            let mut entry = entry.map_err(|error| self.failed(&error))?;
            let Some((path, size)) = self.agreed(&entry, &mut names)? else { continue };
            names.insert(&path)?;
            let Some(expected) = &expected else {
                let first = Arc::new(self.manifest(&path, size, &mut entry).await?);
                self.order(Order::Manifest(Arc::clone(&first))).await?;
                expected = Some(first);
                continue;
            };
            let promise = expected.promise(&path, size)?;
            self.order(Order::Begin(path.clone(), promise.digest)).await?;
            self.content(&mut entry, size).await?;
            self.order(Order::End).await?;
            came.insert(path);
        }
        match expected {
            Some(expected) => Ok(expected.all(|path| came.contains(path))?),
            None => Err(self.no_package()),
        }
    }

    /// Name and size of an entry, on which both who read it agree; none of a directory, which is noted in `names`.
    fn agreed<R: AsyncRead + Unpin>(
        &self,
        entry: &Entry<Archive<R>>,
        names: &mut NameSet,
    ) -> Result<Option<(PackagePath, u64)>, Failed> {
        let ours = self.seen.lock().take_entry();
        let size = entry.effective_size();
        let kind = entry.header().entry_type();
        let theirs = entry.path_bytes().map_err(|error| self.failed(&error))?;
        match ours {
            Some(TarEntry::Directory(path)) if size == 0 && (kind.is_dir() || theirs.ends_with(b"/")) => {
                path.iter().try_for_each(|path| names.insert_directory(path))?;
                Ok(None)
            }
            Some(TarEntry::File { name, size: own }) if own == size && kind.is_file() => {
                let bare = theirs.strip_prefix(b"./").filter(|rest| !rest.is_empty()).unwrap_or(&theirs);
                if bare != name.as_bytes() {
                    return Err(self.invalid(&format!("\"{}\" is read as another name", name.escape_debug())));
                }
                Ok(Some((name.parse()?, size)))
            }
            _ => Err(self.invalid(&format!("readers differ on what \"{}\" is", theirs.escape_ascii()))),
        }
    }

    /// The first member, which must be the manifest.
    async fn manifest<R: AsyncRead + Unpin + Send>(
        &self,
        path: &PackagePath,
        size: u64,
        entry: &mut Entry<Archive<R>>,
    ) -> Result<Expected, Failed> {
        if path.as_str() != MANIFEST_PATH {
            return Err(self.no_package());
        }
        if size > DEFAULT_MAX_BYTES {
            let source = ManifestError::TooLarge { actual: size, limit: DEFAULT_MAX_BYTES };
            return Err(PackagerError::Manifest { package: self.options.stream.clone(), source }.into());
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).await.map_err(|error| self.failed(&error))?;
        if u64::try_from(text.len()) != Ok(size) {
            return Err(self.invalid("the tar is cut short"));
        }
        let (stream, limits) = (self.options.stream.clone(), self.options.limits.clone());
        Ok(outcome(blocking(move || Expected::new(text, &stream, &limits))).await?)
    }

    /// Passes on the content of a member.
    async fn content<R: AsyncRead + Unpin + Send>(
        &self,
        entry: &mut Entry<Archive<R>>,
        size: u64,
    ) -> Result<(), Failed> {
        let mut left = size;
        while left > 0 {
            let mut block = vec![0; usize::try_from(left).unwrap_or(BLOCK).min(BLOCK)];
            let mut filled = 0;
            // Blocks are filled up, so that a peer that sends single bytes costs no more than one that does not.
            while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
                match entry.read(room).await.map_err(|error| self.failed(&error))? {
                    0 => return Err(self.invalid("the tar is cut short")),
                    n => filled += n,
                }
            }
            left = left.saturating_sub(u64::try_from(filled).unwrap_or(u64::MAX));
            self.order(Order::Block(block)).await?;
        }
        Ok(())
    }

    async fn order(&self, order: Order) -> Result<(), Failed> {
        self.orders.send(order).await.map_err(|_| Failed::Writer)
    }

    fn no_package(&self) -> Failed {
        let reason = format!("a package that comes as a stream begins with {MANIFEST_PATH}; this one does not");
        ArchiveError::NotAContainer { path: self.options.stream.clone(), reason }.into()
    }

    fn invalid(&self, reason: &str) -> Failed {
        ArchiveError::Structure { offset: self.seen.lock().position, reason: reason.to_owned() }.into()
    }

    /// The error of a stream that could not be read, or of what was read.
    fn failed(&self, error: &io::Error) -> Failed {
        let failed = self.seen.lock().failed;
        match failed {
            true => PackagerError::io("reading", &self.options.stream)(io::Error::new(error.kind(), error.to_string()))
                .into(),
            false => self.invalid(&error.to_string()),
        }
    }
}
