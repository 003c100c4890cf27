//! What is imported.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pdp_bars::{QuoteSide, Zone};

use super::Format;
use crate::fxd::args::OnDuplicate;

/// Whose files are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Origin {
    /// Told from each file's name
    Auto,
    /// Zips of LEAN's, in its directories or named like equity_usa_second_spy_20131007_trade.zip
    Lean,
    /// Klines, named like BTCUSDT-1m-2024-01.zip
    Binance,
    /// Minutes, named like HISTDATA_COM_ASCII_EURUSD_M12019.zip or DAT_ASCII_EURUSD_M1_2019.csv
    Histdata,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// The mean of both, exactly
    Mid,
    Bid,
    Ask,
}

impl From<Side> for QuoteSide {
    fn from(given: Side) -> Self {
        match given {
            Side::Mid => Self::Mid,
            Side::Bid => Self::Bid,
            Side::Ask => Self::Ask,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// Files, and directories that are searched for them
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Whose files they are
    #[arg(long, value_name = "ORIGIN", value_enum, default_value_t = Origin::Auto)]
    pub(crate) from: Origin,
    /// The symbol; without it, the one that names say
    #[arg(long, value_name = "SYMBOL")]
    pub(crate) symbol: Option<String>,
    /// What bars of quotes are made of
    #[arg(long, value_name = "SIDE", value_enum, default_value_t = Side::Mid)]
    pub(crate) side: Side,
    /// The zone of the files' clock: needed for HISTDATA's, whose files say EST (UTC-5 all year) and not all of which keep it
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(crate) tz: Option<Zone>,
    /// Where symbols have their directories [default: raw_1s, raw_1m, raw_1h or raw_1d in the data root, as the bars are]
    #[arg(long, alias = "output_dir", value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,
    /// What is written
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Csv)]
    pub(crate) format: Format,
    /// What becomes of two bars of one time
    #[arg(long, value_name = "ACTION", value_enum, default_value_t = OnDuplicate::Identical)]
    pub(crate) on_duplicate: OnDuplicate,
}
