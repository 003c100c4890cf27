//! Bars of longer timeframes, made from shorter ones.
//!
//! Bars are labelled by where they begin and hold what begins before their end. An empty span has no bar. Everything is exact: prices
//! and volumes are the whole numbers that they were read as.

mod cascade;
mod grid;
mod roll;
mod timeframe;

pub use cascade::Cascade;
pub(crate) use grid::to_utc;
pub use grid::{Grid, Session, Span};
pub use roll::TooMuchVolume;
pub use timeframe::{Timeframe, UnknownTimeframe};
