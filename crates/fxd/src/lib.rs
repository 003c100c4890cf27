#![doc = include_str!("../README.md")]

#[cfg(feature = "arrow")]
pub mod arrow;
mod bar;
pub mod columns;
mod error;
pub mod format;
mod scale;
pub mod store;

pub use bar::{Bar, flags};
pub use columns::Columns;
pub use error::{BadBar, BadBarReason, FxdError};
pub use format::damage::Damage;
pub use format::header::Version;
pub use format::info::Info;
pub use format::interval::Interval;
pub use format::symbol::{Symbol, SymbolId};
pub use scale::Scale;

/// The last moment that a store takes: what a signed 64-bit number of nanoseconds can say, as Arrow, Parquet and pandas do.
pub const MAX_TS: u64 = i64::MAX.unsigned_abs();
