//! Bars as they come from the market of currencies, made up but always the same.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::DateTime;
use fxd::store::{Existing, WriteOptions, Writer};
use fxd::{Bar, Version};

pub(super) const SYMBOLS: usize = 50;
pub(super) const MINUTES: u64 = 1440;
/// Days with trade in a year: no weekends.
pub(super) const DAYS_OF_YEAR: u64 = 260;
/// A Monday: 2015-01-05.
const FIRST_DAY: u64 = 16_440;
const DAY: u64 = 86_400_000_000_000;
const MINUTE: u64 = 60_000_000_000;
const CURRENCIES: [&str; 11] = ["EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY", "SEK", "NOK", "PLN"];

/// The files that a run works on; they stay for the next one.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    /// All the years, in each version of the format, the newest first.
    pub(super) stores: [PathBuf; 3],
    /// What is read in.
    pub(super) csv: PathBuf,
    pub(super) csv_rows: u64,
    /// The first year as columns, a file for each symbol, for peers to load.
    pub(super) raw: PathBuf,
    /// Days of symbols: of all the years, and of the first one.
    pub(super) queries: PathBuf,
    pub(super) year_queries: PathBuf,
}

/// Random numbers: Marsaglia's xorshift.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % most
    }

    fn small(&mut self, most: u64) -> i64 {
        i64::try_from(self.below(most)).unwrap_or(0)
    }
}

/// One symbol, a day after the other.
struct Market {
    random: Random,
    close: i64,
    day: u64,
}

impl Market {
    fn new(symbol: usize) -> Self {
        let mut random = Random::new(symbol as u64);
        let close = 60_000 + random.small(100_000);
        Self { random, close, day: 0 }
    }

    fn next_day(&mut self, bars: &mut Vec<Bar>) {
        bars.clear();
        let start = day_start(self.day);
        self.day += 1;
        let random = &mut self.random;
        for minute in 0..MINUTES {
            let gap = if random.below(10) == 0 { random.small(7) - 3 } else { 0 };
            let open = self.close + gap;
            let moved = random.small(21);
            let up = open < 20_000 || random.below(2) == 0;
            let close = if up { open + moved } else { open - moved };
            let (high, low) = (open.max(close) + random.small(6), open.min(close) - random.small(6));
            let volume = if random.below(3) == 0 { 0 } else { random.below(120) };
            bars.push(Bar { ts: start + minute * MINUTE, open, high, low, close, volume, flags: 0 });
            self.close = close;
        }
    }
}

/// The start of a day of trade.
fn day_start(day: u64) -> u64 {
    (FIRST_DAY + day / 5 * 7 + day % 5) * DAY
}

pub(super) fn names() -> Vec<String> {
    let pairs = CURRENCIES
        .iter()
        .enumerate()
        .flat_map(|(at, base)| CURRENCIES.iter().skip(at + 1).map(move |quote| format!("{base}{quote}")));
    pairs.take(SYMBOLS).collect()
}

/// Makes what is not there yet.
pub(super) fn make(directory: &Path, years: u64, rows: u64, queries: u64) -> Result<Files> {
    fs::create_dir_all(directory)?;
    let days = rows.div_ceil(SYMBOLS as u64 * MINUTES).max(1);
    let files = Files {
        directory: directory.to_owned(),
        stores: [3, 2, 1].map(|version| directory.join(format!("years-{years}-v{version}.fxd"))),
        csv: directory.join(format!("days-{days}.csv")),
        csv_rows: days * SYMBOLS as u64 * MINUTES,
        raw: directory.join("raw"),
        queries: directory.join(format!("queries-{years}-{queries}.csv")),
        year_queries: directory.join(format!("queries-1-{queries}.csv")),
    };
    for (path, version) in files.stores.iter().zip([Version::Columns, Version::Delta, Version::Rows]) {
        if !path.is_file() {
            eprintln!("making {}", path.display());
            store(path, version, years * DAYS_OF_YEAR)?;
        }
    }
    if !files.csv.is_file() {
        eprintln!("making {}", files.csv.display());
        whole(&files.csv, |file| csv(file, days))?;
    }
    if !files.raw.is_dir() {
        eprintln!("making {}", files.raw.display());
        raw(&files.raw)?;
    }
    for (path, years) in [(&files.queries, years), (&files.year_queries, 1)] {
        whole(path, |file| ask(file, years * DAYS_OF_YEAR, queries))?;
    }
    Ok(files)
}

