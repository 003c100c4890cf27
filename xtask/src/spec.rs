//! `cargo xtask spec-check`: the specification of the `.fxd` format held against the code.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fxd::format::bytes::Field;
use fxd::format::{block, header, metadata, record, symbol, symbol_index, time_index};
use fxd::store::{Existing, WriteOptions, Writer};
use fxd::{Bar, Info, Version};

const PAGE: &str = "docs/formats/fxd.md";

/// The structures in the order in which the page has their tables.
fn structures() -> [(&'static str, &'static [Field]); 14] {
    [
        ("header", &header::FIELDS),
        ("symbol", &symbol::FIELDS),
        ("block header", &block::HEADER_FIELDS),
        ("block trailer", &block::TRAILER_FIELDS),
        ("record", &record::FIELDS),
        ("time index node", &time_index::FIELDS),
        ("section", &metadata::SECTION_FIELDS),
        ("CMIT", &metadata::COMMIT_FIELDS),
        ("SYMC", &metadata::TABLE_FIELDS),
        ("SIDX", &metadata::INDEX_FIELDS),
        ("symbol index node", &symbol_index::NODE_FIELDS),
        ("symbol index entry", &symbol_index::ENTRY_FIELDS),
        ("DICT", &metadata::DICTIONARY_FIELDS),
        ("END", &metadata::END_FIELDS),
    ]
}

pub(crate) fn run(root: &Path, print_dump: bool) -> Result<()> {
    let smallest = smallest()?;
    if print_dump {
        print!("{}", dump(&smallest));
        return Ok(());
    }
    let page = std::fs::read_to_string(root.join(PAGE)).context(PAGE)?;
    let faults = faults(&page, &smallest);
    if faults.is_empty() {
        println!("{PAGE}: {} tables and {} bytes of dump are as the code has them", structures().len(), smallest.len());
        return Ok(());
    }
    bail!("{PAGE}:\n  {}", faults.join("\n  "))
}

fn faults(page: &str, smallest: &[u8]) -> Vec<String> {
    let tables = tables(page);
    let mut faults = Vec::new();
    if tables.len() != structures().len() {
        faults.push(format!("{} tables of fields, the code has {}", tables.len(), structures().len()));
    }
    for ((name, fields), table) in structures().into_iter().zip(&tables) {
        let of_code: Vec<(String, usize, usize)> =
            fields.iter().map(|field| (field.name.to_owned(), field.offset, field.len)).collect();
        if *table != of_code {
            faults.push(format!("{name}: the page has {table:?}, the code {of_code:?}"));
        }
    }
    let shown = undump(page);
    if shown != smallest {
        let at = shown.iter().zip(smallest).position(|(a, b)| a != b).unwrap_or(shown.len().min(smallest.len()));
        faults
            .push(format!("the dump differs from the smallest store at byte {at:#x}: `cargo xtask spec-check --dump`"));
    }
    faults
}

/// Name, offset and size of the fields of each table that has them.
fn tables(page: &str) -> Vec<Vec<(String, usize, usize)>> {
    let mut tables = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("| offset | size |") {
            let rows = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
            tables.push(rows.filter_map(row).collect());
        }
    }
    tables
}

fn row(line: &str) -> Option<(String, usize, usize)> {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    let offset = usize::from_str_radix(cells.next()?.strip_prefix("0x")?, 16).ok()?;
    let size = cells.next()?.parse().ok()?;
    let name = cells.nth(1)?;
    Some((name.to_owned(), offset, size))
}

/// The smallest store that has everything: one symbol, one bar, not compressed.
fn smallest() -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("smallest.fxd");
    let created = 1_704_240_000_000_000_000;
    let options = WriteOptions {
        version: Version::Rows,
        level: None,
        now: created,
        info: Info::default(),
        ..WriteOptions::default()
    };
    let mut writer = Writer::create(&path, options)?;
    let symbol = writer.symbol("EURUSD")?;
    let bar = Bar { ts: created, open: 105_432, high: 105_440, low: 105_430, close: 105_435, volume: 7, flags: 1 };
    writer.push(symbol, &[bar])?;
    writer.finish(Existing::Refuse)?;
    Ok(std::fs::read(path)?)
}

/// Sixteen bytes a line; lines of zeros are left out, the length stands last.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (position, line) in bytes.chunks(16).enumerate() {
        if line.iter().any(|byte| *byte != 0) {
            let hex: Vec<String> = line.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = writeln!(text, "{:08x}  {}", position * 16, hex.join(" "));
        }
    }
    let _ = writeln!(text, "{:08x}", bytes.len());
    text
}

/// The bytes that a page's dump shows.
fn undump(page: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in page.lines() {
        let Some((offset, rest)) = line.split_at_checked(8) else { continue };
        let Some(offset) = Some(offset).filter(|offset| offset.bytes().all(|byte| byte.is_ascii_hexdigit())) else {
            continue;
        };
        let Ok(offset) = usize::from_str_radix(offset, 16) else { continue };
        bytes.resize(offset, 0);
        let hex = rest.split("  ").nth(1).unwrap_or_default();
        bytes.extend(hex.split(' ').map_while(|byte| u8::from_str_radix(byte, 16).ok()));
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_as_the_code() {
        run(&crate::root(), false).unwrap();
    }

    #[test]
    fn a_wrong_offset_or_byte_is_found() {
        let page = std::fs::read_to_string(crate::root().join(PAGE)).unwrap();
        let smallest = smallest().unwrap();
        let moved = page.replace("| 0x30 | 8 | u64 | symbol_offset |", "| 0x31 | 8 | u64 | symbol_offset |");
        assert_eq!(faults(&moved, &smallest).len(), 1);
        assert_eq!(faults(&page.replace("42 4c 4f 43", "42 4c 4f 44"), &smallest).len(), 1);
    }
}
