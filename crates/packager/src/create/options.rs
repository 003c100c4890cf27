//! What can be asked of `create`, and what it reports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use pdp_archive::target::Existing;
use pdp_manifest::{
    CompressionLevel, ContainerFormat, DateRange, EventType, Filters, Grade, ImportTarget, Layout, PackageId,
    PackageName, PackagePath, Profile, Sha256Digest, Symbol,
};
use pdp_sign::SecretKey;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::ValidateReport;
use crate::scan::Skipped;

/// What to pack and how.
///
/// [`CreateOptions::new`] gives the defaults: everything below the data root, a ZIP at balanced compression, laid out by
/// date, with all papers, verified after writing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreateOptions {
    /// Where the data lies.
    pub data_root: PathBuf,
    /// The directory that the package is written to; made when it does not exist.
    pub output: PathBuf,
    /// The time that the package bears; the only clock there is.
    pub created_at: DateTime<Utc>,
    /// The package's name; `market-data-YYYYMMDD` of `created_at` by default.
    pub name: Option<PackageName>,
    /// What the package is for.
    pub description: Option<String>,
    /// Which files are taken.
    pub filters: Filters,
    /// The container.
    pub format: ContainerFormat,
    /// How hard members are compressed.
    pub compression: CompressionLevel,
    /// How the data files are arranged.
    pub layout: Layout,
    /// Words to find the package by.
    pub tags: Vec<String>,
    /// Whatever else should be said.
    pub custom_metadata: BTreeMap<String, Value>,
    /// Whether the package gets a quality report.
    pub quality_report: bool,
    /// Whether it gets a data dictionary.
    pub data_dictionary: bool,
    /// Whether it gets loader scripts.
    pub loader_scripts: bool,
    /// Other standards that the package keeps to as well.
    pub profiles: BTreeSet<Profile>,
    /// What it gets import scripts for; by default none.
    pub import_scripts: BTreeSet<ImportTarget>,
    /// Other papers, by their paths, which begin with `metadata/`: whatever else a receiver should have.
    pub extras: BTreeMap<PackagePath, String>,
    /// Whether the package may be without data: papers alone.
    pub without_data: bool,
    /// Whether the finished package is read back and every checksum verified.
    pub read_back: bool,
    /// Threads; the number of cores when zero.
    pub threads: usize,
    /// Whether symbolic links below the data root are followed.
    pub follow_links: bool,
    /// Whether files that cannot be opened are left out and reported; otherwise they end the operation.
    pub skip_unreadable: bool,
    /// What happens when the package's file name is taken.
    pub existing: Existing,
    /// Most bytes of an archive; more data makes several parts, each a package. At least [`MIN_PART_SIZE`].
    pub max_size: Option<u64>,
    /// The key that the package is signed with; the signature lies beside it.
    pub sign: Option<Arc<SecretKey>>,
}

/// The smallest size that parts can be asked to have, in bytes: each has README, dictionary and scripts of its own.
pub const MIN_PART_SIZE: u64 = 1 << 20;

impl CreateOptions {
    /// The defaults for packing `data_root` into `output` with this time.
    pub fn new(data_root: impl Into<PathBuf>, output: impl Into<PathBuf>, created_at: DateTime<Utc>) -> Self {
        Self {
            data_root: data_root.into(),
            output: output.into(),
            created_at,
            name: None,
            description: None,
            filters: Filters::default(),
            format: ContainerFormat::Zip,
            compression: CompressionLevel::Balanced,
            layout: Layout::ByDate,
            tags: Vec::new(),
            custom_metadata: BTreeMap::new(),
            quality_report: true,
            data_dictionary: true,
            loader_scripts: true,
            profiles: BTreeSet::new(),
            import_scripts: BTreeSet::new(),
            extras: BTreeMap::new(),
            without_data: false,
            read_back: true,
            threads: 0,
            follow_links: false,
            skip_unreadable: false,
            existing: Existing::KeepSame,
            max_size: None,
            sign: None,
        }
    }

    /// The name that the package has.
    #[must_use]
    pub fn package_name(&self) -> PackageName {
        self.name.clone().unwrap_or_else(|| {
            let text = format!("market-data-{}", self.created_at.format("%Y%m%d"));
            text.parse().unwrap_or_else(|_| unreachable!("a short text is a legal name"))
        })
    }

    /// The file name that the package gets: `{name}_{yyyyMMdd}_{HHmmss}` and the container's extension.
    #[must_use]
    pub fn file_name(&self) -> String {
        let stem = self.package_name().file_stem();
        format!("{stem}_{}{}", self.created_at.format("%Y%m%d_%H%M%S"), self.format.extension())
    }

    /// The file name of a part: as of the whole, with `.part2of3` before the extension.
    #[must_use]
    pub(crate) fn part_name(&self, number: usize, of: usize) -> String {
        let whole = self.file_name();
        let extension = self.format.extension();
        let stem = whole.strip_suffix(extension).unwrap_or(&whole);
        if of == 1 { whole } else { format!("{stem}.part{number}of{of}{extension}") }
    }
}

/// What `create` made. Of a package in parts, the first is described with the totals of all.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateReport {
    /// Where the package lies.
    pub package_path: PathBuf,
    /// Where its checksum lies; none for a folder.
    pub sidecar_path: Option<PathBuf>,
    /// Where its signature lies, if it was signed.
    pub signature_path: Option<PathBuf>,
    /// The package's name.
    pub name: PackageName,
    /// Its identity.
    pub package_id: PackageId,
    /// The digest of its canonical listing; written with `sha256:` before it, as in the manifest.
    #[serde(serialize_with = "prefixed")]
    #[schemars(with = "String")]
    pub package_checksum: Sha256Digest,
    /// The digest of the archive file; none for a folder.
    pub archive_sha256: Option<Sha256Digest>,
    /// Its exact size in bytes.
    pub package_size_bytes: u64,
    /// Size of the data with every compression undone.
    pub uncompressed_size_bytes: u64,
    /// Bytes of the data files as they are.
    pub data_size_bytes: u64,
    /// Number of data files.
    pub total_files: u64,
    /// Number of records.
    pub total_events: u64,
    /// The symbols.
    pub symbols: Vec<Symbol>,
    /// The event types.
    pub event_types: Vec<EventType>,
    /// The span of the data.
    #[serde(serialize_with = "crate::list::date_range")]
    #[schemars(with = "Option<crate::list::Range>")]
    pub date_range: Option<DateRange>,
    /// The quality grade, unless the report was left out.
    pub quality_grade: Option<Grade>,
    /// Every part, where the package was split; empty where it was not.
    pub parts: Vec<PathBuf>,
    /// What was not packed, and why.
    pub skipped: Vec<Skipped>,
    /// Remarks on files that were packed.
    pub warnings: Vec<String>,
    /// What the read-back found; none when it was left out.
    pub verified: Option<ValidateReport>,
}

fn prefixed<S: serde::Serializer>(digest: &Sha256Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.prefixed())
}
