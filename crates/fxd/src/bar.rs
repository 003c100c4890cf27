//! One bar: what happened to one symbol in one interval.

/// A bar of one symbol.
///
/// Prices and volumes are whole numbers of the smallest unit that a store keeps: at a [`Scale`](crate::Scale) of 5 decimals
/// the price 1.05432 is 105432. A bar does not say which symbol it is of; what holds it does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// When the bar opened, in nanoseconds since 1970-01-01T00:00:00Z; at most [`MAX_TS`](crate::MAX_TS).
    pub ts: u64,
    /// The first price.
    pub open: i64,
    /// The highest price.
    pub high: i64,
    /// The lowest price.
    pub low: i64,
    /// The last price.
    pub close: i64,
    /// The volume.
    pub volume: u64,
    /// What is known of the bar besides: the bits of [`flags`](crate::flags).
    pub flags: u8,
}

/// The bits of a bar's flags. A bar without any is as good as one with [`VALID`](flags::VALID): most sources say nothing.
pub mod flags {
    /// The source vouches for the bar.
    pub const VALID: u8 = 1;
    /// Stands where data is missing.
    pub const GAP: u8 = 1 << 1;
    /// Made from its neighbours.
    pub const INTERPOLATED: u8 = 1 << 2;
    /// Lies on a weekend.
    pub const WEEKEND: u8 = 1 << 3;
    /// Lies on a holiday.
    pub const HOLIDAY: u8 = 1 << 4;
    /// Adjusted, as for a split.
    pub const ADJUSTED: u8 = 1 << 5;
    /// Known to be wrong.
    pub const ERROR: u8 = 1 << 6;
}
