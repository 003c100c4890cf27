//! UTC dates of timestamps.

/// Nanoseconds of a day.
pub const DAY: u64 = 86_400_000_000_000;

/// The days from 1970-01-01 to the one of a timestamp.
pub(crate) const fn day(ts: u64) -> u64 {
    ts / DAY
}

/// The UTC date of a timestamp as YYYYMMDD; 0 beyond the year 9999, which no timestamp of a store reaches.
#[must_use]
pub fn yyyymmdd(ts: u64) -> u32 {
    // Howard Hinnant's civil_from_days, for days since 1970-01-01 that are not negative.
    let days = day(ts) + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    u32::try_from(year * 10_000 + month * 100 + day).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ts, date) in [
            (0, 19_700_101),
            (DAY - 1, 19_700_101),
            (DAY, 19_700_102),
            (951_782_400_000_000_000, 20_000_229),
            (951_868_800_000_000_000, 20_000_301),
            (1_704_239_999_999_999_999, 20_240_102),
            (4_107_542_400_000_000_000, 21_000_301),
            (crate::MAX_TS, 22_620_411),
        ] {
            assert_eq!(yyyymmdd(ts), date, "{ts}");
        }
    }
}
