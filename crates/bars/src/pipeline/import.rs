//! Files of other programs into the pipeline's layout.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Offset as _, TimeZone as _};
use chrono_tz::America::New_York;
use fxd::Scale;

use super::layout::Month;
use super::output::{Output, OutputFormat, month_of};
use super::resample::scaled;
use crate::calendar::SECOND;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told, sorted};
use crate::{BarsError, Fit, Ids, Order, QuoteSide, ReadOptions, WriteOptions, Zone};

/// How to import.
#[derive(Debug, Clone)]
pub struct Importing {
    /// Where symbols have their directories.
    pub output: PathBuf,
    /// What is written.
    pub format: OutputFormat,
    /// What one bar is made of where a file has bids and asks.
    pub side: QuoteSide,
    /// The zone of timestamps that say none.
    pub zone: Option<Zone>,
    /// What becomes of two bars of one time.
    pub on_duplicate: OnDuplicate,
}

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Bars of the files that were written, those that were there before included.
    pub bars: u64,
    /// Of them those that were there before.
    pub joined: u64,
    /// Bars that gave way to others of their time.
    pub dropped: u64,
    /// The first and the last bar's time.
    pub span: Option<(u64, u64)>,
    /// The files, a month each.
    pub files: Vec<PathBuf>,
    /// How the weeks fit those of currencies, where that could be told.
    pub weekends: Option<Weekends>,
}

/// How many weekends begin and end at 17:00 New York, within ten minutes, as those of currencies do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weekends {
    /// Weekends: gaps of more than 40 hours.
    pub all: u64,
    /// Those that fit as the files were read.
    pub fit: u64,
    /// A zone in which more would fit, and how many.
    pub better: Option<(Zone, u64)>,
}

/// Brings a symbol's files to `{output}/{symbol}/{symbol}_{YYYY}_{MM}`, months in UTC. Rows may be in any order and are sorted; months that
/// are there already are joined with what comes.
///
/// # Errors
/// What reading gives; two bars of one time that differ; I/O.
pub fn import(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    how: &Importing,
    told: Told<'_>,
) -> Result<Imported, ConvertError> {
    let mut read = ReadOptions::new(Fit::any(Scale::VOLUME, Scale::VOLUME));
    read.symbol = Some(symbol.to_owned());
    (read.zone, read.side, read.order) = (how.zone, how.side, Order::AsIs);
    let mut inputs = Inputs { files: files.to_vec(), read, on_duplicate: how.on_duplicate, symbols: Vec::new() };
    super::check_name(symbol)
        .map_err(|why| BarsError::Unwritable { symbol: crate::problem::shown(symbol.as_bytes()), why })?;
    let directory = how.output.join(symbol);
    std::fs::create_dir_all(&directory).map_err(|source| BarsError::read(&directory, source))?;
    let _lock = super::lock(&directory, super::PATIENCE).map_err(|source| BarsError::read(&directory, source))?;
    scaled(&mut inputs, |inputs| once(symbol, inputs, &directory, how, told))
}

