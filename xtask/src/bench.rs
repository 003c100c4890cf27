//! Benchmarks that run a peer in the same run and print ratios.

mod bars;
mod ceilings;
mod compare;
mod data;
mod download;
mod fxd;
mod machine;
mod measure;
mod pack;
mod peers;
mod report;
mod serve;

use std::path::Path;

use anyhow::Result;
use clap::Subcommand;

/// The benchmarks there are. One joins them together with the claim that it proves.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Create, validate and import a package of collected events against zip, unzip, 7z, pigz, ripunzip and Python
    Pack(pack::Options),
    /// Ask a server for its health while thousands of slow clients occupy it; fails when a hundredth waits 100 ms or more
    SlowConnections(serve::Options),
    /// Ask a server a hundred thousand things, sensible ones and others; fails when its memory or descriptors grow
    Soak(serve::soak::Options),
    /// Download a large package from pdp serve and from nginx, as one client and as many
    Download(download::Options),
    /// Fill, ask, scan and filter a .fxd store of bars against Parquet, DuckDB, polars and numpy
    Fxd(fxd::Options),
    /// Resample second bars against DuckDB, polars, pandas and numpy
    Bars(bars::Options),
}

pub(crate) fn run(root: &Path, bench: Option<&Bench>) -> Result<()> {
    match bench {
        Some(Bench::Pack(options)) => pack::run(root, options),
        Some(Bench::SlowConnections(options)) => serve::run(root, options),
        Some(Bench::Soak(options)) => serve::soak::run(root, options),
        Some(Bench::Download(options)) => download::run(root, options),
        Some(Bench::Fxd(options)) => fxd::run(root, options),
        Some(Bench::Bars(options)) => bars::run(root, options),
        None => {
            let all = Bench::augment_subcommands(clap::Command::new("bench"));
            for bench in all.get_subcommands() {
                println!("{:<17} {}", bench.get_name(), bench.get_about().map(ToString::to_string).unwrap_or_default());
            }
            Ok(())
        }
    }
}
