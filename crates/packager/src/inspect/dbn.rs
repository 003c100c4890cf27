//! Databento Binary Encoding.

mod fields;

use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use dbn::enums::rtype;
use dbn::{BboMsg, CbboMsg, Metadata, RecordRef, Schema};
use pdp_manifest::EventType;

use self::fields::Fields;
use super::clock::{self, Stamp};
use super::tally::{Observation, Tally};
use super::{Findings, Inspector};

/// Counts the records of a DBN stream.
#[derive(Default)]
pub(crate) struct Dbn {
    machine: DbnFsm,
    findings: Findings,
    damage: Option<String>,
    /// Looks at the values; none where records are only counted.
    fields: Option<Fields>,
    /// Records so far.
    records: u64,
}

impl Dbn {
    pub(crate) fn new(measure: bool) -> Self {
        let findings = Findings { tally: Tally::new(measure), ..Findings::default() };
        Self { fields: measure.then(Fields::default), findings, ..Self::default() }
    }

    fn metadata(&mut self, metadata: &Metadata) {
        for symbol in &metadata.symbols {
            self.findings.symbols.note(symbol);
        }
        self.findings.source = Some(metadata.dataset.clone()).filter(|name| !name.is_empty());
        // The metadata names the version that records are upgraded to while they are read.
        let version = self.machine.input_dbn_version().unwrap_or(metadata.version);
        self.findings.schema_version = Some(format!("DBN {version}"));
        self.findings.event_type = metadata.schema.map(event_type);
    }

    fn record(&mut self) {
        self.records += 1;
        let record = self.machine.last_record();
        if let (Some(fields), Some(record)) = (&mut self.fields, record)
            && fields.record(self.records, record)
        {
            return;
        }
        let time = record.and_then(|record| stamp(time_of(record)));
        self.findings.tally.record(Observation { line: self.records, time, ..Observation::default() });
    }
}

/// The time that records are in the order of. Of quotes taken at intervals, the event is the last trade, long before.
fn time_of(record: RecordRef<'_>) -> u64 {
    let quote = record.get::<BboMsg>().map(|quote| quote.ts_recv);
    let quote = quote.or_else(|| record.get::<CbboMsg>().map(|quote| quote.ts_recv));
    quote.unwrap_or_else(|| record.header().ts_event)
}

/// Whether records are quotes taken at intervals.
const fn is_sampled(rtype: u8) -> bool {
    matches!(rtype, rtype::BBO_1S | rtype::BBO_1M | rtype::CBBO_1S | rtype::CBBO_1M)
}

/// Nanoseconds since 1970; the largest value stands for "none".
fn stamp(nanos: u64) -> Option<Stamp> {
    clock::from_epoch(i64::try_from(nanos).ok()?)
}

/// The event type that holds what a schema's records hold.
fn event_type(schema: Schema) -> EventType {
    let name = match schema {
        Schema::Trades => "Trade",
        Schema::Tbbo
        | Schema::Mbp1
        | Schema::Bbo1S
        | Schema::Bbo1M
        | Schema::Cmbp1
        | Schema::Cbbo1S
        | Schema::Cbbo1M => "BboQuote",
        Schema::Mbp10 => "L2Snapshot",
        Schema::Ohlcv1S | Schema::Ohlcv1M | Schema::Ohlcv1H => "AggregateBar",
        Schema::Ohlcv1D | Schema::OhlcvEod => "HistoricalBar",
        other => other.as_str(),
    };
    name.parse().unwrap_or_else(|_| EventType::unknown())
}

impl Inspector for Dbn {
    fn feed(&mut self, bytes: &[u8]) {
        if self.damage.is_some() {
            return;
        }
        // In pieces, so that the machine's buffer stays small.
        for piece in bytes.chunks(32 << 10) {
            self.machine.write_all(piece);
            loop {
                match self.machine.process() {
                    ProcessResult::ReadMore(_) => break,
                    ProcessResult::Metadata(metadata) => self.metadata(&metadata),
                    ProcessResult::Record(()) => self.record(),
                    ProcessResult::Err(error) => {
                        let number = self.records + 1;
                        self.damage = Some(format!("record {number} cannot be read: {error}"));
                        return;
                    }
                }
            }
        }
    }

    fn finish(mut self: Box<Self>, _: bool) -> Findings {
        let left = self.machine.data().len();
        if self.damage.is_none() && left > 0 {
            self.damage = Some(format!("the last {left} bytes are no whole record"));
        }
        if let Some((mut tally, shape)) = self.fields.and_then(Fields::finish) {
            tally.add_unchecked(&self.findings.tally);
            self.findings.tally = tally;
            self.findings.flat = Some(shape);
        }
        self.findings.damage = self.damage;
        self.findings.counted = true;
        self.findings
    }
}
