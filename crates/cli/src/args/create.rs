//! The arguments of `pdp create`.

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use clap::Args;
use pdp_packager::manifest::{
    CompressionLevel, ContainerFormat, EventType, ImportTarget, Layout, PackageName, Profile, Symbol,
};
use pdp_packager::{CreateOptions, Existing, PackagerError};

use super::Global;
use super::values::{List, date, instant, pair, parse, size, tag};
use crate::keys;

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Package name [default: market-data-YYYYMMDD]
    #[arg(long, value_name = "NAME", value_parser = parse::<PackageName>)]
    name: Option<PackageName>,
    /// What the package is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Directory that the package is written to
    #[arg(long, short, value_name = "DIR", default_value = "packages")]
    output: PathBuf,
    /// Only these symbols, separated by commas; case does not count
    #[arg(long, value_name = "LIST", value_parser = parse::<List<Symbol>>)]
    symbols: Option<List<Symbol>>,
    /// Only these event types, separated by commas, such as Trade,BboQuote,L2Snapshot; case does not count
    #[arg(long, value_name = "LIST", value_parser = parse::<List<EventType>>)]
    events: Option<List<EventType>>,
    /// Only data of this day (YYYY-MM-DD) and later
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<NaiveDate>,
    /// Only data of this day (YYYY-MM-DD) and earlier
    #[arg(long, value_name = "DATE", value_parser = date)]
    to: Option<NaiveDate>,
    /// Format: zip, tar.gz, folder
    #[arg(long, value_name = "FORMAT", default_value = "zip", value_parser = format)]
    format: ContainerFormat,
    /// Compression: none, fast, balanced, max
    #[arg(long, value_name = "LEVEL", default_value = "balanced", value_parser = level)]
    compression: CompressionLevel,
    /// Arrangement of the data files: ByDate, BySymbol, ByType, Flat
    #[arg(long, value_name = "LAYOUT", default_value = "ByDate", value_parser = parse::<Layout>)]
    layout: Layout,
    /// A word to find the package by; may be given several times
    #[arg(long, value_name = "TAG", value_parser = tag)]
    tag: Vec<String>,
    /// Metadata to keep in the manifest; may be given several times
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    meta: Vec<(String, String)>,
    /// The time that the package bears, for reproducible packages [default: SOURCE_DATE_EPOCH, else now]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    created_at: Option<DateTime<Utc>>,
    /// Leave out the quality report
    #[arg(long)]
    no_quality_report: bool,
    /// Leave out the data dictionary
    #[arg(long)]
    no_data_dictionary: bool,
    /// Leave out the loader scripts
    #[arg(long)]
    no_loader_scripts: bool,
    /// Keep to other standards of packaging too, separated by commas: bagit, frictionless, ro-crate; may be given several
    /// times. The licence that they ask for is that of --meta license=...
    #[arg(long, value_name = "LIST", value_parser = parse::<List<Profile>>)]
    profile: Vec<List<Profile>>,
    /// Add scripts that load the package into these: postgresql, clickhouse, duckdb, spark, sqlite, separated by commas
    #[arg(long, value_name = "LIST", value_parser = parse::<List<ImportTarget>>)]
    import_scripts: Option<List<ImportTarget>>,
    /// Do not read the finished package back to verify it; checksums are written all the same
    #[arg(long)]
    skip_checksums: bool,
    /// Follow symbolic links below the data root
    #[arg(long)]
    follow_links: bool,
    /// Leave out files that cannot be read, and say so, instead of failing
    #[arg(long)]
    skip_unreadable: bool,
    /// Split into parts of at most this size, such as 500MB, 2GiB or a number of bytes (1MiB or more); each is a package
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_size: Option<u64>,
    /// Sign with this minisign secret key; the signature goes to PACKAGE.minisig. A password is taken from
    /// PDP_KEY_PASSWORD
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
    /// Replace a package of the same file name that holds something else
    #[arg(long)]
    overwrite: bool,
}

fn level(text: &str) -> Result<CompressionLevel, String> {
    text.parse().map_err(|_| format!("unknown compression \"{text}\"; allowed: none, fast, balanced, max (or maximum)"))
}

fn format(text: &str) -> Result<ContainerFormat, String> {
    text.parse().map_err(|_| format!("unknown format \"{text}\"; allowed: zip, tar.gz (or tgz), folder"))
}

impl CreateArgs {
    /// The options these arguments mean; `now` is the time where none was given.
    ///
    /// # Errors
    /// They contradict each other.
    pub(crate) fn options(self, global: &Global, now: DateTime<Utc>) -> Result<CreateOptions, PackagerError> {
        let created_at = self.created_at.unwrap_or(now);
        let mut options = CreateOptions::new(&global.data_root, self.output, created_at);
        options.name = self.name;
        options.description = self.description;
        options.filters.symbols = self.symbols.map(|list| list.0).unwrap_or_default();
        options.filters.event_types = self.events.map(|list| list.0).unwrap_or_default();
        options.filters.start_date = self.from;
        options.filters.end_date = self.to;
        options.format = self.format;
        options.compression = self.compression;
        options.layout = self.layout;
        for tag in self.tag {
            if !options.tags.contains(&tag) {
                options.tags.push(tag);
            }
        }
        for (key, value) in self.meta {
            if options.custom_metadata.insert(key.clone(), value.into()).is_some() {
                return Err(PackagerError::Usage(format!("--meta gives {key} twice")));
            }
        }
        options.quality_report = !self.no_quality_report;
        options.data_dictionary = !self.no_data_dictionary;
        options.loader_scripts = !self.no_loader_scripts;
        options.profiles = self.profile.into_iter().flat_map(|list| list.0).collect();
        options.import_scripts = self.import_scripts.map(|list| list.0.into_iter().collect()).unwrap_or_default();
        options.read_back = !self.skip_checksums;
        options.max_size = self.max_size;
        options.sign = self.sign.map(|path| keys::secret(&path)).transpose()?.map(Arc::new);
        options.threads = global.threads;
        options.follow_links = self.follow_links;
        options.skip_unreadable = self.skip_unreadable;
        options.existing = if self.overwrite { Existing::Replace } else { Existing::KeepSame };
        Ok(options)
    }

    /// Whether the package's time was given, so that another one must not be taken.
    pub(crate) const fn time_is_given(&self) -> bool {
        self.created_at.is_some()
    }
}
