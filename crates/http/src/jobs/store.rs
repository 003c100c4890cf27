//! Jobs on disk, so that a restart does not lose them: a small file each, written beside and renamed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use pdp_archive::target::write_atomically;

use super::job::{Id, Job, JobView};

/// The hidden directory, among the packages, of what a server keeps.
const DIRECTORY: &str = ".pdp-server";
/// Most bytes of a job's file; a report on a package of a million files has fewer.
const MAX_BYTES: u64 = 256 << 20;

/// Where jobs are kept.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    /// Held for as long as this server works.
    lock: File,
}

impl Store {
    /// Opens the store among the packages.
    ///
    /// # Errors
    /// I/O; another server has it.
    pub(super) fn open(packages: &Path) -> io::Result<Self> {
        let home = packages.join(DIRECTORY);
        let directory = home.join("jobs");
        let named = |error: io::Error| {
            let hint = "--read-only serves packages without writing";
            io::Error::new(error.kind(), format!("{}: {error}; {hint}", home.display()))
        };
        fs::create_dir_all(&directory).map_err(named)?;
        let lock = File::options().create(true).truncate(false).write(true).open(home.join("lock")).map_err(named)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, lock }),
            Err(fs::TryLockError::WouldBlock) => Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                format!("another server works on {}; --read-only serves it beside that one", packages.display()),
            )),
            // A file system without locks.
            Err(fs::TryLockError::Error(_)) => Ok(Self { directory, lock }),
        }
    }

    /// Lets another server have it; nothing is written any more.
    pub(super) fn release(&self) {
        let _ = self.lock.unlock();
    }

    fn path(&self, id: &Id) -> PathBuf {
        self.directory.join(format!("{id}.json"))
    }

    /// Writes a job down as it is now.
    pub(super) fn save(&self, job: &Job) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&job.view())?;
        write_atomically(&self.path(&job.id), &text).map_err(|error| match error {
            pdp_packager::ArchiveError::Io { source, .. } => source,
            other => io::Error::other(other),
        })
    }

    /// Forgets a job.
    pub(super) fn remove(&self, id: &Id) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(job = %id, %error, "a finished job cannot be forgotten");
        }
    }

    /// The jobs that were written down, in their order. What cannot be read is left where it is, and said.
    pub(super) fn load(&self) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Ok(job) => jobs.push(job),
                Err(error) => tracing::warn!(file = ?entry.file_name(), %error, "a job cannot be read"),
            }
        }
        jobs.sort_by(|a, b| a.id.cmp(&b.id));
        jobs
    }
}

fn read(path: &Path) -> io::Result<Job> {
    let size = fs::symlink_metadata(path)?.len();
    if size > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{size} bytes, expected at most {MAX_BYTES}")));
    }
    let view: JobView = serde_json::from_slice(&fs::read(path)?)?;
    let id = view.id.clone();
    let named = path.file_stem().is_some_and(|stem| stem == id.as_str());
    let job = Job::restore(view).filter(|_| named);
    job.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("it speaks of job {id}")))
}
