//! Writes the quality page that a package with this report and manifest would have.
//!
//! `cargo run -p pdp-generate --example quality_page -- quality_report.json manifest.json`

use std::error::Error;
use std::io::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let mut next = || arguments.next().ok_or("usage: quality_page REPORT MANIFEST");
    let report = serde_json::from_slice(&std::fs::read(next()?)?)?;
    let manifest = pdp_manifest::json::parse(&std::fs::read(next()?)?)?;
    let page = pdp_generate::Texts::new()?.quality_page(&report, &manifest)?;
    std::io::stdout().write_all(page.as_bytes())?;
    Ok(())
}
