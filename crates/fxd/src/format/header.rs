//! The 64 bytes at the start of a file.

use super::bytes::Field;
use super::damage::{Damage, Decoded};
use super::{ALIGNMENT, MAX_SYMBOLS, NODE_LEN};

/// What a file begins with.
pub const MAGIC: [u8; 8] = *b"FXSTORE1";
/// The length of a header.
pub const LEN: usize = 64;
/// The newest version that is known.
pub const NEWEST: u32 = 4;
/// The flag of a file whose leaves of the time index form a chain.
pub const CHAINED: u32 = 1 << 16;
/// The flags of features that a reader must know.
const INCOMPATIBLE: u32 = 0xFFFF;

const MAGIC_AT: Field = Field::new("magic", 0, 8);
const VERSION_AT: Field = MAGIC_AT.then("version", 4);
const FLAGS_AT: Field = VERSION_AT.then("flags", 4);
const CREATED_AT: Field = FLAGS_AT.then("created_ts", 8);
const MODIFIED_AT: Field = CREATED_AT.then("modified_ts", 8);
const SYMBOL_COUNT_AT: Field = MODIFIED_AT.then("symbol_count", 4);
const BLOCK_COUNT_AT: Field = SYMBOL_COUNT_AT.then("block_count", 4);
const INDEX_AT: Field = BLOCK_COUNT_AT.then("index_offset", 8);
const SYMBOLS_AT: Field = INDEX_AT.then("symbol_offset", 8);
const DATA_AT: Field = SYMBOLS_AT.then("data_offset", 8);
const _: () = assert!(DATA_AT.end() == LEN);

/// A version of the format: how blocks are coded. All else is the same in all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Rows of 32 bytes under zstd.
    Rows,
    /// Rows, each as what it differs by from the one before, under zstd.
    Delta,
    /// Columns, modelled, under prefix codes; prices of 64 bits.
    Columns,
    /// The same, and series of longer intervals beside those that they are rolled up from.
    Rollups,
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "version {}", self.number())
    }
}

impl Version {
    /// The version of a number.
    #[must_use]
    pub const fn of(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Rows),
            2 => Some(Self::Delta),
            3 => Some(Self::Columns),
            NEWEST => Some(Self::Rollups),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Rows => 1,
            Self::Delta => 2,
            Self::Columns => 3,
            Self::Rollups => NEWEST,
        }
    }

    /// Whether blocks hold one UTC date each, and values of 32 bits.
    #[must_use]
    pub const fn has_rows(self) -> bool {
        matches!(self, Self::Rows | Self::Delta)
    }

    /// The most bars of a block where nothing else is asked for: a day of minutes in rows, eleven of them in columns.
    #[must_use]
    pub const fn block_records(self) -> u32 {
        if self.has_rows() { 1440 } else { 16_384 }
    }
}

/// The fields in their order.
pub const FIELDS: [Field; 10] = [
    MAGIC_AT,
    VERSION_AT,
    FLAGS_AT,
    CREATED_AT,
    MODIFIED_AT,
    SYMBOL_COUNT_AT,
    BLOCK_COUNT_AT,
    INDEX_AT,
    SYMBOLS_AT,
    DATA_AT,
];

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Header {
    /// The format's version.
    pub version: u32,
    /// Features.
    pub flags: u32,
    /// When the file was created, in nanoseconds since the Unix epoch.
    pub created_ts: u64,
    /// When it was last committed to, in nanoseconds since the Unix epoch.
    pub modified_ts: u64,
    /// Symbols in the table.
    pub symbol_count: u32,
    /// Live blocks.
    pub block_count: u32,
    /// The root of the time index.
    pub index_offset: u64,
    /// The symbol table.
    pub symbol_offset: u64,
    /// No block starts before this.
    pub data_offset: u64,
}

/// Why a header is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// Not an fxd file; the text says what it looks like.
    NotFxd(String),
    /// A version that this release does not know.
    UnsupportedVersion(u32),
    /// A feature that this release does not know, by its bit.
    UnsupportedFeature(u32),
    /// An fxd file whose header makes no sense.
    Damaged(Damage),
}

