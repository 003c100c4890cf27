//! Writing a package as a stream.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use pdp_archive::tar::{BLOCK as TAR_BLOCK, entry_head};
use pdp_archive::{ArchiveError, MemberInfo, Target};
use pdp_manifest::digest::Hasher;
use pdp_manifest::json::{self, MANIFEST_PATH};
use pdp_manifest::{CompressionLevel, ContainerFormat, PackageId, PackageName, PackagePath, Sha256Digest};
use serde::Serialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufWriter, ReadBuf};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_tar::{Builder, Header};

use super::compress::GzipMembers;
use super::{BLOCK, BLOCKS, SharedProgress, Watched, blocking, outcome, stopped};
use crate::package::Package;
use crate::{CreateOptions, CreateReport, PackagerError, Progress, Stage};

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SendReport {
    /// The package.
    pub package_path: PathBuf,
    /// Its name.
    pub name: PackageName,
    /// Its identity.
    pub package_id: PackageId,
    /// Members, the manifest among them.
    pub members: u64,
    /// Bytes of the members.
    pub member_bytes: u64,
    /// Bytes of the tar that holds them.
    pub tar_bytes: u64,
    /// Bytes written to the stream.
    pub stream_bytes: u64,
}

/// What was packed and sent.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PackReport {
    /// The package as it was made; its paths are those of files that are gone.
    pub created: CreateReport,
    /// The stream.
    pub sent: SendReport,
}

/// Packs the data files below a root and writes the package as a stream.
///
/// The counts and hashes of a manifest are known when everything has been read, and a manifest comes first, so the package
/// is made as a TAR.GZ in a temporary directory below [`CreateOptions::output`] and sent from there;
/// [`CreateOptions::format`] and [`CreateOptions::existing`] do not matter. Nothing is left in that place.
///
/// # Errors
/// Those of [`create`](crate::create()) and [`send`].
pub async fn pack(
    options: &CreateOptions,
    out: impl AsyncWrite + Unpin + Send,
    progress: SharedProgress,
) -> Result<PackReport, PackagerError> {
    let (watched, _guard) = Watched::new(&progress);
    let mut options = options.clone();
    options.format = ContainerFormat::TarGz;
    let made = blocking(move || {
        let staged = Target::new(&options.output, String::new())?.temporary_directory()?;
        let created = crate::create::create_in(staged.path(), &options, &watched)?;
        Ok((staged, created))
    });
    let (staged, created) = outcome(made).await?;
    let sent = send(&created.package_path, out, progress).await;
    // Removing is work for a disk, too.
    let removed = blocking(move || {
        drop(staged);
        Ok(())
    });
    outcome(removed).await?;
    Ok(PackReport { created, sent: sent? })
}

/// Writes a package of any kind, an archive or a folder, to `out` as a TAR.GZ stream: its manifest, then the other members
/// in their order, byte for byte.
///
/// The package is checked as an import checks it, each member's bytes while they are read. One that is damaged ends
/// the stream with an error here and without an end there, so that no receiver takes it for whole. The same package gives
/// the same stream. `out` is shut down at the end.
///
/// # Errors
/// The package is invalid, unsafe or damaged; reading it or writing to `out` fails.
pub async fn send(
    package: &Path,
    out: impl AsyncWrite + Unpin + Send,
    progress: SharedProgress,
) -> Result<SendReport, PackagerError> {
    let (watched, _guard) = Watched::new(&progress);
    let (pieces, mut inbox) = channel(BLOCKS);
    let path = package.to_owned();
    let reader = blocking(move || {
        let pool = crate::threads(1)?;
        pool.install(|| read(&path, &pieces, &watched)).map_err(|error| stopped(error, &watched))
    });
    let written = write(&mut inbox, out).await;
    drop(inbox);
    let read = outcome(reader).await;
    match (written, read) {
        (Ok(Some((tar_bytes, stream_bytes))), Ok(report)) => Ok(SendReport { tar_bytes, stream_bytes, ..report }),
        // The reader knows why it stopped.
        (Ok(_) | Err(Failed::Reader), Err(error)) => Err(error),
        (Err(Failed::Writer(error)), _) => Err(PackagerError::io("writing", "the stream")(error)),
        (Ok(None) | Err(Failed::Reader), Ok(_)) => Err(PackagerError::Cancelled),
    }
}

