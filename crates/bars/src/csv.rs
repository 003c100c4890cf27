//! Bars in CSV files.

mod block;
mod context;
mod cut;
mod fields;
mod layout;
mod names;
mod pattern;
mod quick;
mod row;
mod rows;
mod sink;
mod source;
mod swar;

pub(crate) use cut::{Block, Cutter, LINE};
pub(crate) use fields::{Fields, is_blank, without_end};
pub(crate) use layout::Role;
pub(crate) use names::Names;
pub(crate) use rows::{BadRow, rows};
pub use sink::{CsvSink, csv_sink};
pub(crate) use source::{open, stopped};
