//! Packages sent as TAR.GZ, whatever they are.

use std::fs;
use std::io::Read as _;

use pdp_packager::manifest::ContainerFormat;
use pdp_packager::{ImportOptions, Silent};

use crate::support::{PADDING, Server, TRADES, trades};

/// The content of a gzip stream; none where it does not come to its end.
fn inflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut out).ok()?;
    Some(out)
}

#[test]
fn every_container_gives_the_same_stream_that_imports() {
    let server = Server::new();
    let mut streams = Vec::new();
    for format in [ContainerFormat::Zip, ContainerFormat::TarGz, ContainerFormat::Folder] {
        let name = server.package("p", format, 1 << 20);
        let answer = server.download(&format!("{name}?as=tar.gz"), &[]).is(200);
        assert!(answer.whole);
        assert_eq!(answer.field("content-type"), "application/gzip");
        let stem = name.trim_end_matches(".zip").trim_end_matches(".tar.gz");
        assert!(answer.field("content-disposition").contains(&format!("filename=\"{stem}.tar.gz\"")));
        let head = server.ask("HEAD", &format!("/api/packaging/download/{name}?as=tar.gz"), &[], b"").is(200);
        assert_eq!(head.field("content-disposition"), answer.field("content-disposition"));
        let home = tempfile::tempdir().unwrap();
        let archive = home.path().join("got.tar.gz");
        fs::write(&archive, &answer.body).unwrap();
        let out = home.path().join("out");
        let report = pdp_packager::import(&ImportOptions::new(&archive, &out), &Silent).unwrap();
        assert_eq!((report.total_files, report.validated), (2, true));
        streams.push(inflate(&answer.body).unwrap());
    }
    let has = |stream: &[u8], text: &[u8]| stream.windows(text.len()).any(|window| window == text);
    for stream in &streams {
        assert!(has(stream, trades().as_bytes()) && has(stream, PADDING.as_bytes()) && has(stream, TRADES.as_bytes()));
    }
}

#[test]
fn a_damaged_package_gives_a_problem_or_no_end() {
    let server = Server::new();
    let name = server.package("p", ContainerFormat::Folder, 8 << 20);
    let file = server.packages().join(&name).join(PADDING);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() - 10;
    bytes[at] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let answer = server.download(&format!("{name}?as=tar.gz"), &[]).is(200);
    assert!(!answer.whole && answer.body.len() > 1 << 20, "{} bytes", answer.body.len());
    assert!(inflate(&answer.body).is_none_or(|tar| !tar.ends_with(&[0; 1024])), "the tar has an end");

    let zip = server.package("q", ContainerFormat::Zip, 0);
    let path = server.packages().join(&zip);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    for method in ["GET", "HEAD"] {
        let request = format!("/api/packaging/download/{zip}?as=tar.gz");
        let answer = server.ask(method, &request, &[], b"").is(422);
        if method == "GET" {
            answer.refuses(422, &zip);
        }
    }
    server.download("none.zip?as=tar.gz", &[]).refuses(404, "no package of this name");
}
