//! What a file holds: looked at while its bytes go by.
//!
//! An [`Inspection`] takes a file's bytes in pieces of any size, undoes its compression and hands the content to the
//! inspector of its format. What comes out is independent of how the bytes were cut.

pub(crate) mod amounts;
pub(crate) mod clock;
mod columns;
pub(crate) mod conform;
pub(crate) mod csv;
mod dbn;
pub(crate) mod dialect;
mod fxd;
mod jsonl;
pub(crate) mod number;
mod parquet;
pub(crate) mod record;
pub(crate) mod shape;
pub(crate) mod sniff;
pub(crate) mod stats;
pub(crate) mod tally;
mod template;

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use flate2::write::MultiGzDecoder;
use pdp_manifest::quality::MAX_LINES_LISTED;
use pdp_manifest::{ContentEncoding, CsvDialect, DataFormat, EventType};

use self::conform::JsonSchema;
use self::shape::Shape;
use self::tally::Tally;

/// Takes the content of a file, its compression undone.
pub(crate) trait Inspector: Send {
    /// The next bytes.
    fn feed(&mut self, bytes: &[u8]);

    /// There are no more; `torn` when there should have been, so that the last piece may be cut anywhere.
    fn finish(self: Box<Self>, torn: bool) -> Findings;
}

/// What a file holds.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) tally: Tally,
    /// Whether the records were counted at all.
    pub(crate) counted: bool,
    pub(crate) symbols: Symbols,
    /// Of the first record, or as the columns tell.
    pub(crate) event_type: Option<EventType>,
    pub(crate) source: Option<String>,
    pub(crate) schema_version: Option<String>,
    pub(crate) csv: Option<CsvDialect>,
    /// The records as JSON has them.
    pub(crate) nested: Option<Shape>,
    /// The records as columns.
    pub(crate) flat: Option<Shape>,
    /// What is wrong with the file as a whole.
    pub(crate) damage: Option<String>,
    /// Whether some cell of a CSV file is in another encoding.
    pub(crate) not_utf8: bool,
    /// Whether the format compresses inside.
    pub(crate) already_compressed: bool,
    /// Whether [`event_type`](Self::event_type) is a guess by the columns, which a path outweighs.
    pub(crate) guessed_type: bool,
    /// Bytes with the file's own compression undone.
    pub(crate) uncompressed_size: u64,
    /// Records that are not as their schema says.
    pub(crate) violations: Violations,
}

/// Records that are not as their schema says.
#[derive(Debug, Default)]
pub(crate) struct Violations {
    pub(crate) count: u64,
    /// Of the first ones.
    pub(crate) lines: Vec<u64>,
    /// What is wrong with the first.
    pub(crate) first: Option<String>,
}

impl Violations {
    fn add(&mut self, line: u64, violation: String) {
        self.count += 1;
        if self.lines.len() < MAX_LINES_LISTED {
            self.lines.push(line);
        }
        self.first.get_or_insert(violation);
    }
}

/// The symbols that records name.
#[derive(Debug, Default, Clone)]
pub(crate) struct Symbols {
    first: Option<String>,
    second: Option<String>,
}

impl Symbols {
    pub(crate) fn note(&mut self, symbol: &str) {
        if symbol.is_empty() || self.first.as_deref() == Some(symbol) || self.second.is_some() {
            return;
        }
        if self.first.is_none() {
            self.first = Some(symbol.to_owned());
        } else {
            self.second = Some(symbol.to_owned());
        }
    }

    /// The first record's.
    pub(crate) fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Another than the first, where records differ.
    pub(crate) fn second(&self) -> Option<&str> {
        self.second.as_deref()
    }
}

/// A file being looked at.
pub(crate) struct Inspection {
    decoder: Option<Decoder>,
    /// Why the compression could not be undone to the end; what follows is not looked at.
    torn: Option<String>,
}

enum Decoder {
    Identity(Feed),
    Gzip(Box<MultiGzDecoder<Feed>>),
    Zstd(Box<zstd::stream::write::Decoder<'static, Feed>>),
}

/// Counts the content and hands it on.
struct Feed {
    inspector: Box<dyn Inspector>,
    size: u64,
}

impl Write for Feed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.size = self.size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.inspector.feed(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Content whose records are not looked at.
struct Opaque;

impl Inspector for Opaque {
    fn feed(&mut self, _: &[u8]) {}

    fn finish(self: Box<Self>, _: bool) -> Findings {
        Findings::default()
    }
}

/// Largest window of a zstd frame, as a power of two: 128 MiB.
const ZSTD_WINDOW_LOG: u32 = 27;

impl Inspection {
    /// A file of this format and compression. What needs to be read at random goes by unseen; see [`at_random`].
    /// With `measure`, the values of the records are looked at, and not only counted.
    pub(crate) fn new(format: DataFormat, encoding: ContentEncoding, measure: bool) -> Self {
        let inspector: Box<dyn Inspector> = match format {
            DataFormat::Jsonl => Box::new(jsonl::Jsonl::new(measure)),
            DataFormat::Csv => Box::new(csv::Csv::new(measure)),
            DataFormat::Dbn => Box::new(dbn::Dbn::new(measure)),
            DataFormat::Parquet | DataFormat::Fxd => Box::new(Opaque),
        };
        Self::by(inspector, encoding)
    }

    /// A file of JSON Lines whose records must be as the schema says.
    pub(crate) fn held_to(schema: Arc<JsonSchema>, encoding: ContentEncoding) -> Self {
        Self::by(Box::new(jsonl::Jsonl::held_to(schema)), encoding)
    }

    fn by(inspector: Box<dyn Inspector>, encoding: ContentEncoding) -> Self {
        let feed = Feed { inspector, size: 0 };
        let mut torn = None;
        let decoder = match encoding {
            ContentEncoding::Identity => Some(Decoder::Identity(feed)),
            ContentEncoding::Gzip => Some(Decoder::Gzip(Box::new(MultiGzDecoder::new(feed)))),
            ContentEncoding::Zstd => {
                let decoder = zstd::stream::write::Decoder::new(feed).and_then(|mut decoder| {
                    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
                    Ok(decoder)
                });
                decoder.map_err(|error| torn = Some(error.to_string())).ok().map(|d| Decoder::Zstd(Box::new(d)))
            }
        };
        Self { decoder, torn }
    }

    /// The next bytes of the file.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        if self.torn.is_some() {
            return;
        }
        let outcome = match &mut self.decoder {
            Some(Decoder::Identity(feed)) => feed.write_all(bytes),
            Some(Decoder::Gzip(decoder)) => decoder.write_all(bytes),
            Some(Decoder::Zstd(decoder)) => decoder.write_all(bytes),
            None => Ok(()),
        };
        if let Err(error) = outcome {
            self.torn = Some(error.to_string());
        }
    }