impl Header {
    /// The bytes of the header.
    #[must_use]
    pub fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        MAGIC_AT.put(&mut bytes, &MAGIC);
        VERSION_AT.write(&mut bytes, self.version);
        FLAGS_AT.write(&mut bytes, self.flags);
        CREATED_AT.write(&mut bytes, self.created_ts);
        MODIFIED_AT.write(&mut bytes, self.modified_ts);
        SYMBOL_COUNT_AT.write(&mut bytes, self.symbol_count);
        BLOCK_COUNT_AT.write(&mut bytes, self.block_count);
        INDEX_AT.write(&mut bytes, self.index_offset);
        SYMBOLS_AT.write(&mut bytes, self.symbol_offset);
        DATA_AT.write(&mut bytes, self.data_offset);
        bytes
    }

    /// The header at the start of a file of `file_len` bytes.
    ///
    /// # Errors
    /// [`HeaderError`]: another kind of file, a version or feature that is not known, or offsets that lead nowhere.
    pub fn decode(start: &[u8], file_len: u64) -> Result<Self, HeaderError> {
        let Some(bytes) = start.get(..LEN) else {
            return Err(match start.len() {
                0 => HeaderError::NotFxd("it is empty".into()),
                _ if start.starts_with(&MAGIC) => HeaderError::Damaged(Damage::new(
                    0,
                    format!("the file ends in its header, after {} of {LEN} bytes", start.len()),
                )),
                len => HeaderError::NotFxd(format!("it has {len} bytes, and a header alone has {LEN}")),
            });
        };
        check_magic(bytes)?;
        let header = Self {
            version: VERSION_AT.read_u32(bytes),
            flags: FLAGS_AT.read_u32(bytes),
            created_ts: CREATED_AT.read(bytes),
            modified_ts: MODIFIED_AT.read(bytes),
            symbol_count: SYMBOL_COUNT_AT.read_u32(bytes),
            block_count: BLOCK_COUNT_AT.read_u32(bytes),
            index_offset: INDEX_AT.read(bytes),
            symbol_offset: SYMBOLS_AT.read(bytes),
            data_offset: DATA_AT.read(bytes),
        };
        if Version::of(header.version).is_none() {
            return Err(HeaderError::UnsupportedVersion(header.version));
        }
        let unknown = header.flags & INCOMPATIBLE;
        if unknown != 0 {
            return Err(HeaderError::UnsupportedFeature(unknown.trailing_zeros()));
        }
        header.check(file_len).map_err(HeaderError::Damaged)?;
        Ok(header)
    }

    /// The version, which decoding has checked.
    pub(crate) const fn known_version(&self) -> Version {
        match Version::of(self.version) {
            Some(version) => version,
            None => Version::Rows,
        }
    }

    /// Where the metadata is.
    pub(crate) const fn metadata_offset(&self) -> u64 {
        self.index_offset.saturating_add(NODE_LEN as u64)
    }

    fn check(&self, file_len: u64) -> Decoded<()> {
        let table = u64::from(self.symbol_count) * super::symbol::LEN as u64;
        let ends = [
            (INDEX_AT, self.index_offset, NODE_LEN as u64),
            (SYMBOLS_AT, self.symbol_offset, table),
            (DATA_AT, self.data_offset, 0),
        ];
        if self.symbol_count > MAX_SYMBOLS {
            return Err(Damage::new(
                SYMBOL_COUNT_AT.offset as u64,
                format!("{} symbols, at most {MAX_SYMBOLS} can be", self.symbol_count),
            ));
        }
        for (field, offset, len) in ends {
            let fits = offset >= LEN as u64 && offset.checked_add(len).is_some_and(|end| end <= file_len);
            if !fits || !offset.is_multiple_of(ALIGNMENT) {
                return Err(Damage::new(
                    field.offset as u64,
                    format!(
                        "{} is {offset}, expected a multiple of {ALIGNMENT} within the file's {file_len} bytes",
                        field.name
                    ),
                ));
            }
        }
        if self.symbol_offset < self.metadata_offset() && self.symbol_offset + table > self.index_offset {
            return Err(Damage::new(SYMBOLS_AT.offset as u64, "the symbol table overlaps the index"));
        }
        Ok(())
    }
}

fn check_magic(bytes: &[u8]) -> Result<(), HeaderError> {
    let magic = bytes.get(MAGIC_AT.range()).unwrap_or_default();
    if magic == MAGIC {
        return Ok(());
    }
    let mut swapped = MAGIC;
    swapped.reverse();
    let zero = *b"FXST0RE1";
    let mut zero_swapped = zero;
    zero_swapped.reverse();
    Err(HeaderError::NotFxd(if magic == zero {
        "it begins with FXST0RE1, with a zero for the letter O: the number printed in the format's first description, which \
         no file should bear; expected FXSTORE1"
            .into()
    } else if magic == swapped || magic == zero_swapped {
        "its magic is written backwards: expected the bytes FXSTORE1 in this order".into()
    } else {
        format!("it begins with {}, expected FXSTORE1", magic.escape_ascii())
    }))
}
