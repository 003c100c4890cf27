//! A Parquet file as a source.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fxd::Bar;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::cells::{Cell, Cells};
use super::columns::Columns;
use super::guard;
use crate::clock::Clock;
use crate::csv::Role;
use crate::moment::Unit;
use crate::runs::{Ledger, Rules, Runs};
use crate::{BarSource, BarsError, Chunk, Fit, Ids, Place, Problem, ReadOptions};

/// How many rows a chunk has at most.
const CHUNK: usize = 64 << 10;

/// A row group that is being read.
struct Group {
    columns: Vec<Cells>,
    /// Rows of it that were not read yet.
    left: u64,
}

/// The bars of a Parquet file.
struct ParquetSource {
    file: PathBuf,
    reader: SerializedFileReader<File>,
    columns: Columns,
    group: Option<Group>,
    /// The number of the next row group.
    next_group: usize,
    clock: Clock,
    fit: Fit,
    rules: Rules,
    symbol: Option<String>,
    rows: u64,
    rows_in_all: u64,
    bytes: u64,
    bytes_in_all: u64,
    ledger: Ledger,
    done: bool,
}

/// The rows of a chunk while their columns are read one after the other.
struct Rows {
    bars: Vec<Bar>,
    publishers: Vec<Option<u32>>,
    instruments: Vec<Option<u32>>,
    /// All symbols, and for each row the number of its own; empty where the file has no symbols.
    symbols: Vec<Vec<u8>>,
    of: Vec<usize>,
}

/// Opens a Parquet file and tells what its columns are.
pub(crate) fn open(file: &Path, options: &ReadOptions) -> Result<Box<dyn BarSource>, BarsError> {
    let handle = File::open(file).map_err(|source| BarsError::read(file, source))?;
    let bytes_in_all = handle.metadata().map_err(|source| BarsError::read(file, source))?.len();
    let reader = guard::caught(|| SerializedFileReader::new(handle)).map_err(|error| broken(file, &error))?;
    let columns = Columns::of(file, reader.metadata(), options.apart)?;
    let rows_in_all = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0);
    let rename = options.symbol.as_deref().filter(|_| columns.instruments).map(Arc::from);
    // A file that names symbols and leaves one out does not mean its own name by that.
    let symbols = columns.list.iter().any(|wanted| wanted.role == Role::Symbol);
    let from_name = || if symbols { None } else { crate::symbol_from_name(file) };
    let nanoseconds = columns.nanoseconds.then_some(Unit::Nanoseconds);
    Ok(Box::new(ParquetSource {
        file: file.to_owned(),
        reader,
        columns,
        group: None,
        next_group: 0,
        clock: Clock::new(options.zone, nanoseconds),
        fit: options.fit.clone(),
        rules: Rules::of(options),
        symbol: options.symbol.clone().or_else(from_name),
        rows: 0,
        rows_in_all,
        bytes: 0,
        bytes_in_all,
        ledger: Ledger::new(options.order, rename),
        done: false,
    }))
}

/// The error for a file that is not as Parquet says.
fn broken(file: &Path, error: &ParquetError) -> BarsError {
    BarsError::file(file, format!("not a readable Parquet file: {error}"))
}

impl ParquetSource {
    /// Begins the next row group that has rows; false is the end.
    fn begin_group(&mut self) -> Result<bool, BarsError> {
        let broken = |error: ParquetError| broken(&self.file, &error);
        while self.next_group < self.reader.num_row_groups() {
            let group = self.reader.get_row_group(self.next_group).map_err(broken)?;
            self.next_group += 1;
            let left = u64::try_from(group.metadata().num_rows()).unwrap_or(0);
            if left == 0 {
                continue;
            }
            let mut columns = Vec::with_capacity(self.columns.list.len());
            for wanted in &self.columns.list {
                guard::check_range(group.metadata(), wanted.leaf).map_err(broken)?;
                let pages = guard::caught(|| group.get_column_page_reader(wanted.leaf)).map_err(broken)?;
                let column = group.metadata().schema_descr().column(wanted.leaf);
                columns.extend(Cells::new(column, pages));
            }
            self.group = Some(Group { columns, left });
            return Ok(true);
        }
        Ok(false)
    }

