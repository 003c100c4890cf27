//! What is wrong with files of bars.
//!
//! Every row is looked at by itself, against the row before it and against the file's name; gaps are explained as far as a calendar,
//! a list of halts, the vendor's word or the raw data explain them; and bars are held against the raw ones that they are made of.

mod against;
mod check;
mod gaps;
mod report;
mod rules;
mod walk;

pub use check::{Validation, validate};
pub use gaps::{Calendar, Gap, GapReason, Gaps, Tally};
pub use report::{Finding, Kind, Report, VolumeCheck};
