//! Whatever goes in comes out; whatever bytes come in, no panic and nothing out of order.

use proptest::prelude::*;

use super::{Coded, Scratch, encode};
use crate::{Bar, Columns};

fn decoded(bytes: &[u8], range: std::ops::Range<u64>) -> Result<Vec<Bar>, super::Wrong> {
    let mut columns = Columns::default();
    Coded::read(bytes, 1 << 20)?.decode(&range, &mut Scratch::default(), &mut columns)?;
    Ok(columns.iter().collect())
}

/// A walk of prices with the habits of real ones, or none at all.
fn series() -> impl Strategy<Value = Vec<Bar>> {
    let habits = (0_u32..64, 0_u32..64, prop::sample::select(vec![1_i64, 5, 100, 12_500]), 0_u64..40, 1_u64..1000);
    let bar = (any::<u64>(), any::<u64>(), any::<u64>(), any::<[u8; 4]>());
    (habits, prop::collection::vec(bar, 1..700), any::<u64>()).prop_map(
        |((price_bits, volume_bits, tick, strays, step), bars, first)| {
            let (mut ts, mut close) = (first >> 20, 0_i64);
            let mut made = Vec::new();
            for (open, range, volume, [gap, kind, flags, stray]) in bars {
                let open = close.wrapping_add((open >> price_bits).cast_signed().wrapping_mul(tick));
                close = open.wrapping_sub((range >> price_bits).cast_signed().wrapping_mul(tick));
                let (mut high, mut low) = (open.max(close).wrapping_add(tick), open.min(close));
                if kind < 3 {
                    std::mem::swap(&mut high, &mut low);
                }
                if u64::from(stray) < strays / 30 {
                    low = low.wrapping_add(1);
                }
                ts += step * if gap < 250 { 1 } else { u64::from(gap) };
                let volume = volume >> volume_bits;
                let flags = if flags < 5 { flags } else { 0 };
                made.push(Bar { ts, open, high, low, close, volume, flags });
            }
            made
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn bars_come_back(bars in series(), page in 1_usize..12, from in 0_usize..700, len in 0_usize..700) {
        let bytes = encode(&bars, page * 64);
        prop_assert_eq!(&decoded(&bytes, 0..u64::MAX).unwrap(), &bars);
        let start = bars[from % bars.len()].ts;
        let end = bars.get(from % bars.len() + len).map_or(u64::MAX, |bar| bar.ts + 1);
        let expected: Vec<Bar> = bars.iter().copied().filter(|bar| (start..end).contains(&bar.ts)).collect();
        prop_assert_eq!(decoded(&bytes, start..end).unwrap(), expected);
        prop_assert_eq!(encode(&bars, page * 64), bytes);
    }

    #[test]
    fn flipped_and_cut_bytes_are_no_panic(bars in series(), flips in prop::collection::vec((any::<usize>(), 0_u8..8), 1..4), cut: usize) {
        let mut bytes = encode(&bars, 128);
        for (at, bit) in flips {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
        }
        for bytes in [&bytes[..], &bytes[..cut % bytes.len()]] {
            if let Ok(found) = decoded(bytes, 0..u64::MAX) {
                prop_assert!(found.is_sorted_by(|a, b| a.ts < b.ts));
            }
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let bars: Vec<Bar> = (0..300_u64)
        .map(|n| Bar {
            ts: n * 60 + n / 90 * 7,
            open: (n * n % 37).cast_signed(),
            high: 200,
            low: -5,
            close: (n % 23).cast_signed(),
            volume: n * n * n,
            flags: 0,
        })
        .collect();
    let bytes = encode(&bars, 128);
    for len in 0..bytes.len() {
        assert!(decoded(&bytes[..len], 0..u64::MAX).is_err(), "{len}");
    }
    assert!(encode(&[], 64).is_empty());
}
