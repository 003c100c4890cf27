//! What several test programs need.
#![allow(dead_code, reason = "each of them uses some of it")]

use std::collections::BTreeMap;
use std::path::Path;

use fxd::store::{Appended, Appender, Existing, Filter, OnTaken, Store, WriteOptions, Writer, Written, verify};
use fxd::{Bar, FxdError, Version};

pub(crate) const DAY: u64 = 86_400_000_000_000;
pub(crate) const MINUTE: u64 = 60_000_000_000;

pub(crate) type Rows = BTreeMap<String, Vec<Bar>>;

/// A directory of the test's own, in memory where there is such a place.
pub(crate) fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// A bar whose values follow from its time and a number.
pub(crate) fn bar(ts: u64, n: u64) -> Bar {
    let price = i64::try_from(100_000 + (ts / MINUTE * 7 + n * 13) % 5000).unwrap();
    Bar {
        ts,
        open: price,
        high: price + 9,
        low: price - 9,
        close: price + 1,
        volume: (ts / MINUTE + n) % 1000,
        flags: u8::try_from(n % 128).unwrap(),
    }
}

/// So many bars of a day, a minute apart.
pub(crate) fn bars(day: u64, count: u64) -> Vec<Bar> {
    (0..count).map(|minute| bar(day * DAY + minute * MINUTE, day)).collect()
}

/// Every version of the format.
pub(crate) const VERSIONS: [Version; 4] = [Version::Rows, Version::Delta, Version::Columns, Version::Rollups];

/// The same options for another version, with intervals to roll up to where it has any.
pub(crate) fn of_version(version: Version, mut options: WriteOptions) -> WriteOptions {
    options.version = version;
    if version == Version::Rollups {
        options.info.rollups = ["5m", "1h", "1d"].map(|interval| interval.parse().unwrap()).into();
    }
    options
}

pub(crate) fn options(block_records: u32) -> WriteOptions {
    WriteOptions { version: Version::Rows, block_records: Some(block_records), now: 77, ..WriteOptions::default() }
}

/// Writes a store, symbol after symbol.
pub(crate) fn write(path: &Path, options: &WriteOptions, series: &Rows) -> Written {
    let mut writer = Writer::create(path, options.clone()).unwrap();
    for name in series.keys() {
        writer.symbol(name).unwrap();
    }
    for (name, bars) in series {
        let id = writer.symbol(name).unwrap();
        writer.push(id, bars).unwrap();
    }
    writer.finish(Existing::Replace).unwrap()
}

pub(crate) fn append(
    path: &Path,
    options: &WriteOptions,
    on_taken: OnTaken,
    series: &Rows,
) -> Result<Appended, FxdError> {
    let mut appender = Appender::open(path, options.clone(), on_taken)?;
    for (name, bars) in series {
        appender.push(name, bars)?;
    }
    appender.commit()
}

/// All rows of all symbols, by the symbol index.
pub(crate) fn rows(store: &Store) -> Result<Rows, FxdError> {
    let query = |symbol: &fxd::Symbol| {
        let columns = store.query(symbol.id, 0..u64::MAX, &Filter::default())?;
        Ok((symbol.name.clone(), columns.iter().collect()))
    };
    store.series().map(query).collect()
}

/// Holds a store against every checksum and both indexes.
pub(crate) fn assert_sound(path: &Path) {
    let verified = verify(path, true).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.findings);
}

/// A store's bytes that can be changed anywhere, with all checksums made to hold again.
#[derive(Clone)]
pub(crate) struct Forged {
    pub(crate) file: Vec<u8>,
    pub(crate) sections: Vec<fxd::format::metadata::Section>,
    table: std::ops::Range<usize>,
    region: std::ops::Range<usize>,
}