    /// Reads the next rows.
    fn read(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.group.is_none() && !self.begin_group()? {
            return Ok(None);
        }
        let Some(group) = &mut self.group else { return Ok(None) };
        let count = usize::try_from(group.left).unwrap_or(usize::MAX).min(CHUNK);
        let mut rows = Rows {
            bars: vec![Bar::default(); count],
            publishers: Vec::new(),
            instruments: Vec::new(),
            symbols: Vec::new(),
            of: Vec::new(),
        };
        let before = self.rows;
        let place =
            |at: usize| Place::Row(before.saturating_add(u64::try_from(at).unwrap_or(u64::MAX)).saturating_add(1));
        for (wanted, cells) in self.columns.list.iter().zip(&mut group.columns) {
            let (meaning, fit, clock) = (wanted.meaning, &self.fit, &mut self.clock);
            let read = guard::caught(|| {
                cells.read(count, |at, cell| -> Result<(), BarsError> {
                    let wrong = |problem| BarsError::row(&self.file, place(at), problem);
                    let Some(bar) = rows.bars.get_mut(at) else { return Ok(()) };
                    match wanted.role {
                        Role::Timestamp => bar.ts = meaning.time(cell, clock, place(at)).map_err(wrong)?,
                        Role::Open => bar.open = meaning.price(cell, "open", fit).map_err(wrong)?,
                        Role::High => bar.high = meaning.price(cell, "high", fit).map_err(wrong)?,
                        Role::Low => bar.low = meaning.price(cell, "low", fit).map_err(wrong)?,
                        Role::Close => bar.close = meaning.price(cell, "close", fit).map_err(wrong)?,
                        Role::Volume if cell == Cell::Null && self.rules.apart => {
                            return Err(wrong(Problem::value("volume", b"", "a number; nothing is not 0")));
                        }
                        Role::Volume => bar.volume = meaning.volume(cell, fit).map_err(wrong)?,
                        Role::Flags => {
                            bar.flags = meaning.whole(cell, "flags", "a whole number from 0 to 255").map_err(wrong)?;
                        }
                        Role::Publisher => rows.publishers.push(if cell == Cell::Null {
                            None
                        } else {
                            Some(meaning.whole(cell, "publisher_id", "a whole number of 32 bits").map_err(wrong)?)
                        }),
                        Role::Instrument => rows.instruments.push(if cell == Cell::Null {
                            None
                        } else {
                            Some(meaning.whole(cell, "instrument_id", "a whole number of 32 bits").map_err(wrong)?)
                        }),
                        Role::Symbol => rows.of.push(number_of(&mut rows.symbols, cell, self.symbol.as_deref())),
                        Role::Date | Role::Time | Role::Kind | Role::Other => {}
                    }
                    Ok(())
                })
            });
            let name = self.reader.metadata().file_metadata().schema_descr().column(wanted.leaf).path().string();
            read.map_err(|error| {
                let name = crate::problem::shown(name.as_bytes());
                BarsError::file(&self.file, format!("rows from {} on: column {name}: {error}", place(0).number()))
            })??;
        }
        group.left = group.left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        if group.left == 0 {
            self.group = None;
        }
        self.rows = self.rows.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        self.hand_out(&rows, before).map(Some)
    }

    /// Sorts rows by symbol and checks their order.
    fn hand_out(&mut self, rows: &Rows, before: u64) -> Result<Chunk, BarsError> {
        let mut runs = Runs::default();
        let mut current = None;
        let mut place = Place::Row(before);
        for (at, bar) in rows.bars.iter().enumerate() {
            place = place.later(1);
            let wrong = |problem| BarsError::row(&self.file, place, problem);
            let number = rows.of.get(at).copied();
            let run = match current {
                Some((last, run)) if last == number => run,
                _ => {
                    let name =
                        number.and_then(|number| rows.symbols.get(number)).map(Vec::as_slice).unwrap_or_default();
                    let name =
                        if name.is_empty() { self.symbol.as_deref().unwrap_or_default().as_bytes() } else { name };
                    if name.is_empty() {
                        return Err(wrong(Problem::NoSymbol));
                    }
                    let run = runs.find_or_begin(name, place).map_err(wrong)?;
                    current = Some((number, run));
                    run
                }
            };
            let id = |list: &[Option<u32>]| list.get(at).copied().flatten();
            let ids = Ids { publisher: id(&rows.publishers), instrument: id(&rows.instruments) };
            runs.push(run, *bar, place, ids, self.rules).map_err(wrong)?;
        }
        let runs = self.ledger.admit(&self.file, runs.into_list(), 0)?;
        // Where the reader is in the file says little, as it reads columns: its share of the rows says more.
        let share = u128::from(self.bytes_in_all) * u128::from(self.rows) / u128::from(self.rows_in_all.max(1));
        let so_far = u64::try_from(share).unwrap_or(self.bytes_in_all).min(self.bytes_in_all);
        let bytes = so_far.saturating_sub(self.bytes);
        self.bytes = so_far;
        Ok(Chunk { runs, bytes })
    }
}

/// The number of a symbol among those seen in this chunk. Neighbours are mostly the same.
fn number_of(symbols: &mut Vec<Vec<u8>>, cell: Cell<'_>, default: Option<&str>) -> usize {
    let id;
    let name = match cell {
        Cell::Bytes(bytes) if !bytes.is_empty() => bytes,
        Cell::Whole(number) => {
            id = number.to_string();
            id.as_bytes()
        }
        _ => default.unwrap_or_default().as_bytes(),
    };
    let last = symbols.len().saturating_sub(1);
    if symbols.get(last).is_some_and(|symbol| symbol == name) {
        return last;
    }
    symbols.push(name.to_vec());
    symbols.len() - 1
}

impl BarSource for ParquetSource {
    fn next(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.done {
            return Ok(None);
        }
        let result = self.read();
        self.done = !matches!(result, Ok(Some(_)));
        result
    }
}
