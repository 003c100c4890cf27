//! Extracting into a staging directory, every member verified as it is written.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;

use pdp_archive::{ArchiveError, MemberInfo};
use pdp_manifest::digest::Hasher;
use pdp_manifest::{PackagePath, Sha256Digest};

use super::plan::{Existing, Step};
use crate::package::Package;
use crate::{Finding, PackagerError, Progress, Stage};

/// Extracts the members of `steps` that have to be written to their places below `staging`.
pub(super) fn stage(
    package: &Package,
    steps: &[Step],
    staging: &Path,
    verify: bool,
    progress: &dyn Progress,
) -> Result<(), PackagerError> {
    let wanted: std::collections::HashMap<&PackagePath, &Step> =
        steps.iter().filter(|step| step.existing != Existing::Same).map(|step| (&step.member, step)).collect();
    let bytes = wanted.values().map(|step| step.size).sum();
    progress.begin(Stage::Extracting, u64::try_from(wanted.len()).unwrap_or(0), bytes);
    let findings: Mutex<Vec<Finding>> = Mutex::default();
    package.container.visit(&|info| wanted.contains_key(&info.path), &|info, body| {
        let Some(step) = wanted.get(&info.path) else { return Ok(()) };
        let actual = match write(info, body, &place(staging, &step.place), progress) {
            Ok(digest) => {
                progress.advance(1, 0);
                step.digest.filter(|stated| verify && *stated != digest).map(|_| digest.to_string())
            }
            // What the container itself knows to be damaged is refused whether or not digests are compared.
            Err(ArchiveError::Member { reason, .. }) if !progress.is_cancelled() => Some(reason),
            Err(error) => return Err(error),
        };
        if let Some(actual) = actual {
            let expected = step.digest.map_or_else(|| "bytes that can be read".to_owned(), |digest| digest.to_string());
            let finding = Finding { member: Some(info.path.to_string()), check: "sha256", expected, actual };
            findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(finding);
        }
        Ok(())
    })?;
    let mut findings = findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if findings.is_empty() {
        return Ok(());
    }
    findings.sort_by(|a, b| a.member.cmp(&b.member));
    Err(PackagerError::Invalid {
        summary: "Some files failed checksum validation; nothing was imported".to_owned(),
        findings: findings.iter().map(ToString::to_string).collect(),
    })
}

/// The path on disk of a place below `root`.
pub(super) fn place(root: &Path, path: &PackagePath) -> std::path::PathBuf {
    let mut place = root.to_owned();
    place.extend(path.components());
    place
}

fn write(
    info: &MemberInfo,
    body: &mut dyn Read,
    to: &Path,
    progress: &dyn Progress,
) -> Result<Sha256Digest, ArchiveError> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(ArchiveError::io("creating directory", parent))?;
    }
    let mut file = File::create_new(to).map_err(ArchiveError::io("creating", to))?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; usize::try_from(info.size.clamp(1, 256 << 10)).unwrap_or(1)];
    loop {
        if progress.is_cancelled() {
            return Err(ArchiveError::Member { member: info.path.to_string(), reason: "interrupted".to_owned() });
        }
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(crate::validate::content_error(info, &error)),
        };
        let block = buffer.get(..n).unwrap_or_default();
        hasher.update(block);
        file.write_all(block).map_err(ArchiveError::io("writing", to))?;
        progress.advance(0, u64::try_from(n).unwrap_or(0));
    }
    file.sync_all().map_err(ArchiveError::io("flushing", to))?;
    Ok(hasher.finish())
}
