//! Nodes of the symbol index, in the metadata's SIDX sections.

use super::MAX_BLOCK_RECORDS;
use super::bytes::Field;
use super::damage::{Damage, Decoded};
use super::symbol::SymbolId;
use super::time_index::{checked, head};
use super::tree::{Entry, Node};

/// The length of a node.
pub const LEN: usize = 1024;
const ENTRIES: usize = 31;
const ENTRY_LEN: usize = 32;

const LEAF_AT: Field = Field::new("is_leaf", 0, 1);
const LEVEL_AT: Field = LEAF_AT.then("level", 1);
const COUNT_AT: Field = LEVEL_AT.then("count", 2);
const CRC_AT: Field = COUNT_AT.then("crc", 4);
const RESERVED_AT: Field = CRC_AT.then("reserved", 8);
const ENTRIES_AT: Field = RESERVED_AT.then("entries", ENTRIES * ENTRY_LEN);
const _: () = assert!(ENTRIES_AT.end() <= LEN);

const SYMBOL_AT: Field = Field::new("symbol_id", 0, 2);
const ENTRY_RESERVED_AT: Field = SYMBOL_AT.then("reserved", 2);
const RECORD_COUNT_AT: Field = ENTRY_RESERVED_AT.then("record_count", 4);
const OFFSET_AT: Field = RECORD_COUNT_AT.then("offset", 8);
const FIRST_AT: Field = OFFSET_AT.then("first_ts", 8);
const LAST_AT: Field = FIRST_AT.then("last_ts", 8);
const _: () = assert!(LAST_AT.end() == ENTRY_LEN);

/// The fields of a node in their order.
pub const NODE_FIELDS: [Field; 6] = [LEAF_AT, LEVEL_AT, COUNT_AT, CRC_AT, RESERVED_AT, ENTRIES_AT];
/// The fields of an entry in their order.
pub const ENTRY_FIELDS: [Field; 6] = [SYMBOL_AT, ENTRY_RESERVED_AT, RECORD_COUNT_AT, OFFSET_AT, FIRST_AT, LAST_AT];

/// An entry of the symbol index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SymbolEntry {
    /// The symbol.
    pub symbol_id: SymbolId,
    /// The block's bars; 0 in an inner node.
    pub record_count: u32,
    /// Where the block or the child is.
    pub offset: u64,
    /// The block's first bar.
    pub first_ts: u64,
    /// The block's last bar; 0 in an inner node.
    pub last_ts: u64,
}

impl Entry for SymbolEntry {
    type Key = (SymbolId, u64);
    const NODE_LEN: usize = LEN;
    const FANOUT: usize = ENTRIES;
    const WHAT: &'static str = "a node of the symbol index";

    fn key(&self) -> Self::Key {
        (self.symbol_id, self.first_ts)
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn parent(&self, child: u64) -> Self {
        Self { offset: child, record_count: 0, last_ts: 0, ..*self }
    }

    fn encode_node(level: u8, entries: &[Self], _next: u64) -> Vec<u8> {
        let mut bytes = vec![0; LEN];
        LEAF_AT.write(&mut bytes, u8::from(level == 0));
        LEVEL_AT.write(&mut bytes, level);
        COUNT_AT.write(&mut bytes, entries.len() as u64);
        if let Some(room) = bytes.get_mut(ENTRIES_AT.range()) {
            for (place, entry) in room.chunks_exact_mut(ENTRY_LEN).zip(entries) {
                SYMBOL_AT.write(place, entry.symbol_id.0);
                RECORD_COUNT_AT.write(place, entry.record_count);
                OFFSET_AT.write(place, entry.offset);
                FIRST_AT.write(place, entry.first_ts);
                LAST_AT.write(place, entry.last_ts);
            }
        }
        let crc = crc32c::crc32c(&bytes);
        CRC_AT.write(&mut bytes, crc);
        bytes
    }

    fn decode_node(file: &[u8], at: u64) -> Decoded<Node<Self>> {
        let bytes = checked(file, at, LEN, CRC_AT, Self::WHAT)?;
        let (level, count) = head(bytes, at, [LEAF_AT, LEVEL_AT, COUNT_AT], ENTRIES)?;
        let mut entries: Vec<Self> = Vec::with_capacity(count);
        let places = bytes.get(ENTRIES_AT.range()).unwrap_or_default().chunks_exact(ENTRY_LEN);
        for place in places.take(count) {
            let entry = Self {
                symbol_id: SymbolId(SYMBOL_AT.read_u16(place)),
                record_count: RECORD_COUNT_AT.read_u32(place),
                offset: OFFSET_AT.read(place),
                first_ts: FIRST_AT.read(place),
                last_ts: LAST_AT.read(place),
            };
            if level == 0 && !(1..=MAX_BLOCK_RECORDS).contains(&entry.record_count) {
                let position = ENTRIES_AT.offset + entries.len() * ENTRY_LEN + RECORD_COUNT_AT.offset;
                let what = format!("{} records, a block has 1 to {MAX_BLOCK_RECORDS}", entry.record_count);
                return Err(Damage::new(at + position as u64, what));
            }
            if entries.last().is_some_and(|last| last.key() >= entry.key()) {
                let position = ENTRIES_AT.offset + entries.len() * ENTRY_LEN;
                return Err(Damage::new(at + position as u64, "entries out of order"));
            }
            if let Some(last) = entries.last()
                && level == 0
                && last.symbol_id == entry.symbol_id
                && last.last_ts >= entry.first_ts
            {
                let position = ENTRIES_AT.offset + entries.len() * ENTRY_LEN;
                return Err(Damage::new(at + position as u64, "blocks of a symbol overlap in time"));
            }
            entries.push(entry);
        }
        Ok(Node { at, level, entries, next: 0 })
    }
}
