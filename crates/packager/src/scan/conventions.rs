//! What a file's path says: symbol, event type, date and source by the collector's naming conventions.
//!
//! Understood are the eight conventions (Flat, BySymbol, ByDate, ByType, BySource, ByAssetClass, Hierarchical,
//! Canonical) and the layouts of packages, with any prefix before the file name's own part. A path alone cannot tell
//! everything: which of two unknown words is the symbol, or where a symbol with `_` ends. The data settles that.

use chrono::NaiveDate;
use pdp_manifest::{EventType, SourceName, Symbol};

use crate::inspect::sniff;

/// What a path says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PathFacts {
    pub(crate) symbol: Option<Symbol>,
    pub(crate) event_type: Option<EventType>,
    pub(crate) date: Option<FileDate>,
    pub(crate) source: Option<SourceName>,
    /// Whether a known event type stands where a convention has it; without one, all of it is a guess.
    pub(crate) follows_a_convention: bool,
}

/// The time that a file's name says it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileDate {
    /// A day, or an hour of it.
    Day(NaiveDate),
    /// A month, by its first day.
    Month(NaiveDate),
}

impl FileDate {
    /// The first day covered.
    pub(crate) const fn start(self) -> NaiveDate {
        match self {
            Self::Day(date) | Self::Month(date) => date,
        }
    }

    /// The last day covered.
    pub(crate) fn end(self) -> NaiveDate {
        match self {
            Self::Day(date) => date,
            Self::Month(first) => (first + chrono::Months::new(1)).pred_opt().unwrap_or(first),
        }
    }

    /// The word for it in a path: `2024-01-03` or `2024-01`.
    pub(crate) fn label(self) -> String {
        match self {
            Self::Day(date) => date.format("%Y-%m-%d").to_string(),
            Self::Month(date) => date.format("%Y-%m").to_string(),
        }
    }
}

/// Words that stand before everything else and mean a tier or a convention, not data.
const LEADING: [&str; 11] = [
    "live",
    "historical",
    "data",
    "bydate",
    "bysymbol",
    "bytype",
    "bysource",
    "byassetclass",
    "hierarchical",
    "canonical",
    "flat",
];

/// Asset classes, which stand before the symbol and are no source.
const ASSETS: [&str; 15] = [
    "equity",
    "equities",
    "stock",
    "option",
    "options",
    "future",
    "futures",
    "forex",
    "fx",
    "crypto",
    "cryptofuture",
    "index",
    "etf",
    "bond",
    "cfd",
];

/// Reads the path of a file below the data root, its components given outermost first, the file's name last.
pub(crate) fn read(components: &[&str]) -> PathFacts {
    let Some((name, directories)) = components.split_last() else { return PathFacts::default() };
    if let Some(facts) = pipeline(name, directories) {
        return facts;
    }
    let mut facts = PathFacts::default();
    let mut words: Vec<&str> = Vec::new();
    // Position among `words` at which a directory named the event type.
    let mut type_at = None;
    let mut rest = directories;
    while let [word, more @ ..] = rest {
        let leading = words.is_empty() && facts.date.is_none() && type_at.is_none();
        if leading && LEADING.iter().any(|known| known == word || (known.len() > 4 && known.eq_ignore_ascii_case(word)))
        {
            rest = more;
        } else if let [year, month, day, more @ ..] = rest
            && let Some(date) = split_date(year, month, day)
        {
            facts.date = Some(FileDate::Day(date));
            rest = more;
        } else if let Some(date) = whole_date(word) {
            facts.date = Some(date);
            rest = more;
        } else if word.eq_ignore_ascii_case("undated") {
            rest = more;
        } else if let (None, Some(kind)) = (&facts.event_type, EventType::known(word)) {
            facts.event_type = Some(kind);
            type_at = Some(words.len());
            rest = more;
        } else {
            words.push(word);
            rest = more;
        }
    }
    let file = FileName::read(sniff::stem(name));
    let type_in_directory = facts.event_type.is_some();
    let date_in_directory = facts.date.is_some();
    // A flat name says everything itself, whatever directory the file was put into.
    let flat_name = file.rest.filter(|_| file.event_type.is_some() && file.date.is_some());
    facts.date = file.date.or(facts.date);
    facts.event_type = facts.event_type.or(file.event_type);
    facts.follows_a_convention = facts.event_type.is_some();

    let symbol_at = match type_at {
        // `{symbol}/{type}`, perhaps with a source or an asset class before it; `{type}/{symbol}`.
        Some(at) if at > 0 => Some(at - 1),
        Some(_) => (!words.is_empty()).then_some(0),
        // A type of the user's own between symbol and a date in the file's name.
        None if !type_in_directory && facts.event_type.is_none() && words.len() >= 2 && file.rest.is_none() => {
            facts.event_type = words.last().and_then(|word| word.parse().ok());
            Some(words.len() - 2)
        }
        None => words.len().checked_sub(1),
    };
    let in_directory = symbol_at.and_then(|at| words.get(at)).copied();
    if facts.event_type.is_none() && date_in_directory && in_directory.is_some() {
        // `{date}/{symbol}/{type}` with a type of the user's own.
        facts.event_type = file.rest.filter(|word| *word != "data").and_then(|word| word.parse().ok());
    }
    facts.symbol = symbol(flat_name.or(in_directory).or(file.rest));
    facts.source = symbol_at
        .and_then(|at| words.get(..at))
        .and_then(|before| before.iter().find(|word| !is_asset(word)))
        .and_then(|word| word.parse().ok())
        .or_else(|| file.source.and_then(|word| word.parse().ok()));
    facts
}

