//! The `.sha256` file beside an archive: one line that `sha256sum -c` checks.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use pdp_manifest::Sha256Digest;

/// Where the sidecar of an archive lies.
pub(crate) fn path_of(archive: &Path) -> PathBuf {
    let mut name = OsString::from(archive);
    name.push(".sha256");
    name.into()
}

/// The text of the `.sha256` file beside an archive of this name: one line, which `sha256sum -c` checks.
#[must_use]
pub fn line(digest: &Sha256Digest, file_name: &str) -> String {
    format!("{digest}  {file_name}\n")
}

/// The digest that a sidecar states for any name, as `sha256sum` writes it, in text or binary mode.
pub(crate) fn parse(text: &str) -> Option<Sha256Digest> {
    text.lines().next()?.split_ascii_whitespace().next()?.parse().ok()
}

/// The file name that a sidecar states.
pub(crate) fn name(text: &str) -> Option<&str> {
    let (_, name) = text.lines().next()?.split_once(' ')?;
    name.strip_prefix([' ', '*'])
}
