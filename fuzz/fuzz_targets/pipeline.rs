//! Whatever files of bars hold, the pipeline ends with a report, bars or an error.
//!
//! The first byte chooses: rows of a CSV file that are validated, a LEAN file that is read, calendars.
#![no_main]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::ops::ControlFlow;

use libfuzzer_sys::fuzz_target;
use pdp_bars::convert::{InputKind, OnDuplicate};
use pdp_bars::pipeline::Month;
use pdp_bars::resample::Grid;
use pdp_bars::validate::{Calendar, Validation, validate};
use pdp_bars::{Fit, Kind, Order, QuoteSide, ReadOptions, Zone, market, open};

const LEAN: [&str; 4] = [
    "equity_usa_second_a_20131007_trade.zip",
    "forex_oanda_minute_a_20131007_quote.zip",
    "crypto_x_minute_a_20131007_trade.zip",
    "a.zip",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let directory = pdp_fuzz::directory();
    if choice % 4 == 0 {
        let text = String::from_utf8_lossy(bytes);
        let _ = Month::of(&text);
        for closures in [market::closures_of(&text, Some(Zone::UTC)).ok(), market::sessions_of(&text, None).ok()] {
            assert!(closures.iter().flatten().all(|closure| closure.start < closure.end), "a closure that is none");
        }
    } else if choice % 4 == 1 {
        let name = LEAN[usize::from(choice / 4) % LEAN.len()];
        let path = directory.path().join("equity/usa/daily").join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("room for a temporary file");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("room for a temporary file"));
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file("a.csv", options).and_then(|()| Ok(zip.write_all(bytes)?)).expect("a member");
        zip.finish().expect("an archive");
        let mut options = ReadOptions::new(Fit::version_1());
        options.order = Order::AsIs;
        options.side = [QuoteSide::Mid, QuoteSide::Bid, QuoteSide::Ask][usize::from(choice / 16) % 3];
        let Ok(mut source) = open(&path, Some(Kind::Lean), &options) else { return };
        while let Ok(Some(_)) = source.next() {}
    } else {
        let path = directory.path().join("A_2024_01_1min.csv");
        std::fs::write(&path, bytes).expect("room for a temporary file");
        let files = vec![(path, InputKind::Bars(Kind::Csv))];
        let how = Validation {
            timeframe: None,
            grid: Grid::Epoch,
            zone: Some(Zone::EST),
            negative_prices: false,
            zero_volume: false,
            calendar: Calendar::Named(market::Market::Fx),
            halts: Vec::new(),
            conditions: BTreeMap::new(),
            no_trade: None,
            merge_instruments: choice & 4 != 0,
            raw: (choice % 4 == 3).then(|| files.clone()),
            on_duplicate: [OnDuplicate::Identical, OnDuplicate::Last][usize::from(choice / 8) % 2],
            most: 10,
        };
        if let Ok(report) = validate("A", &files, &how, &|_| ControlFlow::Continue(())) {
            assert!(report.findings.len() as u64 <= report.found(), "more findings than were counted");
        }
    }
});
