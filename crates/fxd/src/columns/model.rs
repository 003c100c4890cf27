//! Bars taken apart into numbers that are small, most of them.

use super::bits::zigzag;
use super::layout::{PARTS, Part};
use crate::Bar;

/// Values that are looked at for a unit.
const SAMPLE: usize = 256;
/// One value in so many may be no multiple of the unit.
const STRAYS: usize = 32;

/// Bars taken apart.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) interval: u64,
    pub(super) price_unit: u64,
    pub(super) volume_unit: u64,
    pub(super) signed: [bool; 2],
    /// The values of each part.
    pub(super) parts: [Vec<u64>; PARTS],
    /// Of each page, the first timestamp and the close before it.
    pub(super) starts: Vec<(u64, i64)>,
}

/// Takes bars apart; they are in order, and there is one at least.
pub(super) fn take(bars: &[Bar], page_rows: usize) -> Taken {
    let interval = interval(bars);
    let prices = |bar: &Bar| [bar.open, bar.high, bar.low, bar.close];
    let sample = || bars.iter().step_by((bars.len() / SAMPLE).max(1));
    let mut price_unit = unit(&sample().flat_map(|bar| prices(bar).map(i64::unsigned_abs)).collect::<Vec<_>>());
    let mut volume_unit = unit(&sample().map(|bar| bar.volume).collect::<Vec<_>>());
    let strays = |bars: &[Bar], stray: &dyn Fn(&Bar) -> bool| bars.iter().filter(|bar| stray(bar)).count();
    let step = price_unit.cast_signed();
    if step > 1 && strays(bars, &|bar| prices(bar).iter().any(|price| price % step != 0)) > bars.len() / STRAYS {
        price_unit = 1;
    }
    if volume_unit > 1 && strays(bars, &|bar| bar.volume % volume_unit != 0) > bars.len() / STRAYS {
        volume_unit = 1;
    }
    let mut taken = Taken {
        interval,
        price_unit,
        volume_unit,
        signed: [false; 2],
        parts: std::array::from_fn(|_| Vec::with_capacity(bars.len())),
        starts: Vec::with_capacity(bars.len().div_ceil(page_rows)),
    };
    taken.fill(bars, page_rows);
    taken
}

impl Taken {
    fn fill(&mut self, bars: &[Bar], page_rows: usize) {
        let step = self.price_unit.cast_signed();
        let split = |price: i64| match step {
            1 => (price, 0),
            step => (price.div_euclid(step), price.rem_euclid(step).cast_unsigned()),
        };
        let mut before = bars.first().map_or(0, |bar| split(bar.open).0);
        let mut last_ts = 0;
        let (mut above, mut below) = (Vec::with_capacity(bars.len()), Vec::with_capacity(bars.len()));
        for (row, bar) in bars.iter().enumerate() {
            let first = row % page_rows == 0;
            if first {
                self.starts.push((bar.ts, before));
            }
            let gap = if first { 0 } else { (bar.ts - last_ts) / self.interval - 1 };
            last_ts = bar.ts;
            let [(open, open_rest), (high, high_rest), (low, low_rest), (close, close_rest)] =
                [bar.open, bar.high, bar.low, bar.close].map(split);
            above.push(high.wrapping_sub(open.max(close)));
            below.push(open.min(close).wrapping_sub(low));
            // What `wrapping_sub` gives for those further apart than 63 bits is below zero, as for those the wrong way round.
            self.signed[0] |= high < open.max(close) || above.last().is_some_and(|above| *above < 0);
            self.signed[1] |= low > open.min(close) || below.last().is_some_and(|below| *below < 0);
            let (volume, volume_rest) = match self.volume_unit {
                1 => (bar.volume, 0),
                unit => (bar.volume / unit, bar.volume % unit),
            };
            let mut put = |part: Part, value: u64| {
                if let Some(values) = self.parts.get_mut(part.position()) {
                    values.push(value);
                }
            };
            put(Part::Gap, gap);
            put(Part::Close, zigzag(close.wrapping_sub(before)));
            put(Part::Open, zigzag(open.wrapping_sub(before)));
            put(Part::Volume, volume);
            put(Part::Flags, bar.flags.into());
            put(Part::OpenRest, open_rest);
            put(Part::HighRest, high_rest);
            put(Part::LowRest, low_rest);
            put(Part::CloseRest, close_rest);
            put(Part::VolumeRest, volume_rest);
            before = close;
        }
        for (part, signed, values) in [(Part::High, self.signed[0], above), (Part::Low, self.signed[1], below)] {
            if let Some(place) = self.parts.get_mut(part.position()) {
                place.extend(values.iter().map(|value| if signed { zigzag(*value) } else { value.cast_unsigned() }));
            }
        }
    }
}

/// What all distances between bars are multiples of; 1 for a single bar.
fn interval(bars: &[Bar]) -> u64 {
    let (mut common, mut usual) = (0, 0);
    for (one, next) in bars.iter().zip(bars.iter().skip(1)) {
        let distance = next.ts - one.ts;
        if distance != usual {
            common = gcd(distance, common);
            usual = distance;
        }
    }
    common.max(1)
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The largest product of twos and fives that nearly all of some values are multiples of.
fn unit(values: &[u64]) -> u64 {
    let allowed = values.len() / STRAYS;
    if values.iter().all(|value| *value == 0) {
        return 1;
    }
    let multiples = |of: u64| values.iter().filter(|value| **value % of != 0).count() <= allowed;
    let mut unit = 1_u64;
    for prime in [2, 5] {
        while let Some(larger) = unit.checked_mul(prime).filter(|larger| *larger < 1 << 62 && multiples(*larger)) {
            unit = larger;
        }
    }
    unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_what_nearly_all_are_multiples_of() {
        assert_eq!(unit(&[0; 9]), 1);
        assert_eq!(unit(&[25_000, 50_000, 125_000, 0]), 25_000);
        let mut values: Vec<u64> = (1..=100).map(|n| n * 300).collect();
        assert_eq!(unit(&values), 100);
        values[7] = 1;
        assert_eq!(unit(&values), 100);
        values[8..20].fill(7);
        assert_eq!(unit(&values), 1);
        assert_eq!(unit(&[1 << 63, 1 << 63]), 1 << 61);
    }

    #[test]
    fn intervals_are_what_all_distances_are_multiples_of() {
        let bars = |ts: &[u64]| ts.iter().map(|ts| Bar { ts: *ts, ..Bar::default() }).collect::<Vec<_>>();
        assert_eq!(interval(&bars(&[5])), 1);
        assert_eq!(interval(&bars(&[5, 65, 125, 305])), 60);
        assert_eq!(interval(&bars(&[0, 60, 90])), 30);
    }
}
