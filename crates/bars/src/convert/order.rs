//! Bars that must come in order, and what becomes of duplicates.

use std::collections::HashMap;

use fxd::Bar;

use super::{ConvertError, OnDuplicate, Piece, Where};
use crate::Ids;

/// Lets bars of each symbol pass in order.
pub(crate) struct Ordered {
    on_duplicate: OnDuplicate,
    /// By symbol and whose bars they are, a number for each in the order in which they came.
    last: HashMap<(String, Ids), Last>,
    kept: Vec<Bar>,
    /// Bars that gave way to others of their time.
    dropped: u64,
}

/// The last bar of a symbol. Where the last of duplicates is to stay it was not handed on yet.
struct Last {
    number: usize,
    bar: Bar,
    place: Where,
}

impl Ordered {
    pub(crate) fn new(on_duplicate: OnDuplicate) -> Self {
        Self { on_duplicate, last: HashMap::new(), kept: Vec::new(), dropped: 0 }
    }

    /// Takes bars, and hands on those that stay.
    pub(crate) fn take(
        &mut self,
        piece: &Piece<'_>,
        hand_on: &mut impl FnMut(&str, Ids, &[Bar]) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let Some((first, rest)) = piece.bars.split_first() else { return Ok(()) };
        let key = (piece.symbol.to_owned(), piece.ids);
        let late = self.on_duplicate == OnDuplicate::Last;
        if !late && self.are_later(&key, piece.bars) {
            self.remember(key, piece, piece.bars.len() - 1);
            return hand_on(piece.symbol, piece.ids, piece.bars);
        }
        self.kept.clear();
        // The bars to look at, from which position on, and the one that they must come after.
        let (mut last, mut inside, mut from, bars) = match self.last.get(&key) {
            Some(last) => (last.bar, None, 0, piece.bars),
            None => (*first, Some(0), 1, rest),
        };
        if !late && from == 1 {
            self.kept.push(*first);
        }
        for bar in bars {
            if bar.ts > last.ts {
                self.kept.push(if late { last } else { *bar });
                (last, inside) = (*bar, Some(from));
            } else if bar.ts < last.ts || self.refuses(&last, bar) {
                return Err(self.refused(piece, from, inside, last));
            } else {
                self.dropped += 1;
                if late {
                    (last, inside) = (*bar, Some(from));
                }
            }
            from += 1;
        }
        if let Some(position) = inside {
            self.remember(key, piece, position);
        }
        if self.kept.is_empty() { Ok(()) } else { hand_on(piece.symbol, piece.ids, &self.kept) }
    }

    /// Whether every bar is later than the one before it: then all of them stay, and none need be copied.
    fn are_later(&self, key: &(String, Ids), bars: &[Bar]) -> bool {
        let before = self.last.get(key).map(|last| last.bar.ts);
        let first = bars.first().map(|bar| bar.ts);
        before.is_none_or(|before| first.is_some_and(|first| before < first))
            && bars.array_windows().all(|[one, next]| one.ts < next.ts)
    }

    fn refuses(&self, last: &Bar, bar: &Bar) -> bool {
        match self.on_duplicate {
            OnDuplicate::Error => true,
            OnDuplicate::Identical => last != bar,
            OnDuplicate::First | OnDuplicate::Last => false,
        }
    }

    /// Keeps a piece's bar as the last of its series.
    fn remember(&mut self, key: (String, Ids), piece: &Piece<'_>, position: usize) {
        let Some(bar) = piece.bars.get(position).copied() else { return };
        let number = self.last.len();
        let place = piece.place(position);
        let last = self.last.entry(key).or_insert_with(|| Last { number, bar, place: place.clone() });
        (last.bar, last.place) = (bar, place);
    }

