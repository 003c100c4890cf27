//! Entries of the symbol table.

use super::bytes::Field;
use super::damage::{Damage, Decoded};
use super::interval::Interval;

/// The length of an entry.
pub const LEN: usize = 64;
/// The most bytes of a name: a NUL follows.
pub const MAX_NAME: usize = 31;

const ID_AT: Field = Field::new("id", 0, 2);
const FLAGS_AT: Field = ID_AT.then("flags", 2);
const BLOCK_COUNT_AT: Field = FLAGS_AT.then("block_count", 4);
const NAME_AT: Field = BLOCK_COUNT_AT.then("name", 32);
const FIRST_AT: Field = NAME_AT.then("first_ts", 8);
const LAST_AT: Field = FIRST_AT.then("last_ts", 8);
const RECORD_COUNT_AT: Field = LAST_AT.then("record_count", 8);
const _: () = assert!(RECORD_COUNT_AT.end() == LEN);

/// The fields in their order.
pub const FIELDS: [Field; 7] = [ID_AT, FLAGS_AT, BLOCK_COUNT_AT, NAME_AT, FIRST_AT, LAST_AT, RECORD_COUNT_AT];

/// The number by which blocks and records name a symbol: its position in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct SymbolId(pub(crate) u16);

impl SymbolId {
    /// The position in the symbol table.
    #[must_use]
    pub const fn position(self) -> usize {
        self.0 as usize
    }
}

/// What the table says of a symbol.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Symbol {
    /// Its position in the table.
    pub id: SymbolId,
    /// The interval that its bars are rolled up to, as [`Interval::flags`] has it; 0 for bars as they came.
    pub flags: u16,
    /// Live blocks.
    pub block_count: u32,
    /// Its name.
    pub name: String,
    /// Its first bar, in nanoseconds since the Unix epoch; 0 without bars.
    pub first_ts: u64,
    /// Its last bar; 0 without bars.
    pub last_ts: u64,
    /// How many bars it has.
    pub record_count: u64,
}

/// Why a name is not one.
///
/// # Errors
/// A text that says what is wrong with it.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a symbol's name is empty".into());
    }
    if name.len() > MAX_NAME {
        return Err(format!("the symbol {name:?} has {} bytes, at most {MAX_NAME} are kept", name.len()));
    }
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(format!("the symbol {name:?} has the control character {c:?}")),
        None => Ok(()),
    }
}

impl Symbol {
    /// The interval that its bars are rolled up to; none for bars as they came.
    #[must_use]
    pub fn interval(&self) -> Option<Interval> {
        Interval::of_flags(self.flags)
    }

    /// The symbol whose bars it is made of, if it is rolled up.
    #[must_use]
    pub fn rolled_from(&self) -> Option<&str> {
        self.name.strip_suffix(&format!("@{}", self.interval()?))
    }

    /// A symbol without bars.
    pub(crate) const fn new(id: SymbolId, flags: u16, name: String) -> Self {
        Self { id, flags, block_count: 0, name, first_ts: 0, last_ts: 0, record_count: 0 }
    }

    /// The bytes of the entry.
    #[must_use]
    pub fn encode(&self) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        ID_AT.write(&mut bytes, self.id.0);
        FLAGS_AT.write(&mut bytes, self.flags);
        BLOCK_COUNT_AT.write(&mut bytes, self.block_count);
        NAME_AT.put(&mut bytes, self.name.as_bytes().get(..MAX_NAME).unwrap_or(self.name.as_bytes()));
        FIRST_AT.write(&mut bytes, self.first_ts);
        LAST_AT.write(&mut bytes, self.last_ts);
        RECORD_COUNT_AT.write(&mut bytes, self.record_count);
        bytes
    }

    /// The entry at `position` of the table, which lies at `at`.
    ///
    /// # Errors
    /// [`Damage`]: an id out of order, a name that is none, a first bar after the last.
    pub fn decode(bytes: &[u8; LEN], position: u16, at: u64) -> Decoded<Self> {
        let damage = |field: Field, what: String| Damage::new(at + field.offset as u64, what);
        let id = ID_AT.read_u16(bytes);
        if id != position {
            return Err(damage(ID_AT, format!("symbol id {id}, expected {position}")));
        }
        let name = bytes.get(NAME_AT.range()).unwrap_or_default();
        let end = name
            .iter()
            .position(|byte| *byte == 0)
            .ok_or_else(|| damage(NAME_AT, "a symbol's name does not end".into()))?;
        let (name, rest) = name.split_at(end);
        if rest.iter().any(|byte| *byte != 0) {
            return Err(damage(NAME_AT, "there are bytes behind the end of a symbol's name".into()));
        }
        let name = std::str::from_utf8(name)
            .map_err(|_| damage(NAME_AT, format!("a symbol's name is not UTF-8: {}", name.escape_ascii())))?;
        check_name(name).map_err(|what| damage(NAME_AT, what))?;
        let symbol = Self {
            id: SymbolId(id),
            flags: FLAGS_AT.read_u16(bytes),
            block_count: BLOCK_COUNT_AT.read_u32(bytes),
            name: name.to_owned(),
            first_ts: FIRST_AT.read(bytes),
            last_ts: LAST_AT.read(bytes),
            record_count: RECORD_COUNT_AT.read(bytes),
        };
        if symbol.first_ts > symbol.last_ts || symbol.last_ts > crate::MAX_TS {
            return Err(damage(FIRST_AT, format!("{name}: bars from {} to {}", symbol.first_ts, symbol.last_ts)));
        }
        if (symbol.block_count == 0) != (symbol.record_count == 0)
            || u64::from(symbol.block_count) > symbol.record_count
        {
            return Err(damage(
                BLOCK_COUNT_AT,
                format!("{name}: {} bars in {} blocks", symbol.record_count, symbol.block_count),
            ));
        }
        Ok(symbol)
    }
}
