//! What an import will do to its destination, decided before anything is written.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pdp_archive::target::holds;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::model::Declared;
use pdp_manifest::{Manifest, PackagePath, Sha256Digest};

use crate::PackagerError;
use crate::package::Package;

/// One member and its place below the destination.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) member: PackagePath,
    /// Its place below the destination.
    pub(super) place: PackagePath,
    pub(super) size: u64,
    /// The digest it must have; none for the manifest itself.
    pub(super) digest: Option<Sha256Digest>,
    pub(super) existing: Existing,
}

/// What lies at a member's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Nothing,
    Same,
    Other,
}

/// The steps for `package`, and the directory below the destination that its papers go to (empty for the top).
pub(super) fn plan(package: &Package, destination: &Path) -> Result<(Vec<Step>, String), PackagerError> {
    let papers = papers_directory(&package.manifest, destination);
    let data: std::collections::HashSet<&PackagePath> = package.manifest.files.iter().map(|file| &file.path).collect();
    let declared: std::collections::HashMap<&PackagePath, Declared<'_>> =
        package.manifest.declared().map(|declared| (declared.path, declared)).collect();
    let mut steps = Vec::with_capacity(package.container.members().len());
    for info in package.container.members().iter().filter(|info| !package.is_residue(&info.path)) {
        let place = if data.contains(&info.path) || papers.is_empty() {
            info.path.clone()
        } else {
            format!("{papers}/{}", info.path).parse().map_err(pdp_archive::ArchiveError::from)?
        };
        let digest = declared.get(&info.path).and_then(|declared| declared.digest.copied());
        let mut step = Step { member: info.path.clone(), place, size: info.size, digest, existing: Existing::Nothing };
        step.existing = existing(destination, &step, package)?;
        steps.push(step);
    }
    Ok((steps, papers))
}

/// Where manifest, README, metadata and scripts go: to the top, unless those of another package lie there.
fn papers_directory(manifest: &Manifest, destination: &Path) -> String {
    match fs::read(destination.join(MANIFEST_PATH)) {
        Err(_) => String::new(),
        Ok(bytes) => match pdp_manifest::json::parse(&bytes) {
            Ok(there) if there.package_id == manifest.package_id => String::new(),
            _ => format!("packages/{}", manifest.package_id),
        },
    }
}

/// What lies at the place of `step`; an error where something lies in the way.
fn existing(destination: &Path, step: &Step, package: &Package) -> Result<Existing, PackagerError> {
    let mut path = destination.to_owned();
    let mut components = step.place.components().peekable();
    while let Some(component) = components.next() {
        path.push(component);
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Existing::Nothing),
            Err(error) => return Err(PackagerError::io("looking at", &path)(error)),
        };
        let is_last = components.peek().is_none();
        if metadata.is_symlink() {
            return Err(in_the_way(path, "is a symbolic link, which an import does not follow"));
        }
        if !is_last && !metadata.is_dir() {
            return Err(in_the_way(path, "is a file where the package has a directory"));
        }
        if is_last && !metadata.is_file() {
            return Err(in_the_way(path, "is no regular file, and the package has a file of that name"));
        }
    }
    let same = match step.digest {
        Some(digest) => holds(&path, step.size, &digest).map_err(PackagerError::io("reading", &path))?,
        None if step.member.as_str() == MANIFEST_PATH => {
            let bytes = package.container.read(&step.member, pdp_manifest::json::DEFAULT_MAX_BYTES)?;
            let digest = Sha256Digest::of(&bytes);
            holds(&path, step.size, &digest).map_err(PackagerError::io("reading", &path))?
        }
        // Without a checksum nothing says that it is the same.
        None => false,
    };
    Ok(if same { Existing::Same } else { Existing::Other })
}

fn in_the_way(path: PathBuf, why: &str) -> PackagerError {
    let source = io::Error::new(io::ErrorKind::AlreadyExists, why.to_owned());
    PackagerError::Io { action: "importing to", path, source }
}
