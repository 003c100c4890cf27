//! Whatever bytes a file holds, reading it ends with bars or an error.

use fxd::{Bar, Scale};
use pdp_bars::{BarSink, Prices, WriteOptions, parquet_sink};
use proptest::prelude::*;

use crate::support::{options, read_text, real};

fn parquet() -> Vec<u8> {
    let mut options = WriteOptions::new(Scale::PRICE, Scale::VOLUME);
    options.prices = Prices::Double;
    let mut out = Vec::new();
    let mut sink = parquet_sink(&mut out, &options).unwrap();
    let bars = (0..300_u64).map(|at| Bar {
        ts: at * 60_000_000_000,
        open: 105_432,
        high: 105_440,
        low: 105_430,
        close: 105_431,
        volume: at,
        flags: 0,
    });
    sink.write("EURUSD", &bars.collect()).unwrap();
    Box::new(sink).finish().unwrap();
    out
}

#[test]
fn parquet_cut_short_is_refused() {
    let bytes = parquet();
    for length in 0..bytes.len() {
        assert!(read_text("x.parquet", &bytes[..length], &options(5, 0)).is_err(), "cut to {length}");
    }
}

#[test]
fn parquet_with_a_byte_changed_never_panics() {
    let whole = parquet();
    for at in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            let _ = read_text("x.parquet", bytes, &options(5, 0));
        }
    }
}

#[test]
fn dbn_with_a_byte_changed_never_panics() {
    let Some(file) = real("databento/dbn_tests/test_data.ohlcv-1s.dbn") else { return };
    let whole = std::fs::read(file).unwrap();
    for at in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            let _ = read_text("x.dbn", bytes, &options(5, 0));
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        for name in ["x.csv", "x.csv.gz", "x.csv.zst", "x.zip", "x.parquet", "x.dbn", "x.dbn.zst"] {
            let _ = read_text(name, &bytes, &options(5, 0));
        }
        let _ = read_text("x.dbn", [b"DBN\x01", &bytes[..]].concat(), &options(5, 0));
        let _ = read_text("x.dbn", [b"DBN\x03\x70\0\0\0", &bytes[..]].concat(), &options(5, 0));
        let _ = read_text("x.parquet", [b"PAR1", &bytes[..], &[20, 0, 0, 0], b"PAR1"].concat(), &options(5, 0));
    }

    #[test]
    fn text_like_csv_never_panics(text in "[0-9a-z,;.:TZ \n\r\"\t-]{0,300}") {
        let _ = read_text("x.csv", &text, &options(5, 0));
        let _ = read_text("x.csv", format!("timestamp,open,high,low,close\n{text}"), &options(5, 0));
    }

    #[test]
    fn parquet_with_bytes_changed_never_panics(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = parquet();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let _ = read_text("x.parquet", bytes, &options(5, 0));
    }
}
