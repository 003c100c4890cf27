//! Handing a page to the program that the system opens pages with.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

/// Opens `page`, a file or an address.
pub(crate) fn open(page: &OsStr) -> anyhow::Result<()> {
    let (program, before): (&str, &[&str]) = if cfg!(windows) {
        // The first word after `start` is a title.
        ("cmd", &["/C", "start", ""])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let status = Command::new(program)
        .args(before)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("{program} cannot be run"))?;
    if !status.success() {
        bail!("{program} could not open it ({status})");
    }
    Ok(())
}
