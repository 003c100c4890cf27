//! Verifies a minisign signature.
//!
//! `cargo run -p pdp-sign --example verify -- FILE FILE.minisig KEY`, where `KEY` is a `.pub` file or the key in Base64.

use std::error::Error;
use std::fs::File;
use std::io::{Read as _, Write as _};

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: verify FILE SIGNATURE KEY";
    let mut args = std::env::args_os().skip(1);
    let (file, signature) = (args.next().ok_or(usage)?, args.next().ok_or(usage)?);
    let key = pdp_sign::PublicKey::read(args.next().ok_or(usage)?)?;
    let mut text = Vec::new();
    // One byte more than a signature may have is enough to have it refused.
    File::open(signature)?.take(u64::try_from(pdp_sign::SIGNATURE_LIMIT)? + 1).read_to_end(&mut text)?;
    let verified = pdp_sign::verify(&std::fs::read(file)?, &text, &key)?;
    writeln!(std::io::stdout(), "signed by {}: {}", verified.key_id, verified.trusted_comment)?;
    Ok(())
}
