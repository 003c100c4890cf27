//! Names that are none of a package, and files that are none.

use pdp_packager::manifest::ContainerFormat;

use crate::support::Server;

#[test]
fn t129_names_that_are_none_of_a_package() {
    let server = Server::new();
    server.put("a.zip", b"PK");
    server.put(".hidden.zip", b"secret");
    server.put("notes.txt", b"secret");
    server.put("notes.txt.sha256", b"secret");
    server.put(".pdp-uploads/x.zip", b"secret");
    let outside = server.home.path().join("packages-old");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("old.zip"), "secret").unwrap();
    let absolute = server.packages().join("a.zip").to_str().unwrap().replace('/', "%2F");
    let expected = server.download("none.zip", &[]).refuses(404, "no package of this name").text();
    for name in [
        "A.zip",
        "a.ZIP",
        ".hidden.zip",
        "notes.txt",
        "notes.txt.sha256",
        "con.zip",
        "aux",
        "a.zip.",
        "a.zip%20",
        "%2e%2e",
        "..%2Fpackages-old%2Fold.zip",
        "..%5Cpackages-old%5Cold.zip",
        "%2e%2e%2fpackages-old%2fold.zip",
        "%252e%252e%252fpackages-old%252fold.zip",
        ".pdp-uploads%2Fx.zip",
        ".%2Fa.zip",
        "a.zip%2F",
        "a.zip%00",
        "a%00.zip",
        "%c0%ae%c0%ae%c0%afa.zip",
        "%ff.zip",
        "a.zip:stream",
        "%5C%5Chost%5Cshare",
        absolute.as_str(),
    ] {
        assert_eq!(server.download(name, &[]).refuses(404, "").text(), expected, "{name}");
        assert_eq!(server.ask("DELETE", &format!("/api/packaging/{name}"), &[], b"").refuses(404, "").text(), expected);
    }
    server.download("a.zip", &[]).is(200);
    server.download("a.zip?as=rar", &[]).refuses(400, "tar.gz");
}

#[cfg(unix)]
#[test]
fn t130_only_regular_files_inside_are_served() {
    use std::os::unix::fs::symlink;

    let server = Server::new();
    let outside = server.home.path().join("secret.zip");
    std::fs::write(&outside, "secret").unwrap();
    let at = |name: &str| server.packages().join(name);
    symlink(&outside, at("link.zip")).unwrap();
    symlink("real.zip", at("inside.zip")).unwrap();
    symlink(server.home.path(), at("folder")).unwrap();
    symlink(&outside, at("real.zip.sha256")).unwrap();
    server.put("real.zip", b"real");
    std::fs::create_dir(at("directory.zip")).unwrap();
    std::os::unix::net::UnixListener::bind(at("socket.zip")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(at("fifo.zip")).status().unwrap();
    assert!(fifo.success());
    for name in ["link.zip", "inside.zip", "folder", "real.zip.sha256", "directory.zip", "socket.zip", "fifo.zip"] {
        server.download(name, &[]).refuses(404, "no package of this name");
        if !name.starts_with("directory") {
            server.download(&format!("{name}?as=tar.gz"), &[]).refuses(404, "no package of this name");
            let member = format!("/api/packaging/member?path={name}&member=manifest.json");
            server.get(&member).refuses(404, "no package of this name");
        }
        server.ask("DELETE", &format!("/api/packaging/{name}"), &[], b"").refuses(404, "no package of this name");
        assert!(std::fs::symlink_metadata(at(name)).is_ok(), "{name} is gone");
    }
    // A hard link is a file like any other.
    std::fs::hard_link(at("real.zip"), at("hard.zip")).unwrap();
    assert_eq!(server.download("hard.zip", &[]).is(200).body, b"real");
}

#[cfg(unix)]
#[test]
fn t130_what_is_swapped_while_it_is_served_is_never_followed() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let server = Server::new();
    let name = server.package("p", ContainerFormat::Zip, 0);
    let real = std::fs::read(server.packages().join(&name)).unwrap();
    let outside = crate::support::package_in(&server.home.path().join("elsewhere"), "q", ContainerFormat::Zip, 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let at = server.packages().join(&name);
            while !done.load(Ordering::Relaxed) {
                let other = server.packages().join("swap");
                std::os::unix::fs::symlink(&outside, &other).unwrap();
                std::fs::rename(&other, &at).unwrap();
                std::fs::write(&other, &real).unwrap();
                std::fs::rename(&other, &at).unwrap();
            }
        });
        let (mut served, mut refused) = (0, 0);
        while served < 100 || refused < 20 {
            let answer = server.download(&name, &[]);
            let member = server.get(&format!("/api/packaging/member?path={name}&member=manifest.json"));
            match answer.status {
                200 => assert!(answer.body == real),
                status => assert_eq!(status, 404),
            }
            match member.status {
                200 => assert_eq!(member.json()["name"], "p"),
                status => assert_eq!(status, 404),
            }
            let counted = if answer.status == 200 { &mut served } else { &mut refused };
            *counted += 1;
            assert!(served + refused < 100_000, "{served} served, {refused} refused");
        }
        done.store(true, Ordering::Relaxed);
    });
}
