//! The bodies of requests, and the options of the packager that they mean.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use pdp_packager::manifest::{
    CompressionLevel, ContainerFormat, EventType, ImportTarget, Layout, PackageName, Profile, Symbol, time,
};
use pdp_packager::sign::PublicKey;
use pdp_packager::{CreateOptions, Existing, ImportOptions, Limits, MIN_PART_SIZE, OnConflict, ValidateOptions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::State;
use crate::problem::{Kind, Problem};
use crate::roots::{FileName, Place};

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 20_000;

/// What to pack and how. Every field may be left out.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CreateRequest {
    /// The package's name; `market-data-YYYYMMDD` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub name: Option<PackageName>,
    /// What the package is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = MAX_DESCRIPTION))]
    pub description: Option<String>,
    /// The symbols to take; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 10_000))]
    pub symbols: Option<Vec<Symbol>>,
    /// The event types to take; all by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1_000))]
    pub event_types: Option<Vec<EventType>>,
    /// The first UTC day to take.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "day")]
    #[schemars(with = "Option<String>", extend("format" = "date"), regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub start_date: Option<NaiveDate>,
    /// The last UTC day to take.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "day")]
    #[schemars(with = "Option<String>", extend("format" = "date"), regex(pattern = r"^\d{4}-\d{2}-\d{2}$"))]
    pub end_date: Option<NaiveDate>,
    /// The container.
    pub format: ArchiveFormat,
    /// How hard members are compressed; `balanced` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Level>")]
    pub compression_level: Option<CompressionLevel>,
    /// How the data files are arranged; `ByDate` by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_layout: Option<Layout>,
    /// Whether the package gets a quality report.
    #[serde(default = "yes")]
    #[schemars(default = "yes")]
    pub include_quality_report: Yes,
    /// Whether it gets loader scripts for Python and R.
    #[serde(default = "yes")]
    #[schemars(default = "yes")]
    pub include_loader_scripts: Yes,
    /// Whether it gets a data dictionary.
    #[serde(default = "yes")]
    #[schemars(default = "yes")]
    pub include_data_dictionary: Yes,
    /// Whether the finished package is read back and every checksum verified.
    #[serde(default = "yes")]
    #[schemars(default = "yes")]
    pub verify_checksums: Yes,
    /// Words to find the package by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 1_000))]
    pub tags: Vec<String>,
    /// Whatever else should be said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_metadata: BTreeMap<String, Value>,
    /// The time that the package bears; now by default. The same data, options and time give the same bytes.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "instant", serialize_with = "write_instant")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub created_at: Option<DateTime<Utc>>,
    /// Engines that the package gets import scripts for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub import_scripts: Vec<ImportTarget>,
    /// Other standards that the package keeps to as well.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub profiles: Vec<Profile>,
    /// Most bytes of an archive; more data makes several parts, each a package.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1_048_576))]
    pub max_size_bytes: Option<u64>,
    /// Whether files that cannot be read are left out and reported, instead of ending the operation.
    pub skip_unreadable: bool,
    /// Whether a package of the same file name that holds something else is replaced.
    pub overwrite: bool,
}

/// A switch that is on where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Yes(pub bool);

impl Default for Yes {
    fn default() -> Self {
        Self(true)
    }
}

impl JsonSchema for Yes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Yes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "boolean" })
    }
}

const fn yes() -> Yes {
    Yes(true)
}

/// The container of a package that is made over HTTP: one file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ArchiveFormat {
    /// A ZIP archive.
    #[default]
    #[serde(rename = "zip", alias = "Zip")]
    Zip,
    /// A tar archive in gzip.
    #[serde(rename = "tar.gz", alias = "TarGz", alias = "tgz")]
    TarGz,
}

/// The words for how hard members are compressed.
#[derive(JsonSchema)]
#[schemars(rename = "CompressionLevel", rename_all = "lowercase")]
#[allow(dead_code, reason = "for the schema: the library's own type reads both words for the last")]
enum Level {
    None,
    Fast,
    Balanced,
    Maximum,
    Max,
}

