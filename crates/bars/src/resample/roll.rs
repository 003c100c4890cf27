//! Bars in the making.

use fxd::Bar;

use super::{Grid, Span, Timeframe};

/// Makes bars of one timeframe, of one series: first open, highest high, lowest low, last close, the sum of volumes, and whatever
/// flags any bar has.
#[derive(Debug, Clone)]
pub(crate) struct Roll {
    grid: Grid,
    timeframe: Timeframe,
    current: Option<(Span, Bar)>,
}

/// Volumes add up to more than 64 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchVolume {
    /// The bar's label.
    pub ts: u64,
}

impl Roll {
    pub(crate) const fn new(grid: Grid, timeframe: Timeframe) -> Self {
        Self { grid, timeframe, current: None }
    }

    /// Takes bars in order of time, and adds those that are complete.
    #[inline]
    pub(crate) fn take(&mut self, bars: &[Bar], done: &mut Vec<Bar>) -> Result<(), TooMuchVolume> {
        let mut rest = bars.iter();
        let Some(mut bar) = rest.next() else { return Ok(()) };
        loop {
            let (span, mut made) = match self.current.take() {
                Some((span, made)) if bar.ts < span.end => (span, made),
                finished => {
                    done.extend(finished.map(|(_, bar)| bar));
                    let span = self.grid.span(self.timeframe, bar.ts);
                    (span, Bar { ts: span.start, high: bar.high, low: bar.low, volume: 0, flags: 0, ..*bar })
                }
            };
            let mut overflow = false;
            let next = loop {
                made.high = made.high.max(bar.high);
                made.low = made.low.min(bar.low);
                made.close = bar.close;
                made.flags |= bar.flags;
                let (volume, over) = made.volume.overflowing_add(bar.volume);
                made.volume = volume;
                overflow |= over;
                match rest.next() {
                    Some(next) if next.ts < span.end => bar = next,
                    next => break next,
                }
            };
            if overflow {
                return Err(TooMuchVolume { ts: made.ts });
            }
            self.current = Some((span, made));
            match next {
                Some(next) => bar = next,
                None => return Ok(()),
            }
        }
    }

    /// The bar of the last span, complete or not.
    pub(crate) fn finish(&mut self) -> Option<Bar> {
        self.current.take().map(|(_, bar)| bar)
    }
}
