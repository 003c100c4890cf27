//! Damaged and ambiguous ZIP files: refused with a reason, never a panic, never other bytes than were packed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use pdp_archive::{ArchiveError, Limits};
use zip::write::SimpleFileOptions;

type Members = BTreeMap<String, Vec<u8>>;

/// Reads `bytes` as a ZIP.
fn read(home: &Path, bytes: &[u8]) -> Result<Members, ArchiveError> {
    let path = home.join("x.zip");
    std::fs::write(&path, bytes).unwrap();
    let reader = pdp_archive::open(&path, &Limits::default())?;
    let found = Mutex::new(Members::new());
    reader.visit(&|_| true, &|info, body| {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|e| pdp_archive::contract::member_error(info, &e))?;
        found.lock().unwrap().insert(info.path.to_string(), bytes);
        Ok(())
    })?;
    Ok(found.into_inner().unwrap())
}

/// A small archive by the `zip` crate, so that the damage does not depend on our writer.
fn sample() -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    out.start_file("a.txt", deflated).unwrap();
    out.write_all("hello hello hello hello hello, packed world\n".repeat(3).as_bytes()).unwrap();
    out.start_file("b.txt", stored).unwrap();
    out.write_all(b"stored bytes").unwrap();
    out.finish().unwrap().into_inner()
}

fn refused(home: &Path, bytes: &[u8], expected: &str) {
    let message = read(home, bytes).map(|m| m.into_keys().collect::<Vec<_>>()).unwrap_err().to_string();
    assert!(message.contains(expected), "expected \"{expected}\" in: {message}");
}

/// Position of the `n`th record with this signature.
fn find(bytes: &[u8], signature: u32, n: usize) -> usize {
    let signature = signature.to_le_bytes();
    bytes.windows(4).enumerate().filter(|(_, window)| *window == signature).map(|(at, _)| at).nth(n).unwrap()
}

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;

#[test]
fn t028_to_t041_disagreement_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let good = sample();
    assert_eq!(read(home.path(), &good).unwrap().len(), 2);
    type Change = fn(&mut Vec<u8>);
    let cases: &[(&str, Change, &str)] = &[
        (
            "local name",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 30] = b'x';
            },
            "differ in the name",
        ),
        (
            "local method",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 8] = 0;
            },
            "differ in the compression method",
        ),
        (
            "local flags",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 7] ^= 8;
            },
            "differ in the flags",
        ),
        (
            "local crc",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 14] ^= 1;
            },
            "differ in the CRC",
        ),
        (
            "local stored size",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 18] ^= 1;
            },
            "differ in the stored size",
        ),
        (
            "local size",
            |z| {
                let at = find(z, LOCAL, 0);
                z[at + 22] ^= 1;
            },
            "differ in the size",
        ),
        (
            "two entries, one place",
            |z| {
                let (from, to) = (find(z, CENTRAL, 0), find(z, CENTRAL, 1));
                let offset = z[from + 42..from + 46].to_vec();
                z[to + 42..to + 46].copy_from_slice(&offset);
            },
            "overlaps",
        ),
        (
            "prefix",
            |z| {
                z.splice(0..0, *b"PK\x03\x04#!/bin/sh");
            },
            "does not end where its end record stands",
        ),
        ("suffix", |z| z.extend(b"x"), "followed by bytes"),
        (
            "count too large",
            |z| {
                let at = find(z, END, 0);
                z[at + 8] = 3;
                z[at + 10] = 3;
            },
            "cannot be listed",
        ),
        (
            "count too small",
            |z| {
                let at = find(z, END, 0);
                z[at + 8] = 1;
                z[at + 10] = 1;
            },
            "more members than",
        ),
        (
            "disks",
            |z| {
                let at = find(z, END, 0);
                z[at + 4] = 1;
            },
            "several disks",
        ),
        (
            "encrypted",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 8] |= 1;
            },
            "encryption is not supported",
        ),
        (
            "method 12",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 10] = 12;
            },
            "compression method 12",
        ),
        (
            "symlink",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 40..at + 42].copy_from_slice(&0o120_777_u16.to_le_bytes());
            },
            "no regular file",
        ),
        (
            "DOS volume label",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 38] |= 8;
            },
            "no regular file (attributes 0x08)",
        ),
        (
            "DOS directory",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 38] |= 16;
            },
            "no regular file (attributes 0x10)",
        ),
        (
            "version needed",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 6] = 64;
            },
            "version 64 of ZIP",
        ),
        (
            "patched data",
            |z| {
                let at = find(z, CENTRAL, 0);
                z[at + 8] |= 32;
            },
            "a patch for another file",
        ),
        (
            "another Unicode path in the local header",
            |z| {
                let at = find(z, LOCAL, 1);
                let field = [&[0x75, 0x70, 10, 0, 1, 0, 0, 0, 0][..], b"c.txt"].concat();
                z[at + 28] = 14;
                z.splice(at + 35..at + 35, field);
                let end = find(z, END, 0);
                z[end + 16] += 14;
            },
            "another name in its Unicode path field",
        ),
        (
            "stored sizes",
            |z| {
                let at = find(z, CENTRAL, 1);
                z[at + 24] ^= 1;
            },
            "stored ones",
        ),
        (
            "zip64 absent",
            |z| {
                let at = find(z, END, 0);
                z[at + 10..at + 12].fill(0xff);
                z[at + 8..at + 10].fill(0xff);
            },
            "not there",
        ),
        (
            "second end record in the comment",
            |z| {
                let at = find(z, END, 0);
                let end = z[at..].to_vec();
                z[at + 20] = 22;
                z.extend(end);
            },
            "two end of central directory records",
        ),
    ];
    for (name, change, expected) in cases {
        let mut bytes = good.clone();
        change(&mut bytes);
        let result = read(home.path(), &bytes).map(|m| m.into_keys().collect::<Vec<_>>());
        let message = result.as_ref().map_or_else(ToString::to_string, |found| format!("accepted {found:?}"));
        assert!(result.is_err() && message.contains(expected), "{name}: expected \"{expected}\" in: {message}");
    }
}

