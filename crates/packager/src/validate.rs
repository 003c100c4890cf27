//! Validating a package: everything it claims, recomputed.

mod deep;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use chrono::{DateTime, Utc};
use pdp_archive::contract::member_error;
use pdp_archive::disk::open_file;
use pdp_archive::target::digest_of;
use pdp_archive::{ArchiveError, Limits, MemberInfo};
use pdp_manifest::digest::Hasher;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::model::Declared;
use pdp_manifest::{EventType, Manifest, PackagePath, Sha256Digest, Symbol, listing, time};
use pdp_sign::PublicKey;
use schemars::JsonSchema;
use serde::Serialize;

use crate::package::Package;
use crate::signature::{self, SignatureReport};
use crate::{PackagerError, Progress, Stage, sidecar};

/// How to validate.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ValidateOptions {
    /// Threads; the number of cores when zero.
    pub threads: usize,
    /// The key that must have signed the package; its signature lies beside it.
    pub public_key: Option<PublicKey>,
    /// Whether records are counted again and held against the package's schemas.
    pub deep: bool,
    /// What a package may not go beyond.
    pub limits: Limits,
}

/// What validation checked and found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ValidateReport {
    /// The package.
    pub package_path: PathBuf,
    /// Whether nothing was found.
    pub valid: bool,
    /// What was checked, each with how often.
    pub checks: Checks,
    /// What is wrong, in the order of the members.
    pub findings: Vec<Finding>,
    /// Remarks that do not make the package invalid.
    pub warnings: Vec<String>,
    /// Who signed it, if a key was given and the signature is right.
    pub signature: Option<SignatureReport>,
}

/// What was checked.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Checks {
    /// Members whose headers, names and places were checked.
    pub structure: u64,
    /// Members declared in the manifest that were looked for.
    pub presence: u64,
    /// Members whose size was compared.
    pub sizes: u64,
    /// Members whose SHA-256 was recomputed.
    pub checksums: u64,
    /// Members declared without a checksum, which nothing vouches for.
    pub unverified: u64,
    /// Totals, lists and date range of the manifest that were recomputed.
    pub totals: bool,
    /// Whether the manifest states a package checksum and it was recomputed.
    pub package_checksum: bool,
    /// Whether the manifest states the archive's size and it was compared.
    pub package_size: bool,
    /// Whether there is a `.sha256` file beside the archive and it was compared.
    pub sidecar: bool,
    /// Whether a public key was given and the signature was checked.
    pub signature: bool,
    /// Whether records were counted again and held against the schemas.
    pub deep: bool,
    /// Data files of which that was done.
    pub deep_files: u64,
    /// Records in them.
    pub deep_records: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// The member it concerns; none for the package as a whole.
    pub member: Option<String>,
    /// What was checked.
    pub check: &'static str,
    /// What should have been there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = self.member.as_deref().unwrap_or("package");
        write!(f, "{member}: {}: expected {}, actual {}", self.check, self.expected, self.actual)
    }
}

/// Validates the package at `path`: an archive or a folder.
///
/// Checked are the container's structure, the manifest, that nothing is missing and nothing undeclared, every size and
/// SHA-256, totals and date range, package checksum, archive size, and the `.sha256` file beside it where there is one;
/// with [`ValidateOptions::deep`] every record too: counts, times, uncompressed sizes and schemas.
///
/// # Errors
/// The package does not exist, cannot be read, or its structure or manifest is so damaged that its members cannot be
/// told. A package that can be read and is wrong is a report with findings.
pub fn validate(
    path: &Path,
    options: &ValidateOptions,
    progress: &dyn Progress,
) -> Result<ValidateReport, PackagerError> {
    let pool = crate::threads(options.threads)?;
    let outcome = pool.install(|| {
        let package = Package::open_within(path, &options.limits)?;
        let (mut report, digests) = check(&package, progress)?;
        check_sidecar(&package, &mut report)?;
        check_signature(&package, &digests, options, &mut report)?;
        if options.deep {
            let data = package.manifest.files.iter().filter_map(|file| Some((&file.path, digests.get(&file.path)?)));
            let own = listing::package_id(data) == package.manifest.package_id;
            deep::check(&package, own, &mut report, progress)?;
            report.findings.sort_by(|a, b| a.member.cmp(&b.member));
        }
        report.valid = report.findings.is_empty();
        Ok(report)
    });
    match outcome {
        // However a stop shows itself, it is a stop, and no verdict.
        _ if progress.is_cancelled() => Err(PackagerError::Cancelled),
        outcome => outcome,
    }
}

