//! Symbols to instruments and back, by days.

use std::ops::Range;

use dbn::SType;
use time::Date;

use super::bars::Wanted;
use super::dataset::{Dataset, Spans};
use crate::moment::nanos;
use crate::parameters::Symbols;
use crate::refusal::Refusal;

/// What a symbol of a request stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The symbol; of a parent, one of those below it.
    pub(crate) name: String,
    /// On which days it is which instrument.
    pub(crate) spans: Vec<Span>,
}

/// Some days of a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) days: Range<Date>,
    pub(crate) instrument: u32,
    /// What the answer calls it.
    pub(crate) symbol: String,
}

/// What the symbols of a request stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resolution {
    pub(crate) resolved: Vec<Resolved>,
    /// Those that stand for nothing on some of the days.
    pub(crate) partial: Vec<String>,
    /// Those that stand for nothing.
    pub(crate) not_found: Vec<String>,
}

impl Resolution {
    /// Which instruments it names, and when.
    pub(crate) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::new();
        for span in self.resolved.iter().flat_map(|resolved| &resolved.spans) {
            wanted.entry(span.instrument).or_default().push(nanos(&span.days));
        }
        wanted
    }

    fn add(&mut self, name: &str, spans: Vec<Span>, days: &Range<Date>) {
        if spans.is_empty() {
            self.not_found.push(name.to_owned());
        } else if !covers(&spans, days) {
            self.partial.push(name.to_owned());
        }
        self.resolved.push(Resolved { name: name.to_owned(), spans });
    }
}

/// Whether the spans leave no day out.
fn covers(spans: &[Span], days: &Range<Date>) -> bool {
    let mut until = days.start;
    for span in spans {
        if span.days.start > until {
            return false;
        }
        until = until.max(span.days.end);
    }
    until >= days.end
}

/// The pairs of kinds that the API translates.
fn is_supported(from: SType, to: SType) -> bool {
    match from {
        SType::RawSymbol | SType::Continuous | SType::Parent => to == SType::InstrumentId,
        SType::InstrumentId => matches!(to, SType::RawSymbol | SType::InstrumentId),
        _ => false,
    }
}

impl Dataset {
    /// What the symbols of a request stand for on these days.
    pub(crate) fn resolve(
        &self,
        (from, to): (SType, SType),
        symbols: &Symbols,
        days: &Range<Date>,
    ) -> Result<Resolution, Refusal> {
        if !is_supported(from, to) {
            let message = format!("Symbology from `{from}` to `{to}` is not supported for dataset {}", self.name());
            return Err(Refusal::symbols(message));
        }
        let names = match (symbols, from) {
            (Symbols::These(names), _) => names.clone(),
            (Symbols::All, SType::RawSymbol) => self.symbols.keys().cloned().collect(),
            (Symbols::All, SType::InstrumentId) => self.instruments(),
            (Symbols::All, _) => return Err(Refusal::symbols(format!("ALL_SYMBOLS is not supported with `{from}`"))),
        };
        let mut resolution = Resolution::default();
        for name in &names {
            match from {
                SType::RawSymbol => resolution.add(name, instruments_of(self.symbols.get(name), days), days),
                SType::Continuous => resolution.add(name, instruments_of(self.continuous.get(name), days), days),
                SType::Parent => self.resolve_parent(&mut resolution, name, days),
                _ => resolution.add(name, self.names_of(name, to, days), days),
            }
        }
        if symbols == &Symbols::All {
            resolution.resolved.retain(|resolved| !resolved.spans.is_empty());
            (resolution.partial, resolution.not_found) = (Vec::new(), Vec::new());
        }
        Ok(resolution)
    }

    /// The answer names what is below the parent, as far as it was there on these days.
    fn resolve_parent(&self, resolution: &mut Resolution, name: &str, days: &Range<Date>) {
        let below = self.parents.get(name).map(Vec::as_slice).unwrap_or_default();
        let mut found = false;
        for raw in below {
            let spans = instruments_of(self.symbols.get(raw), days);
            if !spans.is_empty() {
                found = true;
                resolution.add(raw, spans, days);
            }
        }
        if !found {
            resolution.add(name, Vec::new(), days);
        }
    }

    /// All instruments that a raw symbol names on any day.
    fn instruments(&self) -> Vec<String> {
        let mut all: Vec<u32> = self.symbols.values().flatten().map(|(id, _)| *id).collect();
        all.sort_unstable();
        all.dedup();
        all.iter().map(u32::to_string).collect()
    }

