//! What every request needs.

use std::io;
use std::sync::Arc;

use crate::files::{self, Streams, Uploads};
use crate::guard::Gate;
use crate::jobs::Jobs;
use crate::reading::Reading;
use crate::roots::Roots;
use crate::settings::Settings;

/// A server's state: cheap to clone, shared by all requests.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    roots: Roots,
    jobs: Jobs,
    reading: Reading,
    uploads: Uploads,
    streams: Streams,
    gate: Gate,
}

impl State {
    /// Opens the directories that the settings name, makes them where they do not exist, and takes up the jobs that an earlier
    /// server left; one that may not change anything does neither. Jobs are done by threads of their own, until
    /// [`Self::shutdown`].
    ///
    /// # Errors
    /// A directory cannot be opened or made; another server works on the same packages.
    pub fn open(settings: Settings) -> io::Result<Self> {
        let roots = Roots::open(&settings.packages, &settings.data_root, !settings.read_only)?;
        let jobs = Jobs::open(&settings, roots.packages_path())?;
        let gate = Gate::new(&settings);
        let (reading, uploads, streams) = (Reading::new(), Uploads::default(), Streams::default());
        let state = Self(Arc::new(Inner { settings, roots, jobs, reading, uploads, streams, gate }));
        if !state.settings().read_only {
            files::sweep(&state);
        }
        state.jobs().start(&state)?;
        Ok(state)
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// What the guard remembers between requests.
    pub(crate) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The directories.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.0.roots
    }

    pub(crate) fn jobs(&self) -> &Jobs {
        &self.0.jobs
    }

    pub(crate) fn reading(&self) -> &Reading {
        &self.0.reading
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.0.streams
    }

    pub(crate) fn uploads(&self) -> &Uploads {
        &self.0.uploads
    }

    /// Takes no more jobs, stops those that run, and waits until they have left everything in good order; those asked for with
    /// `?async=true` are done by the next server.
    pub fn shutdown(&self) {
        self.jobs().end();
    }
}
