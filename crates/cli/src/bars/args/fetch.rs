//! What is asked of the network.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::Args;

/// How to reach Databento.
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    /// Another address than Databento's, such as a local server's
    #[arg(long, value_name = "URL", env = "DATABENTO_BASE_URL")]
    pub(crate) base_url: Option<String>,
    /// The file that DATABENTO_API_KEY is read from, where the environment does not have it
    #[arg(long, value_name = "FILE", default_value = ".env")]
    pub(crate) env_file: PathBuf,
    /// How often a request that failed for a passing reason is tried again
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    pub(crate) retries: u32,
    /// Seconds to wait before the first of them; twice as long before each that follows, up to a minute
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(crate) retry_wait: Duration,
    /// For how many seconds nothing may come
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    pub(crate) timeout: Duration,
}

/// A number of seconds, with decimals if need be.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected a number of seconds from 0 on".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct SchemasArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// The dataset, such as GLBX.MDP3
    #[arg(long, value_name = "DATASET")]
    pub(crate) dataset: String,
}

#[derive(Debug, Args)]
pub(crate) struct SymbolsArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// The dataset, such as GLBX.MDP3
    #[arg(long, value_name = "DATASET")]
    pub(crate) dataset: String,
    /// The symbols, with commas
    #[arg(long, value_name = "SYMBOLS", value_delimiter = ',', required = true)]
    pub(crate) symbol: Vec<String>,
    /// What kind of symbols they are: raw_symbol (AAPL, ESH4), continuous (ES.c.0), parent (ES.FUT) or instrument_id
    #[arg(long, value_name = "KIND", default_value = "raw_symbol")]
    pub(crate) stype: String,
    /// The first day; without it, the first of the dataset
    #[arg(long, value_name = "DATE")]
    pub(crate) start: Option<NaiveDate>,
    /// The last day; without it, the last of the dataset
    #[arg(long, value_name = "DATE")]
    pub(crate) end: Option<NaiveDate>,
}

#[derive(Debug, Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) connect: ConnectArgs,
    /// The symbol
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: String,
    /// The dataset, such as DBEQ.BASIC or GLBX.MDP3
    #[arg(long, value_name = "DATASET")]
    pub(crate) dataset: String,
    /// The first day, in UTC, or the first moment, as 2024-01-02T14:30:00Z
    #[arg(long, value_name = "DATE", value_parser = Moment::of)]
    pub(crate) start: Moment,
    /// The last day, all of it, in UTC; or the moment behind the last
    #[arg(long, value_name = "DATE", value_parser = Moment::of)]
    pub(crate) end: Moment,
    /// The schema: ohlcv-1s, ohlcv-1m, ohlcv-1h, ohlcv-1d or ohlcv-eod
    #[arg(long, value_name = "SCHEMA", default_value = "ohlcv-1s")]
    pub(crate) schema: String,
    /// What kind of symbol it is: raw_symbol (AAPL, ESH4), continuous (ES.c.0), parent (ES.FUT) or instrument_id
    #[arg(long, alias = "stype-in", value_name = "KIND", default_value = "raw_symbol")]
    pub(crate) stype: String,
    /// Where symbols have their directories [default: raw_1s in the data root, or what the schema says]
    #[arg(long, alias = "output_dir", value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// How many months are fetched at once
    #[arg(long, value_name = "COUNT", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) jobs: u8,
    /// Say what each month holds and costs, and buy nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Buy nothing if it costs more US dollars than this
    #[arg(long, value_name = "DOLLARS", value_parser = dollars)]
    pub(crate) max_cost: Option<f64>,
    /// Replace files of months that are there and were not fetched, rather than refuse
    #[arg(long)]
    pub(crate) replace: bool,
    /// Fetch again what the vendor has changed since
    #[arg(long)]
    pub(crate) refresh: bool,
}

fn dollars(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|dollars: &f64| dollars.is_finite() && *dollars >= 0.0)
        .ok_or_else(|| "expected a sum of dollars, as 2.50".to_owned())
}

/// A day or a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    Day(NaiveDate),
    At(DateTime<Utc>),
}

impl Moment {
    fn of(text: &str) -> Result<Self, String> {
        if let Ok(day) = text.parse() {
            return Ok(Self::Day(day));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self::At(at.to_utc()))
            .map_err(|_| "expected a day as 2024-01-31, or a moment with its zone as 2024-01-31T14:30:00Z".to_owned())
    }

    /// As the beginning of a span.
    pub(crate) fn start(self) -> DateTime<Utc> {
        match self {
            Self::Day(day) => day.and_time(NaiveTime::MIN).and_utc(),
            Self::At(at) => at,
        }
    }

    /// As the end of a span: a day is part of it, a moment is not.
    pub(crate) fn end(self) -> DateTime<Utc> {
        match self {
            Self::Day(day) => day.succ_opt().unwrap_or(day).and_time(NaiveTime::MIN).and_utc(),
            Self::At(at) => at,
        }
    }
}
