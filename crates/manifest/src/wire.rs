//! The manifest as JSON has it: every field by its name on the wire, tolerant in what may be absent.
//!
//! The model ([`crate::Manifest`]) never derives serialization; the two conversions at the end of this file are the
//! only places where wire and model meet.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::time::Instant;
use crate::{
    CompressionLevel, ContainerFormat, ContentEncoding, CsvDialect, DataFormat, DateRange, EventSchema, EventType,
    Field, FileEntry, Filters, FormatVersion, Layout, Manifest, PackageCompression, PackageId, PackageName,
    PackagePath, QualitySummary, Sha256Digest, SourceName, SupplementaryFile, Symbol,
};

/// The manifest of a portable data package (`manifest.json`).
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "Portable Data Package manifest", rename = "Manifest")]
pub(crate) struct WireManifest {
    /// Version of the package format, major.minor.patch; a reader refuses a higher major version than it knows.
    package_version: FormatVersion,
    /// Identity derived from the data: 32 hexadecimal digits.
    package_id: PackageId,
    /// Name as typed.
    name: PackageName,
    /// What the package is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// When the package was made.
    created_at: Instant,
    /// Version of the program that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    creator_version: Option<String>,
    /// Container.
    format: ContainerFormat,
    /// Method of compression that was really used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compression: Option<PackageCompression>,
    /// Level that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compression_level: Option<CompressionLevel>,
    /// `sha256:` and the digest of the canonical listing of all members but the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "prefixed")]
    package_checksum: Option<Sha256Digest>,
    /// Exact size of the archive file in bytes (of a folder: of all its files together).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    package_size_bytes: Option<u64>,
    /// Size of all data with every compression undone, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uncompressed_size_bytes: Option<u64>,
    /// The span of the data.
    #[serde(default)]
    date_range: Option<WireDateRange>,
    /// Every symbol, sorted.
    #[serde(default)]
    symbols: Vec<Symbol>,
    /// Every event type, sorted.
    #[serde(default)]
    event_types: Vec<EventType>,
    /// Every source, sorted.
    #[serde(default)]
    sources: Vec<SourceName>,
    /// Number of data files.
    total_files: u64,
    /// Number of records in them.
    total_events: u64,
    /// The data files, in the order of their paths.
    files: Vec<WireFile>,
    /// Fields of the records, by event type.
    #[serde(default, deserialize_with = "unique_map")]
    schemas: BTreeMap<EventType, WireSchema>,
    /// Measured quality.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "quality_if_known")]
    quality: Option<QualitySummary>,
    /// Arrangement of the data files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    layout: Option<Layout>,
    /// What was asked for when the package was made.
    #[serde(default)]
    filters: Option<Filters>,
    /// Words to find the package by.
    #[serde(default, deserialize_with = "null_is_empty")]
    tags: Vec<String>,
    /// Whatever else the maker wanted to say.
    #[serde(default, deserialize_with = "unique_map")]
    custom_metadata: BTreeMap<String, Value>,
    /// The members that are neither data nor the manifest.
    #[serde(default, deserialize_with = "null_is_empty")]
    supplementary_files: Vec<WireSupplementary>,
    /// Which part of a split package this is, from 1.
    #[serde(default)]
    part_number: Option<u32>,
    /// Of how many parts.
    #[serde(default)]
    total_parts: Option<u32>,
    /// The identity of the data of all parts together; only in parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set_id: Option<PackageId>,
    /// "canonical" where every byte of the container's headers follows from the members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    framing: Option<String>,
    /// The oldest version of the format that a reader must know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_required_version: Option<FormatVersion>,
}

/// The one word that `framing` can have.
const CANONICAL: &str = "canonical";

/// One data file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "File")]
struct WireFile {
    /// Its member in the package.
    path: PackagePath,
    /// Instrument; UNKNOWN where nothing tells.
    #[serde(default)]
    symbol: Option<Symbol>,
    /// Kind of records.
    #[serde(default)]
    event_type: Option<EventType>,
    /// The UTC day it is filed under; null for an undated file.
    #[serde(default)]
    date: Option<Instant>,
    /// Provider or venue.
    #[serde(default)]
    source: Option<SourceName>,
    /// Format, its own compression aside.
    format: DataFormat,
    /// Whether the file came compressed.
    #[serde(default)]
    compressed: bool,
    /// The compression it came with.
    #[serde(default)]
    compression_type: Option<ContentEncoding>,
    /// Bytes of the member.
    size_bytes: u64,
    /// Bytes once its own compression is undone.
    #[serde(default)]
    uncompressed_size_bytes: Option<u64>,
    /// Records in it; null where the format is not counted.
    #[serde(default)]
    event_count: Option<u64>,
    /// SHA-256 of the member's bytes.
    #[serde(default)]
    checksum_sha256: Option<Sha256Digest>,
    /// Earliest time in the data.
    #[serde(default)]
    first_timestamp: Option<Instant>,
    /// Latest time in the data.
    #[serde(default)]
    last_timestamp: Option<Instant>,
    /// The records' own schemaVersion.
    #[serde(default)]
    schema_version: Option<TextOrNumber>,
    /// How the text of a CSV file is to be split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    csv: Option<CsvDialect>,
}

