//! Where each data file goes inside the package.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use pdp_archive::NameSet;
use pdp_manifest::portable::sanitize_component;
use pdp_manifest::{ContentEncoding, DataFormat, Layout, PackagePath, PathError, Profile};

use crate::inspect::sniff;
use crate::scan::DataFile;

/// Gives every file of `files` its place. The order of `files` decides who gets the plain name when two would have
/// the same.
pub(super) fn place(
    files: &mut [DataFile],
    layout: Layout,
    profiles: &BTreeSet<Profile>,
) -> Result<Vec<PackagePath>, PathError> {
    let mut taken = NameSet::new();
    files
        .iter_mut()
        .map(|file| {
            let (directory, name) = wanted(file, layout);
            let [directory, name] =
                [directory, name].map(|text| profiles.iter().fold(text, |text, profile| acceptable(text, *profile)));
            if layout != Layout::Flat && !file.relative.ends_with(&name) {
                file.warnings.push(format!("its name is not portable; in the package it is called {name}"));
            }
            let (stem, extension) = name.split_at(sniff::stem(&name).len());
            let mut number = 1_u64;
            loop {
                let numbered =
                    if number == 1 { name.clone() } else { format!("{}.{number}{extension}", shorten(stem, number)) };
                let path = PackagePath::from_str(&format!("{directory}/{numbered}"))?;
                if taken.insert(&path).is_ok() {
                    return Ok(path);
                }
                number += 1;
            }
        })
        .collect()
}

/// Keeps a long name legal when a number is added to it.
fn shorten(stem: &str, number: u64) -> &str {
    let room = 255_usize.saturating_sub(32 + number.to_string().len());
    let mut end = stem.len().min(room);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    stem.get(..end).unwrap_or(stem)
}

/// A name that every reader of the profile's packages takes.
fn acceptable(name: String, profile: Profile) -> String {
    match profile {
        // RFC 8493 has it encoded in the list of files; bagit-python looks for the file under the encoded name.
        Profile::Bagit => name.replace('%', "_"),
        // Version 1 takes two dots anywhere in a path for a way out of the package.
        Profile::Frictionless => name.replace("..", "._"),
        Profile::RoCrate => name,
    }
}

fn wanted(file: &DataFile, layout: Layout) -> (String, String) {
    let date = file.date.map_or_else(|| "undated".to_owned(), |date| date.label());
    let symbol = sanitize_component(&file.symbol.file_form());
    let event_type = sanitize_component(file.event_type.as_str());
    let own_name = file.relative.rsplit('/').next().unwrap_or(&file.relative);
    let name = sanitize_component(own_name);
    match layout {
        Layout::ByDate => (format!("data/{date}/{symbol}/{event_type}"), name),
        Layout::BySymbol => (format!("data/{symbol}/{event_type}/{date}"), name),
        Layout::ByType => (format!("data/{event_type}/{symbol}/{date}"), name),
        Layout::Flat => {
            let mut flat = format!("{symbol}_{event_type}_{date}");
            flat.push_str(&flat_extension(file, own_name));
            ("data".to_owned(), sanitize_component(&flat))
        }
    }
}

/// The file's own extension, or the one its bytes ask for where the name has none.
fn flat_extension(file: &DataFile, own_name: &str) -> String {
    let own = sniff::extensions(own_name);
    if !own.is_empty() {
        return own.to_ascii_lowercase();
    }
    let format = match file.format {
        DataFormat::Jsonl => ".jsonl",
        DataFormat::Csv => ".csv",
        DataFormat::Parquet => ".parquet",
        DataFormat::Fxd => ".fxd",
        DataFormat::Dbn => ".dbn",
    };
    let encoding = match file.encoding {
        ContentEncoding::Identity => "",
        ContentEncoding::Gzip => ".gz",
        ContentEncoding::Zstd => ".zst",
    };
    format!("{format}{encoding}")
}
