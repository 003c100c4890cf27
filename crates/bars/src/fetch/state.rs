//! What was fetched: the file that makes going on possible.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::error::FetchError;
use super::plan::Request;

/// The name of the file in a symbol's directory.
pub(super) const NAME: &str = "fetch.json";

/// What is known of a symbol's months.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    version: u32,
    dataset: String,
    schema: String,
    stype_in: String,
    symbol: String,
    /// By year and month, `2024-01`.
    pub(super) months: BTreeMap<String, Entry>,
}

/// A month that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    /// What was asked for: from here on,
    pub(super) start: DateTime<Utc>,
    /// and before here.
    pub(super) end: DateTime<Utc>,
    /// Bars; a month without any has no file.
    pub(super) rows: u64,
    /// Bytes of the file.
    pub(super) bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub(super) sha256: String,
    /// When the vendor last changed data of these days, as far as it said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_modified: Option<String>,
}

impl State {
    /// What a directory says, or nothing where it says nothing.
    pub(super) fn load(directory: &Path, request: &Request) -> Result<Self, FetchError> {
        let path = directory.join(NAME);
        let new = Self {
            version: 1,
            dataset: request.dataset.clone(),
            schema: request.schema.clone(),
            stype_in: request.stype_in.clone(),
            symbol: request.symbol.clone(),
            months: BTreeMap::new(),
        };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(new),
            Err(error) => return Err(FetchError::io(&path, error)),
        };
        let wrong = |why: String| FetchError::State { path: path.clone(), why };
        let state: Self = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if state.version != 1 {
            return Err(wrong(format!("version {}, expected 1", state.version)));
        }
        let of = |state: &Self| format!("{} {} of {} {}", state.dataset, state.schema, state.stype_in, state.symbol);
        if of(&state) != of(&new) {
            return Err(FetchError::Taken { path, there: of(&state), asked: of(&new) });
        }
        Ok(state)
    }

    /// Writes it beside its place, and puts it there whole.
    pub(super) fn save(&self, directory: &Path) -> Result<(), FetchError> {
        save(directory, NAME, self)
    }
}

/// Writes JSON into a directory, whole or not at all.
pub(super) fn save<T: Serialize>(directory: &Path, name: &str, value: &T) -> Result<(), FetchError> {
    let path = directory.join(name);
    let beside = directory.join(format!("{name}.partial"));
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    let write = || -> io::Result<()> {
        if std::fs::read(&path).is_ok_and(|there| there == text) {
            return Ok(());
        }
        std::fs::create_dir_all(directory)?;
        let mut file = File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)?;
        File::open(directory).and_then(|directory| directory.sync_all())
    };
    write().map_err(|error| FetchError::io(&path, error))
}

impl Entry {
    /// Whether a file is what was fetched.
    pub(super) fn is(&self, path: &Path) -> Result<bool, FetchError> {
        let failed = |error| FetchError::io(path, error);
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(failed(error)),
        };
        if file.metadata().map_err(failed)?.len() != self.bytes {
            return Ok(false);
        }
        let (mut hash, mut lines) = (Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 18];
        loop {
            match file.read(&mut buffer).map_err(failed)? {
                0 => break,
                count => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
                    hash.update(bytes);
                }
            }
        }
        // A header, and a line for each bar.
        Ok(hex::encode(hash.finalize()) == self.sha256 && lines == self.rows + 1)
    }
}

/// The months of a symbol's directory whose files are no longer what was fetched, as its `fetch.json` says; nothing, where it has none.
///
/// # Errors
/// When a file cannot be read, or `fetch.json` is not as it should be.
pub fn changed(directory: &Path) -> Result<Option<Vec<String>>, FetchError> {
    let path = directory.join(NAME);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FetchError::io(&path, error)),
    };
    let state: State =
        serde_json::from_slice(&text).map_err(|error| FetchError::State { path, why: error.to_string() })?;
    let mut changed = Vec::new();
    for (month, entry) in &state.months {
        if entry.rows > 0 && !entry.is(&file_of(directory, &state.symbol, month))? {
            changed.push(month.clone());
        }
    }
    Ok(Some(changed))
}

/// The file of a month in a symbol's directory.
pub(super) fn file_of(directory: &Path, symbol: &str, month: &str) -> PathBuf {
    directory.join(format!("{symbol}_{}.csv", month.replace('-', "_")))
}
