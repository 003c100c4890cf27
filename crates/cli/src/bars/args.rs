//! The command line.

mod fetch;
mod import;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use pdp_bars::Zone;
use pdp_bars::market::Market;
use pdp_bars::pipeline::OutputFormat;
use pdp_bars::resample::Timeframe;

pub(crate) use self::fetch::{ConnectArgs, FetchArgs, SchemasArgs, SymbolsArgs};
pub(crate) use self::import::{ImportArgs, Origin, Side};
use crate::fxd::args::OnDuplicate;

#[derive(Debug, Subcommand)]
pub(crate) enum BarsCommand {
    /// Buy bars from Databento, month by month; months that are there whole are not bought again
    Fetch(FetchArgs),
    /// Bring files of LEAN, Binance and HISTDATA into the pipeline's layout
    Import(ImportArgs),
    /// Try the key, and list what datasets there are
    CheckConnection(ConnectArgs),
    /// List datasets, with the days that they have
    Datasets(ConnectArgs),
    /// List a dataset's schemas and what they cost
    Schemas(SchemasArgs),
    /// Say on which days symbols can be had
    Symbols(SymbolsArgs),
    /// Make bars of longer timeframes: months of a symbol in, months of each timeframe out
    Resample(ResampleArgs),
    /// Check bars: order, duplicates, OHLC rules, alignment, gaps and why, and volumes against the raw data
    Validate(ValidateArgs),
    /// Make a package of the pipeline's results: validated, with mapping, condition, report and a checklist
    Deliver(DeliverArgs),
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
    #[arg(long, alias = "input_dir", value_name = "DIR")]
    pub(crate) input_dir: Option<PathBuf>,
    /// Where the results go, as {timeframe}/{SYMBOL}_{YYYY}_{MM}_{timeframe}.csv [default: aggregated in the data root]
    #[arg(long, alias = "output_dir", value_name = "DIR")]
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
    /// Make one series of a symbol's instruments, whose ids of shares change from day to day; otherwise bars of two instruments are
    /// never put together
    #[arg(long)]
    pub(crate) merge_instruments: bool,
    /// What is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// What becomes of two bars of one time
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Identical)]
    pub(crate) on_duplicate: OnDuplicate,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArgs {
    /// Where the bars are: a timeframe's directory, one of several timeframes, or the raw data
    #[arg(long, alias = "input_dir", value_name = "DIR")]
    pub(crate) input_dir: PathBuf,
    /// The symbol; without it, every one of the input directory
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<String>,
    /// The bars' timeframe; without it, the one that the names of files or their directory say, or else the longest that nearly all
    /// steps between bars are multiples of
    #[arg(long, value_name = "TIMEFRAME")]
    pub(crate) timeframe: Option<Timeframe>,
    /// The raw bars that these are made of: every bar's prices and volume must be those of the raw ones
    #[arg(long, alias = "raw_dir", value_name = "DIR")]
    pub(crate) raw_dir: Option<PathBuf>,
    /// Write the report to a file: .txt, .json or .html, with a timeline of gaps. May be repeated
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Vec<PathBuf>,
    /// When the market is closed: xnys, xnys-extended, cme-equity, fx, 24-7, or a file of sessions (open,close in each line).
    /// Without it, a week is learned from the data
    #[arg(long, value_name = "CALENDAR")]
    pub(crate) calendar: Option<String>,
    /// Halts and other closed times: a file with start,end[,why] or a date in each line
    #[arg(long, value_name = "FILE")]
    pub(crate) halts: Option<PathBuf>,
    /// What the vendor says of each day, as `pdp bars fetch` keeps it; without it, the file beside the data is taken
    #[arg(long, value_name = "FILE")]
    pub(crate) condition: Option<PathBuf>,
    /// How long a time without bars may be to count as no trade, such as 90s, 5min or 1h [default: 5min for bars of less than that]
    #[arg(long, value_name = "DURATION")]
    pub(crate) no_trade: Option<Timeframe>,
    /// Prices may be below zero
    #[arg(long)]
    pub(crate) allow_negative_prices: bool,
    /// Bars without volume are findings
    #[arg(long)]
    pub(crate) refuse_zero_volume: bool,
    /// Gaps that nothing explains are reported, but are no findings
    #[arg(long)]
    pub(crate) allow_gaps: bool,
    /// The bars were resampled with --merge-instruments
    #[arg(long)]
    pub(crate) merge_instruments: bool,
    /// Bars begin with a session, at this time of day in the zone of --tz
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day, requires = "tz")]
    pub(crate) session: Option<u32>,
    /// The zone of the session, of timestamps that say none, and of the week that is learned
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<Zone>,
    /// What became of two raw bars of one time when the bars were resampled
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Identical)]
    pub(crate) on_duplicate: OnDuplicate,
    /// How many findings of each kind are listed; all are counted
    #[arg(long, value_name = "COUNT", default_value_t = 1000)]
    pub(crate) most: u64,
}

/// What data a delivery has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contents {
    /// The resampled bars
    Results,
    /// The resampled and the raw bars
    All,
    /// No data: the report, the papers and the checksums of the data
    None,
}

#[derive(Debug, Args)]
pub(crate) struct DeliverArgs {
    /// The symbols, with commas; without it, every one that there is
    #[arg(long, value_name = "SYMBOLS", value_delimiter = ',')]
    pub(crate) symbol: Vec<String>,
    /// The timeframes, with commas; without it, every one that there is
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub(crate) timeframes: Vec<Timeframe>,
    /// The raw bars [default: raw_1s in the data root]; results are held against them, if they are there
    #[arg(long, alias = "raw_dir", value_name = "DIR")]
    pub(crate) raw_dir: Option<PathBuf>,
    /// What data the package has
    #[arg(long, value_name = "CONTENTS", value_enum, default_value_t = Contents::Results)]
    pub(crate) data: Contents,
    /// Bars begin with a session, at this time of day in the zone of --tz
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day, requires = "tz")]
    pub(crate) session: Option<u32>,
    /// What became of two raw bars of one time when the bars were resampled
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Identical)]
    pub(crate) on_duplicate: OnDuplicate,
    /// Package name [default: bars-YYYYMMDD]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Directory that the package is written to
    #[arg(long, short, value_name = "DIR", default_value = "packages")]
    pub(crate) output: PathBuf,
    /// Replace a package of the same file name that holds something else
    #[arg(long)]
    pub(crate) overwrite: bool,
    /// Format: zip, tar.gz, folder
    #[arg(long, value_name = "FORMAT", default_value = "zip")]
    pub(crate) format: String,
    /// The time that the package bears, for reproducible packages [default: SOURCE_DATE_EPOCH, else now]
    #[arg(long, value_name = "TIME")]
    pub(crate) created_at: Option<DateTime<Utc>>,
    /// When the market is closed, as for `pdp bars validate`
    #[arg(long, value_name = "CALENDAR")]
    pub(crate) calendar: Option<String>,
    /// Prices may be below zero
    #[arg(long)]
    pub(crate) allow_negative_prices: bool,
    /// Gaps that nothing explains are reported, but do not stop the delivery
    #[arg(long)]
    pub(crate) allow_gaps: bool,
    /// The bars were resampled with --merge-instruments
    #[arg(long)]
    pub(crate) merge_instruments: bool,
    /// Deliver whatever was found; the report and the checklist say it
    #[arg(long)]
    pub(crate) allow_findings: bool,
    /// The zone of timestamps that say none, and of the week that is learned
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<Zone>,
}

/// A calendar's name.
pub(crate) fn market(text: &str) -> Option<Market> {
    text.parse().ok()
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
