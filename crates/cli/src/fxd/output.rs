//! Where rows go: a file that appears when it is whole, or standard output.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use fxd::FxdError;
use pdp_bars::{BarSink, BarsError, WriteOptions, csv_sink, json_sink, parquet_sink};

use pdp_packager::PackagerError;

use super::args::Format;
use super::inputs::usage;

/// Rows to a file or standard output; `write` says them. Gives the number of rows.
pub(crate) fn rows(
    output: Option<&Path>,
    format: Format,
    options: &WriteOptions,
    write: impl FnOnce(&mut dyn BarSink) -> anyhow::Result<()>,
) -> anyhow::Result<u64> {
    let Some(output) = output else {
        let mut sink = sink(io::stdout(), format, options)?;
        write(sink.as_mut())?;
        return Ok(sink.finish()?);
    };
    // What replaces a file replaces the one that a link leads to.
    let target = linked(output);
    let directory = directory_of(&target);
    if !directory.is_dir() {
        return Err(PackagerError::NotFound { what: "directory", path: directory.to_owned() }.into());
    }
    let writing = || format!("writing {}", output.display());
    let mut file = pdp_packager::TemporaryFile::create(directory).with_context(writing)?;
    let mut sink = sink(&mut file, format, options)?;
    write(sink.as_mut())?;
    let rows = sink.finish()?;
    file.sync().with_context(writing)?;
    file.persist(&target).with_context(writing)?;
    Ok(rows)
}

/// The file that a link leads to, whether it is there or not.
fn linked(path: &Path) -> PathBuf {
    let dangling = || Some(directory_of(path).join(std::fs::read_link(path).ok()?));
    path.canonicalize().ok().or_else(dangling).unwrap_or_else(|| path.to_owned())
}

/// Refuses an output that is there and may not be replaced: a file without `overwrite`, an input, and what is no file.
pub(crate) fn may_write(output: &Path, overwrite: bool, inputs: &[&Path]) -> anyhow::Result<()> {
    let Ok(there) = std::fs::metadata(output) else { return Ok(()) };
    let place = |path: &Path| path.canonicalize().ok();
    if inputs.iter().any(|input| place(input) == place(output)) {
        return Err(usage(format!("{} is an input, and cannot be the output as well", output.display())));
    }
    if !there.is_file() {
        return Err(usage(format!("{} is no regular file, and is not replaced", output.display())));
    }
    if overwrite { Ok(()) } else { Err(FxdError::Exists { path: output.to_owned() }.into()) }
}

/// The directory of a file.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn sink<'w>(
    out: impl Write + Send + 'w,
    format: Format,
    options: &WriteOptions,
) -> Result<Box<dyn BarSink + 'w>, BarsError> {
    Ok(match format {
        Format::Csv => Box::new(csv_sink(out, options)),
        Format::Json => Box::new(json_sink(out, options)),
        Format::Parquet => Box::new(parquet_sink(out, options)?),
    })
}