    /// What an instrument is called.
    fn names_of(&self, instrument: &str, to: SType, days: &Range<Date>) -> Vec<Span> {
        let Ok(wanted) = instrument.parse::<u32>() else { return Vec::new() };
        let mut spans: Vec<Span> = Vec::new();
        for (raw, mine) in &self.symbols {
            let mine = mine.iter().filter(|(id, _)| *id == wanted);
            spans.extend(mine.filter_map(|(id, span)| {
                let symbol = if to == SType::RawSymbol { raw.clone() } else { id.to_string() };
                Some(Span { days: overlap(span, days)?, instrument: *id, symbol })
            }));
        }
        spans.sort_by_key(|span| span.days.start);
        spans
    }
}

fn instruments_of(spans: Option<&Spans>, days: &Range<Date>) -> Vec<Span> {
    let spans = spans.map(Vec::as_slice).unwrap_or_default();
    let within = spans.iter().filter_map(|(instrument, span)| {
        Some(Span { days: overlap(span, days)?, instrument: *instrument, symbol: instrument.to_string() })
    });
    within.collect()
}

fn overlap(a: &Range<Date>, b: &Range<Date>) -> Option<Range<Date>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    fn futures() -> Dataset {
        let (first, roll, last) = (date!(2024 - 01 - 01), date!(2024 - 03 - 15), date!(2024 - 04 - 01));
        Dataset::new("GLBX.MDP3", first..last)
            .symbol("ESH4", [(1, first..date!(2024 - 03 - 16))])
            .symbol("ESM4", [(2, first..last)])
            .continuous("ES.c.0", [(2, roll..last), (1, first..roll)])
            .parent("ES.FUT", ["ESM4", "ESH4"])
    }

    fn resolve(from: SType, to: SType, names: &[&str], days: Range<Date>) -> Resolution {
        let names = Symbols::These(names.iter().map(|name| (*name).to_owned()).collect());
        futures().resolve((from, to), &names, &days).unwrap()
    }

    const MARCH: Range<Date> = date!(2024 - 03 - 14)..date!(2024 - 03 - 18);

    #[test]
    fn a_continuous_symbol_is_another_instrument_after_the_roll() {
        let found = resolve(SType::Continuous, SType::InstrumentId, &["ES.c.0", "NQ.c.0"], MARCH);
        let spans = &found.resolved[0].spans;
        assert_eq!((spans[0].instrument, spans[0].days.end), (1, date!(2024 - 03 - 15)));
        assert_eq!((spans[1].instrument, spans[1].days.clone()), (2, date!(2024 - 03 - 15)..date!(2024 - 03 - 18)));
        assert_eq!(found.not_found, ["NQ.c.0"]);
        assert!(found.partial.is_empty() && found.resolved[1].spans.is_empty());
        assert_eq!(found.wanted()[&1], [nanos(&(date!(2024 - 03 - 14)..date!(2024 - 03 - 15)))]);
    }

    #[test]
    fn a_parent_is_what_is_below_it() {
        let found = resolve(SType::Parent, SType::InstrumentId, &["ES.FUT"], MARCH);
        let names: Vec<&str> = found.resolved.iter().map(|resolved| resolved.name.as_str()).collect();
        assert_eq!(names, ["ESH4", "ESM4"]);
        assert_eq!(found.partial, ["ESH4"], "it expires within the range");
        let later = date!(2024 - 03 - 20)..date!(2024 - 03 - 21);
        assert_eq!(resolve(SType::Parent, SType::InstrumentId, &["ES.FUT"], later).resolved.len(), 1);
    }

    #[test]
    fn an_instrument_has_its_names() {
        let found = resolve(SType::InstrumentId, SType::RawSymbol, &["2", "9", "x"], MARCH);
        assert_eq!(found.resolved[0].spans[0].symbol, "ESM4");
        assert_eq!(found.not_found, ["9", "x"]);
        let itself = resolve(SType::InstrumentId, SType::InstrumentId, &["2"], MARCH);
        assert_eq!(itself.resolved[0].spans[0].symbol, "2");
        assert!(futures().resolve((SType::Continuous, SType::RawSymbol), &Symbols::All, &MARCH).is_err());
        let all = futures().resolve((SType::RawSymbol, SType::InstrumentId), &Symbols::All, &MARCH).unwrap();
        assert_eq!((all.resolved.len(), all.partial.len()), (2, 0));
    }
}
