//! Rows gathered by symbol, and the order they must have.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use foldhash::fast::RandomState;
use fxd::Bar;

use crate::{BarsError, Ids, Order, Place, Problem, ReadOptions, Run};

/// How rows become runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) order: Order,
    /// Whether publishers and instruments have runs of their own.
    pub(crate) apart: bool,
    /// Whether instruments are not told apart all the same.
    pub(crate) merge_instruments: bool,
}

impl Rules {
    pub(crate) const fn of(options: &ReadOptions) -> Self {
        let ReadOptions { order, apart, merge_instruments, .. } = *options;
        Self { order, apart, merge_instruments }
    }
}

/// One symbol's rows of a chunk.
#[derive(Debug)]
pub(crate) struct Building {
    pub(crate) symbol: Arc<str>,
    pub(crate) bars: Vec<Bar>,
    first: Place,
    last: Place,
    /// The earliest time that the next row may have; 0 where order does not matter.
    floor: u64,
    first_publisher: Option<u32>,
    publisher: Option<u32>,
    /// Whose rows these are, where that is asked for.
    pub(crate) ids: Ids,
}

impl Building {
    fn new(symbol: Arc<str>, place: Place) -> Self {
        Self {
            symbol,
            bars: Vec::new(),
            first: place,
            last: place,
            floor: 0,
            first_publisher: None,
            publisher: None,
            ids: Ids::default(),
        }
    }

    /// Adds a row.
    #[inline]
    fn push(&mut self, bar: Bar, place: Place, publisher: Option<u32>, order: Order) -> Result<(), Problem> {
        if bar.ts < self.floor || publisher != self.publisher || self.bars.is_empty() {
            self.unusual(bar.ts, place, publisher, order)?;
        }
        if order == Order::Checked {
            self.floor = bar.ts + 1;
        }
        self.last = place;
        self.bars.push(bar);
        Ok(())
    }

    /// A first row, one out of order, or one of another publisher.
    #[cold]
    fn unusual(&mut self, ts: u64, place: Place, publisher: Option<u32>, order: Order) -> Result<(), Problem> {
        match self.bars.last() {
            None => {
                self.first = place;
                self.first_publisher = publisher;
            }
            Some(last) => {
                let before = Seen { ts: last.ts, place: self.last, publisher: self.publisher };
                before.check(&self.symbol, ts, publisher, order)?;
            }
        }
        self.publisher = publisher;
        Ok(())
    }
}

/// The last row of a symbol so far.
#[derive(Debug, Clone, Copy)]
struct Seen {
    ts: u64,
    place: Place,
    publisher: Option<u32>,
}

impl Seen {
    /// Whether a row may follow.
    fn check(self, symbol: &str, ts: u64, publisher: Option<u32>, order: Order) -> Result<(), Problem> {
        let Self { ts: previous, place, publisher: before } = self;
        if let (Some(publisher), Some(before)) = (publisher, before)
            && publisher != before
            && (ts == previous || order == Order::AsIs)
        {
            return Err(Problem::Publishers { symbol: symbol.to_owned(), ts, publisher, previous: before, place });
        }
        match (order, ts.cmp(&previous)) {
            (Order::AsIs, _) | (Order::Checked, std::cmp::Ordering::Greater) => Ok(()),
            (Order::Checked, std::cmp::Ordering::Equal) => {
                Err(Problem::Duplicate { symbol: symbol.to_owned(), ts, place })
            }
            (Order::Checked, std::cmp::Ordering::Less) => {
                Err(Problem::StepBack { symbol: symbol.to_owned(), ts, previous, place })
            }
        }
    }
}

/// The rows of a chunk so far.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    list: Vec<Building>,
    index: HashMap<Box<[u8]>, usize, RandomState>,
    /// By a symbol's first run and whose rows they are, further runs.
    further: HashMap<(usize, Ids), usize, RandomState>,
}

impl Runs {
    /// The number of a symbol's run, if it has one.
    pub(crate) fn find(&self, symbol: &[u8]) -> Option<usize> {
        self.index.get(symbol).copied()
    }

    /// The number of a symbol's run, which begins if there is none; or why this is no symbol.
    pub(crate) fn find_or_begin(&mut self, symbol: &[u8], place: Place) -> Result<usize, Problem> {
        if let Some(at) = self.find(symbol) {
            return Ok(at);
        }
        let text = std::str::from_utf8(symbol)
            .ok()
            .filter(|text| !text.chars().any(char::is_control))
            .ok_or_else(|| Problem::value("symbol", symbol, "a name in UTF-8 without control characters"))?;
        if fxd::format::symbol::check_name(text).is_err() {
            return Err(Problem::value("symbol", symbol, "a name of 1 to 31 bytes"));
        }
        let at = self.list.len();
        self.list.push(Building::new(Arc::from(text), place));
        self.index.insert(Box::from(symbol), at);
        Ok(at)
    }

