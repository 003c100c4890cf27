//! Prices that leap away from both their neighbours and back: what a bad print looks like.

use pdp_manifest::quality::Located;

use super::histogram::Histogram;
use super::located::of_lines;
use super::per_symbol::PerSymbol;

/// A leap of less than this is none.
const SMALLEST: f64 = 0.01;
/// The same in a file whose price changes too seldom to know what is usual.
const SMALLEST_UNKNOWN: f64 = 0.1;
/// The same for the first and the last price, which have one neighbour only.
const SMALLEST_AT_AN_END: f64 = 0.2;
/// Changes that tell what is usual.
const ENOUGH: u64 = 10;
/// A leap is this many times the robust standard deviation (1.4826 times the median).
const DEVIATIONS: f64 = 15.0 * 1.4826;
/// Most leaps that are followed.
const MAX_LEAPS: usize = 1 << 16;

/// The prices of a file, by symbol.
#[derive(Debug, Default)]
pub(super) struct Spikes {
    changes: Histogram,
    unchanged: u64,
    leaps: Vec<(u64, f64)>,
    /// Leaps that did not find room.
    crowded: bool,
    sizes: Histogram,
    series: PerSymbol<Series>,
}

/// The last two prices of a symbol.
#[derive(Debug, Default)]
struct Series {
    last: Option<f64>,
    line: u64,
    /// How the last price came: the change from the one before, none for the first.
    came: Option<f64>,
}

impl Spikes {
    /// The next price, above zero.
    pub(super) fn price(&mut self, symbol: &str, line: u64, price: f64) {
        let Some(series) = self.series.of(symbol) else { return };
        let last = series.last.replace(price);
        let last_line = std::mem::replace(&mut series.line, line);
        let Some(last) = last else { return };
        let change = (price - last) / price.min(last);
        let came = series.came.replace(change);
        if change == 0.0 {
            self.unchanged += 1;
        } else {
            self.changes.add(change.abs());
        }
        self.judge(last_line, came, Some(change));
    }

    /// Whether a price that came by one change and was left by another leapt.
    fn judge(&mut self, line: u64, came: Option<f64>, left: Option<f64>) {
        let size = match (came, left) {
            (Some(came), Some(left)) if came * left < 0.0 => came.abs().min(left.abs()),
            (Some(one), None) | (None, Some(one)) if one.abs() >= SMALLEST_AT_AN_END => one.abs(),
            _ => return,
        };
        if size < SMALLEST {
            return;
        }
        self.sizes.add(size);
        if self.leaps.len() < MAX_LEAPS {
            self.leaps.push((line, size));
        } else {
            self.crowded = true;
        }
    }

    /// The outliers among the leaps.
    pub(super) fn findings(mut self) -> Option<Located> {
        for series in std::mem::take(&mut self.series).into_values() {
            if series.came.is_some() {
                self.judge(series.line, series.came, None);
            }
        }
        let threshold = if self.changes.total >= ENOUGH {
            let usual = self.changes.at_rank((self.changes.total - 1) / 2);
            (DEVIATIONS * usual).max(SMALLEST)
        } else {
            // Unchanged prices count as changes of nothing.
            let middle = (self.changes.total + self.unchanged).saturating_sub(1) / 2;
            let usual = middle.checked_sub(self.unchanged).map_or(0.0, |rank| self.changes.at_rank(rank));
            (DEVIATIONS * usual).max(SMALLEST_UNKNOWN)
        };
        let edge = Histogram::edge_from(threshold);
        let mut lines: Vec<u64> = self.leaps.iter().filter(|(_, size)| *size >= edge).map(|(line, _)| *line).collect();
        lines.sort_unstable();
        let listed = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        of_lines(if self.crowded { self.sizes.count_from(edge) } else { listed }, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(prices: impl IntoIterator<Item = f64>) -> Vec<u64> {
        let mut spikes = Spikes::default();
        for (line, price) in (1..).zip(prices) {
            spikes.price("A", line, price);
        }
        spikes.findings().map(|at| at.lines).unwrap_or_default()
    }

    #[test]
    fn a_bad_print_is_found_and_a_move_is_not() {
        let walk = |n: u32| 100.0 + f64::from(n % 7) * 0.01;
        let with = |at: u32, price: f64| (0..200).map(move |n| if n == at { price } else { walk(n) });
        assert_eq!(found((0..200).map(walk)), [0_u64; 0]);
        assert_eq!(found(with(50, 103.0)), [51]);
        assert_eq!(found(with(50, 1000.0)), [51]);
        assert_eq!(found(with(0, 1000.0)), [1]);
        assert_eq!(found(with(199, 1.0)), [200]);
        assert_eq!(found((0..200).map(|n| if n < 100 { walk(n) } else { walk(n) + 30.0 })), [0_u64; 0], "a new level");
        assert_eq!(found([100.0, 100.0, 500.0, 100.0, 100.0]), [3]);
        assert_eq!(found([100.0, 101.0, 500.0, 102.0, 101.0]), [3]);
        // A penny stock that bounces between bid and ask.
        assert_eq!(found((0..400).map(|n| if n % 3 == 0 { 0.5 } else { 0.51 })), [0_u64; 0]);
    }

    #[test]
    fn symbols_of_one_file_are_told_apart() {
        let mut spikes = Spikes::default();
        for line in 0..200_u32 {
            let (symbol, price) = if line % 2 == 0 { ("A", 10.0) } else { ("B", 5000.0) };
            spikes.price(symbol, u64::from(line), price + f64::from(line % 5) * 0.001);
        }
        assert_eq!(spikes.findings(), None);
    }
}
