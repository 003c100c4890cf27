//! Blocks: a header, a payload as stored, a trailer.

use super::bytes::{Field, padding, slice};
use super::damage::{Damage, Decoded, holds};
use super::date::yyyymmdd;
use super::header::Version;
use super::symbol::SymbolId;
use super::{ALIGNMENT, MAX_BLOCK_RECORDS, record};

/// What a block begins with.
pub const MAGIC: [u8; 4] = *b"BLOC";
/// The length of its header; the payload follows.
pub const HEADER_LEN: usize = 36;
/// The length of its trailer, right behind the payload.
pub const TRAILER_LEN: usize = 16;
/// The most bytes that a payload has decompressed.
pub const MAX_ORIGINAL: usize = record::COUNT_LEN + MAX_BLOCK_RECORDS as usize * record::LEN;
/// The most bytes that a payload has as stored: what does not compress may grow a little.
pub const MAX_STORED: usize = MAX_ORIGINAL + 16_384;
/// The most bytes that coded columns have: more than a bar with 64 bits of noise in each value takes.
pub const MAX_COLUMNS: usize = 2 * MAX_ORIGINAL + 65_536;

const MAGIC_AT: Field = Field::new("magic", 0, 4);
const SYMBOL_AT: Field = MAGIC_AT.then("symbol_id", 2);
const COMPRESSION_AT: Field = SYMBOL_AT.then("compression", 2);
const DATE_AT: Field = COMPRESSION_AT.then("date", 4);
const STORED_AT: Field = DATE_AT.then("compressed_size", 4);
const ORIGINAL_AT: Field = STORED_AT.then("original_size", 4);
const FIRST_AT: Field = ORIGINAL_AT.then("first_ts", 8);
const LAST_AT: Field = FIRST_AT.then("last_ts", 8);
const _: () = assert!(LAST_AT.end() == HEADER_LEN);

const HEADER_CRC_AT: Field = Field::new("header_crc", 0, 4);
const PAYLOAD_CRC_AT: Field = HEADER_CRC_AT.then("payload_crc", 4);
const COUNT_AT: Field = PAYLOAD_CRC_AT.then("record_count", 4);
const RESERVED_AT: Field = COUNT_AT.then("reserved", 4);
const _: () = assert!(RESERVED_AT.end() == TRAILER_LEN);

/// The fields of the header in their order.
pub const HEADER_FIELDS: [Field; 8] =
    [MAGIC_AT, SYMBOL_AT, COMPRESSION_AT, DATE_AT, STORED_AT, ORIGINAL_AT, FIRST_AT, LAST_AT];
/// The fields of the trailer in their order.
pub const TRAILER_FIELDS: [Field; 4] = [HEADER_CRC_AT, PAYLOAD_CRC_AT, COUNT_AT, RESERVED_AT];

/// How a payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Compression {
    /// Not at all.
    None,
    /// One zstd frame.
    Zstd,
    /// One zstd frame that needs the file's dictionary.
    ZstdDictionary,
    /// One zstd frame of rows that say what they differ by.
    DeltaZstd,
    /// The same with the file's dictionary.
    DeltaZstdDictionary,
    /// Coded columns.
    Columns,
}

impl Compression {
    const fn code(self) -> u16 {
        match self {
            Self::None => 0,
            Self::Zstd => 1,
            Self::ZstdDictionary => 2,
            Self::DeltaZstd => 3,
            Self::DeltaZstdDictionary => 4,
            Self::Columns => 5,
        }
    }

    /// The first version that has it.
    pub(crate) const fn since(self) -> Version {
        match self {
            Self::None | Self::Zstd | Self::ZstdDictionary => Version::Rows,
            Self::DeltaZstd | Self::DeltaZstdDictionary => Version::Delta,
            Self::Columns => Version::Columns,
        }
    }

    /// Whether the payload is records, once decompressed.
    #[must_use]
    pub const fn has_rows(self) -> bool {
        !matches!(self, Self::Columns)
    }

