//! Uploads in pieces, as tus 1.0.0 has them.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64ct::{Base64, Encoding as _};
use pdp_packager::manifest::{ContainerFormat, Sha256Digest};

use crate::support::{Answer, Sending, Server};
use crate::uploads::package;

const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");
const PIECE: (&str, &str) = ("Content-Type", "application/offset+octet-stream");

fn begin(server: &Server, name: &str, length: usize, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let (length, metadata) =
        (length.to_string(), format!("filetype YQ==,filename {}", Base64::encode_string(name.as_bytes())));
    let mut fields = vec![TUS, ("Upload-Length", length.as_str()), ("Upload-Metadata", metadata.as_str())];
    fields.extend(more);
    server.ask("POST", "/api/packaging/upload", &fields, body)
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.field("tus-resumable"), "1.0.0");
    answer.field("location").to_owned()
}

fn piece(server: &Server, at: &str, offset: usize, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let offset = offset.to_string();
    let mut fields = vec![TUS, PIECE, ("Upload-Offset", offset.as_str())];
    fields.extend(more);
    server.ask("PATCH", at, &fields, body)
}

/// How far the server says it is.
fn offset(server: &Server, at: &str) -> usize {
    let answer = server.ask("HEAD", at, &[TUS], b"").is(200);
    assert_eq!(answer.field("cache-control"), "no-store");
    answer.field("upload-offset").parse().unwrap()
}

/// Where the bytes of an upload lie.
fn part(server: &Server, at: &str) -> PathBuf {
    let id = at.rsplit('/').next().unwrap();
    server.packages().join(".pdp-uploads").join(format!("{id}.part"))
}

/// Sends a part of what is announced and goes away; waits until the server has seen that.
fn interrupted(server: &Server, at: &str, from: usize, announced: usize, more: &[(&str, &str)], body: &[u8]) {
    let from = from.to_string();
    let mut fields = vec![TUS, PIECE, ("Upload-Offset", from.as_str())];
    fields.extend(more);
    let mut sending = Sending::begin(server, "PATCH", at, &fields, announced);
    sending.say(body);
    // Something of it is on the disk before the client goes away.
    let part = part(server, at);
    let start = std::time::Instant::now();
    while fs::metadata(&part).unwrap().len() <= from.parse().unwrap() {
        assert!(start.elapsed().as_secs() < 120, "nothing arrives");
        std::thread::sleep(Duration::from_millis(5));
    }
    sending.hang_up();
    // While it is locked, a piece at no good place is refused with 423, then with 409.
    while piece(server, at, 999_999_999, &[], b"").status == 423 {
        assert!(start.elapsed().as_secs() < 120, "the upload is still locked");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_the_server_can_do() {
    let server = Server::with(|settings| settings.max_upload_bytes = 12_345_678);
    for path in ["/api/packaging/upload", "/api/packaging/upload/00000000000000000000000000000000"] {
        let answer = server.ask("OPTIONS", path, &[], b"").is(204);
        assert_eq!(answer.field("tus-version"), "1.0.0");
        assert_eq!(answer.field("tus-max-size"), "12345678");
        assert_eq!(answer.field("tus-extension"), "creation,creation-with-upload,checksum,termination,expiration");
        assert_eq!(answer.field("tus-checksum-algorithm"), "sha256,sha1");
    }
    for version in ["0.2.2", ""] {
        let fields = [("Tus-Resumable", version), ("Upload-Length", "5")];
        let answer = server.ask("POST", "/api/packaging/upload", &fields, b"").refuses(412, "1.0.0");
        assert_eq!(answer.field("tus-version"), "1.0.0");
    }
}

#[test]
fn t139_interrupted_and_resumed_also_by_another_server() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 6 << 20);
    let at = location(&begin(&server, "a.zip", bytes.len(), &[], b"").is(201));
    assert_eq!(offset(&server, &at), 0);
    interrupted(&server, &at, 0, bytes.len(), &[], &bytes[..2 << 20]);
    let first = offset(&server, &at);
    assert!((1..=2 << 20).contains(&first), "{first}");
    // The offset is that of the disk.
    let kept = fs::read(part(&server, &at)).unwrap();
    assert!(kept.len() == first && kept == bytes[..first]);

    let server = Server::on(server.end(), |_| ());
    assert_eq!(offset(&server, &at), first);
    let middle = first + (1 << 20);
    let answer = piece(&server, &at, first, &[], &bytes[first..middle]).is(204);
    assert_eq!(answer.field("upload-offset"), middle.to_string());
    assert!(answer.given("upload-expires").is_some());
    let head = server.ask("HEAD", &at, &[TUS], b"").is(200);
    assert_eq!(head.field("upload-length"), bytes.len().to_string());
    assert!(head.field("upload-metadata").starts_with("filetype YQ==,filename "));
    let last = piece(&server, &at, middle, &[], &bytes[middle..]).is(204);
    assert_eq!(last.field("upload-offset"), bytes.len().to_string());
    assert!(server.download("a.zip", &[]).is(200).body == bytes);
    assert!(server.packages().join("a.zip.sha256").is_file() && !part(&server, &at).exists());
    // Whoever did not hear the last answer is told that it is finished.
    assert_eq!(offset(&server, &at), bytes.len());
    piece(&server, &at, bytes.len(), &[], b"").refuses(410, "finished");
}

