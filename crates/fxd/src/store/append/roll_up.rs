//! Series of longer intervals, kept right.

use std::ops::Range;

use super::{Appended, Appending, MOST_WAITING, OnTaken};
use crate::format::symbol::SymbolId;
use crate::store::rollup::Rolling;
use crate::store::storage::Storage;
use crate::{Bar, FxdError, Interval};

impl<S: Storage> Appending<S> {
    /// Makes anew what is rolled up from bars that changed.
    pub(super) fn roll_up(&mut self) -> Result<(), FxdError> {
        let changed = std::mem::take(&mut self.changed);
        let intervals = self.options.info.rollups.clone();
        // What is rolled up is not counted, and always takes the place of what it was.
        let (on_taken, before) = (std::mem::replace(&mut self.on_taken, OnTaken::Replace), self.report);
        for (id, spans) in changed {
            let name = self.symbols.get(id.position()).map_or_else(String::new, |symbol| symbol.name.clone());
            for interval in &intervals {
                let Some(series) = self.names.get(&interval.name_of(&name)).copied() else { continue };
                for span in whole(&spans, interval.nanos()) {
                    let made = self.rolled(id, *interval, &span)?;
                    self.waiting_bars += made.len();
                    self.waiting.entry((series, 0)).or_default().extend(made);
                    if self.waiting_bars > MOST_WAITING {
                        self.write_waiting()?;
                    }
                }
            }
        }
        self.write_waiting()?;
        self.on_taken = on_taken;
        let Appended { added, skipped, replaced, .. } = before;
        self.report = Appended { added, skipped, replaced, ..self.report };
        self.changed.clear();
        Ok(())
    }

    /// The bars of an interval that a symbol's bars of a span make, as they will be.
    fn rolled(&mut self, id: SymbolId, interval: Interval, span: &Range<u64>) -> Result<Vec<Bar>, FxdError> {
        let mut rolling = Rolling::new(interval);
        let (mut made, mut written) = (Vec::new(), None);
        for entry in self.reaching_into(id, span.start, span.end.saturating_sub(1))? {
            let bars = self.bars_of(&[entry], &mut written)?;
            let within = bars.into_iter().filter(|bar| span.contains(&bar.ts));
            rolling.take(within, &mut made).map_err(|error| {
                let name = self.symbols.get(id.position()).map_or("", |symbol| symbol.name.as_str());
                error.of(name, self.options.info.volume_scale)
            })?;
        }
        made.extend(rolling.finish());
        Ok(made)
    }
}

/// Spans widened to whole intervals, in order and none over another.
fn whole(spans: &[(u64, u64)], nanos: u64) -> Vec<Range<u64>> {
    let widened = |(first, last): &(u64, u64)| first - first % nanos..(last - last % nanos).saturating_add(nanos);
    let mut widened: Vec<Range<u64>> = spans.iter().map(widened).collect();
    widened.sort_by_key(|span| span.start);
    let mut whole: Vec<Range<u64>> = Vec::new();
    for span in widened {
        match whole.last_mut().filter(|last| span.start <= last.end) {
            Some(last) => last.end = last.end.max(span.end),
            None => whole.push(span),
        }
    }
    whole
}
