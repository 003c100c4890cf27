//! Records that stand in a file twice.

/// Records that are remembered for certain; the memory of two such generations is kept.
const GENERATION: usize = 1 << 20;

/// The hashes of the records that went by: of all in files of up to two million, of the last million at least in larger
/// ones, in at most 32 MiB.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    current: Table,
    older: Table,
}

impl Duplicates {
    /// Whether a record with this hash went by before.
    pub(super) fn seen(&mut self, hash: u64) -> bool {
        // Zero stands for an empty place.
        let hash = hash.max(1);
        if self.older.used > 0 && self.older.has(hash) {
            return true;
        }
        if self.current.used >= GENERATION {
            if self.current.has(hash) {
                return true;
            }
            std::mem::swap(&mut self.current, &mut self.older);
            self.current.clear();
        }
        !self.current.insert(hash)
    }
}

/// Hashes by open addressing, at most half full.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<u64>,
    used: usize,
}

impl Table {
    fn clear(&mut self) {
        self.slots.fill(0);
        self.used = 0;
    }

    /// The place of a hash, or the empty one where it belongs.
    fn place(slots: &[u64], hash: u64) -> usize {
        let mask = slots.len().wrapping_sub(1);
        // The table's size is below 2^32, whatever the width of a pointer.
        let mut at = usize::try_from(hash >> 32).unwrap_or(0) & mask;
        while slots.get(at).is_some_and(|slot| *slot != 0 && *slot != hash) {
            at = (at + 1) & mask;
        }
        at
    }

    fn has(&self, hash: u64) -> bool {
        self.slots.get(Self::place(&self.slots, hash)).is_some_and(|slot| *slot == hash)
    }

    /// Puts a hash in; false where it is there already.
    fn insert(&mut self, hash: u64) -> bool {
        if self.used * 2 >= self.slots.len() {
            let mut wider = vec![0; (self.slots.len() * 2).max(64)];
            for old in self.slots.iter().filter(|slot| **slot != 0) {
                let at = Self::place(&wider, *old);
                if let Some(slot) = wider.get_mut(at) {
                    *slot = *old;
                }
            }
            self.slots = wider;
        }
        let at = Self::place(&self.slots, hash);
        match self.slots.get_mut(at) {
            Some(slot) if *slot == 0 => {
                *slot = hash;
                self.used += 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spreads numbers as a hash would.
    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    #[test]
    fn what_went_by_is_known_within_the_last_million() {
        let mut duplicates = Duplicates::default();
        let many = 3 * u64::try_from(GENERATION).unwrap();
        for number in 0..many {
            assert!(!duplicates.seen(hash(number)), "{number}");
        }
        for number in many - u64::try_from(GENERATION).unwrap()..many {
            assert!(duplicates.seen(hash(number)), "{number}");
        }
        assert!(!duplicates.seen(0) && duplicates.seen(0));
        assert!(duplicates.current.slots.len() <= 2 * GENERATION && duplicates.older.slots.len() <= 2 * GENERATION);
    }
}
