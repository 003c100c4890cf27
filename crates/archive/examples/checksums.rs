//! Lists and checks a package with the archive layer alone.
//!
//! `cargo run -p pdp-archive --example checksums -- PACKAGE`

use std::error::Error;
use std::io::Write as _;
use std::sync::Mutex;

use pdp_archive::{ArchiveError, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: checksums PACKAGE")?;
    let reader = pdp_archive::open(path.as_ref(), &Limits::default())?;
    let out = Mutex::new(std::io::stdout());
    // Every member is decompressed and held against its CRC, on all cores, in any order.
    reader.visit(&|_| true, &|member, body| {
        let error =
            |error: std::io::Error| ArchiveError::Member { member: member.path.to_string(), reason: error.to_string() };
        let digest = pdp_archive::target::digest_of(&mut { body }).map_err(error)?;
        if let Ok(mut out) = out.lock() {
            writeln!(out, "{digest}  {}", member.path).map_err(error)?;
        }
        Ok(())
    })?;
    Ok(())
}
