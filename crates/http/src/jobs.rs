//! Operations that take their time: a bounded queue, workers, progress, and what is left of it over a restart.
//!
//! Every create, import and validate goes through here, whether its request waits for it or not. Each is one call of the
//! packager, which does all of it or nothing, so a job that a restart cut off is simply run again: a package that was finished
//! is found to be the same, and an import completes what its journal says.

mod job;
mod run;
mod store;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chrono::Utc;

pub(crate) use self::job::Job;
pub use self::job::{Id, JobState, JobView, ProgressView, Work};
use self::store::Store;
use crate::State;
use crate::problem::{Kind, Problem};

/// How many finished jobs are remembered.
const REMEMBERED: usize = 200;
/// How often a job is begun before it is given up: one that ends the server each time would never let it run.
const MOST_ATTEMPTS: u32 = 3;

/// The jobs of a server.
#[derive(Debug)]
pub(crate) struct Jobs {
    all: Mutex<All>,
    /// Told when a job was queued or everything ends.
    queued: Condvar,
    /// Told when a worker becomes idle.
    idle: Condvar,
    store: Option<Store>,
    most_queued: usize,
}

#[derive(Debug, Default)]
struct All {
    jobs: BTreeMap<Id, Arc<Job>>,
    queue: VecDeque<Arc<Job>>,
    running: usize,
    next: u64,
    ending: bool,
}

/// How many jobs there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) running: usize,
    pub(crate) queued: usize,
}

impl Jobs {
    /// Takes up what an earlier server left; nothing is kept on disk in a server that may not write.
    ///
    /// # Errors
    /// I/O; another server works on the same directory.
    pub(crate) fn open(settings: &crate::Settings, packages: &std::path::Path) -> io::Result<Self> {
        let store = if settings.read_only { None } else { Some(Store::open(packages)?) };
        let mut all = All::default();
        for job in store.as_ref().map(Store::load).unwrap_or_default() {
            all.next = all.next.max(job.number());
            let job = Arc::new(job);
            if !job.state().is_final() {
                all.queue.push_back(Arc::clone(&job));
            }
            all.jobs.insert(job.id.clone(), job);
        }
        let (queued, idle) = (Condvar::new(), Condvar::new());
        Ok(Self { all: Mutex::new(all), queued, idle, store, most_queued: settings.queued_jobs })
    }

