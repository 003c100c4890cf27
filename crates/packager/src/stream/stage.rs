//! The disk's side of receiving: files staged beside the destination, then imported from there.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use pdp_archive::disk::{OutFile, Staged};
use pdp_archive::folder::FolderReader;
use pdp_archive::{ArchiveError, Limits, Target};
use pdp_manifest::digest::Hasher;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{PackagePath, Sha256Digest};
use tokio::sync::mpsc::Receiver;

use super::expected::Expected;
use super::receive::ReceiveOptions;
use crate::import::stage::{FLUSH_TOGETHER, Ground, flush};
use crate::package::Package;
use crate::{Finding, ImportOptions, ImportReport, PackagerError, Progress, Stage};

/// What the reading side orders.
pub(super) enum Order {
    /// The manifest has come.
    Manifest(Arc<Expected>),
    /// A member begins, with the digest that it must have.
    Begin(PackagePath, Option<Sha256Digest>),
    Block(Vec<u8>),
    End,
    /// Everything has come, and nothing else.
    Finish,
}

/// Follows orders until the last; when they end before it, everything staged is removed.
pub(super) fn run(
    orders: &mut Receiver<Order>,
    options: &ReceiveOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, PackagerError> {
    crate::import::check_destination(&options.destination)?;
    // Until a manifest has come, nothing shows that a package will.
    let Some(Order::Manifest(expected)) = orders.blocking_recv() else { return Err(PackagerError::Cancelled) };
    crate::import::check_space(&options.destination, expected.bytes())?;
    let absolute =
        std::path::absolute(&options.destination).map_err(PackagerError::io("looking at", &options.destination))?;
    let parent = absolute.parent().unwrap_or(&absolute);
    let staged = Target::new(parent, String::new())?.temporary_directory()?;
    let ground = Ground::open(staged.path())?;
    progress.begin(Stage::Extracting, expected.count().saturating_add(1), expected.bytes());

    let together =
        usize::try_from(expected.count()).unwrap_or(usize::MAX) > FLUSH_TOGETHER && cfg!(target_os = "linux");
    let mut places = vec![MANIFEST_PATH.parse::<PackagePath>()?];
    for path in &places {
        let mut file = Incoming::create(&ground, path.clone(), None)?;
        file.write(&expected.text, progress)?;
        file.end(!together, progress)?;
    }
    let mut file: Option<Incoming> = None;
    loop {
        if progress.is_cancelled() {
            return Err(PackagerError::Cancelled);
        }
        match (orders.blocking_recv(), &mut file) {
            (Some(Order::Begin(path, digest)), None) => {
                places.push(path.clone());
                file = Some(Incoming::create(&ground, path, digest)?);
            }
            (Some(Order::Block(block)), Some(file)) => file.write(&block, progress)?,
            (Some(Order::End), Some(_)) => {
                if let Some(file) = file.take() {
                    file.end(!together, progress)?;
                }
            }
            (Some(Order::Finish), None) => break,
            // The reading side has failed, or is gone; it knows why.
            _ => return Err(PackagerError::Cancelled),
        }
    }
    flush(&ground, together, places.iter())?;
    drop(ground);
    import(staged, &expected, options, progress)
}

/// Imports what is staged, as a package of which everything has been verified.
fn import(
    staged: Staged,
    expected: &Expected,
    options: &ReceiveOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, PackagerError> {
    // What came has been held against the caller's limits.
    let container = FolderReader::open(staged.path(), &Limits::default())?;
    let package = Package::streamed(&options.stream, Box::new(container), expected.manifest.clone());
    let mut import = ImportOptions::new(&options.stream, &options.destination);
    import.merge = options.merge;
    import.on_conflict = options.on_conflict;
    import.threads = options.threads;
    crate::import::import_staged(&package, staged, &import, progress)
}

/// A member being written.
struct Incoming {
    path: PackagePath,
    shown: PathBuf,
    file: OutFile,
    hasher: Hasher,
    digest: Option<Sha256Digest>,
}

impl Incoming {
    fn create(ground: &Ground, path: PackagePath, digest: Option<Sha256Digest>) -> Result<Self, PackagerError> {
        let file = ground.create(&path)?;
        let shown = ground.shown.join(path.as_str());
        Ok(Self { path, shown, file, hasher: Hasher::new(), digest })
    }

    fn write(&mut self, block: &[u8], progress: &dyn Progress) -> Result<(), PackagerError> {
        self.hasher.update(block);
        self.file.write_all(block).map_err(ArchiveError::io("writing", &self.shown))?;
        progress.advance(0, u64::try_from(block.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn end(self, flush: bool, progress: &dyn Progress) -> Result<(), PackagerError> {
        let actual = self.hasher.finish();
        if let Some(expected) = self.digest.filter(|stated| *stated != actual) {
            let (expected, actual) = (expected.to_string(), actual.to_string());
            let finding = Finding { member: Some(self.path.to_string()), check: "sha256", expected, actual };
            return Err(PackagerError::Invalid {
                summary: "Some files failed checksum validation; nothing was imported".to_owned(),
                findings: vec![finding.to_string()],
            });
        }
        if flush {
            self.file.sync().map_err(ArchiveError::io("flushing", &self.shown))?;
        }
        progress.advance(1, 0);
        Ok(())
    }
}
