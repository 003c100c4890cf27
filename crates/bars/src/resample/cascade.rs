//! Several timeframes in one pass.

use fxd::{Bar, Columns};

use super::roll::Roll;
use super::{Grid, Timeframe, TooMuchVolume};

/// Makes bars of several timeframes of one series, each from the coarsest of the others that it can be made of: of nine
/// timeframes from seconds on, only the first sees every bar.
#[derive(Debug)]
pub struct Cascade {
    /// From the finest to the coarsest.
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    /// Its place among the timeframes as they were given.
    place: usize,
    /// The step that it is made of; the bars themselves, if none.
    from: Option<usize>,
    roll: Roll,
    done: Vec<Bar>,
    /// Where in `done` those begin that coarser steps have not seen.
    fresh: usize,
}

impl Cascade {
    /// For these timeframes.
    #[must_use]
    pub fn new(grid: Grid, timeframes: &[Timeframe]) -> Self {
        let mut sorted: Vec<(usize, Timeframe)> = timeframes.iter().copied().enumerate().collect();
        sorted.sort_by_key(|(place, timeframe)| (timeframe.nanos(), *place));
        let steps = sorted.iter().enumerate().map(|(position, (place, timeframe))| Step {
            place: *place,
            from: (0..position).rev().find(|finer| {
                sorted.get(*finer).is_some_and(|(_, finer)| grid.makes(*finer, *timeframe) && finer != timeframe)
            }),
            roll: Roll::new(grid, *timeframe),
            done: Vec::new(),
            fresh: 0,
        });
        Self { steps: steps.collect() }
    }

    /// All bars of one series at once, in order of time: those of each timeframe, in the order of the timeframes.
    ///
    /// # Errors
    /// [`TooMuchVolume`].
    pub fn all(grid: Grid, timeframes: &[Timeframe], columns: &[Columns]) -> Result<Vec<Vec<Bar>>, TooMuchVolume> {
        let mut cascade = Self::new(grid, timeframes);
        let count: usize = columns.iter().map(Columns::len).sum();
        let first = columns.iter().find_map(|columns| columns.ts().first().copied()).unwrap_or(0);
        let last = columns.iter().rev().find_map(|columns| columns.ts().last().copied()).unwrap_or(0);
        for step in &mut cascade.steps {
            // Room that is not used costs nothing; a session can cut one more off each day.
            let nanos = step.roll.timeframe().nanos();
            let spans = (last.saturating_sub(first) / nanos).saturating_mul(2).saturating_add(2);
            step.done.reserve(usize::try_from(spans).unwrap_or(count).min(count));
        }
        for columns in columns {
            for position in 0..cascade.steps.len() {
                match cascade.steps.get_mut(position).filter(|step| step.from.is_none()) {
                    Some(step) => step.roll.take_columns(columns, &mut step.done)?,
                    None => cascade.step(position, &[])?,
                }
            }
            cascade.steps.iter_mut().for_each(|step| step.fresh = step.done.len());
        }
        for position in 0..cascade.steps.len() {
            cascade.step(position, &[])?;
            if let Some(step) = cascade.steps.get_mut(position) {
                step.done.extend(step.roll.finish());
            }
        }
        cascade.steps.sort_by_key(|step| step.place);
        Ok(cascade.steps.into_iter().map(|step| step.done).collect())
    }

    /// Takes bars in order of time, and hands over those that are complete, with the place of their timeframe.
    ///
    /// # Errors
    /// [`TooMuchVolume`], and what `take` answers.
    pub fn take<E: From<TooMuchVolume>>(
        &mut self,
        bars: &[Bar],
        mut take: impl FnMut(usize, &[Bar]) -> Result<(), E>,
    ) -> Result<(), E> {
        for position in 0..self.steps.len() {
            self.step(position, bars)?;
        }
        self.hand_over(&mut take)
    }

