//! Bars of one schema, and those of them that a request is for.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::ops::Range;

use dbn::{OhlcvMsg, RType, RecordHeader, Schema};

/// A bar of any interval: [`Dataset::bars`](crate::Dataset::bars) says which. Prices are open, high, low and close in units of 1e-9.
#[must_use]
pub fn bar(publisher: u16, instrument: u32, ts_event: u64, prices: [i64; 4], volume: u64) -> OhlcvMsg {
    let [open, high, low, close] = prices;
    let hd = RecordHeader::new::<OhlcvMsg>(dbn::rtype::OHLCV_1S, publisher, instrument, ts_event);
    OhlcvMsg { hd, open, high, low, close, volume }
}

/// The bars of a schema, by their moments, and from when to when there are any.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) range: Range<u64>,
    bars: Vec<OhlcvMsg>,
}

/// Which instruments a request is for, and when.
pub(crate) type Wanted = HashMap<u32, Vec<Range<u64>>>;

impl Series {
    pub(crate) const fn new(range: Range<u64>) -> Self {
        Self { range, bars: Vec::new() }
    }

    /// Adds bars, as ones of `schema`.
    pub(crate) fn add(&mut self, schema: Schema, bars: impl IntoIterator<Item = OhlcvMsg>) {
        let rtype = u8::from(RType::from(schema));
        self.bars.extend(bars.into_iter().map(|mut bar| {
            bar.hd.rtype = rtype;
            bar
        }));
        // Bars of a second stay in the order in which they came.
        self.bars.sort_by_key(|bar| bar.hd.ts_event);
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[OhlcvMsg] {
        &self.bars
    }

    /// Those of `range`, its end excluded, that are wanted; all are if nothing is said of it.
    pub(crate) fn select<'a>(
        &'a self,
        range: &Range<u64>,
        wanted: Option<&'a Wanted>,
        limit: Option<NonZeroU64>,
    ) -> impl Iterator<Item = &'a OhlcvMsg> {
        let first = self.bars.partition_point(|bar| bar.hd.ts_event < range.start);
        let last = self.bars.partition_point(|bar| bar.hd.ts_event < range.end);
        let bars = self.bars.get(first..last).unwrap_or_default();
        let is_wanted = move |bar: &&OhlcvMsg| {
            let Some(wanted) = wanted else { return true };
            let spans = wanted.get(&bar.hd.instrument_id);
            spans.is_some_and(|spans| spans.iter().any(|span| span.contains(&bar.hd.ts_event)))
        };
        let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit.get()).unwrap_or(usize::MAX));
        bars.iter().filter(is_wanted).take(most)
    }
}
