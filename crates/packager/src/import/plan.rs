//! What an import will do to its destination, decided before anything is written.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::Path;

use pdp_archive::ArchiveError;
use pdp_archive::disk::{Directory, Kind};
use pdp_archive::target::digest_of;
use pdp_manifest::json::MANIFEST_PATH;
use pdp_manifest::model::Declared;
use pdp_manifest::{ContentEncoding, DataFormat, Manifest, PackagePath, Sha256Digest};

use super::{ImportOptions, OnConflict};
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
    pub(super) action: Action,
}

/// What happens to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing is there: it is added.
    Add,
    /// The same bytes are there: it is left alone.
    Leave,
    /// Other bytes are there and are replaced.
    Replace,
    /// Other bytes are there and are kept.
    Keep,
    /// Other bytes are there; it goes beside them, under a name that is free.
    Rename,
    /// Other bytes are there, and the records of both become one file.
    Merge(DataFormat, ContentEncoding),
    /// Other bytes are there, and nothing says what to do.
    Refuse,
}

impl Action {
    /// Whether the member is extracted.
    pub(super) const fn extracts(self) -> bool {
        matches!(self, Self::Add | Self::Replace | Self::Rename | Self::Merge(..))
    }
}

/// The steps for `package`, and the directory below the destination that its papers go to (empty for the top).
///
/// `first` is false for further parts of a package, whose papers leave the top to the first's.
pub(super) fn plan(
    package: &Package,
    options: &ImportOptions,
    first: bool,
) -> Result<(Vec<Step>, String), PackagerError> {
    let destination = match Directory::open(&options.destination) {
        Ok(directory) => Some(directory),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(PackagerError::io("opening", &options.destination)(error)),
    };
    let there = There { directory: destination.as_ref(), shown: &options.destination };
    let papers = match first {
        true => papers_directory(&package.manifest, &there),
        false => format!("packages/{}", package.manifest.package_id),
    };
    let data: HashMap<&PackagePath, _> =
        package.manifest.files.iter().map(|file| (&file.path, (file.format, file.encoding))).collect();
    let declared: HashMap<&PackagePath, Declared<'_>> =
        package.manifest.declared().map(|declared| (declared.path, declared)).collect();
    let mut steps = Vec::with_capacity(package.container.members().len());
    let mut places = HashSet::new();
    for info in package.container.members().iter().filter(|info| !package.is_residue(&info.path)) {
        let kind = data.get(&info.path);
        let place = if kind.is_some() || papers.is_empty() {
            info.path.clone()
        } else {
            format!("{papers}/{}", info.path).parse().map_err(ArchiveError::from)?
        };
        let digest = match declared.get(&info.path).and_then(|declared| declared.digest.copied()) {
            None if info.path.as_str() == MANIFEST_PATH => {
                let bytes = package.container.read(&info.path, pdp_manifest::json::DEFAULT_MAX_BYTES)?;
                Some(Sha256Digest::of(&bytes))
            }
            stated => stated,
        };
        let mut step = Step { member: info.path.clone(), place, size: info.size, digest, action: Action::Add };
        step.action = match there.holds(&step.place, step.size, step.digest.as_ref())? {
            Found::Nothing => Action::Add,
            Found::Same => Action::Leave,
            Found::Other if !options.merge => Action::Replace,
            // Papers of one package under one name say the same of the same data; those that are there stay.
            Found::Other => match kind {
                None => Action::Keep,
                Some((format @ (DataFormat::Jsonl | DataFormat::Csv), encoding)) => Action::Merge(*format, *encoding),
                Some(_) => on_conflict(options),
            },
        };
        if step.action == Action::Rename {
            there.rename(&mut step, &places)?;
        }
        places.insert(step.place.clone());
        steps.push(step);
    }
    Ok((steps, papers))
}

/// What is asked for where two files differ and cannot be merged.
pub(super) const fn on_conflict(options: &ImportOptions) -> Action {
    match options.on_conflict {
        None => Action::Refuse,
        Some(OnConflict::Keep) => Action::Keep,
        Some(OnConflict::Replace) => Action::Replace,
        Some(OnConflict::Rename) => Action::Rename,
    }
}

/// Where manifest, README, metadata and scripts go: to the top, unless those of another package lie there.
fn papers_directory(manifest: &Manifest, there: &There<'_>) -> String {
    let read = || -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = there.directory?.read(MANIFEST_PATH).ok()?;
        io::Read::read_to_end(&mut io::Read::take(file, pdp_manifest::json::DEFAULT_MAX_BYTES), &mut bytes).ok()?;
        Some(bytes)
    };
    match read() {
        None => String::new(),
        Some(bytes) => match pdp_manifest::json::parse(&bytes) {
            Ok(there) if there.package_id == manifest.package_id => String::new(),
            _ => format!("packages/{}", manifest.package_id),
        },
    }
}

/// What lies at a member's place.
enum Found {
    Nothing,
    Same,
    Other,
}

/// The destination as it is.
pub(super) struct There<'a> {
    /// None where there is none yet.
    pub(super) directory: Option<&'a Directory>,
    pub(super) shown: &'a Path,
}

impl There<'_> {
    /// What lies at `place`; an error where something lies in the way.
    fn holds(&self, place: &PackagePath, size: u64, digest: Option<&Sha256Digest>) -> Result<Found, PackagerError> {
        let path = || self.shown.join(place.as_str());
        let error = |error| PackagerError::io("importing to", path())(error);
        let in_the_way = |why: &str| error(io::Error::new(io::ErrorKind::AlreadyExists, why.to_owned()));
        let Some(directory) = self.directory else { return Ok(Found::Nothing) };
        let Some((parent, name)) = directory.parent_of(place, false).map_err(error)? else {
            return Ok(Found::Nothing);
        };
        let found = match parent.kind(name).map_err(error)? {
            None => return Ok(Found::Nothing),
            Some(Kind::File(found)) => found,
            Some(Kind::Link) => return Err(in_the_way("is a symbolic link, which an import does not follow")),
            Some(_) => return Err(in_the_way("is no regular file, and the package has a file of that name")),
        };
        // Without a checksum nothing says that it is the same.
        let Some(digest) = digest.filter(|_| found == size) else { return Ok(Found::Other) };
        let mut file = parent.read(name).map_err(error)?;
        let actual = digest_of(&mut file).map_err(PackagerError::io("reading", path()))?;
        Ok(if actual == *digest { Found::Same } else { Found::Other })
    }

    /// Gives `step` a name with a number that is free, or that has the same bytes already.
    pub(super) fn rename(&self, step: &mut Step, taken: &HashSet<PackagePath>) -> Result<(), PackagerError> {
        let (directory, name) = step.place.as_str().rsplit_once('/').unwrap_or(("", step.place.as_str()));
        let extensions = crate::inspect::sniff::extensions(name);
        let stem = name.strip_suffix(extensions).unwrap_or(name);
        for number in 2_u32.. {
            let name = format!("{stem}.{number}{extensions}");
            let path = if directory.is_empty() { name } else { format!("{directory}/{name}") };
            let place: PackagePath = path.parse().map_err(ArchiveError::from)?;
            if taken.contains(&place) {
                continue;
            }
            step.action = match self.holds(&place, step.size, step.digest.as_ref())? {
                Found::Nothing => Action::Rename,
                Found::Same => Action::Leave,
                Found::Other => continue,
            };
            step.place = place;
            break;
        }
        Ok(())
    }
}
