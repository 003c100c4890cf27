//! Extracting into a staging directory, every member verified as it is written.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Mutex;

use pdp_archive::disk::{Directory, OutFile};
use pdp_archive::{ArchiveError, MemberInfo};
use pdp_manifest::digest::Hasher;
use pdp_manifest::{PackagePath, Sha256Digest};

use super::Batch;
use super::plan::{Action, Step};
use crate::{Finding, PackagerError, Progress, Stage};

/// With more files than this, one flush of the whole file system is cheaper than one of each.
pub(crate) const FLUSH_TOGETHER: usize = 16;

/// A directory that members are staged in.
pub(crate) struct Ground {
    pub(crate) directory: Directory,
    /// For messages.
    pub(crate) shown: std::path::PathBuf,
}

impl Ground {
    pub(crate) fn open(path: &Path) -> Result<Self, PackagerError> {
        let directory = Directory::open(path).map_err(PackagerError::io("opening", path))?;
        Ok(Self { directory, shown: path.to_owned() })
    }

    /// A new file at `place`, and the directories it needs.
    pub(crate) fn create(&self, place: &PackagePath) -> Result<OutFile, ArchiveError> {
        let create = || {
            let (parent, name) =
                self.directory.parent_of(place, true)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            parent.create(name)
        };
        create().map_err(ArchiveError::io("creating", self.shown.join(place.as_str())))
    }
}

/// Where a member is staged: what is to be merged waits beside what is to be moved.
pub(super) struct Grounds {
    pub(super) whole: Ground,
    pub(super) to_merge: Option<Ground>,
}

impl Grounds {
    pub(super) fn of(&self, action: Action) -> &Ground {
        match (action, &self.to_merge) {
            (Action::Merge(..), Some(ground)) => ground,
            _ => &self.whole,
        }
    }
}

/// Extracts the members of `steps` that have to be written to their places.
pub(super) fn stage(
    batches: &[Batch<'_>],
    grounds: &Grounds,
    verify: bool,
    progress: &dyn Progress,
) -> Result<(), PackagerError> {
    let steps = || batches.iter().flat_map(|batch| &batch.steps).filter(|step| step.action.extracts());
    let (count, bytes) = (steps().count(), steps().map(|step| step.size).sum());
    progress.begin(Stage::Extracting, u64::try_from(count).unwrap_or(0), bytes);
    let together = count > FLUSH_TOGETHER && cfg!(target_os = "linux");
    let mut findings = Vec::new();
    for batch in batches {
        findings.extend(stage_one(batch, grounds, together, verify, progress)?);
    }
    if findings.is_empty() {
        // Names have to reach the disk as well as bytes.
        return flush(&grounds.whole, together, steps().map(|step| &step.place));
    }
    findings.sort_by(|a, b| a.member.cmp(&b.member));
    Err(PackagerError::Invalid {
        summary: "Some files failed checksum validation; nothing was imported".to_owned(),
        findings: findings.iter().map(ToString::to_string).collect(),
    })
}

/// Extracts the members of one package; what is wrong with them.
fn stage_one(
    batch: &Batch<'_>,
    grounds: &Grounds,
    together: bool,
    verify: bool,
    progress: &dyn Progress,
) -> Result<Vec<Finding>, PackagerError> {
    let wanted: HashMap<&PackagePath, &Step> =
        batch.steps.iter().filter(|step| step.action.extracts()).map(|step| (&step.member, step)).collect();
    let findings: Mutex<Vec<Finding>> = Mutex::default();
    batch.package.container.visit(&|info| wanted.contains_key(&info.path), &|info, body| {
        let Some(step) = wanted.get(&info.path) else { return Ok(()) };
        let ground = grounds.of(step.action);
        let actual = match write(info, body, ground, &step.place, !together, progress) {
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
    Ok(findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Flushes the directories of these places or, together, everything below the ground.
pub(crate) fn flush<'a>(
    ground: &Ground,
    together: bool,
    places: impl Iterator<Item = &'a PackagePath>,
) -> Result<(), PackagerError> {
    let flush = || -> io::Result<()> {
        if together && ground.directory.sync_all_below()? {
            return Ok(());
        }
        let mut done = std::collections::HashSet::new();
        for place in places {
            for (at, _) in place.as_str().match_indices('/').chain([(place.as_str().len(), "")]) {
                let Some(path) = place.as_str().get(..at).filter(|path| done.insert(*path)) else { continue };
                let Ok(path) = path.parse::<PackagePath>() else { continue };
                if let Some((parent, _)) = ground.directory.parent_of(&path, false)? {
                    parent.sync()?;
                }
            }
        }
        ground.directory.sync()
    };
    flush().map_err(PackagerError::io("flushing", &ground.shown))
}

fn write(
    info: &MemberInfo,
    body: &mut dyn Read,
    ground: &Ground,
    to: &PackagePath,
    flush: bool,
    progress: &dyn Progress,
) -> Result<Sha256Digest, ArchiveError> {
    let mut file = ground.create(to)?;
    let shown = || ground.shown.join(to.as_str());
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; usize::try_from(info.size.clamp(1, 256 << 10)).unwrap_or(1)];
    loop {
        if progress.is_cancelled() {
            return Err(ArchiveError::Member { member: info.path.to_string(), reason: "interrupted".to_owned() });
        }
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(crate::validate::content_error(info, &error)),
        };
        let block = buffer.get(..n).unwrap_or_default();
        hasher.update(block);
        file.write_all(block).map_err(ArchiveError::io("writing", shown()))?;
        progress.advance(0, u64::try_from(n).unwrap_or(0));
    }
    if !flush {
        file.begin_flush();
    } else {
        file.sync().map_err(ArchiveError::io("flushing", shown()))?;
    }
    Ok(hasher.finish())
}
