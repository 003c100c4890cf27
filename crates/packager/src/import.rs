//! Importing a package: all of it, verified, or nothing.

mod journal;
mod plan;
pub(crate) mod stage;
mod unite;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use pdp_archive::disk::{Staged, open_file};
use pdp_archive::{ArchiveError, Limits, Target};
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::{PackageId, PackageName, PackagePath, listing};
use pdp_sign::PublicKey;
use schemars::JsonSchema;
use serde::Serialize;

use self::plan::{Action, Step};
use self::stage::{Ground, Grounds};
pub use self::unite::MergedFile;
use crate::package::Package;
use crate::validate::Finding;
use crate::{PackagerError, Progress, Stage};

/// What to import and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ImportOptions {
    /// The package: an archive or a folder. One part of a split package brings the others beside it.
    pub package: PathBuf,
    /// Further parts of the package, in any order.
    pub further_parts: Vec<PathBuf>,
    /// The key that must have signed the package (each part of it); the signature lies beside it.
    pub public_key: Option<PublicKey>,
    /// Where its members go; made when it does not exist.
    pub destination: PathBuf,
    /// Whether checksums are verified. Unsafe or damaged archives are refused in any case.
    pub validate: bool,
    /// Whether files that exist are kept: JSON Lines and CSV are merged record by record, and for what cannot be
    /// merged [`on_conflict`](Self::on_conflict) says what happens. Without it they are replaced.
    pub merge: bool,
    /// What to do, when merging, with files that differ and cannot be merged; without it they end the import.
    pub on_conflict: Option<OnConflict>,
    /// Whether a destination that is empty stays the directory it is; otherwise it is replaced as a whole, in one step. Needed
    /// where the path to it is no name that a directory could be given.
    pub in_place: bool,
    /// What a package may not go beyond.
    pub limits: Limits,
    /// Threads; the number of cores when zero.
    pub threads: usize,
}

impl ImportOptions {
    /// Importing `package` to `destination`: verified, replacing what is there.
    pub fn new(package: impl Into<PathBuf>, destination: impl Into<PathBuf>) -> Self {
        let (package, destination) = (package.into(), destination.into());
        Self {
            package,
            further_parts: Vec::new(),
            public_key: None,
            destination,
            validate: true,
            merge: false,
            on_conflict: None,
            in_place: false,
            limits: Limits::default(),
            threads: 0,
        }
    }
}

/// What to do with a file that exists with other content and cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// The file that is there stays.
    Keep,
    /// The package's file replaces it.
    Replace,
    /// The package's file goes beside it, under a name with a number.
    Rename,
}

/// What an import did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportReport {
    /// The package.
    pub package_path: PathBuf,
    /// How many packages it came in.
    pub parts: usize,
    /// Where it went.
    pub destination: PathBuf,
    /// Where its manifest, README and scripts lie.
    pub papers_path: PathBuf,
    /// Its name.
    pub name: PackageName,
    /// Its identity.
    pub package_id: PackageId,
    /// Whether checksums were verified.
    pub validated: bool,
    /// Data files in the package.
    pub total_files: u64,
    /// Records in them.
    pub total_events: u64,
    /// Files that were not there before.
    pub added: u64,
    /// Files that were there with other content and were replaced.
    pub replaced: u64,
    /// Files that were there with the same content, or with all of the package's records, and were left alone.
    pub unchanged: u64,
    /// Files that were there with other content and were kept.
    pub kept: Vec<PackagePath>,
    /// Files that went beside others, under a name with a number.
    pub renamed: Vec<PackagePath>,
    /// Files that got records of the package beside their own.
    pub merged: Vec<MergedFile>,
    /// Bytes written.
    pub bytes_written: u64,
    /// Whether an earlier import into the destination had been interrupted and was completed first.
    pub completed_earlier_import: bool,
}

/// Imports a package.
///
/// Every member is extracted to a staging directory and verified there; only then is anything moved into place. A
/// destination that is new or empty appears in one step. In one that has files, the moves are made under a journal, and
/// an import that is killed in their middle is completed by the next.
///
/// # Errors
/// The package is invalid, unsafe or damaged; there is not enough space; something lies in the way; I/O. The
/// destination is then as it was.
pub fn import(options: &ImportOptions, progress: &dyn Progress) -> Result<ImportReport, PackagerError> {
    let pool = crate::threads(options.threads)?;
    let way = if options.in_place { Way::Journal } else { Way::WholeIfEmpty };
    pool.install(|| run(options, progress, way)).map_err(|error| match error {
        _ if progress.is_cancelled() => PackagerError::Cancelled,
        error => error,
    })
}

