//! A store as an input.

use std::ops::ControlFlow;
use std::path::Path;

use fxd::format::symbol::Symbol;
use fxd::store::{Filter, Store};
use fxd::{Bar, Scale};

use super::rescale::Rescale;
use super::{ConvertError, Inputs, Piece, Told};
use crate::calendar::DAY;
use crate::marks::ids_behind;
use crate::{Ids, Place};

/// A store that is being read.
struct Reading<'a> {
    path: &'a Path,
    store: &'a Store,
    found: (Scale, Scale),
    expected: (Scale, Scale),
    told: Told<'a>,
}

/// A symbol of it, whose bars' it is, and how many of them were read.
struct Series<'a> {
    symbol: &'a Symbol,
    name: &'a str,
    ids: Ids,
    read: u64,
}

impl Inputs {
    /// Hands over the bars of a store: each symbol's from first to last, or if several are series of one symbol, as
    /// [`pipeline::resample`](crate::pipeline::resample) writes them, in the order of time.
    pub(super) fn each_of_store(
        &self,
        path: &Path,
        told: Told<'_>,
        take: &mut impl FnMut(&Piece<'_>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let store = Store::open(path)?.with_cached_blocks(0);
        let found = (store.info().price_scale, store.info().volume_scale);
        let expected = (self.read.fit.price_scale, self.read.fit.volume_scale);
        let symbols: Vec<&Symbol> = match self.symbols.as_slice() {
            [] => store.series().collect(),
            names => names.iter().map(|name| store.symbol(name)).collect::<Result<_, _>>()?,
        };
        let own = self.read.symbol.as_deref().filter(|_| self.read.apart);
        let series_of = |symbol: &&'_ Symbol| {
            let ids = own.and_then(|own| ids_behind(own, &symbol.name));
            ids.map(|ids| if self.read.merge_instruments { Ids { instrument: None, ..ids } } else { ids })
        };
        let reading = Reading { path, store: &store, found, expected, told };
        let (mut apart, mut alone) = (Vec::new(), Vec::new());
        for symbol in &symbols {
            match (series_of(symbol), own) {
                (Some(ids), Some(name)) => apart.push(Series { symbol, name, ids, read: 0 }),
                _ => alone.push(Series { symbol, name: &symbol.name, ids: Ids::default(), read: 0 }),
            }
        }
        alone.iter_mut().try_for_each(|series| reading.alone(series, take))?;
        reading.together(&mut apart, take)
    }
}

impl Reading<'_> {
    /// Hands over a symbol's bars.
    fn alone(
        &self,
        series: &mut Series<'_>,
        take: &mut impl FnMut(&Piece<'_>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let (symbol, name, ids) = (series.symbol, series.name, series.ids);
        let mut bars: Vec<Bar> = Vec::new();
        self.scan(symbol, 0..u64::MAX, &mut bars, |bars| {
            let first = Place::Record(1).later(series.read);
            series.read = series.read.saturating_add(bars.len() as u64);
            let places = Some((first, Place::Record(series.read)));
            take(&Piece { file: self.path, symbol: name, ids, bars, places })
        })
    }

    /// Hands over the bars of several series in the order of time. Takes the memory of a day's bars.
    fn together(
        &self,
        series: &mut [Series<'_>],
        take: &mut impl FnMut(&Piece<'_>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let there = || series.iter().map(|series| series.symbol).filter(|symbol| symbol.record_count > 0);
        let (Some(mut from), Some(last)) =
            (there().map(|symbol| symbol.first_ts).min(), there().map(|symbol| symbol.last_ts).max())
        else {
            return Ok(());
        };
        let mut rows: Vec<(Bar, usize, u64)> = Vec::new();
        let mut bars: Vec<Bar> = Vec::new();
        while from <= last {
            let until = (from - from % DAY).saturating_add(DAY);
            rows.clear();
            for (number, one) in series.iter_mut().enumerate() {
                let Series { symbol, read, .. } = one;
                if symbol.first_ts < until && symbol.last_ts >= from {
                    self.scan(symbol, from..until, &mut bars, |bars| {
                        for bar in bars {
                            *read = read.saturating_add(1);
                            rows.push((*bar, number, *read));
                        }
                        Ok(())
                    })?;
                }
            }
            rows.sort_by_key(|(bar, number, _)| (bar.ts, *number));
            for run in rows.chunk_by(|(_, one, _), (_, other, _)| one == other) {
                let (Some((_, number, first)), Some((_, _, end))) = (run.first(), run.last()) else { continue };
                let Some(Series { name, ids, .. }) = series.get(*number) else { continue };
                bars.clear();
                bars.extend(run.iter().map(|(bar, ..)| *bar));
                let places = Some((Place::Record(*first), Place::Record(*end)));
                take(&Piece { file: self.path, symbol: name, ids: *ids, bars: &bars, places })?;
            }
            from = until;
        }
        Ok(())
    }

    /// Reads a symbol's bars of a range, at the scales that are asked for.
    fn scan(
        &self,
        symbol: &Symbol,
        range: std::ops::Range<u64>,
        bars: &mut Vec<Bar>,
        mut take: impl FnMut(&[Bar]) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let Self { path, store, found, expected, told } = self;
        let rescale = Rescale { found: *found, expected: *expected };
        let (bytes, records) = (store.file().len() as u64, store.record_count().max(1));
        store.scan(symbol.id, range, &Filter::default(), |columns| {
            let part = u128::from(bytes) * columns.len() as u128 / u128::from(records);
            if told(u64::try_from(part).unwrap_or(bytes)) == ControlFlow::Break(()) {
                return Err(ConvertError::Interrupted);
            }
            bars.clear();
            bars.extend(columns.iter());
            if found != expected {
                for bar in bars.iter_mut() {
                    *bar = rescale.bar(*bar).map_err(|(field, value)| {
                        let (found, expected) = match field {
                            "volume" => (found.1, expected.1),
                            _ => (found.0, expected.0),
                        };
                        let (path, symbol) = (path.to_path_buf(), symbol.name.clone());
                        ConvertError::Scale { path, symbol, ts: bar.ts, field, value, found, expected }
                    })?;
                }
            }
            take(bars)
        })
    }
}