/// What the pipeline of bars calls its files: `raw_1s/{SYMBOL}/{SYMBOL}_{YYYY}_{MM}` and
/// `aggregated/{timeframe}/{SYMBOL}_{YYYY}_{MM}_{timeframe}`, in directories of any name before.
fn pipeline(name: &str, directories: &[&str]) -> Option<PathFacts> {
    let stem = sniff::stem(name);
    let month = |stem: &str| {
        let (rest, month) = stem.rsplit_once('_')?;
        let (symbol, year) = rest.rsplit_once('_')?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        let date = pdp_manifest::time::parse_date(&format!("{year}-{month}-01")).filter(plausible);
        date.filter(|_| digits(year, 4) && digits(month, 2)).map(|date| (symbol.to_owned(), FileDate::Month(date)))
    };
    let (timeframe, (symbol, date)) = match directories {
        [.., "aggregated", timeframe] => (*timeframe, month(stem.strip_suffix(timeframe)?.strip_suffix('_')?)?),
        [.., raw, directory] if raw.starts_with("raw_") => {
            (raw.strip_prefix("raw_")?, month(stem).filter(|(symbol, _)| symbol == directory)?)
        }
        [.., raw] if raw.starts_with("raw_") => (raw.strip_prefix("raw_")?, month(stem)?),
        _ => return None,
    };
    Some(PathFacts {
        symbol: Some(symbol.parse().ok()?),
        event_type: Some(EventType::bars_of(timeframe)?),
        date: Some(date),
        source: None,
        follows_a_convention: true,
    })
}

fn symbol(word: Option<&str>) -> Option<Symbol> {
    let word = word.filter(|word| !matches!(*word, "_unknown" | "data" | "current" | "UNKNOWN"))?;
    word.parse().ok()
}

fn is_asset(word: &str) -> bool {
    ASSETS.iter().any(|asset| asset.eq_ignore_ascii_case(word))
}

/// What the name of a file says, its extensions taken off.
#[derive(Debug, Default, PartialEq)]
struct FileName<'a> {
    date: Option<FileDate>,
    event_type: Option<EventType>,
    /// What stands before type and date.
    rest: Option<&'a str>,
    /// What stands behind the date in a flat name.
    source: Option<&'a str>,
}

impl<'a> FileName<'a> {
    fn read(stem: &'a str) -> Self {
        let mut found = Self::default();
        let date_at = find_date(stem);
        found.date = date_at.map(|(_, _, date)| date);
        let (before, after) = match date_at {
            Some((from, to, _)) => (stem.get(..from), stem.get(to..)),
            None => (Some(stem), None),
        };
        let before = before.unwrap_or_default().trim_end_matches(['_', '-', '.']);
        // The last token before the date that names a type; what stands before it is the symbol.
        let mut end = before.len();
        let mut type_from = None;
        while type_from.is_none() && end > 0 {
            let head = before.get(..end).unwrap_or_default();
            let from = head.rfind('_').map_or(0, |at| at + 1);
            if let Some(kind) = head.get(from..).and_then(EventType::known) {
                found.event_type = Some(kind);
                type_from = Some(from);
            }
            end = from.saturating_sub(1);
        }
        let rest = type_from.map_or(before, |from| before.get(..from).unwrap_or_default().trim_end_matches('_'));
        // `data` and `current` name nothing.
        found.rest = Some(rest).filter(|word| !word.is_empty() && !matches!(*word, "data" | "current"));
        // A source stands in flat names only: behind a symbol, a type and a date.
        let flat = found.rest.is_some() && found.event_type.is_some();
        found.source = after.and_then(|after| after.strip_prefix('_')).filter(|word| flat && !word.is_empty());
        found
    }
}

