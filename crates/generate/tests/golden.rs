//! The texts as they were looked at and found good; `UPDATE_GOLDEN=1 cargo test -p pdp-generate` writes them anew.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::path::Path;

use pdp_generate::Texts;
use pdp_manifest::{ImportTarget, Manifest, QualityReport};

fn manifest(name: &str) -> Manifest {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    pdp_manifest::json::parse(&std::fs::read(path).unwrap()).unwrap()
}

fn report(name: &str) -> QualityReport {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{name} is not what it was; look at it, then UPDATE_GOLDEN=1. It is now:\n{text}");
}

#[test]
fn every_text_of_a_rich_package() {
    let manifest = manifest("rich.json");
    let texts = Texts::new().unwrap();
    let members = ["metadata/data_dictionary.md".to_owned(), "scripts/load_data.py".to_owned()];
    check("rich.README.md", &texts.readme(&manifest, &members).unwrap());
    check("rich.data_dictionary.md", &texts.data_dictionary(&manifest).unwrap());
    let page = texts.quality_page(&report("rich.quality.json"), &manifest).unwrap();
    check("rich.quality_report.html", &page);
}

#[test]
fn every_text_of_a_bare_package() {
    let manifest = manifest("bare.json");
    let texts = Texts::new().unwrap();
    check("bare.README.md", &texts.readme(&manifest, &[]).unwrap());
    check("bare.data_dictionary.md", &texts.data_dictionary(&manifest).unwrap());
    let page = texts.quality_page(&report("bare.quality.json"), &manifest).unwrap();
    check("bare.quality_report.html", &page);
}

#[test]
fn import_scripts_of_every_type_and_format() {
    let texts = Texts::new().unwrap();
    let all: BTreeSet<_> = ImportTarget::ALL.iter().copied().collect();
    let scripts = texts.import_scripts(&manifest("import.json"), &all).unwrap();
    assert_eq!(scripts.len(), 6);
    for (path, text) in scripts {
        check(&path.replace("scripts/import_", "import."), &text);
    }
}

#[test]
fn import_scripts_of_a_package_without_data() {
    let texts = Texts::new().unwrap();
    for target in ImportTarget::ALL {
        let scripts = texts.import_scripts(&manifest("bare.json"), &BTreeSet::from([*target])).unwrap();
        let reader = matches!(target, ImportTarget::PostgreSql | ImportTarget::Spark | ImportTarget::Sqlite);
        assert_eq!(scripts.len(), if reader { 2 } else { 1 }, "{target}");
        assert!(scripts.is_sorted(), "{target}");
    }
    assert_eq!(texts.import_scripts(&manifest("bare.json"), &BTreeSet::new()).unwrap(), []);
}

#[test]
fn loaders_are_the_templates_with_the_name_in_a_comment() {
    let mut manifest = manifest("bare.json");
    manifest.name = "evil\n\"\"\"import os # {{ 7 * 7 }} {% raw %}".parse().unwrap();
    let texts = Texts::new().unwrap();
    for (text, file) in
        [(texts.python_loader(&manifest).unwrap(), "load_data.py"), (texts.r_loader(&manifest).unwrap(), "load_data.R")]
    {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(file);
        let template = std::fs::read_to_string(path).unwrap();
        let differing: Vec<_> = template.lines().zip(text.lines()).filter(|(a, b)| a != b).collect();
        let [(_, line)] = differing.as_slice() else { panic!("{file}: {differing:?}") };
        assert!(line.starts_with('#'), "{file}: {line}");
        assert!(line.ends_with("evil \"\"\"import os # {{ 7 * 7 }} {% raw %}"), "{file}: {line}");
        assert_eq!(template.lines().count(), text.lines().count(), "{file}");
    }
}
