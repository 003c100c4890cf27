//! Bars of several files, brought into one order: what a store is made of.

mod append;
pub(crate) mod order;
mod rescale;
mod sorted;
mod store;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use fxd::{Bar, FxdError, Scale};

pub use self::append::append;
pub use self::sorted::sorted;
use crate::calendar::rfc3339;
use crate::{BarsError, Ids, Kind, Place, ReadOptions};
use order::Ordered;

/// What becomes of two bars of a symbol at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDuplicate {
    /// They are an error.
    #[default]
    Error,
    /// The first stays where both are the same in all they hold; otherwise they are an error.
    Identical,
    /// The first stays.
    First,
    /// The last stays.
    Last,
}

/// What kind of file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// One that [`open`](crate::open) reads.
    Bars(Kind),
    /// A store.
    Store,
}

impl InputKind {
    /// The kind that a name says.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension() {
            Some(end) if end.eq_ignore_ascii_case("fxd") => Some(Self::Store),
            _ => Kind::of(path).map(Self::Bars),
        }
    }
}

/// The files to read, and how.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The files, in the order in which they are read, each with its kind.
    pub files: Vec<(PathBuf, InputKind)>,
    /// How all but stores are read; the order that it asks for is not looked at.
    pub read: ReadOptions,
    /// What becomes of two bars of a symbol at one time.
    pub on_duplicate: OnDuplicate,
    /// The symbols of stores that are read, in this order; all, if none is named.
    pub symbols: Vec<String>,
}

/// Why bars could not be brought from one place to another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A file of bars.
    #[error(transparent)]
    Bars(#[from] BarsError),
    /// A store.
    #[error(transparent)]
    Store(#[from] FxdError),
    /// A bar is earlier than one of its symbol that was read before.
    #[error("{place}: {symbol}: {} steps back behind {} at {before}, expected a later time", rfc3339(*.ts), rfc3339(*.previous))]
    StepBack {
        /// The symbol.
        symbol: String,
        /// The bar's time.
        ts: u64,
        /// Where it is.
        place: Where,
        /// The time of the bar before.
        previous: u64,
        /// Where that is.
        before: Where,
    },
    /// Two bars of a symbol are at one time.
    #[error("{place}: {symbol}: {} is there already at {before}, expected one bar at a time", rfc3339(*.ts))]
    Duplicate {
        /// The symbol.
        symbol: String,
        /// The time.
        ts: u64,
        /// Where the second is.
        place: Where,
        /// Where the first is.
        before: Where,
    },
    /// Bars of a symbol come from several publishers, which must not be merged.
    #[error(
        "{place}: {symbol}: {} is from publisher {publisher}, the row at {before} from publisher {previous}: expected one publisher's \
         bars, as several are several series; --by-publisher keeps them apart",
        rfc3339(*.ts)
    )]
    Publishers {
        /// The symbol.
        symbol: String,
        /// The bar's time.
        ts: u64,
        /// The bar's publisher.
        publisher: u32,
        /// Where it is.
        place: Where,
        /// The other publisher.
        previous: u32,
        /// Where a bar of it is.
        before: Where,
    },
    /// A store has another bar at this time.
    #[error(
        "{}: {symbol}: {} is in the store already, and there {field} is {there}, not {given}",
        Listed(places), rfc3339(*.ts)
    )]
    Taken {
        /// The symbol.
        symbol: String,
        /// The time.
        ts: u64,
        /// The first field that differs.
        field: &'static str,
        /// What it is in the store.
        there: String,
        /// What it is in the input.
        given: String,
        /// Where bars of this time are in the inputs, the first two.
        places: Vec<Where>,
    },
    /// A value of a store cannot be said at the output's scale.
    #[error(
        "{}: {symbol}: {}: {field} {value} at {found} decimals cannot be said at {expected} decimals",
        path.display(), rfc3339(*.ts)
    )]
    Scale {
        /// The store.
        path: PathBuf,
        /// The symbol.
        symbol: String,
        /// The bar's time.
        ts: u64,
        /// The field.
        field: &'static str,
        /// Its value, in units of the store's scale.
        value: i128,
        /// The store's scale.
        found: Scale,
        /// The output's.
        expected: Scale,
    },
    /// Somebody asked for it to stop.
    #[error("interrupted")]
    Interrupted,
}

/// A place in one of several files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    /// The file.
    pub file: PathBuf,
    /// The first and the last place where it may be, the same if it is known.
    pub places: Option<(Place, Place)>,
}

impl std::fmt::Display for Where {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.places {
            None => Ok(()),
            Some((first, last)) if first == last => write!(f, ": {first}"),
            Some((first, last)) => write!(f, ": between {first} and {last}"),
        }
    }
}

struct Listed<'a>(&'a [Where]);

impl std::fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, place) in self.0.iter().enumerate() {
            write!(f, "{}{place}", if position == 0 { "" } else { " and " })?;
        }
        Ok(())
    }
}

/// Bars of one symbol, in the order of their file, and where they are from.
#[derive(Debug)]
pub struct Piece<'a> {
    /// The file.
    pub file: &'a Path,
    /// The symbol.
    pub symbol: &'a str,
    /// Publisher and instrument, where files are read apart.
    pub ids: Ids,
    /// The bars; never empty.
    pub bars: &'a [Bar],
    places: Option<(Place, Place)>,
}

