//! From a request's body into an upload's file.

use std::io::{self, Write as _};

use axum::body::{Body, Bytes};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio_stream::StreamExt as _;

use super::room;
use super::store::{self, Upload};
use super::wire::Checksum;
use crate::State;
use crate::problem::{Kind, Problem};

/// Bytes that are written at a time.
const BATCH: usize = 256 << 10;
/// After so many bytes it is looked again whether there is room.
const LOOK: u64 = 64 << 20;

/// Why a body was not received to its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The client went away, or stopped sending.
    Broken,
    /// It is longer than it may be.
    TooLong,
    /// It cannot be kept.
    Refused(Problem),
}

/// An upload that is being written, with what its bytes come to.
struct Writer {
    state: State,
    upload: Upload,
    checksum: Option<Checksum>,
    since_look: u64,
}

impl Writer {
    fn write(&mut self, batch: &[Bytes]) -> Result<(), Stop> {
        let wrong = |error: io::Error| Stop::Refused(store::failed("the upload cannot be written", &error));
        for bytes in batch {
            self.since_look = self.since_look.saturating_add(size_of(bytes.len()));
            if self.since_look >= LOOK {
                self.since_look = 0;
                self.look().map_err(Stop::Refused)?;
            }
            self.upload.file.write_all(bytes).map_err(wrong)?;
            if let Some(checksum) = &mut self.checksum {
                checksum.update(bytes);
            }
        }
        Ok(())
    }

    /// Stops before others have filled the disk; or, where no length was said, before this one has.
    fn look(&self) -> Result<(), Problem> {
        let room = match self.upload.record.length {
            Some(_) => room::free(&self.state)?,
            None => room::for_one_more(&self.state)?,
        };
        if room < LOOK && self.upload.record.length.is_none() || room == 0 {
            return Err(Problem::new(Kind::NoSpace, "there is no more room on the server"));
        }
        Ok(())
    }
}

type Written = (Box<Writer>, Result<(), Stop>);

/// Writes what comes, `most` bytes at most. Whatever happens, what was written is in the file, and its length tells how much.
pub(super) async fn receive(
    state: State,
    upload: Upload,
    body: Body,
    most: u64,
    checksum: Option<Checksum>,
) -> (Upload, Option<Checksum>, Result<(), Stop>) {
    let mut left = most;
    let mut body = body.into_data_stream();
    let (mut batch, mut gathered) = (Vec::new(), 0);
    let mut writer = Side::Idle(Box::new(Writer { state, upload, checksum, since_look: 0 }));
    let mut end = None;
    while end.is_none() {
        match body.next().await {
            Some(Ok(bytes)) => match left.checked_sub(size_of(bytes.len())) {
                Some(rest) => {
                    left = rest;
                    gathered += bytes.len();
                    batch.push(bytes);
                }
                None => end = Some(Err(Stop::TooLong)),
            },
            Some(Err(_)) => end = Some(Err(Stop::Broken)),
            None => end = Some(Ok(())),
        }
        let is_last = end.is_some();
        if gathered < BATCH && !is_last {
            continue;
        }
        // While one batch is written, the next one is gathered.
        let (mut idle, written) = writer.idle().await;
        if written.is_err() {
            return idle.done(written);
        }
        let full = std::mem::take(&mut batch);
        gathered = 0;
        writer = Side::Busy(spawn_blocking(move || {
            let written = idle.write(&full).and_then(|()| if is_last { idle.sync() } else { Ok(()) });
            (idle, written)
        }));
    }
    let (idle, written) = writer.idle().await;
    idle.done(written.and(end.unwrap_or(Ok(()))))
}

impl Writer {
    /// What is answered to have arrived must be there after a power cut.
    fn sync(&self) -> Result<(), Stop> {
        self.upload.file.sync().map_err(|error| Stop::Refused(store::failed("the upload cannot be flushed", &error)))
    }

    fn done(self, outcome: Result<(), Stop>) -> (Upload, Option<Checksum>, Result<(), Stop>) {
        (self.upload, self.checksum, outcome)
    }
}

/// The writer, or whoever has it.
enum Side {
    Idle(Box<Writer>),
    Busy(JoinHandle<Written>),
}

impl Side {
    async fn idle(self) -> Written {
        match self {
            Self::Idle(writer) => (writer, Ok(())),
            Self::Busy(handle) => match handle.await {
                Ok(written) => written,
                // A thread that has begun is not cancelled.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
        }
    }
}

fn size_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
