//! Conditional requests and what a download says of itself.

use std::fs;

use crate::support::Server;

const NAME: &str = "a.zip";

#[test]
fn a_download_says_what_it_is() {
    let server = Server::new();
    server.put("Ünï x.tar.gz", b"archive");
    server.put("Ünï x.tar.gz.sha256", b"sum");
    server.put(NAME, b"0123456789");
    let answer = server.download("%C3%9Cn%C3%AF%20x.tar.gz", &[]).is(200);
    assert_eq!(answer.body, b"archive");
    assert_eq!(answer.field("content-type"), "application/gzip");
    assert_eq!(answer.field("accept-ranges"), "bytes");
    assert_eq!(
        answer.field("content-disposition"),
        "attachment; filename=\"_n_ x.tar.gz\"; filename*=UTF-8''%C3%9Cn%C3%AF%20x.tar.gz"
    );
    let sidecar = server.download("%C3%9Cn%C3%AF%20x.tar.gz.sha256", &[]).is(200);
    assert_eq!((sidecar.text().as_str(), sidecar.field("content-type")), ("sum", "text/plain; charset=utf-8"));
    let whole = server.download(NAME, &[]).is(200);
    let head = server.ask("HEAD", "/api/packaging/download/a.zip", &[("Range", "bytes=0-1")], b"").is(200);
    assert!(head.body.is_empty());
    for field in ["content-length", "content-type", "etag", "last-modified", "content-disposition", "accept-ranges"] {
        assert_eq!(head.field(field), whole.field(field), "{field}");
    }
}

#[test]
fn an_answer_is_only_given_under_the_conditions_of_the_request() {
    let server = Server::new();
    server.put(NAME, b"0123456789");
    let first = server.download(NAME, &[]).is(200);
    let (etag, modified) = (first.field("etag").to_owned(), first.field("last-modified").to_owned());
    assert!(etag.starts_with('"') && etag.len() > 20, "{etag}");
    for fields in [("If-None-Match", etag.as_str()), ("If-None-Match", "*"), ("If-Modified-Since", &modified)] {
        let answer = server.download(NAME, &[fields]).is(304);
        assert_eq!(answer.field("etag"), etag);
    }
    for fields in [("If-Match", "\"other\""), ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT")] {
        server.download(NAME, &[fields]).refuses(412, "another one");
    }
    server.download(NAME, &[("If-Match", &etag)]).is(200);
    server.download(NAME, &[("If-None-Match", "\"other\"")]).is(200);
}

#[test]
fn another_file_of_the_same_size_and_time_has_another_tag() {
    let server = Server::new();
    let path = server.put(NAME, b"0123456789");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let before = server.download(NAME, &[]).field("etag").to_owned();
    assert_eq!(server.download(NAME, &[]).field("etag"), before);
    let other = server.put("b.zip", b"9876543210");
    fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
    fs::rename(&other, &path).unwrap();
    let replaced = server.download(NAME, &[]).field("etag").to_owned();
    assert_ne!(replaced, before);
    // Written in place, and the time put back: the time of change cannot be.
    fs::write(&path, b"5555555555").unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_ne!(server.download(NAME, &[]).field("etag"), replaced);
}
