//! Collected events as a benchmark needs them: many, the same on every machine, and as compressible as real ones.

mod events;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use events::Session;

/// Changes with what is written, so that older data is not taken for it.
const VERSION: u32 = 1;
/// Symbols, their prices in hundredths, and how busy they are beside each other.
const SYMBOLS: [(&str, u64, u64); 10] = [
    ("AAPL", 18_550, 9),
    ("AMZN", 15_210, 7),
    ("GOOG", 14_020, 6),
    ("IWM", 19_880, 5),
    ("META", 35_160, 6),
    ("MSFT", 37_460, 8),
    ("NVDA", 48_120, 10),
    ("QQQ", 40_230, 9),
    ("SPY", 47_150, 12),
    ("TSLA", 24_840, 11),
];
/// Types and how much of the data is theirs.
const KINDS: [(Kind, u64); 4] =
    [(Kind::Trade, 100), (Kind::BboQuote, 160), (Kind::L2Snapshot, 140), (Kind::AggregateBar, 5)];
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Trade,
    BboQuote,
    L2Snapshot,
    AggregateBar,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Trade => "Trade",
            Self::BboQuote => "BboQuote",
            Self::L2Snapshot => "L2Snapshot",
            Self::AggregateBar => "AggregateBar",
        }
    }

    /// About how long a line is; the day's events are spread over the session by it.
    const fn line(self) -> u64 {
        match self {
            Self::L2Snapshot => 900,
            _ => 340,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    pub(super) files: usize,
    pub(super) bytes: u64,
}

/// One file to be written.
#[derive(Debug)]
struct Planned {
    path: PathBuf,
    date: NaiveDate,
    symbol: &'static str,
    price: u64,
    kind: Kind,
    bytes: u64,
}

/// Writes the data below `root` unless it is there; how many bytes there are.
pub(super) fn ensure(root: &Path, amount: Amount) -> Result<u64> {
    let stamp = root.with_extension("stamp");
    let wanted = format!("version {VERSION} files {} bytes {}", amount.files, amount.bytes);
    let known = fs::read_to_string(&stamp).unwrap_or_default();
    if let Some((head, written)) = known.rsplit_once(" written ")
        && head == wanted
        && let Ok(written) = written.parse()
    {
        return Ok(written);
    }
    eprintln!("writing {} files of events, {} MB", amount.files, amount.bytes / 1_000_000);
    for old in [fs::remove_file(&stamp), fs::remove_dir_all(root)] {
        old.or_else(|error| if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) })?;
    }
    let plan = plan(amount);
    let next = AtomicUsize::new(0);
    let worker = || -> Result<u64> {
        let mut written = 0;
        while let Some(file) = plan.get(next.fetch_add(1, Ordering::Relaxed)) {
            let path = root.join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            let mut out = BufWriter::new(File::create(&path).with_context(|| path.display().to_string())?);
            written += write(file, &mut out)?;
            out.flush()?;
        }
        Ok(written)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let written = std::thread::scope(|scope| -> Result<u64> {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut sum = 0;
        for handle in workers {
            sum += handle.join().map_err(|_| anyhow::anyhow!("a thread that writes data panicked"))??;
        }
        Ok(sum)
    })?;
    fs::write(&stamp, format!("{wanted} written {written}"))?;
    Ok(written)
}

/// Day by day all symbols and types, `{date}/{symbol}/{type}.jsonl`, until there are enough files.
fn plan(amount: Amount) -> Vec<Planned> {
    let monday_to_friday = |date: &NaiveDate| !matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
    let first = NaiveDate::default() + Days::new(19_724);
    let days = first.iter_days().filter(monday_to_friday);
    let each = days.flat_map(|date| {
        SYMBOLS.iter().flat_map(move |&(symbol, price, busy)| {
            KINDS.iter().map(move |&(kind, share)| {
                let path = format!("{date}/{symbol}/{}.jsonl", kind.name());
                // No day is like another.
                let day = 70 + Random::new(&format!("{date}{symbol}")).below(60);
                let bytes = busy * share * day;
                Planned { path: path.into(), date, symbol, price, kind, bytes }
            })
        })
    });
    let mut plan: Vec<Planned> = each.take(amount.files).collect();
    let shares: u64 = plan.iter().map(|file| file.bytes).sum();
    for file in &mut plan {
        let bytes = u128::from(amount.bytes) * u128::from(file.bytes) / u128::from(shares.max(1));
        file.bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    }
    plan
}

/// Writes events until the planned size is reached; how many bytes that came to.
fn write(file: &Planned, out: &mut impl std::io::Write) -> Result<u64> {
    let mut session = Session::new(file);
    let mut line = String::new();
    let mut written = 0;
    while written < file.bytes {
        line.clear();
        session.event(&mut line)?;
        out.write_all(line.as_bytes())?;
        written += u64::try_from(line.len())?;
    }
    Ok(written)
}

/// Numbers that look random and are the same on every run: SplitMix64.
struct Random(u64);

impl Random {
    /// A stream of its own for every name.
    fn new(name: &str) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
    }

    /// Between 0 and `below`, `below` not included.
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// As [`Self::below`], small numbers more often than large ones.
    fn few(&mut self, below: u64) -> u64 {
        let most = 1 + self.below(below);
        self.below(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Amount = Amount { files: 45, bytes: 400_000 };

    #[test]
    fn the_same_bytes_on_every_run_and_no_two_files_alike() {
        let all = || -> Vec<Vec<u8>> {
            let one = |file: &Planned| {
                let mut out = Vec::new();
                write(file, &mut out).unwrap();
                out
            };
            plan(SMALL).iter().map(one).collect()
        };
        let first = all();
        assert_eq!(first, all());
        let distinct: std::collections::BTreeSet<_> = first.iter().collect();
        assert_eq!(distinct.len(), SMALL.files);
    }

    #[test]
    fn every_line_is_an_event_and_the_size_is_what_was_asked() {
        let mut sum = 0;
        for file in plan(SMALL) {
            let mut out = Vec::new();
            sum += write(&file, &mut out).unwrap();
            for line in String::from_utf8(out).unwrap().lines() {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(event["symbol"], file.symbol);
                assert!(event["payload"]["sequenceNumber"].is_u64());
            }
        }
        let longest_line = 1_500;
        assert!((SMALL.bytes - 45..SMALL.bytes + 45 * longest_line).contains(&sum), "{sum}");
    }
}