/// As [`validate`], without the sidecar, on the current threads.
pub(crate) fn validate_container(path: &Path, progress: &dyn Progress) -> Result<ValidateReport, PackagerError> {
    check(&Package::open(path)?, progress).map(|(report, _)| report)
}

/// The digests of the members that could be read.
type Digests = HashMap<PackagePath, Sha256Digest>;

fn check(package: &Package, progress: &dyn Progress) -> Result<(ValidateReport, Digests), PackagerError> {
    let mut report = ValidateReport {
        package_path: package.path.clone(),
        valid: true,
        checks: Checks::default(),
        findings: Vec::new(),
        warnings: Vec::new(),
        signature: None,
    };
    let members = package.container.members();
    report.checks.structure = count(members.len());
    let first = members.first().map(|info| info.path.as_str());
    if first != Some(MANIFEST_PATH) && package.container.format() != pdp_manifest::ContainerFormat::Folder {
        report.warnings.push(format!("{MANIFEST_PATH} is not the first member"));
    }
    let digests = check_members(package, &mut report, progress)?;
    report.findings.extend(totals(&package.manifest));
    report.checks.totals = true;
    check_package(package, &digests, &mut report);
    report.findings.sort_by(|a, b| a.member.cmp(&b.member));
    report.valid = report.findings.is_empty();
    Ok((report, digests))
}

