//! Where the pipeline's files lie: `{SYMBOL}/{SYMBOL}_{YYYY}_{MM}.csv` and the like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::BarsError;
use crate::convert::InputKind;
use crate::resample::Timeframe;

/// The files of each symbol in a directory, in the order of their names, which is that of time: those in a directory that is called
/// like the symbol, and those beside such directories whose names begin with it.
///
/// # Errors
/// When the directory cannot be read.
pub fn series(directory: &Path) -> Result<BTreeMap<String, Vec<(PathBuf, InputKind)>>, BarsError> {
    let mut found: BTreeMap<String, Vec<(PathBuf, InputKind)>> = BTreeMap::new();
    for path in entries(directory)? {
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        if path.is_dir() {
            for file in entries(&path)? {
                if let Some(kind) = kind(&file) {
                    found.entry(name.clone()).or_default().push((file, kind));
                }
            }
        } else if let (Some(kind), Some(month)) = (kind(&path), Month::of(&name)) {
            found.entry(month.symbol.to_owned()).or_default().push((path.clone(), kind));
        }
    }
    Ok(found)
}

/// A symbol's files by the form they have, as `csv` or `fxd`, if a month is there in more than one; else all of them together, as
/// `*`. What is in several forms is there several times and must not be read as one.
#[must_use]
pub fn forms(files: &[(PathBuf, InputKind)]) -> BTreeMap<String, Vec<(PathBuf, InputKind)>> {
    let split = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stem = stem(&name);
        let form = name.strip_prefix(stem).unwrap_or_default().trim_start_matches('.');
        (path.with_file_name(stem), form.to_owned())
    };
    let stems: BTreeSet<PathBuf> = files.iter().map(|(path, _)| split(path).0).collect();
    if stems.len() == files.len() {
        return BTreeMap::from([("*".to_owned(), files.to_vec())]);
    }
    let mut forms: BTreeMap<String, Vec<(PathBuf, InputKind)>> = BTreeMap::new();
    for file in files {
        forms.entry(split(&file.0).1).or_default().push(file.clone());
    }
    forms
}

/// Refuses months that are there in several forms.
pub(crate) fn check_forms(files: &[(PathBuf, InputKind)]) -> Result<(), BarsError> {
    let forms = forms(files);
    let mut names = forms.keys();
    match (names.next(), names.next()) {
        (Some(one), Some(other)) => {
            let file = files.first().map_or(Path::new(""), |(path, _)| path);
            Err(BarsError::file(
                file,
                format!("months are there both as {one} and as {other}, expected one of them: move the others away"),
            ))
        }
        _ => Ok(()),
    }
}

/// The directories of timeframes in a directory, from the finest to the coarsest.
///
/// # Errors
/// When the directory cannot be read.
pub fn timeframes(directory: &Path) -> Result<Vec<(Option<Timeframe>, PathBuf)>, BarsError> {
    let of = |path: PathBuf| {
        let timeframe: Timeframe = path.file_name()?.to_str()?.parse().ok()?;
        path.is_dir().then_some((Some(timeframe), path))
    };
    let mut found: Vec<_> = entries(directory)?.into_iter().filter_map(of).collect();
    found.sort();
    Ok(found)
}

/// Holds a symbol's directory, so that no other program of ours writes to it meanwhile; waits a little, as one that only looks lets go
/// at once. It is let go when the file is closed.
pub(crate) fn lock(directory: &Path, patience: Duration) -> std::io::Result<File> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(directory.join(".pdp.lock"))?;
    let end = Instant::now() + patience;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if Instant::now() < end => std::thread::sleep(Duration::from_millis(50)),
            Err(TryLockError::WouldBlock) => {
                let why = "another fetch or import writes here: try again when it has ended";
                return Err(std::io::Error::new(std::io::ErrorKind::ResourceBusy, why));
            }
        }
    }
}

/// How long a writer waits for one that only looks.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);

/// Whether a symbol can be the name of a directory, and the beginning of those of files; or why not.
///
/// # Errors
/// What is wrong with it.
pub fn check_name(symbol: &str) -> Result<(), String> {
    let bad = |character: char| character.is_control() || ['/', '\\', ',', ':'].contains(&character);
    if symbol.is_empty() || symbol.len() > 71 || symbol.starts_with('.') || symbol.contains(bad) {
        return Err(format!(
            "the symbol is \"{}\", expected a name of up to 71 bytes without / \\ , : and not beginning with a point",
            crate::problem::shown(symbol.as_bytes())
        ));
    }
    Ok(())
}

