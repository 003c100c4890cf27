//! Inputs to begin with, made from what the workspace has: fixtures, hostile packages, and small packages of every
//! container.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::read::MultiGzDecoder;
use fxd::store::{Appender, Existing, OnTaken, WriteOptions, Writer};
use fxd::{Bar, Version};
use pdp_manifest::{CompressionLevel, ContainerFormat};
use pdp_packager::{CreateOptions, Silent, create};
use walkdir::WalkDir;

use super::TARGETS;
use crate::process;

/// Most bytes of a hostile package; larger ones are so on purpose, and slow.
const HOSTILE_MAX: u64 = 8 << 10;
/// As the target `inspect` has them: the first byte of an input chooses one.
const NAMES: [&str; 6] = ["jsonl", "jsonl.gz", "jsonl.zst", "csv", "csv.gz", "dbn"];
/// A key and a signature as minisign writes them.
const SIGNED: [&str; 2] = [
    "untrusted comment: minisign public key\nRWSGlcusDFEKoJco55/w3K2CB/uHJ/QuGPVxYytNtkibdSpUOK33GgMN\n",
    "untrusted comment: signature\nRUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\ntrusted comment: timestamp:1633700835\tfile:test\tprehashed\nwLMDjy9FLAuxZ3q4NlEvkgtyhrr0gtTu6KC4KBJdITbbOeAi1zBIYo0v4iTgt8jJpIidRJnp94ABQkJAgAooBQ==\n",
];

/// Writes the seeds of each target to a directory of its name below `output`, anew.
pub(super) fn write(root: &Path, output: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(output);
    for target in TARGETS {
        fs::create_dir_all(output.join(target.name))?;
    }
    let made = output.join("packages");
    packages(root, &made).context("small packages")?;
    let hostile = output.join("hostile");
    let python = process::find("python3").or_else(|| process::find("python"));
    match python {
        Some(python) => {
            let script = root.join("fixtures/hostile/make.py");
            process::run(root, python, &[&script.to_string_lossy(), &hostile.to_string_lossy()])?;
        }
        None => eprintln!("xtask: no Python, and so no hostile packages among the seeds"),
    }
    for (directory, most) in [("fixtures/packages", u64::MAX), ("fixtures/frozen", u64::MAX)]
        .map(|(name, most)| (root.join(name), most))
        .into_iter()
        .chain([(made.clone(), u64::MAX), (hostile.clone(), HOSTILE_MAX)])
    {
        for path in files(&directory) {
            if fs::metadata(&path)?.len() < most {
                package(&path, output)?;
            }
        }
    }
    data(root, output)?;
    for (index, text) in SIGNED.iter().enumerate() {
        seed(output, "signature", &format!("{index}"), text.as_bytes())?;
    }
    stores(&made, output)?;
    fs::remove_dir_all(&made)?;
    let _ = fs::remove_dir_all(&hostile);
    Ok(())
}

/// Packages of every container and compression, of a few small files.
fn packages(root: &Path, output: &Path) -> Result<()> {
    let mut options = CreateOptions::new(root.join("fixtures/sample-data"), output, "2024-02-01T12:00:00Z".parse()?);
    options.filters.symbols = vec!["MSFT".parse()?];
    (options.quality_report, options.data_dictionary, options.loader_scripts) = (false, false, false);
    for format in [ContainerFormat::Zip, ContainerFormat::TarGz] {
        for level in CompressionLevel::ALL {
            let mut options = options.clone();
            (options.format, options.compression) = (format, *level);
            options.name = Some(format!("{format}-{level}").parse()?);
            create(&options, &Silent)?;
        }
    }
    Ok(())
}

/// A package is a seed of more than one target: as it is, as the tar in it, and its manifest alone.
fn package(path: &Path, output: &Path) -> Result<()> {
    let name: String = path.to_string_lossy().chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
    let bytes = fs::read(path)?;
    if name.ends_with(".zip") {
        seed(output, "zip", &name, &bytes)?;
    } else if name.ends_with(".tar.gz") {
        seed(output, "gzip", &name, &bytes)?;
        // Its first byte has the target keep the checksums as they are, or put them right.
        let mut tar = vec![u8::from(!name.contains("checksum"))];
        if MultiGzDecoder::new(bytes.as_slice()).take(1 << 20).read_to_end(&mut tar).is_ok() {
            seed(output, "tar", &name, &tar)?;
        }
    } else {
        return Ok(());
    }
    let manifest = pdp_archive::open(path, &pdp_archive::Limits::default())
        .and_then(|reader| reader.read(&"manifest.json".parse()?, 1 << 20));
    manifest.map_or(Ok(()), |manifest| seed(output, "manifest", &name, &manifest))
}

/// The beginnings of data files.
fn data(root: &Path, output: &Path) -> Result<()> {
    for path in files(&root.join("fixtures/sample-data")) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let choice = NAMES.iter().position(|suffix| name.ends_with(&format!(".{suffix}")));
        let Some(choice) = choice.and_then(|choice| u8::try_from(choice).ok()) else { continue };
        let mut bytes = vec![choice];
        File::open(&path)?.take(HOSTILE_MAX).read_to_end(&mut bytes)?;
        seed(output, "inspect", &name, &bytes)?;
    }
    Ok(())
}

