//! What the tests share.

use std::io::Write;
use std::path::{Path, PathBuf};

use fxd::{Bar, Scale};
use pdp_bars::{BarsError, Fit, ReadOptions, open};
use tempfile::TempDir;

/// A symbol's bars of a whole file.
pub(crate) type Series = (String, Vec<Bar>);

/// Options for prices of so many decimals.
pub(crate) fn options(price: u8, volume: u8) -> ReadOptions {
    ReadOptions::new(Fit::any(Scale::new(price).unwrap(), Scale::new(volume).unwrap()))
}

/// Reads a file to its end, and checks what chunks promise on the way.
pub(crate) fn read(file: &Path, options: &ReadOptions) -> Result<Vec<Series>, BarsError> {
    let mut series: Vec<Series> = Vec::new();
    let mut source = open(file, None, options)?;
    while let Some(chunk) = source.next()? {
        for run in chunk.runs {
            assert!(!run.bars.is_empty(), "an empty run of {}", run.symbol);
            assert!(
                run.first.number() >= 1 && run.first.number() <= run.last.number(),
                "{:?} to {:?}",
                run.first,
                run.last
            );
            match series.iter_mut().find(|(symbol, _)| **symbol == *run.symbol) {
                Some((_, bars)) => bars.extend(run.bars),
                None => series.push((run.symbol.to_string(), run.bars)),
            }
        }
    }
    assert!(source.next()?.is_none(), "a chunk behind the end");
    Ok(series)
}

/// Reads text as a file of that name.
pub(crate) fn read_text(name: &str, text: impl AsRef<[u8]>, options: &ReadOptions) -> Result<Vec<Series>, String> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let prefix = format!("{}: ", file.display());
    read(&file, options).map_err(|error| {
        let error = error.to_string();
        assert!(error.starts_with(&prefix), "an error that does not name the file: {error}");
        error[prefix.len()..].to_owned()
    })
}

/// Nanoseconds since 1970 of a moment.
pub(crate) fn ts(text: &str) -> u64 {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
    u64::try_from(time.timestamp_nanos_opt().unwrap()).unwrap()
}

/// A bar whose prices are all the same.
pub(crate) fn flat(time: &str, price: i64) -> Bar {
    Bar { ts: ts(time), open: price, high: price, low: price, close: price, volume: 0, flags: 0 }
}

/// A real file, if the real data are there.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    let _ = writeln!(std::io::stderr(), "SKIPPED: no real data at ../shared/data/{name}");
    None
}
