//! The pipeline over directories of bars: a symbol's months in, months of longer bars out.

mod layout;
mod output;
mod resample;

pub use layout::{Month, series};
pub use resample::{Made, Resampled, Resampling, resample};
