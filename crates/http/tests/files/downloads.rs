//! Ranges, and downloads while files change.

use std::fs::{self, File};
use std::io::Read as _;

use crate::support::{Answer, Server, noise};

const NAME: &str = "a.zip";

fn range(server: &Server, value: &str) -> Answer {
    server.download(NAME, &[("Range", value)])
}

/// The parts of a multipart answer: the range that each says it is, and its bytes.
fn parts(answer: &Answer) -> Vec<(String, Vec<u8>)> {
    let boundary = answer.field("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap();
    let (open, close) = (format!("--{boundary}\r\n").into_bytes(), format!("\r\n--{boundary}--\r\n").into_bytes());
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|window| window == what);
    let mut rest = answer.body.strip_prefix(open.as_slice()).unwrap().strip_suffix(close.as_slice()).unwrap();
    let next = [b"\r\n".as_slice(), &open].concat();
    let mut found = Vec::new();
    loop {
        let head_end = find(rest, b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..head_end].to_vec()).unwrap();
        assert!(head.contains("Content-Type: application/zip"), "{head}");
        let range = head.lines().find_map(|line| line.strip_prefix("Content-Range: ")).unwrap().to_owned();
        let body = &rest[head_end + 4..];
        let end = find(body, &next);
        found.push((range, body[..end.unwrap_or(body.len())].to_vec()));
        let Some(end) = end else { return found };
        rest = &body[end + next.len()..];
    }
}

#[test]
fn t138_one_range_of_every_kind() {
    let server = Server::new();
    let bytes = noise(1_000_000);
    server.put(NAME, &bytes);
    for (value, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=0-99", 0, 100),
        ("bytes=131072-262143", 131_072, 262_144),
        ("bytes=999999-", 999_999, 1_000_000),
        ("bytes=500000-9999999", 500_000, 1_000_000),
        ("bytes=-1", 999_999, 1_000_000),
        ("bytes=-5000000", 0, 1_000_000),
        ("bytes=5000000-,7-8", 7, 9),
    ] {
        let answer = range(&server, value).is(206);
        assert_eq!(answer.field("content-range"), format!("bytes {from}-{}/1000000", to - 1), "{value}");
        assert!(answer.whole && answer.body == bytes[from..to], "{value}");
    }
    for value in ["bytes=1000000-", "bytes=-0", "bytes=2000000-3000000,9999999-"] {
        let answer = range(&server, value).refuses(416, "1000000 bytes");
        assert_eq!(answer.field("content-range"), "bytes */1000000");
    }
    for value in ["bytes=", "bytes=b-a", "bytes=9-1", "octets=0-1", "bytes 0-1"] {
        let answer = range(&server, value).is(200);
        assert!(answer.body == bytes && answer.given("content-range").is_none(), "{value}");
    }
}

#[test]
fn t138_several_ranges_and_far_too_many() {
    let server = Server::new();
    let bytes = noise(300_000);
    server.put(NAME, &bytes);
    let answer = range(&server, "bytes=200000-299999, 0-9, 5-20, -1, 100000-100000").is(206);
    let found = parts(&answer);
    let expected = [(200_000, 300_000), (0, 21), (100_000, 100_001)];
    assert_eq!(found.len(), expected.len());
    for ((range, body), (from, to)) in found.iter().zip(expected) {
        assert_eq!(range, &format!("bytes {from}-{}/300000", to - 1));
        assert!(*body == bytes[from..to], "{range}");
    }
    assert!(answer.whole);
    // A thousand that overlap are one; a thousand apart from each other are not worth it.
    let many = |step: usize, len: usize| {
        (0..1000).map(|i| format!("{}-{}", i * step, i * step + len)).collect::<Vec<_>>().join(",")
    };
    let one = range(&server, &format!("bytes={}", many(10, 20))).is(206);
    assert_eq!(one.field("content-range"), "bytes 0-10010/300000");
    assert!(one.body == bytes[..10_011]);
    let whole = range(&server, &format!("bytes={}", many(10, 2))).is(200);
    assert!(whole.body == bytes);
}

#[test]
fn t138_a_range_of_another_version_is_the_whole() {
    let server = Server::new();
    let path = server.put(NAME, noise(10_000));
    let first = server.download(NAME, &[]).is(200);
    let (etag, modified) = (first.field("etag").to_owned(), first.field("last-modified").to_owned());
    let ask = |tag: &str| server.download(NAME, &[("Range", "bytes=0-9"), ("If-Range", tag)]);
    ask(&etag).is(206);
    for other in ["\"0123\"", &format!("W/{etag}"), "Mon, 01 Jan 2001 00:00:00 GMT"] {
        assert_eq!(ask(other).is(200).body.len(), 10_000, "{other}");
    }
    // A date is good when it is not of just now.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    let then = server.download(NAME, &[]).field("last-modified").to_owned();
    assert_ne!(then, modified);
    ask(&then).is(206);
    ask(&etag).is(200);
}

/// More than the sockets between keep.
const LARGE: usize = 48 << 20;

#[test]
fn t142_a_download_is_completed_whatever_becomes_of_the_name() {
    let server = Server::new();
    let bytes = noise(LARGE);
    let name = "gone.zip";
    let mut head = b"PK\x03\x04".to_vec();
    head.resize(30, 0);
    head.extend_from_slice(b"manifest.json");
    let bytes = [head, bytes].concat();
    server.put(name, &bytes);
    let begin = || {
        let mut reply = server.open("GET", &format!("/api/packaging/download/{name}"), &[], b"");
        assert_eq!(reply.status, 200);
        let mut first = vec![0; 1000];
        reply.stream.read_exact(&mut first).unwrap();
        (reply, first)
    };
    let end = |(mut reply, mut first): (crate::support::Reply, Vec<u8>)| {
        reply.stream.read_to_end(&mut first).unwrap();
        assert!(first == bytes);
    };
    let (replaced, deleted) = (begin(), begin());
    let other = server.put("other.zip", &bytes[..bytes.len() - 1]);
    fs::rename(other, server.packages().join(name)).unwrap();
    end(replaced);
    server.ask("DELETE", &format!("/api/packaging/{name}"), &[], b"").is(204);
    end(deleted);
    server.download(name, &[]).refuses(404, "no package of this name");
}

#[test]
fn t142_a_file_that_is_cut_short_ends_the_connection() {
    let server = Server::new();
    let bytes = noise(LARGE);
    let path = server.put(NAME, &bytes);
    let mut reply = server.open("GET", "/api/packaging/download/a.zip", &[], b"");
    let mut first = vec![0; 1000];
    reply.stream.read_exact(&mut first).unwrap();
    File::options().write(true).open(&path).unwrap().set_len(2000).unwrap();
    let read = reply.stream.read_to_end(&mut first);
    assert!(first.len() < LARGE, "all of it came: {read:?}");
    assert!(first == bytes[..first.len()], "what came is not what was there");
    // The server has lost nothing else.
    assert_eq!(server.download(NAME, &[]).is(200).body.len(), 2000);
}
