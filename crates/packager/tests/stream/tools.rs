//! Streams that other tools read and write.

use std::fs;
use std::process::Command;

use pdp_packager::manifest::ContainerFormat::{Folder, TarGz, Zip};
use pdp_packager::{Silent, ValidateOptions, validate};

use crate::support::{Home, Place, program, sent, tree};

#[tokio::test]
async fn tar_and_python_read_a_saved_stream() {
    let home = Home::new(20_000);
    let stream = home.stream(Zip).await;
    let saved = home.join("saved.tar.gz");
    fs::write(&saved, &stream).unwrap();
    let place = Place::new();
    place.receive(stream.as_slice()).await.unwrap();
    let script = "import sys, tarfile\nwith tarfile.open(sys.argv[1]) as t:\n  t.extractall(sys.argv[2])";
    for name in ["tar", "bsdtar", "python3"] {
        let Some(found) = program(name) else { continue };
        let out = home.join(name);
        fs::create_dir(&out).unwrap();
        let mut command = Command::new(found);
        match name {
            "python3" => command.args(["-c", script]).arg(&saved).arg(&out),
            _ => command.arg("-xzf").arg(&saved).arg("-C").arg(&out).env("LC_ALL", "C.UTF-8"),
        };
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(tree(&out) == place.tree(), "{name}");
    }
    // And so does this library, from the file.
    let report = validate(&saved, &ValidateOptions::default(), &Silent).unwrap();
    assert!(report.valid, "{:?}", report.findings);
}

#[tokio::test]
async fn what_tar_packs_anew_is_received() {
    let Some(tar) = program("tar") else { return };
    let home = Home::new(2000);
    for format in [Folder, TarGz, Zip] {
        let place = Place::new();
        place.receive(sent(&home.package(format)).await.as_slice()).await.unwrap();
        for style in ["gnu", "pax", "posix", "v7", "ustar"] {
            let archive = home.join("again.tar.gz");
            let mut command = Command::new(&tar);
            command.arg("-czf").arg(&archive).arg(format!("--format={style}")).arg("-C").arg(place.destination());
            command.args(["manifest.json", "README.md", "data", "metadata", "scripts"]).env("LC_ALL", "C.UTF-8");
            let output = command.output().unwrap();
            assert!(output.status.success(), "{style}: {}", String::from_utf8_lossy(&output.stderr));
            let again = Place::new();
            let input = tokio::io::BufReader::new(std::io::Cursor::new(fs::read(&archive).unwrap()));
            again.receive(input).await.unwrap();
            assert!(again.tree() == place.tree(), "{format:?} {style}");
        }
    }
}

#[tokio::test]
async fn archives_that_create_makes_are_streams_as_they_are() {
    let home = Home::new(20_000);
    let bytes = fs::read(home.package(TarGz)).unwrap();
    let place = Place::new();
    place.receive(bytes.as_slice()).await.unwrap();
    let other = Place::new();
    other.receive(home.stream(TarGz).await.as_slice()).await.unwrap();
    assert!(place.tree() == other.tree());
}
