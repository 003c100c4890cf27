//! The machine that figures come from.

use std::path::Path;

use crate::process;

/// A line each for processor, memory, system and compiler; what cannot be told here is left out.
pub(super) fn describe(root: &Path, cores: usize) -> Vec<String> {
    let field = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(key))?;
        let value = line.split_once([':', '='])?.1.trim().trim_matches('"').to_owned();
        Some(value)
    };
    let whole = |file: &str| std::fs::read_to_string(file).ok().map(|text| text.trim().to_owned());
    let model = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let mut lines = vec![format!("Processor: {model}, {cores} cores")];
    if let Some(kib) = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok()) {
        lines.push(format!("Memory: {:.1} GiB", Mib(kib << 10).value() / 1024.0));
    }
    let system = field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned());
    let kernel = whole("/proc/sys/kernel/osrelease").map(|kernel| format!(", kernel {kernel}")).unwrap_or_default();
    lines.push(format!("System: {system}{kernel}"));
    if let Ok(version) = process::output(root, "rustc", &["--version"]) {
        lines.push(format!("Compiler: {}", version.trim()));
    }
    lines
}

/// How many processes wanted a core in the last minute: figures of a busy machine say little.
pub(super) fn load() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next().map(str::to_owned)
}

/// Bytes shown in mebibytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mib(pub(super) u64);

impl Mib {
    pub(super) fn value(self) -> f64 {
        self.0 as f64 / f64::from(1 << 20)
    }
}
