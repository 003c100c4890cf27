//! Packages that are sent and received, over sockets and in pieces.

use std::fs;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use pdp_packager::manifest::ContainerFormat::{Folder, TarGz, Zip};
use pdp_packager::stream::{pack, receive, send};
use pdp_packager::{ErrorKind, ImportOptions, OnConflict, Progress, Silent, import};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadBuf};

use crate::support::{Home, Place, record, sent, silent, tree};

/// Enough for many blocks, and more than a gzip member.
const MANY: usize = 30_000;

#[cfg(unix)]
#[tokio::test]
async fn over_a_socket_pair_a_package_of_any_kind_arrives_as_an_import_places_it() {
    let home = Home::new(MANY);
    for format in [Zip, TarGz, Folder] {
        let package = home.package(format);
        let imported = home.join(&format!("imported-{format:?}"));
        let expected = import(&ImportOptions::new(&package, &imported), &Silent).unwrap();

        let place = Place::new();
        let (here, there) = tokio::net::UnixStream::pair().unwrap();
        let (sent, received) = tokio::join!(send(&package, here, silent()), place.receive(there));
        let (sent, received) = (sent.unwrap(), received.unwrap());
        assert!(place.tree() == tree(&imported), "{format:?}");
        assert_eq!(place.left(), ["here"]);
        assert_eq!(received.package_id, expected.package_id);
        assert_eq!((received.added, received.total_files), (expected.added, expected.total_files));
        assert_eq!((received.total_events, received.bytes_written), (expected.total_events, expected.bytes_written));
        assert!(received.validated);
        assert_eq!(sent.members, received.added);
        assert_eq!(sent.member_bytes, received.bytes_written);
        assert!(sent.stream_bytes < sent.tar_bytes && sent.tar_bytes.is_multiple_of(512));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_loopback_what_is_packed_arrives() {
    let home = Home::new(MANY);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let options = home.options(Zip);
    let sender = tokio::spawn(async move {
        let out = tokio::net::TcpStream::connect(address).await.unwrap();
        pack(&options, out, silent()).await
    });
    let (input, _) = listener.accept().await.unwrap();
    let place = Place::new();
    let received = place.receive(input).await.unwrap();
    let packed = sender.await.unwrap().unwrap();
    assert_eq!(packed.created.package_id, received.package_id);
    assert!(packed.created.verified.unwrap().valid);
    // What was made to be sent is gone.
    assert_eq!(fs::read_dir(home.join("packages")).unwrap().count(), 0);

    let imported = home.join("imported");
    import(&ImportOptions::new(home.package(TarGz), &imported), &Silent).unwrap();
    assert!(place.tree() == tree(&imported));
}

#[tokio::test]
async fn the_same_package_gives_the_same_stream() {
    let home = Home::new(MANY);
    for format in [Zip, TarGz, Folder] {
        let package = home.package(format);
        assert!(sent(&package).await == sent(&package).await, "{format:?}");
    }
    let other = Home::new(MANY);
    assert!(home.stream(Zip).await == other.stream(Zip).await);
}

/// Gives one byte at a time, and none every other time.
struct Drip<'a>(&'a [u8], bool);

impl AsyncRead for Drip<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some((first, rest)) = self.0.split_first() {
            buffer.put_slice(&[*first]);
            self.0 = rest;
        }
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn single_bytes_and_waits_between_them_change_nothing() {
    let home = Home::new(MANY);
    let stream = home.stream(Zip).await;
    let (slow, fast) = (Place::new(), Place::new());
    slow.receive(Drip(&stream, false)).await.unwrap();
    fast.receive(stream.as_slice()).await.unwrap();
    assert!(slow.tree() == fast.tree());
}

#[tokio::test]
async fn a_reader_that_reads_little_gets_everything() {
    let home = Home::new(MANY);
    let package = home.package(TarGz);
    let (here, mut there) = tokio::io::duplex(7);
    let mut got = Vec::new();
    let (report, read) = tokio::join!(send(&package, here, silent()), there.read_to_end(&mut got));
    assert_eq!(report.unwrap().stream_bytes, read.unwrap() as u64);
    assert!(got == sent(&package).await);
}

#[tokio::test]
async fn what_is_very_regular_is_no_bomb() {
    let home = Home::new(1);
    let line = record("AAPL", 1);
    fs::write(home.join("data/AAPL/Trade/2024-01-04.jsonl"), line.repeat(300_000)).unwrap();
    let stream = home.stream(Folder).await;
    let place = Place::new();
    let received = place.receive(stream.as_slice()).await.unwrap();
    assert!(received.bytes_written > 20_000_000 && received.bytes_written / 90 < stream.len() as u64);
}

#[tokio::test]
async fn a_damaged_package_is_not_sent_to_its_end() {
    let home = Home::new(MANY);
    let folder = home.package(Folder);
    let path = folder.join("data/2024-01-03/MSFT/Trade/2024-01-03.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("MSFT", "MSFX")).unwrap();
    let mut stream = Vec::new();
    let error = send(&folder, &mut stream, silent()).await.unwrap_err();
    assert!(error.to_string().contains("MSFT") && error.to_string().contains("sha256"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let place = Place::new();
    place.receive(stream.as_slice()).await.unwrap_err();
    place.is_empty();

    // What can be told beforehand is told before a byte is sent.
    fs::remove_file(&path).unwrap();
    let mut stream = Vec::new();
    assert_eq!(send(&folder, &mut stream, silent()).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(stream, b"");
    let missing = send(&home.join("nowhere"), &mut stream, silent()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_peer_that_goes_away_ends_both_sides() {
    let home = Home::new(MANY);
    let package = home.package(Zip);
    let (here, there) = tokio::io::duplex(1 << 10);
    let place = Place::new();
    let cut = there.take(20_000);
    let (sent, received) = tokio::join!(send(&package, here, silent()), place.receive(cut));
    assert!(received.unwrap_err().to_string().contains("cut short"));
    assert!(sent.unwrap_err().to_string().contains("writing the stream"));
    place.is_empty();

    let place = Place::new();
    let broken = sent_half(&package).await.chain(Broken);
    let error = place.receive(broken).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(error.to_string().contains("connection reset"), "{error}");
    place.is_empty();
}

async fn sent_half(package: &std::path::Path) -> std::io::Cursor<Vec<u8>> {
    let mut stream = sent(package).await;
    stream.truncate(stream.len() / 2);
    std::io::Cursor::new(stream)
}

struct Broken;

impl AsyncRead for Broken {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
    }
}

#[tokio::test]
async fn a_future_that_is_dropped_leaves_no_final_name_and_soon_nothing() {
    let home = Home::new(MANY);
    let stream = home.stream(Zip).await;
    for part in [0, 100, stream.len() / 2, stream.len() - 1, stream.len()] {
        let place = Place::new();
        let (mut here, there) = tokio::io::duplex(1 << 20);
        here.write_all(&stream[..part]).await.unwrap();
        // The other end stays open, so that the end of the stream is not known.
        let waited = tokio::time::timeout(Duration::from_millis(300), place.receive(there)).await;
        assert!(waited.is_err(), "{part}");
        assert!(!place.destination().exists());
        for _ in 0..200 {
            if place.left().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        place.is_empty();
    }
}

#[tokio::test]
async fn a_sender_that_is_dropped_gives_no_end() {
    let home = Home::new(MANY);
    let package = home.package(Folder);
    let (here, mut there) = tokio::io::duplex(1 << 10);
    let mut got = Vec::new();
    let sending = tokio::time::timeout(Duration::from_millis(200), send(&package, here, silent()));
    let (waited, _) = tokio::join!(sending, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        there.read_to_end(&mut got).await
    });
    assert!(waited.is_err());
    let place = Place::new();
    place.receive(got.as_slice()).await.unwrap_err();
    place.is_empty();
}

/// Asks to stop once some bytes have gone by.
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn advance(&self, _: u64, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 500_000
    }
}

#[tokio::test]
async fn an_operation_that_is_asked_to_stop_says_so_and_leaves_nothing() {
    let home = Home::new(MANY);
    let package = home.package(Zip);
    let stream = sent(&package).await;
    let place = Place::new();
    let progress = Arc::new(Impatient(AtomicU64::new(0)));
    let error = receive(stream.as_slice(), &place.options(), progress).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    place.is_empty();
    let progress = Arc::new(Impatient(AtomicU64::new(0)));
    let error = send(&package, &mut Vec::new(), progress).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
}

#[tokio::test]
async fn a_destination_that_has_files_is_changed_as_an_import_changes_it() {
    let home = Home::new(3);
    let stream = home.stream(Zip).await;
    let place = Place::new();
    place.receive(stream.as_slice()).await.unwrap();
    let whole = place.tree();

    let again = place.receive(stream.as_slice()).await.unwrap();
    assert_eq!((again.added, again.replaced, again.unchanged), (0, 0, whole.len() as u64));
    assert!(place.tree() == whole);

    let changed = place.destination().join("data/2024-01-03/AAPL/Trade/2024-01-03.jsonl");
    fs::write(&changed, record("AAPL", 77)).unwrap();
    let mut options = place.options();
    options.merge = true;
    options.on_conflict = Some(OnConflict::Keep);
    let merged = receive(stream.as_slice(), &options, silent()).await.unwrap();
    assert_eq!(merged.merged.len(), 1);
    assert_eq!(fs::read_to_string(&changed).unwrap().lines().count(), 4);

    let replaced = place.receive(stream.as_slice()).await.unwrap();
    assert_eq!(replaced.replaced, 1);
    assert!(place.tree() == whole);
    assert_eq!(place.left(), ["here"]);

    // An empty directory is filled in one step, and what is no directory is refused.
    let place = Place::new();
    fs::create_dir(place.destination()).unwrap();
    place.receive(stream.as_slice()).await.unwrap();
    assert!(place.tree() == whole);
    let place = Place::new();
    fs::write(place.destination(), "a file").unwrap();
    assert_eq!(place.receive(stream.as_slice()).await.unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(fs::read_to_string(place.destination()).unwrap(), "a file");
}
