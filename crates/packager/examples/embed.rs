//! Packing, validating, listing and importing from another program.
//!
//! `cargo run -p pdp-packager --example embed -- fixtures/sample-data`

use std::error::Error;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use pdp_packager::manifest::{CompressionLevel, Layout};
use pdp_packager::{CreateOptions, ImportOptions, Progress, Silent, ValidateOptions, create, import, list, validate};

/// Progress as a service would count it; a real one might publish it, or stop the operation from another thread.
#[derive(Default)]
struct Counter {
    bytes: AtomicU64,
}

impl Progress for Counter {
    fn advance(&self, _files: u64, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::args_os().nth(1).ok_or("usage: embed DATA_ROOT")?;
    let work = std::env::temp_dir().join(format!("pdp-embed-{}", std::process::id()));

    // The library has no clock: the caller says what time the package bears.
    let mut options = CreateOptions::new(root, work.join("packages"), chrono::Utc::now());
    options.name = Some("embedded".parse()?);
    options.layout = Layout::BySymbol;
    options.compression = CompressionLevel::Fast;
    options.tags.push("example".to_owned());
    let progress = Counter::default();
    let made = create(&options, &progress)?;

    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string_pretty(&made)?)?;
    writeln!(out, "read {} bytes", progress.bytes.load(Ordering::Relaxed))?;

    let checked = validate(&made.package_path, &ValidateOptions::default(), &Silent)?;
    writeln!(out, "valid: {}, {} checksums", checked.valid, checked.checks.checksums)?;
    for file in list(&made.package_path)?.files {
        let records = file.event_count.map_or_else(|| "-".to_owned(), |count| count.to_string());
        writeln!(out, "{} {} {records} {}", file.symbol, file.event_type, file.path)?;
    }
    let imported = import(&ImportOptions::new(&made.package_path, work.join("data")), &Silent)?;
    writeln!(out, "{} files added", imported.added)?;
    std::fs::remove_dir_all(work)?;
    Ok(())
}
