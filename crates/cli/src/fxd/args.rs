//! The command line.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand, ValueEnum};
use fxd::{Interval, Scale, Version};
use pdp_bars::{CsvFormat, Zone};

use super::values::{self, Bound};
use crate::args::Global;

/// Keep OHLCV bars in one small file that can be queried, and bring them in and out.
#[derive(Debug, Parser)]
#[command(name = "fx-store", version, max_term_width = 100, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct FxStore {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: FxdCommand,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a file is not valid, 4 file or symbol not found, 130 interrupted.";

#[derive(Debug, Subcommand)]
pub(crate) enum FxdCommand {
    /// Bring bars from one kind of file to another; several inputs make one file
    Convert(Box<ConvertArgs>),
    /// Add bars to a store, all of them or none; those that are there already are passed over
    Append(AppendArgs),
    /// Write a store anew without what appends left behind; the same bars give the same bytes
    Compact(RewriteArgs),
    /// Write a store anew in a newer version of the format, or an older one
    Upgrade(UpgradeArgs),
    /// Save what a damaged store has: its newest commit if that is sound, or else every whole block; indexes are made anew
    Repair(RepairArgs),
    /// Check structure, order and counts; exit code 3 and a line for each finding if anything is wrong
    Verify(VerifyArgs),
    /// Show what a store holds
    Inspect(InspectArgs),
    /// Print bars of a symbol
    Query(QueryArgs),
}

/// A kind of file that bars come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    Csv,
    Parquet,
    Dbn,
    Fxd,
}

/// A kind of file that bars go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum To {
    Fxd,
    Csv,
    Parquet,
    Json,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Json,
    Parquet,
}

impl Format {
    /// The one that a file's name says.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let end = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match end.as_str() {
            "csv" => Self::Csv,
            "json" | "jsonl" | "ndjson" => Self::Json,
            "parquet" | "pq" => Self::Parquet,
            _ => return None,
        })
    }
}

/// See [`pdp_bars::convert::OnDuplicate`].
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnDuplicate {
    /// They are refused
    Error,
    /// The first stays if both hold the same; otherwise they are refused
    Identical,
    /// The first stays
    First,
    /// The last stays
    Last,
}

impl std::convert::From<OnDuplicate> for pdp_bars::convert::OnDuplicate {
    fn from(given: OnDuplicate) -> Self {
        match given {
            OnDuplicate::Error => Self::Error,
            OnDuplicate::Identical => Self::Identical,
            OnDuplicate::First => Self::First,
            OnDuplicate::Last => Self::Last,
        }
    }
}

/// How files are read.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// What kind of files the inputs are; without it, their names say it
    #[arg(long, value_name = "KIND")]
    pub(crate) from: Option<From>,
    /// The symbol of rows that name none; without it, the file's name says it. Of a store: the symbols to take, with commas
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<String>,
    /// The zone of timestamps that name none: a name as America/New_York, an offset as +02:00, EST (UTC-5) or UTC
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<Zone>,
    /// What CSV files look like: auto, histdata, databento, binance, plain
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) csv_format: CsvFormat,
}

/// How blocks of a store are written.
#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    /// Versions 1 and 2: the level of zstd [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) level: Option<i32>,
    /// Versions 1 and 2: store blocks as they are
    #[arg(long, conflicts_with = "level")]
    pub(crate) no_compression: bool,
    /// The most bars of a block, 1 to 86400 [default: 1440 of one UTC date at most; 16384 in version 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) block_records: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArgs {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) blocks: BlockArgs,
    /// What kind of file the output is; without it, its name says it
    #[arg(long, value_name = "KIND")]
    pub(crate) to: Option<To>,
    #[command(flatten)]
    pub(crate) format: VersionArgs,
    /// What becomes of two bars of a symbol at one time
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Error)]
    pub(crate) on_duplicate: OnDuplicate,
    /// Take rows in any order; needs space for a copy beside the output
    #[arg(long)]
    pub(crate) sort: bool,
    /// Versions 1 and 2: train a dictionary on the first bars and compress with it: for small blocks
    #[arg(long, conflicts_with = "no_compression")]
    pub(crate) dictionary: bool,
    /// Decimals of prices [default: those of the store that is read; else 5, and more where the data has more, but not in
    /// versions 1 and 2 and on standard output]
    #[arg(long, value_name = "N", value_parser = values::scale)]
    pub(crate) price_scale: Option<Scale>,
    /// Decimals of volumes [default: those of the store that is read; else 0, and more as for prices]
    #[arg(long, value_name = "N", value_parser = values::scale)]
    pub(crate) volume_scale: Option<Scale>,
    /// Parquet: prices as decimals, not as doubles
    #[arg(long)]
    pub(crate) decimal: bool,
    /// CSV, JSON, Parquet: write the column of flags
    #[arg(long)]
    pub(crate) flags: bool,
    /// The time that the store says it was made at, RFC 3339 [default: SOURCE_DATE_EPOCH, or now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<DateTime<Utc>>,
    /// Replace the output if it is there
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// The inputs, and the output as the last one; - for standard output
    #[arg(required = true, value_names = ["IN", "OUT"])]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AppendArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) blocks: BlockArgs,
    /// The inputs
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RewriteArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) blocks: BlockArgs,
}

