//! Many bars, a vector for each field.

use crate::Bar;

/// Bars as columns of equal length. Only whole bars go in, so the lengths cannot differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    pub(crate) ts: Vec<u64>,
    pub(crate) open: Vec<i64>,
    pub(crate) high: Vec<i64>,
    pub(crate) low: Vec<i64>,
    pub(crate) close: Vec<i64>,
    pub(crate) volume: Vec<u64>,
    pub(crate) flags: Vec<u8>,
}

impl Columns {
    /// Room for `bars` bars.
    #[must_use]
    pub fn with_capacity(bars: usize) -> Self {
        Self {
            ts: Vec::with_capacity(bars),
            open: Vec::with_capacity(bars),
            high: Vec::with_capacity(bars),
            low: Vec::with_capacity(bars),
            close: Vec::with_capacity(bars),
            volume: Vec::with_capacity(bars),
            flags: Vec::with_capacity(bars),
        }
    }

    /// How many bars there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn ts(&self) -> &[u64] {
        &self.ts
    }

    /// First prices, at the store's price scale.
    #[must_use]
    pub fn open(&self) -> &[i64] {
        &self.open
    }

    /// Highest prices.
    #[must_use]
    pub fn high(&self) -> &[i64] {
        &self.high
    }

    /// Lowest prices.
    #[must_use]
    pub fn low(&self) -> &[i64] {
        &self.low
    }

    /// Last prices.
    #[must_use]
    pub fn close(&self) -> &[i64] {
        &self.close
    }

    /// Volumes, at the store's volume scale.
    #[must_use]
    pub fn volume(&self) -> &[u64] {
        &self.volume
    }

    /// The bits of [`flags`](crate::flags).
    #[must_use]
    pub fn flags(&self) -> &[u8] {
        &self.flags
    }

    /// Adds a bar.
    pub fn push(&mut self, bar: Bar) {
        self.ts.push(bar.ts);
        self.open.push(bar.open);
        self.high.push(bar.high);
        self.low.push(bar.low);
        self.close.push(bar.close);
        self.volume.push(bar.volume);
        self.flags.push(bar.flags);
    }

    /// The bar at a position.
    #[must_use]
    pub fn get(&self, at: usize) -> Option<Bar> {
        Some(Bar {
            ts: *self.ts.get(at)?,
            open: *self.open.get(at)?,
            high: *self.high.get(at)?,
            low: *self.low.get(at)?,
            close: *self.close.get(at)?,
            volume: *self.volume.get(at)?,
            flags: *self.flags.get(at)?,
        })
    }

    /// The bars, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = Bar> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Forgets all bars and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Keeps the first `len` bars.
    pub fn truncate(&mut self, len: usize) {
        self.ts.truncate(len);
        self.open.truncate(len);
        self.high.truncate(len);
        self.low.truncate(len);
        self.close.truncate(len);
        self.volume.truncate(len);
        self.flags.truncate(len);
    }

    /// Adds the bars of another.
    pub fn append(&mut self, other: &Self) {
        self.ts.extend_from_slice(&other.ts);
        self.open.extend_from_slice(&other.open);
        self.high.extend_from_slice(&other.high);
        self.low.extend_from_slice(&other.low);
        self.close.extend_from_slice(&other.close);
        self.volume.extend_from_slice(&other.volume);
        self.flags.extend_from_slice(&other.flags);
    }
}

impl Extend<Bar> for Columns {
    fn extend<I: IntoIterator<Item = Bar>>(&mut self, bars: I) {
        for bar in bars {
            self.push(bar);
        }
    }
}

impl FromIterator<Bar> for Columns {
    fn from_iter<I: IntoIterator<Item = Bar>>(bars: I) -> Self {
        let mut columns = Self::default();
        columns.extend(bars);
        columns
    }
}
