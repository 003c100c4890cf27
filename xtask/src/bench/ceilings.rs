//! What the parts of the work cost at least: one core, nothing else to do.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use libdeflater::{CompressionLvl, Compressor, Decompressor};
use sha2::{Digest as _, Sha256};
use walkdir::WalkDir;

/// How much of the data is tried.
const SAMPLE: u64 = 48_000_000;
/// The best of so many: a ceiling is what the machine can do, not what it did while busy.
const PASSES: usize = 3;

/// Bytes a second on one core.
#[derive(Debug)]
pub(super) struct Rates {
    pub(super) read: f64,
    pub(super) sha256: f64,
    pub(super) crc32: f64,
    /// Of the plain bytes, as are all of these.
    pub(super) inflate: f64,
    pub(super) deflate_balanced: f64,
    pub(super) deflate_fast: f64,
    pub(super) write: f64,
    /// Each file flushed to the disk, which `pdp import` does and the others do not.
    pub(super) write_flushed: f64,
}

/// The Deflate levels of the packages: balanced, fast, and that of the package which is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    pub(super) balanced: u8,
    pub(super) fast: u8,
    pub(super) read: u8,
}

/// Measures with files spread evenly over the data; `work` takes what is written.
pub(super) fn measure(data: &Path, work: &Path, levels: Levels) -> Result<Rates> {
    let paths = sample(data)?;
    let files = paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let mut buffer = Vec::new();
    let read = rate(|| {
        for path in &paths {
            buffer.clear();
            File::open(path)?.read_to_end(&mut buffer)?;
        }
        Ok(sum(&files))
    })?;
    let sha256 = rate(|| {
        for bytes in &files {
            black_box(Sha256::digest(bytes));
        }
        Ok(sum(&files))
    })?;
    let crc32 = rate(|| {
        for bytes in &files {
            black_box(crc32fast::hash(bytes));
        }
        Ok(sum(&files))
    })?;
    let deflated = |level| files.iter().map(|bytes| deflate(level, bytes)).collect::<Result<Vec<_>>>();
    let deflate_at = |level| rate(|| deflated(level).map(black_box).map(|_| sum(&files)));
    let (deflate_balanced, deflate_fast) = (deflate_at(levels.balanced)?, deflate_at(levels.fast)?);
    let members = deflated(levels.read)?;
    let longest = files.iter().map(Vec::len).max().unwrap_or_default();
    let (mut decompressor, mut plain) = (Decompressor::new(), vec![0; longest]);
    let inflate = rate(|| {
        for (member, bytes) in members.iter().zip(&files) {
            let room = plain.get_mut(..bytes.len()).context("no room to inflate")?;
            decompressor.deflate_decompress(member, room)?;
        }
        Ok(sum(&files))
    })?;
    let write_all = |flush: bool| {
        rate(|| {
            fs::create_dir_all(work)?;
            for (number, bytes) in files.iter().enumerate() {
                let mut file = File::create(work.join(number.to_string()))?;
                file.write_all(bytes)?;
                if flush {
                    file.sync_all()?;
                }
            }
            Ok(sum(&files))
        })
    };
    let (write, write_flushed) = (write_all(false)?, write_all(true)?);
    fs::remove_dir_all(work)?;
    Ok(Rates { read, sha256, crc32, inflate, deflate_balanced, deflate_fast, write, write_flushed })
}

fn deflate(level: u8, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressor = Compressor::new(CompressionLvl::new(i32::from(level)).unwrap_or_default());
    let mut out = vec![0; compressor.deflate_compress_bound(bytes.len())];
    let used = compressor.deflate_compress(bytes, &mut out)?;
    out.truncate(used);
    Ok(out)
}

/// Every so-manieth file, so that all of them come to about [`SAMPLE`].
fn sample(data: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut bytes = 0;
    for entry in WalkDir::new(data).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            bytes += entry.metadata()?.len();
            all.push(entry.into_path());
        }
    }
    // An odd step takes all types in turn, of which there are four.
    let step = usize::try_from(bytes / SAMPLE)?.max(1) | 1;
    Ok(all.into_iter().step_by(step).collect())
}

fn sum(files: &[Vec<u8>]) -> usize {
    files.iter().map(Vec::len).sum()
}

/// The best rate of some passes over the work, which says how many bytes it went through.
fn rate(mut work: impl FnMut() -> Result<usize>) -> Result<f64> {
    let mut best: f64 = 0.0;
    for _ in 0..PASSES {
        let start = Instant::now();
        let bytes = work()?;
        best = best.max(bytes as f64 / start.elapsed().as_secs_f64());
    }
    Ok(best)
}
