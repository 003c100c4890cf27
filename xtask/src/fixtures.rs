//! The committed fixtures, made deterministically: the same bytes on every run.

mod data_root;
mod events;
mod packages;
mod parquet_file;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use walkdir::WalkDir;

/// Directories and files that are made, below the workspace.
const MADE: [&str; 3] = ["fixtures/sample-data", "fixtures/packages", "docs/formats/manifest.schema.json"];

pub(crate) fn run(root: &Path, check: bool) -> Result<()> {
    if check {
        let made = root.join("target/fixtures-check");
        let _ = std::fs::remove_dir_all(&made);
        make(&made)?;
        let differences = compare(root, &made)?;
        std::fs::remove_dir_all(&made)?;
        if !differences.is_empty() {
            bail!("stale fixtures; run `cargo xtask fixtures`:\n  {}", differences.join("\n  "));
        }
        println!("every fixture is what would be made");
        return Ok(());
    }
    for path in MADE.map(|path| root.join(path)) {
        if path.is_dir() {
            std::fs::remove_dir_all(&path)?;
        }
    }
    make(root)?;
    for path in MADE {
        println!("{path}");
    }
    Ok(())
}

/// Makes everything below `root`.
fn make(root: &Path) -> Result<()> {
    let data = root.join("fixtures/sample-data");
    data_root::write(&data).context("sample data")?;
    packages::write(&data, &root.join("fixtures/packages")).context("test packages")?;
    let schema = root.join("docs/formats/manifest.schema.json");
    std::fs::create_dir_all(root.join("docs/formats"))?;
    std::fs::write(schema, pdp_manifest::json::schema())?;
    Ok(())
}

/// What differs between the committed fixtures and those made below `made`.
fn compare(root: &Path, made: &Path) -> Result<Vec<String>> {
    let mut differences = Vec::new();
    for path in MADE {
        let (committed, fresh) = (files(&root.join(path))?, files(&made.join(path))?);
        for name in committed.keys().chain(fresh.keys().filter(|name| !committed.contains_key(*name))) {
            match (committed.get(name), fresh.get(name)) {
                (Some(a), Some(b)) if a == b => {}
                (Some(_), Some(_)) => differences.push(format!("{path}/{name} differs")),
                (Some(_), None) => differences.push(format!("{path}/{name} would not be made")),
                (None, _) => differences.push(format!("{path}/{name} is missing")),
            }
        }
    }
    Ok(differences)
}

fn files(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for entry in WalkDir::new(path).into_iter().filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
        let name = entry.path().strip_prefix(path)?.to_string_lossy().into_owned();
        found.insert(name, std::fs::read(entry.path())?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_fixtures_are_not_stale() {
        let made = tempfile::tempdir().unwrap();
        make(made.path()).unwrap();
        let differences = compare(&crate::root(), made.path()).unwrap();
        assert!(differences.is_empty(), "run `cargo xtask fixtures`: {differences:#?}");
    }
}
