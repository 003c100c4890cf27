//! Whether there is room for an upload: refused is what does not fit, before a disk is full.

use super::store::{self, HOME};
use crate::State;
use crate::problem::{Kind, Problem};

/// Bytes of a disk that uploads leave free.
pub(super) const RESERVE: u64 = 128 << 20;

/// Most bytes that one more upload may have: as many as are allowed, fit the limit of all packages, and fit the disk.
pub(super) fn for_one_more(state: &State) -> Result<u64, Problem> {
    let (arrived, to_come) = store::reserved(state);
    let of_packages = match state.settings().max_packages_bytes {
        None => u64::MAX,
        Some(most) => {
            let used = packages_bytes(state).saturating_add(arrived).saturating_add(to_come);
            most.saturating_sub(used)
        }
    };
    Ok(of_packages.min(free(state)?.saturating_sub(to_come)))
}

/// Refuses a length that is not allowed, or for which there is no room.
pub(super) fn check(state: &State, length: u64) -> Result<(), Problem> {
    let most = state.settings().max_upload_bytes;
    if length > most {
        return Err(Problem::new(Kind::TooLarge, format!("an upload has at most {most} bytes, this one {length}")));
    }
    let room = for_one_more(state)?;
    if length > room {
        let detail = format!("there is room for an upload of {room} bytes, this one has {length}");
        return Err(Problem::new(Kind::NoSpace, detail));
    }
    Ok(())
}

/// Bytes of the disk that may be used.
pub(super) fn free(state: &State) -> Result<u64, Problem> {
    let free = fs4::available_space(state.roots().packages_path())
        .map_err(|error| store::failed("the room on the disk cannot be told", &error))?;
    Ok(free.saturating_sub(RESERVE))
}

/// Bytes of all packages, folders among them; links are not followed.
pub(crate) fn packages_bytes(state: &State) -> u64 {
    let mut bytes = 0_u64;
    let mut open = vec![state.roots().packages_path().to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() && entry.file_name() != HOME {
                open.push(entry.path());
            } else if metadata.is_file() {
                bytes = bytes.saturating_add(metadata.len());
            }
        }
    }
    bytes
}