    /// Hands on what waits, and says how many bars were dropped.
    pub(crate) fn finish(
        self,
        hand_on: &mut impl FnMut(&str, Ids, &[Bar]) -> Result<(), ConvertError>,
    ) -> Result<u64, ConvertError> {
        if self.on_duplicate != OnDuplicate::Last {
            return Ok(self.dropped);
        }
        let mut last: Vec<_> = self.last.into_iter().collect();
        last.sort_unstable_by_key(|(_, last)| last.number);
        last.iter().try_for_each(|((symbol, ids), last)| hand_on(symbol, *ids, &[last.bar]))?;
        Ok(self.dropped)
    }

    #[cold]
    fn refused(&self, piece: &Piece<'_>, at: usize, inside: Option<usize>, last: Bar) -> ConvertError {
        let symbol = piece.symbol.to_owned();
        let place = piece.place(at);
        let before = match (inside, self.last.get(&(piece.symbol.to_owned(), piece.ids))) {
            (Some(position), _) => piece.place(position),
            (None, Some(known)) => known.place.clone(),
            (None, None) => piece.place(0),
        };
        match piece.bars.get(at).map_or(last.ts, |bar| bar.ts) {
            ts if ts == last.ts => ConvertError::Duplicate { symbol, ts, place, before },
            ts => ConvertError::StepBack { symbol, ts, place, previous: last.ts, before },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Place;

    fn passed(on_duplicate: OnDuplicate, pieces: &[(&str, &[(u64, i64)])]) -> Result<Vec<(String, u64, i64)>, String> {
        let mut ordered = Ordered::new(on_duplicate);
        let mut out = Vec::new();
        let mut hand_on = |symbol: &str, _: Ids, bars: &[Bar]| {
            out.extend(bars.iter().map(|bar| (symbol.to_owned(), bar.ts, bar.open)));
            Ok(())
        };
        let mut line = 1;
        for (symbol, bars) in pieces {
            let bars: Vec<Bar> = bars.iter().map(|(ts, open)| Bar { ts: *ts, open: *open, ..Bar::default() }).collect();
            let places = Some((Place::Line(line), Place::Line(line + bars.len() as u64 - 1)));
            line += bars.len() as u64;
            let piece = Piece { file: Path::new("a.csv"), symbol, ids: Ids::default(), bars: &bars, places };
            ordered.take(&piece, &mut hand_on).map_err(|error| error.to_string())?;
        }
        ordered.finish(&mut hand_on).map_err(|error| error.to_string())?;
        out.sort();
        Ok(out)
    }

    #[test]
    fn duplicates_within_and_across_pieces_are_dealt_with_as_asked() {
        let pieces: &[(&str, &[(u64, i64)])] =
            &[("A", &[(1, 1), (2, 2), (2, 3)]), ("B", &[(1, 9)]), ("A", &[(2, 4), (3, 5), (3, 6)]), ("A", &[(3, 7)])];
        let a = |bars: &[(u64, i64)]| {
            let mut all: Vec<_> = bars.iter().map(|(ts, open)| ("A".to_owned(), *ts, *open)).collect();
            all.push(("B".to_owned(), 1, 9));
            all
        };
        assert_eq!(passed(OnDuplicate::First, pieces), Ok(a(&[(1, 1), (2, 2), (3, 5)])));
        assert_eq!(passed(OnDuplicate::Last, pieces), Ok(a(&[(1, 1), (2, 4), (3, 7)])));
        let error = passed(OnDuplicate::Error, pieces).unwrap_err();
        assert!(error.starts_with("a.csv: line 3: A: ") && error.contains("already at a.csv: line 2"), "{error}");
    }

    #[test]
    fn steps_back_are_refused_with_both_places() {
        let pieces: &[(&str, &[(u64, i64)])] = &[("A", &[(1, 1), (5, 2)]), ("B", &[(1, 9)]), ("A", &[(4, 4)])];
        for on_duplicate in [OnDuplicate::Error, OnDuplicate::First, OnDuplicate::Last] {
            let error = passed(on_duplicate, pieces).unwrap_err();
            assert!(error.starts_with("a.csv: line 4: A: ") && error.contains("at a.csv: line 2"), "{error}");
        }
    }
}
