//! Bars held against the raw ones that they are made of.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fxd::{Bar, Scale};

use super::report::{Finding, Findings, Kind, VolumeCheck};
use crate::calendar::rfc3339;
use crate::convert::order::Ordered;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told, Where};
use crate::decimal::decimal_text;
use crate::pipeline::{Cursor, Month, Spool, Stopped, month_of, named};
use crate::resample::{Cascade, Grid, Timeframe};
use crate::{BarsError, Ids, ReadOptions};

/// What bars there should be, by series.
pub(super) struct Expected {
    spool: Spool,
    series: Vec<Series>,
    numbers: HashMap<(String, Ids), usize>,
    scales: (Scale, Scale),
    incomplete: bool,
    pub(super) check: VolumeCheck,
}

struct Series {
    symbol: String,
    /// The last raw bar's time.
    last: u64,
    cursor: Option<Cursor>,
    /// The next bar that there should be.
    next: Option<Bar>,
}

impl Expected {
    /// Rolls the raw bars up. What memory does not hold lies in the directory for temporary files.
    pub(super) fn of(
        files: &[(PathBuf, InputKind)],
        read: &ReadOptions,
        (grid, timeframe): (Grid, Timeframe),
        on_duplicate: OnDuplicate,
        told: Told<'_>,
    ) -> Result<Self, ConvertError> {
        let (files, symbols) = (files.to_vec(), Vec::new());
        let inputs = Inputs { files, read: read.clone(), on_duplicate, symbols };
        let mut all = Self {
            spool: Spool::new(std::env::temp_dir()),
            series: Vec::new(),
            numbers: HashMap::new(),
            scales: (read.fit.price_scale, read.fit.volume_scale),
            incomplete: false,
            check: VolumeCheck { bars: 0, raw: 0, raw_bars: 0 },
        };
        let volume_scale = all.scales.1;
        let mut cascades: Vec<Cascade> = Vec::new();
        let mut ordered = Ordered::new(inputs.on_duplicate);
        let mut take = |symbol: &str, ids: Ids, bars: &[Bar]| {
            let number = match all.numbers.get(&(symbol.to_owned(), ids)) {
                Some(number) => *number,
                None => {
                    let number = all.series.len();
                    all.numbers.insert((symbol.to_owned(), ids), number);
                    all.series.push(Series { symbol: symbol.to_owned(), last: 0, cursor: None, next: None });
                    cascades.push(Cascade::new(grid, &[timeframe]));
                    number
                }
            };
            if let (Some(series), Some(last)) = (all.series.get_mut(number), bars.last()) {
                series.last = last.ts;
            }
            all.check.raw_bars += bars.len() as u64;
            all.check.raw += bars.iter().map(|bar| u128::from(bar.volume)).sum::<u128>();
            let Some(cascade) = cascades.get_mut(number) else { return Ok(()) };
            let spool = &mut all.spool;
            named(symbol, volume_scale, cascade.take(bars, |_, made| spool.push(number, made).map_err(Stopped::Bars)))
        };
        inputs.each(told, |piece| ordered.take(piece, &mut take))?;
        // Of duplicates the last may be waiting.
        ordered.finish(&mut take)?;
        for (number, cascade) in cascades.into_iter().enumerate() {
            let spool = &mut all.spool;
            let done = cascade.finish(|_, made| spool.push(number, made).map_err(Stopped::Bars));
            named(all.series.get(number).map_or("", |series| &series.symbol), volume_scale, done)?;
        }
        for number in 0..all.series.len() {
            let mut cursor = all.spool.cursor(number);
            let next = all.spool.next(&mut cursor)?;
            if let Some(series) = all.series.get_mut(number) {
                (series.cursor, series.next) = (Some(cursor), next);
            }
        }
        Ok(all)
    }

    /// The raw series of a bar's: that of the same ids, or the only one of the symbol where the bar has none.
    fn series(&self, symbol: &str, ids: Ids) -> Option<usize> {
        if let Some(number) = self.numbers.get(&(symbol.to_owned(), ids)) {
            return Some(*number);
        }
        let mut same = self.numbers.iter().filter(|((one, of), _)| {
            one == symbol
                && (ids.publisher.is_none() || of.publisher.is_none() || ids.publisher == of.publisher)
                && (ids.instrument.is_none() || of.instrument.is_none() || ids.instrument == of.instrument)
        });
        same.next().map(|(_, number)| *number).filter(|_| same.next().is_none())
    }