/// Writes a file that appears when it is whole.
fn whole(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let partial = path.with_extension("partial");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&partial)?);
    write(&mut file)?;
    file.flush()?;
    fs::rename(&partial, path).with_context(|| path.display().to_string())
}

fn store(path: &Path, version: Version, days: u64) -> Result<()> {
    let mut writer = Writer::create(path, WriteOptions { version, ..WriteOptions::default() })?;
    let mut bars = Vec::new();
    let names = names();
    let ids = names.iter().map(|name| writer.symbol(name)).collect::<Result<Vec<_>, _>>()?;
    for (symbol, id) in ids.into_iter().enumerate() {
        let mut market = Market::new(symbol);
        for _ in 0..days {
            market.next_day(&mut bars);
            writer.push(id, &bars)?;
        }
    }
    writer.finish(Existing::Replace)?;
    Ok(())
}

/// A symbol after the other, as exports come.
fn csv(file: &mut impl std::io::Write, days: u64) -> Result<()> {
    writeln!(file, "timestamp,symbol,open,high,low,close,volume")?;
    let mut bars = Vec::new();
    for (symbol, name) in names().iter().enumerate() {
        let mut market = Market::new(symbol);
        for _ in 0..days {
            market.next_day(&mut bars);
            let first = bars.first().map_or(0, |bar| bar.ts / 1_000_000_000);
            let date =
                DateTime::from_timestamp(i64::try_from(first)?, 0).context("a time")?.format("%Y-%m-%d").to_string();
            for (minute, bar) in bars.iter().enumerate() {
                write!(file, "{date}T{:02}:{:02}:00Z,{name}", minute / 60, minute % 60)?;
                for price in [bar.open, bar.high, bar.low, bar.close] {
                    write!(file, ",{}.{:05}", price / 100_000, price % 100_000)?;
                }
                writeln!(file, ",{}", bar.volume)?;
            }
        }
    }
    Ok(())
}

/// Columns one behind the other: times of 8 bytes; open, high, low, close and volume of 4.
fn raw(directory: &Path) -> Result<()> {
    let partial = directory.with_extension("partial");
    fs::create_dir_all(&partial)?;
    let mut bars = Vec::new();
    for (symbol, name) in names().iter().enumerate() {
        let mut market = Market::new(symbol);
        let (mut times, mut values) = (Vec::new(), [const { Vec::new() }; 5]);
        for _ in 0..DAYS_OF_YEAR {
            market.next_day(&mut bars);
            for bar in &bars {
                times.extend(bar.ts.to_le_bytes());
                let volume = i64::try_from(bar.volume)?;
                for (column, value) in values.iter_mut().zip([bar.open, bar.high, bar.low, bar.close, volume]) {
                    column.extend(u32::try_from(value)?.to_le_bytes());
                }
            }
        }
        times.extend(values.concat());
        fs::write(partial.join(format!("{name}.bin")), &times)?;
    }
    fs::rename(&partial, directory)?;
    Ok(())
}

/// Symbols and days at random: `symbol,from,to`.
fn ask(file: &mut impl std::io::Write, days: u64, queries: u64) -> Result<()> {
    let mut random = Random::new(days);
    let names = names();
    for _ in 0..queries {
        let name =
            usize::try_from(random.below(SYMBOLS as u64)).ok().and_then(|at| names.get(at)).context("a symbol")?;
        let start = day_start(random.below(days));
        writeln!(file, "{name},{start},{}", start + DAY)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_weekdays_and_bars_are_bars() {
        let mut bars = Vec::new();
        let mut market = Market::new(3);
        for day in 0..14 {
            market.next_day(&mut bars);
            // 1970-01-01 was a Thursday.
            assert!((day_start(day) / DAY + 3) % 7 < 5);
            assert_eq!(bars.len() as u64, MINUTES);
            assert!(
                bars.iter().all(|bar| 0 < bar.low
                    && bar.low <= bar.open.min(bar.close)
                    && bar.open.max(bar.close) <= bar.high)
            );
        }
        assert_eq!(names().len(), SYMBOLS);
    }
}
