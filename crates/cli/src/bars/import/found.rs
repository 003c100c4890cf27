//! Files to import, as their names say.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use pdp_bars::convert::InputKind;
use pdp_bars::{Kind, LeanFile, symbol_from_name};

use super::super::args::{ImportArgs, Origin};
use crate::fxd::inputs::usage;

/// A file to import.
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) kind: InputKind,
    pub(super) symbol: String,
    /// `1s`, `1m`, `1h`, `1d`.
    pub(super) interval: String,
    /// Whose it is: `lean equity usa`, `binance`, `histdata`.
    pub(super) source: String,
    pub(super) quotes: bool,
}

/// Adds a file, or those of a directory.
pub(super) fn search(path: &Path, args: &ImportArgs, files: &mut Vec<Found>) -> anyhow::Result<()> {
    if !path.is_dir() {
        files.push(found(path, args)?.ok_or_else(|| {
            usage(format!(
                "{}: the name is none of LEAN's, Binance's or HISTDATA's: --from says whose it is, `pdp fxd convert` takes other files",
                path.display()
            ))
        })?);
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).with_context(|| path.display().to_string())? {
        entries.push(entry.with_context(|| path.display().to_string())?.path());
    }
    entries.sort();
    for entry in entries {
        let hidden = entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if entry.is_dir() {
            search(&entry, args, files)?;
        } else if let Some(file) = found(&entry, args)? {
            files.push(file);
        }
    }
    Ok(())
}

/// What a file's name says; nothing, if it is none of those that are looked for.
fn found(path: &Path, args: &ImportArgs) -> anyhow::Result<Option<Found>> {
    let symbol = |own: String| args.symbol.clone().unwrap_or(own);
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let wants = |origin| args.from == Origin::Auto || args.from == origin;
    // From within LEAN's directories a path alone does not say which they are.
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let lean = [path, &whole].into_iter().find(|path| LeanFile::of(path).is_some());
    if wants(Origin::Lean)
        && let Some(path) = lean
        && let Some(file) = LeanFile::of(path)
    {
        let interval = match file.resolution.as_str() {
            "second" => "1s",
            "minute" => "1m",
            "hour" => "1h",
            _ => "1d",
        };
        return Ok(Some(Found {
            path: path.to_owned(),
            kind: InputKind::Bars(Kind::Lean),
            symbol: symbol(file.symbol()),
            interval: interval.to_owned(),
            source: format!("lean {} {}", file.asset, file.market),
            quotes: file.quotes,
        }));
    }
    if Kind::of(path) != Some(Kind::Csv) {
        return Ok(None);
    }
    let (kind, quotes) = (InputKind::Bars(Kind::Csv), false);
    if wants(Origin::Binance)
        && let Some((own, interval)) = binance(name)
    {
        if is_coin_margined(own) {
            return Err(usage(format!(
                "{}: the volume of coin-margined contracts counts contracts, not coins: such files are not imported",
                path.display()
            )));
        }
        let (symbol, source) = (symbol(own.to_owned()), "binance".to_owned());
        return Ok(Some(Found { path: path.to_owned(), kind, symbol, interval, source, quotes }));
    }
    let upper = name.to_ascii_uppercase();
    let named = upper.starts_with("HISTDATA_COM_") || upper.starts_with("DAT_") || args.from == Origin::Histdata;
    if wants(Origin::Histdata) && named {
        if upper.contains("_T_") || upper.contains("_T2") || upper.contains("_T1") {
            return Err(usage(format!("{}: these are ticks, expected bars", path.display())));
        }
        let own = symbol_from_name(path);
        let symbol =
            args.symbol.clone().or(own).ok_or_else(|| usage(format!("{}: give its --symbol", path.display())))?;
        let (interval, source) = ("1m".to_owned(), "histdata".to_owned());
        return Ok(Some(Found { path: path.to_owned(), kind, symbol, interval, source, quotes }));
    }
    if args.from == Origin::Binance {
        return Err(usage(format!("{}: expected a name as BTCUSDT-1m-2024-01.zip", path.display())));
    }
    Ok(None)
}

/// The symbol and interval of `BTCUSDT-1m-2024-01.zip` or `BTCUSDT-1m-2024-01-31.csv`.
fn binance(name: &str) -> Option<(&str, String)> {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let parts: Vec<&str> = stem.split('-').collect();
    let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    let (symbol, interval) = match parts.as_slice() {
        [symbol, interval, year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => {
            (symbol, interval)
        }
        [symbol, interval, year, month] if digits(year, 4) && digits(month, 2) => (symbol, interval),
        _ => return None,
    };
    let known = ["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1mo"];
    (!symbol.is_empty() && known.contains(interval)).then(|| (*symbol, (*interval).to_owned()))
}

/// Whether a symbol is that of a contract that is settled in the coin: `BTCUSD_PERP`, `BTCUSD_230331`.
fn is_coin_margined(symbol: &str) -> bool {
    symbol.rsplit_once('_').is_some_and(|(pair, end)| {
        pair.ends_with("USD") && (end == "PERP" || (end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_digit())))
    })
}

#[cfg(test)]
mod tests {
    use super::{binance, is_coin_margined};

    #[test]
    fn names_of_klines_are_read() {
        for (name, expected) in [
            ("BTCUSDT-1m-2024-01.zip", Some(("BTCUSDT", "1m"))),
            ("ADABTC-1m-2021-11-27.csv", Some(("ADABTC", "1m"))),
            ("1000SHIBUSDT-1s-2024-01-31.csv.gz", Some(("1000SHIBUSDT", "1s"))),
            ("BTCUSDT_230331-1d-2023-03.zip", Some(("BTCUSDT_230331", "1d"))),
            ("BTCUSDT-7m-2024-01.zip", None),
            ("gbpusd-m1-bid-2012.csv", None),
            ("BTCUSDT-1m-2024.zip", None),
        ] {
            assert_eq!(binance(name), expected.map(|(symbol, interval)| (symbol, interval.to_owned())), "{name}");
        }
        assert!(
            is_coin_margined("BTCUSD_PERP") && is_coin_margined("BTCUSD_230331") && !is_coin_margined("BTCUSDT_230331")
        );
    }
}
