//! Bars in the making.

use fxd::{Bar, Columns};

use super::{Grid, Span, Timeframe};

/// Makes bars of one timeframe, of one series: first open, highest high, lowest low, last close, the sum of volumes, and whatever
/// flags any bar has.
#[derive(Debug, Clone)]
pub(crate) struct Roll {
    grid: Grid,
    timeframe: Timeframe,
    nanos: u64,
    current: Option<(Span, Bar)>,
}

/// Columns of as many bars each.
#[derive(Debug, Clone, Copy)]
struct Rest<'a> {
    ts: &'a [u64],
    open: &'a [i64],
    high: &'a [i64],
    low: &'a [i64],
    close: &'a [i64],
    volume: &'a [u64],
    flags: &'a [u8],
}

impl<'a> Rest<'a> {
    fn of(columns: &'a Columns) -> Self {
        Self {
            ts: columns.ts(),
            open: columns.open(),
            high: columns.high(),
            low: columns.low(),
            close: columns.close(),
            volume: columns.volume(),
            flags: columns.flags(),
        }
    }

    /// Takes the first bars away.
    fn cut(&mut self, count: usize) -> Self {
        fn cut<'a, T>(column: &mut &'a [T], count: usize) -> &'a [T] {
            let (now, later) = column.split_at(count.min(column.len()));
            *column = later;
            now
        }
        Self {
            ts: cut(&mut self.ts, count),
            open: cut(&mut self.open, count),
            high: cut(&mut self.high, count),
            low: cut(&mut self.low, count),
            close: cut(&mut self.close, count),
            volume: cut(&mut self.volume, count),
            flags: cut(&mut self.flags, count),
        }
    }
}

/// How many of moments in order are before another; eight at a time without a branch for each.
fn before(ts: &[u64], end: u64) -> usize {
    let mut count = 0;
    let (eights, _) = ts.as_chunks::<8>();
    for eight in eights {
        let now = eight.iter().filter(|ts| **ts < end).count();
        count += now;
        if now < 8 {
            return count;
        }
    }
    count + ts.get(count..).unwrap_or_default().iter().take_while(|ts| **ts < end).count()
}

/// Volumes add up to more than 64 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchVolume {
    /// The bar's label.
    pub ts: u64,
}

impl Roll {
    pub(crate) fn new(grid: Grid, timeframe: Timeframe) -> Self {
        Self { grid, timeframe, nanos: timeframe.nanos(), current: None }
    }

    pub(crate) const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// The span of a moment behind another: mostly the next, which needs no division.
    #[inline(always)]
    fn span_behind(&self, before: Option<Span>, ts: u64) -> Span {
        match (before, self.grid) {
            (Some(Span { end, .. }), Grid::Epoch) if ts - end < self.nanos => {
                Span { start: end, end: end.saturating_add(self.nanos) }
            }
            _ => self.grid.span(self.timeframe, ts),
        }
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
                    let span = self.span_behind(finished.map(|(span, _)| span), bar.ts);
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

    /// Takes bars of columns, as [`take`](Self::take) does.
    pub(crate) fn take_columns(&mut self, columns: &Columns, done: &mut Vec<Bar>) -> Result<(), TooMuchVolume> {
        let mut rest = Rest::of(columns);
        while let (Some(ts), Some(open)) = (rest.ts.first().copied(), rest.open.first().copied()) {
            let (span, mut made) = match self.current.take() {
                Some((span, made)) if ts < span.end => (span, made),
                finished => {
                    done.extend(finished.map(|(_, bar)| bar));
                    let span = self.span_behind(finished.map(|(span, _)| span), ts);
                    (span, Bar { ts: span.start, open, high: i64::MIN, low: i64::MAX, ..Bar::default() })
                }
            };
            let here = rest.cut(before(rest.ts, span.end));
            let mut over = false;
            for ((high, low), volume) in here.high.iter().zip(here.low).zip(here.volume) {
                made.high = made.high.max(*high);
                made.low = made.low.min(*low);
                let (sum, overflow) = made.volume.overflowing_add(*volume);
                made.volume = sum;
                over |= overflow;
            }
            made.flags |= here.flags.iter().fold(0, |all, flags| all | flags);
            made.close = here.close.last().copied().unwrap_or(made.close);
            if over {
                return Err(TooMuchVolume { ts: made.ts });
            }
            self.current = Some((span, made));
        }
        Ok(())
    }

    /// The bar of the last span, complete or not.
    pub(crate) fn finish(&mut self) -> Option<Bar> {
        self.current.take().map(|(_, bar)| bar)
    }
}
