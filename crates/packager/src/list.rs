//! Listing a package.

use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use pdp_archive::Limits;
use pdp_manifest::{
    ContainerFormat, ContentEncoding, DataFormat, DateRange, EventType, Grade, Layout, PackageCompression, PackageId,
    PackageName, PackagePath, SourceName, Symbol, time,
};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::PackagerError;
use crate::package::Package;

/// What a package says it holds; nothing of it is verified but the structure.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListReport {
    /// The package.
    pub package_path: PathBuf,
    /// Its name.
    pub name: PackageName,
    /// Its identity.
    pub package_id: PackageId,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    #[serde(serialize_with = "instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: DateTime<Utc>,
    /// Its container.
    pub format: ContainerFormat,
    /// Its method of compression.
    pub compression: Option<PackageCompression>,
    /// Its layout.
    pub layout: Option<Layout>,
    /// Its size on disk in bytes.
    pub package_size_bytes: u64,
    /// Size of its data with every compression undone.
    pub uncompressed_size_bytes: Option<u64>,
    /// The span of its data.
    #[serde(serialize_with = "date_range")]
    #[schemars(with = "Option<Range>")]
    pub date_range: Option<DateRange>,
    /// Its symbols.
    pub symbols: Vec<Symbol>,
    /// Its event types.
    pub event_types: Vec<EventType>,
    /// Its sources.
    pub sources: Vec<SourceName>,
    /// Number of data files.
    pub total_files: u64,
    /// Number of records.
    pub total_events: u64,
    /// Its quality grade.
    pub quality_grade: Option<Grade>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The data files.
    pub files: Vec<ListedFile>,
    /// The other members, the manifest aside.
    pub supplementary_files: Vec<PackagePath>,
}

/// A data file in a listing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListedFile {
    /// Its member.
    pub path: PackagePath,
    /// Instrument.
    pub symbol: Symbol,
    /// Kind of records.
    pub event_type: EventType,
    /// The day it is filed under.
    #[schemars(with = "Option<String>")]
    pub date: Option<NaiveDate>,
    /// Format.
    pub format: DataFormat,
    /// The compression it came with.
    pub compression_type: ContentEncoding,
    /// Bytes.
    pub size_bytes: u64,
    /// Records.
    pub event_count: Option<u64>,
}

/// Lists the package at `path`: an archive or a folder.
///
/// # Errors
/// It does not exist, is no package, or its structure is damaged or unsafe.
pub fn list(path: &Path) -> Result<ListReport, PackagerError> {
    list_within(path, &Limits::default())
}

/// As [`list`], of a package that may not go beyond these limits.
///
/// # Errors
/// As for [`list`].
pub fn list_within(path: &Path, limits: &Limits) -> Result<ListReport, PackagerError> {
    let Package { path, container, manifest, .. } = Package::open_within(path, limits)?;
    let files = manifest
        .files
        .into_iter()
        .map(|file| ListedFile {
            path: file.path,
            symbol: file.symbol,
            event_type: file.event_type,
            date: file.date,
            format: file.format,
            compression_type: file.encoding,
            size_bytes: file.size_bytes,
            event_count: file.event_count,
        })
        .collect();
    Ok(ListReport {
        package_path: path,
        name: manifest.name,
        package_id: manifest.package_id,
        description: manifest.description,
        created_at: manifest.created_at,
        format: container.format(),
        compression: manifest.compression,
        layout: manifest.layout,
        package_size_bytes: container.size(),
        uncompressed_size_bytes: manifest.uncompressed_size_bytes,
        date_range: manifest.date_range,
        symbols: manifest.symbols,
        event_types: manifest.event_types,
        sources: manifest.sources,
        total_files: manifest.total_files,
        total_events: manifest.total_events,
        quality_grade: manifest.quality.map(|quality| quality.grade),
        tags: manifest.tags,
        files,
        supplementary_files: manifest.supplementary_files.into_iter().map(|file| file.path).collect(),
    })
}

/// The canonical listing of a package as its manifest has it: `{sha256}  {path}` for every member, the manifest among
/// them. It is what `sha256sum` prints for the members, and the text that a signature is made over.
///
/// # Errors
/// As for [`list`]; a package whose maker left out checksums has no listing.
pub fn checksums(path: &Path) -> Result<String, PackagerError> {
    let package = Package::open(path)?;
    let member = pdp_manifest::json::MANIFEST_PATH.parse()?;
    let text = package.container.read(&member, pdp_manifest::json::DEFAULT_MAX_BYTES)?;
    let digest = pdp_manifest::Sha256Digest::of(&text);
    crate::create::signed_text(&package.manifest, &digest).ok_or_else(|| PackagerError::Invalid {
        summary: format!("{} has members without a checksum", path.display()),
        findings: Vec::new(),
    })
}

pub(crate) fn instant<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time::format(*at))
}

/// The span of a package's data, as its manifest has it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DateRange")]
pub(crate) struct Range {
    /// The first moment.
    start: String,
    /// The last moment.
    end: String,
    /// Days with data.
    trading_days: Option<u64>,
    /// Days from the first to the last.
    calendar_days: Option<u64>,
}

/// A date range as the manifest has it.
pub(crate) fn date_range<S: Serializer>(range: &Option<DateRange>, serializer: S) -> Result<S::Ok, S::Error> {
    range
        .as_ref()
        .map(|range| Range {
            start: time::format(range.start),
            end: time::format(range.end),
            trading_days: range.trading_days,
            calendar_days: range.calendar_days,
        })
        .serialize(serializer)
}
