//! The `.fxd` store: its symbols, and its bars block by block.

use std::fs::File;
use std::path::Path;

use fxd::store::{Filter, Store};
use fxd::{Bar, FxdError, Scale};

use super::Findings;
use super::amounts::{Amount, Amounts};
use super::clock;
use super::shape::{Kind, Role, Shape};
use super::tally::{Observation, Tally};

/// The fields of a bar, as `pdp fxd convert` writes them, and what they are.
const FIELDS: [(&str, Role); 7] = [
    ("timestamp", Role::Time),
    ("symbol", Role::Symbol),
    ("open", Role::Amount(Amount::Open)),
    ("high", Role::Amount(Amount::High)),
    ("low", Role::Amount(Amount::Low)),
    ("close", Role::Amount(Amount::Close)),
    ("volume", Role::Amount(Amount::Size)),
];

/// Looks into a store: with `measure` at every bar, else at symbols and spans alone. `Err` says in words why it cannot be read.
pub(crate) fn inspect(file: &File, measure: bool) -> Result<Findings, String> {
    read(file, measure).map_err(|error| match error {
        // The path that it would name is not the member's.
        FxdError::Damaged { damage, .. } => format!("damaged at {damage}"),
        FxdError::NotFxd { found, .. } => found,
        FxdError::UnsupportedVersion { version, .. } => format!("it is of version {version}, which is not known"),
        other => other.to_string(),
    })
}

fn read(file: &File, measure: bool) -> Result<Findings, FxdError> {
    let store = Store::open_file(file, Path::new("store"))?.with_cached_blocks(0);
    let mut findings = Findings { counted: true, tally: Tally::new(measure), ..Findings::default() };
    let mut looked = Looked::new(&store);
    for symbol in store.series().filter(|symbol| symbol.record_count > 0) {
        findings.symbols.note(&symbol.name);
        if measure {
            store.scan(symbol.id, 0..u64::MAX, &Filter::default(), |bars| {
                for bar in bars.iter() {
                    looked.bar(&symbol.name, &bar, &mut findings.tally);
                }
                Ok::<_, FxdError>(())
            })?;
        } else {
            // The ends of its span are what the file is placed by; the bars are counted when it is packed.
            for ts in [symbol.first_ts, symbol.last_ts] {
                findings.tally.record(Observation { time: stamp(ts), symbol: &symbol.name, ..Observation::default() });
            }
        }
    }
    if !measure {
        findings.tally.records = store.record_count();
    }
    findings.event_type = "AggregateBar".parse().ok();
    findings.guessed_type = true;
    findings.schema_version = Some(format!("fxd {}", store.header().version));
    findings.already_compressed = true;
    findings.flat = Some(looked.shape);
    Ok(findings)
}

fn stamp(ts: u64) -> Option<clock::Stamp> {
    clock::from_epoch_nanos(i64::try_from(ts).ok()?)
}

/// What was seen of the bars.
struct Looked {
    shape: Shape,
    records: u64,
    price: Scale,
    volume: Scale,
}

impl Looked {
    fn new(store: &Store) -> Self {
        let mut shape = Shape::default();
        let records = store.record_count();
        let (price, volume) = (store.info().price_scale, store.info().volume_scale);
        shape.note(Kind::Object, 1);
        shape.seen = records;
        for (at, (name, role)) in FIELDS.into_iter().enumerate() {
            let kind = match role {
                Role::Time => Kind::DateTime,
                Role::Symbol => Kind::String,
                Role::Amount(Amount::Size) if volume == Scale::VOLUME => Kind::Long,
                _ => Kind::Decimal,
            };
            if let Some((_, field)) = shape.field(name, at, || role).and_then(|at| shape.fields.get_mut(at)) {
                field.note(kind, records);
            }
        }
        Self { shape, records: 0, price, volume }
    }

    fn bar(&mut self, symbol: &str, bar: &Bar, tally: &mut Tally) {
        self.records += 1;
        let time = stamp(bar.ts);
        let mut amounts = Amounts::default();
        for (at, (_, role)) in FIELDS.into_iter().enumerate() {
            let Some((_, field)) = self.shape.fields.get_mut(at) else { continue };
            let Role::Amount(amount) = role else {
                match (role, time) {
                    (Role::Time, Some(time)) => field.stats.note_time(time.time),
                    _ => field.stats.note_text(symbol),
                }
                continue;
            };
            let (value, scale) = match amount {
                Amount::Open => (decimal(bar.open, self.price), self.price),
                Amount::High => (decimal(bar.high, self.price), self.price),
                Amount::Low => (decimal(bar.low, self.price), self.price),
                Amount::Close => (decimal(bar.close, self.price), self.price),
                _ => (decimal(i64::try_from(bar.volume).unwrap_or(i64::MAX), self.volume), self.volume),
            };
            amounts.set(amount, value);
            match i64::try_from(bar.volume) {
                Ok(volume) if amount == Amount::Size && scale == Scale::VOLUME => field.stats.note_long(volume),
                _ => field.stats.note_decimal(value, scale.decimals()),
            }
        }
        tally.record(Observation {
            line: self.records,
            time,
            symbol,
            amounts: Some(&amounts),
            ..Observation::default()
        });
    }
}

/// The number that a whole number stands for; what is shown and checked, while the file keeps the exact one.
#[expect(clippy::cast_precision_loss, reason = "prices have fewer digits than a double")]
fn decimal(value: i64, scale: Scale) -> f64 {
    value as f64 / scale.unit() as f64
}

#[cfg(test)]
mod tests {
    use fxd::store::{Existing, WriteOptions, Writer};

    use super::*;

    fn store(symbols: &[&str]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut writer = Writer::create(file.path(), WriteOptions::default()).unwrap();
        for name in symbols {
            let id = writer.symbol(name).unwrap();
            let bars: Vec<Bar> = (0..2000_u64)
                .map(|n| Bar {
                    ts: 1_704_240_000_000_000_000 + n * 60_000_000_000,
                    open: 105_432,
                    high: 105_440,
                    low: 105_430,
                    close: 105_435,
                    volume: n,
                    flags: 0,
                })
                .collect();
            writer.push(id, &bars).unwrap();
        }
        writer.finish(Existing::Replace).unwrap();
        file
    }

    #[test]
    fn bars_symbols_and_times_are_counted() {
        let file = store(&["EURUSD", "GBPUSD"]);
        let findings = inspect(&File::open(file.path()).unwrap(), true).unwrap();
        assert_eq!(findings.tally.records, 4000);
        assert_eq!((findings.symbols.first(), findings.symbols.second()), (Some("EURUSD"), Some("GBPUSD")));
        let (first, last) = findings.tally.day_range().unwrap();
        assert_eq!((first.to_string(), last.to_string()), ("2024-01-03".into(), "2024-01-04".into()));
        assert_eq!(findings.flat.unwrap().fields.len(), 7);
        let quick = inspect(&File::open(file.path()).unwrap(), false).unwrap();
        assert_eq!((quick.tally.records, quick.tally.day_range()), (4000, Some((first, last))));
    }

    #[test]
    fn damage_is_named_with_its_place() {
        let file = store(&["EURUSD"]);
        let mut bytes = std::fs::read(file.path()).unwrap();
        bytes[300] ^= 1;
        std::fs::write(file.path(), bytes).unwrap();
        let why = inspect(&File::open(file.path()).unwrap(), true).unwrap_err();
        assert!(why.contains("damaged at byte"), "{why}");
        std::fs::write(file.path(), "FXD: whatever").unwrap();
        assert!(inspect(&File::open(file.path()).unwrap(), true).is_err());
    }
}