    const fn of(code: u16) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Zstd),
            2 => Some(Self::ZstdDictionary),
            3 => Some(Self::DeltaZstd),
            4 => Some(Self::DeltaZstdDictionary),
            5 => Some(Self::Columns),
            _ => None,
        }
    }
}

/// What a block says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockHeader {
    /// The symbol.
    pub symbol_id: SymbolId,
    /// How the payload is compressed.
    pub compression: Compression,
    /// The UTC date of its first bar, YYYYMMDD; in versions of rows, of all of them.
    pub date: u32,
    /// Bytes of the payload as stored.
    pub compressed_size: u32,
    /// Bytes of the payload decompressed.
    pub original_size: u32,
    /// The first bar.
    pub first_ts: u64,
    /// The last bar.
    pub last_ts: u64,
    /// How many bars.
    pub record_count: u32,
}

/// A block within a file's bytes. Its header is checked, its payload is not yet.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Where it starts.
    pub at: u64,
    /// What it says of itself.
    pub header: BlockHeader,
    stored: &'a [u8],
    payload_crc: u32,
}

const _: () = assert!(super::ALIGNMENT == 64);
/// How many bytes a block with a payload of this length takes, padding and all.
pub(crate) const fn block_len(stored: usize) -> usize {
    (HEADER_LEN + stored + TRAILER_LEN).next_multiple_of(64)
}

/// The bytes of a block, padding and all.
pub(crate) fn encode(header: &BlockHeader, stored: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(block_len(stored.len()));
    let mut start = [0; HEADER_LEN];
    MAGIC_AT.put(&mut start, &MAGIC);
    SYMBOL_AT.write(&mut start, header.symbol_id.0);
    COMPRESSION_AT.write(&mut start, header.compression.code());
    DATE_AT.write(&mut start, header.date);
    STORED_AT.write(&mut start, header.compressed_size);
    ORIGINAL_AT.write(&mut start, header.original_size);
    FIRST_AT.write(&mut start, header.first_ts);
    LAST_AT.write(&mut start, header.last_ts);
    let mut end = [0; TRAILER_LEN];
    HEADER_CRC_AT.write(&mut end, crc32c::crc32c(&start));
    PAYLOAD_CRC_AT.write(&mut end, crc32c::crc32c(stored));
    COUNT_AT.write(&mut end, header.record_count);
    bytes.extend_from_slice(&start);
    bytes.extend_from_slice(stored);
    bytes.extend_from_slice(&end);
    bytes.resize(block_len(stored.len()), 0);
    bytes
}

