//! No tar makes its reader panic, or give other bytes than it lists; what it reads, the `tar` crate reads the same.
//!
//! The bytes are a tar that is not compressed, so that changes to it are not lost in a Deflate stream. A first byte of
//! one has the checksums of headers put right, which chance would not.
#![no_main]

use std::io::Write;

use flate2::{Compression, GzBuilder};
use libfuzzer_sys::fuzz_target;

const BLOCK: usize = 512;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, tar)) = bytes.split_first() else { return };
    let tar = if choice % 2 == 1 { with_checksums(tar) } else { tar.to_vec() };
    let mut gzip = GzBuilder::new().write(Vec::new(), Compression::none());
    let Ok(()) = gzip.write_all(&tar) else { return };
    let Ok(archive) = gzip.finish() else { return };
    let file = pdp_fuzz::file(&archive);
    if let Some(ours) = pdp_fuzz::read(file.path()) {
        // That crate knows fewer headers; those that it lists must be the same.
        if let Some(theirs) = pdp_fuzz::by_tar(tar.as_slice()) {
            assert_eq!(ours, theirs);
        }
    }
});

/// The tar with the right checksum in every block that looks like a header.
fn with_checksums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    for block in tar.chunks_exact_mut(BLOCK) {
        let looks_like_it =
            matches!(&block[257..265], b"ustar\x0000" | b"ustar  \0") || block[148..156].ends_with(b"\0 ");
        if looks_like_it {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
    tar
}
