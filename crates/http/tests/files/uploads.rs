//! Uploads in one request.

use std::fs;

use pdp_packager::manifest::{ContainerFormat, Sha256Digest};

use crate::support::{Answer, Sending, Server, package_in};

const ZIP: (&str, &str) = ("Content-Type", "application/zip");

fn upload(server: &Server, name: &str, bytes: &[u8]) -> Answer {
    server.ask("POST", &format!("/api/packaging/upload?fileName={name}"), &[ZIP], bytes)
}

/// A package that lies elsewhere.
pub(crate) fn package(format: ContainerFormat, padding: usize) -> Vec<u8> {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::read(package_in(elsewhere.path(), "up", format, padding)).unwrap()
}

#[test]
fn a_valid_package_gets_its_name_and_its_checksum() {
    let server = Server::new();
    for (name, format) in [("a.zip", ContainerFormat::Zip), ("b.tar.gz", ContainerFormat::TarGz)] {
        let bytes = package(format, 2 << 20);
        let answer = upload(&server, name, &bytes).is(201);
        assert_eq!(answer.field("location"), format!("/api/packaging/download/{name}"));
        let entry = answer.json();
        assert_eq!((&entry["fileName"], &entry["name"], &entry["totalFiles"]), (&name.into(), &"up".into(), &2.into()));
        assert_eq!(entry["sizeBytes"], bytes.len());
        assert!(server.download(name, &[]).is(200).body == bytes);
        let sidecar = fs::read_to_string(server.packages().join(format!("{name}.sha256"))).unwrap();
        assert_eq!(sidecar, format!("{}  {name}\n", Sha256Digest::of(&bytes)));
    }
    // The same again does not replace it.
    let other = package(ContainerFormat::Zip, 0);
    upload(&server, "a.zip", &other).refuses(409, "of this name");
    assert_eq!(server.names(), ["a.zip", "a.zip.sha256", "b.tar.gz", "b.tar.gz.sha256"]);
}

#[test]
fn t139_what_is_no_valid_package_is_refused_and_gone() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 100_000);
    let mut flipped = bytes.clone();
    let at = bytes.len() / 2;
    flipped[at] ^= 1;
    for (what, bytes) in [
        ("cut short", &bytes[..bytes.len() - 1]),
        ("flipped", &flipped),
        ("text", b"just text"),
        ("nothing", b""),
        ("more behind it", &[bytes.as_slice(), b"more"].concat()),
    ] {
        let problem = upload(&server, "a.zip", bytes).refuses(422, "a.zip");
        assert_eq!(problem.json()["type"], "urn:pdp:problem:invalid-package", "{what}");
    }
    assert!(upload(&server, "a.zip", &flipped).refuses(422, "").text().contains("sha256"));
    let tar = package(ContainerFormat::TarGz, 0);
    upload(&server, "a.zip", &tar).refuses(422, "begin as its name says");
    upload(&server, "a.tgz", &bytes).refuses(422, "begin as its name says");
    assert!(server.names().is_empty() && server.uploads().is_empty());
    upload(&server, "a.zip", &bytes).is(201);
}

#[test]
fn t139_names_that_no_package_may_have() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 0);
    for name in [
        "..%2Fx.zip",
        "%2Ftmp%2Fx.zip",
        ".x.zip",
        ".pdp-uploads%2Fx.zip",
        "a%00.zip",
        "a.txt",
        "a.zip.sha256",
        "zip",
        ".zip",
        "con.zip",
        "a%0Ab.zip",
        "a%5Cb.zip",
        "a:b.zip",
        "%E2%80%AEpiz.zip",
        "",
    ] {
        upload(&server, name, &bytes).refuses(422, "fileName");
    }
    server.ask("POST", "/api/packaging/upload", &[ZIP], &bytes).refuses(400, "fileName");
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"] {
        let fields = [("Content-Type", kind)];
        server.ask("POST", "/api/packaging/upload?fileName=a.zip", &fields, &bytes).refuses(415, "Content-Type");
    }
    assert!(server.names().is_empty() && server.uploads().is_empty());
}

#[test]
fn t139_quotas_are_enforced_before_anything_is_written() {
    let server = Server::with(|settings| {
        settings.max_upload_bytes = 1 << 20;
        settings.max_packages_bytes = Some(300_000);
    });
    let refused = |length: &str, status: u16, says: &str| {
        let path = "/api/packaging/upload?fileName=a.zip";
        // Nothing of the body is sent: the answer comes without it.
        let sending = Sending::begin(&server, "POST", path, &[ZIP], length.parse().unwrap());
        sending.reply().rest().refuses(status, says);
        assert!(server.uploads().is_empty());
    };
    refused("1048577", 413, "at most 1048576 bytes");
    refused("300001", 507, "room for an upload of 300000 bytes");
    // A body of unknown length is stopped where the room ends.
    let mut sending = Sending::begin(
        &server,
        "POST",
        "/api/packaging/upload?fileName=a.zip",
        &[ZIP, ("Transfer-Encoding", "chunked")],
        0,
    );
    let chunk = vec![b'x'; 100_000];
    for _ in 0..4 {
        sending.say(b"186a0\r\n");
        sending.say(&chunk);
        sending.say(b"\r\n");
    }
    sending.say(b"0\r\n\r\n");
    sending.reply().rest().refuses(413, "room for an upload of 300000 bytes");
    assert!(server.uploads().is_empty());
    // What is there counts.
    let bytes = package(ContainerFormat::Zip, 200_000);
    assert!((200_000..290_000).contains(&bytes.len()), "{}", bytes.len());
    upload(&server, "a.zip", &bytes).is(201);
    upload(&server, "b.zip", &bytes).refuses(507, "room for an upload of");
    assert!(server.uploads().is_empty());
}

#[test]
fn t139_a_disk_is_never_asked_for_more_than_it_has() {
    let server = Server::with(|settings| settings.max_upload_bytes = u64::MAX);
    let mut sending = Sending::begin(&server, "POST", "/api/packaging/upload?fileName=a.zip", &[ZIP], 1 << 55);
    sending.say(b"PK");
    sending.reply().rest().refuses(507, "room for an upload of");
    assert!(server.uploads().is_empty());
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let server = Server::new();
    let bytes = package(ContainerFormat::Zip, 4 << 20);
    let mut sending = Sending::begin(&server, "POST", "/api/packaging/upload?fileName=a.zip", &[ZIP], bytes.len());
    sending.say(&bytes[..3 << 20]);
    sending.hang_up();
    let start = std::time::Instant::now();
    while !server.uploads().is_empty() {
        assert!(start.elapsed().as_secs() < 120, "{:?} is left", server.uploads());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    upload(&server, "a.zip", &bytes).is(201);
}
