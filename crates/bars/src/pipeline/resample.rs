//! Files of a symbol to files of longer bars.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fxd::Scale;

use super::output::Output;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told};
use crate::resample::{Cascade, Grid, Timeframe, TooMuchVolume};
use crate::{BarsError, Fit, Order, Problem, ReadOptions, WriteOptions, Zone};

/// What is made of a symbol's bars.
#[derive(Debug, Clone)]
pub struct Resampling {
    /// The timeframes, each once.
    pub timeframes: Vec<Timeframe>,
    /// Where bars begin.
    pub grid: Grid,
    /// Whether a span without bars gets one at the last price, without volume and flagged as made up.
    pub fill: bool,
    /// The zone of timestamps that say none.
    pub zone: Option<Zone>,
    /// What becomes of two bars of one time.
    pub on_duplicate: OnDuplicate,
}

/// What was made of a symbol's bars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resampled {
    /// Bars that were read.
    pub bars: u64,
    /// Bars that gave way to others of their time.
    pub dropped: u64,
    /// Their volumes, at `volume_scale`.
    pub volume: u128,
    /// Decimals of prices.
    pub price_scale: Scale,
    /// Decimals of volumes.
    pub volume_scale: Scale,
    /// For each timeframe what was written.
    pub made: Vec<Made>,
}

/// What was written of one timeframe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The timeframe.
    pub timeframe: Timeframe,
    /// Bars, but for those that fill gaps.
    pub bars: u64,
    /// Bars that fill gaps.
    pub filled: u64,
    /// The files, a month each.
    pub files: Vec<PathBuf>,
}

/// The most decimals that are taken from data.
const MOST_DECIMALS: u8 = 12;

/// Resamples a symbol's files, in their order, to `{output}/{timeframe}/{symbol}_{YYYY}_{MM}_{timeframe}.csv`. Every timeframe is made
/// in one reading. Files appear when all of them are whole; those that are there are replaced.
///
/// Rows of several symbols or instruments stay apart; rows of several publishers are refused. Prices and volumes have the decimals
/// that the data has. The volumes of each timeframe add up to those that were read, or it is an error.
///
/// # Errors
/// What reading gives; bars out of order and duplicates; volumes beyond 64 bits; I/O.
pub fn resample(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    output: &Path,
    how: &Resampling,
    told: Told<'_>,
) -> Result<Resampled, ConvertError> {
    let scale = Scale::VOLUME;
    let mut read = ReadOptions::new(Fit::any(scale, scale));
    read.symbol = Some(symbol.to_owned());
    read.zone = how.zone;
    read.order = Order::AsIs;
    let mut inputs = Inputs { files: files.to_vec(), read, on_duplicate: how.on_duplicate, symbols: Vec::new() };
    // Stores say their scales; of other files the data shows how many decimals it has.
    loop {
        match once(symbol, &inputs, output, how, told) {
            Err(ConvertError::Bars(BarsError::Row {
                problem: Problem::Decimals { field, needed: Some(needed), .. },
                ..
            })) if needed.decimals() <= MOST_DECIMALS => {
                let fit = &mut inputs.read.fit;
                *(if field == "volume" { &mut fit.volume_scale } else { &mut fit.price_scale }) = needed;
            }
            Err(ConvertError::Scale { field, found, .. }) => {
                let fit = &mut inputs.read.fit;
                *(if field == "volume" { &mut fit.volume_scale } else { &mut fit.price_scale }) = found;
            }
            done => return done,
        }
    }
}

fn once(
    symbol: &str,
    inputs: &Inputs,
    output: &Path,
    how: &Resampling,
    told: Told<'_>,
) -> Result<Resampled, ConvertError> {
    let fit = &inputs.read.fit;
    let mut options = WriteOptions::new(fit.price_scale, fit.volume_scale);
    options.flags = how.fill;
    let new = |timeframe: &Timeframe| Output::new(output, symbol, *timeframe, how.grid, how.fill, options.clone());
    let mut outputs: Vec<Output> = how.timeframes.iter().map(new).collect();
    match write(inputs, how, told, &mut outputs) {
        Ok((bars, volume, dropped)) => {
            let mut made = Vec::new();
            for (timeframe, output) in how.timeframes.iter().zip(outputs) {
                let (bars, filled) = (output.bars, output.filled);
                made.push(Made { timeframe: *timeframe, bars, filled, files: output.place()? });
            }
            let (price_scale, volume_scale) = (fit.price_scale, fit.volume_scale);
            Ok(Resampled { bars, dropped, volume, price_scale, volume_scale, made })
        }
        Err(error) => {
            outputs.into_iter().for_each(Output::discard);
            Err(error)
        }
    }
}

/// Writes all timeframes; gives how many bars were read, their volumes, and how many were dropped.
fn write(
    inputs: &Inputs,
    how: &Resampling,
    told: Told<'_>,
    outputs: &mut [Output],
) -> Result<(u64, u128, u64), ConvertError> {
    let mut cascades: BTreeMap<String, Cascade> = BTreeMap::new();
    let (mut bars_read, mut volume) = (0, 0);
    let dropped = inputs.in_order(told, |symbol, bars| {
        bars_read += bars.len() as u64;
        volume += bars.iter().map(|bar| u128::from(bar.volume)).sum::<u128>();
        if !cascades.contains_key(symbol) {
            cascades.insert(symbol.to_owned(), Cascade::new(how.grid, &how.timeframes));
        }
        match cascades.get_mut(symbol) {
            Some(cascade) => named(symbol, cascade.take(bars, |place, made| hand_on(outputs, place, symbol, made))),
            None => Ok(()),
        }
    })?;
    for (symbol, cascade) in cascades {
        named(&symbol, cascade.finish(|place, made| hand_on(outputs, place, &symbol, made)))?;
    }
    for (timeframe, output) in how.timeframes.iter().zip(outputs) {
        output.complete()?;
        if output.volume != volume {
            let why =
                format!("bars of {timeframe} have a volume of {}, those that they are made of {volume}", output.volume);
            return Err(BarsError::Unwritable { symbol: timeframe.to_string(), why }.into());
        }
    }
    Ok((bars_read, volume, dropped))
}

/// Why handing on stopped.
enum Stopped {
    Volume(TooMuchVolume),
    Bars(BarsError),
}

impl From<TooMuchVolume> for Stopped {
    fn from(error: TooMuchVolume) -> Self {
        Self::Volume(error)
    }
}

fn hand_on(outputs: &mut [Output], place: usize, symbol: &str, bars: &[fxd::Bar]) -> Result<(), Stopped> {
    outputs.get_mut(place).map_or(Ok(()), |output| output.write(symbol, bars)).map_err(Stopped::Bars)
}

fn named(symbol: &str, done: Result<(), Stopped>) -> Result<(), ConvertError> {
    done.map_err(|stopped| match stopped {
        Stopped::Bars(error) => error.into(),
        Stopped::Volume(TooMuchVolume { ts }) => {
            let why =
                format!("the volumes of the bar at {} add up to more than 64 bits hold", crate::calendar::rfc3339(ts));
            BarsError::Unwritable { symbol: symbol.to_owned(), why }.into()
        }
    })
}
