//! The way through the rows of a symbol's files.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use fxd::{Bar, Scale, flags};

use super::against::Expected;
use super::check::{Validation, is_about_data, is_for_caller};
use super::gaps::{Evidence, Tracker};
use super::report::{Finding, Findings, Kind, Report};
use super::rules;
use crate::calendar::rfc3339;
use crate::convert::{ConvertError, InputKind, Inputs, Told, Where};
use crate::decimal::decimal_text;
use crate::pipeline::Month;
use crate::resample::Timeframe;
use crate::{BarsError, Ids, Kind as FileKind, Place, Problem, csv};

const MINUTE: u64 = 60_000_000_000;

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
pub(super) struct Check<'a> {
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

impl<'a> Check<'a> {
    /// Before anything is read.
    pub(super) fn new(symbol: &'a str, inputs: &'a Inputs, how: &'a Validation, timeframe: Option<Timeframe>) -> Self {
        let no_trade = how.no_trade.unwrap_or_else(|| match timeframe {
            Some(timeframe) if timeframe.nanos() >= 5 * MINUTE => 0,
            _ => 5 * MINUTE,
        });
        Self {
            how,
            symbol,
            timeframe,
            no_trade,
            scales: (inputs.read.fit.price_scale, inputs.read.fit.volume_scale),
            findings: Findings { counts: BTreeMap::new(), kept: Vec::new(), most: how.most },
            expected: None,
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
                explained_by: String::new(),
                not_covered: None,
            },
            files: &inputs.files,
            series: Vec::new(),
            numbers: HashMap::new(),
            current: 0,
            trackers: Vec::new(),
        }
    }

    /// Has bars held against those that raw ones make.
    pub(super) fn against(&mut self, expected: Expected) {
        self.expected = Some(expected);
    }

    /// Adds what is wrong with the raw data as a whole.
    pub(super) fn raw(&mut self, file: PathBuf, error: ConvertError) {
        let symbol = self.symbol.to_owned();
        let what = error.to_string();
        let (place, ts) = match error {
            ConvertError::Bars(BarsError::Row { file, place, .. }) => {
                (Where { file, places: Some((place, place)) }, None)
            }
            ConvertError::Duplicate { place, ts, .. }
            | ConvertError::StepBack { place, ts, .. }
            | ConvertError::Publishers { place, ts, .. } => (place, Some(ts)),
            _ => (Where { file, places: None }, None),
        };
        self.findings.add(Kind::Raw, || Finding { kind: Kind::Raw, symbol, place, ts, what });
    }

    /// Looks at a file's rows.
    pub(super) fn file(
        &mut self,
        inputs: &Inputs,
        number: usize,
        path: &Path,
        kind: InputKind,
        told: Told<'_>,
    ) -> Result<(), ConvertError> {
        self.report.files += 1;
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
                let negative = what.starts_with("volume is \"-");
                let kind = if negative { Kind::NegativeVolume } else { Kind::Unreadable };
                self.add(kind, self.symbol, At { file: number, places }, None, what);
                if let Some(expected) = &mut self.expected {
                    expected.is_incomplete();
                }
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
                Err(csv::BadRow { problem, .. }) if is_for_caller(&problem) => {
                    Err(BarsError::Row { file: path.to_owned(), place, problem }.into())
                }
                Err(csv::BadRow { problem: Problem::Value { field, value, .. }, text, ts })
                    if field == "volume" && value.starts_with('-') =>
                {
                    let row = crate::problem::shown(text);
                    let what = format!("volume is {value}, expected none below zero (the row is \"{row}\")");
                    self.add(Kind::NegativeVolume, self.symbol, at, ts, what);
                    Ok(())
                }
                Err(csv::BadRow { problem, text, ts }) => {
                    let what = format!("{problem} (the row is \"{}\")", crate::problem::shown(text));
                    self.add(Kind::Unreadable, self.symbol, at, ts, what);
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
            self.filled(symbol, ids, bar, at, last.map(|(last, _)| last));
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

    /// A bar that is said to be made up: at the last price, without volume.
    fn filled(&mut self, symbol: &str, bar_ids: Ids, bar: &Bar, at: At, last: Option<Bar>) {
        let (price_scale, volume_scale) = self.scales;
        if bar.volume != 0 {
            if let Some(expected) = &mut self.expected {
                expected.add(bar.volume);
            }
            let what =
                format!("flagged as made up, with a volume of {}", decimal_text(bar.volume.into(), volume_scale));
            self.add(Kind::Volume, symbol, at, Some(bar.ts), what);
        }
        if self.expected.as_ref().is_some_and(|expected| !expected.goes_on(symbol, bar_ids, bar.ts)) {
            let what = "flagged as made up, but the raw data have no bars behind it".to_owned();
            self.add(Kind::Extra, symbol, at, Some(bar.ts), what);
        }
        let Some(close) = last.map(|last| last.close) else {
            let what = "flagged as made up, but no bar is before it".to_owned();
            self.add(Kind::Price, symbol, at, Some(bar.ts), what);
            return;
        };
        if [bar.open, bar.high, bar.low, bar.close] != [close; 4] {
            let what = format!(
                "flagged as made up, but not at the last price {} ({})",
                decimal_text(close.into(), price_scale),
                rules::shown(bar, price_scale, volume_scale)
            );
            self.add(Kind::Price, symbol, at, Some(bar.ts), what);
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

    /// Explains gaps, and gives what was found.
    pub(super) fn finish(mut self) -> Result<Report, ConvertError> {
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
        let learned = self.report.gaps.iter().any(|gaps| gaps.learned.is_some());
        self.report.explained_by = self.how.explained_by(self.no_trade, learned);
        if let Some(expected) = &mut self.expected {
            self.report.volume = Some(expected.finish(&mut self.findings, self.files)?);
        }
        self.report.counts = self.findings.counts;
        self.report.findings = self.findings.kept;
        Ok(self.report)
    }
}
