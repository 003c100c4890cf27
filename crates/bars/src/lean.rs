//! Bars as LEAN keeps them: a zip for each day of a symbol's seconds or minutes, or one for all of its hours or days.

mod source;

use std::path::Path;

use chrono::NaiveDate;
use chrono_tz::America::New_York;

use crate::Zone;

pub(crate) use source::open;

/// What a file's path says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeanFile {
    /// `equity`, `forex`, `cfd`, `crypto`, `cryptofuture`.
    pub asset: String,
    /// `usa`, `fxcm`, `oanda`, `coinbase` and others.
    pub market: String,
    /// `second`, `minute`, `hour` or `daily`.
    pub resolution: String,
    /// The ticker, in lower case.
    pub ticker: String,
    /// The day of seconds and minutes, in the zone of the data.
    pub date: Option<NaiveDate>,
    /// Whether these are quotes, rather than trades.
    pub quotes: bool,
}

const ASSETS: [&str; 5] = ["equity", "forex", "cfd", "crypto", "cryptofuture"];
const RESOLUTIONS: [&str; 4] = ["second", "minute", "hour", "daily"];

impl LeanFile {
    /// What a path says, in LEAN's own directories (`equity/usa/second/spy/20131007_trade.zip`) or in one name
    /// (`equity_usa_second_spy_20131007_trade.zip`); nothing, if it is no such path.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let stem = name.strip_suffix(".zip").or_else(|| name.strip_suffix(".ZIP"))?;
        let parts: Vec<&str> = stem.split('_').collect();
        if let [asset, market, resolution, ticker @ .., date, kind] = parts.as_slice()
            && let Some(file) = Self::new([asset, market, resolution], &ticker.join("_"), Some(date), kind)
        {
            return Some(file);
        }
        let folders: Vec<&str> = path.parent()?.components().filter_map(|part| part.as_os_str().to_str()).collect();
        match (parts.as_slice(), folders.as_slice()) {
            ([date, kind], [.., asset, market, resolution, ticker]) if is_fine(resolution) => {
                Self::new([asset, market, resolution], ticker, Some(date), kind)
            }
            ([ticker @ .., kind], [.., asset, market, resolution])
                if !is_fine(resolution) && !ticker.is_empty() && matches!(*kind, "trade" | "quote") =>
            {
                Self::new([asset, market, resolution], &ticker.join("_"), None, kind)
            }
            (_, [.., asset, market, resolution]) if !is_fine(resolution) => {
                Self::new([asset, market, resolution], stem, None, if *asset == "equity" { "trade" } else { "quote" })
            }
            _ => None,
        }
    }

    fn new([asset, market, resolution]: [&str; 3], ticker: &str, date: Option<&str>, kind: &str) -> Option<Self> {
        let date = match date {
            Some(text) => {
                let plain = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
                Some(NaiveDate::parse_from_str(text, "%Y%m%d").ok().filter(|_| plain)?)
            }
            None => None,
        };
        let known = ASSETS.contains(&asset) && RESOLUTIONS.contains(&resolution) && !market.is_empty();
        let quotes = match kind {
            "trade" => false,
            "quote" => true,
            _ => return None,
        };
        (known && !ticker.is_empty()).then(|| Self {
            asset: asset.to_owned(),
            market: market.to_owned(),
            resolution: resolution.to_owned(),
            ticker: ticker.to_owned(),
            date,
            quotes,
        })
    }

    /// The symbol: the ticker in upper case.
    #[must_use]
    pub fn symbol(&self) -> String {
        self.ticker.to_uppercase()
    }

    /// The zone that the data's clock shows, where LEAN has one for the market.
    #[must_use]
    pub fn zone(&self) -> Option<Zone> {
        match (self.asset.as_str(), self.market.as_str()) {
            ("equity", "usa") => Some(Zone::Named(New_York)),
            // Five hours behind UTC all year, whatever New York does.
            ("forex" | "cfd", "fxcm") => Some(Zone::EST),
            ("forex" | "cfd", "oanda") | ("crypto" | "cryptofuture", _) => Some(Zone::UTC),
            _ => None,
        }
    }

    /// Decimals of prices that are whole numbers.
    const fn is_scaled(&self) -> bool {
        matches!(self.asset.as_bytes(), b"equity")
    }
}

/// Whether a resolution has a directory for each ticker and a file for each day.
fn is_fine(resolution: &str) -> bool {
    matches!(resolution, "second" | "minute")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_files_hold() {
        let of = |path: &str| {
            let file = LeanFile::of(Path::new(path))?;
            let date = file.date.map(|date| date.to_string()).unwrap_or_default();
            Some(format!("{} {} {} {} {date} {}", file.asset, file.market, file.resolution, file.symbol(), file.quotes))
        };
        for (path, expected) in [
            ("equity_usa_second_spy_20131007_trade.zip", Some("equity usa second SPY 2013-10-07 false")),
            ("x/equity/usa/minute/brk.b/20131007_quote.zip", Some("equity usa minute BRK.B 2013-10-07 true")),
            ("equity/usa/daily/spy.zip", Some("equity usa daily SPY  false")),
            ("/a/forex/oanda/hour/eurusd.zip", Some("forex oanda hour EURUSD  true")),
            ("crypto/binance/daily/btcusdt_trade.zip", Some("crypto binance daily BTCUSDT  false")),
            (
                "cryptofuture_dydx_minute_btc_usd_20260101_trade.zip",
                Some("cryptofuture dydx minute BTC_USD 2026-01-01 false"),
            ),
            ("equity/usa/minute/spy/20131007_openinterest.zip", None),
            ("equity_usa_second_spy_20131307_trade.zip", None),
            ("option_usa_minute_spy_20131007_trade.zip", None),
            ("DAT_ASCII_EURUSD_M1_2019.zip", None),
            ("BTCUSDT-1m-2025-01.zip", None),
        ] {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }
}
