//! The way through a symbol's files.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use fxd::{Bar, Scale, flags};

use super::against::Expected;
use super::gaps::{Calendar, Evidence, Tracker};
use super::report::{Finding, Findings, Kind, Report};
use super::rules;
use crate::calendar::rfc3339;
use crate::convert::{ConvertError, InputKind, Inputs, OnDuplicate, Told, Where};
use crate::market::Closure;
use crate::pipeline::{MOST_DECIMALS, Month, scaled};
use crate::resample::{Grid, Timeframe};
use crate::{BarsError, Fit, Ids, Kind as FileKind, Order, Place, Problem, ReadOptions, Zone, csv};

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
    /// The raw bars that these are made of.
    pub raw: Option<Vec<(PathBuf, InputKind)>>,
    /// How many findings of each kind are kept; all are counted.
    pub most: u64,
}

const MINUTE: u64 = 60_000_000_000;

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
    let scale = Scale::VOLUME;
    let mut read = ReadOptions::new(Fit::any(scale, scale));
    read.symbol = Some(symbol.to_owned());
    read.zone = how.zone;
    read.order = Order::AsIs;
    read.apart = true;
    let mut inputs = Inputs { files: files.to_vec(), read, on_duplicate: OnDuplicate::Error, symbols: Vec::new() };
    scaled(&mut inputs, |inputs| once(symbol, inputs, how, told))
}

