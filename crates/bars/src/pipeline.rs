//! The pipeline over directories of bars: a symbol's months in, months of longer bars out.

mod layout;
mod merge;
mod output;
mod resample;
mod spool;

pub use layout::{Month, series};
pub use output::OutputFormat;
pub use resample::{Made, Resampled, Resampling, SeriesMade, resample};
