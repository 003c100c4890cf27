//! Records of version 1: 32 bytes a bar.

use std::mem::offset_of;

use zerocopy::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::bytes::Field;
use super::symbol::SymbolId;
use crate::Bar;

/// The length of a record.
pub const LEN: usize = 32;
/// The length of the number before the records.
pub const COUNT_LEN: usize = 8;

/// A bar as version 1 stores it. Its bytes may lie anywhere and need no conversion but that of their order.
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
pub struct Record {
    /// When the bar opened.
    pub ts: U64,
    /// First price.
    pub open: U32,
    /// Highest price.
    pub high: U32,
    /// Lowest price.
    pub low: U32,
    /// Last price.
    pub close: U32,
    /// Volume.
    pub volume: U32,
    /// The symbol.
    pub symbol_id: U16,
    /// What else is known.
    pub flags: u8,
    /// Zero.
    pub pad: u8,
}
const _: () = assert!(size_of::<Record>() == LEN);

/// The fields in their order.
pub const FIELDS: [Field; 9] = [
    Field::new("ts", offset_of!(Record, ts), 8),
    Field::new("open", offset_of!(Record, open), 4),
    Field::new("high", offset_of!(Record, high), 4),
    Field::new("low", offset_of!(Record, low), 4),
    Field::new("close", offset_of!(Record, close), 4),
    Field::new("volume", offset_of!(Record, volume), 4),
    Field::new("symbol_id", offset_of!(Record, symbol_id), 2),
    Field::new("flags", offset_of!(Record, flags), 1),
    Field::new("pad", offset_of!(Record, pad), 1),
];

/// A value of a bar that version 1 cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misfit {
    /// The field.
    pub field: &'static str,
    /// The value, in the store's smallest unit.
    pub value: i128,
}

impl Record {
    /// The record of a bar.
    ///
    /// # Errors
    /// The field that does not fit into 32 bits.
    pub fn encode(bar: &Bar, symbol: SymbolId) -> Result<Self, Misfit> {
        let price = |field, value: i64| match u32::try_from(value) {
            Ok(value) => Ok(U32::new(value)),
            Err(_) => Err(Misfit { field, value: value.into() }),
        };
        Ok(Self {
            ts: U64::new(bar.ts),
            open: price("open", bar.open)?,
            high: price("high", bar.high)?,
            low: price("low", bar.low)?,
            close: price("close", bar.close)?,
            volume: match u32::try_from(bar.volume) {
                Ok(value) => U32::new(value),
                Err(_) => return Err(Misfit { field: "volume", value: bar.volume.into() }),
            },
            symbol_id: U16::new(symbol.0),
            flags: bar.flags,
            pad: 0,
        })
    }

    /// The bar of the record.
    #[must_use]
    pub fn decode(&self) -> Bar {
        Bar {
            ts: self.ts.get(),
            open: self.open.get().into(),
            high: self.high.get().into(),
            low: self.low.get().into(),
            close: self.close.get().into(),
            volume: self.volume.get().into(),
            flags: self.flags,
        }
    }
}

/// Writes the payload of a block: the number of records, and the records.
///
/// # Errors
/// The position of the first bar that does not fit, and why.
pub fn encode_payload(bars: &[Bar], symbol: SymbolId, payload: &mut Vec<u8>) -> Result<(), (usize, Misfit)> {
    payload.clear();
    payload.reserve(COUNT_LEN + bars.len() * LEN);
    payload.extend_from_slice(&(bars.len() as u64).to_le_bytes());
    for (at, bar) in bars.iter().enumerate() {
        let record = Record::encode(bar, symbol).map_err(|misfit| (at, misfit))?;
        payload.extend_from_slice(record.as_bytes());
    }
    Ok(())
}

/// The records of a decompressed payload; `None` where its length or its number is wrong.
#[must_use]
pub fn decode_payload(payload: &[u8]) -> Option<&[Record]> {
    let (count, records) = payload.split_at_checked(COUNT_LEN)?;
    let records = <[Record]>::ref_from_bytes(records).ok()?;
    (count == (records.len() as u64).to_le_bytes()).then_some(records)
}

/// Makes each record of a payload what it differs by from the one before: its timestamp from that one's, its open and its close
/// from that one's close, high and low from the higher and the lower of its own open and close. Prices are zigzag, as 32 bits.
pub fn to_deltas(payload: &mut [u8]) {
    let Some(records) = records_mut(payload) else { return };
    let (mut last_ts, mut last_close) = (0, 0);
    for record in records {
        let (ts, open, high, low, close) =
            (record.ts.get(), record.open.get(), record.high.get(), record.low.get(), record.close.get());
        record.ts.set(ts.wrapping_sub(last_ts));
        record.open.set(zigzag(open.wrapping_sub(last_close)));
        record.high.set(zigzag(high.wrapping_sub(open.max(close))));
        record.low.set(zigzag(open.min(close).wrapping_sub(low)));
        record.close.set(zigzag(close.wrapping_sub(last_close)));
        (last_ts, last_close) = (ts, close);
    }
}

