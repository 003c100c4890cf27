//! The manifest: what a package says about itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    CompressionLevel, ContainerFormat, ContentEncoding, DataFormat, EventSchema, EventType, Filters, FormatVersion,
    Layout, PackageCompression, PackageId, PackageName, PackagePath, QualitySummary, Sha256Digest, SourceName, Symbol,
};

/// What a package says about itself.
///
/// Fields that only some writers know are `Option`: a package of another tool may lack them, one of ours has them all.
/// `docs/formats/package.md` says what each means and how it is computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Version of the package format.
    pub package_version: FormatVersion,
    /// Identity, derived from the data.
    pub package_id: PackageId,
    /// Name as typed.
    pub name: PackageName,
    /// What the package is for, in the maker's words.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Version of the program that made it.
    pub creator_version: Option<String>,
    /// Container.
    pub format: ContainerFormat,
    /// Method of compression that was really used.
    pub compression: Option<PackageCompression>,
    /// Level that was asked for.
    pub compression_level: Option<CompressionLevel>,
    /// Digest of the canonical listing ([`crate::listing`]).
    pub package_checksum: Option<Sha256Digest>,
    /// Exact size of the archive file, in bytes.
    pub package_size_bytes: Option<u64>,
    /// Size of all data with every compression undone, in bytes.
    pub uncompressed_size_bytes: Option<u64>,
    /// The span of the data; absent when nothing in it is dated.
    pub date_range: Option<DateRange>,
    /// Every symbol, sorted.
    pub symbols: Vec<Symbol>,
    /// Every event type, sorted.
    pub event_types: Vec<EventType>,
    /// Every source, sorted.
    pub sources: Vec<SourceName>,
    /// Number of data files.
    pub total_files: u64,
    /// Number of records in them.
    pub total_events: u64,
    /// The data files, in the order of their paths.
    pub files: Vec<FileEntry>,
    /// Fields of the records, by event type.
    pub schemas: BTreeMap<EventType, EventSchema>,
    /// Measured quality, unless it was left out.
    pub quality: Option<QualitySummary>,
    /// Arrangement of the data files.
    pub layout: Option<Layout>,
    /// What was asked for.
    pub filters: Filters,
    /// Words to find the package by.
    pub tags: Vec<String>,
    /// Whatever else the maker wanted to say.
    pub custom_metadata: BTreeMap<String, Value>,
    /// The members that are neither data nor the manifest, in the order of their paths.
    pub supplementary_files: Vec<SupplementaryFile>,
    /// Which part of a split package this is, from 1.
    pub part_number: Option<u32>,
    /// Of how many parts.
    pub total_parts: Option<u32>,
    /// The identity of the data of all parts together; only in the parts of a split package.
    pub set_id: Option<PackageId>,
    /// Whether every byte of the container's headers follows from its members, as this library's writers make it.
    pub canonical_framing: bool,
    /// The oldest version of the format that a reader must know.
    pub min_required_version: Option<FormatVersion>,
}

/// One data file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileEntry {
    /// Its member.
    pub path: PackagePath,
    /// Instrument; `UNKNOWN` where nothing tells.
    pub symbol: Symbol,
    /// Kind of records.
    pub event_type: EventType,
    /// The UTC day it is filed under (the first of the month for a monthly file); none for an undated file.
    pub date: Option<NaiveDate>,
    /// Provider or venue.
    pub source: Option<SourceName>,
    /// Format, its own compression aside.
    pub format: DataFormat,
    /// The compression it came with.
    pub encoding: ContentEncoding,
    /// Bytes of the member.
    pub size_bytes: u64,
    /// Bytes once its own compression is undone.
    pub uncompressed_size_bytes: Option<u64>,
    /// Records in it; none where its format is not counted.
    pub event_count: Option<u64>,
    /// Digest of the member's bytes; none in a package whose maker left it out.
    pub checksum_sha256: Option<Sha256Digest>,
    /// Earliest time in the data.
    pub first_timestamp: Option<DateTime<Utc>>,
    /// Latest time in the data.
    pub last_timestamp: Option<DateTime<Utc>>,
    /// The records' own `schemaVersion`.
    pub schema_version: Option<String>,
    /// How its text is to be split; only for CSV.
    pub csv: Option<CsvDialect>,
}

/// How the text of a CSV file is to be split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CsvDialect {
    /// What separates two fields.
    pub delimiter: char,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// What begins a line that is a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<char>,
    /// The columns, in order.
    pub columns: Vec<String>,
}

/// A member that is neither data nor the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplementaryFile {
    /// Its member.
    pub path: PackagePath,
    /// Its size in bytes; unknown in packages of other makers.
    pub size_bytes: Option<u64>,
    /// Its digest; unknown in packages of other makers.
    pub checksum_sha256: Option<Sha256Digest>,
}

/// The span of a package's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateRange {
    /// Earliest time in the data.
    pub start: DateTime<Utc>,
    /// Latest time in the data.
    pub end: DateTime<Utc>,
    /// Distinct UTC dates with data.
    pub trading_days: Option<u64>,
    /// Days from the first to the last, both counted.
    pub calendar_days: Option<u64>,
}

impl Manifest {
    /// Every member that the manifest declares with its digest and size, the manifest itself aside.
    pub fn declared(&self) -> impl Iterator<Item = Declared<'_>> {
        let data = self.files.iter().map(|file| Declared {
            path: &file.path,
            size: Some(file.size_bytes),
            digest: file.checksum_sha256.as_ref(),
        });
        let papers = self.supplementary_files.iter().map(|file| Declared {
            path: &file.path,
            size: file.size_bytes,
            digest: file.checksum_sha256.as_ref(),
        });
        data.chain(papers)
    }
}

/// What a manifest says of one member.
#[derive(Debug, Clone, Copy)]
pub struct Declared<'a> {
    /// The member.
    pub path: &'a PackagePath,
    /// Its size, where stated.
    pub size: Option<u64>,
    /// Its digest, where stated.
    pub digest: Option<&'a Sha256Digest>,
}