#[test]
fn t001_to_t027_unsafe_names_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("a.txt", "/.txt"),
        ("a.txt", "a:txt"),
        ("a.txt", "..\\xx"),
        ("a.txt", "a.tx\0"),
        ("a.txt", "../xx"),
        ("a.txt", "a.tx."),
    ] {
        let (from, to) = (from.as_bytes(), to.as_bytes());
        let mut bytes = sample();
        let places: Vec<usize> = (0..bytes.len() - 5).filter(|&at| &bytes[at..at + 5] == from).collect();
        assert_eq!(places.len(), 2);
        for at in places {
            bytes[at..at + 5].copy_from_slice(to);
        }
        let error = read(home.path(), &bytes);
        assert!(matches!(error, Err(ArchiveError::Name(_))), "{}", String::from_utf8_lossy(to).escape_debug());
    }
}

#[test]
fn t042_deflate_streams_that_lie_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let good = sample();
    // The size one smaller and one larger in both headers: the stream is longer, or shorter, than declared.
    for (delta, expected) in [(-1_i8, "more than the"), (1, "its header says")] {
        let mut bytes = good.clone();
        for at in [find(&bytes, LOCAL, 0) + 22, find(&bytes, CENTRAL, 0) + 24] {
            bytes[at] = bytes[at].wrapping_add_signed(delta);
        }
        refused(home.path(), &bytes, expected);
    }
}

#[test]
fn t047_every_truncation_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let good = sample();
    for len in 0..good.len() {
        assert!(read(home.path(), &good[..len]).is_err(), "cut to {len} bytes");
    }
}

#[test]
fn t048_a_flipped_bit_is_refused_or_changes_nothing_that_is_read() {
    let home = tempfile::tempdir().unwrap();
    let good = sample();
    let whole = read(home.path(), &good).unwrap();
    let (mut refused, mut same) = (0, 0);
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(home.path(), &bytes) {
            Err(_) => refused += 1,
            Ok(found) => {
                assert!(found == whole, "bit {bit} changes what is read and is not noticed");
                same += 1;
            }
        }
    }
    assert!(refused > same, "{refused} flips refused, {same} without effect");
}
