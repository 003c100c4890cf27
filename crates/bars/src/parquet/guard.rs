//! What damaged files would make the Parquet reader do, kept from it or caught.

use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;

/// Runs a part of the Parquet reader, which panics at some damage that it does not expect. What it was reading is not read on.
pub(super) fn caught<T>(part: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|_| {
        Err(ParquetError::General("the file is damaged in a way that its reader does not expect".to_owned()))
    })
}

/// Refuses a column that says it begins before the file does, which makes the reader panic.
pub(super) fn check_range(group: &RowGroupMetaData, leaf: usize) -> Result<()> {
    let Some(column) = group.columns().get(leaf) else {
        return Err(ParquetError::General(format!("a row group lacks column {leaf}")));
    };
    let start = column.dictionary_page_offset().unwrap_or(0).min(column.data_page_offset());
    if start < 0 || column.compressed_size() < 0 {
        return Err(ParquetError::General(format!(
            "column {leaf} has {} bytes at {start}, expected numbers that are not negative",
            column.compressed_size()
        )));
    }
    Ok(())
}

/// Hands pages through, but for dictionaries that claim more values than they have bytes for, as the decoder makes room for as
/// many as are claimed, and pages whose dictionary is missing, at which it panics.
pub(super) struct Guard {
    inner: Box<dyn PageReader>,
    /// The fewest bytes that a value of a dictionary takes.
    least: usize,
    /// Whether the dictionary was there.
    dictionary: bool,
}

impl Guard {
    pub(super) fn new(inner: Box<dyn PageReader>, least: usize) -> Self {
        Self { inner, least, dictionary: false }
    }
}

impl Iterator for Guard {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Guard {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        if let Some(Page::DataPage { encoding, .. } | Page::DataPageV2 { encoding, .. }) = &page
            && matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY)
            && !self.dictionary
        {
            return Err(ParquetError::General("a page refers to a dictionary that is not there".to_owned()));
        }
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page {
            self.dictionary = true;
            let most = buf.len() / self.least.max(1);
            if usize::try_from(*num_values).map_or(true, |count| count > most) {
                return Err(ParquetError::General(format!(
                    "a dictionary claims {num_values} values, expected {most} at most in its {} bytes",
                    buf.len()
                )));
            }
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}
