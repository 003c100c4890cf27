//! Merging two files of records: the union, in the order of time and sequence, identical records once.

mod order;
mod records;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};

use flate2::write::GzEncoder;
use pdp_manifest::{ContentEncoding, DataFormat};

use self::order::{Source, grouped, in_order};
use self::records::{Layout, Records};

/// What a merge came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Merged {
    /// Records in the file that was there.
    pub(crate) existing: u64,
    /// Records that only the new file has.
    pub(crate) added: u64,
    /// Records of the new file that were there already.
    pub(crate) identical: u64,
    /// Records that share time and sequence number with another that is not the same; all of them are kept.
    pub(crate) conflicting: u64,
}

/// Why two files cannot be merged record by record.
#[derive(Debug)]
pub(crate) enum MergeError {
    /// They are not of a kind whose records can be told apart and ordered.
    Unsuitable(String),
    Io(io::Error),
}

impl From<io::Error> for MergeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Unsuitable(error.to_string()),
            _ => Self::Io(error),
        }
    }
}

/// Writes the union of `existing` and `incoming` to `out`. Memory does not depend on their sizes: a file that is not in
/// order is sorted by pieces in temporary files in `scratch`.
///
/// # Errors
/// [`MergeError::Unsuitable`] when a record has no time, cannot be read, or the two have other columns.
pub(crate) fn merge(
    format: DataFormat,
    encoding: ContentEncoding,
    [existing, incoming]: [&File; 2],
    scratch: &std::path::Path,
    out: &mut dyn Write,
) -> Result<Merged, MergeError> {
    if !matches!(format, DataFormat::Jsonl | DataFormat::Csv) {
        return Err(MergeError::Unsuitable(format!("the records of {format} files are not merged")));
    }
    let layouts = [Layout::of(format, existing)?, Layout::of(format, incoming)?];
    let [mine, theirs] = &layouts;
    if !mine.is_compatible_with(theirs) {
        return Err(MergeError::Unsuitable("their columns differ".to_owned()));
    }
    let mut sources: Vec<(bool, Source)> = Vec::new();
    for (file, layout, is_new) in [(existing, mine, false), (incoming, theirs, true)] {
        let sorted = in_order(Records::open(file, layout)?)?;
        let found = match sorted {
            true => vec![Source::File(Records::open(file, layout)?)],
            false => order::sort(Records::open(file, layout)?, scratch)?,
        };
        sources.extend(found.into_iter().map(|source| (is_new, source)));
    }
    let mut encoder = Encoder::new(encoding, BufWriter::with_capacity(256 << 10, out))?;
    mine.write_head(&mut encoder)?;
    let mut merged = Merged::default();
    grouped(sources, &mut |group| {
        let mut seen: std::collections::HashMap<&[u8], bool> = std::collections::HashMap::new();
        let mut distinct = 0;
        for (is_new, record) in group {
            merged.existing += u64::from(!is_new);
            let known = seen.insert(&record.bytes, true).is_some();
            if *is_new && known {
                merged.identical += 1;
            }
            if known {
                continue;
            }
            distinct += 1;
            merged.added += u64::from(*is_new);
            encoder.write_all(&record.bytes)?;
            encoder.write_all(mine.line_end())?;
        }
        if distinct > 1 && group.first().is_some_and(|(_, record)| record.key.1.is_some()) {
            merged.conflicting += distinct;
        }
        Ok(())
    })?;
    encoder.finish()?;
    Ok(merged)
}