    /// The symbol of a run.
    pub(crate) fn symbol(&self, at: usize) -> &str {
        self.list.get(at).map_or("", |run| &run.symbol)
    }

    /// Makes room in a run.
    pub(crate) fn reserve(&mut self, at: usize, rows: usize) {
        if let Some(run) = self.list.get_mut(at) {
            run.bars.reserve(rows);
        }
    }

    /// Adds a row to a symbol's run, or to that of its publisher and instrument.
    #[inline]
    pub(crate) fn push(&mut self, at: usize, bar: Bar, place: Place, ids: Ids, rules: Rules) -> Result<(), Problem> {
        let ids = if rules.merge_instruments { Ids { instrument: None, ..ids } } else { ids };
        let at = match self.list.get_mut(at) {
            Some(run) if rules.apart && run.ids != ids => self.apart(at, place, ids),
            _ => at,
        };
        match self.list.get_mut(at) {
            Some(run) => run.push(bar, place, ids.publisher, rules.order),
            None => Ok(()),
        }
    }

    /// The run of a publisher and instrument, which are not those of the symbol's first.
    fn apart(&mut self, first: usize, place: Place, ids: Ids) -> usize {
        if let Some(run) = self.list.get_mut(first).filter(|run| run.bars.is_empty()) {
            run.ids = ids;
            return first;
        }
        if let Some(at) = self.further.get(&(first, ids)) {
            return *at;
        }
        let Some(symbol) = self.list.get(first).map(|run| Arc::clone(&run.symbol)) else { return first };
        let at = self.list.len();
        self.list.push(Building { ids, ..Building::new(symbol, place) });
        self.further.insert((first, ids), at);
        at
    }

    /// All runs.
    pub(crate) fn into_list(self) -> Vec<Building> {
        self.list
    }
}

/// What is known of the rows of all chunks so far.
#[derive(Debug)]
pub(crate) struct Ledger {
    order: Order,
    /// The symbol to give to the one instrument of a file that has only ids.
    rename: Option<Arc<str>>,
    instrument: Option<Arc<str>>,
    seen: HashMap<(Arc<str>, Ids), Seen, RandomState>,
}

impl Ledger {
    pub(crate) fn new(order: Order, rename: Option<Arc<str>>) -> Self {
        Self { order, rename, instrument: None, seen: HashMap::default() }
    }

    /// The symbol of a run: its own, or the given one if all runs are of one instrument.
    fn name(&mut self, own: Arc<str>) -> Result<Arc<str>, Problem> {
        let Some(given) = &self.rename else { return Ok(own) };
        match &self.instrument {
            Some(first) if *first != own => Err(Problem::value(
                "instrument_id",
                own.as_bytes(),
                format!("{first}, as in the rows before: a symbol can be given to one instrument only"),
            )),
            Some(_) => Ok(Arc::clone(given)),
            None => {
                self.instrument = Some(own);
                Ok(Arc::clone(given))
            }
        }
    }

    /// Checks the runs of the next chunk against those before it. Their places are counted from `before` rows or lines on.
    pub(crate) fn admit(&mut self, file: &Path, list: Vec<Building>, before: u64) -> Result<Vec<Run>, BarsError> {
        let mut runs = Vec::with_capacity(list.len());
        for built in list {
            let (Some(first), Some(last)) = (built.bars.first(), built.bars.last()) else { continue };
            let place = built.first.later(before);
            let end = Seen { ts: last.ts, place: built.last.later(before), publisher: built.publisher };
            let symbol = self.name(built.symbol).map_err(|problem| BarsError::row(file, place, problem))?;
            let key = (symbol, built.ids);
            let symbol = match self.seen.get_key_value(&key) {
                Some(((symbol, _), seen)) => {
                    seen.check(symbol, first.ts, built.first_publisher, self.order)
                        .map_err(|problem| BarsError::row(file, place, problem))?;
                    Arc::clone(symbol)
                }
                None => key.0,
            };
            self.seen.insert((Arc::clone(&symbol), built.ids), end);
            runs.push(Run { symbol, ids: built.ids, bars: built.bars, first: place, last: end.place });
        }
        Ok(runs)
    }
}