pub(crate) fn place(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

impl Forged {
    pub(crate) fn of(path: &Path) -> Self {
        let store = Store::open(path).unwrap();
        let (header, metadata) = (store.header(), store.metadata());
        let table = place(header.symbol_offset);
        Self {
            file: store.file().to_vec(),
            sections: metadata.sections.clone(),
            table: table..table + header.symbol_count as usize * 64,
            region: place(metadata.commit.region_offset)..place(metadata.at),
        }
    }

    pub(crate) fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = place(at);
        self.file[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// Where the bytes of a section are.
    pub(crate) fn section(&self, tag: &[u8; 4]) -> u64 {
        self.sections.iter().find(|section| &section.tag == tag).unwrap().at + 16
    }

    /// Makes every checksum hold: of table, region, sections, metadata and header.
    pub(crate) fn seal(mut self) -> Vec<u8> {
        let crc = |bytes: &[u8]| crc32c::crc32c(bytes).to_le_bytes();
        let table = crc(&self.file[self.table.clone()]);
        self.put(self.section(b"SYMC") + 12, &table);
        let region = crc(&self.file[self.region.clone()]);
        self.put(self.section(b"CMIT") + 24, &region);
        let (end, others) = self.sections.clone().split_last().map(|(end, others)| (*end, others.to_vec())).unwrap();
        for section in others {
            let from = place(section.at) + 16;
            let sum = crc(&self.file[from..from + place(section.length)]);
            self.put(section.at + 4, &sum);
        }
        let image = self.file[..64].to_vec();
        self.put(end.at + 16, &image);
        let metadata = crc(&self.file[self.region.end..place(end.at)]);
        self.put(end.at + 16 + 64, &metadata);
        let sum = crc(&self.file[place(end.at) + 16..place(end.at) + 16 + 72]);
        self.put(end.at + 4, &sum);
        self.file
    }

    /// Puts a block with checksums that hold where another was.
    pub(crate) fn block(&mut self, at: u64, block: &ForgedBlock) {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(b"BLOC");
        bytes.extend_from_slice(&block.symbol.to_le_bytes());
        bytes.extend_from_slice(&block.compression.to_le_bytes());
        for word in [block.date, block.compressed_size, block.original_size] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&block.first_ts.to_le_bytes());
        bytes.extend_from_slice(&block.last_ts.to_le_bytes());
        let header = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&block.stored);
        for word in [header, crc32c::crc32c(&block.stored), block.record_count, 0] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        self.put(at, &bytes);
    }
}

#[derive(Clone)]
pub(crate) struct ForgedBlock {
    pub(crate) symbol: u16,
    pub(crate) compression: u16,
    pub(crate) date: u32,
    pub(crate) compressed_size: u32,
    pub(crate) original_size: u32,
    pub(crate) first_ts: u64,
    pub(crate) last_ts: u64,
    pub(crate) record_count: u32,
    pub(crate) stored: Vec<u8>,
}

impl ForgedBlock {
    /// A block of these bars, not compressed, of the symbol with the id 0.
    pub(crate) fn of(bars: &[Bar]) -> Self {
        let mut payload = (bars.len() as u64).to_le_bytes().to_vec();
        for bar in bars {
            payload.extend_from_slice(&bar.ts.to_le_bytes());
            for value in [bar.open, bar.high, bar.low, bar.close] {
                payload.extend_from_slice(&u32::try_from(value).unwrap().to_le_bytes());
            }
            payload.extend_from_slice(&u32::try_from(bar.volume).unwrap().to_le_bytes());
            payload.extend_from_slice(&[0, 0, bar.flags, 0]);
        }
        let (first_ts, last_ts) = (bars.first().unwrap().ts, bars.last().unwrap().ts);
        let size = u32::try_from(payload.len()).unwrap();
        Self {
            symbol: 0,
            compression: 0,
            date: fxd::format::date::yyyymmdd(first_ts),
            compressed_size: size,
            original_size: size,
            first_ts,
            last_ts,
            record_count: u32::try_from(bars.len()).unwrap(),
            stored: payload,
        }
    }

    /// With another payload as stored, of zstd frames.
    pub(crate) fn zstd(mut self, stored: Vec<u8>) -> Self {
        self.compression = 1;
        self.compressed_size = u32::try_from(stored.len()).unwrap();
        self.stored = stored;
        self
    }
}
