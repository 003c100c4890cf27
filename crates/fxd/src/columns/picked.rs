//! Some fields of many bars.

use super::{Columns, Fields};

/// Timestamps and those fields of bars that were asked for; the columns of the others are empty.
#[derive(Debug, Default)]
pub struct Picked(pub(crate) Columns);

impl Picked {
    /// How many bars there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nanoseconds since the Unix epoch.
    #[must_use]
    pub fn ts(&self) -> &[u64] {
        self.0.ts()
    }

    /// First prices, if they were asked for.
    #[must_use]
    pub fn open(&self) -> &[i64] {
        self.0.open()
    }

    /// Highest prices, if they were asked for.
    #[must_use]
    pub fn high(&self) -> &[i64] {
        self.0.high()
    }

    /// Lowest prices, if they were asked for.
    #[must_use]
    pub fn low(&self) -> &[i64] {
        self.0.low()
    }

    /// Last prices, if they were asked for.
    #[must_use]
    pub fn close(&self) -> &[i64] {
        self.0.close()
    }

    /// Volumes, if they were asked for.
    #[must_use]
    pub fn volume(&self) -> &[u64] {
        self.0.volume()
    }

    /// The bits of [`flags`](crate::flags), if they were asked for.
    #[must_use]
    pub fn flags(&self) -> &[u8] {
        self.0.flags()
    }

    /// Empties the columns that were not asked for: rows have all of them.
    pub(crate) fn keep(&mut self, fields: Fields) {
        let columns = &mut self.0;
        for (field, prices) in [
            (Fields::OPEN, &mut columns.open),
            (Fields::HIGH, &mut columns.high),
            (Fields::LOW, &mut columns.low),
            (Fields::CLOSE, &mut columns.close),
        ] {
            if !fields.has(field) {
                prices.clear();
            }
        }
        if !fields.has(Fields::VOLUME) {
            columns.volume.clear();
        }
        if !fields.has(Fields::FLAGS) {
            columns.flags.clear();
        }
    }
}
