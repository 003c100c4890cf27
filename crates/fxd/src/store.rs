//! Files: made, read, appended to, verified, repaired.

mod append;
mod cache;
mod commit;
mod compact;
mod decode;
mod encode;
pub mod filter;
mod map;
mod options;
mod read;
mod repair;
mod rollup;
mod snapshot;
mod storage;
mod train;
mod tree;
mod verify;
mod write;

pub use append::{Appended, Appender, OnTaken};
pub use compact::{compact, upgrade};
pub use filter::Filter;
pub use options::WriteOptions;
pub use read::{CACHED_BLOCKS, Store};
pub use repair::{Repaired, Source, repair};
pub use train::{DICTIONARY_LEN, train};
pub use verify::{Verified, verify};
pub use write::{Existing, Writer, Written};
