//! One job: what is to be done, how far it is, and what came of it.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use pdp_packager::manifest::time::Instant;
use pdp_packager::{Progress, Stage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use crate::problem::{Kind, Problem};
use crate::requests::{CreateRequest, ImportRequest, ValidateRequest};

/// A job's id: a number that orders it, and letters that nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    number: u64,
    secret: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08}-{}", self.number, self.secret)
    }
}

impl FromStr for Id {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, secret) = text.split_once('-').ok_or(())?;
        let digits = number.len() >= 8 && number.bytes().all(|byte| byte.is_ascii_digit());
        let hex = secret.len() == 16 && secret.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let id = Self { number: number.parse().map_err(|_| ())?, secret: secret.to_owned() };
        // One spelling only.
        if digits && hex && id.to_string() == text { Ok(id) } else { Err(()) }
    }
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", content = "request", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Work {
    /// Make a package.
    Create(CreateRequest),
    /// Import one.
    Import(ImportRequest),
    /// Validate one.
    Validate(ValidateRequest),
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// It waits for its turn.
    Queued,
    /// It is being done.
    Running,
    /// It is done.
    Succeeded,
    /// It failed.
    Failed,
    /// It was stopped, and left nothing behind.
    Cancelled,
}

impl JobState {
    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// A job as it is shown and written down.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Job")]
pub struct JobView {
    /// Its id.
    pub id: String,
    /// What is done: `create`, `import` or `validate`, and the request that asked for it.
    #[serde(flatten)]
    #[schemars(with = "WorkView")]
    pub work: Work,
    /// Where it is in its life.
    pub state: JobState,
    /// When it was asked for.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub created_at: Instant,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Instant>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished_at: Option<Instant>,
    /// How far it is.
    #[serde(default)]
    pub progress: ProgressView,
    /// The report, when it succeeded: what the same request without `async` answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What went wrong, when it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// How often it was begun; more than once when the server was restarted meanwhile.
    #[serde(default)]
    pub attempts: u32,
}

/// For the schema of [`Work`].
#[derive(JsonSchema)]
#[allow(dead_code, reason = "for the schema only")]
struct WorkView {
    /// What is done.
    kind: WorkKind,
    /// The request that asked for it.
    request: serde_json::Map<String, Value>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[allow(dead_code, reason = "for the schema only")]
enum WorkKind {
    Create,
    Import,
    Validate,
}

/// How far a job is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "JobProgress")]
pub struct ProgressView {
    /// What it does now: `scanning`, `packing`, `verifying`, `extracting`, `merging` or `placing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// Files that this stage is done with.
    pub files: u64,
    /// Files that it has in all; 0 where that is not known.
    pub total_files: u64,
    /// Bytes that it is done with.
    pub bytes: u64,
    /// Bytes that it has in all; 0 where that is not known.
    pub total_bytes: u64,
}

/// Times are for people; nanoseconds are not.
fn whole_milliseconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.timestamp_millis()).unwrap_or(at)
}

/// A job.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) id: Id,
    /// What is to be done.
    pub(crate) work: Work,
    /// Whether it is remembered over a restart.
    pub(crate) lasts: bool,
    pub(crate) created_at: DateTime<Utc>,
    status: Mutex<Status>,
    files: AtomicU64,
    bytes: AtomicU64,
    cancelled: AtomicBool,
    interrupted: AtomicBool,
    ended: watch::Sender<bool>,
}

#[derive(Debug)]
struct Status {
    state: JobState,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    stage: Option<String>,
    total_files: u64,
    total_bytes: u64,
    outcome: Option<Result<Value, Problem>>,
    attempts: u32,
}

impl Job {
    pub(super) fn new(number: u64, work: Work, lasts: bool, now: DateTime<Utc>) -> Self {
        let mut bytes = [0_u8; 8];
        // Ids that can be guessed are no danger: a job shows no more than its request did.
        let _ = getrandom::fill(&mut bytes);
        let id = Id { number, secret: hex::encode(bytes) };
        let status = Status {
            state: JobState::Queued,
            started_at: None,
            finished_at: None,
            stage: None,
            total_files: 0,
            total_bytes: 0,
            outcome: None,
            attempts: 0,
        };
        Self::of(id, work, lasts, whole_milliseconds(now), status)
    }

