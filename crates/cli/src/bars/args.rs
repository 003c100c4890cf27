//! The command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use pdp_bars::Zone;
use pdp_bars::pipeline::OutputFormat;
use pdp_bars::resample::Timeframe;

use crate::fxd::args::OnDuplicate;

#[derive(Debug, Subcommand)]
pub(crate) enum BarsCommand {
    /// Make bars of longer timeframes: months of a symbol in, months of each timeframe out
    Resample(ResampleArgs),
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false)]
pub(crate) struct Which {
    /// The symbol
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<String>,
    /// Every symbol of the input directory
    #[arg(long)]
    pub(crate) all: bool,
}

/// What bars are written as.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    Csv,
    Parquet,
    Fxd,
}

impl From<Format> for OutputFormat {
    fn from(given: Format) -> Self {
        match given {
            Format::Csv => Self::Csv,
            Format::Parquet => Self::Parquet,
            Format::Fxd => Self::Fxd,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ResampleArgs {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Where the bars are, as {SYMBOL}/{SYMBOL}_{YYYY}_{MM}.csv; also .gz, .zst, .zip, Parquet, DBN and .fxd [default: raw_1s in
    /// the data root]
    #[arg(long, value_name = "DIR")]
    pub(crate) input_dir: Option<PathBuf>,
    /// Where the results go, as {timeframe}/{SYMBOL}_{YYYY}_{MM}_{timeframe}.csv [default: aggregated in the data root]
    #[arg(long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// The timeframes: numbers of s, min, h or d
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "15s,30s,45s,1min,2min,5min,15min,30min,1h"
    )]
    pub(crate) timeframes: Vec<Timeframe>,
    /// Let bars begin with a session, at this time of day in the zone of --tz: 17:00 or 09:30. Days are then as long as the clock
    /// makes them
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day, requires = "tz")]
    pub(crate) session: Option<u32>,
    /// The zone of the session, and of timestamps that say none: America/New_York, +02:00, EST (UTC-5) or UTC
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<Zone>,
    /// Put a bar without volume at the last price where there is none, with flags that say so
    #[arg(long)]
    pub(crate) fill: bool,
    /// Keep bars of several publishers apart, rather than refuse them
    #[arg(long)]
    pub(crate) by_publisher: bool,
    /// What is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// What becomes of two bars of one time
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Identical)]
    pub(crate) on_duplicate: OnDuplicate,
}

/// Seconds after midnight.
fn time_of_day(text: &str) -> Result<u32, String> {
    let wrong = || "expected a time of day as 17:00".to_owned();
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, most: u32| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u32>().ok().filter(|number| plain && *number < most).ok_or_else(wrong)
    };
    Ok(number(hours, 24)? * 3600 + number(minutes, 60)? * 60)
}

#[cfg(test)]
mod tests {
    use super::time_of_day;

    #[test]
    fn times_of_day_are_read() {
        assert_eq!((time_of_day("17:00"), time_of_day("09:30")), (Ok(61_200), Ok(34_200)));
        for text in ["", "17", "9:30", "24:00", "17:60", "17:00:00", "+1:00"] {
            time_of_day(text).unwrap_err();
        }
    }
}
