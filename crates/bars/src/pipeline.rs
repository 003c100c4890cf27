//! The pipeline over directories of bars: a symbol's months in, months of longer bars out.

mod days;
mod import;
mod layout;
mod merge;
mod output;
mod resample;
mod spool;

pub use days::days;
pub use import::{Imported, Importing, Weekends, import};
pub use layout::{Month, check_name, forms, series, timeframes};
pub(crate) use layout::{PATIENCE, check_forms, lock};

pub use output::OutputFormat;
pub(crate) use output::month_of;
pub(crate) use resample::{MOST_DECIMALS, Stopped, apart, named, scaled};
pub use resample::{Made, Resampled, Resampling, SeriesMade, resample};
pub(crate) use spool::{Cursor, Spool};