/// What the reading side hands over.
enum Piece {
    /// How hard to compress; comes first.
    Level(CompressionLevel),
    /// A member begins, with these header blocks.
    Begin(Vec<u8>),
    Block(Vec<u8>),
    /// The member's bytes are what they should be.
    End,
    /// So is everything.
    Finish,
}

enum Failed {
    /// It handed over less than it had to.
    Reader,
    Writer(io::Error),
}

/// Writes what comes; none where nothing came. Only a stream whose reader finished gets an end.
async fn write(inbox: &mut Receiver<Piece>, out: impl AsyncWrite + Unpin + Send) -> Result<Option<(u64, u64)>, Failed> {
    let Some(Piece::Level(level)) = inbox.recv().await else { return Ok(None) };
    // A builder of the other kind would give even a stream that failed an end.
    let mut tar = Builder::new_non_terminated(GzipMembers::new(BufWriter::with_capacity(BLOCK, out), level));
    loop {
        match inbox.recv().await {
            Some(Piece::Begin(head)) => append(&mut tar, &head, inbox).await?,
            Some(Piece::Finish) => break,
            _ => return Err(Failed::Reader),
        }
    }
    tar.finish().await.map_err(Failed::Writer)?;
    let mut gzip = tar.into_inner().await.map_err(Failed::Writer)?;
    gzip.shutdown().await.map_err(Failed::Writer)?;
    Ok(Some(gzip.sizes()))
}

/// Appends a member whose header blocks are these and whose content comes.
async fn append<W: AsyncWrite + Unpin + Send>(
    tar: &mut Builder<W>,
    head: &[u8],
    inbox: &mut Receiver<Piece>,
) -> Result<(), Failed> {
    let (before, own) = head.split_at(head.len().saturating_sub(TAR_BLOCK));
    if let Some((first, records)) = before.split_at_checked(TAR_BLOCK) {
        // The records' padding is there already.
        tar.append(&header(first), records).await.map_err(Failed::Writer)?;
    }
    let mut body = Body { inbox, block: Vec::new(), used: 0, state: BodyState::Open };
    let appended = tar.append(&header(own), &mut body).await;
    match (body.state, appended) {
        (BodyState::Torn, _) | (BodyState::Open, Ok(())) => Err(Failed::Reader),
        (_, Err(error)) => Err(Failed::Writer(error)),
        (BodyState::Ended, Ok(())) => Ok(()),
    }
}

fn header(block: &[u8]) -> Header {
    let mut header = Header::new_ustar();
    header.as_mut_bytes().iter_mut().zip(block).for_each(|(to, from)| *to = *from);
    header
}

/// The content of a member as it comes from the reading side.
struct Body<'a> {
    inbox: &'a mut Receiver<Piece>,
    block: Vec<u8>,
    used: usize,
    state: BodyState,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Open,
    Ended,
    Torn,
}

