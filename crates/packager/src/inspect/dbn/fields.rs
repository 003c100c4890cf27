//! The values of DBN records, by the names and in the form in which their maker writes them as CSV.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use dbn::RecordRef;
use dbn::encode::csv::Encoder;
use dbn::encode::{EncodeRecord as _, EncodeRecordRef as _};
use pdp_manifest::CsvDialect;

use crate::inspect::csv::Rows;
use crate::inspect::shape::Shape;
use crate::inspect::tally::Tally;

/// Looks at the records of one type: that of the first.
#[derive(Default)]
pub(super) struct Fields {
    rows: Option<(u8, Rows)>,
    encoder: Option<Encoder<Sink>>,
    sink: Sink,
    /// Whether records cannot be written as text, and why does not matter: they are counted all the same.
    failed: bool,
}

/// Where the encoder writes a record, to be taken from there at once.
#[derive(Default, Clone)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fields {
    /// Takes a record; false where it is of another type than the first, or cannot be taken.
    pub(super) fn record(&mut self, number: u64, record: RecordRef<'_>) -> bool {
        let rtype = record.header().rtype;
        if self.failed || self.rows.as_ref().is_some_and(|(first, _)| *first != rtype) {
            return false;
        }
        let encoder = self.encoder.get_or_insert_with(|| Encoder::new(self.sink.clone(), true, true));
        if encoder.encode_record_ref(record).and_then(|()| encoder.flush()).is_err() {
            self.failed = true;
            self.sink.take();
            return false;
        }
        let text = self.sink.take();
        if let Some((_, rows)) = &mut self.rows {
            rows.feed_row(number, &text);
            return true;
        }
        // The names of the columns come before the first record.
        let mut lines = text.splitn(2, |byte| *byte == b'\n');
        let (Some(header), Some(first)) = (lines.next(), lines.next()) else { return false };
        let columns = String::from_utf8_lossy(header).split(',').map(str::to_owned).collect();
        let dialect = CsvDialect { delimiter: ',', has_header: false, comment: None, columns };
        let mut rows = Rows::of_records(dialect, super::is_sampled(rtype));
        rows.feed_row(number, first);
        self.rows = Some((rtype, rows));
        true
    }

    /// What was seen; none where there was no record.
    pub(super) fn finish(self) -> Option<(Tally, Shape)> {
        self.rows.map(|(_, rows)| rows.into_parts())
    }
}