impl Piece<'_> {
    /// Where a bar is; known where every row between the first and the last is of this piece.
    #[must_use]
    pub fn place(&self, position: usize) -> Where {
        Where { file: self.file.to_owned(), places: self.places(position) }
    }

    /// The first and the last place where a bar may be, the same if it is known.
    pub(crate) fn places(&self, position: usize) -> Option<(Place, Place)> {
        self.places.map(|(first, last)| {
            let between = last.number().saturating_sub(first.number());
            if between + 1 == self.bars.len() as u64 {
                let exact = first.later(position as u64);
                (exact, exact)
            } else if position == 0 {
                (first, first)
            } else if position + 1 == self.bars.len() {
                (last, last)
            } else {
                (first, last)
            }
        })
    }
}

/// Told of bytes as they are read, as they lie on disk; says whether to stop.
pub type Told<'a> = &'a dyn Fn(u64) -> ControlFlow<()>;

impl Inputs {
    /// Hands over all bars as they come, unordered.
    ///
    /// # Errors
    /// What reading and `take` give.
    pub fn each(
        &self,
        told: Told<'_>,
        mut take: impl FnMut(&Piece<'_>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        for (path, kind) in &self.files {
            match kind {
                InputKind::Bars(kind) => self.each_of_file(path, *kind, told, &mut take)?,
                InputKind::Store => self.each_of_store(path, told, &mut take)?,
            }
        }
        Ok(())
    }

    /// Hands over all bars of the files, which must be in order for each symbol; duplicates are dealt with as asked. Says how
    /// many bars were dropped.
    ///
    /// # Errors
    /// [`ConvertError::StepBack`] and [`ConvertError::Duplicate`], and what reading and `take` give.
    pub fn in_order(
        &self,
        told: Told<'_>,
        mut take: impl FnMut(&str, &[Bar]) -> Result<(), ConvertError>,
    ) -> Result<u64, ConvertError> {
        let mut ordered = Ordered::new(self.on_duplicate);
        let mut take = |symbol: &str, _: Ids, bars: &[Bar]| take(symbol, bars);
        self.each(told, |piece| ordered.take(piece, &mut take))?;
        ordered.finish(&mut take)
    }

    /// The first bars of the inputs, some thousands more than `most` at times, of each symbol in the order of time.
    ///
    /// # Errors
    /// What reading gives.
    pub fn sample(&self, most: usize) -> Result<Vec<Vec<Bar>>, ConvertError> {
        let mut symbols: Vec<String> = Vec::new();
        let mut series: Vec<Vec<Bar>> = Vec::new();
        let mut count = 0;
        let full = std::cell::Cell::new(false);
        let told = |_| if full.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let read = self.each(&told, |piece| {
            let position = symbols.iter().position(|known| known == piece.symbol).unwrap_or(symbols.len());
            if position == symbols.len() {
                symbols.push(piece.symbol.to_owned());
                series.push(Vec::new());
            }
            let wanted = piece.bars.get(..most - count).unwrap_or(piece.bars);
            if let Some(bars) = series.get_mut(position) {
                bars.extend_from_slice(wanted);
            }
            count += wanted.len();
            full.set(count >= most);
            Ok(())
        });
        match read {
            Err(ConvertError::Interrupted) if full.get() => {}
            other => other?,
        }
        for bars in &mut series {
            bars.sort_by_key(|bar| bar.ts);
            bars.dedup_by_key(|bar| bar.ts);
        }
        Ok(series)
    }

    /// Bars of a symbol at a time, and where they are: the first two of them.
    ///
    /// # Errors
    /// What reading gives.
    pub fn find(&self, symbol: &str, ts: u64) -> Result<Vec<(Where, Bar)>, ConvertError> {
        let mut found = Vec::new();
        let full = std::cell::Cell::new(false);
        let told = |_| if full.get() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let read = self.each(&told, |piece| {
            if piece.symbol == symbol {
                let at = piece.bars.iter().enumerate().filter(|(_, bar)| bar.ts == ts);
                found.extend(at.map(|(position, bar)| (piece.place(position), *bar)));
                full.set(found.len() >= 2);
            }
            Ok(())
        });
        match read {
            Err(ConvertError::Interrupted) if full.get() => {}
            other => other?,
        }
        found.truncate(2);
        Ok(found)
    }

    fn each_of_file(
        &self,
        path: &Path,
        kind: Kind,
        told: Told<'_>,
        take: &mut impl FnMut(&Piece<'_>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let options = ReadOptions { order: crate::Order::AsIs, ..self.read.clone() };
        let mut source = crate::open(path, Some(kind), &options)?;
        while let Some(chunk) = source.next()? {
            if told(chunk.bytes).is_break() {
                return Err(ConvertError::Interrupted);
            }
            for run in &chunk.runs {
                let places = Some((run.first, run.last));
                take(&Piece { file: path, symbol: &run.symbol, ids: run.ids, bars: &run.bars, places })?;
            }
        }
        Ok(())
    }
}