/// The compression that the merged file is to have.
enum Encoder<W: Write> {
    Identity(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Encoder<W> {
    fn new(encoding: ContentEncoding, out: W) -> io::Result<Self> {
        Ok(match encoding {
            ContentEncoding::Identity => Self::Identity(out),
            ContentEncoding::Gzip => Self::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            ContentEncoding::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(out, 3)?),
        })
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Identity(mut out) => out.flush(),
            Self::Gzip(encoder) => encoder.finish()?.flush(),
            Self::Zstd(encoder) => encoder.finish()?.flush(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Identity(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The content of a file with its compression, whatever it is, undone.
pub(super) fn content(file: &File) -> io::Result<Box<dyn Read + Send>> {
    let mut file = file.try_clone()?;
    io::Seek::rewind(&mut file)?;
    let mut head = Vec::new();
    (&file).take(4).read_to_end(&mut head)?;
    io::Seek::rewind(&mut file)?;
    Ok(match crate::inspect::sniff::encoding(&head) {
        ContentEncoding::Identity => Box::new(file),
        ContentEncoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(file))),
        ContentEncoding::Zstd => Box::new(zstd::stream::read::Decoder::new(file)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn run(format: DataFormat, one: &str, other: &str) -> Result<(String, Merged), MergeError> {
        let scratch = tempfile::tempdir().unwrap();
        let (one, other) = (file(one), file(other));
        let mut out = Vec::new();
        let merged = merge(format, ContentEncoding::Identity, [&one, &other], scratch.path(), &mut out)?;
        Ok((String::from_utf8(out).unwrap(), merged))
    }

    fn line(second: u32, sequence: u32, price: u32) -> String {
        format!("{{\"timestamp\":\"2024-01-03T00:00:{second:02}Z\",\"sequence\":{sequence},\"price\":{price}}}\n")
    }

    #[test]
    fn the_union_is_ordered_and_identical_records_are_there_once() {
        let one = [line(1, 1, 10), line(3, 3, 10), line(5, 5, 10)].concat();
        let other = [line(2, 2, 10), line(3, 3, 10), line(5, 5, 11), line(5, 4, 1)].concat();
        let (text, merged) = run(DataFormat::Jsonl, &one, &other).unwrap();
        let expected =
            [line(1, 1, 10), line(2, 2, 10), line(3, 3, 10), line(5, 4, 1), line(5, 5, 10), line(5, 5, 11)].concat();
        assert_eq!(text, expected);
        assert_eq!(merged, Merged { existing: 3, added: 3, identical: 1, conflicting: 2 });
        let (again, merged) = run(DataFormat::Jsonl, &text, &other).unwrap();
        assert_eq!((again, merged.added), (text, 0));
    }

    #[test]
    fn files_out_of_order_are_sorted_by_pieces() {
        let one: String = (0..60).rev().map(|i| line(i, i, 1)).collect();
        let other: String = (0..60).map(|i| line((i * 7) % 60, (i * 7) % 60, 2)).collect();
        let (text, merged) = run(DataFormat::Jsonl, &one, &other).unwrap();
        let expected: String = (0..60).flat_map(|i| [line(i, i, 1), line(i, i, 2)]).collect();
        assert_eq!(text, expected);
        assert_eq!(merged, Merged { existing: 60, added: 60, identical: 0, conflicting: 120 });
    }

    #[test]
    fn rows_are_merged_under_one_header() {
        let one = "timestamp,price,note\n2024-01-03T00:00:01Z,1,\"a\nb\"\n2024-01-03T00:00:03Z,3,\n";
        let other = "timestamp,price,note\n2024-01-03T00:00:02Z,2,x\n2024-01-03T00:00:03Z,3,\n";
        let (text, merged) = run(DataFormat::Csv, one, other).unwrap();
        let expected = "timestamp,price,note\n2024-01-03T00:00:01Z,1,\"a\nb\"\n2024-01-03T00:00:02Z,2,x\n2024-01-03T00:00:03Z,3,\n";
        assert_eq!(text, expected);
        assert_eq!(merged, Merged { existing: 2, added: 1, identical: 1, conflicting: 0 });
        let bare = "1704240001000,1\n1704240003000,3\n";
        let (text, _) = run(DataFormat::Csv, bare, "1704240002000,2\n").unwrap();
        assert_eq!(text, "1704240001000,1\n1704240002000,2\n1704240003000,3\n");
    }

    #[test]
    fn what_cannot_be_merged_is_said() {
        for (format, one, other, why) in [
            (DataFormat::Parquet, "", "", "not merged"),
            (DataFormat::Jsonl, "{\"a\":1}\n", "{\"a\":2}\n", "line 1 has no time"),
            (DataFormat::Jsonl, "not json\n", "", "line 1"),
            (
                DataFormat::Csv,
                "timestamp,a\n2024-01-03T00:00:01Z,1\n",
                "timestamp,b\n2024-01-03T00:00:01Z,1\n",
                "columns",
            ),
            (DataFormat::Csv, "a,b\n1,2\n", "a,b\n1,3\n", "no time"),
        ] {
            match run(format, one, other) {
                Err(MergeError::Unsuitable(reason)) => assert!(reason.contains(why), "{reason}"),
                other => panic!("{format} {one}: {other:?}"),
            }
        }
    }
}