fn once(
    symbol: &str,
    inputs: &Inputs,
    directory: &Path,
    how: &Importing,
    told: Told<'_>,
) -> Result<Imported, ConvertError> {
    let mut span: Option<(u64, u64)> = None;
    let mut edges = Edges::default();
    inputs.each(told, |piece| {
        edges.of(piece.file);
        for bar in piece.bars {
            span = Some(span.map_or((bar.ts, bar.ts), |(first, last)| (first.min(bar.ts), last.max(bar.ts))));
            edges.note(bar.ts);
        }
        Ok(())
    })?;
    let Some((first, last)) = span else {
        return Ok(Imported { bars: 0, joined: 0, dropped: 0, span, files: Vec::new(), weekends: None });
    };
    let mut all = inputs.clone();
    all.files.splice(0..0, there(directory, symbol, first, last)?);
    let mut joined = 0;
    if all.files.len() > inputs.files.len() {
        let count = all.files.len() - inputs.files.len();
        let old = Inputs { files: all.files.iter().take(count).cloned().collect(), ..all.clone() };
        old.each(told, |piece| {
            joined += piece.bars.len() as u64;
            Ok(())
        })?;
    }
    let fit = &inputs.read.fit;
    let options = WriteOptions::new(fit.price_scale, fit.volume_scale);
    let mut output = Output::new(directory.to_owned(), symbol, String::new(), how.format, options);
    // Nobody else sorts here: the lock is held. What a killed import left is in nobody's way but the disk's.
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(".fxd-") && name.ends_with(".partial") {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    let mut bars = 0;
    let dropped = sorted(&all, directory, told, |symbol, made| {
        bars += made.len() as u64;
        Ok(output.write(symbol, Ids::default(), made)?)
    })?;
    output.complete()?;
    let files = output.place()?;
    Ok(Imported { bars, joined, dropped, span, files, weekends: edges.judge(how.zone) })
}

/// The files of months that are there already.
fn there(directory: &Path, symbol: &str, first: u64, last: u64) -> Result<Vec<(PathBuf, InputKind)>, BarsError> {
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(|source| BarsError::read(directory, source))? {
        let path = entry.map_err(|source| BarsError::read(directory, source))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some(month) = Month::of(name).filter(|month| month.symbol == symbol && month.timeframe.is_none()) else {
            continue;
        };
        let month = (i32::from(month.year), u32::from(month.month));
        if let Some(kind) = InputKind::of(&path).filter(|_| month >= month_of(first) && month <= month_of(last)) {
            found.push((path, kind));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

/// The beginnings and ends of weekends.
#[derive(Debug, Default)]
struct Edges {
    file: PathBuf,
    last: u64,
    weekends: Vec<(u64, u64)>,
}

const MINUTE: u64 = 60 * SECOND;

impl Edges {
    /// Bars of another file come: what lies between it and the one before is no weekend.
    fn of(&mut self, file: &Path) {
        if self.file != file {
            file.clone_into(&mut self.file);
            self.last = 0;
        }
    }

    fn note(&mut self, ts: u64) {
        let gap = ts.saturating_sub(self.last);
        if self.last > 0 && gap > 40 * 60 * MINUTE && gap < 80 * 60 * MINUTE {
            self.weekends.push((self.last, ts));
        }
        self.last = self.last.max(ts);
    }

    /// Whether weekends are those of currencies; only for a clock that a person named.
    fn judge(&self, zone: Option<Zone>) -> Option<Weekends> {
        let zone = zone?;
        let fitting = |read: Zone| {
            let again = |ts: u64| {
                let seconds = i64::try_from(ts / SECOND).unwrap_or(0);
                crate::resample::to_utc(read, local(zone, seconds))
            };
            let fits = |(end, start): &&(u64, u64)| {
                // The last bar begins up to ten minutes before the hour, the first up to ten behind it.
                let (end, start) = (of_day(again(*end)), of_day(again(*start)));
                (17 * 60 - 11..=17 * 60 + 10).contains(&end) && (17 * 60 - 10..=17 * 60 + 10).contains(&start)
            };
            self.weekends.iter().filter(fits).count() as u64
        };
        let (all, fit) = (self.weekends.len() as u64, fitting(zone));
        // A few weekends tell nothing of a clock that is changed twice a year.
        if all < 3 || fit * 10 >= all * 9 {
            return Some(Weekends { all, fit, better: None }).filter(|_| all >= 3 && fit > 0);
        }
        let candidates = [Zone::EST, Zone::Named(New_York), Zone::UTC, Zone::Named(chrono_tz::Europe::London)];
        let best = candidates.into_iter().map(|zone| (zone, fitting(zone))).max_by_key(|(_, count)| *count);
        Some(Weekends { all, fit, better: best.filter(|(_, count)| *count > fit) })
    }
}

/// What a zone's clock shows.
fn local(zone: Zone, seconds: i64) -> chrono::NaiveDateTime {
    let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
    let east = match zone {
        Zone::Fixed(east) => east,
        Zone::Named(zone) => zone.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
    };
    utc + chrono::Duration::seconds(east.into())
}

/// Minutes after midnight in New York.
fn of_day(seconds: i64) -> i64 {
    use chrono::Timelike as _;
    let local = local(Zone::Named(New_York), seconds);
    i64::from(local.hour() * 60 + local.minute())
}
