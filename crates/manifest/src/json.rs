//! The manifest as text: `manifest.json`.

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;

use crate::wire::WireManifest;
use crate::{FormatVersion, Manifest, PackagePath};

/// The manifest's member, always the first of a package.
pub const MANIFEST_PATH: &str = "manifest.json";

/// The largest manifest that is read unless a caller allows more, in bytes.
pub const DEFAULT_MAX_BYTES: u64 = 256 << 20;

/// The package's size is written right-aligned to this width, so that the text's length does not depend on it.
const SIZE_WIDTH: usize = 20;

/// Why a text is not a manifest this library can use.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// Larger than allowed.
    #[error("manifest of {actual} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size in bytes.
        actual: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// It begins with a byte order mark.
    #[error("manifest begins with a byte order mark; plain UTF-8 is expected")]
    ByteOrderMark,
    /// Not JSON, or a field is missing, doubled or of the wrong form.
    #[error("manifest, line {line}, column {column}: {message}")]
    Json {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// Made for a newer reader.
    #[error("package needs format version {needed}; this reader knows {known}")]
    Newer {
        /// The version needed.
        needed: FormatVersion,
        /// The newest version known.
        known: FormatVersion,
    },
    /// One member is declared twice.
    #[error("manifest declares \"{0}\" twice")]
    DuplicatePath(PackagePath),
    /// The manifest declares itself.
    #[error("manifest declares \"{MANIFEST_PATH}\" as a member with a checksum, which cannot be")]
    DeclaresItself,
}

/// A manifest as text, with the package's size still to be filled in.
///
/// [`render`](Self::render) gives texts of one length whatever the size, so that a container can compute its own total
/// before it writes the manifest.
#[derive(Debug, Clone)]
pub struct ManifestText {
    before_size: String,
    after_size: String,
}

impl ManifestText {
    /// The text of `manifest`, whose own `package_size_bytes` is not looked at.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        let mut sized = manifest.clone();
        sized.package_size_bytes = Some(u64::MAX);
        let json = serde_json::to_string_pretty(&WireManifest::from(&sized))
            .unwrap_or_else(|_| unreachable!("the manifest's maps have text keys and its numbers are finite"));
        // A line feed inside a value is written as \n, so this text can stand at the top level only.
        let key = "\n  \"packageSizeBytes\": ";
        let number = format!("{key}{}", u64::MAX);
        let (before, after) = json.split_once(&number).unwrap_or((&json, ""));
        Self { before_size: format!("{before}{key}"), after_size: format!("{after}\n") }
    }

    /// Everything up to and with the size.
    #[must_use]
    pub fn head(&self, package_size_bytes: u64) -> Vec<u8> {
        format!("{}{package_size_bytes:>SIZE_WIDTH$}", self.before_size).into_bytes()
    }

    /// Everything behind the size.
    #[must_use]
    pub fn tail(&self) -> &[u8] {
        self.after_size.as_bytes()
    }

    /// The whole text for a package of this size.
    #[must_use]
    pub fn render(&self, package_size_bytes: u64) -> Vec<u8> {
        let mut text = self.head(package_size_bytes);
        text.extend_from_slice(self.tail());
        text
    }
}

/// Reads a manifest of at most [`DEFAULT_MAX_BYTES`].
///
/// Unknown fields are ignored and enum words are taken in any case.
///
/// # Errors
/// [`ManifestError`] names the line and column, or the version that would be needed.
pub fn parse(bytes: &[u8]) -> Result<Manifest, ManifestError> {
    let actual = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if actual > DEFAULT_MAX_BYTES {
        return Err(ManifestError::TooLarge { actual, limit: DEFAULT_MAX_BYTES });
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return Err(ManifestError::ByteOrderMark);
    }
    check_depth(bytes)?;
    crate::strict::check(bytes).map_err(json_error)?;
    check_version(bytes)?;
    let wire: WireManifest = serde_json::from_slice(bytes).map_err(json_error)?;
    let manifest = Manifest::from(wire);
    let mut seen: HashSet<&PackagePath> = HashSet::with_capacity(manifest.files.len());
    for declared in manifest.declared() {
        if declared.path.as_str() == MANIFEST_PATH {
            return Err(ManifestError::DeclaresItself);
        }
        if !seen.insert(declared.path) {
            return Err(ManifestError::DuplicatePath(declared.path.clone()));
        }
    }
    Ok(manifest)
}

/// The JSON Schema (2020-12) of the manifest, as text.
#[must_use]
pub fn schema() -> String {
    let schema = schemars::schema_for!(WireManifest);
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_else(|_| unreachable!("a schema is JSON"));
    text.push('\n');
    text
}

/// Values nested deeper than this are no manifest; fields that are skipped unread are held to it too.
const MAX_DEPTH: usize = 100;

fn check_depth(bytes: &[u8]) -> Result<(), ManifestError> {
    let (mut depth, mut line, mut line_start) = (0_usize, 1, 0);
    let (mut in_text, mut escaped) = (false, false);
    for (at, &byte) in bytes.iter().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'\n' => (line, line_start) = (line + 1, at + 1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let message = format!("values nested deeper than {MAX_DEPTH}");
            return Err(ManifestError::Json { line, column: at - line_start + 1, message });
        }
    }
    Ok(())
}

/// A newer major version may mean anything by the other fields, so it is looked at alone and first.
fn check_version(bytes: &[u8]) -> Result<(), ManifestError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Probe {
        package_version: FormatVersion,
        #[serde(default)]
        min_required_version: Option<FormatVersion>,
    }
    let probe: Probe = serde_json::from_slice(bytes).map_err(json_error)?;
    let known = FormatVersion::CURRENT;
    if !probe.package_version.is_readable() {
        return Err(ManifestError::Newer { needed: probe.package_version, known });
    }
    match probe.min_required_version {
        Some(needed) if needed > known => Err(ManifestError::Newer { needed, known }),
        _ => Ok(()),
    }
}

fn json_error(error: serde_json::Error) -> ManifestError {
    let message = error.to_string();
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text).to_owned();
    ManifestError::Json { line: error.line(), column: error.column(), message }
}