/// What is in a directory, by name, but for hidden files.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, BarsError> {
    let failed = |source| BarsError::read(directory, source);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

fn kind(path: &Path) -> Option<InputKind> {
    if path.is_file() { InputKind::of(path) } else { None }
}

/// The name of a file without what tells its form.
fn stem(name: &str) -> &str {
    let mut stem = name;
    while let Some((rest, end)) = stem.rsplit_once('.') {
        let known = ["csv", "txt", "tsv", "gz", "zst", "zip", "parquet", "pq", "dbn", "fxd"];
        if !known.iter().any(|known| end.eq_ignore_ascii_case(known)) {
            break;
        }
        stem = rest;
    }
    stem
}

/// What a file of a month is called after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Month<'a> {
    /// The symbol, which may have dots and underscores of its own.
    pub symbol: &'a str,
    /// The year.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
    /// What follows the month, if it is a timeframe.
    pub timeframe: Option<&'a str>,
}

impl<'a> Month<'a> {
    /// What the name of a file says, read from its end: `ES.c.0_2024_01.csv`, `BRK_B_2024_01_15s.csv`.
    #[must_use]
    pub fn of(name: &'a str) -> Option<Self> {
        let stem = stem(name);
        let of_month = |stem: &'a str| {
            let (rest, month) = stem.rsplit_once('_')?;
            let (symbol, year) = rest.rsplit_once('_')?;
            let number = |text: &str, digits: usize| {
                (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
            };
            let month = number(month, 2).filter(|month| (1..=12).contains(month))?;
            let found = Self { symbol, year: number(year, 4)?, month: u8::try_from(month).ok()?, timeframe: None };
            (!symbol.is_empty()).then_some(found)
        };
        of_month(stem).or_else(|| {
            let (rest, timeframe) = stem.rsplit_once('_')?;
            timeframe.parse::<Timeframe>().ok()?;
            of_month(rest).map(|month| Self { timeframe: Some(timeframe), ..month })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_in_several_forms_are_told_apart() {
        let files = |names: &[&str]| -> Vec<(PathBuf, InputKind)> {
            names.iter().map(|name| (Path::new("15s").join(name), InputKind::of(Path::new(name)).unwrap())).collect()
        };
        let usual = files(&["A_2024_01_15s.csv", "A_2024_02_15s.fxd", "A_2024_03_15s.csv.gz"]);
        assert_eq!(forms(&usual), BTreeMap::from([("*".to_owned(), usual.clone())]));
        assert!(check_forms(&usual).is_ok());
        let twice = files(&["A_2024_01_15s.csv", "A_2024_01_15s.CSV.gz", "A_2024_02_15s.csv"]);
        let found: Vec<_> = forms(&twice).into_iter().map(|(form, files)| (form, files.len())).collect();
        assert_eq!(found, [("CSV.gz".to_owned(), 1), ("csv".to_owned(), 2)]);
        let error = check_forms(&twice).unwrap_err().to_string();
        assert!(error.contains("both as CSV.gz and as csv"), "{error}");
        assert!(check_forms(&[]).is_ok());
    }

    #[test]
    fn names_are_read_from_their_end() {
        for (name, expected) in [
            ("SPY_2024_01.csv", Some(("SPY", 2024, 1))),
            ("ES.c.0_2024_12.csv.gz", Some(("ES.c.0", 2024, 12))),
            ("BRK_B_2024_02_15s.csv", Some(("BRK_B", 2024, 2))),
            ("A_2024_03_1min.parquet", Some(("A", 2024, 3))),
            ("2024_2024_03.dbn.zst", Some(("2024", 2024, 3))),
            ("SPY_2024_13.csv", None),
            ("SPY_24_01.csv", None),
            ("_2024_01.csv", None),
            ("SPY.csv", None),
            ("notes.txt", None),
        ] {
            let found = Month::of(name).map(|month| (month.symbol, month.year, month.month));
            assert_eq!(found, expected, "{name}");
        }
    }
}