    /// Starts the workers. They end when [`Self::end`] is called.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub(crate) fn start(&self, state: &State) -> io::Result<()> {
        for number in 1..=state.settings().running_jobs.max(1) {
            let state = state.clone();
            std::thread::Builder::new().name(format!("pdp-job-{number}")).spawn(move || state.jobs().work(&state))?;
        }
        Ok(())
    }

    fn all(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues `work`; one that `lasts` is remembered over a restart.
    ///
    /// # Errors
    /// The queue is full, or the server ends.
    pub(crate) fn submit(&self, work: Work, lasts: bool) -> Result<Arc<Job>, Problem> {
        let mut all = self.all();
        if all.ending {
            return Err(Problem::new(Kind::Unavailable, "the server is shutting down"));
        }
        let waiting = all.queue.iter().filter(|job| !job.is_cancelled()).count();
        if waiting >= self.most_queued {
            let detail = format!("{} jobs are running and {waiting} are waiting; try again later", all.running);
            return Err(Problem::new(Kind::TooMany, detail));
        }
        all.next = all.next.saturating_add(1);
        let job = Arc::new(Job::new(all.next, work, lasts, Utc::now()));
        // On disk before anybody is told that it will be done.
        self.save(&job)?;
        all.jobs.insert(job.id.clone(), Arc::clone(&job));
        all.queue.push_back(Arc::clone(&job));
        self.queued.notify_one();
        Ok(job)
    }

    fn save(&self, job: &Job) -> Result<(), Problem> {
        let Some(store) = self.store.as_ref().filter(|_| job.lasts) else { return Ok(()) };
        store.save(job).map_err(|error| {
            tracing::error!(job = %job.id, %error, "a job cannot be written down");
            match error.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    Problem::new(Kind::NoSpace, "the disk is full; the job cannot be written down")
                }
                _ => Problem::new(Kind::Failed, "the job cannot be written down"),
            }
        })
    }

    /// One job.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<Job>, Problem> {
        let found = id.parse().ok().and_then(|id: Id| self.all().jobs.get(&id).cloned());
        found.ok_or_else(|| Problem::new(Kind::NotFound, "there is no job of this id"))
    }

    /// All of them, the newest first.
    pub(crate) fn list(&self) -> Vec<Arc<Job>> {
        self.all().jobs.values().rev().cloned().collect()
    }

    /// How many there are.
    pub(crate) fn counts(&self) -> Counts {
        let all = self.all();
        let queued = all.queue.iter().filter(|job| !job.is_cancelled()).count();
        Counts { running: all.running, queued }
    }

    /// Stops a job, or forgets one that has ended; whether it was forgotten.
    pub(crate) fn cancel(&self, job: &Arc<Job>) -> bool {
        let mut all = self.all();
        if job.state().is_final() {
            all.jobs.remove(&job.id);
            drop(all);
            self.forget(job);
            return true;
        }
        job.cancel();
        if let Some(at) = all.queue.iter().position(|queued| queued.id == job.id) {
            all.queue.remove(at);
            drop(all);
            job.finish(Err(Problem::new(Kind::Cancelled, "cancelled before it began")), Utc::now());
            let _ = self.save(job);
        }
        false
    }

    fn forget(&self, job: &Job) {
        if let Some(store) = self.store.as_ref().filter(|_| job.lasts) {
            store.remove(&job.id);
        }
    }

    /// Takes no more jobs, stops those that run, and waits until they have left everything in good order. Jobs that last are
    /// run again by the next server.
    pub(crate) fn end(&self) {
        let mut all = self.all();
        all.ending = true;
        for job in all.jobs.values().filter(|job| !job.state().is_final()) {
            job.interrupt();
        }
        self.queued.notify_all();
        while all.running > 0 {
            all = self.idle.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
        for job in std::mem::take(&mut all.queue) {
            job.finish(Err(Problem::new(Kind::Unavailable, "the server was shut down")), Utc::now());
        }
        if let Some(store) = &self.store {
            store.release();
        }
    }

    /// What a worker does.
    fn work(&self, state: &State) {
        while let Some(job) = self.take() {
            let _ = self.save(&job);
            let outcome = if job.attempts() > MOST_ATTEMPTS {
                Err(Problem::new(Kind::Failed, "the server ended each time that it ran; it is not tried again"))
            } else {
                run::run(state, &job)
            };
            // A job that lasts and was stopped because the server ends is not finished: the next server has it still.
            let interrupted = job.is_interrupted() && outcome.is_err();
            job.finish(outcome, Utc::now());
            if !interrupted {
                let _ = self.save(&job);
            }
            let mut all = self.all();
            all.running -= 1;
            let surplus = surplus(&mut all);
            self.idle.notify_all();
            drop(all);
            surplus.iter().for_each(|job| self.forget(job));
        }
    }

    /// The next job; none when everything ends.
    fn take(&self) -> Option<Arc<Job>> {
        let mut all = self.all();
        loop {
            if all.ending {
                return None;
            }
            if let Some(job) = all.queue.pop_front() {
                all.running += 1;
                job.begin(Utc::now());
                return Some(job);
            }
            all = self.queued.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Takes the oldest finished jobs out that are too many to be remembered.
fn surplus(all: &mut All) -> Vec<Arc<Job>> {
    let finished: Vec<Id> = all.jobs.values().filter(|job| job.state().is_final()).map(|job| job.id.clone()).collect();
    let most = finished.len().saturating_sub(REMEMBERED);
    finished.iter().take(most).filter_map(|id| all.jobs.remove(id)).collect()
}