/// A package to import.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRequest {
    /// The package: its file name in the directory of packages.
    pub package_path: String,
    /// Further parts of a split package. One part alone brings those beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10_000))]
    pub further_parts: Vec<String>,
    /// Where its files go: a path below the data root; the data root itself by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_directory: Option<String>,
    /// Whether checksums are verified. Unsafe or damaged archives are refused in any case.
    #[serde(default = "yes")]
    pub validate_checksums: Yes,
    /// Whether files that exist are kept, and merged record by record where that is possible.
    #[serde(default)]
    pub merge_with_existing: bool,
    /// When merging: what happens to files that differ and cannot be merged; without it they end the import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<Conflict>,
    /// The minisign public key, in Base64, that must have signed the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4_096))]
    pub public_key: Option<String>,
}

/// What happens to a file that exists with other content and cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Conflict {
    /// The file that is there stays.
    Keep,
    /// The package's file replaces it.
    Replace,
    /// The package's file goes beside it, under a name with a number.
    Rename,
}

/// A package to validate.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidateRequest {
    /// The package: its file name in the directory of packages.
    pub package_path: String,
    /// Whether every record is counted again and held against the schemas in the package.
    #[serde(default)]
    pub deep: bool,
    /// The minisign public key, in Base64, that must have signed the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4_096))]
    pub public_key: Option<String>,
}

fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    let text = <Option<String>>::deserialize(deserializer)?;
    let read = |text: String| {
        time::parse_date(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("\"{}\" is no date of the form YYYY-MM-DD", text.escape_debug()))
        })
    };
    text.map(read).transpose()
}

fn instant<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = <Option<String>>::deserialize(deserializer)?;
    let read = |text: String| {
        time::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("\"{}\" is no time such as 2024-01-03T12:00:00Z", text.escape_debug()))
        })
    };
    text.map(read).transpose()
}

#[allow(clippy::ref_option, reason = "serde hands it over like this")]
fn write_instant<S: serde::Serializer>(at: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.serialize_str(&time::format(*at)),
        None => serializer.serialize_none(),
    }
}

/// What packages may be like that come from outside: they are no links.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.follow_links = false;
    limits
}

fn too_many(what: &str, len: usize, most: usize) -> Result<(), Problem> {
    match len > most {
        true => Err(Problem::new(Kind::Invalid, format!("{what}: {len} values, at most {most} are taken"))),
        false => Ok(()),
    }
}

impl CreateRequest {
    /// The options that the request means; `now` is the time where none was given.
    ///
    /// # Errors
    /// A list is too long.
    pub(crate) fn options(&self, state: &State, now: DateTime<Utc>) -> Result<CreateOptions, Problem> {
        let roots = state.roots();
        let created_at = self.created_at.unwrap_or(now);
        let mut options = CreateOptions::new(roots.data_path(), roots.packages_path(), created_at);
        let symbols = self.symbols.clone().unwrap_or_default();
        let event_types = self.event_types.clone().unwrap_or_default();
        too_many("symbols", symbols.len(), 10_000)?;
        too_many("eventTypes", event_types.len(), 1_000)?;
        too_many("tags", self.tags.len(), 1_000)?;
        let text = self.description.as_deref().unwrap_or_default();
        if text.chars().count() > MAX_DESCRIPTION {
            let detail = format!("description: at most {MAX_DESCRIPTION} characters are taken");
            return Err(Problem::new(Kind::Invalid, detail));
        }
        if let Some(most) = self.max_size_bytes.filter(|most| *most < MIN_PART_SIZE) {
            let detail = format!("maxSizeBytes: {most}; parts have at least {MIN_PART_SIZE} bytes");
            return Err(Problem::new(Kind::Invalid, detail));
        }
        if let (Some(first), Some(last)) = (self.start_date, self.end_date)
            && first > last
        {
            let detail = format!("the start date {first} lies after the end date {last}");
            return Err(Problem::new(Kind::Invalid, detail));
        }
        options.name = self.name.clone();
        options.description = self.description.clone();
        options.filters.symbols = symbols;
        options.filters.event_types = event_types;
        options.filters.start_date = self.start_date;
        options.filters.end_date = self.end_date;
        options.format = match self.format {
            ArchiveFormat::Zip => ContainerFormat::Zip,
            ArchiveFormat::TarGz => ContainerFormat::TarGz,
        };
        options.compression = self.compression_level.unwrap_or(CompressionLevel::Balanced);
        options.layout = self.internal_layout.unwrap_or(Layout::ByDate);
        let mut seen = BTreeSet::new();
        options.tags = self.tags.iter().filter(|tag| seen.insert(tag.as_str())).cloned().collect();
        options.custom_metadata = self.custom_metadata.clone();
        options.quality_report = self.include_quality_report.0;
        options.data_dictionary = self.include_data_dictionary.0;
        options.loader_scripts = self.include_loader_scripts.0;
        options.profiles = self.profiles.iter().copied().collect();
        options.import_scripts = self.import_scripts.iter().copied().collect();
        options.read_back = self.verify_checksums.0;
        options.max_size = self.max_size_bytes;
        options.threads = state.settings().threads;
        options.skip_unreadable = self.skip_unreadable;
        options.existing = if self.overwrite { Existing::Replace } else { Existing::KeepSame };
        Ok(options)
    }
}

