//! Removing packages, and nothing else.

use std::fs;

use pdp_packager::manifest::ContainerFormat;

use crate::support::{Answer, Server};

fn delete(server: &Server, name: &str) -> Answer {
    server.ask("DELETE", &format!("/api/packaging/{name}"), &[], b"")
}

#[test]
fn a_package_goes_with_what_lies_beside_it() {
    let server = Server::new();
    let zip = server.package("zip", ContainerFormat::Zip, 0);
    let tar = server.package("tar", ContainerFormat::TarGz, 0);
    let folder = server.package("folder", ContainerFormat::Folder, 0);
    for name in [&zip, &tar, &folder] {
        server.put(&format!("{name}.minisig"), b"signature");
    }
    let kept = server.package("kept", ContainerFormat::Zip, 0);
    for name in [&zip, &tar, &folder] {
        delete(&server, name).is(204);
        delete(&server, name).refuses(404, "no package of this name");
    }
    assert_eq!(server.names(), [kept.clone(), format!("{kept}.sha256")]);
}

#[test]
fn a_damaged_package_is_a_package() {
    let server = Server::new();
    for format in [ContainerFormat::Zip, ContainerFormat::TarGz] {
        let name = server.package("p", format, 100_000);
        let path = server.packages().join(&name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        delete(&server, &name).is(204);
    }
    let folder = server.package("p", ContainerFormat::Folder, 0);
    fs::write(server.packages().join(&folder).join("manifest.json"), "{").unwrap();
    delete(&server, &folder).is(204);
    assert!(server.names().is_empty());
}

#[test]
fn what_is_not_listed_stays() {
    let server = Server::new();
    // A ZIP archive of something else, with one stored member.
    let mut foreign = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt".to_vec();
    foreign.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    server.put("foreign.zip", foreign);
    server.put("text.zip", b"just text");
    server.put("empty.tar.gz", b"");
    server.put("notes.txt", b"notes");
    server.put("folder/file", b"x");
    let name = server.package("p", ContainerFormat::Zip, 0);
    let before = server.names();
    let sidecar = format!("{name}.sha256");
    for name in ["notes.txt", "folder", sidecar.as_str()] {
        delete(&server, name).refuses(404, "no package of this name");
    }
    assert_eq!(server.names(), before);
    // What stands in the list as a package that cannot be read can be taken out of it.
    for name in ["foreign.zip", "text.zip", "empty.tar.gz"] {
        delete(&server, name).is(204);
    }
    assert_eq!(server.names().len(), before.len() - 3);
    assert!(server.packages().join("folder/file").is_file());
}

#[test]
fn what_a_crash_left_of_a_removal_is_removed_by_the_next_server() {
    let server = Server::new();
    let folder = server.package("p", ContainerFormat::Folder, 0);
    let hidden = server.packages().join(".pdp-0123.partial");
    fs::rename(server.packages().join(folder), &hidden).unwrap();
    let _server = Server::on(server.end(), |_| ());
    assert!(!hidden.exists());
}
