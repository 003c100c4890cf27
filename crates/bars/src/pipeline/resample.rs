//! Files of a symbol to files of longer bars.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use fxd::{Bar, Scale};

use super::layout::check_forms;
use super::merge::{Named, merge};

use super::output::{Output, OutputFormat, of_timeframe};
use super::spool::Spool;
use crate::calendar::SECOND;
use crate::convert::order::Ordered;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Piece, Told, Where};
use crate::decimal::decimal_text;
use crate::marks::marked;
use crate::resample::{Cascade, Grid, Timeframe, TooMuchVolume};
use crate::{BarsError, Fit, Ids, Order, Problem, ReadOptions, WriteOptions, Zone};

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
    /// Whether bars of several publishers are series of their own, rather than an error.
    pub by_publisher: bool,
    /// Whether bars of several instruments of a symbol are one series, where ids change from day to day, as those of shares do.
    pub merge_instruments: bool,
    /// What is written.
    pub format: OutputFormat,
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
    /// The series that were told apart, in the order in which they came.
    pub series: Vec<SeriesMade>,
    /// For each timeframe what was written.
    pub made: Vec<Made>,
}

/// Bars that were kept together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesMade {
    /// The symbol of its rows.
    pub symbol: String,
    /// Publisher and instrument, where rows have them.
    pub ids: Ids,
    /// Bars that were read.
    pub bars: u64,
    /// What divides the time between any two of them, in nanoseconds; 0 of fewer than two. A second, if it is so little.
    pub step: u64,
}

impl SeriesMade {
    /// Whether bars of a timeframe cannot be told from these: they are as long themselves, or do not fit into it. Of few bars nothing is
    /// said.
    #[must_use]
    pub fn is_too_coarse_for(&self, timeframe: Timeframe) -> bool {
        self.bars >= 100 && self.step > 0 && !timeframe.nanos().is_multiple_of(self.step)
    }
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
pub(crate) const MOST_DECIMALS: u8 = 12;

/// Resamples a symbol's files, in their order, to `{output}/{timeframe}/{symbol}_{YYYY}_{MM}_{timeframe}.csv`. Every timeframe is made
/// in one reading. Files appear when all of them are whole; those that are there are replaced.
///
/// Rows of several symbols or instruments stay apart, and so do those of several publishers if that is asked for; they are an error
/// otherwise. What tells them apart is kept in columns. Prices and volumes have the decimals that the data has. The volumes of each
/// timeframe add up to those that were read, or it is an error.
///
/// Takes memory for a million bars of all timeframes together; what is more lies in a file without a name in `output`.
///
/// # Errors
/// What reading gives; bars out of order, duplicates and several publishers; volumes beyond 64 bits; I/O.
pub fn resample(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    output: &Path,
    how: &Resampling,
    told: Told<'_>,
) -> Result<Resampled, ConvertError> {
    check_forms(files)?;
    let mut inputs = apart(symbol, files, how.zone, how.on_duplicate);
    inputs.read.merge_instruments = how.merge_instruments;
    scaled(&mut inputs, |inputs| once(symbol, inputs, output, how, told))
}

/// A symbol's files, read as they are, publishers and instruments apart, without decimals at first.
pub(crate) fn apart(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    zone: Option<Zone>,
    on_duplicate: OnDuplicate,
) -> Inputs {
    let mut read = ReadOptions::new(Fit::any(Scale::VOLUME, Scale::VOLUME));
    read.symbol = Some(symbol.to_owned());
    read.zone = zone;
    read.order = Order::AsIs;
    read.apart = true;
    Inputs { files: files.to_vec(), read, on_duplicate, symbols: Vec::new() }
}

/// Does something with inputs, anew with more decimals as long as they do not do: stores say their scales, of other files the data
/// shows how many decimals it has.
pub(crate) fn scaled<T>(
    inputs: &mut Inputs,
    mut act: impl FnMut(&Inputs) -> Result<T, ConvertError>,
) -> Result<T, ConvertError> {
    loop {
        let done = act(inputs);
        let (volume, needed) = match &done {
            Err(ConvertError::Bars(BarsError::Row {
                problem: Problem::Decimals { field, needed: Some(needed), .. },
                ..
            })) => (*field == "volume", *needed),
            Err(ConvertError::Scale { field, found, .. }) => (*field == "volume", *found),
            _ => return done,
        };
        let fit = &mut inputs.read.fit;
        let scale = if volume { &mut fit.volume_scale } else { &mut fit.price_scale };
        if needed.decimals() > MOST_DECIMALS {
            return done.map_err(too_fine);
        }
        // What does not ask for more would ask for ever.
        if needed.decimals() <= scale.decimals() {
            return done;
        }
        *scale = needed;
    }
}

/// A value with more decimals than the pipeline takes, said so: not of the scale that was tried.
fn too_fine(error: ConvertError) -> ConvertError {
    match error {
        ConvertError::Bars(BarsError::Row { file, place, problem: Problem::Decimals { field, value, needed, .. } }) => {
            let expected = format!("{MOST_DECIMALS} decimals at most").into();
            BarsError::Row { file, place, problem: Problem::Decimals { field, value, expected, needed } }.into()
        }
        error => error,
    }
}

fn once(
    symbol: &str,
    inputs: &Inputs,
    output: &Path,
    how: &Resampling,
    told: Told<'_>,
) -> Result<Resampled, ConvertError> {
    let volume_scale = inputs.read.fit.volume_scale;
    let mut making =
        Making { volume_scale, how, spool: Spool::new(output.to_owned()), series: Vec::new(), numbers: HashMap::new() };
    let mut ordered = Ordered::new(inputs.on_duplicate);
    inputs.each(told, |piece| {
        let number = making.number(piece)?;
        ordered.take(piece, &mut |_, _, bars| making.take(number, bars))
    })?;
    // Of duplicates the last may be waiting.
    let dropped = ordered.finish(&mut |symbol, ids, bars| match making.numbers.get(&(symbol.to_owned(), ids)) {
        Some(number) => making.take(*number, bars),
        None => Ok(()),
    })?;
    for number in 0..making.series.len() {
        making.end(number)?;
    }
    making.write(symbol, inputs, output, dropped)
}

/// A symbol's bars on their way.
struct Making<'a> {
    volume_scale: Scale,
    how: &'a Resampling,
    spool: Spool,
    series: Vec<Series>,
    /// By symbol and whose they are, the number of the series.
    numbers: HashMap<(String, Ids), usize>,
}