/// The reverse of [`to_deltas`].
pub fn from_deltas(payload: &mut [u8]) {
    let Some(records) = records_mut(payload) else { return };
    let (mut last_ts, mut last_close) = (0_u64, 0_u32);
    for record in records {
        last_ts = last_ts.wrapping_add(record.ts.get());
        let open = last_close.wrapping_add(unzigzag(record.open.get()));
        last_close = last_close.wrapping_add(unzigzag(record.close.get()));
        record.ts.set(last_ts);
        record.high.set(open.max(last_close).wrapping_add(unzigzag(record.high.get())));
        record.low.set(open.min(last_close).wrapping_sub(unzigzag(record.low.get())));
        record.open.set(open);
        record.close.set(last_close);
    }
}

fn records_mut(payload: &mut [u8]) -> Option<&mut [Record]> {
    let (_, records) = payload.split_at_mut_checked(COUNT_LEN)?;
    <[Record]>::mut_from_bytes(records).ok()
}

/// Small for differences near zero of either sign.
const fn zigzag(difference: u32) -> u32 {
    (difference << 1) ^ (difference.cast_signed() >> 31).cast_unsigned()
}

const fn unzigzag(value: u32) -> u32 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ohlcv {
        ts: u64,
        open: u32,
        high: u32,
        low: u32,
        close: u32,
        volume: u32,
        symbol_id: u16,
        flags: u8,
        pad: u8,
    }

    fn bar(n: u32) -> Bar {
        Bar {
            ts: u64::from(n) * 60_000_000_000,
            open: i64::from(n),
            high: i64::from(u32::MAX - n),
            low: 1,
            close: i64::from(n * 7),
            volume: u64::from(u32::MAX),
            flags: 0b101,
        }
    }

    #[test]
    fn payloads_are_what_bincode_writes_and_reads() {
        let bars: Vec<_> = (0..1000).map(bar).collect();
        let rows: Vec<_> = (0..1000_u32)
            .map(|n| Ohlcv {
                ts: u64::from(n) * 60_000_000_000,
                open: n,
                high: u32::MAX - n,
                low: 1,
                close: n * 7,
                volume: u32::MAX,
                symbol_id: 513,
                flags: 0b101,
                pad: 0,
            })
            .collect();
        let mut payload = Vec::new();
        encode_payload(&bars, SymbolId(513), &mut payload).unwrap();
        assert_eq!(payload, bincode::serialize(&rows).unwrap());
        assert_eq!(bincode::deserialize::<Vec<Ohlcv>>(&payload).unwrap(), rows);
        let read: Vec<_> = decode_payload(&payload).unwrap().iter().map(Record::decode).collect();
        assert_eq!(read, bars);
    }

    #[test]
    fn t104_t105_what_does_not_fit_into_32_bits_is_refused() {
        let good = bar(1);
        for (field, bad) in [
            ("open", Bar { open: -1, ..good }),
            ("high", Bar { high: 1 << 32, ..good }),
            ("low", Bar { low: i64::MIN, ..good }),
            ("close", Bar { close: i64::MAX, ..good }),
            ("volume", Bar { volume: 1 << 32, ..good }),
        ] {
            let (at, misfit) = encode_payload(&[good, bad], SymbolId(0), &mut Vec::new()).unwrap_err();
            assert_eq!((at, misfit.field), (1, field));
        }
        let most = Bar { open: 0, high: u32::MAX.into(), volume: u32::MAX.into(), ..good };
        assert_eq!(Record::encode(&most, SymbolId(0)).unwrap().decode(), most);
    }

    #[test]
    fn deltas_are_small_and_come_back() {
        let mut bars: Vec<_> = (0..100).map(bar).collect();
        bars.extend([
            Bar {
                ts: crate::MAX_TS,
                open: 0,
                high: 0,
                low: u32::MAX.into(),
                close: u32::MAX.into(),
                volume: 1,
                flags: 0,
            },
            Bar { ts: 0, open: u32::MAX.into(), high: 5, low: 7, close: 0, volume: 1, flags: 0 },
        ]);
        let mut payload = Vec::new();
        encode_payload(&bars, SymbolId(3), &mut payload).unwrap();
        let before = payload.clone();
        to_deltas(&mut payload);
        assert_ne!(payload, before);
        let second = &decode_payload(&payload).unwrap()[1];
        assert_eq!((second.ts.get(), second.open.get(), second.close.get()), (60_000_000_000, 2, 14));
        from_deltas(&mut payload);
        assert_eq!(payload, before);
    }

    #[test]
    fn lengths_that_disagree_are_refused() {
        let mut payload = Vec::new();
        encode_payload(&[bar(1), bar(2)], SymbolId(0), &mut payload).unwrap();
        assert!(decode_payload(&payload).is_some());
        for len in 0..payload.len() {
            assert!(decode_payload(&payload[..len]).is_none(), "{len}");
        }
        payload[0] = 3;
        assert!(decode_payload(&payload).is_none());
    }
}