impl<'a> Block<'a> {
    /// The block at `at` of a file's committed bytes.
    ///
    /// # Errors
    /// [`Damage`]: no block, sizes out of bounds or in contradiction, a checksum of the header that does not hold.
    pub fn decode(file: &'a [u8], at: u64) -> Decoded<Self> {
        let damage = |field: Field, what: String| Damage::new(at.saturating_add(field.offset as u64), what);
        if !at.is_multiple_of(ALIGNMENT) {
            return Err(Damage::new(at, format!("a block starts at a multiple of {ALIGNMENT}")));
        }
        let start = slice(file, at, HEADER_LEN)
            .ok_or_else(|| Damage::new(at, format!("no room for a block's header before byte {}", file.len())))?;
        if start.get(MAGIC_AT.range()) != Some(&MAGIC) {
            let found = start.get(MAGIC_AT.range()).unwrap_or_default().escape_ascii();
            return Err(damage(MAGIC_AT, format!("expected a block, BLOC, found {found}")));
        }
        let stored_len = STORED_AT.read_u32(start) as usize;
        let payload_at = at.saturating_add(HEADER_LEN as u64);
        let rest = slice(file, payload_at, stored_len.saturating_add(TRAILER_LEN))
            .ok_or_else(|| damage(STORED_AT, format!("a payload of {stored_len} bytes does not fit into the file")))?;
        let (stored, end) = rest.split_at_checked(stored_len).unwrap_or_default();
        let expected = crc32c::crc32c(start);
        let found = HEADER_CRC_AT.read_u32(end);
        if !holds(expected, found) {
            return Err(Damage::checksum(at, "a block's header", expected, found));
        }
        let code = COMPRESSION_AT.read_u16(start);
        let header = BlockHeader {
            symbol_id: SymbolId(SYMBOL_AT.read_u16(start)),
            compression: Compression::of(code)
                .ok_or_else(|| damage(COMPRESSION_AT, format!("compression {code}, known are 0 to 5")))?,
            date: DATE_AT.read_u32(start),
            compressed_size: STORED_AT.read_u32(start),
            original_size: ORIGINAL_AT.read_u32(start),
            first_ts: FIRST_AT.read(start),
            last_ts: LAST_AT.read(start),
            record_count: COUNT_AT.read_u32(end),
        };
        let original = header.original_size as usize;
        let of_count = (header.record_count as usize).checked_mul(record::LEN).map(|len| len + record::COUNT_LEN);
        if header.record_count == 0 || header.record_count > MAX_BLOCK_RECORDS || Some(original) != of_count {
            return Err(damage(
                ORIGINAL_AT,
                format!(
                    "{original} bytes for {} records, expected 8 + 32 for each of 1 to {MAX_BLOCK_RECORDS}",
                    header.record_count
                ),
            ));
        }
        let most = if header.compression.has_rows() { MAX_STORED } else { MAX_COLUMNS };
        if stored_len > most || (header.compression == Compression::None && stored_len != original) {
            return Err(damage(STORED_AT, format!("{stored_len} bytes are stored for {original}")));
        }
        if header.first_ts > header.last_ts || header.last_ts > crate::MAX_TS {
            return Err(damage(FIRST_AT, format!("records from {} to {}", header.first_ts, header.last_ts)));
        }
        let one_date = !header.compression.has_rows() || yyyymmdd(header.last_ts) == header.date;
        if yyyymmdd(header.first_ts) != header.date || !one_date {
            return Err(damage(DATE_AT, format!("date {} of records of {}", header.date, yyyymmdd(header.first_ts))));
        }
        Ok(Self { at, header, stored, payload_crc: PAYLOAD_CRC_AT.read_u32(end) })
    }

    /// The payload as stored.
    #[must_use]
    pub const fn stored(&self) -> &'a [u8] {
        self.stored
    }

    /// How many bytes of the file the block takes, padding and all.
    #[must_use]
    pub const fn len(&self) -> usize {
        block_len(self.stored.len())
    }

    /// A block is never empty.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Where the payload starts.
    pub(crate) const fn payload_at(&self) -> u64 {
        self.at.saturating_add(HEADER_LEN as u64)
    }

    /// Holds the payload against its checksum.
    ///
    /// # Errors
    /// [`Damage`] where it does not hold.
    pub fn check_payload(&self) -> Decoded<()> {
        let expected = crc32c::crc32c(self.stored);
        if holds(expected, self.payload_crc) {
            return Ok(());
        }
        Err(Damage::checksum(self.payload_at(), "a block's payload", expected, self.payload_crc))
    }

    /// Holds the reserved word and the padding against zero.
    ///
    /// # Errors
    /// [`Damage`] at the first byte that is not.
    pub fn check_padding(&self, file: &[u8]) -> Decoded<()> {
        let reserved = self.payload_at() + self.stored.len() as u64 + RESERVED_AT.offset as u64;
        check_zero(file, reserved, RESERVED_AT.len, "a reserved byte")?;
        let end = reserved + RESERVED_AT.len as u64;
        check_zero(file, end, padding(end), "padding")
    }
}

/// Holds bytes that must be zero against it; bytes beyond the file are not there to be wrong.
pub(crate) fn check_zero(file: &[u8], at: u64, len: usize, what: &str) -> Decoded<()> {
    let bytes = slice(file, at, len).ok_or_else(|| Damage::new(at, format!("{what} lies beyond the file")))?;
    match bytes.iter().position(|byte| *byte != 0) {
        Some(position) => Err(Damage::new(at + position as u64, format!("{what} is not zero"))),
        None => Ok(()),
    }
}