#[test]
fn creation_brings_the_first_piece_along() {
    let server = Server::new();
    let bytes = package(ContainerFormat::TarGz, 0);
    let answer = begin(&server, "a.tar.gz", bytes.len(), &[PIECE], &bytes[..100]).is(201);
    assert_eq!(answer.field("upload-offset"), "100");
    let at = location(&answer);
    piece(&server, &at, 100, &[], &bytes[100..]).is(204);
    server.download("a.tar.gz", &[]).is(200);
    // All of it at once.
    let answer = begin(&server, "b.tgz", bytes.len(), &[PIECE], &bytes).is(201);
    assert_eq!(answer.field("upload-offset"), bytes.len().to_string());
    server.download("b.tgz", &[]).is(200);
    // One that fails is not there.
    begin(&server, "c.zip", bytes.len(), &[PIECE], &bytes).refuses(422, "c.zip");
    assert_eq!(server.uploads().iter().filter(|name| name.ends_with(".part")).count(), 0);
}

#[test]
fn t139_a_wrong_checksum_or_offset_changes_nothing() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 1 << 20);
    let at = location(&begin(&server, "a.zip", bytes.len(), &[], b"").is(201));
    let sha256 = |bytes: &[u8]| format!("sha256 {}", Base64::encode_string(Sha256Digest::of(bytes).as_bytes()));
    let (first, rest) = bytes.split_at(500_000);
    piece(&server, &at, 0, &[("Upload-Checksum", &sha256(b"other"))], first).refuses(460, "checksum");
    assert_eq!(offset(&server, &at), 0);
    piece(&server, &at, 0, &[("Upload-Checksum", &sha256(first))], first).is(204);
    // A right piece at a wrong place.
    for wrong in [0, 499_999, 500_001] {
        piece(&server, &at, wrong, &[], rest).refuses(409, "goes on at byte 500000");
    }
    for checksum in ["md5 AAAA", "sha256", "sha256 !!!", "sha256 AAAA", "sha1 "] {
        piece(&server, &at, 500_000, &[("Upload-Checksum", checksum)], rest).refuses(400, "upload-checksum");
    }
    let too_much = [rest, b"x"].concat();
    piece(&server, &at, 500_000, &[], &too_much).refuses(413, "are left");
    let fields = [TUS, ("Upload-Offset", "500000"), ("Content-Type", "application/zip")];
    server.ask("PATCH", &at, &fields, rest).refuses(415, "offset+octet-stream");
    server.ask("PATCH", &at, &[TUS, PIECE], rest).refuses(400, "upload-offset");
    // A piece whose checksum cannot be compared, for it broke off, is not kept.
    let known = sha256(rest);
    interrupted(&server, &at, 500_000, rest.len(), &[("Upload-Checksum", &known)], &rest[..300_000]);
    assert_eq!(offset(&server, &at), 500_000);
    // As SHA-1, which other clients send.
    let mut sha1 = <sha1::Sha1 as sha1::Digest>::new();
    sha1::Digest::update(&mut sha1, rest);
    let sha1 = format!("sha1 {}", Base64::encode_string(&sha1::Digest::finalize(sha1)));
    piece(&server, &at, 500_000, &[("Upload-Checksum", &sha1)], rest).is(204);
    assert!(server.download("a.zip", &[]).is(200).body == bytes);
}

