//! What was found in bars, as text, JSON and HTML.

mod html;
mod json;
mod text;
mod timeline;

use std::path::Path;

use anyhow::Context as _;

pub(super) use json::{json, moment};
pub(super) use text::{text, unexplained};

use super::validate::Reports;
use crate::fxd::inputs::usage;

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
    Html,
}

/// The format that a file's name says.
pub(super) fn format(path: &Path) -> anyhow::Result<Format> {
    match path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("txt") => Ok(Format::Text),
        Some("json") => Ok(Format::Json),
        Some("html") => Ok(Format::Html),
        _ => Err(usage(format!("--report: {}: expected a name that ends in .txt, .json or .html", path.display()))),
    }
}

/// Writes a report beside its place, and puts it there whole.
pub(super) fn write(path: &Path, reports: &Reports) -> anyhow::Result<()> {
    super::keep::whole(path, &bytes(format(path)?, reports)?).with_context(|| path.display().to_string())
}

/// A report as it is written.
pub(super) fn bytes(format: Format, reports: &Reports) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match format {
        Format::Text => text(reports, false, &mut bytes)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut bytes, &json(reports))?;
            bytes.push(b'\n');
        }
        Format::Html => bytes = html::page(reports).into_bytes(),
    }
    Ok(bytes)
}
