//! One month's bars, from the API to a file.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use databento::HistoricalClient;
use databento::dbn::decode::DbnMetadata as _;
use databento::dbn::encode::EncodeRecordTextExt as _;
use databento::dbn::encode::csv::Encoder;
use databento::dbn::{OhlcvMsg, RType, SType, Schema};
use databento::historical::DateTimeRange;
use databento::historical::timeseries::GetRangeParams;
use sha2::{Digest as _, Sha256};

use super::error::FetchError;
use super::event::{Event, Told};
use super::plan::{Month, Request};
use super::state::Entry;

/// A file that is hashed as it is written.
struct Hashed {
    file: BufWriter<File>,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A new file, in the place of whatever is called so: not of what a link leads to.
fn create(path: &Path) -> io::Result<File> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

/// How often it is asked whether to go on.
const STEP: u64 = 4096;

/// Fetches a month into a file, which must come out with so many rows: a stream that is cut short ends as a whole one does. `answered` is
/// set as soon as data come, which are paid for.
pub(super) async fn fetch(
    client: &mut HistoricalClient,
    request: &Request,
    month: &Month,
    path: &Path,
    answered: &Cell<bool>,
    told: Told<'_>,
) -> Result<Entry, FetchError> {
    let doing = format!("{} {} of {}", request.symbol, request.schema, month.month);
    let answer = |why: String| FetchError::Answer { doing: doing.clone(), why };
    let failed = |error| FetchError::io(path, error);
    let (schema, stype_in) = kinds(request)?;
    let params = GetRangeParams::builder()
        .dataset(&request.dataset)
        .symbols(request.symbol.as_str())
        .schema(schema)
        .date_time_range(range(month))
        .stype_in(stype_in)
        .stype_out(SType::InstrumentId)
        .build();
    let file = Hashed {
        file: BufWriter::with_capacity(1 << 18, create(path).map_err(failed)?),
        hash: Sha256::new(),
        bytes: 0,
    };
    let key = client.key().to_owned();
    let of_dbn = |error: databento::dbn::Error| match error {
        databento::dbn::Error::Io { source, .. } => FetchError::of(&doing, &key, databento::Error::Io(source)),
        other => FetchError::of(&doing, &key, databento::Error::Dbn(other)),
    };
    // What cannot be written is not asked for again.
    let unwritten = |error: databento::dbn::Error| match error {
        databento::dbn::Error::Io { source, .. } => failed(source),
        other => failed(io::Error::other(other.to_string())),
    };
    let mut timeseries = client.timeseries();
    let mut decoder = timeseries.get_range(&params).await.map_err(|error| FetchError::of(&doing, &key, error))?;
    answered.set(true);
    let symbols = decoder.metadata().symbol_map().map_err(of_dbn)?;
    let mut encoder = Encoder::builder(file)
        .use_pretty_px(true)
        .use_pretty_ts(true)
        .schema(Some(schema))
        .with_symbol(true)
        .write_header(true)
        .build()
        .map_err(unwritten)?;
    let (start, end) = (nanos(month.start), nanos(month.end));
    let (mut rows, mut last) = (0, 0);
    while let Some(record) = decoder.decode_record_ref().await.map_err(of_dbn)? {
        let rtype = record.header().rtype;
        let bar = record
            .get::<OhlcvMsg>()
            .filter(|_| rtype == u8::from(RType::from(schema)))
            .ok_or_else(|| answer(format!("a record of type {rtype} came, expected {schema}")))?;
        let ts = bar.hd.ts_event;
        if ts < start || ts >= end {
            let moment = crate::calendar::rfc3339(ts);
            return Err(answer(format!("a bar of {moment} came, expected {:?} to {:?}", month.start, month.end)));
        }
        if ts < last {
            return Err(answer(format!("bars out of order came, at {}", crate::calendar::rfc3339(ts))));
        }
        last = ts;
        let id = bar.hd.instrument_id;
        let symbol = symbols.get_for_ts(ts, id).map(String::as_str);
        let symbol = match symbol {
            Some(symbol) => symbol,
            None if stype_in == SType::InstrumentId && id.to_string() == request.symbol => &request.symbol,
            None => return Err(answer(format!("a bar of instrument {id} came, which was not asked for"))),
        };
        encoder.encode_record_with_sym(bar, Some(symbol)).map_err(unwritten)?;
        rows += 1;
        if rows % STEP == 0 && told(Event::Going).is_break() {
            return Err(FetchError::Interrupted);
        }
    }
    if rows != month.rows {
        return Err(answer(format!("{rows} bars came, expected {} by the API's own count", month.rows)));
    }
    let mut file = encoder.into_inner().map_err(unwritten)?;
    file.flush().and_then(|()| file.file.get_ref().sync_all()).map_err(failed)?;
    let (bytes, sha256) = (file.bytes, hex::encode(file.hash.finalize()));
    Ok(Entry { start: month.start, end: month.end, rows, bytes, sha256, last_modified: None })
}

/// What a request says in the client's words.
pub(super) fn kinds(request: &Request) -> Result<(Schema, SType), FetchError> {
    let wrong = |error: databento::dbn::Error| FetchError::Request(error.to_string());
    Ok((request.schema.parse().map_err(wrong)?, request.stype_in.parse().map_err(wrong)?))
}

/// A month's range in the client's words.
pub(super) fn range(month: &Month) -> DateTimeRange {
    DateTimeRange::from(month.start..month.end)
}

fn nanos(moment: chrono::DateTime<chrono::Utc>) -> u64 {
    moment.timestamp_nanos_opt().and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(0)
}
