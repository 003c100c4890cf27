//! What several test programs need.

use std::path::Path;

/// A directory of the test's own, in memory where there is such a place: thousands of files and flushes would wait for a
/// disk that has no part in what is tested.
pub(crate) fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir()
        && let Ok(home) = tempfile::tempdir_in(memory)
    {
        return home;
    }
    tempfile::tempdir().unwrap()
}
