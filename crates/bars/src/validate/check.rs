//! What bars are held against, and the files that are looked at.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::against::Expected;
use super::gaps::Calendar;
use super::report::Report;
use super::walk::Check;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told};
use crate::market::Closure;
use crate::pipeline::{MOST_DECIMALS, Month, apart, check_forms, scaled};
use crate::resample::{Grid, Timeframe};
use crate::{BarsError, Problem, Zone};

/// What bars are held against.
#[derive(Debug, Clone)]
pub struct Validation {
    /// The timeframe; without it the one that files' names say, or else the step that most of the first bars have.
    pub timeframe: Option<Timeframe>,
    /// Where bars begin.
    pub grid: Grid,
    /// The zone of timestamps that say none, and of the week that is learned.
    pub zone: Option<Zone>,
    /// Whether prices may be below zero, as those of spreads and of crude oil in April 2020.
    pub negative_prices: bool,
    /// Whether bars may be without volume.
    pub zero_volume: bool,
    /// When the market is closed.
    pub calendar: Calendar,
    /// When trade was halted, in order of time.
    pub halts: Vec<Closure>,
    /// By day, in UTC, what the vendor says of its data: `available`, `degraded`, `pending`, `missing`.
    pub conditions: BTreeMap<NaiveDate, String>,
    /// Up to how many nanoseconds without bars count as nobody having traded; without it five minutes for bars of less than that.
    pub no_trade: Option<u64>,
    /// Whether bars of several instruments of a symbol are one series, as they are where they were resampled so.
    pub merge_instruments: bool,
    /// The raw bars that these are made of.
    pub raw: Option<Vec<(PathBuf, InputKind)>>,
    /// How many findings of each kind are kept; all are counted.
    pub most: u64,
}

impl Validation {
    /// What explains gaps, in words.
    pub(super) fn explained_by(&self, no_trade: u64) -> String {
        let calendar = match &self.calendar {
            Calendar::Learned => "a week learned from the data".to_owned(),
            Calendar::Named(market) => format!("the calendar {market}"),
            Calendar::Written(_) => "a calendar of its own".to_owned(),
        };
        let halts = if self.halts.is_empty() { String::new() } else { format!(", {} halts", self.halts.len()) };
        let vendor = if self.conditions.is_empty() { "" } else { ", the vendor's word for each day" };
        format!("{calendar}{halts}{vendor}, no trade for up to {} seconds", no_trade / 1_000_000_000)
    }
}

/// Looks at a symbol's files, in their order.
///
/// Rows of CSV that cannot be read are findings like others; another file is left at the first of them. Takes memory for the gaps that are
/// longer than what counts as no trade, and for a million bars of the raw data.
///
/// # Errors
/// Only what keeps files from being read at all, and an interruption: what is wrong with them is in the report.
pub fn validate(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    how: &Validation,
    told: Told<'_>,
) -> Result<Report, ConvertError> {
    check_forms(files)?;
    check_forms(how.raw.as_deref().unwrap_or_default())?;
    let mut inputs = apart(symbol, files, how.zone, OnDuplicate::Error);
    inputs.read.merge_instruments = how.merge_instruments;
    scaled(&mut inputs, |inputs| once(symbol, inputs, how, told))
}

fn once(symbol: &str, inputs: &Inputs, how: &Validation, told: Told<'_>) -> Result<Report, ConvertError> {
    let timeframe = match how.timeframe.or_else(|| named(&inputs.files)) {
        Some(timeframe) => Some(timeframe),
        None => step(inputs)?,
    };
    let mut check = Check::new(symbol, inputs, how, timeframe);
    if let (Some(raw), Some(timeframe)) = (&how.raw, timeframe) {
        match Expected::of(raw, &inputs.read, (how.grid, timeframe), told) {
            Ok(bars) => check.against(bars),
            Err(error) if is_about_data(&error) => {
                check.raw(raw.first().map(|(path, _)| path.clone()).unwrap_or_default(), error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    for (number, (path, kind)) in inputs.files.iter().enumerate() {
        check.file(inputs, number, path, *kind, told)?;
    }
    check.finish(inputs.files.last().map_or(Path::new(""), |(path, _)| path))
}

/// The timeframe that the files' names end with.
fn named(files: &[(PathBuf, InputKind)]) -> Option<Timeframe> {
    let name = files.first()?.0.file_name()?.to_str()?;
    Month::of(name)?.timeframe.and_then(|timeframe| timeframe.parse().ok())
}

/// The step that most of the first bars have, where it is one of a timeframe.
fn step(inputs: &Inputs) -> Result<Option<Timeframe>, ConvertError> {
    let series = match inputs.sample(50_000) {
        Ok(series) => series,
        Err(error) if is_about_data(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut steps: HashMap<u64, u64> = HashMap::new();
    for [one, next] in series.iter().flat_map(|bars| bars.array_windows::<2>()) {
        *steps.entry(next.ts - one.ts).or_default() += 1;
    }
    let most = steps.into_iter().max_by_key(|(step, count)| (*count, std::cmp::Reverse(*step)));
    Ok(most.and_then(|(step, _)| Timeframe::of_nanos(step)))
}

/// Whether a problem is for the caller: to read anew with more decimals, or to say a zone or symbol.
pub(super) const fn is_for_caller(problem: &Problem) -> bool {
    match problem {
        Problem::Decimals { needed: Some(needed), .. } => needed.decimals() <= MOST_DECIMALS,
        Problem::NoZone { .. } | Problem::NoSymbol => true,
        _ => false,
    }
}

/// Whether an error says that data is not as it should be, rather than that it could not be got at.
pub(super) fn is_about_data(error: &ConvertError) -> bool {
    match error {
        ConvertError::Interrupted => false,
        ConvertError::Bars(BarsError::Row { problem, .. }) => !is_for_caller(problem),
        ConvertError::Scale { .. } => false,
        // What a compressed file that is damaged gives.
        ConvertError::Bars(BarsError::Read { source, .. }) => matches!(
            source.kind(),
            std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput | std::io::ErrorKind::UnexpectedEof
        ),
        ConvertError::Bars(BarsError::Write(_) | BarsError::Threads { .. }) => false,
        _ => true,
    }
}
