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

/// A timestamp as RFC 3339 writes it, in UTC, with as many decimals as it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rfc3339(pub(crate) u64);

impl std::fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = yyyymmdd(self.0);
        let of_day = self.0 % DAY;
        let seconds = of_day / 1_000_000_000;
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100)?;
        write!(f, "T{hours:02}:{minutes:02}:{:02}", seconds % 60)?;
        match of_day % 1_000_000_000 {
            0 => {}
            nanos => write!(f, ".{}", format!("{nanos:09}").trim_end_matches('0'))?,
        }
        write!(f, "Z")
    }
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
    #[test]
    fn times_are_written_as_rfc_3339_says() {
        for (ts, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_704_239_999_999_999_999, "2024-01-02T23:59:59.999999999Z"),
            (951_782_400_050_000_000, "2000-02-29T00:00:00.05Z"),
        ] {
            assert_eq!(Rfc3339(ts).to_string(), text);
        }
    }
}
