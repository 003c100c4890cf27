//! Reading the quality report of a package.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use pdp_archive::{ArchiveError, Limits};
use pdp_generate::Texts;
use pdp_manifest::{Manifest, PackagePath, QualityReport, Sha256Digest};

use crate::PackagerError;
use crate::package::Package;

/// The member that is read.
pub(crate) const JSON_PATH: &str = "metadata/quality_report.json";
/// The same figures for people.
pub(crate) const HTML_PATH: &str = "metadata/quality_report.html";
/// Most bytes of a report; one on a million files has fewer.
const MAX_BYTES: u64 = 1 << 30;

/// The quality report of a package, and what is needed to show it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QualityView {
    /// The package.
    pub package_path: PathBuf,
    /// Whether the package's maker gave a checksum for the report, which was compared.
    pub verified: bool,
    /// The report.
    pub report: QualityReport,
    manifest: Manifest,
}

impl QualityView {
    /// The report as a page of HTML that needs nothing but itself, as packages have it beside the report.
    ///
    /// # Errors
    /// The page's template cannot be filled, which is a fault of this program.
    pub fn page(&self) -> Result<String, PackagerError> {
        Ok(Texts::new()?.quality_page(&self.report, &self.manifest)?)
    }

    /// Writes the page to `target`, replacing what is there: beside it first, so that no reader meets half a page.
    ///
    /// # Errors
    /// As for [`Self::page`]; or the file cannot be written.
    pub fn write_page(&self, target: &Path) -> Result<(), PackagerError> {
        let text = self.page()?;
        let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        // Not through a link that somebody else may have put there.
        let written = OpenOptions::new().write(true).create_new(true).open(&beside).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&beside, target)
        });
        written.map_err(|error| {
            if error.kind() != std::io::ErrorKind::AlreadyExists {
                let _ = std::fs::remove_file(&beside);
            }
            PackagerError::io("writing the page to", target)(error)
        })
    }
}

/// Reads the quality report of the package at `path`: an archive or a folder.
///
/// Of the package, its structure is checked, and the checksum of the report; the data is not read.
///
/// # Errors
/// The package does not exist, is damaged or unsafe; it has no quality report, or one of a form that is not known here.
pub fn report(path: &Path) -> Result<QualityView, PackagerError> {
    report_within(path, &Limits::default())
}

/// As [`report`], of a package that may not go beyond these limits.
///
/// # Errors
/// As for [`report`].
pub fn report_within(path: &Path, limits: &Limits) -> Result<QualityView, PackagerError> {
    let package = Package::open_within(path, limits)?;
    let (report, verified) = read(&package)?;
    Ok(QualityView { package_path: package.path, verified, report, manifest: package.manifest })
}

/// The report, and whether its checksum was there to be compared.
pub(crate) fn read(package: &Package) -> Result<(QualityReport, bool), PackagerError> {
    let Package { path, container, manifest, .. } = package;
    let member: PackagePath = JSON_PATH.parse().map_err(ArchiveError::from)?;
    if !container.members().iter().any(|info| info.path == member) {
        return Err(PackagerError::NoQualityReport { package: path.clone() });
    }
    let bytes = container.read(&member, MAX_BYTES).map_err(PackagerError::in_package(path))?;
    let declared = manifest.supplementary_files.iter().find(|file| file.path == member);
    let expected = declared.and_then(|file| file.checksum_sha256);
    let actual = Sha256Digest::of(&bytes);
    if let Some(expected) = expected.filter(|expected| *expected != actual) {
        return Err(PackagerError::Invalid {
            summary: format!("{}: {JSON_PATH} is not as it was packed", path.display()),
            findings: vec![format!("{JSON_PATH}: SHA-256 expected {expected}, actual {actual}")],
        });
    }
    let report: QualityReport = serde_json::from_slice(&bytes).map_err(|error| PackagerError::Invalid {
        summary: format!(
            "{}: {JSON_PATH} is no quality report of a form that is known here; it was made by another program or \
             version. `pdp list` shows the grade, and the member itself can be read as JSON",
            path.display()
        ),
        findings: vec![format!("{JSON_PATH}: {error}")],
    })?;
    if report.package_id != manifest.package_id {
        return Err(PackagerError::Invalid {
            summary: format!("{}: {JSON_PATH} is on another package", path.display()),
            findings: vec![format!(
                "{JSON_PATH}: packageId expected {}, actual {}",
                manifest.package_id, report.package_id
            )],
        });
    }
    Ok((report, expected.is_some()))
}
