//! The rows of a LEAN file.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use fxd::{Bar, Scale};

use super::LeanFile;
use crate::calendar::SECOND;
use crate::csv::{Block, Cutter, Fields, is_blank, stopped, without_end};
use crate::decimal::decimal_text;
use crate::input::{Input, Progress};
use crate::options::QuoteSide;
use crate::runs::{Ledger, Rules, Runs};
use crate::{BarSource, BarsError, Chunk, Fit, Ids, Place, Problem, ReadOptions, Zone};

struct LeanSource {
    path: PathBuf,
    file: LeanFile,
    cutter: Cutter<Box<dyn Read>>,
    progress: Progress,
    zone: Zone,
    fit: Fit,
    side: QuoteSide,
    symbol: Arc<str>,
    rules: Rules,
    ledger: Ledger,
    lines: u64,
    done: bool,
}

/// Opens a file whose path is one of LEAN's.
pub(crate) fn open(path: &Path, input: Input, options: &ReadOptions) -> Result<Box<dyn BarSource>, BarsError> {
    let file = LeanFile::of(path).ok_or_else(|| {
        BarsError::file(path, "the path is none of LEAN's, expected as equity/usa/second/spy/20131007_trade.zip")
    })?;
    let zone = options.zone.or_else(|| file.zone()).ok_or_else(|| {
        BarsError::file(
            path,
            format!("the clock of {} {} is not known here: give its zone with --tz", file.asset, file.market),
        )
    })?;
    let Input { reader, progress, .. } = input;
    let symbol = options.symbol.clone().unwrap_or_else(|| file.symbol());
    Ok(Box::new(LeanSource {
        path: path.to_owned(),
        file,
        cutter: Cutter::new(reader),
        progress,
        zone,
        fit: options.fit.clone(),
        side: options.side,
        symbol: Arc::from(symbol),
        rules: Rules { apart: false, ..Rules::of(options) },
        ledger: Ledger::new(options.order, None),
        lines: 0,
        done: false,
    }))
}

impl LeanSource {
    fn read(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.lines > 0 && self.cutter.is_at_end() {
            return Ok(None);
        }
        let mut block = Block::default();
        self.cutter.next_into(&mut block).map_err(|stop| stopped(&self.path, stop, self.lines, &block))?;
        let mut runs = Runs::default();
        let mut rest = block.lines();
        while !rest.is_empty() {
            let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let (line, later) = rest.split_at(length);
            rest = later;
            self.lines += 1;
            let place = Place::Line(self.lines);
            let line = without_end(line);
            if is_blank(line) {
                continue;
            }
            let wrong = |problem| BarsError::row(&self.path, place, problem);
            if let Some(bar) = self.row(line).map_err(wrong)? {
                let run = runs.find_or_begin(self.symbol.as_bytes(), place).map_err(wrong)?;
                runs.push(run, bar, place, Ids::default(), self.rules).map_err(wrong)?;
            }
        }
        let bytes = self.progress.take();
        // An empty file has no rows and an end.
        self.lines = self.lines.max(1);
        Ok(Some(Chunk { runs: self.ledger.admit(&self.path, runs.into_list(), 0)?, bytes }))
    }

    /// A line as a bar; nothing, where neither side of a quote is there.
    fn row(&self, line: &[u8]) -> Result<Option<Bar>, Problem> {
        let mut fields = Vec::with_capacity(11);
        for field in Fields::new(line, b',') {
            let field =
                field.ok_or(Problem::Line { expected: "quotes to be closed and followed by a separator".into() })?;
            fields.push(field);
        }
        let cell = |at: usize| fields.get(at).map_or(&[][..], |field| field.as_ref());
        let expected = if self.file.quotes { 11 } else { 6 };
        // Trades of equities may have more behind the volume.
        if fields.len() != expected {
            return Err(Problem::Fields { found: fields.len(), expected });
        }
        let ts = self.time(cell(0))?;
        if !self.file.quotes {
            let [open, high, low, close] = self.prices([cell(1), cell(2), cell(3), cell(4)])?;
            return Ok(Some(Bar { ts, open, high, low, close, volume: self.fit.volume(cell(5))?, flags: 0 }));
        }
        let bid = self.side([cell(1), cell(2), cell(3), cell(4)])?;
        let ask = self.side([cell(6), cell(7), cell(8), cell(9)])?;
        let [open, high, low, close] = match (self.side, bid, ask) {
            (QuoteSide::Bid, Some(one), _) | (QuoteSide::Ask, _, Some(one)) => one,
            (QuoteSide::Bid | QuoteSide::Ask, ..) | (_, None, None) => return Ok(None),
            (QuoteSide::Mid, Some(one), None) | (QuoteSide::Mid, None, Some(one)) => one,
            (QuoteSide::Mid, Some(bid), Some(ask)) => self.middle(bid, ask)?,
        };
        Ok(Some(Bar { ts, open, high, low, close, volume: 0, flags: 0 }))
    }

