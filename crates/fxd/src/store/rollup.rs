//! Bars of longer intervals, made from shorter ones.

use crate::format::interval::Interval;
use crate::{BadBar, BadBarReason, Bar, FxdError, Scale};

/// Bars of one interval in the making: first open, highest high, lowest low, last close, the sum of volumes, and whatever flags
/// any of them has. Intervals without a bar have none.
#[derive(Debug, Clone)]
pub(crate) struct Rolling {
    interval: Interval,
    /// Where the next interval begins, and the bar of this one.
    current: Option<(u64, Bar)>,
}

/// The volumes of an interval are more than 64 bits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMuch {
    ts: u64,
    volume: i128,
}

impl TooMuch {
    pub(crate) fn of(self, symbol: &str, scale: Scale) -> FxdError {
        let why = BadBarReason::SumTooLarge { volume: self.volume, scale };
        BadBar { symbol: symbol.to_owned(), ts: self.ts, why }.into()
    }
}

impl Rolling {
    pub(crate) const fn new(interval: Interval) -> Self {
        Self { interval, current: None }
    }

    /// Takes bars in order, and hands on those of intervals that are complete.
    pub(crate) fn take(&mut self, bars: impl IntoIterator<Item = Bar>, done: &mut Vec<Bar>) -> Result<(), TooMuch> {
        let nanos = self.interval.nanos();
        for bar in bars {
            match &mut self.current {
                Some((end, current)) if bar.ts < *end => {
                    current.high = current.high.max(bar.high);
                    current.low = current.low.min(bar.low);
                    current.close = bar.close;
                    current.flags |= bar.flags;
                    let volume = current.volume.checked_add(bar.volume);
                    current.volume = volume.ok_or(TooMuch {
                        ts: current.ts,
                        volume: i128::from(current.volume) + i128::from(bar.volume),
                    })?;
                }
                current => {
                    let ts = bar.ts - bar.ts % nanos;
                    done.extend(current.replace((ts.saturating_add(nanos), Bar { ts, ..bar })).map(|(_, bar)| bar));
                }
            }
        }
        Ok(())
    }

    /// The bar of the last interval, whether it is complete or not.
    pub(crate) fn finish(self) -> Option<Bar> {
        self.current.map(|(_, bar)| bar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_rolled_up() {
        let bar = |ts: u64, price: i64, volume| Bar {
            ts: ts * 1_000_000_000,
            open: price,
            high: price + 3,
            low: price - 2,
            close: price + 1,
            volume,
            flags: 1 << (ts % 4),
        };
        let mut rolling = Rolling::new("1m".parse().unwrap());
        let mut done = Vec::new();
        rolling.take([bar(59, 5, 7), bar(60, 10, 1), bar(61, 4, 2)], &mut done).unwrap();
        rolling.take([bar(119, 7, 3), bar(300, 1, u64::MAX)], &mut done).unwrap();
        let minute = Bar { ts: 60_000_000_000, open: 10, high: 13, low: 2, close: 8, volume: 6, flags: 0b1011 };
        assert_eq!(done, [Bar { ts: 0, ..bar(59, 5, 7) }, minute]);
        let error = rolling.take([bar(301, 1, 1)], &mut done).unwrap_err();
        assert_eq!(error, TooMuch { ts: 300_000_000_000, volume: i128::from(u64::MAX) + 1 });
        assert_eq!(rolling.finish().unwrap().ts, 300_000_000_000);
    }
}
