//! Names, paths and bodies that mean harm.

use std::os::unix::fs::symlink;

use serde_json::json;

use crate::support::Server;

/// Texts that name nothing in the packages, whatever they mean elsewhere.
const OUTSIDE: &[&str] = &[
    "/etc/passwd",
    "/proc/self/environ",
    "../data",
    "..",
    ".",
    "",
    "a/../../b.zip",
    "..\\..\\x.zip",
    "..%2f..%2fx.zip",
    "%2e%2e/x.zip",
    "%252e%252e%252fx.zip",
    "\\\\host\\share\\x.zip",
    "//host/share",
    "C:\\x.zip",
    "x.zip\0",
    "nul",
    "con.zip",
    ".hidden.zip",
    ".pdp-server",
    "\u{c0}\u{af}x.zip",
    "x.zip/",
    "sub/x.zip",
    "P_20240103_120000.ZIP",
];

#[tokio::test]
async fn t128_no_text_reaches_outside_the_roots() {
    let server = Server::new();
    let name = server.package().await;
    let sibling = server.home.path().join("packages-old");
    std::fs::create_dir(&sibling).unwrap();
    std::fs::copy(server.home.path().join("packages").join(&name), sibling.join("x.zip")).unwrap();
    let beside = sibling.join("x.zip").to_string_lossy().into_owned();
    let before = walk(server.home.path());
    let mut answers = std::collections::BTreeSet::new();
    for text in OUTSIDE.iter().copied().chain([beside.as_str()]) {
        for (path, body) in [
            ("/api/packaging/validate", json!({"packagePath": text})),
            ("/api/packaging/import", json!({"packagePath": text, "destinationDirectory": "x"})),
        ] {
            let answer = server.post(path, body.to_string()).await;
            assert_eq!(answer.status, 404, "{path} {text}: {}", answer.text());
            answers.insert(answer.text());
        }
        let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = server.get(&format!("/api/packaging/contents?path={encoded}")).await;
        assert_eq!(answer.status, 404, "contents {text}: {}", answer.text());
        answers.insert(answer.text());
    }
    // One text for all: what is there is not told from what is not.
    assert_eq!(answers.len(), 1, "{answers:?}");
    for text in ["/etc", "../x", "a/../b", "..", "x\0", "a\\b", "/proc/self/cwd", ".git", "a/.b", "nul"] {
        let body = json!({"packagePath": name, "destinationDirectory": text}).to_string();
        let answer = server.post("/api/packaging/import", body).await;
        assert_eq!(answer.status, 404, "{text}: {}", answer.text());
    }
    assert_eq!(walk(server.home.path()), before, "something was written");
    server.end();
}

#[tokio::test]
async fn absolute_paths_that_lie_inside_are_understood() {
    let server = Server::new();
    let name = server.package().await;
    let inside = server.home.path().join("packages").join(&name);
    let answer = server.post("/api/packaging/validate", json!({"packagePath": inside}).to_string()).await;
    assert_eq!(answer.json()["valid"], true, "{}", answer.text());
    let there = server.home.path().join("data/imported/here");
    let body = json!({"packagePath": inside, "destinationDirectory": there}).to_string();
    let answer = server.post("/api/packaging/import", body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["destination"]), (200, &json!("imported/here")));
    assert!(there.join("manifest.json").is_file());
    let home = server.home.path().to_string_lossy().into_owned();
    assert!(!answer.text().contains(&home), "{}", answer.text());
    server.end();
}