/// Bars that are kept together.
struct Series {
    made: SeriesMade,
    /// Until its end.
    cascade: Option<Cascade>,
    /// Where a bar of it is.
    place: Where,
    last: u64,
    volume: u128,
    /// For each timeframe bars and volumes.
    out: Vec<(u64, u128)>,
}

impl Series {
    /// Notes how far bars are apart.
    fn step(&mut self, bars: &[Bar]) {
        for bar in bars {
            // No timeframe is less than a second, so nothing more is to be learned.
            if self.made.step == SECOND {
                return;
            }
            if self.last > 0 {
                self.made.step = divisor(self.made.step, bar.ts - self.last);
            }
            self.last = bar.ts;
        }
    }
}

/// The greatest number that divides both, down to a second.
fn divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    if one < SECOND { SECOND } else { one }
}

impl Making<'_> {
    /// The series of a piece, which begins if there is none.
    fn number(&mut self, piece: &Piece<'_>) -> Result<usize, ConvertError> {
        let key = (piece.symbol.to_owned(), piece.ids);
        if let Some(number) = self.numbers.get(&key) {
            return Ok(*number);
        }
        let (symbol, ids, place) = (key.0.clone(), piece.ids, piece.place(0));
        let other = |series: &&Series| series.made.symbol == symbol && series.made.ids.publisher != ids.publisher;
        if let Some(series) = self.series.iter().find(other).filter(|_| !self.how.by_publisher) {
            return Err(ConvertError::Publishers {
                symbol,
                ts: piece.bars.first().map_or(0, |bar| bar.ts),
                publisher: ids.publisher.unwrap_or_default(),
                place,
                previous: series.made.ids.publisher.unwrap_or_default(),
                before: series.place.clone(),
            });
        }
        let number = self.series.len();
        self.series.push(Series {
            made: SeriesMade { symbol, ids, bars: 0, step: 0 },
            last: 0,
            cascade: Some(Cascade::new(self.how.grid, &self.how.timeframes)),
            place,
            volume: 0,
            out: vec![(0, 0); self.how.timeframes.len()],
        });
        self.numbers.insert(key, number);
        Ok(number)
    }

    fn take(&mut self, number: usize, bars: &[Bar]) -> Result<(), ConvertError> {
        let Some(series) = self.series.get_mut(number) else { return Ok(()) };
        series.step(bars);
        series.made.bars += bars.len() as u64;
        series.volume += bars.iter().map(|bar| u128::from(bar.volume)).sum::<u128>();
        let (spool, out, lane) = (&mut self.spool, &mut series.out, number * self.how.timeframes.len());
        let done =
            series.cascade.as_mut().map(|cascade| cascade.take(bars, |at, made| keep(spool, out, lane, at, made)));
        named(&series.made.symbol, self.volume_scale, done.unwrap_or(Ok(())))
    }

    fn end(&mut self, number: usize) -> Result<(), ConvertError> {
        let Some(series) = self.series.get_mut(number) else { return Ok(()) };
        let (spool, out, lane) = (&mut self.spool, &mut series.out, number * self.how.timeframes.len());
        let done = series.cascade.take().map(|cascade| cascade.finish(|at, made| keep(spool, out, lane, at, made)));
        named(&series.made.symbol, self.volume_scale, done.unwrap_or(Ok(())))
    }

    /// Writes what was made, if its volumes are those of what was read.
    fn write(mut self, symbol: &str, inputs: &Inputs, output: &Path, dropped: u64) -> Result<Resampled, ConvertError> {
        let fit = &inputs.read.fit;
        let mut options = WriteOptions::new(fit.price_scale, fit.volume_scale);
        options.flags = self.how.fill;
        options.publisher = self.series.iter().any(|series| series.made.ids.publisher.is_some());
        options.instrument = self.series.iter().any(|series| series.made.ids.instrument.is_some());
        let names = names(&self.series, self.how.format);
        let mut outputs = Vec::new();
        for (place, timeframe) in self.how.timeframes.iter().enumerate() {
            let mut bars = 0;
            for series in &self.series {
                let (count, volume) = series.out.get(place).copied().unwrap_or_default();
                bars += count;
                if volume != series.volume {
                    let why = format!(
                        "bars of {timeframe} have a volume of {volume}, those that they are made of {}",
                        series.volume
                    );
                    return Err(BarsError::Unwritable { symbol: series.made.symbol.clone(), why }.into());
                }
            }
            let (directory, suffix) = of_timeframe(output, *timeframe);
            let mut output = Output::new(directory, symbol, suffix, self.how.format, options.clone());
            let count = self.how.timeframes.len();
            let lanes: Vec<(usize, Named)> =
                names.iter().enumerate().map(|(number, name)| (number * count + place, name.clone())).collect();
            let fill = self.how.fill.then_some((self.how.grid, *timeframe));
            let filled = merge(&mut self.spool, &lanes, fill, &mut output)?;
            output.complete()?;
            outputs.push((*timeframe, bars, filled, output));
        }
        let mut made = Vec::new();
        for (timeframe, bars, filled, output) in outputs {
            made.push(Made { timeframe, bars, filled, files: output.place()? });
        }
        Ok(Resampled {
            bars: self.series.iter().map(|series| series.made.bars).sum(),
            dropped,
            volume: self.series.iter().map(|series| series.volume).sum(),
            price_scale: fit.price_scale,
            volume_scale: fit.volume_scale,
            series: self.series.into_iter().map(|series| series.made).collect(),
            made,
        })
    }
}

