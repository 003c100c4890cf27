//! What cannot be told from blocks: names, scales and dictionary, wherever in a damaged file they are whole.

use super::MOST_ENDS;
use crate::Info;
use crate::format::bytes::slice;
use crate::format::header::{self, Header, Version};
use crate::format::metadata::{Alone, Dictionary, Table, alone};
use crate::format::symbol::{self, Symbol};

/// What is left of names, scales and dictionary.
pub(super) struct Known {
    pub(super) version: Version,
    /// Names, and whether each is of a series that is rolled up.
    pub(super) names: Vec<(String, bool)>,
    pub(super) info: Option<Info>,
    pub(super) dictionary: Option<Vec<u8>>,
    /// Bars of all symbols, as the newest symbol table has them.
    pub(super) records: Option<u64>,
    /// What a person should know of it.
    pub(super) notes: Vec<String>,
}

impl Known {
    /// The newest sections and symbol table whose checksums hold, whatever became of what is around them.
    pub(super) fn find(bytes: &[u8]) -> Self {
        // What the header says, if it says one; blocks may say a later one.
        let header = Header::decode(bytes.get(..header::LEN).unwrap_or_default(), u64::MAX).ok();
        let version = header.map_or(Version::Rows, |header| header.known_version());
        let mut known =
            Self { version, names: Vec::new(), info: None, dictionary: None, records: None, notes: Vec::new() };
        for section in sections(bytes) {
            match section {
                Alone::Info(info) => known.info = known.info.or(Some(info)),
                Alone::Dictionary(dictionary) if known.dictionary.is_none() => {
                    known.dictionary = dictionary_of(bytes, &dictionary);
                }
                Alone::Table(table) if known.names.is_empty() => {
                    known.take(table_of(bytes, &table).unwrap_or_default());
                }
                _ => {}
            }
        }
        known.take_unchecked(header.and_then(|header| unchecked(bytes, &header)).unwrap_or_default());
        known
    }

    fn take(&mut self, symbols: Vec<Symbol>) {
        if !symbols.is_empty() {
            self.records = Some(Self::bars(&symbols));
            self.names = symbols.into_iter().map(|symbol| (symbol.name.clone(), symbol.flags != 0)).collect();
        }
    }

    /// Bars as they came; symbols of versions without series have no flags.
    fn bars(symbols: &[Symbol]) -> u64 {
        symbols.iter().filter(|symbol| symbol.flags == 0).fold(0, |sum, symbol| symbol.record_count.saturating_add(sum))
    }

    /// Takes names from a table that no checksum vouches for, where no other says them.
    fn take_unchecked(&mut self, symbols: Vec<Symbol>) {
        let new = symbols.iter().skip(self.names.len()).map(|symbol| (symbol.name.clone(), symbol.flags != 0));
        let new: Vec<(String, bool)> = new.collect();
        if new.is_empty() {
            return;
        }
        self.notes.push(format!(
            "the symbol table's checksum is lost or does not hold; these names may be wrong: {}",
            new.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
        ));
        self.records = Some(Self::bars(&symbols));
        self.names.extend(new);
    }
}

/// The sections that are whole, the last one first. Of places that look like one and are none only some are looked at.
fn sections(bytes: &[u8]) -> impl Iterator<Item = Alone> + '_ {
    const TAGS: [&[u8; 4]; 3] = [b"INFO", b"DICT", b"SYMC"];
    let last = bytes.len().saturating_sub(4);
    let possible = (0..=last)
        .rev()
        .filter(|at| bytes.get(*at..).and_then(<[u8]>::first_chunk::<4>).is_some_and(|found| TAGS.contains(&found)));
    possible.take(MOST_ENDS).filter_map(|at| alone(bytes, at as u64))
}

fn dictionary_of(bytes: &[u8], dictionary: &Dictionary) -> Option<Vec<u8>> {
    let found = slice(bytes, dictionary.offset, dictionary.length as usize)?;
    (crc32c::crc32c(found) == dictionary.crc).then(|| found.to_vec())
}

/// The symbols of a table whose checksum holds.
fn table_of(bytes: &[u8], table: &Table) -> Option<Vec<Symbol>> {
    let found = slice(bytes, table.offset, (table.count as usize).checked_mul(symbol::LEN)?)?;
    (crc32c::crc32c(found) == table.crc).then(|| decode(found))?
}

/// The symbol table that the header leads to, or else the first one, where all of it makes sense.
fn unchecked(bytes: &[u8], header: &Header) -> Option<Vec<Symbol>> {
    let newest = (header.symbol_count as usize).checked_mul(symbol::LEN);
    let first = usize::try_from(header.data_offset).ok()?.checked_sub(header::LEN)?;
    let table = |offset: u64, len: usize| decode(slice(bytes, offset, len)?);
    newest.and_then(|len| table(header.symbol_offset, len)).or_else(|| table(header::LEN as u64, first))
}

fn decode(table: &[u8]) -> Option<Vec<Symbol>> {
    let (entries, _) = table.as_chunks::<{ symbol::LEN }>();
    let symbols = (0..u16::MAX).zip(entries).map(|(position, entry)| Symbol::decode(entry, position, 0));
    symbols.collect::<Result<_, _>>().ok()
}
