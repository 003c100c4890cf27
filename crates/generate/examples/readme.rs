//! Writes the README that a package with this manifest would have.
//!
//! `cargo run -p pdp-generate --example readme -- path/to/manifest.json`

use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: readme MANIFEST")?;
    let manifest = pdp_manifest::json::parse(&std::fs::read(path)?)?;
    let members: Vec<String> = manifest.supplementary_files.iter().map(|file| file.path.to_string()).collect();
    let text = pdp_generate::Texts::new()?.readme(&manifest, &members)?;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}
