//! Bars of one timeframe, to a file for each month.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _};
use fxd::{Bar, Columns, flags};

use crate::resample::{Grid, Timeframe};
use crate::{BarSink, BarsError, WriteOptions, csv_sink};

/// A file for each month, all of which take their places together when they are finished.
pub(super) struct Output {
    directory: PathBuf,
    symbol: String,
    timeframe: Timeframe,
    grid: Grid,
    fill: bool,
    options: WriteOptions,
    months: BTreeMap<(i32, u32), PathBuf>,
    open: Option<((i32, u32), Box<dyn BarSink>)>,
    /// By symbol of rows, the last bar, from which a gap is filled.
    last: BTreeMap<String, Bar>,
    columns: Columns,
    pub(super) bars: u64,
    pub(super) filled: u64,
    pub(super) volume: u128,
}

impl Output {
    pub(super) fn new(
        directory: &Path,
        symbol: &str,
        timeframe: Timeframe,
        grid: Grid,
        fill: bool,
        options: WriteOptions,
    ) -> Self {
        Self {
            directory: directory.join(timeframe.to_string()),
            symbol: symbol.to_owned(),
            timeframe,
            grid,
            fill,
            options,
            months: BTreeMap::new(),
            open: None,
            last: BTreeMap::new(),
            columns: Columns::default(),
            bars: 0,
            filled: 0,
            volume: 0,
        }
    }

    /// Writes bars of a symbol of rows, in order of time.
    pub(super) fn write(&mut self, symbol: &str, bars: &[Bar]) -> Result<(), BarsError> {
        for bar in bars {
            self.volume += u128::from(bar.volume);
            self.bars += 1;
            if self.fill {
                self.fill_up_to(symbol, bar.ts)?;
                self.last.insert(symbol.to_owned(), *bar);
            }
            self.put(symbol, *bar)?;
        }
        self.flush(symbol)
    }

    /// Puts a bar without trade, at the last price, where a span had no bar.
    fn fill_up_to(&mut self, symbol: &str, ts: u64) -> Result<(), BarsError> {
        let Some(last) = self.last.get(symbol).copied() else { return Ok(()) };
        let mut at = self.grid.span(self.timeframe, last.ts).end;
        while at < ts {
            let price = last.close;
            let flags = flags::GAP | flags::INTERPOLATED;
            self.put(symbol, Bar { ts: at, open: price, high: price, low: price, close: price, volume: 0, flags })?;
            self.filled += 1;
            at = self.grid.span(self.timeframe, at).end;
        }
        Ok(())
    }

    fn put(&mut self, symbol: &str, bar: Bar) -> Result<(), BarsError> {
        let month = month_of(bar.ts);
        if self.open.as_ref().is_none_or(|(open, _)| *open != month) {
            self.flush(symbol)?;
            self.begin(month)?;
        }
        self.columns.push(bar);
        if self.columns.len() >= 4096 { self.flush(symbol) } else { Ok(()) }
    }

    fn flush(&mut self, symbol: &str) -> Result<(), BarsError> {
        if let Some((_, sink)) = self.open.as_mut().filter(|_| !self.columns.is_empty()) {
            sink.write(symbol, &self.columns)?;
        }
        self.columns.clear();
        Ok(())
    }

    /// Goes on with the file of a month, or begins it.
    fn begin(&mut self, month: (i32, u32)) -> Result<(), BarsError> {
        self.close()?;
        let path = self.path(month).with_extension("csv.partial");
        let failed = |source| BarsError::read(&path, source);
        let begun = self.months.contains_key(&month);
        if !begun {
            std::fs::create_dir_all(&self.directory).map_err(|source| BarsError::read(&self.directory, source))?;
        }
        let file =
            OpenOptions::new().write(true).create(true).append(begun).truncate(!begun).open(&path).map_err(failed)?;
        let mut sink = csv_sink(BufWriter::new(file), &self.options);
        if begun {
            sink = sink.without_header();
        }
        self.months.insert(month, path);
        self.open = Some((month, Box::new(sink)));
        Ok(())
    }

    fn close(&mut self) -> Result<(), BarsError> {
        if let Some((_, sink)) = self.open.take() {
            sink.finish()?;
        }
        Ok(())
    }

    fn path(&self, (year, month): (i32, u32)) -> PathBuf {
        self.directory.join(format!("{}_{year:04}_{month:02}_{}.csv", self.symbol, self.timeframe))
    }

    /// Completes all files and flushes them; they are not in their places yet.
    pub(super) fn complete(&mut self) -> Result<(), BarsError> {
        self.close()?;
        for path in self.months.values() {
            File::open(path).and_then(|file| file.sync_all()).map_err(|source| BarsError::read(path, source))?;
        }
        Ok(())
    }

    /// Gives the files their names, and says them.
    pub(super) fn place(self) -> Result<Vec<PathBuf>, BarsError> {
        let mut files = Vec::new();
        for (month, partial) in &self.months {
            let path = self.path(*month);
            std::fs::rename(partial, &path).map_err(|source| BarsError::read(&path, source))?;
            files.push(path);
        }
        Ok(files)
    }

    /// Takes back what was not finished.
    pub(super) fn discard(mut self) {
        self.open = None;
        for partial in self.months.values() {
            let _ = std::fs::remove_file(partial);
        }
    }
}

/// The year and month of a moment, in UTC.
fn month_of(ts: u64) -> (i32, u32) {
    let date = DateTime::from_timestamp_nanos(i64::try_from(ts).unwrap_or(i64::MAX));
    (date.year(), date.month())
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("directory", &self.directory).finish_non_exhaustive()
    }
}
