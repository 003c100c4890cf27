//! Packages that are not what they seem: each refused for its reason, nothing written outside, nothing left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pdp_packager::{ErrorKind, ImportOptions, PackagerError, Silent, ValidateOptions, import, list, validate};
use serde_json::Value;

use crate::support::{Home, Ran, files, program, shared, tell, workspace};

/// What became of a package.
struct Verdict {
    refused: bool,
    said: String,
}

/// Validates, lists and imports; all must agree on whether the package is one.
fn verdict(home: &Home, package: &Path) -> Verdict {
    let destination = home.join("inside/destination");
    let _ = std::fs::remove_dir_all(home.join("inside"));
    std::fs::create_dir(home.join("inside")).unwrap();
    let before = files(home.path());

    let validated = validate(package, &ValidateOptions::default(), &Silent);
    let (valid, mut said) = match &validated {
        Ok(report) => (report.valid, report.findings.iter().map(|finding| format!("{finding}\n")).collect()),
        Err(error) => (false, error.to_string()),
    };
    let listed = list(package);
    let imported = import(&ImportOptions::new(package, &destination), &Silent);
    assert_eq!(valid, imported.is_ok(), "{}: validate said {said}, import {imported:?}", package.display());
    assert!(!valid || listed.is_ok(), "{}: {listed:?}", package.display());
    if let Err(error) = &imported {
        assert_eq!(error.kind(), ErrorKind::Invalid, "{}: {error}", package.display());
        said += &error.to_string();
        // Also without checksums.
        let mut careless = ImportOptions::new(package, &destination);
        careless.validate = false;
        if let Err(error) = import(&careless, &Silent) {
            assert!(!destination.exists(), "{}: {error}", package.display());
        } else {
            inside_only(&destination);
            std::fs::remove_dir_all(&destination).unwrap();
        }
        assert_eq!(files(home.path()), before, "{}: something was left", package.display());
        assert_eq!(std::fs::read_dir(home.join("inside")).unwrap().count(), 0, "{}", package.display());
    } else {
        inside_only(&destination);
        std::fs::remove_dir_all(&destination).unwrap();
        assert_eq!(files(home.path()), before, "{}: something outside", package.display());
    }
    Verdict { refused: !valid, said }
}

/// Regular files and directories, whose modes are the plain ones.
fn inside_only(destination: &Path) {
    for name in files(destination) {
        let metadata = destination.join(&name).symlink_metadata().unwrap();
        assert!(metadata.is_file(), "{name}");
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7133, 0, "{name}");
    }
}

#[test]
fn t001_to_t076_every_generated_package_gets_its_verdict() {
    let Some(python) = program("python3") else { return };
    let home = Home::new();
    let corpus = tempfile::tempdir().unwrap();
    let generator = workspace().join("fixtures/hostile/make.py");
    Ran::of(Command::new(python).arg(generator).arg(corpus.path()).output().unwrap()).ok();
    let index: Vec<Value> = serde_json::from_slice(&std::fs::read(corpus.path().join("index.json")).unwrap()).unwrap();
    assert!(index.len() > 1000);
    let mut counts: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, String::new());
    let mut wrong = Vec::new();
    for case in &index {
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let started = Instant::now();
        let verdict = verdict(&home, &corpus.path().join(text("file")));
        slowest = slowest.max((started.elapsed(), text("file")));
        let expected = text("verdict") == "refuse";
        let count = counts.entry(text("container")).or_default();
        *(if verdict.refused { &mut count.0 } else { &mut count.1 }) += 1;
        let said = verdict.said.to_lowercase();
        let for_its_reason = !expected || text("says").split('|').any(|word| said.contains(&word.to_lowercase()));
        if verdict.refused != expected || !for_its_reason {
            wrong.push(format!(
                "{}: expected {} ({}), got {}",
                text("file"),
                text("verdict"),
                text("says"),
                verdict.said
            ));
        }
    }
    for (container, (refused, accepted)) in counts {
        tell(&format!("hostile packages, {container}: {refused} refused, {accepted} that only look wrong accepted"));
    }
    tell(&format!("hostile packages: the slowest took {} ms ({})", slowest.0.as_millis(), slowest.1));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), index.len(), wrong.join("\n"));
}

#[test]
fn real_hostile_files_are_refused_by_name() {
    let Some(root) = shared("hostile") else { return };
    let home = Home::new();
    let mut tried = 0;
    for name in files(&root) {
        let path = root.join(&name);
        let mut forms: Vec<PathBuf> = vec![path.clone()];
        // A tar is looked into only in gzip.
        if name.ends_with(".tar") {
            let wrapped = tempfile::Builder::new().suffix(".tar.gz").tempfile().unwrap();
            let mut encoder = flate2::write::GzEncoder::new(wrapped.as_file(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, &std::fs::read(&path).unwrap()).unwrap();
            encoder.finish().unwrap();
            forms.push(wrapped.into_temp_path().keep().unwrap());
        }
        for form in forms {
            let verdict = verdict(&home, &form);
            assert!(verdict.refused, "{name}");
            assert!(!verdict.said.is_empty());
            let ran = home.pdp(&["import", form.to_str().unwrap(), "--destination", "there"]);
            assert_eq!(ran.code, 3, "{name}: {ran:?}");
            assert!(!home.join("there").exists(), "{name}");
            if form != path {
                std::fs::remove_file(form).unwrap();
            }
            tried += 1;
        }
    }
    tell(&format!("real hostile files: {tried} archives refused"));
    assert!(tried > 80);
}

#[test]
fn t022_t023_a_link_in_the_destination_leads_nowhere() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", crate::support::trades("AAPL", "2024-01-03", 20));
    let package = home.create(&[]);
    let (outside, there) = (home.join("outside"), home.join("there"));
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::create_dir_all(&there).unwrap();
    std::fs::write(there.join("mine"), "").unwrap();
    #[cfg(unix)]
    {
        // Another process changes a directory for a link and back while imports run.
        let stop = std::sync::atomic::AtomicBool::new(false);
        let (mut imported, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    let place = there.join("data");
                    let aside = there.join("aside");
                    let _ = std::fs::rename(&place, &aside);
                    let _ = std::os::unix::fs::symlink(&outside, &place);
                    let _ = std::fs::remove_file(&place);
                    let _ = std::fs::rename(&aside, &place);
                }
            });
            for _ in 0..300 {
                match import(&ImportOptions::new(&package, &there), &Silent) {
                    Ok(_) => imported += 1,
                    Err(PackagerError::Io { .. } | PackagerError::Archive(_)) => refused += 1,
                    Err(other) => panic!("{other}"),
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        tell(&format!("imports against a racing link: {imported} imported, {refused} refused, nothing outside"));
        assert_eq!(files(&outside), Vec::<String>::new());
        // Once nobody interferes, the next import completes what was begun.
        import(&ImportOptions::new(&package, &there), &Silent).unwrap();
        assert!(there.join("data/2024-01-03/AAPL/Trade/2024-01-03.jsonl").is_file());
    }
}
