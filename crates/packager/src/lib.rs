//! Create, validate, list and import portable data packages.
//!
//! Each operation is one function with its options and its report: [`create()`], [`validate()`], [`list()`],
//! [`report()`], [`read_member()`] and [`import()`]. Reports serialize; a command line or a server shows them as they are. The library prints nothing, reads
//! no environment and has no clock: the caller passes the time. Progress goes to a [`Progress`], which can also stop an
//! operation.
//!
//! ```no_run
//! use pdp_packager::{CreateOptions, Silent, create};
//!
//! let now = chrono::Utc::now();
//! let report = create(&CreateOptions::new("data", "packages", now), &Silent)?;
//! assert!(report.verified.is_some_and(|verified| verified.valid));
//! # Ok::<(), pdp_packager::PackagerError>(())
//! ```

mod create;
mod error;
mod import;
mod inspect;
mod list;
mod member;
mod merge;
mod package;
mod progress;
mod report;
pub mod scan;
mod set;
mod sidecar;
mod signature;
#[cfg(feature = "async")]
pub mod stream;
mod validate;

pub use create::{CreateOptions, CreateReport, MIN_PART_SIZE, create};
pub use error::{ErrorKind, PackagerError};
pub use import::{ImportOptions, ImportReport, MergedFile, OnConflict, import};
pub use list::{ListReport, ListedFile, checksums, list, list_within};
pub use member::{MemberEntry, MemberReader, read_member};
pub use package::is_package;
pub use pdp_archive::disk::TemporaryFile;
pub use pdp_archive::target::Existing;
pub use pdp_archive::{ArchiveError, Limits};
pub use pdp_manifest as manifest;
pub use pdp_sign as sign;
pub use progress::{Progress, Silent, Stage};
pub use report::{QualityView, report, report_within};
pub use set::{SetReport, validate_set};
pub use sidecar::line as sidecar_line;
pub use signature::SignatureReport;
pub use validate::{Checks, Finding, ValidateOptions, ValidateReport, validate};

/// A pool of `count` threads, or of as many as there are cores.
fn threads(count: usize) -> Result<rayon::ThreadPool, PackagerError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .map_err(|error| PackagerError::Usage(format!("{count} threads cannot be started: {error}")))
}