/// The signature beside the package, held against the members as they are.
fn check_signature(
    package: &Package,
    digests: &Digests,
    options: &ValidateOptions,
    report: &mut ValidateReport,
) -> Result<(), PackagerError> {
    let Some(key) = &options.public_key else {
        if signature::is_beside(&package.path) {
            report.warnings.push("there is a signature beside the package; a public key would check it".to_owned());
        }
        return Ok(());
    };
    report.checks.signature = true;
    let members = package.container.members().iter().filter(|info| !package.is_residue(&info.path));
    let all: Option<Vec<_>> = members.map(|info| Some((&info.path, digests.get(&info.path)?))).collect();
    let listing = all.map(listing::canonical);
    match signature::check(package, listing.as_deref(), key)? {
        Ok(signed) => report.signature = Some(signed),
        Err(finding) => report.findings.push(finding),
    }
    Ok(())
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

fn finding(
    member: Option<&PackagePath>,
    check: &'static str,
    expected: impl ToString,
    actual: impl ToString,
) -> Finding {
    Finding {
        member: member.map(ToString::to_string),
        check,
        expected: expected.to_string(),
        actual: actual.to_string(),
    }
}

/// Reads and hashes every member; the digests of those that could be read.
fn check_members(
    package: &Package,
    report: &mut ValidateReport,
    progress: &dyn Progress,
) -> Result<HashMap<PackagePath, Sha256Digest>, PackagerError> {
    let declared: HashMap<&PackagePath, Declared<'_>> =
        package.manifest.declared().map(|declared| (declared.path, declared)).collect();
    let members = package.container.members();
    let present: HashMap<&PackagePath, &MemberInfo> = members.iter().map(|info| (&info.path, info)).collect();
    report.checks.presence = count(declared.len());
    for declared in package.manifest.declared() {
        if !present.contains_key(declared.path) {
            report.findings.push(finding(Some(declared.path), "presence", "a member", "no such member"));
        }
    }
    for info in members {
        if package.is_residue(&info.path) {
            report.warnings.push(format!("{} was made by running a script; it is no part of the package", info.path));
        } else if info.path.as_str() != MANIFEST_PATH && !declared.contains_key(&info.path) {
            let found =
                finding(Some(&info.path), "declaration", "to be declared in the manifest", "an undeclared member");
            report.findings.push(found);
        }
    }
    progress.begin(Stage::Verifying, count(members.len()), members.iter().map(|info| info.size).sum());
    let shared = Mutex::new((Vec::new(), HashMap::new()));
    let note = |found: Option<Finding>, digest: Option<(PackagePath, Sha256Digest)>| {
        let mut shared = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.0.extend(found);
        shared.1.extend(digest);
    };
    package.container.visit(&|info| !package.is_residue(&info.path), &|info, body| {
        let outcome = hash(info, body, progress);
        if progress.is_cancelled() {
            return Err(ArchiveError::Member { member: info.path.to_string(), reason: "interrupted".to_owned() });
        }
        progress.advance(1, 0);
        let digest = match outcome {
            Ok(digest) => digest,
            Err(Unreadable { read, digest, reason }) => {
                let expected = declared.get(&info.path).and_then(|claim| claim.digest);
                let expected = expected.map_or_else(|| "bytes that can be read".to_owned(), ToString::to_string);
                let actual = match read == info.size {
                    true => format!("{digest} ({reason})"),
                    false => format!("{digest} of the {read} bytes that can be read ({reason})"),
                };
                note(Some(finding(Some(&info.path), "sha256", expected, actual)), None);
                return Ok(());
            }
        };
        let stated = declared.get(&info.path).and_then(|declared| declared.digest);
        let wrong = stated.filter(|stated| **stated != digest);
        note(
            wrong.map(|stated| finding(Some(&info.path), "sha256", stated, digest)),
            Some((info.path.clone(), digest)),
        );
        Ok(())
    })?;
    let (mut found, digests) = shared.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    report.findings.append(&mut found);
    for (path, declared) in &declared {
        let Some(info) = present.get(path) else { continue };
        match declared.size {
            Some(size) if size != info.size => report.findings.push(finding(Some(path), "size", size, info.size)),
            Some(_) => {}
            None => continue,
        }
        report.checks.sizes += 1;
    }
    let checked = |declared: &&Declared<'_>| declared.digest.is_some() && digests.contains_key(declared.path);
    report.checks.checksums = count(declared.values().filter(checked).count());
    report.checks.unverified = count(declared.values().filter(|declared| declared.digest.is_none()).count());
    if report.checks.unverified > 0 {
        report.warnings.push(format!("{} members have no checksum in the manifest", report.checks.unverified));
    }
    Ok(digests)
}

/// A member whose bytes could not be read to a good end, and what could be read of it.
struct Unreadable {
    read: u64,
    digest: Sha256Digest,
    reason: String,
}

fn hash(info: &MemberInfo, body: &mut dyn Read, progress: &dyn Progress) -> Result<Sha256Digest, Unreadable> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; usize::try_from(info.size.clamp(1, 256 << 10)).unwrap_or(1)];
    let mut read = 0;
    let reason = loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(n) => {
                hasher.update(buffer.get(..n).unwrap_or_default());
                read += count(n);
                progress.advance(0, count(n));
                if progress.is_cancelled() {
                    break "interrupted".to_owned();
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break error.to_string(),
        }
    };
    Err(Unreadable { read, digest: hasher.finish(), reason })
}

/// What the manifest says about its own list of files and does not follow from it.
pub(crate) fn totals(manifest: &Manifest) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut same = |check: &'static str, stated: String, actual: String| {
        if stated != actual {
            findings.push(finding(None, check, actual, stated));
        }
    };
    same("totalFiles", manifest.total_files.to_string(), count(manifest.files.len()).to_string());
    let events: u64 = manifest.files.iter().filter_map(|file| file.event_count).fold(0, u64::saturating_add);
    same("totalEvents", manifest.total_events.to_string(), events.to_string());
    let symbols: BTreeSet<&Symbol> = manifest.files.iter().map(|file| &file.symbol).collect();
    let types: BTreeSet<&EventType> = manifest.files.iter().map(|file| &file.event_type).collect();
    // A manifest by another maker may leave these lists out.
    if !manifest.symbols.is_empty() {
        same("symbols", words(manifest.symbols.iter().collect::<BTreeSet<_>>()), words(symbols));
    }
    if !manifest.event_types.is_empty() {
        same("eventTypes", words(manifest.event_types.iter().collect::<BTreeSet<_>>()), words(types));
    }
    if let Some(stated) = manifest.uncompressed_size_bytes {
        let sizes: Option<Vec<u64>> = manifest.files.iter().map(|file| file.uncompressed_size_bytes).collect();
        if let Some(sizes) = sizes {
            let total = sizes.into_iter().fold(0, u64::saturating_add);
            same("uncompressedSizeBytes", stated.to_string(), total.to_string());
        }
    }
    if let (Some(stated), Some((start, end))) = (&manifest.date_range, span(manifest)) {
        let words = |start, end| format!("{} to {}", time::format(start), time::format(end));
        same("dateRange", words(stated.start, stated.end), words(start, end));
    }
    if let (Some(number), Some(total)) = (manifest.part_number, manifest.total_parts)
        && (number == 0 || number > total)
    {
        findings.push(finding(None, "partNumber", format!("1 to {total}"), number));
    }
    findings
}

