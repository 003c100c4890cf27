//! Moving staged files into a destination that has files already.
//!
//! The destination gets a directory `.pdp-import` with the staged files and, once all of them are there and flushed, a
//! journal that lists the moves. From then on the import counts as done: a process killed in the middle of the moves
//! leaves a journal, and the next import into that destination makes the remaining moves first. Without a journal,
//! `.pdp-import` is the leftover of an import that never got that far, and is removed.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pdp_archive::disk::{self, Directory};
use pdp_archive::target::write_atomically;
use pdp_manifest::PackagePath;
use serde::{Deserialize, Serialize};

use super::stage::{Ground, Grounds};
use crate::PackagerError;

const DIRECTORY: &str = ".pdp-import";
const JOURNAL: &str = "journal.json";
const STAGED: &str = "staged";
const TO_MERGE: &str = "to-merge";

/// The moves to make, by their places below the destination.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    moves: Vec<PackagePath>,
}

/// A staging directory inside a destination.
pub(super) struct Staging {
    destination: PathBuf,
}

impl Staging {
    /// An empty staging directory in `destination`; leftovers must have been dealt with by [`recover`].
    pub(super) fn create(destination: &Path) -> Result<(Self, Grounds), PackagerError> {
        let staging = Self { destination: destination.to_owned() };
        let make = || -> io::Result<()> {
            let home = Directory::open(destination)?.make(DIRECTORY)?;
            home.make(STAGED)?;
            home.make(TO_MERGE)?;
            Ok(())
        };
        make().map_err(PackagerError::io("creating a directory in", destination))?;
        let home = destination.join(DIRECTORY);
        let grounds =
            Grounds { whole: Ground::open(&home.join(STAGED))?, to_merge: Some(Ground::open(&home.join(TO_MERGE))?) };
        Ok((staging, grounds))
    }

    /// Moves the staged files of these places to them, all or, by the next run, the rest.
    pub(super) fn commit(self, moves: Vec<PackagePath>) -> Result<(), PackagerError> {
        let journal = Journal { moves };
        let text = serde_json::to_vec(&journal).map_err(io::Error::other);
        let home = self.destination.join(DIRECTORY);
        let path = home.join(JOURNAL);
        let text = text.map_err(PackagerError::io("writing", &path))?;
        write_atomically(&path, &text)?;
        roll_forward(&self.destination, &journal)
    }

    /// Removes everything staged.
    pub(super) fn discard(self) {
        // What cannot be removed now is removed by the next import.
        let _ = disk::remove_tree(&self.destination.join(DIRECTORY));
    }
}

/// Completes or removes what an earlier import left in `destination`; whether one was completed.
pub(super) fn recover(destination: &Path) -> Result<bool, PackagerError> {
    let home = destination.join(DIRECTORY);
    if fs::symlink_metadata(&home).is_err() {
        return Ok(false);
    }
    let path = home.join(JOURNAL);
    match fs::read(&path) {
        Ok(text) => {
            let journal: Journal =
                serde_json::from_slice(&text).map_err(|error| PackagerError::io("reading", &path)(error.into()))?;
            roll_forward(destination, &journal)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            disk::remove_tree(&home).map_err(PackagerError::io("removing", &home))?;
            Ok(false)
        }
        Err(error) => Err(PackagerError::io("reading", &path)(error)),
    }
}

fn roll_forward(destination: &Path, journal: &Journal) -> Result<(), PackagerError> {
    let home = destination.join(DIRECTORY);
    let open = |path: &Path| Directory::open(path).map_err(PackagerError::io("opening", path));
    let (target, staged) = (open(destination)?, open(&home.join(STAGED))?);
    let mut touched = HashSet::new();
    for path in &journal.moves {
        touched.insert(path.as_str().rsplit_once('/').map_or("", |(directory, _)| directory));
        move_one(&staged, &target, path).map_err(PackagerError::io("moving to", destination.join(path.as_str())))?;
    }
    // The moves must be on the disk before the journal, which can make them again, is gone.
    flush(&target, &touched).map_err(PackagerError::io("flushing", destination))?;
    disk::remove_tree(&home).map_err(PackagerError::io("removing", &home))?;
    target.sync().map_err(PackagerError::io("flushing", destination))
}

fn move_one(staged: &Directory, target: &Directory, path: &PackagePath) -> io::Result<()> {
    // What is staged no more was moved before the process that wrote the journal ended; it was on the disk before the
    // journal was. Whoever took it away again since, this import has done its part.
    let Some((from, name)) = staged.parent_of(path, false)? else { return Ok(()) };
    if from.kind(name)?.is_none() {
        return Ok(());
    }
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let (to, name) = target.parent_of(path, true)?.ok_or_else(missing)?;
    from.rename(name, &to, name)
}

/// Flushes the directories that got new names, and those above them.
fn flush(target: &Directory, touched: &HashSet<&str>) -> io::Result<()> {
    if touched.len() > 16 && target.sync_all_below()? {
        return Ok(());
    }
    for directory in touched.iter().filter(|directory| !directory.is_empty()) {
        for (at, _) in directory.match_indices('/').chain([(directory.len(), "")]) {
            let Some(path) = directory.get(..at).and_then(|path| path.parse::<PackagePath>().ok()) else { continue };
            if let Some((parent, name)) = target.parent_of(&path, false)? {
                parent.descend(name)?.sync()?;
            }
        }
    }
    target.sync()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn staged(home: &Path, files: &[(&str, &str)]) -> (Staging, Vec<PackagePath>) {
        let (staging, grounds) = Staging::create(home).unwrap();
        let mut moves = Vec::new();
        for (name, text) in files {
            let path: PackagePath = name.parse().unwrap();
            grounds.whole.create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            moves.push(path);
        }
        (staging, moves)
    }

    fn names(home: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(home).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn committed_files_replace_and_nothing_else_stays() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("a"), "old").unwrap();
        let (staging, moves) = staged(home.path(), &[("a", "new"), ("d/b", "b")]);
        staging.commit(moves).unwrap();
        assert_eq!(fs::read_to_string(home.path().join("a")).unwrap(), "new");
        assert_eq!(names(home.path()), ["a", "d"]);
    }

    #[test]
    fn an_import_killed_between_moves_is_completed() {
        let home = tempfile::tempdir().unwrap();
        let (staging, moves) = staged(home.path(), &[("a", "a"), ("d/b", "b"), ("d/c", "c")]);
        let journal = serde_json::to_vec(&Journal { moves }).unwrap();
        fs::write(home.path().join(DIRECTORY).join(JOURNAL), journal).unwrap();
        // The first move was made when the process died.
        fs::rename(home.path().join(DIRECTORY).join(STAGED).join("a"), home.path().join("a")).unwrap();
        drop(staging);
        assert!(recover(home.path()).unwrap());
        assert_eq!(names(home.path()), ["a", "d"]);
        assert_eq!(fs::read_to_string(home.path().join("d/c")).unwrap(), "c");
        assert!(!recover(home.path()).unwrap());
    }

    #[test]
    fn an_import_killed_before_its_journal_leaves_no_trace() {
        let home = tempfile::tempdir().unwrap();
        let _ = staged(home.path(), &[("a", "half")]);
        assert!(!recover(home.path()).unwrap());
        assert!(names(home.path()).is_empty());
    }
}
