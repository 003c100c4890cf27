//! Series of one timeframe, brought together in the order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use fxd::{Bar, flags};

use super::output::Output;
use super::spool::{Cursor, Spool};
use crate::resample::{Grid, Timeframe};
use crate::{BarsError, Ids};

/// How a series is called where it goes.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) symbol: String,
    pub(super) ids: Ids,
}

/// Gives a series' bars one after the other, and one without trade, at the last price, where a span has none.
struct Filled {
    cursor: Cursor,
    grid: Option<(Grid, Timeframe)>,
    /// Where the next span begins, and the price of the one before.
    next: Option<(u64, i64)>,
    waiting: Option<Bar>,
}

impl Filled {
    /// The next bar, and whether it was made up.
    fn next(&mut self, spool: &mut Spool) -> Result<Option<(Bar, bool)>, BarsError> {
        let bar = match self.waiting.take() {
            Some(bar) => Some(bar),
            None => spool.next(&mut self.cursor)?,
        };
        let (Some(bar), Some((grid, timeframe))) = (bar, &self.grid) else { return Ok(bar.map(|bar| (bar, false))) };
        if let Some((ts, price)) = self.next.filter(|(ts, _)| *ts < bar.ts) {
            self.waiting = Some(bar);
            self.next = Some((grid.span(*timeframe, ts).end, price));
            let flags = flags::GAP | flags::INTERPOLATED;
            return Ok(Some((Bar { ts, open: price, high: price, low: price, close: price, volume: 0, flags }, true)));
        }
        self.next = Some((grid.span(*timeframe, bar.ts).end, bar.close));
        Ok(Some((bar, false)))
    }
}

/// Writes the bars of several lanes in the order of time, those of one time in the order of the lanes; with bars that fill gaps
/// where a grid is given. Says how many of these there are.
pub(super) fn merge(
    spool: &mut Spool,
    lanes: &[(usize, Named)],
    fill: Option<(Grid, Timeframe)>,
    output: &mut Output,
) -> Result<u64, BarsError> {
    let mut series = Vec::new();
    let mut heads = BinaryHeap::new();
    let mut filled = 0;
    for (place, (lane, _)) in lanes.iter().enumerate() {
        let mut one = Filled { cursor: spool.cursor(*lane), grid: fill, next: None, waiting: None };
        let head = one.next(spool)?;
        heads.extend(head.map(|(bar, _)| Reverse((bar.ts, place))));
        series.push((one, head.map(|(bar, _)| bar)));
    }
    let mut bars: Vec<Bar> = Vec::new();
    let mut last = 0;
    while let Some(Reverse((_, place))) = heads.pop() {
        let (Some((one, head)), Some((_, named))) = (series.get_mut(place), lanes.get(last)) else { break };
        if place != last || bars.len() >= 4096 {
            output.write(&named.symbol, named.ids, &bars)?;
            bars.clear();
            last = place;
        }
        bars.extend(head.take());
        if let Some((bar, made_up)) = one.next(spool)? {
            filled += u64::from(made_up);
            *head = Some(bar);
            heads.push(Reverse((bar.ts, place)));
        }
    }
    if let Some((_, named)) = lanes.get(last) {
        output.write(&named.symbol, named.ids, &bars)?;
    }
    Ok(filled)
}
