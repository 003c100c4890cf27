//! What this library accepts, every other reader must read the same: names, sizes and contents.
//!
//! Valid archives are changed in thousands of ways, the same on every run, and what is accepted of them goes to Python's
//! `zipfile` and `tarfile`, and a part of it to `unzip`, GNU tar and bsdtar. `PDP_DIFFERENTIAL` is the number of changed
//! archives of each kind; `PDP_DIFFERENTIAL_KEEP` a directory for what was accepted, where there are differences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]

mod packages;
mod random;
mod readers;
mod tarred;
mod zipped;

use std::path::{Path, PathBuf};

use crate::random::Random;
use crate::readers::{Member, Reader};

/// Changed archives of each kind, unless told otherwise.
const MUTANTS: usize = 3500;
/// Most archives of a kind that each program looks at, of that many; it is started for each.
const SAMPLE: usize = 150;

/// Changes archives of one kind by `mutant`, and holds what is accepted against the other readers.
fn differ(kind: &str, suffix: &str, programs: &[Reader], mutant: &mut dyn FnMut(usize, &mut Random) -> Vec<u8>) {
    let Some(python) = readers::python() else { return };
    let count = std::env::var("PDP_DIFFERENTIAL").ok().and_then(|text| text.parse().ok()).unwrap_or(MUTANTS);
    let home = packages::home();
    let mut accepted: Vec<(PathBuf, Vec<Member>)> = Vec::new();
    for index in 0..count {
        let bytes = mutant(index, &mut Random::new(index as u64));
        let path = home.path().join(format!("{index:06}{suffix}"));
        std::fs::write(&path, bytes).unwrap();
        match readers::ours(&path) {
            Some(members) => accepted.push((path, members)),
            None => std::fs::remove_file(&path).unwrap(),
        }
    }
    let mut differences = Vec::new();
    let listed = readers::by_python(&python, home.path());
    assert_eq!(listed.len(), accepted.len());
    for ((path, ours), (name, theirs)) in accepted.iter().zip(&listed) {
        assert_eq!(path.file_name().unwrap().to_str().unwrap(), name);
        let ours = readers::listed(ours);
        if theirs.as_ref() != Ok(&ours) {
            differences.push(format!("{}: ours {ours:?}, Python's {theirs:?}", path.display()));
        }
    }
    let step = accepted.len().div_ceil(SAMPLE * count.div_ceil(MUTANTS)).max(1);
    let mut counts = Vec::new();
    for reader in programs {
        let Some(program) = readers::program(reader.program) else { continue };
        let mut compared = 0;
        for (path, ours) in accepted.iter().step_by(step) {
            let told = (reader.read)(&program, path);
            // `unzip` sees a bomb where a data descriptor stands behind a member with a Unicode path field.
            if told.as_ref().is_err_and(|what| what.contains("overlapped components")) {
                continue;
            }
            if let Err(what) = readers::compare(ours, told) {
                let names: Vec<_> = ours.iter().map(|(name, bytes)| (bytes.len(), name)).collect();
                differences.push(format!("{}: {} {what}; ours {names:?}", path.display(), reader.program));
            }
            compared += 1;
        }
        counts.push(format!(", {compared} with {}", reader.program));
    }
    let (kept, counts) = (accepted.len(), counts.concat());
    readers::say(&format!("{kind}: {count} mutants, {kept} accepted, compared: {kept} with Python{counts}"));
    if let Some(first) = differences.first() {
        if let Some(keep) = std::env::var_os("PDP_DIFFERENTIAL_KEEP") {
            for difference in &differences {
                readers::say(difference);
            }
            let keep = Path::new(&keep).join(kind);
            std::fs::create_dir_all(&keep).unwrap();
            for (path, _) in &accepted {
                std::fs::copy(path, keep.join(path.file_name().unwrap())).unwrap();
            }
        }
        panic!("{kind}: {} differences; the first: {first}", differences.len());
    }
    // Changes that are all refused would show nothing.
    assert!(kept * 20 > count, "{kind}: only {kept} accepted");
}

#[test]
fn t090_zip_archives_are_read_as_others_read_them() {
    let Some(python) = readers::python() else { return };
    let made = packages::by_python(&python);
    let mut bases = vec![packages::zip(true), packages::zip(false)];
    bases.extend(["plain.zip", "wide.zip", "streamed.zip"].map(|name| std::fs::read(made.path().join(name)).unwrap()));
    let bases: Vec<zipped::Archive> = bases.iter().map(|bytes| zipped::Archive::parse(bytes)).collect();
    differ("zip", ".zip", &[readers::UNZIP, readers::BSDTAR], &mut |index, random| {
        zipped::mutant(&bases[index % bases.len()], random)
    });
}

#[test]
fn t090_framed_tar_gz_archives_are_read_as_others_read_them() {
    let bases = [packages::tar_gz(true), packages::tar_gz(false)].map(|bytes| (tarred::frames(&bytes), bytes));
    differ("framed tar.gz", ".tar.gz", &[readers::TAR, readers::BSDTAR], &mut |index, random| {
        let (frames, bytes) = &bases[index % bases.len()];
        tarred::framed_mutant(bytes, frames, random)
    });
}

#[test]
fn t090_plain_tar_gz_archives_are_read_as_others_read_them() {
    let Some(python) = readers::python() else { return };
    let made = packages::by_python(&python);
    let bases = ["pax.tar", "gnu.tar", "ustar.tar"].map(|name| std::fs::read(made.path().join(name)).unwrap());
    differ("plain tar.gz", ".tar.gz", &[readers::TAR, readers::BSDTAR], &mut |index, random| {
        tarred::plain_mutant(&bases[index % bases.len()], random)
    });
}
