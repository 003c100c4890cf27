//! How long bars are.

use std::fmt;
use std::str::FromStr;

use fxd::Interval;

/// The length of resampled bars: a number of seconds, minutes, hours or days. Files and columns call it `15s`, `1min`, `1h`, `1d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timeframe(Interval);

/// A text says no timeframe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no timeframe, expected a number up to 16383 and s, min, h or d, as 15s, 1min, 1h, 1d")]
pub struct UnknownTimeframe(String);

/// A day.
const DAY: u64 = 86_400_000_000_000;

impl Timeframe {
    /// How long it is, in nanoseconds.
    #[must_use]
    pub fn nanos(self) -> u64 {
        self.0.nanos()
    }

    /// The timeframe that is so many nanoseconds long, if one is.
    #[must_use]
    pub fn of_nanos(nanos: u64) -> Option<Self> {
        let units = [(DAY, "d"), (DAY / 24, "h"), (DAY / 1440, "min"), (DAY / 86_400, "s")];
        let (unit, name) = units.into_iter().find(|(unit, _)| nanos.is_multiple_of(*unit))?;
        format!("{}{name}", nanos / unit).parse().ok()
    }

    /// The same as an interval of a store.
    #[must_use]
    pub const fn interval(self) -> Interval {
        self.0
    }

    /// Whole days, if it is some.
    pub(crate) fn days(self) -> Option<u64> {
        self.nanos().is_multiple_of(DAY).then(|| self.nanos() / DAY)
    }
}

impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        match text.strip_suffix('m') {
            Some(count) => write!(f, "{count}min"),
            None => f.write_str(&text),
        }
    }
}

impl FromStr for Timeframe {
    type Err = UnknownTimeframe;

    fn from_str(text: &str) -> Result<Self, UnknownTimeframe> {
        text.parse().map(Self).map_err(|_| UnknownTimeframe(crate::problem::shown(text.as_bytes())))
    }
}

impl From<Interval> for Timeframe {
    fn from(interval: Interval) -> Self {
        Self(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeframes_are_called_as_the_files_call_them() {
        for (text, shown, seconds) in
            [("15s", "15s", 15), ("1min", "1min", 60), ("5m", "5min", 300), ("1h", "1h", 3600)]
        {
            let timeframe: Timeframe = text.parse().unwrap();
            assert_eq!((timeframe.to_string().as_str(), timeframe.nanos()), (shown, seconds * 1_000_000_000));
            assert_eq!(shown.parse(), Ok(timeframe));
        }
        assert_eq!("2d".parse::<Timeframe>().unwrap().days(), Some(2));
        assert_eq!("36h".parse::<Timeframe>().unwrap().days(), None);
        for text in ["", "min", "0s", "1 min", "1week", "1H"] {
            text.parse::<Timeframe>().unwrap_err();
        }
    }
}
