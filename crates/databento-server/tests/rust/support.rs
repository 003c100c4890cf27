//! A server with the sample, a client of it, and what the sample holds.

use std::time::Duration;

use databento::dbn::decode::DbnMetadata as _;
use databento::dbn::{Metadata, OhlcvMsg, SType, Schema};
use databento::historical::DateTimeRange;
use databento::historical::metadata::GetQueryParams;
use databento::historical::timeseries::GetRangeParams;
use databento::{HistoricalClient, Symbols};
use pdp_databento_server::{KEY, Server, Store};
use time::Date;

pub(crate) const XNAS: &str = "XNAS.ITCH";
pub(crate) const GLBX: &str = "GLBX.MDP3";

pub(crate) fn sample() -> Server {
    Server::start(Store::sample()).unwrap()
}

/// HTTP for clients. Where the whole workspace is built, the client has TLS without a provider, which the process must name.
pub(crate) fn http() -> reqwest::ClientBuilder {
    // Another test has named it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::ClientBuilder::new().no_proxy()
}

/// A client that gives up on a stalled stream after a while.
pub(crate) fn client_of(url: &str, key: &str, patience: Duration) -> HistoricalClient {
    HistoricalClient::builder()
        .base_url(url.parse().unwrap())
        .http_client_builder(http().read_timeout(patience))
        .key(key)
        .unwrap()
        .build()
        .unwrap()
}

pub(crate) fn client(server: &Server) -> HistoricalClient {
    client_of(&server.url(), KEY, Duration::from_secs(60))
}

/// Bars of one second, of one symbol, between two days.
pub(crate) fn seconds(dataset: &str, symbol: &str, start: Date, end: Date) -> GetRangeParams {
    range(dataset, Schema::Ohlcv1S, SType::RawSymbol, symbol, (start, end))
}

pub(crate) fn range(
    dataset: &str,
    schema: Schema,
    stype_in: SType,
    symbols: impl Into<Symbols>,
    times: impl Into<DateTimeRange>,
) -> GetRangeParams {
    GetRangeParams::builder()
        .dataset(dataset)
        .schema(schema)
        .stype_in(stype_in)
        .symbols(symbols)
        .date_time_range(times)
        .build()
}

/// The same question for the endpoints that count and price.
pub(crate) fn query(params: &GetRangeParams) -> GetQueryParams {
    GetQueryParams::builder()
        .dataset(&params.dataset)
        .schema(params.schema)
        .stype_in(params.stype_in)
        .symbols(params.symbols.clone())
        .date_time_range(params.date_time_range.clone())
        .maybe_limit(params.limit)
        .build()
}

/// All that is answered, or how it ended and what came until then.
pub(crate) async fn fetch(client: &mut HistoricalClient, params: &GetRangeParams) -> Fetched {
    let mut fetched = Fetched::default();
    let mut decoder = match client.timeseries().get_range(params).await {
        Ok(decoder) => decoder,
        Err(error) => return Fetched { error: Some(error), ..fetched },
    };
    fetched.metadata = Some(decoder.metadata().clone());
    loop {
        match decoder.decode_record::<OhlcvMsg>().await {
            Ok(Some(bar)) => fetched.bars.push(bar.clone()),
            Ok(None) => return fetched,
            Err(error) => return Fetched { error: Some(error.into()), ..fetched },
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) metadata: Option<Metadata>,
    pub(crate) bars: Vec<OhlcvMsg>,
    pub(crate) error: Option<databento::Error>,
}

impl Fetched {
    /// The metadata and the bars, when all went well.
    #[track_caller]
    pub(crate) fn whole(self) -> (Metadata, Vec<OhlcvMsg>) {
        if let Some(error) = self.error {
            panic!("{error}");
        }
        (self.metadata.unwrap(), self.bars)
    }

    /// Status and case of the refusal.
    #[track_caller]
    pub(crate) fn refusal(self) -> (u16, String) {
        refusal(&self.error.expect("expected a refusal, found an answer"))
    }
}

#[track_caller]
pub(crate) fn refusal(error: &databento::Error) -> (u16, String) {
    match error {
        databento::Error::Api(error) => {
            (error.status_code.as_u16(), error.case.clone().unwrap_or_else(|| error.message.clone()))
        }
        other => panic!("expected a refusal, found {other}"),
    }
}

pub(crate) fn nanos(day: Date) -> u64 {
    u64::try_from(day.midnight().assume_utc().unix_timestamp_nanos()).unwrap()
}

/// What the sample holds of a dataset, a schema, some days and some instruments.
pub(crate) fn held(
    dataset: &str,
    schema: Schema,
    start: Date,
    end: Date,
    of: impl Fn(&OhlcvMsg) -> bool,
) -> Vec<OhlcvMsg> {
    let store = Store::sample();
    let bars = store.get(dataset).unwrap().all_bars(schema).iter();
    let within = bars.filter(|bar| (nanos(start)..nanos(end)).contains(&bar.hd.ts_event));
    within.filter(|bar| of(bar)).cloned().collect()
}