/// What series are called in an output. Stores have no columns for ids: there, they are put behind the symbol where it alone does not
/// tell series apart.
fn names(series: &[Series], format: OutputFormat) -> Vec<Named> {
    let name = |one: &Series| {
        let (symbol, ids) = (one.made.symbol.clone(), one.made.ids);
        let same = || series.iter().map(|other| &other.made).filter(|other| other.symbol == symbol);
        if format != OutputFormat::Fxd {
            return Named { symbol, ids };
        }
        let instrument = same().any(|other| other.ids.instrument != ids.instrument);
        let publisher = same().any(|other| other.ids.publisher != ids.publisher);
        let of = |id: Option<u32>| Some(id.unwrap_or_default());
        let name = marked(
            &symbol,
            if instrument { of(ids.instrument) } else { None },
            if publisher { of(ids.publisher) } else { None },
        );
        Named { symbol: name, ids }
    };
    series.iter().map(name).collect()
}

/// Why handing on stopped.
pub(crate) enum Stopped {
    Volume(TooMuchVolume),
    Bars(BarsError),
}

impl From<TooMuchVolume> for Stopped {
    fn from(error: TooMuchVolume) -> Self {
        Self::Volume(error)
    }
}

fn keep(spool: &mut Spool, out: &mut [(u64, u128)], lane: usize, place: usize, bars: &[Bar]) -> Result<(), Stopped> {
    if let Some((count, volume)) = out.get_mut(place) {
        *count += bars.len() as u64;
        *volume += bars.iter().map(|bar| u128::from(bar.volume)).sum::<u128>();
    }
    spool.push(lane + place, bars).map_err(Stopped::Bars)
}

/// The error for what stopped, with the symbol.
pub(crate) fn named(symbol: &str, scale: Scale, done: Result<(), Stopped>) -> Result<(), ConvertError> {
    done.map_err(|stopped| match stopped {
        Stopped::Bars(error) => error.into(),
        Stopped::Volume(TooMuchVolume { ts }) => {
            let why = format!(
                "the volumes of the bar at {} add up to more than {}, which is the most that there is where some have {scale} decimals",
                crate::calendar::rfc3339(ts),
                decimal_text(u64::MAX.into(), scale)
            );
            BarsError::Unwritable { symbol: symbol.to_owned(), why }.into()
        }
    })
}
