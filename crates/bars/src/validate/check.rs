//! What bars are held against, and the files that are looked at.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;

use super::against::Expected;
use super::gaps::Calendar;
use super::report::Report;
use super::walk::Check;
use crate::calendar::SECOND;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told};
use crate::market::Closure;
use crate::pipeline::{MOST_DECIMALS, Month, apart, check_forms, scaled};
use crate::resample::{Grid, Timeframe};
use crate::{BarsError, Problem, Zone};

/// What bars are held against.
#[derive(Debug, Clone)]
pub struct Validation {
    /// The timeframe; without it the one that the names of files or their directory say, or else the longest that nearly all steps
    /// between the first bars are multiples of.
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
    /// What became of two raw bars of one time when these were made of them.
    pub on_duplicate: OnDuplicate,
    /// How many findings of each kind are kept; all are counted.
    pub most: u64,
}

impl Validation {
    /// What explains gaps, in words.
    pub(super) fn explained_by(&self, no_trade: u64, learned: bool) -> String {
        let calendar = match &self.calendar {
            Calendar::Learned if learned => "a week learned from the data".to_owned(),
            Calendar::Learned => "no calendar: the data are not enough to learn a week from".to_owned(),
            Calendar::Named(market) => format!("the calendar {market}"),
            Calendar::Written(_) => "a calendar of its own".to_owned(),
        };
        let halts = if self.halts.is_empty() { String::new() } else { format!(", {} halts", self.halts.len()) };
        let vendor = if self.conditions.is_empty() { "" } else { ", the vendor's word for each day" };
        let short = match no_trade / SECOND {
            0 => String::new(),
            seconds => format!(", no trade for up to {seconds} seconds"),
        };
        format!("{calendar}{halts}{vendor}{short}")
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
        match Expected::of(raw, &inputs.read, (how.grid, timeframe), how.on_duplicate, told) {
            Ok(bars) => check.against(bars),
            Err(error) if is_about_data(&error) => {
                check.raw(raw.first().map(|(path, _)| path.clone()).unwrap_or_default(), error);
            }
            Err(error) => return Err(error),
        }
    }
    for (number, (path, kind)) in inputs.files.iter().enumerate() {
        check.file(inputs, number, path, *kind, told)?;
    }
    check.finish()
}

/// The timeframe that the files' names end with, or that the directory is called after which they or their symbol's directory are
/// in: `15s`, `raw_1s`.
fn named(files: &[(PathBuf, InputKind)]) -> Option<Timeframe> {
    // A directory has a name, whatever it was called by.
    let path = &files.first()?.0;
    let path = path.canonicalize().unwrap_or_else(|_| path.clone());
    let month = path.file_name().and_then(|name| name.to_str()).and_then(Month::of);
    let of_directory = |directory: &Path| {
        let name = directory.file_name()?.to_str()?;
        name.strip_prefix("raw_").unwrap_or(name).parse().ok()
    };
    month
        .and_then(|month| month.timeframe)
        .and_then(|timeframe| timeframe.parse().ok())
        .or_else(|| path.ancestors().skip(1).take(2).find_map(of_directory))
}

/// Timeframes that are looked for in data that says none, in seconds.
const USUAL: [u64; 16] = [86_400, 28_800, 14_400, 7200, 3600, 1800, 900, 600, 300, 180, 120, 60, 30, 15, 5, 1];

/// The longest timeframe of which nearly all steps of the first bars are multiples: the step that is most frequent, or one of the
/// usual ones. Bars that are seldom are of a shorter one than any step between them.
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
    let all: u64 = steps.values().sum();
    let most = steps.iter().max_by_key(|(step, count)| (**count, std::cmp::Reverse(**step))).map(|(step, _)| *step);
    let mut likely: Vec<u64> = USUAL.iter().map(|seconds| seconds * SECOND).chain(most).collect();
    likely.sort_unstable_by_key(|nanos| std::cmp::Reverse(*nanos));
    // Of random seconds every second one is a multiple of two: what is right has more than that, and faults have the rest.
    let fits = |nanos: &u64| {
        let multiples: u64 = steps.iter().filter(|(step, _)| step.is_multiple_of(*nanos)).map(|(_, count)| count).sum();
        *nanos > 0 && multiples * 4 >= all * 3
    };
    Ok(likely.into_iter().filter(|_| all > 0).find(fits).or(most).and_then(Timeframe::of_nanos))
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
