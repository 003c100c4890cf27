//! Nodes of the time index.

use super::bytes::{Field, slice};
use super::damage::{Damage, Decoded, holds};
use super::tree::{Entry, MAX_LEVEL, Node};
use super::{ALIGNMENT, NODE_LEN};

const KEYS: usize = 255;

const LEAF_AT: Field = Field::new("is_leaf", 0, 1);
const LEVEL_AT: Field = LEAF_AT.then("level", 1);
const COUNT_AT: Field = LEVEL_AT.then("num_keys", 2);
const CRC_AT: Field = COUNT_AT.then("crc", 4);
const KEYS_AT: Field = CRC_AT.then("keys", KEYS * 8);
const VALUES_AT: Field = KEYS_AT.then("values", (KEYS + 1) * 8);
const _: () = assert!(VALUES_AT.offset == 0x800 && VALUES_AT.end() == NODE_LEN);

/// The fields in their order.
pub const FIELDS: [Field; 6] = [LEAF_AT, LEVEL_AT, COUNT_AT, CRC_AT, KEYS_AT, VALUES_AT];

/// An entry of the time index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TimeEntry {
    /// The first timestamp of the block, or the smallest below the child.
    pub ts: u64,
    /// Where the block or the child is.
    pub offset: u64,
}

const fn key_at(position: usize) -> Field {
    Field::new("key", KEYS_AT.offset + position * 8, 8)
}

const fn value_at(position: usize) -> Field {
    Field::new("value", VALUES_AT.offset + position * 8, 8)
}

impl Entry for TimeEntry {
    type Key = u64;
    const NODE_LEN: usize = NODE_LEN;
    const FANOUT: usize = KEYS;
    const WHAT: &'static str = "a node of the time index";

    fn key(&self) -> u64 {
        self.ts
    }

    fn offset(&self) -> u64 {
        self.offset
    }

    fn parent(&self, child: u64) -> Self {
        Self { offset: child, ..*self }
    }

    fn encode_node(level: u8, entries: &[Self], next: u64) -> Vec<u8> {
        let mut bytes = vec![0; NODE_LEN];
        LEAF_AT.write(&mut bytes, u8::from(level == 0));
        LEVEL_AT.write(&mut bytes, level);
        COUNT_AT.write(&mut bytes, entries.len() as u64);
        for (position, entry) in entries.iter().enumerate() {
            key_at(position).write(&mut bytes, entry.ts);
            value_at(position).write(&mut bytes, entry.offset);
        }
        value_at(KEYS).write(&mut bytes, next);
        let crc = crc32c::crc32c(&bytes);
        CRC_AT.write(&mut bytes, crc);
        bytes
    }

    fn decode_node(file: &[u8], at: u64) -> Decoded<Node<Self>> {
        if !at.is_multiple_of(ALIGNMENT) {
            return Err(Damage::new(at, format!("{} starts at a multiple of {ALIGNMENT}", Self::WHAT)));
        }
        let bytes = checked(file, at, NODE_LEN, CRC_AT, Self::WHAT)?;
        let (level, count) = head(bytes, at, [LEAF_AT, LEVEL_AT, COUNT_AT], KEYS)?;
        let mut entries: Vec<Self> = Vec::with_capacity(count);
        for position in 0..count {
            let entry = Self { ts: key_at(position).read(bytes), offset: value_at(position).read(bytes) };
            let ordered = match entries.last() {
                Some(last) if level == 0 => *last < entry,
                Some(last) => last.ts <= entry.ts,
                None => true,
            };
            if !ordered {
                return Err(Damage::new(at + key_at(position).offset as u64, "keys out of order"));
            }
            entries.push(entry);
        }
        Ok(Node { at, level, entries, next: if level == 0 { value_at(KEYS).read(bytes) } else { 0 } })
    }
}

/// The bytes of a node whose checksum holds.
pub(super) fn checked<'a>(file: &'a [u8], at: u64, len: usize, crc_at: Field, what: &str) -> Decoded<&'a [u8]> {
    let bytes = slice(file, at, len)
        .ok_or_else(|| Damage::new(at, format!("{what} does not lie within the file's {} bytes", file.len())))?;
    let (before, rest) = bytes.split_at_checked(crc_at.offset).unwrap_or_default();
    let after = rest.get(crc_at.len..).unwrap_or_default();
    let expected = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(before), &[0; 4]), after);
    let found = crc_at.read_u32(bytes);
    if holds(expected, found) { Ok(bytes) } else { Err(Damage::checksum(at, what, expected, found)) }
}

/// Level and number of entries of a node.
pub(super) fn head(bytes: &[u8], at: u64, fields: [Field; 3], most: usize) -> Decoded<(u8, usize)> {
    let [leaf_at, level_at, count_at] = fields;
    let level = level_at.read_u8(bytes);
    if level > MAX_LEVEL || leaf_at.read_u8(bytes) != u8::from(level == 0) {
        return Err(Damage::new(
            at,
            format!("a node of level {level} that says {} of being a leaf", leaf_at.read_u8(bytes)),
        ));
    }
    let count = usize::from(count_at.read_u16(bytes));
    if count > most || (count == 0 && level > 0) {
        return Err(Damage::new(at + count_at.offset as u64, format!("{count} entries, a node has 1 to {most}")));
    }
    Ok((level, count))
}