/// `YYYY-MM-DD`, `YYYY-MM-DD_HH`, `YYYY-MM` or `YYYYMMDD` as a whole word.
fn whole_date(word: &str) -> Option<FileDate> {
    let (from, to, date) = find_date(word)?;
    let rest = (word.get(..from)?, word.get(to..)?);
    (rest == ("", "")).then_some(date)
}

/// `{yyyy}/{MM}/{dd}`.
fn split_date(year: &str, month: &str, day: &str) -> Option<NaiveDate> {
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    pdp_manifest::time::parse_date(&format!("{year}-{month}-{day}")).filter(plausible)
}

/// The first date in `text` that no digit or letter touches, with the positions where it begins and ends.
fn find_date(text: &str) -> Option<(usize, usize, FileDate)> {
    let bytes = text.as_bytes();
    let free = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    for from in 0..bytes.len() {
        if !free(from.checked_sub(1)) || !bytes.get(from).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let day = text.get(from..from + 10).and_then(pdp_manifest::time::parse_date).filter(plausible);
        if let Some(date) = day.filter(|_| free(Some(from + 10))) {
            // The hour of an hourly file belongs to the date.
            let hour = text.get(from + 10..from + 13).filter(|_| free(Some(from + 13)));
            let hourly = hour.is_some_and(|hour| {
                hour.strip_prefix('_').and_then(|digits| digits.parse::<u8>().ok()).is_some_and(|hour| hour < 24)
            });
            return Some((from, from + if hourly { 13 } else { 10 }, FileDate::Day(date)));
        }
        let month = text.get(from..from + 7).filter(|_| free(Some(from + 7)) && bytes.get(from + 7) != Some(&b'-'));
        let month = month.and_then(|word| pdp_manifest::time::parse_date(&format!("{word}-01"))).filter(plausible);
        if let Some(date) = month {
            return Some((from, from + 7, FileDate::Month(date)));
        }
        let compact = text.get(from..from + 8).filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        let compact = compact.filter(|_| free(Some(from + 8)));
        let compact = compact.and_then(|word| NaiveDate::parse_from_str(word, "%Y%m%d").ok()).filter(plausible);
        if let Some(date) = compact {
            return Some((from, from + 8, FileDate::Day(date)));
        }
    }
    None
}