impl ImportRequest {
    /// Whether the request makes sense, before it waits for its turn.
    ///
    /// # Errors
    /// The package is not there, or a value cannot be used.
    pub(crate) fn check(&self, state: &State) -> Result<(), Problem> {
        state.roots().find(&self.package_path)?;
        state.roots().check_place(self.destination_directory.as_deref())?;
        too_many("furtherParts", self.further_parts.len(), 10_000)?;
        if self.on_conflict.is_some() && !self.merge_with_existing {
            return Err(Problem::new(Kind::Invalid, "onConflict goes with mergeWithExisting"));
        }
        self.public_key.as_deref().map(public_key).transpose().map(drop)
    }

    /// The options that the request means, the package's name, and the place that must be kept while they are used.
    ///
    /// # Errors
    /// The package is not there, or the destination is not below the data root.
    pub(crate) fn options(&self, state: &State) -> Result<(ImportOptions, FileName, Place), Problem> {
        self.check(state)?;
        let roots = state.roots();
        let package = roots.find(&self.package_path)?;
        let place = roots.place(self.destination_directory.as_deref())?;
        let mut options = ImportOptions::new(&package.path, &place.path);
        for part in &self.further_parts {
            options.further_parts.push(roots.find(part)?.path);
        }
        options.validate = self.validate_checksums.0;
        options.merge = self.merge_with_existing;
        options.on_conflict = self.on_conflict.map(|action| match action {
            Conflict::Keep => OnConflict::Keep,
            Conflict::Replace => OnConflict::Replace,
            Conflict::Rename => OnConflict::Rename,
        });
        options.public_key = self.public_key.as_deref().map(public_key).transpose()?;
        options.in_place = true;
        options.limits = limits();
        options.threads = state.settings().threads;
        Ok((options, package.name, place))
    }
}

impl ValidateRequest {
    /// The options that the request means.
    ///
    /// # Errors
    /// The key is none.
    pub(crate) fn options(&self, state: &State) -> Result<ValidateOptions, Problem> {
        let mut options = ValidateOptions::default();
        options.deep = self.deep;
        options.public_key = self.public_key.as_deref().map(public_key).transpose()?;
        options.limits = limits();
        options.threads = state.settings().threads;
        Ok(options)
    }
}

/// A key that is given as text; a name of a file is none.
fn public_key(text: &str) -> Result<PublicKey, Problem> {
    text.trim().parse().map_err(|_| Problem::new(Kind::Invalid, "publicKey: expected a minisign public key in Base64"))
}
