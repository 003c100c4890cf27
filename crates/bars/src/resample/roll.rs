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
        let mut rest = bars;
        while let Some(first) = rest.first() {
            let (span, mut made) = match self.current.take() {
                Some((span, made)) if first.ts < span.end => (span, made),
                finished => {
                    done.extend(finished.map(|(_, bar)| bar));
                    let span = self.grid.span(self.timeframe, first.ts);
                    let none = Bar { ts: span.start, high: first.high, low: first.low, volume: 0, flags: 0, ..*first };
                    (span, none)
                }
            };
            let end = rest.iter().position(|bar| bar.ts >= span.end).unwrap_or(rest.len());
            let (within, behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            let mut overflow = false;
            for bar in within {
                made.high = made.high.max(bar.high);
                made.low = made.low.min(bar.low);
                made.close = bar.close;
                made.flags |= bar.flags;
                let (volume, over) = made.volume.overflowing_add(bar.volume);
                made.volume = volume;
                overflow |= over;
            }
            if overflow {
                return Err(TooMuchVolume { ts: made.ts });
            }
            self.current = Some((span, made));
            rest = behind;
        }
        Ok(())
    }

    /// The bar of the last span, complete or not.
    pub(crate) fn finish(&mut self) -> Option<Bar> {
        self.current.take().map(|(_, bar)| bar)
    }
}