    fn of(id: Id, work: Work, lasts: bool, created_at: DateTime<Utc>, status: Status) -> Self {
        let ended = watch::Sender::new(status.state.is_final());
        Self {
            id,
            work,
            lasts,
            created_at,
            status: Mutex::new(status),
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            cancelled: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            ended,
        }
    }

    /// A job as it was written down; one that had begun waits again. None where its id is none.
    pub(super) fn restore(view: JobView) -> Option<Self> {
        let state = if view.state == JobState::Running { JobState::Queued } else { view.state };
        let outcome = match state {
            JobState::Queued | JobState::Running => None,
            JobState::Succeeded => Some(Ok(view.result.unwrap_or_default())),
            JobState::Failed | JobState::Cancelled => {
                Some(Err(view.problem.unwrap_or_else(|| Problem::new(Kind::Failed, "it failed"))))
            }
        };
        let status = Status {
            state,
            started_at: view.started_at.map(|at| at.0).filter(|_| state.is_final()),
            finished_at: view.finished_at.map(|at| at.0),
            stage: view.progress.stage.filter(|_| state.is_final()),
            total_files: view.progress.total_files,
            total_bytes: view.progress.total_bytes,
            outcome,
            attempts: view.attempts,
        };
        let job = Self::of(view.id.parse().ok()?, view.work, true, view.created_at.0, status);
        job.files.store(view.progress.files, Ordering::Relaxed);
        job.bytes.store(view.progress.bytes, Ordering::Relaxed);
        Some(job)
    }

    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn number(&self) -> u64 {
        self.id.number
    }

    /// Where it is in its life.
    pub(crate) fn state(&self) -> JobState {
        self.status().state
    }

    pub(super) fn attempts(&self) -> u32 {
        self.status().attempts
    }

    /// As it is now.
    pub(crate) fn view(&self) -> JobView {
        let status = self.status();
        let (result, problem) = match &status.outcome {
            None => (None, None),
            Some(Ok(result)) => (Some(result.clone()), None),
            Some(Err(problem)) => (None, Some(problem.clone())),
        };
        JobView {
            id: self.id.to_string(),
            work: self.work.clone(),
            state: status.state,
            created_at: Instant(self.created_at),
            started_at: status.started_at.map(Instant),
            finished_at: status.finished_at.map(Instant),
            progress: ProgressView {
                stage: status.stage.clone(),
                files: self.files.load(Ordering::Relaxed),
                total_files: status.total_files,
                bytes: self.bytes.load(Ordering::Relaxed),
                total_bytes: status.total_bytes,
            },
            result,
            problem,
            attempts: status.attempts,
        }
    }

    /// What came of it; none while it is not done.
    pub(crate) fn outcome(&self) -> Option<Result<Value, Problem>> {
        self.status().outcome.clone()
    }

    /// Waits until it is done.
    pub(crate) async fn ended(&self) {
        let mut ended = self.ended.subscribe();
        // The sender lives as long as the job.
        let _ = ended.wait_for(|ended| *ended).await;
    }

    pub(super) fn begin(&self, now: DateTime<Utc>) {
        let mut status = self.status();
        status.state = JobState::Running;
        status.started_at = Some(whole_milliseconds(now));
        status.attempts = status.attempts.saturating_add(1);
    }

    pub(super) fn finish(&self, outcome: Result<Value, Problem>, now: DateTime<Utc>) {
        let mut status = self.status();
        status.state = match &outcome {
            Ok(_) => JobState::Succeeded,
            Err(_) if self.is_cancelled() => JobState::Cancelled,
            Err(_) => JobState::Failed,
        };
        status.finished_at = Some(whole_milliseconds(now));
        status.outcome = Some(outcome);
        drop(status);
        self.ended.send_replace(true);
    }

    /// Asks it to stop.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Asks it to stop because the server ends.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

impl Job {
    /// Whether somebody asked it to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl Progress for Job {
    fn begin(&self, stage: Stage, files: u64, bytes: u64) {
        let mut status = self.status();
        status.stage = Some(stage.word().to_owned());
        (status.total_files, status.total_bytes) = (files, bytes);
        self.files.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }

    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn is_cancelled(&self) -> bool {
        self.is_cancelled() || self.is_interrupted()
    }
}
