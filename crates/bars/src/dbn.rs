//! Bars in Databento Binary Encoding.

mod stream;

use std::io::Read;
use std::path::{Path, PathBuf};

use ::dbn::decode::{DbnDecoder, DbnMetadata, DecodeRecordRef};
use ::dbn::{OhlcvMsg, Record, SType, TsSymbolMap, VersionUpgradePolicy};
use fxd::Bar;

use self::stream::Stream;
use crate::input::Progress;
use crate::runs::{Ledger, Rules, Runs};
use crate::{BarSource, BarsError, Chunk, Fit, Ids, Place, Problem, ReadOptions};

/// How many records a chunk has.
const CHUNK: usize = 64 << 10;

/// The bars of a DBN file.
struct DbnSource {
    file: PathBuf,
    decoder: DbnDecoder<Stream<Box<dyn Read>>>,
    symbols: Option<TsSymbolMap>,
    unmapped: Unmapped,
    fit: Fit,
    rules: Rules,
    progress: Progress,
    records: u64,
    /// Bytes of all records so far.
    bytes: u64,
    /// What kind of bar the first record is.
    rtype: Option<u8>,
    ledger: Ledger,
    done: bool,
}

/// The symbol of instruments that the metadata names none for.
struct Unmapped {
    /// The one that the caller gave.
    given: Option<String>,
    /// Whether several instruments may have it, as they stay apart.
    apart: bool,
    /// The instrument that got it.
    first: Option<u32>,
}

impl Unmapped {
    /// The given symbol, for one instrument; or else the instrument's id.
    fn name(&mut self, symbols: Option<&TsSymbolMap>, id: u32) -> Result<String, Problem> {
        let problem = |expected: String| Problem::value("instrument_id", id.to_string().as_bytes(), expected);
        let Some(given) = &self.given else {
            // Its id would make a series of its own of some of its days.
            if symbols.is_some_and(|symbols| symbols.inner().contains_key(&id)) {
                return Err(problem("a symbol for it on this day too: give one with --symbol".to_owned()));
            }
            return Ok(id.to_string());
        };
        let first = *self.first.get_or_insert(id);
        if first != id && !self.apart {
            return Err(problem(format!(
                "{first}, as in the records before: a symbol can be given to one instrument only"
            )));
        }
        Ok(given.clone())
    }
}

/// Opens a DBN file, compressed or not, and reads its metadata.
pub(crate) fn open(file: &Path, options: &ReadOptions) -> Result<Box<dyn BarSource>, BarsError> {
    let (stream, progress) = stream::open(file)?;
    let broken = |error: ::dbn::Error| BarsError::file(file, format!("not a readable DBN file: {error}"));
    let decoder = DbnDecoder::with_upgrade_policy(stream, VersionUpgradePolicy::AsIs).map_err(broken)?;
    let metadata = decoder.metadata();
    let ids = metadata.stype_out == SType::InstrumentId || metadata.stype_in == Some(SType::InstrumentId);
    let symbols = if ids && !metadata.mappings.is_empty() {
        Some(TsSymbolMap::from_metadata(metadata).map_err(broken)?)
    } else {
        None
    };
    Ok(Box::new(DbnSource {
        file: file.to_owned(),
        decoder,
        symbols,
        unmapped: Unmapped { given: options.symbol.clone(), apart: options.apart, first: None },
        fit: options.fit.clone(),
        rules: Rules::of(options),
        progress,
        records: 0,
        bytes: 0,
        rtype: None,
        ledger: Ledger::new(options.order, None),
        done: false,
    }))
}