/// The span of the data.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DateRange")]
struct WireDateRange {
    /// Earliest time in the data.
    start: Instant,
    /// Latest time in the data.
    end: Instant,
    /// Distinct UTC dates with data.
    #[serde(default)]
    trading_days: Option<u64>,
    /// Days from the first to the last, both counted.
    #[serde(default)]
    calendar_days: Option<u64>,
}

/// The fields of one event type's records.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventSchema")]
struct WireSchema {
    /// The event type.
    event_type: EventType,
    /// Version of the schema.
    #[serde(default)]
    version: TextOrNumber,
    /// The fields, in the order in which the data has them.
    #[serde(default)]
    fields: Vec<Field>,
}

/// A member that is neither data nor the manifest.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SupplementaryFile")]
struct WireSupplementary {
    /// Its member in the package.
    path: PackagePath,
    /// Its size in bytes.
    size_bytes: Option<u64>,
    /// SHA-256 of its bytes.
    checksum_sha256: Option<Sha256Digest>,
}

/// Text; other writers use a number here and there.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(transparent)]
struct TextOrNumber(String);

impl<'de> Deserialize<'de> for TextOrNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            _ => Err(D::Error::custom("expected text or a number")),
        }
    }
}

impl<'de> Deserialize<'de> for WireSupplementary {
    /// Accepts a bare path too, and drops the zero size and empty checksum that mean "not computed" elsewhere.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Full {
            path: PackagePath,
            #[serde(default)]
            size_bytes: Option<u64>,
            #[serde(default)]
            checksum_sha256: Option<String>,
        }
        struct Form;

        impl<'de> Visitor<'de> for Form {
            type Value = Full;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or an object with a path")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Full, E> {
                let path = text.parse().map_err(E::custom)?;
                Ok(Full { path, size_bytes: None, checksum_sha256: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Full, A::Error> {
                Full::deserialize(MapAccessDeserializer::new(map))
            }
        }

        let full = deserializer.deserialize_any(Form)?;
        let digest = full.checksum_sha256.filter(|text| !text.is_empty());
        let checksum_sha256 = digest.map(|text| text.parse().map_err(D::Error::custom)).transpose()?;
        let size_bytes = if checksum_sha256.is_none() && full.size_bytes == Some(0) { None } else { full.size_bytes };
        Ok(Self { path: full.path, size_bytes, checksum_sha256 })
    }
}

fn prefixed<S: serde::Serializer>(digest: &Option<Sha256Digest>, serializer: S) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => serializer.serialize_str(&digest.prefixed()),
        None => serializer.serialize_none(),
    }
}

fn null_is_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// A quality block of another shape is another writer's matter, not damage.
fn quality_if_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<QualitySummary>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

