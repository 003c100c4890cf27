//! Merging staged files with those of the destination, record by record.

use std::collections::HashSet;
use std::io;

use pdp_manifest::PackagePath;
use schemars::JsonSchema;
use serde::Serialize;

use super::ImportOptions;
use super::plan::{Action, Step, There, on_conflict};
use super::stage::{Ground, Grounds};
use crate::merge::{MergeError, Merged, merge};
use crate::{PackagerError, Progress, Stage};

/// What merging made of one file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MergedFile {
    /// Its place below the destination.
    pub path: PackagePath,
    /// Records that were there.
    pub existing_records: u64,
    /// Records of the package that were not.
    pub added_records: u64,
    /// Records of the package that were.
    pub identical_records: u64,
    /// Records that share time and sequence number with another that is not the same; all of them are kept.
    pub conflicting_records: u64,
}

/// Merges what `steps` say is to be merged. What turns out not to need it, or not to bear it, gets another action.
///
/// Merged files are staged like the others; the destination is only read.
pub(super) fn unite(
    steps: &mut [Step],
    grounds: &Grounds,
    destination: &Ground,
    options: &ImportOptions,
    progress: &dyn Progress,
) -> Result<Vec<MergedFile>, PackagerError> {
    let Some(incoming) = &grounds.to_merge else { return Ok(Vec::new()) };
    progress.begin(Stage::Merging, 0, 0);
    let mut taken: HashSet<PackagePath> = steps.iter().map(|step| step.place.clone()).collect();
    let mut report = Vec::new();
    let mut refused = Vec::new();
    for step in steps.iter_mut().filter(|step| matches!(step.action, Action::Merge(..))) {
        if progress.is_cancelled() {
            return Err(PackagerError::Cancelled);
        }
        match one(step, incoming, &grounds.whole, destination) {
            // Nothing new: the file stays as it is, to the byte.
            Ok(Some(merged)) if merged.added == 0 => step.action = Action::Leave,
            Ok(Some(merged)) => report.push(MergedFile {
                path: step.place.clone(),
                existing_records: merged.existing,
                added_records: merged.added,
                identical_records: merged.identical,
                conflicting_records: merged.conflicting,
            }),
            Ok(None) => step.action = Action::Leave,
            Err(MergeError::Io(error)) => {
                return Err(PackagerError::io("merging", destination.shown.join(step.place.as_str()))(error));
            }
            Err(MergeError::Unsuitable(reason)) => {
                step.action = on_conflict(options);
                let from = step.place.clone();
                if step.action == Action::Rename {
                    let there = There { directory: Some(&destination.directory), shown: &destination.shown };
                    there.rename(step, &taken)?;
                    taken.insert(step.place.clone());
                }
                match step.action {
                    Action::Refuse => refused.push(format!("{from}: exists with other content; {reason}")),
                    Action::Replace | Action::Rename => shift(incoming, &from, &grounds.whole, &step.place)?,
                    _ => {}
                }
            }
        }
    }
    if refused.is_empty() {
        return Ok(report);
    }
    Err(super::conflicts(refused))
}

/// Merges one file; none where the destination's file is gone meanwhile.
fn one(step: &Step, incoming: &Ground, whole: &Ground, destination: &Ground) -> Result<Option<Merged>, MergeError> {
    let Action::Merge(format, encoding) = step.action else { return Ok(None) };
    let gone = || io::Error::from(io::ErrorKind::NotFound);
    let open = |ground: &Ground| -> io::Result<std::fs::File> {
        let (parent, name) = ground.directory.parent_of(&step.place, false)?.ok_or_else(gone)?;
        parent.read(name)
    };
    let (existing, new) = (open(destination)?, open(incoming)?);
    let mut out = whole.create(&step.place).map_err(|error| MergeError::Io(io::Error::other(error)))?;
    let outcome = merge(format, encoding, [&existing, &new], &whole.shown, &mut out);
    match outcome {
        Ok(merged) if merged.added > 0 => {
            out.sync()?;
            Ok(Some(merged))
        }
        other => {
            drop(out);
            let (parent, name) = whole.directory.parent_of(&step.place, false)?.ok_or_else(gone)?;
            parent.remove(name)?;
            other.map(Some)
        }
    }
}

/// Moves a file that was to be merged to where files wait to be moved into place.
fn shift(from: &Ground, place: &PackagePath, to: &Ground, new: &PackagePath) -> Result<(), PackagerError> {
    let shift = || -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::NotFound);
        let (source, name) = from.directory.parent_of(place, false)?.ok_or_else(gone)?;
        let (target, new_name) = to.directory.parent_of(new, true)?.ok_or_else(gone)?;
        source.rename(name, &target, new_name)?;
        target.sync()
    };
    shift().map_err(PackagerError::io("moving to", to.shown.join(new.as_str())))
}
