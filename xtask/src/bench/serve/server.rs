//! The server that is measured.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use serde_json::Value;

/// `pdp serve` in a directory of its own.
pub(super) struct Server {
    child: Child,
    home: PathBuf,
    pub(super) address: SocketAddr,
}

/// Raises the number of descriptors of this process, and of those it starts, as far as it may be; gives it.
pub(super) fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

impl Server {
    /// Starts `pdp` on a port that is free.
    pub(super) fn start(pdp: &Path) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("pdp-bench-serve-{}", std::process::id()));
        std::fs::create_dir_all(&home)?;
        let mut child = Command::new(pdp)
            .args(["serve", "--listen", "127.0.0.1:0", "--json", "--quiet", "--log-level", "error"])
            .current_dir(&home)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| pdp.display().to_string())?;
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().context("no output")?).read_line(&mut line)?;
        let report: Value = serde_json::from_str(&line).with_context(|| format!("pdp said \"{line}\""))?;
        let page = report.pointer("/listening/0").and_then(Value::as_str).context("no address")?;
        let address = page.trim_start_matches("http://").parse()?;
        Ok(Self { child, home, address })
    }

    /// As [`Self::start`], with a copy of `data` to pack.
    pub(super) fn start_with(pdp: &Path, data: &Path) -> Result<Self> {
        let home = std::env::temp_dir().join(format!("pdp-bench-serve-{}", std::process::id()));
        copy(data, &home.join("data"))?;
        Self::start(pdp)
    }

    /// Its process.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, where the system tells it.
    pub(super) fn memory(&self) -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Ends it as a person would.
    pub(super) fn end(mut self) -> Result<()> {
        if let Some(id) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            kill_process(id, Signal::TERM)?;
        }
        let status = self.child.wait()?;
        ensure!(status.success(), "pdp serve ended with {status}");
        std::fs::remove_dir_all(&self.home)?;
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(std::fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}
