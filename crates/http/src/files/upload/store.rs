//! Unfinished uploads on the disk.
//!
//! An upload is two files: `ID.part` with what has arrived, whose length is the offset at which it goes on, and `ID.json`
//! with what the client said of it. Whoever writes has the first one locked. What a crash leaves is found again, or swept
//! when its time is over.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use pdp_archive::disk::{Directory, Kind as EntryKind, OutFile};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::State;
use crate::files::random_name;
use crate::problem::{Kind, Problem};
use crate::roots::FileName;

/// The directory of uploads, in the one of packages.
pub(super) const HOME: &str = ".pdp-uploads";
/// How long after its last byte an upload is kept.
pub(super) const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Most uploads that are unfinished at a time.
const MOST: usize = 64;
/// How many uploads are validated at a time, each on all threads.
const VALIDATING: usize = 1;
/// Most bytes of what is noted about an upload.
const MAX_RECORD: u64 = 64 << 10;

const PART: &str = ".part";
const RECORD: &str = ".json";
const NEW_RECORD: &str = ".json.new";
pub(super) const SIDECAR: &str = ".sha256";

/// What all requests of a server have in common about uploads.
#[derive(Debug)]
pub(crate) struct Uploads {
    /// Held while it is decided whether there is room for one more.
    creating: Mutex<()>,
    /// Turns of validating what is whole.
    turns: Arc<Semaphore>,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { creating: Mutex::default(), turns: Arc::new(Semaphore::new(VALIDATING)) }
    }
}

impl Uploads {
    pub(super) fn creating(&self) -> MutexGuard<'_, ()> {
        self.creating.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn of validating; it ends when the value is dropped.
    pub(super) async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        turn.map_err(|_| Problem::new(Kind::Unavailable, "the server is being shut down"))
    }
}

/// The name of an upload, as only we make it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(String);

impl Id {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let ours = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        ours.then(|| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn file(&self, suffix: &str) -> String {
        format!("{}{suffix}", self.0)
    }
}

/// What is noted about an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) file_name: String,
    /// Its whole length; none where the client did not say.
    pub(super) length: Option<u64>,
    /// Whether it comes in pieces, so that somebody may ask how far it is.
    pub(super) resumable: bool,
    /// What the client calls it, as it was sent.
    #[serde(default)]
    pub(super) metadata: String,
    /// Behind here are bytes of a request whose checksum has not been compared.
    #[serde(default)]
    pub(super) doubtful_from: Option<u64>,
    /// Whether it has become a package.
    #[serde(default)]
    pub(super) finished: bool,
}

impl Record {
    /// Of an upload that has not begun: its name, its length where that is known, and for one in pieces what the client calls it.
    pub(super) fn new(file_name: String, length: Option<u64>, metadata: Option<String>) -> Self {
        let resumable = metadata.is_some();
        let metadata = metadata.unwrap_or_default();
        Self { file_name, length, resumable, metadata, doubtful_from: None, finished: false }
    }
}

/// An unfinished upload that this request alone may change.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: Id,
    pub(super) record: Record,
    pub(super) file: OutFile,
}

/// How far an upload is.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) record: Record,
    pub(super) offset: u64,
    pub(super) expires: Option<SystemTime>,
}

/// The directory of uploads, made where it does not exist.
pub(super) fn home(state: &State) -> Result<Directory, Problem> {
    state.roots().packages().make(HOME).map_err(|error| failed("the directory of uploads cannot be used", &error))
}

/// Tells the log what happened and the client that it did.
pub(super) fn failed(what: &str, error: &io::Error) -> Problem {
    tracing::warn!(%error, "{what}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Problem::new(Kind::NoSpace, "the server's disk is full")
        }
        _ => Problem::new(Kind::Failed, what.to_owned()),
    }
}

pub(super) fn no_such_upload() -> Problem {
    Problem::new(Kind::NotFound, "there is no upload of this name")
}

/// Begins an upload; there must be room for it, which [`Uploads::creating`] protects.
pub(super) fn create(state: &State, record: Record) -> Result<Upload, Problem> {
    let home = home(state)?;
    let unfinished = ids(state).iter().filter(|id| matches!(home.kind(&id.file(PART)), Ok(Some(_)))).count();
    if unfinished >= MOST {
        return Err(Problem::new(Kind::TooMany, format!("{MOST} uploads are unfinished")));
    }
    let id = Id(random_name()?);
    let wrong = |error: io::Error| failed("the upload cannot be begun", &error);
    write_record(&home, &id, &record).map_err(wrong)?;
    home.create(&id.file(PART)).map_err(wrong)?;
    let file = home.extend(&id.file(PART)).map_err(wrong)?;
    match file.try_lock().map_err(wrong)? {
        true => Ok(Upload { id, record, file }),
        false => Err(Problem::new(Kind::Locked, "another request works on the upload")),
    }
}

/// Opens an unfinished upload for writing.
pub(super) fn open(state: &State, id: &Id) -> Result<Upload, Problem> {
    let home = home(state)?;
    let standing = standing(state, id)?;
    if standing.record.finished {
        return Err(Problem::new(Kind::Gone, "the upload is finished"));
    }
    let wrong = |error: io::Error| failed("the upload cannot be continued", &error);
    let file = home.extend(&id.file(PART)).map_err(|_| no_such_upload())?;
    if !file.try_lock().map_err(wrong)? {
        return Err(Problem::new(Kind::Locked, "another request works on the upload"));
    }
    // Whoever had it before may have finished or removed it.
    let there = matches!(home.kind(&id.file(PART)), Ok(Some(EntryKind::File(_))));
    let mut record = Some(id).filter(|_| there).and_then(|id| read_record(&home, id)).ok_or_else(no_such_upload)?;
    if let Some(from) = record.doubtful_from.take() {
        if file.as_file().metadata().map_err(wrong)?.len() > from {
            file.truncate(from).map_err(wrong)?;
        }
        write_record(&home, id, &record).map_err(wrong)?;
    }
    Ok(Upload { id: id.clone(), record, file })
}

