//! Bars of one timeframe, to a file for each month.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike as _};
use fxd::store::{Existing, Writer};
use fxd::{Bar, Columns, Info, SymbolId};

use crate::resample::Timeframe;
use crate::{BarSink, BarsError, Ids, WriteOptions, csv_sink, parquet_sink};

/// What files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OutputFormat {
    /// CSV.
    #[default]
    Csv,
    /// Parquet.
    Parquet,
    /// A store each month.
    Fxd,
}

impl OutputFormat {
    /// How the files' names end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Fxd => "fxd",
        }
    }
}

/// A file for each month, all of which take their places together when they are finished. Bars come in order of time.
pub(super) struct Output {
    directory: PathBuf,
    /// What the names of files begin with, and what follows the month.
    symbol: String,
    suffix: String,
    format: OutputFormat,
    options: WriteOptions,
    /// The partial files and what they are to be called.
    files: Vec<(PathBuf, PathBuf)>,
    open: Option<((i32, u32), Box<dyn BarSink>)>,
    columns: Columns,
}

impl Output {
    /// Files `{directory}/{symbol}_{YYYY}_{MM}{suffix}.{extension}`.
    pub(super) fn new(
        directory: PathBuf,
        symbol: &str,
        suffix: String,
        format: OutputFormat,
        mut options: WriteOptions,
    ) -> Self {
        options.prices = crate::Prices::ExactDouble;
        let (symbol, files) = (symbol.to_owned(), Vec::new());
        Self { directory, symbol, suffix, format, options, files, open: None, columns: Columns::default() }
    }

    /// Writes bars of a series.
    pub(super) fn write(&mut self, symbol: &str, ids: Ids, bars: &[Bar]) -> Result<(), BarsError> {
        let mut rest = bars;
        while let Some(first) = rest.first() {
            let month = month_of(first.ts);
            if self.open.as_ref().is_none_or(|(open, _)| *open != month) {
                self.begin(month)?;
            }
            let (now, later) = rest.split_at(rest.iter().take_while(|bar| month_of(bar.ts) == month).count());
            self.columns.clear();
            now.iter().for_each(|bar| self.columns.push(*bar));
            if let Some((_, sink)) = &mut self.open {
                sink.identify(ids);
                sink.write(symbol, &self.columns)?;
            }
            rest = later;
        }
        Ok(())
    }

    /// Begins the file of a month.
    fn begin(&mut self, month: (i32, u32)) -> Result<(), BarsError> {
        self.close()?;
        std::fs::create_dir_all(&self.directory).map_err(|source| BarsError::read(&self.directory, source))?;
        let ((year, number), extension) = (month, self.format.extension());
        let path = self.directory.join(format!("{}_{year:04}_{number:02}{}.{extension}", self.symbol, self.suffix));
        let partial = path.with_extension(format!("{extension}.partial"));
        self.files.push((partial.clone(), path));
        let create = || File::create(&partial).map(BufWriter::new).map_err(|source| BarsError::read(&partial, source));
        let sink: Box<dyn BarSink> = match self.format {
            OutputFormat::Csv => Box::new(csv_sink(create()?, &self.options)),
            OutputFormat::Parquet => Box::new(parquet_sink(create()?, &self.options)?),
            OutputFormat::Fxd => Box::new(StoreSink::new(&partial, &self.options)?),
        };
        self.open = Some((month, sink));
        Ok(())
    }

    fn close(&mut self) -> Result<(), BarsError> {
        let Some((_, sink)) = self.open.take() else { return Ok(()) };
        sink.finish()?;
        let Some((path, _)) = self.files.last() else { return Ok(()) };
        File::open(path).and_then(|file| file.sync_all()).map_err(|source| BarsError::read(path, source))
    }

    /// Completes the last file. None is in its place yet.
    pub(super) fn complete(&mut self) -> Result<(), BarsError> {
        self.close()
    }

    /// Gives the files their names, and says them.
    pub(super) fn place(mut self) -> Result<Vec<PathBuf>, BarsError> {
        let mut placed = Vec::new();
        for (partial, path) in &self.files {
            std::fs::rename(partial, path).map_err(|source| BarsError::read(path, source))?;
            placed.push(path.clone());
        }
        self.files.clear();
        if !placed.is_empty() {
            // Without this a crash of the machine could forget the names. Where directories cannot be flushed, they need not be.
            let _ = File::open(&self.directory).and_then(|directory| directory.sync_all());
        }
        Ok(placed)
    }
}

/// What was not given its name is taken back.
impl Drop for Output {
    fn drop(&mut self) {
        self.open = None;
        for (partial, _) in &self.files {
            let _ = std::fs::remove_file(partial);
        }
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// The year and month of a moment, in UTC.
pub(crate) fn month_of(ts: u64) -> (i32, u32) {
    let date = DateTime::from_timestamp_nanos(i64::try_from(ts).unwrap_or(i64::MAX));
    (date.year(), date.month())
}

/// A store as an output.
struct StoreSink {
    path: PathBuf,
    writer: Writer,
    known: HashMap<String, SymbolId>,
    bars: Vec<Bar>,
    rows: u64,
}

impl StoreSink {
    fn new(path: &Path, options: &WriteOptions) -> Result<Self, BarsError> {
        let info = Info { price_scale: options.price_scale, volume_scale: options.volume_scale, ..Info::default() };
        let options = fxd::store::WriteOptions { info, ..fxd::store::WriteOptions::default() };
        let writer = Writer::create(path, options).map_err(|error| refused(path, &error))?;
        Ok(Self { path: path.to_owned(), writer, known: HashMap::new(), bars: Vec::new(), rows: 0 })
    }
}

fn refused(path: &Path, error: &fxd::FxdError) -> BarsError {
    BarsError::File { file: path.to_owned(), why: error.to_string() }
}

impl BarSink for StoreSink {
    fn write(&mut self, symbol: &str, bars: &Columns) -> Result<(), BarsError> {
        let failed = |error| refused(&self.path, &error);
        let id = match self.known.get(symbol) {
            Some(id) => *id,
            None => {
                let id = self.writer.symbol(symbol).map_err(failed)?;
                self.known.insert(symbol.to_owned(), id);
                id
            }
        };
        self.bars.clear();
        self.bars.extend(bars.iter());
        self.rows += self.bars.len() as u64;
        self.writer.push(id, &self.bars).map_err(failed)
    }

    fn finish(self: Box<Self>) -> Result<u64, BarsError> {
        self.writer.finish(Existing::Replace).map_err(|error| refused(&self.path, &error))?;
        Ok(self.rows)
    }
}

/// What a timeframe's files are called after: their directory and what follows the month.
pub(super) fn of_timeframe(output: &Path, timeframe: Timeframe) -> (PathBuf, String) {
    (output.join(timeframe.to_string()), format!("_{timeframe}"))
}
