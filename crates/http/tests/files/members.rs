//! Single members.

use std::fs;

use pdp_packager::manifest::ContainerFormat;
use pdp_packager::manifest::Sha256Digest;

use crate::support::{PADDING, Server, TRADES, trades};

fn path(name: &str, member: &str) -> String {
    format!("/api/packaging/member?path={name}&member={member}")
}

#[test]
fn a_member_of_every_container_is_what_was_packed() {
    let server = Server::new();
    for format in [ContainerFormat::Zip, ContainerFormat::TarGz, ContainerFormat::Folder] {
        let name = server.package("p", format, 3 << 20);
        let answer = server.get(&path(&name, TRADES)).is(200);
        assert_eq!(answer.text(), trades());
        let digest = Sha256Digest::of(&answer.body);
        assert_eq!(answer.field("etag"), format!("\"{digest}\""));
        assert_eq!(answer.field("content-type"), "application/jsonl");
        assert_eq!(answer.field("content-length"), trades().len().to_string());
        assert!(answer.field("content-disposition").starts_with("attachment; filename=\"2024-01-03.jsonl\""));
        assert_eq!(answer.field("x-content-type-options"), "nosniff");
        assert_eq!(answer.field("content-security-policy"), "sandbox");
        let etag = format!("\"{digest}\"");
        assert!(server.ask("GET", &path(&name, TRADES), &[("If-None-Match", &etag)], b"").is(304).body.is_empty());
        server.ask("GET", &path(&name, TRADES), &[("If-Match", "\"x\"")], b"").refuses(412, "another one");
        let head = server.ask("HEAD", &path(&name, TRADES), &[], b"").is(200);
        assert_eq!((head.field("content-length"), head.field("etag")), (answer.field("content-length"), etag.as_str()));

        let padding = server.get(&path(&name, PADDING)).is(200);
        assert!(padding.whole && padding.body.len() > 3 << 20);
        assert_eq!(padding.field("etag"), format!("\"{}\"", Sha256Digest::of(&padding.body)));
        let manifest = server.get(&path(&name, "manifest.json")).is(200);
        assert_eq!((manifest.json()["name"].as_str(), manifest.given("etag")), (Some("p"), None));
        assert_eq!(manifest.field("content-type"), "application/json");
        for none in ["data/none.jsonl", "..%2Fx", "%2Fetc%2Fpasswd", "", "data"] {
            server.get(&path(&name, none)).refuses(404, "no member of this name");
        }
    }
    server.get(&path("none.zip", TRADES)).refuses(404, "no package of this name");
    server.get("/api/packaging/member?path=x").refuses(400, "member");
}

#[test]
fn a_damaged_member_is_refused_or_breaks_off() {
    let server = Server::new();
    let name = server.package("p", ContainerFormat::Folder, 3 << 20);
    let flip = |member: &str| {
        let file = server.packages().join(&name).join(member);
        let mut bytes = fs::read(&file).unwrap();
        let at = bytes.len() - 10;
        bytes[at] ^= 1;
        fs::write(&file, &bytes).unwrap();
        bytes
    };
    flip(TRADES);
    // It fits into what is looked at before anything is promised.
    server.get(&path(&name, TRADES)).refuses(422, "sha256: expected");
    let damaged = flip(PADDING);
    let answer = server.get(&path(&name, PADDING)).is(200);
    assert!(!answer.whole && !answer.body.is_empty() && damaged.starts_with(&answer.body));
    server.put(&format!("{name}/data/other.jsonl"), b"x");
    server.get(&path(&name, "data/other.jsonl")).refuses(422, "not declared in the manifest");
    fs::write(server.packages().join(&name).join("manifest.json"), "{").unwrap();
    server.get(&path(&name, TRADES)).refuses(422, &name);
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_hangs_up_is_not_worked_for() {
    let server = Server::new();
    let name = server.package("hangup", ContainerFormat::TarGz, 64 << 20);
    for request in [path(&name, PADDING), format!("/api/packaging/download/{name}?as=tar.gz")] {
        let reply = server.open("GET", &request, &[], b"");
        assert_eq!(reply.status, 200);
        drop(reply);
        crate::support::until_closed(&name);
    }
}

#[test]
fn more_than_the_server_takes_at_once_are_told_to_wait() {
    let server = Server::new();
    let name = server.package("crowd", ContainerFormat::Folder, 24 << 20);
    let open: Vec<_> = (0..32).map(|_| server.open("GET", &path(&name, PADDING), &[], b"")).collect();
    assert!(open.iter().all(|reply| reply.status == 200));
    let answer = server.get(&path(&name, TRADES)).refuses(429, "are being read");
    assert_eq!(answer.field("retry-after"), "5");
    // Plain downloads need no place.
    server.put("a.zip", b"PK");
    server.download("a.zip", &[]).is(200);
    drop(open);
    let start = std::time::Instant::now();
    while server.get(&path(&name, TRADES)).status == 429 {
        assert!(start.elapsed().as_secs() < 120, "no place becomes free");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(server.get(&path(&name, TRADES)).is(200).text(), trades());
}
