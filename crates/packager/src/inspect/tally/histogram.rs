//! How often values of each size occurred, in bounded memory: buckets whose width grows with the value.

/// Buckets for each doubling.
const PARTS: u32 = 16;
/// Doublings: from 2^-40 to 2^40.
const LOWEST: i32 = -40;
const DOUBLINGS: u32 = 80;
const BUCKETS: usize = (PARTS * DOUBLINGS) as usize;

/// Counts of positive numbers by size, each known to within a sixteenth.
#[derive(Debug)]
pub(super) struct Histogram {
    counts: Box<[u64]>,
    pub(super) total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; BUCKETS].into_boxed_slice(), total: 0 }
    }
}

impl Histogram {
    /// Counts a number above zero.
    pub(super) fn add(&mut self, value: f64) {
        if let Some(count) = self.counts.get_mut(bucket(value)) {
            *count += 1;
            self.total += 1;
        }
    }

    /// The upper edge of the bucket in which the number of this rank lies; ranks count from 0.
    pub(super) fn at_rank(&self, rank: u64) -> f64 {
        let mut passed = 0;
        for (at, count) in self.counts.iter().enumerate() {
            passed += count;
            if passed > rank {
                return edge(at + 1);
            }
        }
        0.0
    }

    /// The smallest edge that is not below `value`.
    pub(super) fn edge_from(value: f64) -> f64 {
        let at = bucket(value);
        if edge(at) >= value { edge(at) } else { edge(at + 1) }
    }

    /// How many lie at or above `edge`, an edge.
    pub(super) fn count_from(&self, edge: f64) -> u64 {
        self.counts.get(bucket(edge)..).unwrap_or_default().iter().sum()
    }

    /// How many lie in the same bucket as `edge`'s lower neighbour, or next to it.
    pub(super) fn around(&self, edge: f64) -> u64 {
        let at = bucket(edge);
        self.counts.get(at.saturating_sub(2)..=at.min(BUCKETS - 1)).unwrap_or_default().iter().sum()
    }
}

/// The exponent and the first bits behind it are the bucket; the ends hold what lies beyond them.
fn bucket(value: f64) -> usize {
    let bits = value.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).unwrap_or(0) - 1023 - LOWEST;
    let part = u32::try_from((bits >> 48) & 15).unwrap_or(0);
    match u32::try_from(exponent) {
        Err(_) => 0,
        Ok(exponent) => usize::try_from(exponent.saturating_mul(PARTS) + part).unwrap_or(0).min(BUCKETS - 1),
    }
}

/// The lower edge of a bucket.
fn edge(bucket: usize) -> f64 {
    let bucket = u32::try_from(bucket).unwrap_or(0);
    let exponent = i32::try_from(bucket / PARTS).unwrap_or(0) + LOWEST;
    f64::from(16 + bucket % PARTS) / 16.0 * 2.0_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_ranks() {
        let mut histogram = Histogram::default();
        for value in 1..=1000 {
            histogram.add(f64::from(value));
        }
        let median = histogram.at_rank(500);
        assert!((500.0..=535.0).contains(&median), "{median}");
        for value in [1e-9, 0.013, 1.0, 3.0, 64.0, 90.0, 1e6] {
            let edge = Histogram::edge_from(value);
            assert!(edge >= value && edge <= value * 1.0626, "{value} {edge}");
            assert_eq!(super::edge(bucket(edge)), edge, "{value}");
        }
        assert_eq!(histogram.count_from(Histogram::edge_from(512.0)), 489);
        histogram.add(1e300);
        histogram.add(1e-300);
        assert_eq!(histogram.total, 1002);
        assert_eq!(Histogram::default().at_rank(0), 0.0);
    }
}