/// Which version of the format is written.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// The version of the fxd format: 1 (rows), 2 (rows as differences), 3 (columns: the smallest, and any value of 64 bits), 4
    /// (the same with rolled-up series) [default: 3; 4 with --rollups, and for `upgrade` of a store that has series]
    #[arg(long, value_name = "N", value_parser = values::format_version)]
    pub(crate) format_version: Option<Version>,
    /// Version 4: the intervals to roll bars up to, as 5m,1h,1d
    #[arg(long, value_name = "INTERVALS", value_delimiter = ',')]
    pub(crate) rollups: Vec<Interval>,
}

impl VersionArgs {
    /// The version that is meant.
    pub(crate) fn version(&self) -> Version {
        let newest = if self.rollups.is_empty() { Version::Columns } else { Version::Rollups };
        self.format_version.unwrap_or(newest)
    }
}

#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    pub(crate) rewrite: RewriteArgs,
    #[command(flatten)]
    pub(crate) format: VersionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    pub(crate) rewrite: RewriteArgs,
    /// Decimals of prices, for a store that does not say its own any more
    #[arg(long, value_name = "N", value_parser = values::scale, requires = "volume_scale")]
    pub(crate) price_scale: Option<Scale>,
    /// Decimals of volumes, likewise
    #[arg(long, value_name = "N", value_parser = values::scale, requires = "price_scale")]
    pub(crate) volume_scale: Option<Scale>,
    /// Where the repaired store goes; without it, it takes the place of the damaged one, which is kept beside it
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Read and decode every block, too, so that no byte is left out
    #[arg(long)]
    pub(crate) checksums: bool,
}

#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Show the header's fields
    #[arg(long)]
    pub(crate) header: bool,
    /// Show the nodes of the time index
    #[arg(long)]
    pub(crate) index: bool,
    /// Show the symbol table
    #[arg(long)]
    pub(crate) symbols: bool,
    /// Show every block
    #[arg(long)]
    pub(crate) blocks: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// The store
    #[arg(long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The symbol
    #[arg(long)]
    pub(crate) symbol: String,
    /// The first moment: RFC 3339, a date (UTC), or nanoseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) from: Option<u64>,
    /// The moment behind the last
    #[arg(long, value_name = "TIME", value_parser = values::time)]
    pub(crate) to: Option<u64>,
    /// No price of the bar is below
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) min_price: Option<Bound>,
    /// No price of the bar is above
    #[arg(long, value_name = "PRICE", allow_negative_numbers = true)]
    pub(crate) max_price: Option<Bound>,
    /// The volume is not below
    #[arg(long, value_name = "VOLUME")]
    pub(crate) min_volume: Option<Bound>,
    /// The volume is not above
    #[arg(long, value_name = "VOLUME")]
    pub(crate) max_volume: Option<Bound>,
    /// Bars of a longer interval, as 5m, 1h or 1d, those that begin in the range; from the series that a store of version 4 has
    /// of it, or rolled up now
    #[arg(long, value_name = "INTERVAL")]
    pub(crate) interval: Option<Interval>,
    /// How rows are printed [default: what the output's name says, else csv; json with --json]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,
    /// Write to this file, which appears when it is whole
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output if it is there
    #[arg(long, requires = "output")]
    pub(crate) overwrite: bool,
}
