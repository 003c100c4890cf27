//! The parts of a split package: which belong together, and whether all of them are there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdp_archive::Limits;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{Manifest, PackageId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::package::Package;
use crate::validate::{Finding, ValidateOptions, ValidateReport, validate};
use crate::{PackagerError, Progress};

/// What validation found of a package in parts.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SetReport {
    /// Whether nothing was found, in the set or in any part.
    pub valid: bool,
    /// What is wrong with the set: parts that are missing, there twice or of another package.
    pub findings: Vec<Finding>,
    /// What the parts have in common; none where the packages are no parts, and each stands for itself.
    pub set_id: Option<PackageId>,
    /// Each part by itself, in the order of their numbers.
    pub parts: Vec<ValidateReport>,
}

/// Validates the parts of a package, given in any order. Where one part alone is given, the others are looked for beside
/// it. Several packages that are no parts are validated one by one.
///
/// # Errors
/// As for [`validate`]; a part that cannot be read ends it.
pub fn validate_set(
    paths: &[PathBuf],
    options: &ValidateOptions,
    progress: &dyn Progress,
) -> Result<SetReport, PackagerError> {
    let packages = open(paths, &options.limits)?;
    let independent = packages.iter().all(|package| !is_part(&package.manifest));
    let findings = if independent { Vec::new() } else { check(&packages) };
    let set_id = packages.first().and_then(|package| package.manifest.set_id.clone());
    let mut parts = Vec::with_capacity(packages.len());
    for package in &packages {
        parts.push(validate(&package.path, options, progress)?);
    }
    let valid = findings.is_empty() && parts.iter().all(|part| part.valid);
    Ok(SetReport { valid, findings, set_id, parts })
}

/// Opens the packages at `paths`, in the order of their part numbers; one part alone brings its set.
pub(crate) fn open(paths: &[PathBuf], limits: &Limits) -> Result<Vec<Package>, PackagerError> {
    let mut packages = Vec::with_capacity(paths.len());
    for path in paths {
        packages.push(Package::open_within(path, limits)?);
    }
    if let [only] = packages.as_slice()
        && is_part(&only.manifest)
    {
        let others: Vec<PathBuf> =
            siblings(&only.path, &only.manifest).into_iter().filter(|path| path.exists()).collect();
        for path in others {
            packages.push(Package::open_within(&path, limits)?);
        }
        if !check(&packages).is_empty() {
            // By name they are not whole; names do not count.
            packages.truncate(1);
            add_by_content(&mut packages, limits);
        }
    }
    packages.sort_by_key(|package| package.manifest.part_number);
    Ok(packages)
}

/// Whether a package is one of several parts.
pub(crate) fn is_part(manifest: &Manifest) -> bool {
    manifest.total_parts.is_some_and(|total| total > 1)
}

/// The names that the other parts have by default, beside the part at `path`.
fn siblings(path: &Path, manifest: &Manifest) -> Vec<PathBuf> {
    let (Some(number), Some(total)) = (manifest.part_number, manifest.total_parts) else { return Vec::new() };
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let own = format!(".part{number}of{total}");
    let Some((stem, extension)) = name.rsplit_once(&own) else { return Vec::new() };
    (1..=total.min(100_000))
        .filter(|other| *other != number)
        .map(|other| path.with_file_name(format!("{stem}.part{other}of{total}{extension}")))
        .collect()
}

/// Adds what lies beside the one package of `packages` and says that it is of the same set, whatever it is called.
fn add_by_content(packages: &mut Vec<Package>, limits: &Limits) {
    let Some(first) = packages.first() else { return };
    let own = first.path.clone();
    let set = first.manifest.set_id.clone();
    let beside = match own.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let is_package = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_ascii_lowercase();
        [".zip", ".tar.gz", ".tgz"].iter().any(|end| name.ends_with(end)) || path.join(MANIFEST_PATH).is_file()
    };
    let mut others: Vec<PathBuf> = std::fs::read_dir(beside)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| beside.join(entry.file_name())))
        .filter(|path| path.file_name() != own.file_name() && is_package(path))
        .collect();
    others.sort();
    // What cannot be opened is no part that anybody could use; it is named as missing.
    let found = others.into_iter().filter_map(|path| Package::open_within(&path, limits).ok());
    packages.extend(found.filter(|package| is_part(&package.manifest) && package.manifest.set_id == set));
}

/// What keeps `packages` from being one whole set.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    let finding = |expected: String, actual: String| Finding { member: None, check: "parts", expected, actual };
    let Some(first) = packages.first() else { return Vec::new() };
    let mut findings = Vec::new();
    if packages.len() == 1 && !is_part(&first.manifest) {
        return findings;
    }
    let (set, total) = (&first.manifest.set_id, first.manifest.total_parts.unwrap_or(1));
    let set_of = |set: &Option<PackageId>| set.as_ref().map_or("no set".to_owned(), |id| format!("set {id}"));
    let mut seen: BTreeMap<u32, &Path> = BTreeMap::new();
    for package in packages {
        let manifest = &package.manifest;
        let shown = package.path.display();
        if manifest.set_id != *set || manifest.total_parts.unwrap_or(1) != total || !is_part(manifest) {
            let of = manifest.total_parts.unwrap_or(1);
            findings.push(finding(
                format!("parts of one package ({}, {total} parts, as {})", set_of(set), first.path.display()),
                format!("{shown} is of another ({}, {of} parts)", set_of(&manifest.set_id)),
            ));
            continue;
        }
        let number = manifest.part_number.unwrap_or(0);
        if let Some(other) = seen.insert(number, &package.path) {
            findings.push(finding(
                "each part once".to_owned(),
                format!("part {number} is both {} and {shown}", other.display()),
            ));
        }
        if number == 0 || number > total {
            findings.push(finding(format!("a part from 1 to {total}"), format!("{shown} is part {number}")));
        }
    }
    for number in (1..=total.min(100_000)).filter(|number| !seen.contains_key(number)) {
        findings.push(finding(format!("part {number} of {total}"), format!("part {number} is missing")));
    }
    findings
}
