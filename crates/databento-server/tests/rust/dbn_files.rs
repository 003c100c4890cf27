//! Serving what a DBN file holds.

use std::io::Write as _;
use std::path::Path;

use databento::dbn::{SType, Schema, SymbolIndex as _};
use databento::historical::DateTimeRange;
use pdp_databento_server::{Server, Store};

use crate::support::{client, fetch, range};

/// Real files beside the workspace, which are not part of it.
const FILES: [&str; 3] = [
    "databento/futures_ohlcv-1m_2024-07-01T23-40_2024-07-02T00-10.dbn.zst",
    "databento/dbn_tests/test_data.ohlcv-1h.dbn",
    "databento/dbn_tests/test_data.ohlcv-1s.v2.dbn.zst",
];

#[tokio::test]
async fn real_files_are_answered_as_they_were_recorded() {
    for name in FILES {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
        if !file.exists() {
            let _ = writeln!(std::io::stderr(), "SKIPPED: no real data at ../shared/data/{name}");
            continue;
        }
        let store = Store::from_dbn(&file).unwrap();
        let dataset = store.datasets().next().unwrap();
        let (dataset, schema) = [Schema::Ohlcv1S, Schema::Ohlcv1M, Schema::Ohlcv1H]
            .into_iter()
            .find(|schema| !dataset.all_bars(*schema).is_empty())
            .map(|schema| (dataset.name().to_owned(), schema))
            .unwrap();
        let bars = store.get(&dataset).unwrap().all_bars(schema).to_vec();
        let symbol = if name.contains("futures") { "NQU4" } else { "ESH1" };
        let server = Server::start(store).unwrap();
        let (first, last) = (bars[0].hd.ts_event, bars.last().unwrap().hd.ts_event);
        let times = DateTimeRange::try_from((first, last + 1)).unwrap();
        let asked = range(&dataset, schema, SType::RawSymbol, symbol, times);
        let (metadata, found) = fetch(&mut client(&server), &asked).await.whole();
        let symbols = metadata.symbol_map().unwrap();
        assert!(!found.is_empty());
        assert!(found.iter().all(|bar| symbols.get_for_rec(bar).is_some_and(|name| name == symbol)));
        let id = found[0].hd.instrument_id;
        assert_eq!(found, bars.into_iter().filter(|bar| bar.hd.instrument_id == id).collect::<Vec<_>>());
    }
}