#[tokio::test]
async fn t130_links_are_not_followed() {
    let server = Server::new();
    let name = server.package().await;
    let outside = tempfile::tempdir().unwrap();
    let packages = server.home.path().join("packages");
    std::fs::copy(packages.join(&name), outside.path().join("x.zip")).unwrap();
    symlink(outside.path().join("x.zip"), packages.join("link.zip")).unwrap();
    symlink(outside.path(), server.home.path().join("data/link")).unwrap();
    for path in ["/api/packaging/contents?path=link.zip", "/api/packaging/quality?path=link.zip"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    let answer = server.post("/api/packaging/validate", r#"{"packagePath":"link.zip"}"#).await;
    assert_eq!(answer.status, 404);
    assert!(!server.get("/api/packaging/list").await.text().contains("link.zip"));
    for destination in ["link", "link/x", "link/x/y"] {
        let body = json!({"packagePath": name, "destinationDirectory": destination}).to_string();
        assert_eq!(server.post("/api/packaging/import", body).await.status, 404, "{destination}");
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "something was written outside");
    // A sidecar that is a link is not read: whatever it leads to would be told.
    std::fs::write(outside.path().join("secret"), "root:x:0:0:secret\n").unwrap();
    let sidecar = packages.join(format!("{name}.sha256"));
    std::fs::remove_file(&sidecar).unwrap();
    symlink(outside.path().join("secret"), &sidecar).unwrap();
    let answer = server.post("/api/packaging/validate", json!({"packagePath": name}).to_string()).await;
    assert!(answer.status == 200 && !answer.text().contains("secret"), "{}", answer.text());
    assert_eq!(answer.json()["checks"]["sidecar"], false);
    server.end();
}

#[tokio::test]
async fn t137_bodies_that_mean_harm_are_refused() {
    let server = Server::new();
    let deep = format!("{{\"customMetadata\":{{\"a\":{}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    let digits = format!("{{\"maxSizeBytes\":{}}}", "9".repeat(900_000));
    let symbols = json!({"symbols": vec!["A"; 100_000]}).to_string();
    let some = json!({"symbols": vec!["A"; 20_000]}).to_string();
    let large = format!("{{\"description\":\"{}\"}}", "x".repeat(2 << 20));
    for (body, status) in [
        (deep, 400),
        (digits, 400),
        (symbols, 400),
        (some, 422),
        (large, 413),
        (r#"{"name":"a","name":"b"}"#.to_owned(), 400),
        (r#"{"customMetadata":{"a":{"b":1,"b":2}}}"#.to_owned(), 400),
        ("[]".to_owned(), 400),
        (String::new(), 400),
        ("{\"name\":".to_owned(), 400),
        ("{} {}".to_owned(), 400),
        (r#"{"unknown":1}"#.to_owned(), 422),
        (r#"{"startDate":"2024-13-01"}"#.to_owned(), 422),
        (r#"{"startDate":"20240101"}"#.to_owned(), 422),
        (r#"{"symbols":"AAPL"}"#.to_owned(), 422),
        (r#"{"format":"folder"}"#.to_owned(), 422),
        (r#"{"maxSizeBytes":-1}"#.to_owned(), 422),
        (r#"{"maxSizeBytes":1}"#.to_owned(), 422),
        (r#"{"name":"   "}"#.to_owned(), 422),
        (r#"{"startDate":"2024-02-01","endDate":"2024-01-01"}"#.to_owned(), 422),
    ] {
        let start: String = body.chars().take(60).collect();
        let answer = server.post("/api/packaging/create", body).await;
        // The reader of JSON may give up on nesting and length as it likes, so long as it is the client's fault.
        assert_eq!(answer.status.as_u16(), status, "{start}: {}", answer.text().chars().take(300).collect::<String>());
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{start}");
        assert!(answer.body.len() < 2_000, "{start}: the answer repeats the request");
    }
    assert!(walk(&server.home.path().join("packages")).iter().all(|path| path.starts_with(".pdp-server")));
    server.end();
}

#[tokio::test]
async fn t143_answers_hold_no_paths_of_the_host() {
    let server = Server::new();
    let name = server.package().await;
    let home = server.home.path().canonicalize().unwrap();
    let packages = home.join("packages");
    let whole = std::fs::read(packages.join(&name)).unwrap();
    std::fs::write(packages.join("cut.zip"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(packages.join("text.zip"), "no archive").unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(packages.join("flipped.zip"), flipped).unwrap();
    std::fs::write(home.join("data/imported"), "a file where a directory should be").unwrap();
    let mut answers = vec![server.get("/api/packaging/list").await];
    for package in ["cut.zip", "text.zip", "flipped.zip", name.as_str()] {
        answers.push(server.get(&format!("/api/packaging/contents?path={package}")).await);
        answers.push(server.get(&format!("/api/packaging/quality?path={package}")).await);
        answers.push(server.post("/api/packaging/validate", json!({"packagePath": package}).to_string()).await);
        for place in ["imported", if package == name { "elsewhere" } else { "nowhere/at/all" }] {
            let body = json!({"packagePath": package, "destinationDirectory": place}).to_string();
            answers.push(server.post("/api/packaging/import", body).await);
        }
    }
    answers.push(server.post("/api/packaging/create", r#"{"symbols":["ZZZ"]}"#).await);
    // What was made on the way to nothing is gone again.
    assert!(home.join("data/elsewhere").is_dir() && !home.join("data/nowhere").exists());
    let mut failures = 0;
    for answer in &answers {
        let text = answer.text();
        failures += usize::from(!answer.status.is_success());
        assert!(answer.status.as_u16() < 500, "{}: {text}", answer.status);
        assert!(!text.contains(home.to_str().unwrap()) && !text.contains("/proc/"), "{text}");
        assert!(!text.contains("(a path of the server)"), "a path that nobody thought of: {text}");
    }
    assert!(failures >= 12, "{failures} of {} failed", answers.len());
    server.end();
}

/// Nothing is fetched from an address that a request names; there is no such thing to turn on.
#[tokio::test]
async fn t140_no_address_is_asked_for_anything() {
    let server = Server::new();
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    for scheme in ["http", "https", "ftp", "file", "gopher"] {
        let url = format!("{scheme}://{address}/x.zip");
        for (path, body) in [
            ("/api/packaging/import", json!({"packagePath": url, "destinationDirectory": "x"})),
            ("/api/packaging/validate", json!({"packagePath": url})),
        ] {
            assert_eq!(server.post(path, body.to_string()).await.status, 404, "{path} {url}");
        }
        assert_eq!(server.get(&format!("/api/packaging/contents?path={url}")).await.status, 404, "{url}");
        let fields = json!({"packagePath": "x.zip", "url": url}).to_string();
        assert_eq!(server.post("/api/packaging/import", fields).await.status, 422, "{url}");
    }
    let asked = tokio::time::timeout(std::time::Duration::from_millis(50), elsewhere.accept()).await;
    assert!(asked.is_err(), "the server connected to an address that a request named");
    server.end();
}

fn walk(root: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
            if path.symlink_metadata().unwrap().is_dir() {
                left.push(path);
            }
        }
    }
    found.sort();
    found
}