/// One input of a target, unless it is too long for it.
fn seed(output: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let most = TARGETS.iter().find(|other| other.name == target).map_or(0, |target| target.max_len);
    if bytes.len() as u64 <= most {
        fs::write(output.join(target).join(name), bytes)?;
    }
    Ok(())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = WalkDir::new(directory).sort_by_file_name().into_iter().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// Small stores, fresh and appended to, and bars in the shapes that are read.
fn stores(made: &Path, output: &Path) -> Result<()> {
    let bar = |n: u64| Bar { ts: n * 60_000_000_000, open: 5, high: 9, low: 1, close: 7, volume: n, flags: 1 };
    for (name, version, level, block_records) in [
        ("stored", Version::Rows, None, 3),
        ("zstd", Version::Rows, Some(3), 3),
        ("deltas", Version::Delta, Some(3), 10),
        ("columns", Version::Columns, None, 100),
    ] {
        let path = made.join(format!("{name}.fxd"));
        let options = WriteOptions { version, level, block_records: Some(block_records), ..WriteOptions::default() };
        let mut writer = Writer::create(&path, options.clone())?;
        let (a, b) = (writer.symbol("A")?, writer.symbol("B")?);
        writer.push(a, &(0..9).map(bar).collect::<Vec<_>>())?;
        writer.push(b, &(1435..1445).map(bar).collect::<Vec<_>>())?;
        writer.finish(Existing::Replace)?;
        seed(output, "fxd", name, &fs::read(&path)?)?;
        let mut appender = Appender::open(&path, options, OnTaken::Keep)?;
        appender.push("B", &(1440..1450).map(bar).collect::<Vec<_>>())?;
        appender.commit()?;
        seed(output, "fxd", &format!("{name}-appended"), &fs::read(&path)?)?;
    }
    // Columns by themselves: quiet, noisy, in steps with rests, one bar.
    let noisy = |n: u64| {
        let noise = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let price = |by: u32| noise.rotate_left(by).cast_signed() >> (n % 60);
        Bar { ts: n * n, open: price(1), high: price(9), low: price(17), close: price(25), volume: noise, flags: 7 }
    };
    let steps = |n: u64| {
        let price = (n * n % 300).cast_signed() * 2500;
        Bar { ts: n * 60, open: price, high: price + 2500, low: price - i64::from(n % 50 == 7), close: price, ..bar(n) }
    };
    for (name, bars) in [
        ("quiet", (0..200).map(bar).collect::<Vec<_>>()),
        ("noisy", (1..100).map(noisy).collect()),
        ("steps", (0..300).map(steps).collect()),
        ("one", vec![bar(5)]),
    ] {
        seed(output, "columns", name, &fxd::columns::encode(&bars, 64))?;
    }
    let texts = [
        "timestamp,open,high,low,close,volume\n2024-01-03T00:00:00Z,1.5,1.6,1.4,1.55,7\n",
        "20120201 000000;1.306600;1.306600;1.306560;1.306560;0\n",
        "1637971200000,2.85,2.86,2.84,2.85,36304,1637971259999,1.03,79,19523.0,0.5,0\n",
        "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n1704240000000000000,32,1,118,5528750000000,5528750000000,5528750000000,5528750000000,2,ES\n",
    ];
    for (index, text) in texts.iter().enumerate() {
        seed(output, "bars", &format!("{index}"), format!("\0{text}").as_bytes())?;
    }
    // What is chosen by the first byte: rows to validate, also against themselves, LEAN's files, calendars.
    let pipeline = [
        (
            2,
            "timestamp,symbol,publisher_id,instrument_id,open,high,low,close,volume\n2024-01-01T00:00:00Z,A,1,2,1.5,1.6,1.4,1.5,7\n\
             2024-01-01T00:01:00Z,A,1,2,1.5,1.6,1.4,NaN,-7\n2024-01-03T00:01:07Z,A,1,2,1.5,1.6,1.4,1.5,0\n",
        ),
        (3, "timestamp,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,1,1,1,7\n2024-01-01T00:01:00Z,-1,2,-3,1,7\n"),
        (1, "34200000,1674100,1674200,1674000,1674100,100\n34201000,1674100,1674200,1674000,1674100,100\n"),
        (5, "0,1.1,1.3,1.0,1.2,5,1.2,1.4,1.1,1.3,5\n60000,,,,,0,1.2,1.4,1.1,1.3,5\n"),
        (13, "20131007 00:00,1674100,1674200,1674000,1674100,100\n"),
        (0, "start,end,why\n2020-03-09T13:34:00Z,2020-03-09T13:49:00Z,circuit breaker\n2025-01-09\n"),
    ];
    for (index, (choice, text)) in pipeline.into_iter().enumerate() {
        let bytes = [&[choice], text.as_bytes()].concat();
        seed(output, "pipeline", &format!("{index}"), &bytes)?;
    }
    Ok(())
}
