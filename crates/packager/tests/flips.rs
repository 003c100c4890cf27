//! Every flipped bit and every truncation of a small package: noticed, or without any effect.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use pdp_packager::manifest::ContainerFormat;
use pdp_packager::{CreateOptions, ImportOptions, Silent, ValidateOptions, create, import, validate};

fn small_package(home: &Path, format: ContainerFormat) -> PathBuf {
    let root = home.join("source/AAPL/Trade");
    std::fs::create_dir_all(&root).unwrap();
    let line = |i: u32| {
        format!("{{\"timestamp\":\"2024-01-03T10:00:{i:02}Z\",\"symbol\":\"AAPL\",\"sequence\":{i},\"price\":{i}.5}}\n")
    };
    std::fs::write(root.join("2024-01-03.jsonl"), (0..6).map(line).collect::<String>()).unwrap();
    std::fs::write(root.join("2024-01-04.csv"), "timestamp,price\n2024-01-04T10:00:00Z,1.5\n").unwrap();
    let time = pdp_packager::manifest::time::parse("2024-05-06T07:08:09Z").unwrap();
    let mut options = CreateOptions::new(home.join("source"), home.join("packages"), time);
    options.format = format;
    (options.loader_scripts, options.data_dictionary, options.quality_report) = (false, false, false);
    create(&options, &Silent).unwrap().package_path
}

fn content(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// What became of a damaged package.
#[derive(Debug, PartialEq, Eq)]
enum Noticed {
    /// Without the sidecar.
    ByItself,
    /// By the sidecar alone.
    BySidecar,
    Not,
}

fn noticed(package: &Path) -> Noticed {
    let mut options = ValidateOptions::default();
    options.threads = 1;
    match validate(package, &options, &Silent) {
        Err(_) => Noticed::ByItself,
        Ok(report) if report.findings.iter().any(|finding| finding.check != "sidecar sha256") => Noticed::ByItself,
        Ok(report) if !report.valid => Noticed::BySidecar,
        Ok(_) => Noticed::Not,
    }
}

#[test]
fn t047_t048_every_flip_and_every_truncation_is_noticed_or_harmless() {
    for format in [ContainerFormat::Zip, ContainerFormat::TarGz] {
        let home = common::in_memory();
        let package = small_package(home.path(), format);
        let good = std::fs::read(&package).unwrap();
        assert_eq!(noticed(&package), Noticed::Not);
        let original = home.path().join("original");
        import(&ImportOptions::new(&package, &original), &Silent).unwrap();
        let original = content(&original);
        let (mut by_itself, mut by_sidecar, mut harmless) = (0, 0, 0);
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&package, &bytes).unwrap();
            match noticed(&package) {
                Noticed::ByItself => by_itself += 1,
                Noticed::BySidecar => {
                    by_sidecar += 1;
                    // Nothing but the sidecar saw it: then what comes out must be what went in.
                    let alone =
                        home.path().join(if format == ContainerFormat::Zip { "alone.zip" } else { "alone.tar.gz" });
                    std::fs::write(&alone, &bytes).unwrap();
                    let there = home.path().join("there");
                    import(&ImportOptions::new(&alone, &there), &Silent).unwrap();
                    assert!(content(&there) == original, "{format}, bit {bit}: other content");
                    std::fs::remove_dir_all(there).unwrap();
                    harmless += 1;
                }
                Noticed::Not => panic!("{format}, bit {bit}: not noticed, not even by the sidecar"),
            }
        }
        for len in 0..good.len() {
            std::fs::write(&package, &good[..len]).unwrap();
            assert_eq!(noticed(&package), Noticed::ByItself, "{format}, cut to {len} bytes");
        }
        let flips = good.len() * 8;
        let text = format!(
            "{format}: {flips} flipped bits: {by_itself} noticed without the sidecar, {by_sidecar} by the sidecar alone, of \
             which {harmless} change nothing that is extracted; {} truncations, all noticed",
            good.len()
        );
        let _ = writeln!(std::io::stderr(), "{text}");
        assert!(harmless * 100 < flips, "{text}");
    }
}