impl AsyncRead for Body<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.used >= this.block.len() && this.state == BodyState::Open {
            match ready!(this.inbox.poll_recv(cx)) {
                Some(Piece::Block(block)) => (this.block, this.used) = (block, 0),
                Some(Piece::End) => this.state = BodyState::Ended,
                _ => {
                    this.state = BodyState::Torn;
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
        let waiting = this.block.get(this.used..).unwrap_or_default();
        let n = waiting.len().min(buffer.remaining());
        buffer.put_slice(waiting.get(..n).unwrap_or_default());
        this.used += n;
        Poll::Ready(Ok(()))
    }
}

/// Reads the package at `path` and hands over its members, each verified before its end. Runs on one thread, where
/// containers hand out their members in order.
fn read(path: &Path, pieces: &Sender<Piece>, progress: &dyn Progress) -> Result<SendReport, PackagerError> {
    let package = Package::open(path)?;
    crate::import::check_declarations(&package)?;
    crate::import::check_claims(&package)?;
    let manifest = &package.manifest;
    let wanted = |info: &MemberInfo| info.path.as_str() != MANIFEST_PATH && !package.is_residue(&info.path);
    let members: Vec<&MemberInfo> = package.container.members().iter().filter(|info| wanted(info)).collect();
    let manifest_path: PackagePath = MANIFEST_PATH.parse()?;
    let text = package.container.read(&manifest_path, json::DEFAULT_MAX_BYTES)?;
    let bytes = members.iter().map(|info| info.size).fold(size_of(text.len()), u64::saturating_add);
    let count = size_of(members.len()).saturating_add(1);
    progress.begin(Stage::Packing, count, bytes);

    let modified = u64::try_from(manifest.created_at.timestamp()).unwrap_or(0);
    let give = |piece| pieces.blocking_send(piece).map_err(|_| PackagerError::Cancelled);
    give(Piece::Level(manifest.compression_level.unwrap_or(CompressionLevel::Balanced)))?;
    give(Piece::Begin(entry_head(&manifest_path, size_of(text.len()), modified)))?;
    for block in text.chunks(BLOCK) {
        give(Piece::Block(block.to_vec()))?;
        progress.advance(0, size_of(block.len()));
    }
    give(Piece::End)?;
    progress.advance(1, 0);

    let digests: std::collections::HashMap<&PackagePath, &Sha256Digest> =
        manifest.declared().filter_map(|declared| Some((declared.path, declared.digest?))).collect();
    let mut order = members.iter();
    let next = Mutex::new(&mut order);
    package.container.visit(&wanted, &|info, body| {
        let expected = next.lock().unwrap_or_else(std::sync::PoisonError::into_inner).next();
        if expected.is_none_or(|expected| expected.path != info.path) {
            return Err(damaged(info, "it was read out of its order".to_owned()));
        }
        let send = |piece| pieces.blocking_send(piece).map_err(|_| damaged(info, "nobody receives it".to_owned()));
        send(Piece::Begin(entry_head(&info.path, info.size, modified)))?;
        let digest = give_content(info, body, &send, progress)?;
        if let Some(stated) = digests.get(&info.path).filter(|stated| ***stated != digest) {
            return Err(damaged(info, format!("sha256: expected {stated}, actual {digest}")));
        }
        progress.advance(1, 0);
        send(Piece::End)
    })?;
    give(Piece::Finish)?;
    Ok(SendReport {
        package_path: path.to_owned(),
        name: manifest.name.clone(),
        package_id: manifest.package_id.clone(),
        members: count,
        member_bytes: bytes,
        tar_bytes: 0,
        stream_bytes: 0,
    })
}

/// Hands over a member's bytes, exactly as many as its header says.
fn give_content(
    info: &MemberInfo,
    body: &mut dyn io::Read,
    send: &dyn Fn(Piece) -> Result<(), ArchiveError>,
    progress: &dyn Progress,
) -> Result<Sha256Digest, ArchiveError> {
    let mut hasher = Hasher::new();
    let mut given = 0_u64;
    loop {
        let mut block = vec![0; usize::try_from(info.size.clamp(1, BLOCK as u64)).unwrap_or(BLOCK)];
        match body.read(&mut block) {
            Ok(0) => break,
            Ok(n) => block.truncate(n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(crate::validate::content_error(info, &error)),
        }
        if progress.is_cancelled() {
            return Err(damaged(info, "interrupted".to_owned()));
        }
        hasher.update(&block);
        given = given.saturating_add(size_of(block.len()));
        progress.advance(0, size_of(block.len()));
        send(Piece::Block(block))?;
    }
    match given == info.size {
        true => Ok(hasher.finish()),
        false => Err(damaged(info, format!("it has {given} bytes, {} were listed", info.size))),
    }
}

fn damaged(info: &MemberInfo, reason: String) -> ArchiveError {
    ArchiveError::Member { member: info.path.to_string(), reason }
}

fn size_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
