//! Bars of one scale at another, where that says the same.

use fxd::{Bar, Scale};

/// From which scales to which, of prices and volumes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rescale {
    pub(super) found: (Scale, Scale),
    pub(super) expected: (Scale, Scale),
}

impl Rescale {
    /// The bar at the other scales, or the field and value that cannot be said at them.
    pub(super) fn bar(self, bar: Bar) -> Result<Bar, (&'static str, i128)> {
        let (found, expected) = (self.found, self.expected);
        let price = |field, value: i64| {
            let moved = moved(value.into(), found.0, expected.0);
            moved.and_then(|value| i64::try_from(value).ok()).ok_or((field, i128::from(value)))
        };
        let volume = moved(bar.volume.into(), found.1, expected.1).and_then(|value| u64::try_from(value).ok());
        Ok(Bar {
            open: price("open", bar.open)?,
            high: price("high", bar.high)?,
            low: price("low", bar.low)?,
            close: price("close", bar.close)?,
            volume: volume.ok_or(("volume", i128::from(bar.volume)))?,
            ..bar
        })
    }
}

/// A whole number of one scale at another, if it is whole there.
fn moved(value: i128, found: Scale, expected: Scale) -> Option<i128> {
    let (found, expected) = (i128::from(found.unit()), i128::from(expected.unit()));
    let scaled = value.checked_mul(expected)?;
    (scaled % found == 0).then(|| scaled / found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exact_is_moved_and_nothing_else() {
        let scale = |decimals| Scale::new(decimals).unwrap();
        let to = |price, volume| Rescale { found: (scale(5), scale(0)), expected: (scale(price), scale(volume)) };
        let bar = Bar { ts: 7, open: -100, high: 105_400, low: 100, close: 200, volume: 12, flags: 1 };
        let moved = Bar { open: -1, high: 1054, low: 1, close: 2, volume: 12_000, ..bar };
        assert_eq!(to(3, 3).bar(bar), Ok(moved));
        assert_eq!(to(2, 0).bar(bar), Err(("open", -100)));
        let large = Bar { high: i64::MAX / 2, ..bar };
        assert_eq!(to(18, 0).bar(large), Err(("high", i128::from(i64::MAX / 2))));
        assert_eq!(to(5, 18).bar(Bar { volume: u64::MAX, ..bar }), Err(("volume", i128::from(u64::MAX))));
    }
}
