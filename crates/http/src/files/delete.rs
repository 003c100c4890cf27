//! Removing packages.

use std::io;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State as AxumState};
use axum::http::StatusCode;
use pdp_archive::disk::{self, Kind as EntryKind};

use super::names::{self, Archive, SIDECARS};
use super::opened::Opened;
use super::{blocking, random_name};
use crate::State;
use crate::problem::{Kind, Problem};
use crate::roots::{FileName, no_such_package};

pub(super) async fn delete(
    AxumState(state): AxumState<State>,
    name: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let name = names::segment(name.as_ref().ok().map(|Path(name)| name.as_str())).ok_or_else(no_such_package)?;
    blocking(move || remove(&state, &name)).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the package and what lies beside it. Whoever has it open keeps it.
fn remove(state: &State, name: &FileName) -> Result<(), Problem> {
    let opened = Opened::find(state, name.as_str())?;
    let directory = state.roots().packages();
    let is_folder = matches!(directory.kind(name.as_str()), Ok(Some(EntryKind::Directory)));
    // Nothing else that lies here is removed: folders that are packages, and files that are listed, damaged ones too.
    let listed = if is_folder { pdp_packager::is_package(&opened.path) } else { Archive::of(name.as_str()).is_some() };
    if !listed {
        return Err(no_such_package());
    }
    let failed = |error: io::Error| {
        tracing::warn!(package = name.as_str(), %error, "a package could not be removed");
        Problem::new(Kind::Failed, "the package could not be removed")
    };
    if is_folder {
        // Under a name that no list shows, for removing it is no single step; what a crash leaves is swept later.
        let hidden = format!(".pdp-{}.partial", random_name()?);
        directory.rename(name.as_str(), directory, &hidden).map_err(failed)?;
        directory.sync().map_err(failed)?;
        let home = directory.path_by_handle().unwrap_or_else(|| state.roots().packages_path().to_owned());
        disk::remove_tree(&home.join(hidden)).map_err(failed)?;
    } else {
        directory.remove(name.as_str()).map_err(failed)?;
    }
    for suffix in SIDECARS {
        let sidecar = format!("{}{suffix}", name.as_str());
        if matches!(directory.kind(&sidecar), Ok(Some(EntryKind::File(_)))) {
            directory.remove(&sidecar).map_err(failed)?;
        }
    }
    directory.sync().map_err(failed)
}
