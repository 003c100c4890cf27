//! Reads a `manifest.json` and says what the package holds.
//!
//! `cargo run -p pdp-manifest --example read_manifest -- path/to/manifest.json`

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: read_manifest FILE")?;
    let manifest = pdp_manifest::json::parse(&std::fs::read(path)?)?;
    let mut out = std::io::stdout().lock();
    use std::io::Write as _;
    writeln!(out, "{} ({}), made {}", manifest.name, manifest.package_id, manifest.created_at)?;
    for file in &manifest.files {
        let count = file.event_count.map_or_else(|| "not counted".to_owned(), |n| n.to_string());
        writeln!(out, "  {:<24} {:<14} {count:>12}  {}", file.symbol, file.event_type, file.path)?;
    }
    Ok(())
}