/// The span of the files' times, a file without them giving its date; none where no file states its times.
fn span(manifest: &Manifest) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    manifest.files.iter().find(|file| file.first_timestamp.is_some())?;
    let spans = manifest.files.iter().filter_map(|file| {
        let date = file.date.map(time::midnight);
        Some((file.first_timestamp.or(date)?, file.last_timestamp.or(date)?))
    });
    spans.reduce(|(start, end), (first, last)| (start.min(first), end.max(last)))
}

fn words<T: ToString>(values: BTreeSet<&T>) -> String {
    values.into_iter().map(T::to_string).collect::<Vec<_>>().join(",")
}

fn check_package(package: &Package, digests: &HashMap<PackagePath, Sha256Digest>, report: &mut ValidateReport) {
    if let Some(stated) = package.manifest.package_checksum {
        report.checks.package_checksum = true;
        let members = digests.iter().filter(|(path, _)| path.as_str() != MANIFEST_PATH);
        let actual = listing::package_checksum(members);
        if actual != stated {
            report.findings.push(finding(None, "packageChecksum", stated.prefixed(), actual.prefixed()));
        }
    }
    let data = package.manifest.files.iter().filter_map(|file| Some((&file.path, digests.get(&file.path)?)));
    if listing::package_id(data) != package.manifest.package_id {
        report.warnings.push("packageId does not follow from the data, as it does in packages made by pdp".to_owned());
    }
    if let Some(was) = package.differently_packed() {
        report.warnings.push(was.to_owned());
    } else if let Some(stated) = package.manifest.package_size_bytes {
        report.checks.package_size = true;
        let actual = package.container.size();
        if actual != stated {
            report.findings.push(finding(None, "packageSizeBytes", stated, actual));
        }
    }
    if let Some(deviation) = package.broken_framing() {
        report.findings.push(finding(
            None,
            "framing",
            "headers in canonical form",
            format!("another form: {deviation}"),
        ));
    }
}

fn check_sidecar(package: &Package, report: &mut ValidateReport) -> Result<(), PackagerError> {
    let path = package.path.as_path();
    let beside = sidecar::path_of(path);
    let Ok(file) = open_file(&beside, package.follow_links) else { return Ok(()) };
    let mut text = String::new();
    let read = file.take(4096).read_to_string(&mut text);
    report.checks.sidecar = true;
    let stated = read.ok().and_then(|_| sidecar::parse(&text));
    if let (Some(named), Some(own)) = (sidecar::name(&text), path.file_name())
        && own != named
    {
        report.warnings.push(format!("{} speaks of \"{}\"", beside.display(), named.escape_debug()));
    }
    let mut archive = open_file(path, package.follow_links).map_err(PackagerError::io("opening", path))?;
    let actual = digest_of(&mut archive).map_err(PackagerError::io("reading", path))?;
    match stated {
        Some(stated) if stated == actual => {}
        Some(stated) => report.findings.push(finding(None, "sidecar sha256", stated, actual)),
        None => report.findings.push(finding(None, "sidecar sha256", "a line that sha256sum can check", "other text")),
    }
    Ok(())
}

/// The error of a member that could not be read, for callers outside.
pub(crate) fn content_error(info: &MemberInfo, error: &std::io::Error) -> ArchiveError {
    member_error(info, error)
}
