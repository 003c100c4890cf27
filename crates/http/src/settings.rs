//! What a server serves and how much it takes upon itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::token::Token;

/// The settings of a server; [`Settings::new`] gives the defaults.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// Where collected data lies, and what imports go below.
    pub data_root: PathBuf,
    /// The one directory of packages that is served.
    pub packages: PathBuf,
    /// Whether everything that changes a disk is refused.
    pub read_only: bool,
    /// The secret that requests must bring, where one is asked for.
    pub token: Option<Token>,
    /// Names, with or without a port, that a request may be addressed to, beside those of this machine's loopback.
    pub allowed_hosts: Vec<String>,
    /// Threads of one operation; the number of cores when zero.
    pub threads: usize,
    /// How many operations run at once.
    pub running_jobs: usize,
    /// How many wait for their turn; more are refused.
    pub queued_jobs: usize,
    /// Most bytes of a JSON body.
    pub max_json_bytes: u64,
    /// How long a JSON body may take to arrive as a whole.
    pub json_timeout: Duration,
    /// How long an upload may bring nothing.
    pub upload_idle_timeout: Duration,
    /// Most bytes of an uploaded package.
    pub max_upload_bytes: u64,
    /// Most bytes of all packages and unfinished uploads together, above which uploads and creations are refused; none for no limit.
    pub max_packages_bytes: Option<u64>,
}

impl Settings {
    /// The defaults for serving `packages`, with data below `data_root`.
    pub fn new(data_root: impl Into<PathBuf>, packages: impl Into<PathBuf>) -> Self {
        Self {
            data_root: data_root.into(),
            packages: packages.into(),
            read_only: false,
            token: None,
            allowed_hosts: Vec::new(),
            threads: 0,
            running_jobs: 1,
            queued_jobs: 16,
            max_json_bytes: 1 << 20,
            json_timeout: Duration::from_secs(20),
            upload_idle_timeout: Duration::from_secs(30),
            max_upload_bytes: 64 << 30,
            max_packages_bytes: None,
        }
    }
}
