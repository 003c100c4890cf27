//! The symbol that a file's name says.

use std::path::Path;

/// The symbol that a file's name says, in the spelling it has there: `DAT_ASCII_EURUSD_M1_2019.csv` is of EURUSD.
///
/// What comes before the first part that is an interval, a date, a side or a schema is the symbol, but for what HISTDATA puts
/// in front. Parts end at `_`, `-`, `.` and spaces. Nothing is returned for a name without such a beginning.
#[must_use]
pub fn symbol_from_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let mut stem = name;
    while let Some((rest, end)) = stem.rsplit_once('.') {
        let known = ["gz", "zst", "zip", "csv", "txt", "tsv", "parquet", "pq", "dbn"];
        if !known.iter().any(|known| end.eq_ignore_ascii_case(known)) {
            break;
        }
        stem = rest;
    }
    for prefix in ["HISTDATA_COM_", "DAT_", "ASCII_", "MT_", "NT_", "XLSX_"] {
        if let Some(start) = stem.get(..prefix.len())
            && start.eq_ignore_ascii_case(prefix)
        {
            stem = stem.get(prefix.len()..)?;
        }
    }
    let mut end = stem.len();
    let mut at = 0;
    for part in stem.split(is_break) {
        if is_detail(part) {
            end = at;
            break;
        }
        at += part.len() + 1;
    }
    let symbol = stem.get(..end)?.trim_matches(is_break);
    (!symbol.is_empty()).then(|| symbol.to_owned())
}

const fn is_break(character: char) -> bool {
    matches!(character, '_' | '-' | '.' | ' ')
}

/// Whether a part of a name says something else than the symbol.
fn is_detail(part: &str) -> bool {
    let part = part.to_ascii_lowercase();
    if matches!(part.as_str(), "bid" | "ask" | "mid" | "ohlc" | "ohlcv" | "trade" | "trades" | "quote" | "quotes") {
        return true;
    }
    let digits = part.bytes().filter(u8::is_ascii_digit).count();
    if digits == part.len() {
        // 2019, 201901, 20190131; other numbers may be symbols, as 700 and 005930 are.
        return matches!(digits, 4 | 6 | 8) && (part.starts_with("19") || part.starts_with("20"));
    }
    // 1m, 15min, 4h
    let unit = part.trim_start_matches(|character: char| character.is_ascii_digit());
    let count = part.len() - unit.len();
    if (1..=3).contains(&count) && matches!(unit, "s" | "sec" | "m" | "min" | "h" | "hour" | "d" | "day" | "w" | "mo") {
        return true;
    }
    // M1, H4, D1, and HISTDATA's M1 with a year or month behind it
    ["m1", "m5", "m15", "m30", "h1", "h4", "d1", "w1", "mn1", "s1"].iter().any(|interval| {
        part.strip_prefix(interval).is_some_and(|rest| {
            rest.is_empty()
                || (matches!(rest.len(), 4 | 6)
                    && rest.starts_with("20")
                    && rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_told_from_names() {
        for (name, symbol) in [
            ("DAT_ASCII_EURUSD_M1_2019.csv", Some("EURUSD")),
            ("DAT_MT_EURUSD_M1_201901.csv", Some("EURUSD")),
            ("HISTDATA_COM_ASCII_EURUSD_M12019.zip", Some("EURUSD")),
            ("HISTDATA_COM_ASCII_EURUSD_M1202501.zip", Some("EURUSD")),
            ("EURUSD_M1_2012_Q1.csv.gz", Some("EURUSD")),
            ("gbpusd-m1-bid-2012.csv", Some("gbpusd")),
            ("input.csv", Some("input")),
            ("BRK.B_2024_01.csv", Some("BRK.B")),
            ("BRK.B.csv", Some("BRK.B")),
            ("ADABTC-1m-2021-11-27.csv", Some("ADABTC")),
            ("BTC-USD.parquet", Some("BTC-USD")),
            ("btc-perp-20211231-20220201_1m.csv", Some("btc-perp")),
            ("spy_20131007.ohlcv-1s.dbn.zst", Some("spy")),
            ("005930_1d.csv", Some("005930")),
            ("some/where/ES.c.0.csv", Some("ES.c.0")),
            ("2019.csv", None),
            ("ohlcv-1m.csv", None),
            (".csv", None),
            ("_.csv", None),
            ("数据.csv", Some("数据")),
        ] {
            assert_eq!(symbol_from_name(Path::new(name)).as_deref(), symbol, "{name}");
        }
        assert_eq!(symbol_from_name(Path::new("/")), None);
    }
}