impl DbnSource {
    /// Reads the next records.
    fn read(&mut self) -> Result<Option<Chunk>, BarsError> {
        let mut runs = Runs::default();
        let mut count = 0;
        while count < CHUNK {
            let record = self
                .decoder
                .decode_record_ref()
                .map_err(|error| BarsError::file(&self.file, format!("after record {}: {error}", self.records)))?;
            let Some(record) = record else { break };
            count += 1;
            self.records += 1;
            self.bytes = self.bytes.saturating_add(u64::try_from(record.record_size()).unwrap_or(u64::MAX));
            let place = Place::Record(self.records);
            let wrong = |problem| BarsError::row(&self.file, place, problem);
            let rtype = record.header().rtype;
            let Some(bar) = record.get::<OhlcvMsg>() else {
                return Err(wrong(Problem::value(
                    "rtype",
                    rtype.to_string().as_bytes(),
                    "an OHLCV record: 32 (1 s), 33 (1 m), 34 (1 h), 35 (1 d) or 36 (end of day)",
                )));
            };
            if *self.rtype.get_or_insert(rtype) != rtype {
                return Err(wrong(Problem::value(
                    "rtype",
                    rtype.to_string().as_bytes(),
                    "that of the first record: bars of several intervals are several series",
                )));
            }
            // The record may lie unaligned, so its fields are copied.
            let (ts, publisher, id) = (bar.hd.ts_event, bar.hd.publisher_id, bar.hd.instrument_id);
            let read = bar_of(&self.fit, bar).map_err(wrong)?;
            let text;
            let symbol = match self.symbols.as_ref().and_then(|symbols| symbols.get_for_ts(ts, id)) {
                Some(symbol) => symbol,
                None => {
                    text = self.unmapped.name(self.symbols.as_ref(), id).map_err(wrong)?;
                    text.as_str()
                }
            };
            let number = runs.find_or_begin(symbol.as_bytes(), place).map_err(wrong)?;
            let instrument = Some(id).filter(|_| self.rules.apart);
            let ids = Ids { publisher: Some(publisher.into()), instrument };
            runs.push(number, read, place, ids, self.rules).map_err(wrong)?;
        }
        if count == 0 {
            // The decoder takes a record that is cut short for the end.
            let stream = self.decoder.get_ref();
            if let Some(why) = stream.failure() {
                return Err(BarsError::file(&self.file, format!("after record {}: {why}", self.records)));
            }
            let left = stream.records().saturating_sub(self.bytes);
            if left != 0 {
                let why = format!("the file ends inside record {}: {left} bytes of it are there", self.records + 1);
                return Err(BarsError::file(&self.file, why));
            }
            return Ok(None);
        }
        let runs = self.ledger.admit(&self.file, runs.into_list(), 0)?;
        Ok(Some(Chunk { runs, bytes: self.progress.take() }))
    }
}

impl BarSource for DbnSource {
    fn next(&mut self) -> Result<Option<Chunk>, BarsError> {
        if self.done {
            return Ok(None);
        }
        let result = self.read();
        self.done = !matches!(result, Ok(Some(_)));
        result
    }
}

/// A record as a bar.
fn bar_of(fit: &Fit, record: &OhlcvMsg) -> Result<Bar, Problem> {
    let ts = record.hd.ts_event;
    if ts > fxd::MAX_TS {
        return Err(Problem::value("ts_event", ts.to_string().as_bytes(), "a moment from 1970-01-01 to 2262-04-11"));
    }
    let volume = fit
        .volume_at(i128::from(record.volume), 0)
        .map_err(|refusal| fit.volume_problem(record.volume.to_string().as_bytes(), refusal))?;
    Ok(Bar {
        ts,
        open: price(fit, "open", record.open)?,
        high: price(fit, "high", record.high)?,
        low: price(fit, "low", record.low)?,
        close: price(fit, "close", record.close)?,
        volume,
        flags: 0,
    })
}

/// A price of units of 1e-9.
fn price(fit: &Fit, field: &'static str, nano: i64) -> Result<i64, Problem> {
    if nano == ::dbn::UNDEF_PRICE {
        return Err(Problem::value(field, nano.to_string().as_bytes(), "a price, not the sign for none"));
    }
    fit.price_at(i128::from(nano), 9).map_err(|refusal| {
        let exact = fxd::Scale::new(9)
            .map_or_else(String::new, |nano_scale| crate::decimal::decimal_text(i128::from(nano), nano_scale));
        fit.price_problem(field, exact.as_bytes(), refusal)
    })
}