/// How far an upload is; one whose time is over is removed.
pub(super) fn standing(state: &State, id: &Id) -> Result<Standing, Problem> {
    let home = home(state)?;
    let record = read_record(&home, id).ok_or_else(no_such_upload)?;
    if record.finished {
        let offset = record.length.unwrap_or(0);
        return Ok(Standing { record, offset, expires: None });
    }
    let file = home.read(&id.file(PART)).map_err(|_| no_such_upload())?;
    let metadata = file.metadata().map_err(|_| no_such_upload())?;
    let expires = metadata.modified().ok().and_then(|time| time.checked_add(LIFE));
    if expires.is_some_and(|expires| expires < SystemTime::now()) && remove_idle(&home, id) {
        return Err(Problem::new(Kind::Gone, "the upload was not continued for a day"));
    }
    let offset = record.doubtful_from.map_or(metadata.len(), |from| from.min(metadata.len()));
    Ok(Standing { record, offset, expires })
}

impl Upload {
    /// Where it goes on: its length on the disk.
    pub(super) fn offset(&self) -> Result<u64, Problem> {
        let metadata = self.file.as_file().metadata();
        metadata.map(|metadata| metadata.len()).map_err(|error| failed("the upload cannot be looked at", &error))
    }

    /// Notes what has changed.
    pub(super) fn note(&self, state: &State) -> Result<(), Problem> {
        let home = home(state)?;
        write_record(&home, &self.id, &self.record).map_err(|error| failed("the upload cannot be noted", &error))
    }

    /// Removes it.
    pub(super) fn remove(self, state: &State) -> Result<(), Problem> {
        remove(&home(state)?, &self.id);
        Ok(())
    }
}

/// The file with what has arrived.
pub(super) fn part(id: &Id) -> String {
    id.file(PART)
}

fn read_record(home: &Directory, id: &Id) -> Option<Record> {
    let mut text = Vec::new();
    home.read(&id.file(RECORD)).ok()?.take(MAX_RECORD).read_to_end(&mut text).ok()?;
    let record: Record = serde_json::from_slice(&text).ok()?;
    FileName::parse(&record.file_name).map(|_| record)
}

/// Writes it beside, then in place of the one before.
fn write_record(home: &Directory, id: &Id, record: &Record) -> io::Result<()> {
    let text = serde_json::to_vec(record)?;
    let new = id.file(NEW_RECORD);
    let _ = home.remove(&new);
    let mut file = home.create(&new)?;
    file.write_all(&text)?;
    file.sync()?;
    home.rename(&new, home, &id.file(RECORD))
}

/// Every upload that something is left of.
fn ids(state: &State) -> BTreeSet<Id> {
    let path = state.roots().packages_path().join(HOME);
    let names = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.to_str()?.split_once('.').and_then(|(id, _)| Id::parse(id))).collect()
}

/// What unfinished uploads have, and what they still will bring, in bytes.
pub(super) fn reserved(state: &State) -> (u64, u64) {
    let Ok(home) = home(state) else { return (0, 0) };
    let (mut arrived, mut to_come) = (0_u64, 0_u64);
    for id in ids(state) {
        let Ok(Some(EntryKind::File(size))) = home.kind(&id.file(PART)) else { continue };
        arrived = arrived.saturating_add(size);
        let length = read_record(&home, &id).and_then(|record| record.length).unwrap_or(size);
        to_come = to_come.saturating_add(length.saturating_sub(size));
    }
    (arrived, to_come)
}

/// Removes uploads whose time is over, and what is left of those that lost a part of themselves.
pub(crate) fn sweep(state: &State) {
    let old = |metadata: &fs::Metadata| {
        metadata.modified().ok().and_then(|time| time.checked_add(LIFE)).is_some_and(|end| end < SystemTime::now())
    };
    // Where no upload ever was there is nothing to do, and nothing to make.
    let Ok(home) = state.roots().packages().descend(HOME) else { return };
    for id in ids(state) {
        let noted = read_record(&home, &id);
        let kept = match (&noted, home.read(&id.file(PART))) {
            (Some(_), Ok(part)) => part.metadata().is_ok_and(|metadata| !old(&metadata)),
            // A finished one is remembered for whoever did not hear that it is.
            (Some(record), Err(_)) if record.finished => {
                home.read(&id.file(RECORD)).and_then(|file| file.metadata()).is_ok_and(|metadata| !old(&metadata))
            }
            _ => false,
        };
        if !kept {
            remove_idle(&home, &id);
        }
    }
}

/// Removes an upload that nobody works on; whether it did.
fn remove_idle(home: &Directory, id: &Id) -> bool {
    match home.extend(&id.file(PART)) {
        Ok(file) if file.try_lock().unwrap_or(false) => remove(home, id),
        Ok(_) => return false,
        Err(_) => remove(home, id),
    }
    true
}

fn remove(home: &Directory, id: &Id) {
    // The record goes last: without it nobody would know the rest. What cannot be removed is tried again by a sweep.
    for suffix in [SIDECAR, PART, NEW_RECORD, RECORD] {
        let _ = home.remove(&id.file(suffix));
    }
}
