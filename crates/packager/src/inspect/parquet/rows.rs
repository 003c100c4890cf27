//! Rows, put together again from the batches of their columns.

use std::hash::BuildHasher as _;

use foldhash::fast::FixedState;
use parquet::column::reader::ColumnReader;
use parquet::file::reader::FileReader;
use serde_json::Value;

use super::cells::{self, Cell, Cells};
use super::kinds::Meaning;
use crate::inspect::Findings;
use crate::inspect::amounts::Amounts;
use crate::inspect::clock::{self, Stamp};
use crate::inspect::number::Number;
use crate::inspect::shape::{Kind, Role, Shape};
use crate::inspect::tally::Observation;

/// Rows read at a time.
const BATCH: usize = 4096;
/// Longest text that is an example, in characters.
const EXAMPLE_CHARS: usize = 120;

/// The rows of one batch.
pub(super) struct Rows {
    measure: bool,
    hasher: FixedState,
    /// Number of the last row, from 1.
    row: u64,
    hashes: Vec<u64>,
    times: Vec<Option<Stamp>>,
    fallback_times: Vec<Option<Stamp>>,
    sequences: Vec<Option<u64>>,
    symbols: Vec<Option<Cell>>,
    amounts: Vec<Amounts>,
}

impl Rows {
    pub(super) fn new(measure: bool) -> Self {
        Self {
            measure,
            hasher: FixedState::default(),
            row: 0,
            hashes: Vec::new(),
            times: Vec::new(),
            fallback_times: Vec::new(),
            sequences: Vec::new(),
            symbols: Vec::new(),
            amounts: Vec::new(),
        }
    }

    /// Reads all rows.
    pub(super) fn read(
        &mut self,
        file: &dyn FileReader,
        meanings: &[Meaning],
        shape: &mut Shape,
        findings: &mut Findings,
    ) -> parquet::errors::Result<()> {
        let mut cells = Cells::new();
        for group in 0..file.num_row_groups() {
            let group = file.get_row_group(group)?;
            let mut left = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            let mut readers = Vec::new();
            for (at, (_, field)) in shape.fields.iter().enumerate().take(meanings.len()) {
                let told = matches!(field.role, Role::Symbol | Role::Source | Role::Time);
                if self.measure || told {
                    readers.push((at, group.get_column_reader(at)?));
                }
            }
            while left > 0 {
                let rows = left.min(BATCH);
                self.begin(rows);
                for (at, reader) in &mut readers {
                    if let (Some(meaning), Some((name, field))) = (meanings.get(*at), shape.fields.get_mut(*at)) {
                        self.column(reader, meaning, rows, field, findings, &mut cells).map_err(|error| {
                            parquet::errors::ParquetError::General(format!("column {name}: {error}"))
                        })?;
                    }
                }
                self.end(findings);
                left -= rows;
            }
        }
        Ok(())
    }

    fn begin(&mut self, rows: usize) {
        fn reset<T: Clone>(column: &mut Vec<T>, rows: usize, value: T) {
            column.clear();
            column.resize(rows, value);
        }
        reset(&mut self.hashes, rows, 0);
        reset(&mut self.times, rows, None);
        reset(&mut self.fallback_times, rows, None);
        reset(&mut self.sequences, rows, None);
        reset(&mut self.symbols, rows, None);
        reset(&mut self.amounts, rows, Amounts::default());
    }

