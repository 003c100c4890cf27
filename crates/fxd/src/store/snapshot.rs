//! One commit of a store, as it was when it was opened.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::map::Bytes;
use crate::error::At;
use crate::format::MAX_SYMBOLS;
use crate::format::bytes::slice;
use crate::format::damage::{Damage, Decoded, holds};
use crate::format::header::{self, Header};
use crate::format::metadata::{Depth, MAX_DICTIONARY, Metadata};
use crate::format::symbol::{self, Symbol, SymbolId};
use crate::{FxdError, Info, Version};

/// A commit, with what is read of it once.
pub(crate) struct Snapshot {
    bytes: Bytes,
    pub(crate) header: Header,
    pub(crate) metadata: Metadata,
    pub(crate) symbols: Vec<Symbol>,
    names: HashMap<String, SymbolId>,
}

/// How often a header is read that differs from its image: a writer is between the two for less than this.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(2);

/// Why bytes are not a snapshot: what the header says, or what is damaged behind it.
#[derive(Debug)]
pub(crate) enum OpenError {
    Header(header::HeaderError),
    Damaged(Damage),
    /// The header is not the one that its metadata tells of: it is being written, or was written in part.
    Torn(Damage),
}

impl From<Damage> for OpenError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

impl OpenError {
    pub(crate) fn at(self, at: &At) -> FxdError {
        match self {
            Self::Header(error) => at.header(error),
            Self::Damaged(damage) | Self::Torn(damage) => at.damaged(damage),
        }
    }
}

impl Snapshot {
    /// The newest commit of a file.
    pub(crate) fn open(file: &File, path: &Path) -> Result<Self, FxdError> {
        let at = At::new(path);
        let mut attempt = 1;
        loop {
            let bytes = Bytes::map(file).map_err(at.io("mapping"))?;
            match Self::of(bytes) {
                // A header that a writer is just replacing may be read half old, half new.
                // It may also lead behind the end that the file had when it was mapped.
                Err(
                    OpenError::Torn(_) | OpenError::Damaged(_) | OpenError::Header(header::HeaderError::Damaged(_)),
                ) if attempt < ATTEMPTS => {
                    std::thread::sleep(PAUSE * u32::from(attempt > 1));
                    attempt += 1;
                }
                done => return done.map_err(|error| error.at(&at)),
            }
        }
    }

    /// The newest commit of these bytes.
    pub(crate) fn of(bytes: Bytes) -> Result<Self, OpenError> {
        // A copy: what is mapped may change under a decoder that reads it twice.
        let start: Vec<u8> = bytes.iter().take(header::LEN).copied().collect();
        Self::with_header(bytes, &start)
    }

    /// The commit that a header tells of, wherever it was found.
    pub(crate) fn with_header(bytes: Bytes, start: &[u8]) -> Result<Self, OpenError> {
        let header = Header::decode(start, bytes.len() as u64).map_err(OpenError::Header)?;
        let metadata = match Metadata::decode(&bytes, header.metadata_offset(), Depth::Open) {
            Ok(metadata) => metadata,
            Err(damage) => return Err(OpenError::Damaged(damage)),
        };
        if metadata.header_image[..] != *start {
            return Err(OpenError::Torn(Damage::new(
                0,
                "the header is not the one that its metadata repeats: it was written in part, or changed; `repair` \
                 takes the last one that is whole",
            )));
        }
        let file = committed(&bytes, &metadata);
        let mut symbols = read_table(file, &header, &metadata)?;
        if header.known_version() < Version::Rollups {
            // They mean nothing there.
            symbols.iter_mut().for_each(|symbol| symbol.flags = 0);
        }
        let mut names = HashMap::with_capacity(symbols.len());
        for (position, symbol) in symbols.iter().enumerate() {
            if names.insert(symbol.name.clone(), symbol.id).is_some() {
                let at = header.symbol_offset + (position * symbol::LEN) as u64;
                return Err(Damage::new(at, format!("two symbols are called {}", symbol.name)).into());
            }
        }
        check_rollups(&header, &metadata.info, &symbols)?;
        let blocks: u64 = symbols.iter().map(|symbol| u64::from(symbol.block_count)).sum();
        if blocks != u64::from(header.block_count) {
            let what = format!("{} blocks, but the symbols have {blocks}", header.block_count);
            return Err(Damage::new(0x24, what).into());
        }
        read_dictionary(file, &metadata)?;
        Ok(Self { bytes, header, metadata, symbols, names })
    }

