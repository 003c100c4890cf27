//! Streams that no honest sender makes.

use std::collections::BTreeMap;
use std::io::Write as _;

use pdp_archive::tar::entry_head;
use pdp_packager::ErrorKind;
use pdp_packager::manifest::ContainerFormat::Folder;

use crate::support::{Home, Place, tree};

/// The members of a valid package, in order, to be spoilt.
struct Spoilt {
    manifest: String,
    members: BTreeMap<String, Vec<u8>>,
}

const DATA: &str = "data/2024-01-03/MSFT/Trade/2024-01-03.jsonl";

impl Spoilt {
    fn new() -> Self {
        let home = Home::new(3);
        let mut members = tree(&home.package(Folder));
        let manifest = String::from_utf8(members.remove("manifest.json").unwrap()).unwrap();
        Self { manifest, members }
    }

    /// Without the two blocks at its end.
    fn tar(&self) -> Vec<u8> {
        let mut out = entry("manifest.json", self.manifest.as_bytes());
        self.members.iter().for_each(|(name, bytes)| out.extend(entry(name, bytes)));
        out
    }
}

fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut out = entry_head(&name.parse().unwrap(), content.len() as u64, 1_706_745_600);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// A header with some bytes put into it and its checksum made right again.
fn header(name: &str, size: u64, changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut block = entry_head(&name.parse().unwrap(), size, 1_706_745_600);
    for (at, bytes) in changes {
        block[*at..at + bytes.len()].copy_from_slice(bytes);
    }
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const END: [u8; 1024] = [0; 1024];

fn stream(tar: &[u8]) -> Vec<u8> {
    gzip(&[tar, &END].concat())
}

#[track_caller]
fn check(place: &Place, outcome: Result<pdp_packager::ImportReport, pdp_packager::PackagerError>, says: &str) {
    let error = outcome.map(|report| report.added).unwrap_err();
    assert!(error.to_string().contains(says), "expected \"{says}\" in: {error}");
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    place.is_empty();
}

/// The stream is refused with these words, and nothing is left.
async fn refused(bytes: &[u8], says: &str) {
    let place = Place::new();
    let outcome = place.receive(bytes).await;
    check(&place, outcome, says);
}

#[tokio::test]
async fn what_is_not_spoilt_is_received() {
    let whole = Spoilt::new();
    let place = Place::new();
    place.receive(stream(&whole.tar()).as_slice()).await.unwrap();
    assert_eq!(place.tree().len(), whole.members.len() + 1);
}

#[tokio::test]
async fn entries_that_are_no_files_are_refused() {
    let whole = Spoilt::new().tar();
    for (kind, link) in
        [(b'2', "/etc"), (b'1', "README.md"), (b'3', ""), (b'6', ""), (b'S', ""), (b'g', ""), (b'K', "")]
    {
        let bad = header("data/link", 0, &[(156, &[kind]), (157, link.as_bytes())]);
        refused(&stream(&[whole.as_slice(), &bad].concat()), "not supported").await;
    }
    let bad = header("data/link", 0, &[(157, b"README.md")]);
    refused(&stream(&[whole.as_slice(), &bad].concat()), "link's target").await;
}

#[tokio::test]
async fn names_that_lead_elsewhere_are_refused() {
    let whole = Spoilt::new().tar();
    for name in ["../x", "/tmp/pdp-x", "data/../../x", "data//x", "data/./x", "data\\x", "data/con.txt"] {
        let bad = header("data/xxxxxxxxxxxxx", 0, &[(0, &[0; 18]), (0, name.as_bytes())]);
        let place = Place::new();
        let error = place.receive(stream(&[whole.as_slice(), &bad].concat()).as_slice()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{name}: {error}");
        place.is_empty();
    }
    // A manifest that declares it changes nothing.
    let mut spoilt = Spoilt::new();
    spoilt.manifest = spoilt.manifest.replace(DATA, "data/../../MSFT.jsonl");
    refused(&stream(&spoilt.tar()), "data/../../MSFT.jsonl").await;
}

#[tokio::test]
async fn two_readers_never_see_two_sizes() {
    let whole = Spoilt::new().tar();
    let records = b"12 size=512\n";
    let pax = header("PaxHeader", records.len() as u64, &[(156, b"x")]);
    let mut padded = records.to_vec();
    padded.resize(512, 0);
    let own = header("data/x", 0, &[]);
    refused(&stream(&[whole.as_slice(), &pax, &padded, &own].concat()), "by PAX").await;
    let twice = [pax.as_slice(), &padded, &pax, &padded, &own].concat();
    refused(&stream(&[whole.as_slice(), &twice].concat()), "two headers").await;
    refused(&stream(&[whole.as_slice(), &pax, &padded].concat()), "next entry").await;
}

#[tokio::test]
async fn members_and_manifest_must_agree() {
    let whole = Spoilt::new().tar();
    let again = entry(DATA, &Spoilt::new().members[DATA]);
    refused(&stream(&[whole.as_slice(), &again].concat()), "collide").await;
    let other = entry(&DATA.to_lowercase(), b"x");
    refused(&stream(&[whole.as_slice(), &other].concat()), "collide").await;
    refused(&stream(&[whole.as_slice(), &entry("data/extra", b"x")].concat()), "not declared").await;
    refused(&stream(&[whole.as_slice(), &entry("scripts/__pycache__/x", b"x")].concat()), "not declared").await;
    let manifest = entry("manifest.json", Spoilt::new().manifest.as_bytes());
    refused(&stream(&[whole.as_slice(), &manifest].concat()), "collide").await;

    let mut spoilt = Spoilt::new();
    spoilt.members.remove(DATA);
    refused(&stream(&spoilt.tar()), "not in the package").await;

    let mut spoilt = Spoilt::new();
    spoilt.members.get_mut(DATA).unwrap()[5] ^= 1;
    refused(&stream(&spoilt.tar()), "sha256").await;

    let mut spoilt = Spoilt::new();
    spoilt.members.get_mut(DATA).unwrap().push(b'\n');
    refused(&stream(&spoilt.tar()), "size: expected").await;

    // Totals that do not follow from the list are seen before a member has come.
    let mut spoilt = Spoilt::new();
    spoilt.manifest = spoilt.manifest.replace("\"totalFiles\": 3", "\"totalFiles\": 4");
    refused(&gzip(&spoilt.tar()[..spoilt.manifest.len() + 1024]), "totalFiles").await;
    let mut spoilt = Spoilt::new();
    let at = spoilt.manifest.find("\"packageChecksum\": \"sha256:").unwrap() + 27;
    let digit = if spoilt.manifest.as_bytes()[at] == b'0' { "1" } else { "0" };
    spoilt.manifest.replace_range(at..=at, digit);
    refused(&stream(&spoilt.tar()), "packageChecksum").await;
}

#[tokio::test]
async fn the_manifest_comes_first() {
    let spoilt = Spoilt::new();
    let manifest = entry("manifest.json", spoilt.manifest.as_bytes());
    let tar = spoilt.tar();
    refused(&stream(&[&tar[manifest.len()..], &manifest].concat()), "begins with manifest.json").await;
    refused(&stream(b""), "begins with manifest.json").await;
    refused(b"", "begins with manifest.json").await;
    refused(b"not gzip at all", "no gzip member").await;
    refused(&stream(&entry("manifest.json", b"{}")), "manifest").await;
    refused(&stream(&header("manifest.json", 1 << 30, &[])), "manifest of 1073741824 bytes").await;
}

#[tokio::test]
async fn nothing_follows_the_end() {
    let whole = stream(&Spoilt::new().tar());
    for (behind, says) in [
        (vec![0], "no gzip member"),
        (vec![0; 512], "no gzip member"),
        (b"x".to_vec(), "no gzip member"),
        (vec![0x1f], "cut short"),
        (gzip(b""), "empty gzip member"),
        (gzip(b"x"), "goes on behind"),
        (whole.clone(), "goes on behind"),
        (gzip(&[0; (64 << 10) + 1]), "goes on behind"),
    ] {
        refused(&[whole.as_slice(), &behind].concat(), says).await;
    }
    let place = Place::new();
    place.receive([whole.as_slice(), &gzip(&[0; 64 << 10])].concat().as_slice()).await.unwrap();

    let tar = Spoilt::new().tar();
    refused(&gzip(&tar), "cut short").await;
    refused(&gzip(&[tar.as_slice(), &[0; 512]].concat()), "cut short").await;
    refused(&gzip(&[tar.as_slice(), &[0; 512], &entry("data/x", b"x"), &END].concat()), "in the middle").await;
}

#[tokio::test]
async fn gzip_headers_are_strict() {
    let mut reserved = stream(&Spoilt::new().tar());
    reserved[3] |= 0x20;
    refused(&reserved, "reserved flags").await;
    // A header that names a file without an end.
    let endless = [vec![0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0], vec![b'x'; 3 << 20]].concat();
    refused(&endless, "hold nothing").await;
}

#[tokio::test]
async fn padding_holds_nothing() {
    let mut tar = Spoilt::new().tar();
    *tar.last_mut().unwrap() = 1;
    refused(&stream(&tar), "padding").await;
}

#[tokio::test]
async fn bombs_are_refused_before_they_are_unpacked() {
    let mut spoilt = Spoilt::new();
    let zeros = vec![0; 64 << 20];
    let before = spoilt.members.insert(DATA.to_owned(), zeros).unwrap();
    // Even one that the manifest declares.
    spoilt.manifest =
        spoilt.manifest.replace(&format!("\"sizeBytes\": {}", before.len()), &format!("\"sizeBytes\": {}", 64 << 20));
    refused(&stream(&spoilt.tar()), "times its size").await;

    let place = Place::new();
    let mut options = place.options();
    options.limits.max_members = 3;
    let whole = stream(&Spoilt::new().tar());
    let outcome = pdp_packager::stream::receive(whole.as_slice(), &options, crate::support::silent()).await;
    check(&place, outcome, "number of members");
    options.limits.max_members = 1000;
    options.limits.max_total_bytes = 5000;
    let outcome = pdp_packager::stream::receive(whole.as_slice(), &options, crate::support::silent()).await;
    check(&place, outcome, "size of all members");
}