    /// The mean of both sides, exactly: it may need one more decimal.
    fn middle(&self, bid: [i64; 4], ask: [i64; 4]) -> Result<[i64; 4], Problem> {
        let mut middle = [0; 4];
        for ((to, bid), (ask, field)) in middle.iter_mut().zip(bid).zip(ask.into_iter().zip(FIELDS)) {
            let sum = i128::from(bid) + i128::from(ask);
            if sum % 2 != 0 {
                let scale = self.fit.price_scale;
                let needed = Scale::new(scale.decimals().saturating_add(1));
                let shown = needed.map_or_else(String::new, |finer| decimal_text(sum * 5, finer));
                let expected = format!("{} decimals at most", scale.decimals()).into();
                return Err(Problem::Decimals { field, value: shown, expected, needed });
            }
            *to = i64::try_from(sum / 2).unwrap_or(bid);
        }
        Ok(middle)
    }

    /// The prices of a side, if it is there: a missing one is four empty cells, or zeros.
    fn side(&self, cells: [&[u8]; 4]) -> Result<Option<[i64; 4]>, Problem> {
        if cells.iter().all(|cell| cell.is_empty()) {
            return Ok(None);
        }
        let prices = self.prices(cells)?;
        Ok(Some(prices).filter(|prices| prices.iter().any(|price| *price != 0)))
    }

    fn prices(&self, cells: [&[u8]; 4]) -> Result<[i64; 4], Problem> {
        let mut prices = [0; 4];
        for ((price, cell), field) in prices.iter_mut().zip(cells).zip(FIELDS) {
            *price = if self.file.is_scaled() {
                let units: Option<i64> = std::str::from_utf8(cell).ok().and_then(|text| text.parse().ok());
                let units = units.ok_or_else(|| Problem::value(field, cell, "a whole number of 1/10000"))?;
                let text = Scale::new(4).map_or_else(String::new, |scale| decimal_text(units.into(), scale));
                self.fit.price(field, text.as_bytes())?
            } else {
                self.fit.price(field, cell)?
            };
        }
        Ok(prices)
    }

    /// Milliseconds since midnight of the file's day, or a day and a time.
    fn time(&self, cell: &[u8]) -> Result<u64, Problem> {
        let wrong = |expected: &'static str| Problem::value("time", cell, expected);
        let text = std::str::from_utf8(cell).map_err(|_| wrong("a time"))?;
        let (local, millis): (NaiveDateTime, u64) = match self.file.date {
            Some(date) => {
                let millis: u64 = text
                    .parse()
                    .ok()
                    .filter(|millis| *millis <= 86_400_000)
                    .ok_or_else(|| wrong("milliseconds since midnight, up to 86400000"))?;
                let seconds = i64::try_from(millis / 1000).unwrap_or(0);
                (date.and_time(NaiveTime::MIN) + chrono::Duration::seconds(seconds), millis % 1000)
            }
            None => {
                let time = NaiveDateTime::parse_from_str(text, "%Y%m%d %H:%M")
                    .or_else(|_| NaiveDate::parse_from_str(text, "%Y%m%d").map(|date| date.and_time(NaiveTime::MIN)));
                (time.map_err(|_| wrong("a day and a time as 20131007 09:30"))?, 0)
            }
        };
        let seconds = u64::try_from(crate::resample::to_utc(self.zone, local)).ok();
        let ts = seconds.and_then(|seconds| seconds.checked_mul(SECOND)).map(|ts| ts + millis * 1_000_000);
        ts.filter(|ts| *ts <= fxd::MAX_TS).ok_or_else(|| wrong("a moment from 1970-01-01 to 2262-04-11"))
    }
}

const FIELDS: [&str; 4] = ["open", "high", "low", "close"];

impl BarSource for LeanSource {
    fn next(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.done {
            return Ok(None);
        }
        let result = self.read();
        self.done = !matches!(result, Ok(Some(_)));
        result
    }
}
