#![doc = include_str!("../README.md")]

mod calendar;
mod chunk;
mod clock;
pub mod convert;
mod csv;
mod dbn;
mod decimal;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fit;
mod input;
mod json;
mod kind;
mod lean;
pub mod market;
mod marks;
mod moment;
mod name;
mod options;
mod parquet;
pub mod pipeline;
mod print;
mod problem;
pub mod resample;
mod runs;
mod sink;
pub mod validate;
mod zone;

use std::path::Path;

pub use chunk::{BarSource, Chunk, Ids, Run};
pub use csv::{CsvSink, csv_sink};
pub use error::BarsError;
pub use fit::Fit;
pub use json::{JsonSink, json_sink};
pub use kind::Kind;
pub use lean::LeanFile;
pub use name::symbol_from_name;
pub use options::{CsvFormat, Order, QuoteSide, ReadOptions, UnknownName};
pub use parquet::{ParquetSink, parquet_sink};
pub use problem::{Place, Problem};
pub use sink::{BarSink, Prices, WriteOptions};
pub use zone::{UnknownZone, Zone};

/// Opens a file of bars for reading. Its kind is told from its name where none is given.
///
/// # Errors
///
/// When the file cannot be read, its kind is not known, or its beginning shows that it holds no bars.
pub fn open(path: &Path, kind: Option<Kind>, options: &ReadOptions) -> Result<Box<dyn BarSource>, BarsError> {
    let kind = kind.or_else(|| Kind::of(path)).ok_or_else(|| {
        BarsError::file(
            path,
            "the name says no kind of file, expected .csv, .txt or .tsv (also with .gz or .zst), .zip, .parquet, .dbn or .dbn.zst",
        )
    })?;
    match kind {
        Kind::Csv => csv::open(path, input::open(path)?, options),
        Kind::Parquet => parquet::open(path, options),
        Kind::Dbn => dbn::open(path, options),
        Kind::Lean => lean::open(path, input::open(path)?, options),
    }
}