fn once(symbol: &str, inputs: &Inputs, how: &Validation, told: Told<'_>) -> Result<Report, ConvertError> {
    let timeframe = match how.timeframe.or_else(|| named(&inputs.files)) {
        Some(timeframe) => Some(timeframe),
        None => step(inputs)?,
    };
    let mut findings = Findings { counts: BTreeMap::new(), kept: Vec::new(), most: how.most };
    let mut expected = None;
    if let (Some(raw), Some(timeframe)) = (&how.raw, timeframe) {
        match Expected::of(raw, &inputs.read, (how.grid, timeframe), told) {
            Ok(bars) => expected = Some(bars),
            Err(error) if is_about_data(&error) => findings.add(Kind::Raw, || Finding {
                kind: Kind::Raw,
                symbol: symbol.to_owned(),
                place: Where { file: raw.first().map(|(path, _)| path.clone()).unwrap_or_default(), places: None },
                ts: None,
                what: error.to_string(),
            }),
            Err(error) => return Err(error),
        }
    }
    let no_trade = how.no_trade.unwrap_or_else(|| match timeframe {
        Some(timeframe) if timeframe.nanos() >= 5 * MINUTE => 0,
        _ => 5 * MINUTE,
    });
    let mut check = Check {
        how,
        symbol,
        timeframe,
        no_trade,
        scales: (inputs.read.fit.price_scale, inputs.read.fit.volume_scale),
        findings,
        expected,
        report: Report {
            symbol: symbol.to_owned(),
            timeframe,
            files: 0,
            bars: 0,
            filled: 0,
            zero_volume: 0,
            first: None,
            last: None,
            counts: BTreeMap::new(),
            findings: Vec::new(),
            gaps: Vec::new(),
            volume: None,
            volume_scale: inputs.read.fit.volume_scale,
            not_covered: None,
        },
        files: &inputs.files,
        series: Vec::new(),
        numbers: HashMap::new(),
        current: 0,
        trackers: Vec::new(),
    };
    for (number, (path, kind)) in inputs.files.iter().enumerate() {
        check.report.files += 1;
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
const fn is_for_caller(problem: &Problem) -> bool {
    match problem {
        Problem::Decimals { needed: Some(needed), .. } => needed.decimals() <= MOST_DECIMALS,
        Problem::NoZone { .. } | Problem::NoSymbol => true,
        _ => false,
    }
}

/// Whether an error says that data is not as it should be, rather than that it could not be got at.
const fn is_about_data(error: &ConvertError) -> bool {
    match error {
        ConvertError::Interrupted => false,
        ConvertError::Bars(BarsError::Row { problem, .. }) => !is_for_caller(problem),
        ConvertError::Scale { .. } => false,
        ConvertError::Bars(BarsError::Read { .. } | BarsError::Write(_) | BarsError::Threads { .. }) => false,
        _ => true,
    }
}

/// Where a bar is.
#[derive(Debug, Clone, Copy)]
struct At {
    file: usize,
    places: Option<(Place, Place)>,
}

/// A series while it is read.
struct Series {
    symbol: String,
    ids: Ids,
    last: Option<(Bar, At)>,
    /// The number of its symbol's and publisher's tracker.
    tracker: usize,
}

/// What is known while files are read.
struct Check<'a> {
    how: &'a Validation,
    symbol: &'a str,
    timeframe: Option<Timeframe>,
    no_trade: u64,
    scales: (Scale, Scale),
    findings: Findings,
    expected: Option<Expected>,
    report: Report,
    files: &'a [(PathBuf, InputKind)],
    series: Vec<Series>,
    numbers: HashMap<(String, Ids), usize>,
    /// The series of the last bar.
    current: usize,
    trackers: Vec<(String, Option<u32>, Tracker)>,
}

impl Check<'_> {
    fn file(
        &mut self,
        inputs: &Inputs,
        number: usize,
        path: &Path,
        kind: InputKind,
        told: Told<'_>,
    ) -> Result<(), ConvertError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let month = Month::of(&name).map(|month| (i32::from(month.year), u32::from(month.month)));
        let done = match kind {
            InputKind::Bars(FileKind::Csv) => self.csv(inputs, (number, path), month, told),
            _ => {
                let one = Inputs { files: vec![(path.to_owned(), kind)], ..inputs.clone() };
                one.each(told, |piece| {
                    for (position, bar) in piece.bars.iter().enumerate() {
                        let at = At { file: number, places: piece.places(position) };
                        self.bar(piece.symbol, piece.ids, bar, month, at)?;
                    }
                    Ok(())
                })
            }
        };
        match done {
            Err(error) if is_about_data(&error) => {
                let (places, what) = match error {
                    ConvertError::Bars(BarsError::Row { place, problem, .. }) => {
                        (Some((place, place)), format!("{problem}; nothing behind it was read"))
                    }
                    ConvertError::Bars(BarsError::File { why, .. }) => (None, why),
                    error => (None, error.to_string()),
                };
                self.add(Kind::Unreadable, self.symbol, At { file: number, places }, None, what);
                Ok(())
            }
            done => done,
        }
    }

    fn csv(
        &mut self,
        inputs: &Inputs,
        (number, path): (usize, &Path),
        month: Option<(i32, u32)>,
        told: Told<'_>,
    ) -> Result<(), ConvertError> {
        let input = crate::input::open(path)?;
        let told = |bytes| if told(bytes).is_break() { Err(ConvertError::Interrupted) } else { Ok(()) };
        csv::rows(path, input, &inputs.read, told, |place: Place, row| {
            let at = At { file: number, places: Some((place, place)) };
            match row {
                Ok(row) => self.bar(row.symbol, row.ids, &row.bar, month, at),
                Err(problem) if is_for_caller(&problem) => {
                    Err(BarsError::Row { file: path.to_owned(), place, problem }.into())
                }
                Err(Problem::Value { field, value, .. }) if field == "volume" && value.starts_with('-') => {
                    let what = format!("volume is {value}, expected none below zero");
                    self.add(Kind::NegativeVolume, self.symbol, at, None, what);
                    Ok(())
                }
                Err(problem) => {
                    self.add(Kind::Unreadable, self.symbol, at, None, problem.to_string());
                    Ok(())
                }
            }
        })
    }

    fn place(&self, at: At) -> Where {
        Where { file: self.files.get(at.file).map(|(path, _)| path.clone()).unwrap_or_default(), places: at.places }
    }

    fn add(&mut self, kind: Kind, symbol: &str, at: At, ts: Option<u64>, what: String) {
        let file = self.files.get(at.file).map(|(path, _)| path.clone()).unwrap_or_default();
        let place = Where { file, places: at.places };
        self.findings.add(kind, || Finding { kind, symbol: symbol.to_owned(), place, ts, what });
    }

    /// The number of a bar's series.
    fn number(&mut self, symbol: &str, ids: Ids) -> usize {
        if self.series.get(self.current).is_some_and(|series| series.ids == ids && series.symbol == symbol) {
            return self.current;
        }
        let key = (symbol.to_owned(), ids);
        if let Some(number) = self.numbers.get(&key) {
            return *number;
        }
        let same = |(one, publisher, _): &(String, Option<u32>, Tracker)| one == symbol && *publisher == ids.publisher;
        let tracker = self.trackers.iter().position(same).unwrap_or_else(|| {
            self.trackers.push((symbol.to_owned(), ids.publisher, Tracker::default()));
            self.trackers.len() - 1
        });
        let number = self.series.len();
        self.series.push(Series { symbol: symbol.to_owned(), ids, last: None, tracker });
        self.numbers.insert(key, number);
        number
    }

    fn bar(
        &mut self,
        symbol: &str,
        ids: Ids,
        bar: &Bar,
        month: Option<(i32, u32)>,
        at: At,
    ) -> Result<(), ConvertError> {
        let made_up = bar.flags & flags::GAP != 0;
        self.values(symbol, bar, made_up, at);
        let mut end = bar.ts + 1;
        if let Some(timeframe) = self.timeframe {
            let span = self.how.grid.span(timeframe, bar.ts);
            end = span.end;
            if span.start != bar.ts {
                let what = format!("bars of {timeframe} begin at {} or {}", rfc3339(span.start), rfc3339(span.end));
                self.add(Kind::Alignment, symbol, at, Some(bar.ts), what);
            }
        }
        if let Some((year, number)) = month.filter(|month| *month != crate::pipeline::month_of(bar.ts)) {
            let what = format!("the file's name says {year:04}-{number:02}");
            self.add(Kind::Month, symbol, at, Some(bar.ts), what);
        }
        self.current = self.number(symbol, ids);
        let last = self.series.get(self.current).and_then(|series| series.last);
        if let Some((last, before)) = last.filter(|(last, _)| bar.ts <= last.ts) {
            self.repeated(symbol, bar, at, &last, before);
            return Ok(());
        }
        if let Some(series) = self.series.get_mut(self.current) {
            series.last = Some((*bar, at));
        }
        if made_up {
            return Ok(());
        }
        if let Some(expected) = &mut self.expected {
            let files = self.files;
            let place = || Where {
                file: files.get(at.file).map(|(path, _)| path.clone()).unwrap_or_default(),
                places: at.places,
            };
            expected.check(symbol, ids, bar, &place, &mut self.findings)?;
        }
        let (tracker, files) = (self.series.get(self.current).map_or(0, |series| series.tracker), self.files);
        if let Some((_, _, tracker)) = self.trackers.get_mut(tracker) {
            let place = || Where {
                file: files.get(at.file).map(|(path, _)| path.clone()).unwrap_or_default(),
                places: at.places,
            };
            tracker.note(bar.ts, end, self.no_trade, place);
        }
        Ok(())
    }

    /// What a bar must be by itself.
    fn values(&mut self, symbol: &str, bar: &Bar, made_up: bool, at: At) {
        let (price_scale, volume_scale) = self.scales;
        let report = &mut self.report;
        report.bars += 1;
        report.first = Some(report.first.map_or(bar.ts, |first| first.min(bar.ts)));
        report.last = Some(report.last.map_or(bar.ts, |last| last.max(bar.ts)));
        report.filled += u64::from(made_up);
        report.zero_volume += u64::from(bar.volume == 0);
        let mut broken = Vec::new();
        rules::broken(bar, price_scale, |kind, what| broken.push((kind, what)));
        if bar.volume == 0 && !made_up && !self.how.zero_volume {
            broken.push((Kind::ZeroVolume, "volume is 0".to_owned()));
        }
        for (kind, what) in broken {
            if kind != Kind::NegativePrice || !self.how.negative_prices {
                let what = format!("{what} ({})", rules::shown(bar, price_scale, volume_scale));
                self.add(kind, symbol, at, Some(bar.ts), what);
            }
        }
    }

    /// A bar that is not later than the one before it.
    #[cold]
    fn repeated(&mut self, symbol: &str, bar: &Bar, at: At, last: &Bar, before: At) {
        let before = self.place(before);
        let shown = |bar: &Bar| rules::shown(bar, self.scales.0, self.scales.1);
        let (kind, what) = if bar.ts < last.ts {
            (Kind::Order, format!("it steps back behind {} at {before}", rfc3339(last.ts)))
        } else if last == bar {
            (Kind::Duplicate, format!("the same bar is at {before}"))
        } else {
            (Kind::Duplicate, format!("{}, but at {before} {}", shown(bar), shown(last)))
        };
        self.add(kind, symbol, at, Some(bar.ts), what);
    }

    fn finish(mut self, last: &Path) -> Result<Report, ConvertError> {
        let evidence = Evidence {
            calendar: self.how.calendar.clone(),
            halts: self.how.halts.clone(),
            conditions: self.how.conditions.clone(),
            raw: self.expected.is_some(),
            no_trade: self.no_trade,
            zone: self.how.zone,
        };
        for (symbol, publisher, tracker) in std::mem::take(&mut self.trackers) {
            let findings = &mut self.findings;
            let (mut gaps, not_covered) = tracker.explain(&evidence, |gap, place| {
                findings.add(Kind::Gap, || Finding {
                    kind: Kind::Gap,
                    symbol: symbol.clone(),
                    place: place.clone(),
                    ts: Some(gap.start),
                    what: format!("no bars until {}: {}", rfc3339(gap.end), gap.why),
                });
            });
            (gaps.symbol, gaps.publisher) = (symbol.clone(), publisher);
            self.report.gaps.push(gaps);
            self.report.not_covered = self.report.not_covered.or(not_covered);
        }
        if let Some(expected) = &mut self.expected {
            self.report.volume = Some(expected.finish(&mut self.findings, last)?);
        }
        self.report.counts = self.findings.counts;
        self.report.findings = self.findings.kept;
        Ok(self.report)
    }
}