    /// The committed bytes.
    pub(crate) fn file(&self) -> &[u8] {
        committed(&self.bytes, &self.metadata)
    }

    pub(crate) fn symbol(&self, name: &str) -> Option<&Symbol> {
        self.symbols.get(self.names.get(name)?.position())
    }

    /// The dictionary's bytes, which were checked when the file was opened.
    pub(crate) fn dictionary(&self) -> Option<&[u8]> {
        let dictionary = self.metadata.dictionary?;
        slice(self.file(), dictionary.offset, dictionary.length as usize)
    }
}

/// In version 4 each symbol is followed by its series, one for each interval of INFO and in that order.
fn check_rollups(header: &Header, info: &Info, symbols: &[Symbol]) -> Decoded<()> {
    if (header.known_version() < Version::Rollups) != info.rollups.is_empty() {
        let what = "version 4, and no other, has intervals that bars are rolled up to";
        return Err(Damage::new(header.metadata_offset(), what));
    }
    if info.rollups.is_empty() {
        return Ok(());
    }
    for group in symbols.chunks(info.rollups.len() + 1) {
        let Some((base, series)) = group.split_first() else { continue };
        let expected = info.rollups.iter().map(|interval| (interval.flags(), interval.name_of(&base.name)));
        let found = series.iter().map(|series| (series.flags, series.name.clone()));
        if base.flags != 0 || !expected.eq(found) {
            let at = header.symbol_offset + (base.id.position() * symbol::LEN) as u64;
            let what = format!("{} is not followed by a series of each interval that INFO names", base.name);
            return Err(Damage::new(at, what));
        }
    }
    Ok(())
}

fn committed<'a>(bytes: &'a Bytes, metadata: &Metadata) -> &'a [u8] {
    usize::try_from(metadata.end).ok().and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

/// The symbol table, held against its checksum.
pub(crate) fn read_table(file: &[u8], header: &Header, metadata: &Metadata) -> Decoded<Vec<Symbol>> {
    let count = header.symbol_count;
    if (metadata.table.offset, metadata.table.count) != (header.symbol_offset, count) || count > MAX_SYMBOLS {
        return Err(Damage::new(metadata.at, "the metadata tells of another symbol table than the header"));
    }
    let table = slice(file, header.symbol_offset, count as usize * symbol::LEN)
        .ok_or_else(|| Damage::new(header.symbol_offset, "the symbol table lies beyond the committed end"))?;
    let expected = crc32c::crc32c(table);
    if !holds(expected, metadata.table.crc) {
        return Err(Damage::checksum(header.symbol_offset, "the symbol table", expected, metadata.table.crc));
    }
    let (entries, _) = table.as_chunks::<{ symbol::LEN }>();
    let mut symbols = Vec::with_capacity(entries.len());
    for (position, entry) in (0..u16::MAX).zip(entries) {
        let at = header.symbol_offset + u64::from(position) * symbol::LEN as u64;
        symbols.push(Symbol::decode(entry, position, at)?);
    }
    Ok(symbols)
}

fn read_dictionary<'a>(file: &'a [u8], metadata: &Metadata) -> Decoded<Option<&'a [u8]>> {
    let Some(dictionary) = metadata.dictionary else { return Ok(None) };
    let length = dictionary.length as usize;
    let bytes = slice(file, dictionary.offset, length)
        .filter(|_| length <= MAX_DICTIONARY)
        .ok_or_else(|| Damage::new(metadata.at, format!("a dictionary of {length} bytes at {}", dictionary.offset)))?;
    let expected = crc32c::crc32c(bytes);
    if !holds(expected, dictionary.crc) {
        return Err(Damage::checksum(dictionary.offset, "the dictionary", expected, dictionary.crc));
    }
    Ok(Some(bytes))
}
