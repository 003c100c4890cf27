//! What every request needs.

use std::io;
use std::sync::Arc;

use crate::roots::Roots;
use crate::settings::Settings;

/// A server's state: cheap to clone, shared by all requests.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    settings: Settings,
    roots: Roots,
}

impl State {
    /// Opens the directories that the settings name; makes them where they do not exist, unless nothing may be changed.
    ///
    /// # Errors
    /// A directory cannot be opened or made.
    pub fn open(settings: Settings) -> io::Result<Self> {
        let roots = Roots::open(&settings.packages, &settings.data_root, !settings.read_only)?;
        Ok(Self(Arc::new(Inner { settings, roots })))
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// The directories.
    #[must_use]
    pub fn roots(&self) -> &Roots {
        &self.0.roots
    }
}