    /// Holds a bar against what it should be. Bars of a series come in order of time.
    pub(super) fn check(
        &mut self,
        symbol: &str,
        ids: Ids,
        bar: &Bar,
        place: &dyn Fn() -> Where,
        findings: &mut Findings,
    ) -> Result<(), BarsError> {
        self.check.bars += u128::from(bar.volume);
        let add = |findings: &mut Findings, kind, what: String| {
            let finding = || Finding { kind, symbol: symbol.to_owned(), place: place(), ts: Some(bar.ts), what };
            findings.add(kind, finding);
        };
        let Some(number) = self.series(symbol, ids) else {
            add(findings, Kind::Extra, "the raw data have no such series".to_owned());
            return Ok(());
        };
        while let Some(next) = self.peek(number).filter(|next| next.ts < bar.ts) {
            self.missing(number, &next, findings);
            self.advance(number)?;
        }
        let Some(next) = self.peek(number).filter(|next| next.ts == bar.ts) else {
            add(findings, Kind::Extra, "the raw data have no bars for it".to_owned());
            return Ok(());
        };
        let price = |value: i64| decimal_text(value.into(), self.scales.0);
        let volume = |value: u64| decimal_text(value.into(), self.scales.1);
        for (name, found, expected) in [
            ("open", bar.open, next.open),
            ("high", bar.high, next.high),
            ("low", bar.low, next.low),
            ("close", bar.close, next.close),
        ] {
            if found != expected {
                add(
                    findings,
                    Kind::Price,
                    format!("{name} is {}, the raw data have {}", price(found), price(expected)),
                );
            }
        }
        if bar.volume != next.volume {
            let what = format!("volume is {}, the raw data have {}", volume(bar.volume), volume(next.volume));
            add(findings, Kind::Volume, what);
        }
        self.advance(number)
    }

    /// Whether there are raw bars of a series behind a moment.
    pub(super) fn goes_on(&self, symbol: &str, ids: Ids, ts: u64) -> bool {
        self.series(symbol, ids).and_then(|number| self.series.get(number)).is_some_and(|series| series.last > ts)
    }

    /// Counts a volume that no raw bar stands for.
    pub(super) fn add(&mut self, volume: u64) {
        self.check.bars += u128::from(volume);
    }

    fn peek(&self, number: usize) -> Option<Bar> {
        self.series.get(number)?.next
    }

    fn advance(&mut self, number: usize) -> Result<(), BarsError> {
        if let Some(series) = self.series.get_mut(number)
            && let Some(cursor) = &mut series.cursor
        {
            series.next = self.spool.next(cursor)?;
        }
        Ok(())
    }

    /// Says nothing of bars that are missing: a file was not read to its end.
    pub(super) fn is_incomplete(&mut self) {
        self.incomplete = true;
    }

    fn missing(&self, number: usize, bar: &Bar, findings: &mut Findings) {
        if self.incomplete {
            return;
        }
        let symbol = self.series.get(number).map_or("", |series| &series.symbol);
        findings.add(Kind::Missing, || Finding {
            kind: Kind::Missing,
            symbol: symbol.to_owned(),
            place: Where { file: Path::new("").to_owned(), places: None },
            ts: Some(bar.ts),
            what: format!(
                "there is no bar at {}, the raw data have a volume of {}",
                rfc3339(bar.ts),
                decimal_text(bar.volume.into(), self.scales.1)
            ),
        });
    }

    /// What the raw data have behind the last bars. `files` are those that were looked at.
    pub(super) fn finish(
        &mut self,
        findings: &mut Findings,
        files: &[(PathBuf, InputKind)],
    ) -> Result<VolumeCheck, BarsError> {
        for number in 0..self.series.len() {
            while let Some(next) = self.peek(number) {
                self.missing(number, &next, findings);
                self.advance(number)?;
            }
        }
        for finding in findings.kept.iter_mut().filter(|finding| finding.kind == Kind::Missing) {
            if finding.place.file.as_os_str().is_empty() {
                finding.place.file = lacking(files, finding.ts.unwrap_or_default());
            }
        }
        Ok(self.check)
    }
}

/// The file that a bar should be in: that of its month, or if there is none the directory.
fn lacking(files: &[(PathBuf, InputKind)], ts: u64) -> PathBuf {
    let (year, month) = month_of(ts);
    let is_of = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Month::of(&name).is_none_or(|of| i32::from(of.year) == year && u32::from(of.month) == month)
    };
    match files.iter().find(|(path, _)| is_of(path)) {
        Some((path, _)) => path.clone(),
        None => files.first().and_then(|(path, _)| path.parent()).unwrap_or(Path::new("")).to_owned(),
    }
}