    /// There are no more bytes.
    pub(crate) fn finish(self) -> Findings {
        let mut torn = self.torn;
        let feed = match self.decoder {
            Some(Decoder::Identity(feed)) => feed,
            Some(Decoder::Gzip(mut decoder)) => {
                if let Err(error) = decoder.try_finish() {
                    torn.get_or_insert(error.to_string());
                }
                // The content before the tear has been handed on; the decoder itself is of no more use.
                std::mem::replace(decoder.get_mut(), Feed { inspector: Box::new(Opaque), size: 0 })
            }
            Some(Decoder::Zstd(mut decoder)) => {
                if let Err(error) = decoder.flush().and_then(|()| decoder.do_finish()) {
                    torn.get_or_insert(error.to_string());
                }
                decoder.into_inner()
            }
            None => Feed { inspector: Box::new(Opaque), size: 0 },
        };
        let mut findings = feed.inspector.finish(torn.is_some());
        findings.uncompressed_size = feed.size;
        if let Some(reason) = torn {
            let records = findings.tally.records;
            findings.damage = Some(format!("its compressed data is torn after {records} records: {reason}"));
        }
        findings
    }
}

/// Whether a format is read here and there, and not from its start to its end.
pub(crate) const fn is_read_at_random(format: DataFormat) -> bool {
    matches!(format, DataFormat::Parquet | DataFormat::Fxd)
}

/// Looks into a file of a format that [is read at random](is_read_at_random).
pub(crate) fn at_random(format: DataFormat, file: &File, measure: bool) -> Findings {
    let (name, looked) = match format {
        DataFormat::Fxd => ("an fxd store", fxd::inspect(file, measure)),
        _ => ("Parquet", parquet::inspect(file, measure)),
    };
    looked.unwrap_or_else(|reason| Findings {
        damage: Some(format!("it cannot be read as {name}: {reason}")),
        ..Findings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "{\"symbol\":\"A\",\"type\":\"Trade\",\"sequence\":1}\n{\"symbol\":\"A\",\"sequence\":2}\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inspect(bytes: &[u8], encoding: ContentEncoding, piece: usize) -> Findings {
        let mut inspection = Inspection::new(DataFormat::Jsonl, encoding, true);
        for part in bytes.chunks(piece) {
            inspection.feed(part);
        }
        inspection.finish()
    }

    #[test]
    fn every_member_and_frame_counts() {
        let members = [gzip(LINES.as_bytes()), gzip(b""), gzip(LINES.as_bytes())].concat();
        let frame = zstd::encode_all(LINES.as_bytes(), 3).unwrap();
        let frames = [frame.clone(), frame].concat();
        for piece in [1, 5, 100_000] {
            for (bytes, encoding) in [(&members, ContentEncoding::Gzip), (&frames, ContentEncoding::Zstd)] {
                let findings = inspect(bytes, encoding, piece);
                assert_eq!(findings.tally.records, 4, "{encoding} {piece}");
                assert_eq!(findings.damage, None, "{encoding} {piece}");
                assert_eq!(findings.uncompressed_size, 2 * LINES.len() as u64);
            }
        }
    }

    #[test]
    fn what_comes_before_a_tear_counts() {
        let many = LINES.repeat(500);
        let whole = gzip(many.as_bytes());
        let torn = [whole.clone(), whole[..whole.len() / 2].to_vec()].concat();
        let findings = inspect(&torn, ContentEncoding::Gzip, 777);
        assert!((1000..2000).contains(&findings.tally.records), "{}", findings.tally.records);
        assert!(findings.damage.is_some_and(|text| text.contains("torn")));

        let frame = zstd::encode_all(many.as_bytes(), 3).unwrap();
        let findings = inspect(&frame[..frame.len() - 1], ContentEncoding::Zstd, 777);
        assert!(findings.damage.is_some());
        let findings = inspect(b"\x1f\x8bgarbage", ContentEncoding::Gzip, 3);
        assert_eq!(findings.tally.records, 0);
        assert!(findings.damage.is_some());
    }
}