    /// Reads a batch of one column.
    fn column(
        &mut self,
        reader: &mut ColumnReader,
        meaning: &Meaning,
        rows: usize,
        field: &mut Shape,
        findings: &mut Findings,
        cells: &mut Cells,
    ) -> parquet::errors::Result<()> {
        cells::read(reader, meaning, rows, cells)?;
        if cells.len() != rows {
            let had = cells.len();
            return Err(parquet::errors::ParquetError::General(format!("{had} values in a batch of {rows} rows")));
        }
        for (row, cell) in cells.drain(..).enumerate() {
            if self.measure
                && let Some(hash) = self.hashes.get_mut(row)
            {
                *hash = self.hasher.hash_one((*hash, cell.as_ref().map(|cell| cell.hash(&self.hasher))));
            }
            let Some(cell) = cell else {
                field.note(Kind::Null, 0);
                continue;
            };
            let told = self.value(meaning, field, &cell);
            match field.role {
                Role::Time => set(&mut self.times, row, told.time),
                Role::FallbackTime => {
                    if let Some(slot) = self.fallback_times.get_mut(row) {
                        *slot = slot.or(told.time);
                    }
                }
                Role::Sequence => {
                    let number = match told.number {
                        Some(Number::Long(number)) => u64::try_from(number).ok(),
                        Some(Number::Unsigned(number)) => Some(number),
                        _ => None,
                    };
                    set(&mut self.sequences, row, number);
                }
                Role::Symbol => set(&mut self.symbols, row, Some(cell)),
                Role::Source if findings.source.is_none() => {
                    findings.source = cell.text().map(str::to_owned);
                }
                Role::Amount(amount) => {
                    if let (Some(number), Some(amounts)) = (told.number, self.amounts.get_mut(row)) {
                        amounts.set(amount, number.value());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a value says; noted in the field where values are measured.
    fn value(&self, meaning: &Meaning, field: &mut Shape, cell: &Cell) -> Told {
        let told = told(meaning, field.role, cell);
        if field.example.is_none() {
            field.example = if meaning.kind == Kind::Binary { None } else { example(&told, cell) };
        }
        if !self.measure {
            return told;
        }
        let stats = &mut field.stats;
        if let Some(stamp) = told.time {
            stats.note_time(stamp.time);
            match (cell, meaning.unit) {
                (_, Some(unit)) => stats.note_unit(unit),
                (Cell::Integer(count), None) => stats.note_count(*count),
                _ => {}
            }
        }
        match (told.number, cell) {
            (Some(number), _) if meaning.unit.is_none() => {
                stats.note_number(number);
                if let (Role::Code, Number::Long(code)) = (field.role, number) {
                    stats.note_code(code);
                }
                if let Number::Unsigned(_) = number {
                    field.note(Kind::Unsigned, 0);
                }
            }
            (_, Cell::Boolean(value)) => stats.note_boolean(*value),
            (_, Cell::Bytes(_)) if meaning.kind == Kind::String => {
                if let Some(text) = cell.text() {
                    stats.note_text(text);
                }
            }
            _ => {}
        }
        told
    }

    fn end(&mut self, findings: &mut Findings) {
        for row in 0..self.hashes.len() {
            self.row += 1;
            let symbol = self.symbols.get(row).and_then(Option::as_ref).and_then(Cell::text).unwrap_or_default();
            findings.symbols.note(symbol);
            let time = self.times.get(row).copied().flatten();
            findings.tally.record(Observation {
                line: self.row,
                time: time.or_else(|| self.fallback_times.get(row).copied().flatten()),
                sequence: self.sequences.get(row).copied().flatten(),
                symbol,
                hash: self.hashes.get(row).copied().filter(|_| self.measure),
                amounts: self.amounts.get(row).filter(|_| self.measure),
            });
        }
    }
}

fn set<T>(column: &mut [Option<T>], row: usize, value: Option<T>) {
    if let Some(slot) = column.get_mut(row) {
        *slot = value;
    }
}

/// What a value says beside itself.
struct Told {
    time: Option<Stamp>,
    number: Option<Number>,
}

fn told(meaning: &Meaning, role: Role, cell: &Cell) -> Told {
    let mut told = Told { time: None, number: None };
    let timed = matches!(role, Role::Time | Role::FallbackTime) || meaning.unit.is_some();
    match cell {
        Cell::Integer(value) => {
            told.number = Some(match meaning.scale {
                Some(scale) => decimal(i128::from(*value), scale),
                None if meaning.unsigned && *value < 0 => Number::Unsigned(value.cast_unsigned()),
                None => Number::Long(*value),
            });
            if timed {
                told.time = meaning.stamp(*value);
            }
        }
        // Of a binary double no number of digits is exact.
        Cell::Double(value) if value.is_finite() => told.number = Some(Number::Float(*value)),
        Cell::Bytes(bytes) => match meaning.scale {
            Some(scale) => told.number = big_endian(bytes.data()).map(|value| decimal(value, scale)),
            None if timed => told.time = cell.text().and_then(clock::parse),
            None => {}
        },
        Cell::Double(_) | Cell::Boolean(_) | Cell::List(_) => {}
    }
    told
}

#[expect(clippy::cast_precision_loss, reason = "checks and ranges need no more than a double")]
fn decimal(value: i128, scale: u8) -> Number {
    Number::Decimal(value as f64 / 10_f64.powi(i32::from(scale)), scale)
}

/// A whole number with a sign, of at most 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let negative = bytes.first()? & 0x80 != 0;
    let mut wide = [if negative { 0xff } else { 0 }; 16];
    let start = wide.len().checked_sub(bytes.len())?;
    wide.get_mut(start..)?.copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

fn example(told: &Told, cell: &Cell) -> Option<Value> {
    if let Some(stamp) = told.time {
        return Some(pdp_manifest::time::format(stamp.time).into());
    }
    match (told.number, cell) {
        (Some(number), _) => Some(number.json()),
        (_, Cell::Boolean(value)) => Some((*value).into()),
        _ => cell.text().map(|text| text.chars().take(EXAMPLE_CHARS).collect::<String>().into()),
    }
}
