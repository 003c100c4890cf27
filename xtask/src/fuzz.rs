//! `cargo xtask fuzz`: seeds for every fuzz target, and a run of each.

mod run;
mod seeds;

use std::path::Path;

use anyhow::{Result, bail};

use crate::tools;

/// A fuzz target.
struct Target {
    name: &'static str,
    /// Most bytes of an input.
    max_len: u64,
}

const TARGETS: [Target; 10] = [
    Target { name: "manifest", max_len: 64 << 10 },
    Target { name: "zip", max_len: 64 << 10 },
    Target { name: "tar", max_len: 64 << 10 },
    Target { name: "gzip", max_len: 32 << 10 },
    Target { name: "inspect", max_len: 32 << 10 },
    Target { name: "fxd", max_len: 32 << 10 },
    Target { name: "columns", max_len: 16 << 10 },
    Target { name: "pipeline", max_len: 4 << 10 },
    Target { name: "bars", max_len: 8 << 10 },
    Target { name: "signature", max_len: 4 << 10 },
];

pub(crate) fn run(root: &Path, names: &[String], seconds: u64) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !TARGETS.iter().any(|target| target.name == *name)) {
        bail!("no target {unknown}; there are {}", TARGETS.map(|target| target.name).join(", "));
    }
    tools::cargo_fuzz(root)?;
    let home = root.join("fuzz");
    seeds::write(root, &home.join("seeds"))?;
    let mut crashed = Vec::new();
    let mut report = format!("{:<10} {:>10} {:>8} {:>8} {:>8}\n", "target", "runs", "seconds", "runs/s", "crashes");
    for target in TARGETS.iter().filter(|target| names.is_empty() || names.iter().any(|name| name == target.name)) {
        let outcome = run::run(&home, target, seconds)?;
        let line = format!(
            "{:<10} {:>10} {:>8} {:>8} {:>8}\n",
            target.name,
            outcome.runs,
            outcome.seconds,
            outcome.runs / outcome.seconds.max(1),
            outcome.crashes.len()
        );
        report.push_str(&line);
        crashed.extend(outcome.crashes);
    }
    print!("{report}");
    if crashed.is_empty() {
        return Ok(());
    }
    bail!("crashes; `cargo fuzz run --sanitizer none TARGET FILE` shows one again:\n  {}", crashed.join("\n  "))
}
