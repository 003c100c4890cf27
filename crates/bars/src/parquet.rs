//! Bars in Parquet files, through the low-level readers and writers: no Arrow is linked.

mod cells;
mod columns;
mod guard;
mod meaning;
mod sink;
mod source;

pub use sink::{ParquetSink, parquet_sink};
pub(crate) use source::open;
