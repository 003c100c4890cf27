//! Walking a directory tree.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pdp_manifest::{ContentEncoding, DataFormat};
use walkdir::{DirEntry, WalkDir};

use super::{ScanOptions, Skipped};
use crate::PackagerError;
use crate::inspect::sniff;

/// A file whose name promises data.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    pub(super) relative: String,
    pub(super) components: Vec<String>,
    pub(super) size: u64,
    pub(super) modified: Option<SystemTime>,
    pub(super) promised: (DataFormat, ContentEncoding),
    pub(super) warnings: Vec<String>,
}

/// The files below `root` whose names promise data, in the order of their relative paths.
pub(super) fn walk(root: &Path, options: &ScanOptions) -> Result<(Vec<Candidate>, Vec<Skipped>), PackagerError> {
    let exclude = options.exclude.as_ref().and_then(|path| path.canonicalize().ok());
    let excluded = |entry: &DirEntry| {
        exclude.is_some() && entry.file_type().is_dir() && entry.path().canonicalize().ok() == exclude
    };
    let mut found = Vec::new();
    let mut skipped = Vec::new();
    let walk = WalkDir::new(root).min_depth(1).follow_links(options.follow_links).follow_root_links(true);
    let mut entries = walk.into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().map(|path| relative(root, path).0).unwrap_or_default();
                let reason = match error.loop_ancestor() {
                    Some(ancestor) => format!("a link back to {}", relative(root, ancestor).0),
                    None => error.io_error().map_or_else(|| error.to_string(), ToString::to_string),
                };
                skipped.push(Skipped { path, reason });
                continue;
            }
        };
        let name = entry.file_name().to_string_lossy();
        let kind = entry.file_type();
        if name.starts_with('.') || (kind.is_dir() && (name == "_quarantine" || excluded(&entry))) {
            if kind.is_dir() {
                entries.skip_current_dir();
            }
            if name == "_quarantine" {
                let reason = "quarantined by the collector".to_owned();
                skipped.push(Skipped { path: relative(root, entry.path()).0, reason });
            }
            continue;
        }
        if kind.is_dir() {
            continue;
        }
        let promised = sniff::by_name(&name);
        let (shown, components, exact) = relative(root, entry.path());
        if kind.is_symlink() {
            // A link to a directory may hold data whatever its name.
            if promised.is_some() || entry.path().is_dir() {
                let reason = "a symbolic link; links are followed only when asked for".to_owned();
                skipped.push(Skipped { path: shown, reason });
            }
            continue;
        }
        let Some(promised) = promised else { continue };
        if !kind.is_file() {
            // A pipe, a socket or a device: opening one could wait for ever.
            skipped.push(Skipped { path: shown, reason: "no regular file".to_owned() });
            continue;
        }
        let metadata = entry.metadata();
        let warnings =
            if exact { Vec::new() } else { vec!["its name is not UTF-8 and is changed in the package".to_owned()] };
        found.push(Candidate {
            size: metadata.as_ref().map_or(0, std::fs::Metadata::len),
            modified: metadata.ok().and_then(|metadata| metadata.modified().ok()),
            path: entry.path().to_owned(),
            relative: shown,
            components,
            promised,
            warnings,
        });
    }
    found.sort_by_cached_key(|file| order(&file.components, &file.path));
    skipped.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, skipped))
}

/// The order of files: by directory, then by name, a number before the extension counting as a number. A file that got
/// one in a package (`x.jsonl`, `x.2.jsonl`, `x.10.jsonl`) so comes after the one that kept its name.
fn order(components: &[String], path: &Path) -> (Vec<String>, String, u64, String, PathBuf) {
    let (name, directories) = components.split_last().map_or(("", components), |(name, rest)| (name.as_str(), rest));
    let stem = sniff::stem(name);
    let numbered = stem.rsplit_once('.').and_then(|(base, digits)| Some((base, digits.parse::<u64>().ok()?)));
    let (base, number) = numbered.unwrap_or((stem, 0));
    (directories.to_vec(), base.to_owned(), number, sniff::extensions(name).to_owned(), path.to_owned())
}

/// A path below the root with `/` between its parts, the parts, and whether all of it was UTF-8.
fn relative(root: &Path, path: &Path) -> (String, Vec<String>, bool) {
    let below = path.strip_prefix(root).unwrap_or(path);
    let components: Vec<String> =
        below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    (components.join("/"), components, below.to_str().is_some())
}