/// A map in which no key may stand twice; null is an empty one.
fn unique_map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + fmt::Display,
    V: Deserialize<'de>,
{
    struct Unique<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord + fmt::Display, V: Deserialize<'de>> Visitor<'de> for Unique<K, V> {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(BTreeMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some(key) = access.next_key::<K>()? {
                if map.contains_key(&key) {
                    return Err(A::Error::custom(format_args!("duplicate key \"{key}\"")));
                }
                let value = access.next_value()?;
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_any(Unique(PhantomData))
}

impl From<&Manifest> for WireManifest {
    fn from(m: &Manifest) -> Self {
        Self {
            package_version: m.package_version,
            package_id: m.package_id.clone(),
            name: m.name.clone(),
            description: m.description.clone(),
            created_at: Instant(m.created_at),
            creator_version: m.creator_version.clone(),
            format: m.format,
            compression: m.compression,
            compression_level: m.compression_level,
            package_checksum: m.package_checksum,
            package_size_bytes: m.package_size_bytes,
            uncompressed_size_bytes: m.uncompressed_size_bytes,
            date_range: m.date_range.as_ref().map(|range| WireDateRange {
                start: Instant(range.start),
                end: Instant(range.end),
                trading_days: range.trading_days,
                calendar_days: range.calendar_days,
            }),
            symbols: m.symbols.clone(),
            event_types: m.event_types.clone(),
            sources: m.sources.clone(),
            total_files: m.total_files,
            total_events: m.total_events,
            files: m.files.iter().map(WireFile::from).collect(),
            schemas: m
                .schemas
                .iter()
                .map(|(key, schema)| {
                    let wire = WireSchema {
                        event_type: schema.event_type.clone(),
                        version: TextOrNumber(schema.version.clone()),
                        fields: schema.fields.clone(),
                    };
                    (key.clone(), wire)
                })
                .collect(),
            quality: m.quality.clone(),
            layout: m.layout,
            filters: Some(m.filters.clone()),
            tags: m.tags.clone(),
            custom_metadata: m.custom_metadata.clone(),
            supplementary_files: m
                .supplementary_files
                .iter()
                .map(|file| WireSupplementary {
                    path: file.path.clone(),
                    size_bytes: file.size_bytes,
                    checksum_sha256: file.checksum_sha256,
                })
                .collect(),
            part_number: m.part_number,
            total_parts: m.total_parts,
            set_id: m.set_id.clone(),
            framing: m.canonical_framing.then(|| CANONICAL.to_owned()),
            min_required_version: m.min_required_version,
        }
    }
}

impl From<&FileEntry> for WireFile {
    fn from(file: &FileEntry) -> Self {
        Self {
            path: file.path.clone(),
            symbol: Some(file.symbol.clone()),
            event_type: Some(file.event_type.clone()),
            date: file.date.map(|date| Instant(crate::time::midnight(date))),
            source: file.source.clone(),
            format: file.format,
            compressed: file.encoding.is_compressed(),
            compression_type: Some(file.encoding),
            size_bytes: file.size_bytes,
            uncompressed_size_bytes: file.uncompressed_size_bytes,
            event_count: file.event_count,
            checksum_sha256: file.checksum_sha256,
            first_timestamp: file.first_timestamp.map(Instant),
            last_timestamp: file.last_timestamp.map(Instant),
            schema_version: file.schema_version.clone().map(TextOrNumber),
            csv: file.csv.clone(),
        }
    }
}

impl From<WireManifest> for Manifest {
    fn from(wire: WireManifest) -> Self {
        Self {
            package_version: wire.package_version,
            package_id: wire.package_id,
            name: wire.name,
            description: wire.description,
            created_at: wire.created_at.0,
            creator_version: wire.creator_version,
            format: wire.format,
            compression: wire.compression,
            compression_level: wire.compression_level,
            package_checksum: wire.package_checksum,
            package_size_bytes: wire.package_size_bytes,
            uncompressed_size_bytes: wire.uncompressed_size_bytes,
            date_range: wire.date_range.map(|range| DateRange {
                start: range.start.0,
                end: range.end.0,
                trading_days: range.trading_days,
                calendar_days: range.calendar_days,
            }),
            symbols: wire.symbols,
            event_types: wire.event_types,
            sources: wire.sources,
            total_files: wire.total_files,
            total_events: wire.total_events,
            files: wire.files.into_iter().map(FileEntry::from).collect(),
            schemas: wire
                .schemas
                .into_iter()
                .map(|(key, schema)| {
                    let model =
                        EventSchema { event_type: schema.event_type, version: schema.version.0, fields: schema.fields };
                    (key, model)
                })
                .collect(),
            quality: wire.quality,
            layout: wire.layout,
            filters: wire.filters.unwrap_or_default(),
            tags: wire.tags,
            custom_metadata: wire.custom_metadata,
            supplementary_files: wire
                .supplementary_files
                .into_iter()
                .map(|file| SupplementaryFile {
                    path: file.path,
                    size_bytes: file.size_bytes,
                    checksum_sha256: file.checksum_sha256,
                })
                .collect(),
            part_number: wire.part_number,
            total_parts: wire.total_parts,
            set_id: wire.set_id,
            canonical_framing: wire.framing.as_deref() == Some(CANONICAL),
            min_required_version: wire.min_required_version,
        }
    }
}

impl From<WireFile> for FileEntry {
    fn from(file: WireFile) -> Self {
        let date: Option<NaiveDate> = file.date.map(|instant| instant.0.date_naive());
        Self {
            path: file.path,
            symbol: file.symbol.unwrap_or_else(Symbol::unknown),
            event_type: file.event_type.unwrap_or_else(EventType::unknown),
            date,
            source: file.source,
            format: file.format,
            encoding: file.compression_type.unwrap_or(ContentEncoding::Identity),
            size_bytes: file.size_bytes,
            uncompressed_size_bytes: file.uncompressed_size_bytes,
            event_count: file.event_count,
            checksum_sha256: file.checksum_sha256,
            first_timestamp: file.first_timestamp.map(|instant| instant.0),
            last_timestamp: file.last_timestamp.map(|instant| instant.0),
            schema_version: file.schema_version.map(|text| text.0),
            csv: file.csv,
        }
    }
}
