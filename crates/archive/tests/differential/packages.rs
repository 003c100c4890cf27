//! The valid archives that are changed.

use std::path::{Path, PathBuf};
use std::process::Command;

use pdp_archive::tar::TarGzWriter;
use pdp_archive::target::Existing;
use pdp_archive::zip::ZipWriter;
use pdp_archive::{ContainerWriter, Target, prepare};
use pdp_manifest::{CompressionLevel, ManifestText};
use tempfile::TempDir;

/// A directory, in memory where the system has a place for that.
pub(crate) fn home() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory).unwrap() } else { TempDir::new().unwrap() }
}

pub(crate) fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/list_archive.py")
}

/// Archives that Python writes.
pub(crate) fn by_python(python: &Path) -> TempDir {
    let home = home();
    let status = Command::new(python).arg(oracle()).arg("make").arg(home.path()).status().unwrap();
    assert!(status.success());
    home
}

/// A ZIP archive of this library.
pub(crate) fn zip(compressed: bool) -> Vec<u8> {
    made(compressed, |target, level, time| Box::new(ZipWriter::create(target, level, time).unwrap()))
}

/// A TAR.GZ archive of this library.
pub(crate) fn tar_gz(compressed: bool) -> Vec<u8> {
    made(compressed, |target, level, time| Box::new(TarGzWriter::create(target, level, time).unwrap()))
}

type Make = fn(Target, CompressionLevel, chrono::DateTime<chrono::Utc>) -> Box<dyn ContainerWriter>;

fn made(compressed: bool, make: Make) -> Vec<u8> {
    let home = home();
    let level = if compressed { CompressionLevel::Balanced } else { CompressionLevel::None };
    let time = pdp_manifest::time::parse("2024-01-03T12:00:00Z").unwrap();
    let mut writer = make(Target::new(home.path(), "x").unwrap(), level, time);
    let lines: String = (0..40).map(|i| format!("{{\"n\":{i},\"price\":{}.25}}\n", 100 + i % 7)).collect();
    let long = format!("data/{}/{}.csv", "l".repeat(60), "n".repeat(70));
    for (name, body) in [
        ("data/a/one.jsonl", lines.as_bytes()),
        ("data/a/empty.jsonl", b""),
        ("data/b/noise.bin", &(0..=255).collect::<Vec<u8>>()),
        ("data/b/\u{fc}n\u{ef} c\u{f6}d\u{e9}.csv", b"a,b\n1,2\n"),
        (&long, b"a,b\n3,4\n"),
    ] {
        writer.add(&prepare(name.parse().unwrap(), body, writer.codec())).unwrap();
    }
    let manifest = br#"{"packageVersion":"1.0.0","packageId":"x","name":"n","createdAt":"2024-01-03T12:00:00Z",
        "format":"Zip","packageSizeBytes":1,"totalFiles":0,"totalEvents":0,"files":[]}"#;
    let manifest = ManifestText::new(&pdp_manifest::json::parse(manifest).unwrap());
    let readme = prepare("README.md".parse().unwrap(), b"# read me\n", writer.codec());
    let path = writer.seal(&manifest, vec![readme]).unwrap().publish(Existing::KeepSame).unwrap();
    std::fs::read(path).unwrap()
}
