//! The hostile packages of `fixtures/hostile`, as streams.

use std::path::Path;
use std::process::Command;

use crate::support::{Place, program};

/// Cases that a file is refused for and a stream is not, by number or by name, and why.
const OTHERWISE: [(&str, &str); 6] = [
    ("FRAMING", "a stream is packed anew, so what the manifest promises of the archive's headers does not hold for it"),
    ("package-size", "for the same reason its size is not that of the archive"),
    (
        "T067-frame",
        "what gzip members say of their lengths is for who jumps between them; a stream inflates all of them",
    ),
    ("member-over-200", "what one member takes is known of framed archives alone; the stream's own ratio is watched"),
    // And these a file is taken for.
    ("T069-last", "the manifest must come first, for it says what may follow"),
    ("T069-not-first", "as before"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_packages_are_judged_as_if_they_were_files() {
    let Some(python) = program("python3") else { return };
    let home = tempfile::tempdir().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let made = Command::new(python).arg(workspace.join("fixtures/hostile/make.py")).arg(home.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let index = std::fs::read(home.path().join("index.json")).unwrap();
    let index: Vec<serde_json::Value> = serde_json::from_slice(&index).unwrap();
    let (mut count, mut differing) = (0, Vec::new());
    for case in &index {
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        if !text("container").starts_with("targz") {
            continue;
        }
        count += 1;
        let bytes = std::fs::read(home.path().join(text("file"))).unwrap();
        let place = Place::new();
        let outcome = place.receive(bytes.as_slice()).await;
        let verdict = if outcome.is_ok() { "accept" } else { "refuse" };
        if verdict == "refuse" {
            place.is_empty();
        }
        for path in case["forbidden"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
            assert!(!place.destination().join(path).exists(), "{}: {path}", text("file"));
        }
        if verdict != text("verdict") {
            let said = outcome.err().map_or_else(String::new, |error| error.to_string());
            differing.push((text("id").to_owned() + "-" + text("case"), verdict, text("why").to_owned(), said));
        }
    }
    let known = |name: &str| OTHERWISE.iter().any(|(known, _)| name.starts_with(known) || name.ends_with(known));
    let unexplained: Vec<_> = differing.iter().filter(|(name, ..)| !known(name)).collect();
    assert!(unexplained.is_empty(), "{} of {count}: {unexplained:#?}", unexplained.len());
    assert!(count > 800, "{count}");
}
