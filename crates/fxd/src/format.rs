//! Bytes to types and back; nothing here reads or writes files.
//!
//! The structures are those of `docs/formats/fxd.md`, a module each. Every decoder takes the whole file as a slice and a
//! position in it, holds both against each other, and answers damage with the position.

pub mod block;
pub mod bytes;
pub mod damage;
pub mod date;
pub mod header;
pub mod info;
pub mod interval;
pub mod metadata;
pub mod record;
pub mod symbol;
pub mod symbol_index;
pub mod time_index;
pub mod tree;

/// Structures start at multiples of this.
pub const ALIGNMENT: u64 = 64;
/// The length of a node of the time index.
pub const NODE_LEN: usize = 4096;
/// The most symbols of a file: their ids are 16 bits wide, and 65,535 stands for none.
pub const MAX_SYMBOLS: u32 = 65_535;
/// The most records of a block: a day of seconds.
pub const MAX_BLOCK_RECORDS: u32 = 86_400;
