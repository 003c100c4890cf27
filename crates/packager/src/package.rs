//! An opened package: its container and its manifest.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use pdp_archive::{ArchiveError, ContainerReader, Limits};
use pdp_manifest::json::{self, MANIFEST_PATH};
use pdp_manifest::{ContainerFormat, Manifest, PackagePath};

use crate::PackagerError;

/// A package whose structure was checked and whose manifest was read.
pub(crate) struct Package {
    pub(crate) path: PathBuf,
    pub(crate) container: Box<dyn ContainerReader>,
    pub(crate) manifest: Manifest,
    /// Whether it came as a stream and lies where that was staged.
    pub(crate) streamed: bool,
    /// Whether it, and what lies beside it, may be a symbolic link.
    pub(crate) follow_links: bool,
}

impl Package {
    /// Whether this is an archive that was unpacked: a folder whose manifest speaks of another container.
    pub(crate) fn is_unpacked(&self) -> bool {
        self.container.format() == ContainerFormat::Folder && self.manifest.format != ContainerFormat::Folder
    }

    /// Why the package's size cannot be compared: it is not as it was packed, though nothing may be wrong with it.
    pub(crate) fn differently_packed(&self) -> Option<&'static str> {
        if self.streamed {
            return Some("it came as a stream, which is packed anew; its size as it was packed cannot be compared");
        }
        if self.is_unpacked() {
            return Some("an unpacked archive, whose size as it was packed cannot be compared");
        }
        let repacked =
            self.container.deviation().is_some() && self.manifest.package_size_bytes != Some(self.container.size());
        repacked.then_some("packed anew by another tool; its size as it was first packed cannot be compared")
    }

    /// Where a package that says its headers are canonical has others, in a file of exactly the size it had.
    pub(crate) fn broken_framing(&self) -> Option<String> {
        if !self.manifest.canonical_framing || self.is_unpacked() {
            return None;
        }
        let repacked = self.manifest.package_size_bytes != Some(self.container.size());
        if let Some(deviation) = self.container.deviation() {
            return (!repacked).then(|| deviation.to_owned());
        }
        let rest = self.container.members().get(2..).unwrap_or_default();
        let pair = rest.windows(2).find(|pair| !pair.is_sorted_by(|one, other| one.path <= other.path))?;
        pair.last().map(|info| format!("{} is not where the order of names puts it", info.path))
    }

    /// Whether a member of a folder is what Python leaves beside a script that was imported.
    pub(crate) fn is_residue(&self, path: &PackagePath) -> bool {
        let folder = self.container.format() == ContainerFormat::Folder && !self.streamed;
        folder && path.components().any(|part| part == "__pycache__")
    }

    /// What came as a stream called `path` and was staged in a folder that is opened here.
    #[cfg(feature = "async")]
    pub(crate) fn streamed(path: &Path, container: Box<dyn ContainerReader>, manifest: Manifest) -> Self {
        Self { path: path.to_owned(), container, manifest, streamed: true, follow_links: true }
    }

    /// Opens the package at `path`.
    pub(crate) fn open(path: &Path) -> Result<Self, PackagerError> {
        Self::open_within(path, &Limits::default())
    }

    /// Opens the package at `path`, unless it goes beyond the limits.
    pub(crate) fn open_within(path: &Path, limits: &Limits) -> Result<Self, PackagerError> {
        if std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Err(PackagerError::NotFound { what: "package", path: path.to_owned() });
        }
        let container = pdp_archive::open(path, limits).map_err(PackagerError::in_package(path))?;
        let member: PackagePath = MANIFEST_PATH.parse().map_err(ArchiveError::from)?;
        let bytes = container.read(&member, json::DEFAULT_MAX_BYTES).map_err(|error| match error {
            ArchiveError::Member { .. } if !container.members().iter().any(|info| info.path == member) => {
                let reason = "there is no manifest.json in it, so it is no portable data package".to_owned();
                ArchiveError::NotAContainer { path: path.to_owned(), reason }
            }
            other => other,
        });
        let bytes = bytes.map_err(PackagerError::in_package(path))?;
        let manifest =
            json::parse(&bytes).map_err(|source| PackagerError::Manifest { package: path.to_owned(), source })?;
        let package =
            Self { path: path.to_owned(), container, manifest, streamed: false, follow_links: limits.follow_links };
        let members = package.container.members().iter().map(|info| &info.path);
        check_places(path, members, &package.manifest)?;
        let first = package.container.members().first().is_none_or(|info| info.path == member);
        if !first && package.container.format() != ContainerFormat::Folder && package.differently_packed().is_none() {
            let summary = format!("{} is not laid out as a package must be", path.display());
            let findings = vec![format!("{MANIFEST_PATH}: expected as the first member of an archive")];
            return Err(PackagerError::Invalid { summary, findings });
        }
        Ok(package)
    }
}

/// Whether a package lies at `path`, a sound one or one that is damaged but begins as a package does; links are followed.
///
/// An archive whose directory of members is damaged can still be told: its first member is called `manifest.json`.
#[must_use]
pub fn is_package(path: &Path) -> bool {
    let begins = match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => ["manifest.json", "data"].iter().all(|name| path.join(name).exists()),
        Ok(metadata) if metadata.is_file() => begins_as_package(path).unwrap_or(false),
        _ => return false,
    };
    begins || Package::open(path).is_ok()
}

/// Whether the first member of an archive has the manifest's name.
fn begins_as_package(path: &Path) -> std::io::Result<bool> {
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(4 << 10).read_to_end(&mut head)?;
    Ok(match head.as_slice() {
        [b'P', b'K', 3, 4, rest @ ..] => rest.get(26..).is_some_and(|rest| rest.starts_with(MANIFEST_PATH.as_bytes())),
        [0x1f, 0x8b, ..] => {
            let mut name = [0; 100];
            flate2::read::MultiGzDecoder::new(head.as_slice()).read_exact(&mut name)?;
            name.strip_prefix(MANIFEST_PATH.as_bytes()).is_some_and(|rest| rest.starts_with(&[0]))
        }
        _ => false,
    })
}

/// No member may have a name that an import uses for itself at its destination, for it would speak for the import;
/// and data lies in `data/`.
pub(crate) fn check_places<'a>(
    package: &Path,
    members: impl Iterator<Item = &'a PackagePath>,
    manifest: &Manifest,
) -> Result<(), PackagerError> {
    let mut findings = Vec::new();
    for path in members {
        if path.components().any(|part| part.to_ascii_lowercase().starts_with(".pdp-")) {
            findings.push(format!("{path}: names that begin with .pdp- are reserved"));
        }
    }
    for claim in manifest.declared() {
        if claim.path.components().any(|part| part.to_ascii_lowercase().starts_with(".pdp-")) {
            findings.push(format!("{}: declared, and names that begin with .pdp- are reserved", claim.path));
        }
    }
    for file in manifest.files.iter().filter(|file| !file.path.as_str().starts_with("data/")) {
        findings.push(format!("{}: declared as data, and not in data/", file.path));
    }
    if findings.is_empty() {
        return Ok(());
    }
    let summary = format!("{} is not laid out as a package must be", package.display());
    Err(PackagerError::Invalid { summary, findings })
}
