//! CSV that is packed.

use std::io::Write;

use tempfile::TempDir;
use zip::write::SimpleFileOptions;

use crate::support::{options, read, read_text};

const TEXT: &str = "2012-02-01T05:00:00Z,1,1,1,1\n2012-02-01T05:01:00Z,2,2,2,2\n";

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn archive(members: &[(&str, &str)], method: zip::CompressionMethod) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        writer.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn packed_files_are_unpacked() {
    let plain = read_text("EURUSD.csv", TEXT, &options(5, 0)).unwrap();
    let stored = zip::CompressionMethod::Stored;
    let deflated = zip::CompressionMethod::Deflated;
    let two = [&gzip(&TEXT[..29])[..], &gzip(&TEXT[29..])].concat();
    for (name, bytes) in [
        ("EURUSD.csv.gz", gzip(TEXT)),
        ("EURUSD.csv.gz", two),
        ("EURUSD.txt.zst", zstd::encode_all(TEXT.as_bytes(), 3).unwrap()),
        ("x.zip", archive(&[("EURUSD.csv", TEXT)], deflated)),
        ("x.zip", archive(&[("a/EURUSD.CSV", TEXT)], stored)),
        ("x.zip", archive(&[("EURUSD.csv", TEXT), ("EURUSD.txt", "a report on gaps")], deflated)),
        ("x.zip", archive(&[("EURUSD.txt", TEXT)], deflated)),
    ] {
        assert_eq!(read_text(name, bytes, &options(5, 0)).unwrap(), plain, "{name}");
    }
}

#[test]
fn archives_without_one_csv_file_are_refused() {
    let stored = zip::CompressionMethod::Stored;
    for (bytes, why) in [
        (archive(&[], stored), "0 CSV files in the archive, expected exactly one"),
        (archive(&[("a.csv", TEXT), ("b.csv", TEXT)], stored), "2 CSV files in the archive"),
        (archive(&[("a.json", TEXT)], stored), "0 CSV files"),
        (b"not a zip".to_vec(), "not a readable zip archive"),
    ] {
        let error = read_text("x.zip", bytes, &options(5, 0)).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn damage_in_packed_files_is_noticed() {
    let whole = archive(&[("EURUSD.csv", TEXT)], zip::CompressionMethod::Stored);
    let at = whole.windows(4).position(|bytes| bytes == b",1,1").unwrap();
    let mut changed = whole.clone();
    changed[at + 1] = b'9';
    assert!(read_text("x.zip", changed, &options(5, 0)).unwrap_err().contains("the member is damaged"));
    for (name, bytes) in
        [("x.csv.gz", gzip(TEXT)), ("x.csv.zst", zstd::encode_all(TEXT.as_bytes(), 3).unwrap()), ("x.zip", whole)]
    {
        for length in 0..bytes.len() {
            assert!(read_text(name, &bytes[..length], &options(5, 0)).is_err(), "{name} cut to {length}");
        }
    }
}

#[test]
fn progress_adds_up_to_the_file() {
    let folder = TempDir::new().unwrap();
    let text: String = (0..200_000_u64)
        .map(|minute| format!("{},1.00001,1.00002,1.00000,1.00001,0\n", 1_637_971_200 + minute * 60))
        .collect();
    for (name, bytes) in [("x.csv", text.clone().into_bytes()), ("x.csv.gz", gzip(&text))] {
        let file = folder.path().join(name);
        std::fs::write(&file, &bytes).unwrap();
        let mut source = pdp_bars::open(&file, None, &options(5, 0)).unwrap();
        let mut sum = 0;
        while let Some(chunk) = source.next().unwrap() {
            sum += chunk.bytes;
        }
        assert_eq!(sum, u64::try_from(bytes.len()).unwrap(), "{name}");
        assert!(read(&file, &options(5, 0)).is_ok());
    }
}