/// A package, and what happens to its members.
struct Batch<'a> {
    package: &'a Package,
    steps: Vec<Step>,
}

/// How files may come to their places.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// An empty destination appears in one step.
    WholeIfEmpty,
    /// Under a journal in any case.
    Journal,
}

fn run(options: &ImportOptions, progress: &dyn Progress, way: Way) -> Result<ImportReport, PackagerError> {
    let paths: Vec<PathBuf> = std::iter::once(&options.package).chain(&options.further_parts).cloned().collect();
    let packages = crate::set::open(&paths, &options.limits)?;
    check_set(&packages)?;
    for package in &packages {
        check_declarations(package)?;
        if options.validate {
            check_claims(package)?;
        }
        check_signature(package, options)?;
    }
    place(&packages, None, options, progress, way)
}

/// Imports a package whose members lie verified and flushed in `staged`, beside the destination.
#[cfg(feature = "async")]
pub(crate) fn import_staged(
    package: &Package,
    staged: Staged,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<ImportReport, PackagerError> {
    check_declarations(package)?;
    check_claims(package)?;
    let pool = crate::threads(options.threads)?;
    pool.install(|| place(std::slice::from_ref(package), Some(staged), options, progress, Way::WholeIfEmpty))
}

/// A destination that is there and is no directory can hold nothing.
pub(crate) fn check_destination(destination: &Path) -> Result<(), PackagerError> {
    if fs::symlink_metadata(destination).is_ok() && !destination.is_dir() {
        return Err(PackagerError::Usage(format!("{} is not a directory", destination.display())));
    }
    Ok(())
}

/// Brings the members of a checked package to their places. Where they have been staged beside the destination and
/// nothing is there, they are not copied again.
fn place(
    packages: &[Package],
    arrived: Option<Staged>,
    options: &ImportOptions,
    progress: &dyn Progress,
    way: Way,
) -> Result<ImportReport, PackagerError> {
    let destination = options.destination.as_path();
    check_destination(destination)?;
    let lock = lock(destination)?;
    let completed_earlier_import = journal::recover(destination)?;
    let mut batches = Vec::with_capacity(packages.len());
    let mut papers = None;
    for (at, package) in packages.iter().enumerate() {
        let (steps, directory) = plan::plan(package, options, at == 0)?;
        refuse(&steps)?;
        papers.get_or_insert(directory);
        batches.push(Batch { package, steps });
    }
    check_places(&batches)?;
    let nothing_there = fs::read_dir(destination).map_or(true, |mut entries| entries.next().is_none());
    let whole = nothing_there && way == Way::WholeIfEmpty;
    if !(whole && arrived.is_some()) {
        let extracted = batches.iter().flat_map(|batch| &batch.steps).filter(|step| step.action.extracts());
        check_space(destination, extracted.map(|step| step.size).sum())?;
    }
    let mut merged = Vec::new();
    if whole {
        if let Placed::NotEmpty(staged) = place_whole(&batches, arrived, options, progress)? {
            // Another import was first, or the place is a mount point: what to do is decided anew from what is there.
            drop(lock);
            return place(packages, staged, options, progress, Way::Journal);
        }
    } else {
        let (staging, grounds) = journal::Staging::create(destination)?;
        let mut work = || -> Result<Vec<MergedFile>, PackagerError> {
            let there = Ground::open(destination)?;
            stage::stage(&batches, &grounds, options.validate, progress)?;
            let mut merged = Vec::new();
            for batch in &mut batches {
                merged.extend(unite::unite(&mut batch.steps, &grounds, &there, options, progress)?);
            }
            Ok(merged)
        };
        match work() {
            Ok(files) => merged = files,
            Err(error) => {
                staging.discard();
                return Err(error);
            }
        }
        progress.begin(Stage::Placing, 0, 0);
        let extracted = batches.iter().flat_map(|batch| &batch.steps).filter(|step| step.action.extracts());
        staging.commit(extracted.map(|step| step.place.clone()).collect())?;
    }
    drop(lock);
    let steps = || batches.iter().flat_map(|batch| &batch.steps);
    let number = |action| count(steps().filter(|step| step.action == action).count());
    let places = |action| steps().filter(|step| step.action == action).map(|step| step.place.clone()).collect();
    let first = packages.first().map(|package| &package.manifest);
    let first = first.ok_or_else(|| PackagerError::Usage("no package to import".to_owned()))?;
    let manifests = || packages.iter().map(|package| &package.manifest);
    Ok(ImportReport {
        package_path: options.package.clone(),
        parts: packages.len(),
        destination: destination.to_owned(),
        papers_path: destination.join(papers.unwrap_or_default()),
        name: first.name.clone(),
        package_id: first.package_id.clone(),
        validated: options.validate,
        total_files: manifests().map(|manifest| manifest.total_files).fold(0, u64::saturating_add),
        total_events: manifests().map(|manifest| manifest.total_events).fold(0, u64::saturating_add),
        added: number(Action::Add),
        replaced: number(Action::Replace),
        unchanged: number(Action::Leave),
        kept: places(Action::Keep),
        renamed: places(Action::Rename),
        merged,
        bytes_written: steps().filter(|step| step.action.extracts()).map(|step| step.size).sum(),
        completed_earlier_import,
    })
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// Whether a staged directory got its name.
enum Placed {
    Whole,
    /// It did not; with the directory, where that had come from outside.
    NotEmpty(Option<Staged>),
}

/// A new or empty destination: staged beside it, then renamed onto it in one step.
fn place_whole(
    batches: &[Batch<'_>],
    arrived: Option<Staged>,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Placed, PackagerError> {
    let destination = options.destination.as_path();
    let absolute = std::path::absolute(destination).map_err(PackagerError::io("looking at", destination))?;
    let parent = absolute.parent().unwrap_or(&absolute).to_owned();
    let has_arrived = arrived.is_some();
    let staged = match arrived {
        Some(staged) => staged,
        None => {
            let staged = Target::new(&parent, String::new())?.temporary_directory()?;
            let grounds = Grounds { whole: Ground::open(staged.path())?, to_merge: None };
            stage::stage(batches, &grounds, options.validate, progress)?;
            staged
        }
    };
    progress.begin(Stage::Placing, 0, 0);
    match staged.rename(&absolute) {
        Ok(()) => {
            pdp_archive::target::sync_directory(&parent)?;
            Ok(Placed::Whole)
        }
        Err((staged, _)) if destination.is_dir() => Ok(Placed::NotEmpty(has_arrived.then_some(staged))),
        Err((_, error)) => Err(PackagerError::io("renaming to", destination)(error)),
    }
}

/// Keeps two imports from working on one destination; a destination that does not exist needs no lock.
fn lock(destination: &Path) -> Result<Option<File>, PackagerError> {
    // A directory cannot be opened as a file everywhere; there, moves are still atomic one by one.
    let Ok(handle) = File::open(destination) else { return Ok(None) };
    match handle.try_lock() {
        Ok(()) => Ok(Some(handle)),
        Err(fs::TryLockError::WouldBlock) => Err(PackagerError::Locked { path: destination.to_owned() }),
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// Every declared member is there with its size, and nothing else; this holds whatever is skipped.
pub(crate) fn check_declarations(package: &Package) -> Result<(), PackagerError> {
    let mut findings = Vec::new();
    let members: std::collections::HashMap<_, _> =
        package.container.members().iter().map(|info| (&info.path, info.size)).collect();
    let mut declared = std::collections::HashSet::new();
    for claim in package.manifest.declared() {
        declared.insert(claim.path);
        match (members.get(claim.path), claim.size) {
            (None, _) => findings.push(format!("{}: declared in the manifest, not in the package", claim.path)),
            (Some(actual), Some(size)) if *actual != size => {
                findings.push(format!("{}: size: expected {size}, actual {actual}", claim.path));
            }
            _ => {}
        }
    }
    for info in package.container.members() {
        let known = info.path.as_str() == MANIFEST_PATH || declared.contains(&info.path);
        if !known && !package.is_residue(&info.path) {
            findings.push(format!("{}: in the package, not declared in the manifest", info.path));
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    let summary = "the package and its manifest disagree; nothing was imported".to_owned();
    Err(PackagerError::Invalid { summary, findings })
}

/// What the manifest claims about the package as a whole, held against its own list.
pub(crate) fn check_claims(package: &Package) -> Result<(), PackagerError> {
    let mut findings = Vec::new();
    let mut differ = |check: &'static str, expected: String, actual: String| {
        if expected != actual {
            findings.push(Finding { member: None, check, expected, actual }.to_string());
        }
    };
    let manifest = &package.manifest;
    if let Some(stated) = manifest.package_checksum {
        let listed = manifest.declared().filter_map(|claim| Some((claim.path, claim.digest?)));
        differ("packageChecksum", stated.prefixed(), listing::package_checksum(listed).prefixed());
    }
    if let Some(stated) = manifest.package_size_bytes.filter(|_| package.differently_packed().is_none()) {
        differ("packageSizeBytes", stated.to_string(), package.container.size().to_string());
    }
    if let Some(deviation) = package.broken_framing() {
        differ("framing", "headers in canonical form".to_owned(), format!("another form: {deviation}"));
    }
    let beside = crate::sidecar::path_of(&package.path);
    let mut text = String::new();
    if let Ok(file) = open_file(&beside, package.follow_links)
        && file.take(4096).read_to_string(&mut text).is_ok()
        && let Some(stated) = crate::sidecar::parse(&text)
    {
        let mut archive =
            open_file(&package.path, package.follow_links).map_err(PackagerError::io("opening", &package.path))?;
        let actual = pdp_archive::target::digest_of(&mut archive);
        let actual = actual.map_err(PackagerError::io("reading", &package.path))?;
        differ("sidecar sha256", stated.to_string(), actual.to_string());
    }
    findings.extend(crate::validate::totals(manifest).iter().map(ToString::to_string));
    if findings.is_empty() {
        return Ok(());
    }
    let summary = "the package is not what it claims to be; nothing was imported".to_owned();
    Err(PackagerError::Invalid { summary, findings })
}

/// All parts of a split package are there, and nothing else.
fn check_set(packages: &[Package]) -> Result<(), PackagerError> {
    if packages.len() > 1 && packages.iter().all(|package| !crate::set::is_part(&package.manifest)) {
        let reason = "several packages that are no parts of one; import them one after the other";
        return Err(PackagerError::Usage(reason.to_owned()));
    }
    let findings = crate::set::check(packages);
    if findings.is_empty() {
        return Ok(());
    }
    let summary = "the parts given are not one whole package; nothing was imported".to_owned();
    Err(PackagerError::Invalid { summary, findings: findings.iter().map(ToString::to_string).collect() })
}

/// No two parts have a file for one place.
fn check_places(batches: &[Batch<'_>]) -> Result<(), PackagerError> {
    if batches.len() < 2 {
        return Ok(());
    }
    let mut names = pdp_archive::NameSet::new();
    for step in batches.iter().flat_map(|batch| &batch.steps).filter(|step| step.action.extracts()) {
        names.insert(&step.place)?;
    }
    Ok(())
}

/// The signature that was asked for, held against what the manifest declares; what is extracted is held to that.
fn check_signature(package: &Package, options: &ImportOptions) -> Result<(), PackagerError> {
    let Some(key) = &options.public_key else { return Ok(()) };
    let member: PackagePath = MANIFEST_PATH.parse()?;
    let text = package.container.read(&member, pdp_manifest::json::DEFAULT_MAX_BYTES)?;
    let listing = crate::create::signed_text(&package.manifest, &pdp_manifest::Sha256Digest::of(&text));
    match crate::signature::check(package, listing.as_deref(), key)? {
        Ok(_) => Ok(()),
        Err(finding) => {
            let summary = "the package is not signed as was asked for; nothing was imported".to_owned();
            Err(PackagerError::Invalid { summary, findings: vec![finding.to_string()] })
        }
    }
}

/// Ends the import where files differ and nothing says what to do with them.
fn refuse(steps: &[Step]) -> Result<(), PackagerError> {
    let refused = steps.iter().filter(|step| step.action == Action::Refuse);
    let findings: Vec<String> =
        refused.map(|step| format!("{}: exists with other content; it cannot be merged", step.place)).collect();
    if findings.is_empty() { Ok(()) } else { Err(conflicts(findings)) }
}

fn conflicts(findings: Vec<String>) -> PackagerError {
    let summary = format!(
        "{} of the package's files exist with other content; nothing was imported (--on-conflict keep, replace or \
         rename says what to do with them)",
        findings.len()
    );
    PackagerError::Conflicts { summary, findings }
}

/// Whether `needed` bytes can be written where the destination is or will be.
pub(crate) fn check_space(destination: &Path, needed: u64) -> Result<(), PackagerError> {
    let absolute = std::path::absolute(destination).map_err(PackagerError::io("looking at", destination))?;
    let Some(there) = absolute.ancestors().find(|ancestor| ancestor.is_dir()) else { return Ok(()) };
    // A file system that does not tell is no reason to refuse.
    match fs4::available_space(there) {
        Ok(available) if available < needed => {
            Err(PackagerError::NoSpace { path: destination.to_owned(), needed, available })
        }
        _ => Ok(()),
    }
}

impl From<pdp_manifest::PathError> for PackagerError {
    fn from(error: pdp_manifest::PathError) -> Self {
        ArchiveError::from(error).into()
    }
}