fn plausible(date: &NaiveDate) -> bool {
    use chrono::Datelike as _;
    (1900..2200).contains(&date.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(path: &str) -> String {
        let facts = read(&path.split('/').collect::<Vec<_>>());
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        format!(
            "{} {} {} {}",
            text(facts.symbol.map(|s| s.to_string())),
            text(facts.event_type.map(|t| t.to_string())),
            text(facts.date.map(FileDate::label)),
            text(facts.source.map(|s| s.to_string())),
        )
    }

    #[test]
    fn the_eight_conventions() {
        let day = "2031-02-03";
        for (path, expected) in [
            (format!("AAPL_Trade_{day}.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("AAPL_Trade_{day}_ALPACA.jsonl.gz"), "AAPL Trade 2031-02-03 ALPACA"),
            (format!("AAPL/Trade/{day}.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("AAPL/Trade/pre_{day}.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("{day}/AAPL/Trade.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("{day}/AAPL/pre_Trade.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("Trade/AAPL/{day}.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("alpaca/AAPL/Trade/{day}.jsonl"), "AAPL Trade 2031-02-03 alpaca"),
            (format!("equity/AAPL/Trade/{day}.jsonl"), "AAPL Trade 2031-02-03 -"),
            (format!("alpaca/equity/AAPL/HistoricalBar/{day}.jsonl"), "AAPL HistoricalBar 2031-02-03 alpaca"),
            ("2031/02/03/alpaca/AAPL/Trade.jsonl".to_owned(), "AAPL Trade 2031-02-03 alpaca"),
        ] {
            assert_eq!(show(&path), expected, "{path}");
            assert_eq!(show(&format!("live/{path}")), expected, "live/{path}");
            assert_eq!(show(&format!("data/live/{path}")), expected, "data/live/{path}");
        }
    }

    #[test]
    fn the_layouts_of_packages() {
        for path in [
            "data/2031-02-03/AAPL/Trade/AAPL_Trade_2031-02-03.jsonl",
            "data/AAPL/Trade/2031-02-03/2031-02-03.jsonl",
            "data/Trade/AAPL/2031-02-03/Trade.jsonl",
            "data/AAPL_Trade_2031-02-03.jsonl",
            "data/AAPL_Trade_2031-02-03.2.jsonl",
        ] {
            assert_eq!(show(path), "AAPL Trade 2031-02-03 -", "{path}");
        }
        assert_eq!(show("data/undated/AAPL/Trade/data.jsonl"), "AAPL Trade - -");
    }

    #[test]
    fn the_pipelines_layouts() {
        for (path, expected) in [
            ("raw_1s/SPY/SPY_2024_01.csv", "SPY AggregateBar-1s 2024-01 -"),
            ("raw_1s/SPY_2024_01.csv.gz", "SPY AggregateBar-1s 2024-01 -"),
            ("data/raw_1m/ES.c.0/ES.c.0_2024_12.parquet", "ES.c.0 AggregateBar-1min 2024-12 -"),
            ("aggregated/15s/BRK_B_2024_02_15s.csv", "BRK_B AggregateBar-15s 2024-02 -"),
            ("somewhere/aggregated/1min/SPY_2024_03_1min.fxd", "SPY AggregateBar-1min 2024-03 -"),
            ("data/2024-03/SPY/AggregateBar-1min/SPY_2024_03_1min.csv", "SPY AggregateBar-1min 2024-03 -"),
            ("data/SPY/AggregateBar-15s/2024-03/SPY_2024_03_15s.csv", "SPY AggregateBar-15s 2024-03 -"),
            ("data/AggregateBar-15s/SPY/2024-03/SPY_2024_03_15s.csv", "SPY AggregateBar-15s 2024-03 -"),
            // What only looks like it.
            ("raw_data/SPY/SPY_2024_01.csv", "SPY - - raw_data"),
        ] {
            assert_eq!(show(path), expected, "{path}");
        }
    }

    #[test]
    fn dates_and_odd_names() {
        for (path, expected) in [
            ("AAPL/Trade/2031-02-03_14.jsonl", "AAPL Trade 2031-02-03 -"),
            ("AAPL/Trade/2031-02.jsonl", "AAPL Trade 2031-02 -"),
            ("AAPL/Trade/data.jsonl", "AAPL Trade - -"),
            ("AAPL_Trade.jsonl", "AAPL Trade - -"),
            ("AAPL/Trade/current.jsonl", "AAPL Trade - -"),
            ("AAPL/Trade/2031-02-03_pre.jsonl", "AAPL Trade 2031-02-03 -"),
            ("XRPETH/Trade/2019-10-12_multimember.jsonl.gz", "XRPETH Trade 2019-10-12 -"),
            ("BTC_USD_Trade_2031-02-03.jsonl", "BTC_USD Trade 2031-02-03 -"),
            ("spy/quotes/20131007_quote.csv", "spy Quote 2013-10-07 -"),
            ("_unknown/Trade/2031-02-03.jsonl", "- Trade 2031-02-03 -"),
            ("AAPL/FundingRate/2031-02-03.jsonl", "AAPL FundingRate 2031-02-03 -"),
            ("2031-02-03/AAPL/FundingRate.jsonl", "AAPL FundingRate 2031-02-03 -"),
            ("名前 one/Trade/2031-02-03.jsonl", "名前 one Trade 2031-02-03 -"),
            ("x.jsonl", "x - - -"),
            ("2031-02-30.jsonl", "2031-02-30 - - -"),
            ("ByDate/2019-10-11/XRPETH/Trade.jsonl", "XRPETH Trade 2019-10-11 -"),
            ("Flat/AAPL_Trade_2031-02-03.jsonl", "AAPL Trade 2031-02-03 -"),
            ("DATA/Trade/2031-02-03.jsonl", "DATA Trade 2031-02-03 -"),
        ] {
            assert_eq!(show(path), expected, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_path_can_be_read(path in "[a-zA-Z0-9_.é-]{0,20}(/[a-zA-Z0-9_.é-]{0,20}){0,4}") {
            let _ = read(&path.split('/').collect::<Vec<_>>());
        }
    }
}
