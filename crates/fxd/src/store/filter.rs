//! Which bars of some columns are wanted, many at a time.

use std::ops::RangeInclusive;

use multiversion::multiversion;

use crate::Columns;

/// Bounds of a bar's values, each inclusive, in the store's smallest units; the default lets everything pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Every price of the bar lies within: its low is not below, its high not above.
    pub price: Option<RangeInclusive<i64>>,
    /// The close lies within.
    pub close: Option<RangeInclusive<i64>>,
    /// The volume lies within.
    pub volume: Option<RangeInclusive<u64>>,
}

impl Filter {
    /// Whether every bar passes.
    #[must_use]
    pub const fn is_all(&self) -> bool {
        self.price.is_none() && self.close.is_none() && self.volume.is_none()
    }

    /// Keeps the bars that pass, in their order.
    pub fn apply(&self, columns: &mut Columns) {
        if self.is_all() {
            return;
        }
        let mask = self.mask(columns);
        if mask.iter().all(|word| *word == u64::MAX) {
            return;
        }
        keep(&mask, &mut columns.ts);
        keep(&mask, &mut columns.open);
        keep(&mask, &mut columns.high);
        keep(&mask, &mut columns.low);
        keep(&mask, &mut columns.close);
        keep(&mask, &mut columns.volume);
        keep(&mask, &mut columns.flags);
    }

    /// A bit for each bar, 64 a word from the lowest bit on: whether it passes. Bits beyond the last bar are set.
    #[must_use]
    pub fn mask(&self, columns: &Columns) -> Vec<u64> {
        let mut mask = vec![u64::MAX; columns.len().div_ceil(64)];
        if let Some(price) = &self.price {
            and_signed(&mut mask, columns.low(), *price.start(), i64::MAX);
            and_signed(&mut mask, columns.high(), i64::MIN, *price.end());
        }
        if let Some(close) = &self.close {
            and_signed(&mut mask, columns.close(), *close.start(), *close.end());
        }
        if let Some(volume) = &self.volume {
            and_unsigned(&mut mask, columns.volume(), *volume.start(), *volume.end());
        }
        mask
    }
}

/// Clears the bits of values outside `least..=most`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn and_signed(mask: &mut [u64], values: &[i64], least: i64, most: i64) {
    for (word, values) in mask.iter_mut().zip(values.chunks(64)) {
        *word &= match <&[i64; 64]>::try_from(values) {
            Ok(values) => bits(&values.map(|value| u8::from((value >= least) & (value <= most)))),
            Err(_) => partial(values, |value| (*value >= least) & (*value <= most)),
        };
    }
}

/// Clears the bits of values outside `least..=most`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512vl", "x86_64+avx2", "aarch64+neon"))]
pub fn and_unsigned(mask: &mut [u64], values: &[u64], least: u64, most: u64) {
    for (word, values) in mask.iter_mut().zip(values.chunks(64)) {
        *word &= match <&[u64; 64]>::try_from(values) {
            Ok(values) => bits(&values.map(|value| u8::from((value >= least) & (value <= most)))),
            Err(_) => partial(values, |value| (*value >= least) & (*value <= most)),
        };
    }
}

/// The lowest bits of 64 bytes, in a word.
#[inline(always)]
fn bits(bytes: &[u8; 64]) -> u64 {
    let (eights, _) = bytes.as_chunks::<8>();
    let mut word = 0;
    for (position, eight) in eights.iter().enumerate() {
        // The product moves the bit of each byte to its place in the highest one.
        let gathered = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        word |= gathered << (position * 8);
    }
    word
}

/// The bits of fewer than 64 values; those beyond are set.
#[inline(always)]
fn partial<T>(values: &[T], pass: impl Fn(&T) -> bool) -> u64 {
    let mut word = u64::MAX;
    for (position, value) in values.iter().enumerate() {
        word &= !(u64::from(!pass(value)) << position);
    }
    word
}

/// Moves the values whose bits are set to the front. Without a branch for each value: its bit decides only how far the next
/// one goes.
fn keep<T: Copy>(mask: &[u64], values: &mut Vec<T>) {
    let mut kept = 0;
    for (at, word) in mask.iter().enumerate() {
        let from = at * 64;
        let to = (from + 64).min(values.len());
        if *word == u64::MAX {
            values.copy_within(from..to, kept);
            kept += to - from;
            continue;
        }
        for position in from..to {
            let Some(value) = values.get(position).copied() else { continue };
            if let Some(place) = values.get_mut(kept) {
                *place = value;
            }
            kept += usize::from(word >> (position - from) & 1 == 1);
        }
    }
    values.truncate(kept);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Bar;

    fn bars() -> impl Strategy<Value = Vec<Bar>> {
        let bar = (-9_i64..9, -9_i64..9, 0_u64..9, prop::bool::ANY).prop_map(|(low, range, volume, far)| Bar {
            low: if far { i64::MIN } else { low },
            high: if far { i64::MAX } else { low + range.abs() },
            close: low,
            volume: if far { u64::MAX } else { volume },
            ..Bar::default()
        });
        prop::collection::vec(bar, 0..300)
    }

    fn range<T: Copy + PartialOrd + std::fmt::Debug>(
        of: impl Strategy<Value = T> + Clone,
    ) -> impl Strategy<Value = Option<RangeInclusive<T>>> {
        prop::option::of((of.clone(), of).prop_map(|(a, b)| if a <= b { a..=b } else { b..=a }))
    }

    proptest! {
        #[test]
        fn what_passes_is_what_a_loop_over_bars_lets_pass(
            bars in bars(), price in range(-10_i64..10), close in range(-10_i64..10), volume in range(0_u64..10)
        ) {
            let filter = Filter { price: price.clone(), close: close.clone(), volume: volume.clone() };
            let mut columns: Columns = bars.iter().copied().enumerate().map(|(ts, bar)| Bar { ts: ts as u64, ..bar }).collect();
            let expected: Vec<Bar> = columns
                .iter()
                .filter(|bar| price.as_ref().is_none_or(|price| price.contains(&bar.low) && price.contains(&bar.high)))
                .filter(|bar| close.as_ref().is_none_or(|close| close.contains(&bar.close)))
                .filter(|bar| volume.as_ref().is_none_or(|volume| volume.contains(&bar.volume)))
                .collect();
            filter.apply(&mut columns);
            prop_assert_eq!(columns.iter().collect::<Vec<_>>(), expected);
        }
    }
}