#[test]
fn what_a_crash_left_unverified_is_cut_off() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 0);
    let at = location(&begin(&server, "a.zip", bytes.len(), &[PIECE], &bytes[..100]).is(201));
    let home = server.packages().join(".pdp-uploads");
    let id = at.rsplit('/').next().unwrap();
    // As it lies there when the process dies amid a piece with a checksum.
    let record = home.join(format!("{id}.json"));
    let mut noted: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    noted["doubtfulFrom"] = 100.into();
    fs::write(&record, noted.to_string()).unwrap();
    fs::write(part(&server, &at), [&bytes[..100], b"torn"].concat()).unwrap();
    assert_eq!(offset(&server, &at), 100);
    piece(&server, &at, 100, &[], &bytes[100..]).is(204);
    server.download("a.zip", &[]).is(200);
}

#[test]
fn an_upload_that_was_whole_when_the_server_died_is_finished_by_the_next() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 0);
    let at = location(&begin(&server, "a.zip", bytes.len(), &[], b"").is(201));
    fs::write(part(&server, &at), &bytes).unwrap();
    let server = Server::on(server.end(), |_| ());
    assert_eq!(offset(&server, &at), bytes.len());
    assert!(server.download("a.zip", &[]).is(200).body == bytes);
}

#[test]
fn one_of_two_at_the_same_time_wins() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 1 << 20);
    let at = location(&begin(&server, "a.zip", bytes.len(), &[], b"").is(201));
    let mut first = Sending::begin(&server, "PATCH", &at, &[TUS, PIECE, ("Upload-Offset", "0")], bytes.len());
    first.say(&bytes[..600_000]);
    let start = std::time::Instant::now();
    // From when something of it is on the disk, the upload is the first one's.
    while offset(&server, &at) == 0 {
        assert!(start.elapsed().as_secs() < 120, "nothing arrives");
        std::thread::sleep(Duration::from_millis(5));
    }
    piece(&server, &at, 0, &[], &bytes).refuses(423, "another request");
    server.ask("DELETE", &at, &[TUS], b"").refuses(423, "another request");
    first.say(&bytes[600_000..]);
    first.reply().rest().is(204);
    assert!(server.download("a.zip", &[]).is(200).body == bytes);
}

#[test]
fn a_name_goes_to_whoever_is_whole_first() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 0);
    let other = package(ContainerFormat::Zip, 1000);
    let first = location(&begin(&server, "a.zip", bytes.len(), &[], b"").is(201));
    let second = location(&begin(&server, "a.zip", other.len(), &[], b"").is(201));
    piece(&server, &second, 0, &[], &other).is(204);
    piece(&server, &first, 0, &[], &bytes).refuses(409, "of this name");
    assert!(server.download("a.zip", &[]).is(200).body == other);
    begin(&server, "a.zip", bytes.len(), &[], b"").refuses(409, "of this name");
    let sidecar = fs::read_to_string(server.packages().join("a.zip.sha256")).unwrap();
    assert!(sidecar.starts_with(&Sha256Digest::of(&other).to_string()));
    server.ask("HEAD", &first, &[TUS], b"").is(404);
}

