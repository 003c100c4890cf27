//! Bars as columns, and columns as few bytes.
//!
//! [`encode`] makes bytes of bars, a seventh to an eighteenth of what the bars take as records; [`Coded`] gives the bars of any
//! span of time back, a page at a time. Nothing here knows of files: the bytes can lie in any.
//!
//! A bar is taken apart into what it differs by from what could be expected: its time from the bar before, its close and its
//! open from the close before, its high and low from the higher and the lower of the two. Prices and volumes are counted in the
//! unit that they are multiples of. Each of these streams is a constant, or a usual value with others here and there, or tokens
//! under one or several prefix codes. `docs/formats/fxd.md` says every bit.

mod bits;
mod decode;
mod encode;
mod fields;
mod group;
mod huffman;
mod layout;
mod model;
mod picked;
mod stream;
mod table;
mod token;

pub use decode::{Coded, Scratch, Wrong};
pub use encode::encode;
pub use fields::Fields;
pub use picked::Picked;
pub use table::Columns;

/// Rows of a page where nothing else is asked for.
pub const PAGE_ROWS: usize = 2048;

#[cfg(test)]
mod tests;