    /// Takes bars of columns, as [`take`](Self::take) does: quicker where they are columns already.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn take_columns<E: From<TooMuchVolume>>(
        &mut self,
        columns: &Columns,
        mut take: impl FnMut(usize, &[Bar]) -> Result<(), E>,
    ) -> Result<(), E> {
        for position in 0..self.steps.len() {
            match self.steps.get_mut(position).filter(|step| step.from.is_none()) {
                Some(step) => step.roll.take_columns(columns, &mut step.done)?,
                None => self.step(position, &[])?,
            }
        }
        self.hand_over(&mut take)
    }

    /// Hands over what is not complete: the series is at its end.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn finish<E: From<TooMuchVolume>>(
        mut self,
        mut take: impl FnMut(usize, &[Bar]) -> Result<(), E>,
    ) -> Result<(), E> {
        for position in 0..self.steps.len() {
            self.step(position, &[])?;
            if let Some(step) = self.steps.get_mut(position) {
                step.done.extend(step.roll.finish());
            }
        }
        self.hand_over(&mut take)
    }

    fn step(&mut self, position: usize, bars: &[Bar]) -> Result<(), TooMuchVolume> {
        let Some((before, rest)) = self.steps.split_at_mut_checked(position) else { return Ok(()) };
        let Some(step) = rest.first_mut() else { return Ok(()) };
        let from = step
            .from
            .and_then(|from| before.get(from))
            .map_or(bars, |from| from.done.get(from.fresh..).unwrap_or_default());
        step.roll.take(from, &mut step.done)
    }

    fn hand_over<E>(&mut self, take: &mut impl FnMut(usize, &[Bar]) -> Result<(), E>) -> Result<(), E> {
        for step in &mut self.steps {
            if !step.done.is_empty() {
                take(step.place, &step.done)?;
                step.done.clear();
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::Session;
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// The slow way: each bar to its span by itself.
    fn slow(grid: Grid, timeframe: Timeframe, bars: &[Bar]) -> Vec<Bar> {
        let mut spans: BTreeMap<u64, Vec<Bar>> = BTreeMap::new();
        for bar in bars {
            spans.entry(grid.span(timeframe, bar.ts).start).or_default().push(*bar);
        }
        let bar = |(ts, bars): (u64, Vec<Bar>)| Bar {
            ts,
            open: bars[0].open,
            high: bars.iter().map(|bar| bar.high).max().unwrap(),
            low: bars.iter().map(|bar| bar.low).min().unwrap(),
            close: bars[bars.len() - 1].close,
            volume: bars.iter().map(|bar| bar.volume).sum(),
            flags: bars.iter().fold(0, |flags, bar| flags | bar.flags),
        };
        spans.into_iter().map(bar).collect()
    }

    fn timeframes(texts: &[&str]) -> Vec<Timeframe> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn cascade(grid: Grid, timeframes: &[Timeframe], pieces: &[&[Bar]], columns: bool) -> Vec<Vec<Bar>> {
        let mut made = vec![Vec::new(); timeframes.len()];
        let mut cascade = Cascade::new(grid, timeframes);
        for piece in pieces {
            let take = |place: usize, bars: &[Bar]| {
                made[place].extend_from_slice(bars);
                Ok::<_, TooMuchVolume>(())
            };
            if columns {
                let mut columns = Columns::default();
                piece.iter().for_each(|bar| columns.push(*bar));
                cascade.take_columns(&columns, take).unwrap();
            } else {
                cascade.take(piece, take).unwrap();
            }
        }
        cascade
            .finish(|place, bars| {
                made[place].extend_from_slice(bars);
                Ok::<_, TooMuchVolume>(())
            })
            .unwrap();
        made
    }

    proptest! {
        #[test]
        fn t112_all_timeframes_are_what_a_slow_reference_makes(
            gaps in prop::collection::vec((1_u64..200, 0_u64..30, -50_i64..50, 0_u64..9, 0_u8..128), 1..400),
            start in 0_u64..2_000_000_000,
            cut in 0_usize..400,
            session in prop::option::of((prop::sample::select(vec!["America/New_York", "Australia/Lord_Howe", "UTC", "+05:30"]), 0_u32..86_400)),
        ) {
            let grid = session.map_or(Grid::Epoch, |(zone, start)| Grid::Session(Session { zone: zone.parse().unwrap(), start }));
            let mut ts = start * SECOND;
            let bars: Vec<Bar> = gaps
                .iter()
                .map(|(gap, long, price, volume, flags)| {
                    ts += gap * SECOND * if *long == 0 { 500 } else { 1 };
                    Bar { ts, open: *price, high: price + 3, low: price - 4, close: price + 1, volume: *volume, flags: *flags }
                })
                .collect();
            let all = timeframes(&["1h", "15s", "30s", "45s", "1min", "2min", "5min", "15min", "30min", "1d", "7d", "4h", "7min", "15s"]);
            let (first, second) = bars.split_at(cut.min(bars.len()));
            let made = cascade(grid, &all, &[first, second], false);
            prop_assert_eq!(&made, &cascade(grid, &all, &[first, second], true));
            let columns: Vec<Columns> = [first, second].map(|bars| bars.iter().copied().collect()).into();
            prop_assert_eq!(Cascade::all(grid, &all, &columns), Ok(made.clone()));
            for (timeframe, made) in all.iter().zip(made) {
                prop_assert_eq!(made, slow(grid, *timeframe, &bars), "{}", timeframe);
            }
        }
    }

    /// T113: nothing is lost where a month, a year or a leap day ends.
    #[test]
    fn t113_last_seconds_are_there() {
        for day in ["2024-01-31", "2024-02-29", "2023-02-28", "2024-12-31", "2000-02-29"] {
            let end = chrono::DateTime::parse_from_rfc3339(&format!("{day}T23:59:59Z")).unwrap();
            let last = u64::try_from(end.timestamp()).unwrap() * SECOND;
            let bar = |ts: u64, volume| Bar { ts, volume, ..Bar::default() };
            let bars = [bar(last - SECOND, 1), bar(last, 2), bar(last + SECOND, 4)];
            for timeframe in timeframes(&["15s", "1min", "1h", "1d"]) {
                let made = cascade(Grid::Epoch, &[timeframe], &[&bars], true).remove(0);
                assert_eq!(made.iter().map(|bar| bar.volume).collect::<Vec<_>>(), [3, 4], "{day} {timeframe}");
                assert_eq!(made[1].ts, last + SECOND);
            }
        }
    }

    #[test]
    fn volumes_that_cannot_be_added_up_are_an_error() {
        let bar = |ts: u64| Bar { ts: ts * SECOND, volume: u64::MAX / 2 + 1, ..Bar::default() };
        let mut cascade = Cascade::new(Grid::Epoch, &timeframes(&["1min"]));
        let error = cascade.take(&[bar(60), bar(61)], |_, _| Ok::<_, TooMuchVolume>(())).unwrap_err();
        assert_eq!(error, TooMuchVolume { ts: 60 * SECOND });
    }
}
