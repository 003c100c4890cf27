//! Layers point down only: the graph of the crates held against `ARCHITECTURE.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::process;

/// What ARCHITECTURE.md says of one crate.
#[derive(Debug, PartialEq, Eq)]
struct Grant {
    floor: u32,
    may_use: BTreeSet<String>,
}

pub(crate) fn run(root: &Path) -> Result<()> {
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let granted = grants(&text);
    let metadata = process::output(root, &process::cargo(), &["metadata", "--format-version", "1", "--no-deps"])?;
    let used = dependencies(&serde_json::from_str(&metadata)?)?;
    let mut faults = Vec::new();
    for (name, dependencies) in &used {
        let Some(grant) = granted.get(name) else {
            faults.push(format!("{name} is not in ARCHITECTURE.md"));
            continue;
        };
        let list = dependencies.iter().cloned().collect::<Vec<_>>().join(", ");
        println!("floor {}  {name:<10} -> {}", grant.floor, if list.is_empty() { "-" } else { &list });
        for dependency in dependencies {
            if !grant.may_use.contains(dependency) {
                faults.push(format!("{name} uses {dependency}, which ARCHITECTURE.md does not grant it"));
            }
            if granted.get(dependency).is_some_and(|other| other.floor >= grant.floor) {
                faults.push(format!("{name} uses {dependency}, which is not on a lower floor"));
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { bail!("layers:\n  {}", faults.join("\n  ")) }
}

/// The crates' lines: `name/   floor N  (others)   what it is`.
fn grants(text: &str) -> BTreeMap<String, Grant> {
    let parse = |line: &str| {
        let (name, rest) = line.trim_start().split_once('/')?;
        let rest = rest.trim_start().strip_prefix("floor ")?;
        let (floor, rest) = rest.split_once(|c: char| !c.is_ascii_digit())?;
        let (list, _) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
        let may_use = list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        Some((name.to_owned(), Grant { floor: floor.parse().ok()?, may_use }))
    };
    text.lines().filter_map(parse).collect()
}

/// Which crates of `crates/` each of them uses, by the names of their directories; tests' own needs left aside.
fn dependencies(metadata: &Value) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let directory = |path: &str| {
        let path = Path::new(path);
        let is_ours = path.parent().and_then(Path::file_name).is_some_and(|name| name == "crates");
        is_ours.then(|| path.file_name().map(|name| name.to_string_lossy().into_owned())).flatten()
    };
    let packages = metadata.get("packages").and_then(Value::as_array).context("cargo metadata has no packages")?;
    let mut used = BTreeMap::new();
    for package in packages {
        let manifest = package.get("manifest_path").and_then(Value::as_str).unwrap_or_default();
        let Some(name) = Path::new(manifest).parent().and_then(|home| directory(&home.to_string_lossy())) else {
            continue;
        };
        let dependencies = package.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
        let ours = dependencies
            .iter()
            .filter(|dependency| dependency.get("kind").and_then(Value::as_str) != Some("dev"))
            .filter_map(|dependency| directory(dependency.get("path")?.as_str()?));
        used.insert(name, ours.collect());
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_picture() {
        let found = grants(
            "crates/\n  manifest/   floor 1  ()   what\n  packager/  floor 3  (manifest, archive)  x\nxtask/ fixtures",
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found["packager"].floor, 3);
        assert_eq!(found["packager"].may_use.iter().cloned().collect::<Vec<_>>(), ["archive", "manifest"]);
    }

    #[test]
    fn the_workspace_keeps_to_it() {
        run(&crate::root()).unwrap();
    }
}
