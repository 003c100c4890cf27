//! From a whole upload to a package.

use std::io::{self, Read as _, Write as _};

use axum::http::HeaderValue;
use pdp_archive::target::digest_of;
use pdp_packager::{Silent, ValidateOptions};

use super::store::{self, SIDECAR, Upload};
use crate::State;
use crate::files::names::Archive;
use crate::files::opened::by_handle;
use crate::files::{blocking, names};
use crate::problem::{Kind, Problem, logged_as};
use crate::roots::FileName;

/// Validates the upload and gives it its name. It is done to its end even when nobody waits for it any more; what is no
/// sound package is gone afterwards.
pub(super) async fn finish(state: State, upload: Upload) -> Result<FileName, Problem> {
    let turn = state.uploads().turn().await?;
    blocking(move || {
        let _turn = turn;
        let name = FileName::parse(&upload.record.file_name).ok_or_else(store::no_such_upload)?;
        let published = validate(&state, &upload, &name).and_then(|()| publish(&state, &upload, &name));
        match published {
            Ok(()) => {
                let mut upload = upload;
                if !upload.record.resumable {
                    // Nobody will ask for it.
                    upload.remove(&state)?;
                    return Ok(name);
                }
                upload.record.finished = true;
                upload.record.length = upload.offset().ok();
                // It is a package by now, whether that can be noted or not.
                if upload.note(&state).is_err() {
                    tracing::warn!(package = name.as_str(), "an upload that became a package is not noted as finished");
                }
                Ok(name)
            }
            // It can be tried again.
            Err(problem) if problem.status >= 500 => Err(problem),
            Err(problem) => {
                upload.remove(&state)?;
                Err(problem)
            }
        }
    })
    .await?
}

fn validate(state: &State, upload: &Upload, name: &FileName) -> Result<(), Problem> {
    let wrong = |error: io::Error| store::failed("the upload cannot be read", &error);
    let file = store::home(state)?.read(&store::part(&upload.id)).map_err(wrong)?;
    let mut head = Vec::new();
    (&file).take(4).read_to_end(&mut head).map_err(wrong)?;
    let is_as_named = match Archive::of(name.as_str()) {
        Some(Archive::Zip) => head.starts_with(b"PK"),
        Some(Archive::TarGz) => head.starts_with(&[0x1f, 0x8b]),
        None => false,
    };
    if !is_as_named {
        let detail = format!("{}: not a package: it does not begin as its name says", name.as_str());
        return Err(Problem::new(Kind::InvalidPackage, detail));
    }
    let path = by_handle(&file)
        .unwrap_or_else(|| state.roots().packages_path().join(store::HOME).join(store::part(&upload.id)));
    let mut options = ValidateOptions::default();
    options.threads = state.settings().threads;
    let shown = path.to_string_lossy().into_owned();
    let report = pdp_packager::validate(&path, &options, &Silent)
        .map_err(|error| logged_as(state.roots(), &error, |text| text.replace(&shown, name.as_str())))?;
    if report.valid {
        return Ok(());
    }
    let findings = report.findings.iter().take(100).map(ToString::to_string).collect();
    let detail = format!("{}: {} findings", name.as_str(), report.findings.len());
    Err(Problem { findings, ..Problem::new(Kind::InvalidPackage, detail) })
}

/// Flushes it and gives it its name, unless something has that; then its checksum beside it, as when it were made here.
fn publish(state: &State, upload: &Upload, name: &FileName) -> Result<(), Problem> {
    let wrong = |error: io::Error| store::failed("the package cannot be put in its place", &error);
    let (home, packages) = (store::home(state)?, state.roots().packages());
    upload.file.sync().map_err(wrong)?;
    let part = store::part(&upload.id);
    let digest = digest_of(&mut home.read(&part).map_err(wrong)?).map_err(wrong)?;
    let sidecar = upload.id.file(SIDECAR);
    let _ = home.remove(&sidecar);
    let mut file = home.create(&sidecar).map_err(wrong)?;
    file.write_all(pdp_packager::sidecar_line(&digest, name.as_str()).as_bytes()).map_err(wrong)?;
    file.sync().map_err(wrong)?;
    match home.rename_new(&part, packages, name.as_str()) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(taken()),
        outcome => outcome.map_err(wrong)?,
    }
    // From here on it is there; its checksum belongs to it.
    home.rename(&sidecar, packages, &format!("{}{}", name.as_str(), SIDECAR)).map_err(wrong)?;
    home.sync().and_then(|()| packages.sync()).map_err(wrong)
}

/// The name belongs to another package.
pub(super) fn taken() -> Problem {
    Problem::new(Kind::Conflict, "there is something of this name already")
}

/// Where it is downloaded.
pub(super) fn location(name: &FileName) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("/api/packaging/download/{}", names::encoded(name.as_str()))).ok()
}