#[test]
fn uploads_end_by_themselves_or_when_they_are_told() {
    let server = Server::new();
    let at = location(&begin(&server, "a.zip", 100, &[], b"").is(201));
    server.ask("DELETE", &at, &[TUS], b"").is(204);
    server.ask("DELETE", &at, &[TUS], b"").refuses(404, "no upload");
    server.ask("HEAD", &at, &[TUS], b"").is(404);
    assert!(server.uploads().is_empty());

    let age = |at: &str| {
        let then = SystemTime::now() - Duration::from_secs(24 * 60 * 60 + 5);
        fs::File::options().write(true).open(part(&server, at)).unwrap().set_modified(then).unwrap();
    };
    let asked = location(&begin(&server, "a.zip", 100, &[], b"").is(201));
    age(&asked);
    server.ask("HEAD", &asked, &[TUS], b"").is(410);
    let swept = location(&begin(&server, "a.zip", 100, &[], b"").is(201));
    age(&swept);
    let living = location(&begin(&server, "b.zip", 100, &[], b"").is(201));
    assert_eq!(server.uploads().len(), 2, "{:?}", server.uploads());
    server.ask("HEAD", &swept, &[TUS], b"").is(404);
    assert_eq!(offset(&server, &living), 0);
    age(&living);
    let server = Server::on(server.end(), |_| ());
    assert!(server.uploads().is_empty());
}

#[test]
fn t139_what_is_promised_counts_towards_the_quota() {
    let server = Server::with(|settings| settings.max_packages_bytes = Some(1000));
    let first = location(&begin(&server, "a.zip", 600, &[], b"").is(201));
    begin(&server, "b.zip", 600, &[], b"").refuses(507, "room for an upload of 400 bytes");
    piece(&server, &first, 0, &[], &[b'x'; 300]).is(204);
    begin(&server, "b.zip", 401, &[], b"").refuses(507, "room for an upload of 400 bytes");
    server.ask("DELETE", &first, &[TUS], b"").is(204);
    begin(&server, "b.zip", 600, &[], b"").is(201);
}

#[test]
fn what_cannot_be_begun() {
    let server = Server::with(|settings| settings.max_upload_bytes = 1000);
    begin(&server, "a.zip", 1001, &[], b"").refuses(413, "at most 1000 bytes");
    for name in ["../a.zip", ".a.zip", "a.txt", ""] {
        begin(&server, name, 10, &[], b"").refuses(422, "fileName");
    }
    let post = |fields: &[(&str, &str)]| server.ask("POST", "/api/packaging/upload", fields, b"");
    post(&[TUS, ("Upload-Length", "5")]).refuses(400, "filename");
    post(&[TUS, ("Upload-Length", "-5"), ("Upload-Metadata", "filename YS56aXA=")]).refuses(400, "upload-length");
    post(&[TUS, ("Upload-Metadata", "filename YS56aXA=")]).refuses(400, "upload-length");
    post(&[TUS, ("Upload-Length", "5"), ("Upload-Metadata", "filename !")]).refuses(400, "upload-metadata");
    post(&[TUS, ("Upload-Defer-Length", "1"), ("Upload-Metadata", "filename YS56aXA=")]).refuses(400, "whole length");
    for id in ["x", "..%2Fa", "00000000000000000000000000000000", "0000000000000000000000000000000G"] {
        let at = format!("/api/packaging/upload/{id}");
        server.ask("HEAD", &at, &[TUS], b"").is(404);
        piece(&server, &at, 0, &[], b"x").refuses(404, "no upload");
        server.ask("DELETE", &at, &[TUS], b"").refuses(404, "no upload");
    }
    assert!(server.uploads().is_empty());
    for i in 0..64 {
        begin(&server, &format!("{i}.zip"), 1, &[], b"").is(201);
    }
    begin(&server, "one-more.zip", 1, &[], b"").refuses(429, "64 uploads");
}

#[test]
fn methods_can_be_said_in_a_header() {
    let server = Server::new();
    let at = location(&begin(&server, "a.zip", 10, &[], b"").is(201));
    let fields = [TUS, PIECE, ("Upload-Offset", "0"), ("X-HTTP-Method-Override", "PATCH")];
    server.ask("POST", &at, &fields, b"12345").is(204);
    assert_eq!(offset(&server, &at), 5);
    server.ask("POST", &at, &[TUS, PIECE], b"").refuses(405, "PATCH");
    server.ask("POST", &at, &[TUS, ("X-HTTP-Method-Override", "DELETE")], b"").is(204);
    server.ask("HEAD", &at, &[TUS], b"").is(404);
}
