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

/// A zip of LEAN's with rows of quotes.
fn lean() -> Vec<u8> {
    use std::io::Write as _;
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    out.start_file("20140507_a_minute_quote.csv", zip::write::SimpleFileOptions::default()).unwrap();
    for minute in 0..200 {
        writeln!(out, "{},1.1,1.3,1.0,1.2,5,1.2,1.4,1.1,1.{minute},5", minute * 60_000).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// Reads a LEAN file to its end; how many bars it has.
fn read_lean(directory: &tempfile::TempDir, bytes: &[u8]) -> Result<usize, pdp_bars::BarsError> {
    let path = directory.path().join("forex_oanda_minute_a_20140507_quote.zip");
    std::fs::write(&path, bytes).unwrap();
    let mut source = pdp_bars::open(&path, Some(pdp_bars::Kind::Lean), &options(9, 0))?;
    let mut count = 0;
    while let Some(chunk) = source.next()? {
        count += chunk.runs.iter().map(|run| run.bars.len()).sum::<usize>();
    }
    Ok(count)
}

#[test]
fn lean_cut_short_or_changed_is_refused_or_whole() {
    let (directory, whole) = (tempfile::tempdir().unwrap(), lean());
    assert_eq!(read_lean(&directory, &whole).unwrap(), 200);
    for length in 0..whole.len() {
        assert!(read_lean(&directory, &whole[..length]).is_err(), "cut to {length}");
    }
    for at in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= change;
            if let Ok(count) = read_lean(&directory, &bytes) {
                assert_eq!(count, 200, "byte {at} changed by {change}");
            }
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
