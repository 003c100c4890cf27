//! Blocks to bars.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use zstd::bulk::Decompressor;

use crate::Columns;
use crate::columns::{Coded, Fields, Scratch, Wrong};
use crate::format::block::{Block, Compression};
use crate::format::damage::{Damage, Decoded};
use crate::format::header::Version;
use crate::format::record::{self, Record, decode_payload, from_deltas};
use crate::format::symbol_index::SymbolEntry;

/// What decompressing needs besides the bytes, for one thread at a time.
#[derive(Default)]
pub(crate) struct Decoder {
    plain: Option<Decompressor<'static>>,
    prepared: Option<Decompressor<'static>>,
    scratch: Scratch,
}

impl Decoder {
    /// Adds the bars of a block that have `range.start <= ts < range.end` to columns. `payload` is memory to be used again.
    pub(crate) fn bars(
        &mut self,
        block: &Block<'_>,
        dictionary: Option<&[u8]>,
        range: &Range<u64>,
        payload: &mut Vec<u8>,
        columns: &mut Columns,
    ) -> Decoded<()> {
        if !block.header.compression.has_rows() {
            return self.coded(block, range, Fields::ALL, columns);
        }
        self.payload(block, dictionary, payload)?;
        let records = records(block, payload)?;
        append(records.get(within(records, range)).unwrap_or_default(), columns);
        Ok(())
    }

    /// Adds bars of coded columns.
    pub(crate) fn coded(
        &mut self,
        block: &Block<'_>,
        range: &Range<u64>,
        fields: Fields,
        columns: &mut Columns,
    ) -> Decoded<()> {
        let coded = coded(block)?;
        let before = columns.len();
        let picked = coded.pick(range, fields, &mut self.scratch, columns, |_| Ok::<(), Wrong>(()));
        picked.map_err(|what| Damage::new(block.payload_at(), what))?;
        let last = columns.ts().get(before..).and_then(<[u64]>::last);
        check_last(block, columns.len() - before, last.copied())
    }

    /// Hands over bars of coded columns a page at a time, which stay where memory is fast.
    pub(crate) fn coded_pages<E>(
        &mut self,
        block: &Block<'_>,
        range: &Range<u64>,
        fields: Fields,
        columns: &mut Columns,
        mut take: impl FnMut(&mut Columns) -> Result<(), E>,
    ) -> Result<(), Stop<E>> {
        let coded = coded(block).map_err(Stop::Damaged)?;
        let (mut rows, mut last) = (0, None);
        columns.clear();
        coded
            .pick(range, fields, &mut self.scratch, columns, |columns| {
                rows += columns.len();
                last = columns.ts().last().copied().or(last);
                take(columns).map_err(Pick::Asked)?;
                columns.clear();
                Ok(())
            })
            .map_err(|stop| match stop {
                Pick::Wrong(what) => Stop::Damaged(Damage::new(block.payload_at(), what)),
                Pick::Asked(error) => Stop::Asked(error),
            })?;
        check_last(block, rows, last).map_err(Stop::Damaged)
    }

    /// Decompresses a block's payload into `payload`, whose memory is used again.
    pub(crate) fn payload(
        &mut self,
        block: &Block<'_>,
        dictionary: Option<&[u8]>,
        payload: &mut Vec<u8>,
    ) -> Decoded<()> {
        block.check_payload()?;
        let original = block.header.original_size as usize;
        payload.clear();
        payload.reserve_exact(original);
        let damage = |what: String| Damage::new(block.payload_at(), what);
        let failed = |error: std::io::Error| damage(format!("a block's payload does not decompress: {error}"));
        let len = match block.header.compression {
            Compression::None => {
                payload.extend_from_slice(block.stored());
                original
            }
            Compression::Columns => return Err(damage("a block of columns has no records".into())),
            Compression::Zstd | Compression::DeltaZstd => {
                let decompressor = match &mut self.plain {
                    Some(decompressor) => decompressor,
                    none => none.insert(Decompressor::new().map_err(failed)?),
                };
                decompressor.decompress_to_buffer(block.stored(), payload).map_err(failed)?
            }
            Compression::ZstdDictionary | Compression::DeltaZstdDictionary => {
                let dictionary =
                    dictionary.ok_or_else(|| damage("the block needs a dictionary, and the file has none".into()))?;
                let decompressor = match &mut self.prepared {
                    Some(decompressor) => decompressor,
                    none => none.insert(Decompressor::with_dictionary(dictionary).map_err(failed)?),
                };
                decompressor.decompress_to_buffer(block.stored(), payload).map_err(failed)?
            }
        };
        let one_frame = block.header.compression == Compression::None
            || zstd::zstd_safe::find_frame_compressed_size(block.stored()).is_ok_and(|len| len == block.stored().len());
        if !one_frame {
            return Err(damage("a block's payload is not one zstd frame".into()));
        }
        if len != original || payload.len() != original {
            return Err(damage(format!("a block's payload has {len} bytes decompressed, expected {original}")));
        }
        if matches!(block.header.compression, Compression::DeltaZstd | Compression::DeltaZstdDictionary) {
            from_deltas(payload);
        }
        Ok(())
    }
}

/// Why handing over pages ended early.
pub(crate) enum Stop<E> {
    /// What is read is damaged.
    Damaged(Damage),
    /// Who takes it says so.
    Asked(E),
}

/// The same before it is known where the damage is.
enum Pick<E> {
    Wrong(Wrong),
    Asked(E),
}

impl<E> From<Wrong> for Pick<E> {
    fn from(what: Wrong) -> Self {
        Self::Wrong(what)
    }
}

/// The columns of a block, held against its header and trailer.
fn coded<'b>(block: &Block<'b>) -> Decoded<Coded<'b>> {
    block.check_payload()?;
    let (rows, first_ts) = (block.header.record_count as usize, block.header.first_ts);
    let damage = |what: Wrong| Damage::new(block.payload_at(), what);
    let coded = Coded::read(block.stored(), rows).map_err(damage)?;
    if (coded.rows(), coded.first_ts()) != (rows, first_ts) {
        return Err(damage("coded columns are of other bars than the block's header and trailer say"));
    }
    Ok(coded)
}

/// Holds the last of some bars against the header; it is the block's last one only where all were decoded.
fn check_last(block: &Block<'_>, rows: usize, last: Option<u64>) -> Decoded<()> {
    let is_last = rows == block.header.record_count as usize;
    if last.is_some_and(|last| last > block.header.last_ts || (is_last && last != block.header.last_ts)) {
        let what = "coded columns are not of the time that the block's header says";
        return Err(Damage::new(block.payload_at(), what));
    }
    Ok(())
}

/// The block that an entry of the symbol index leads to.
pub(crate) fn block_of<'a>(file: &'a [u8], version: Version, entry: &SymbolEntry) -> Decoded<Block<'a>> {
    let block = Block::decode(file, entry.offset)?;
    let header = &block.header;
    if header.compression.since() > version {
        let what = format!("a block is coded as {} does, in a file of {version}", header.compression.since());
        return Err(Damage::new(entry.offset, what));
    }
    let same = (header.symbol_id, header.first_ts, header.last_ts, header.record_count)
        == (entry.symbol_id, entry.first_ts, entry.last_ts, entry.record_count);
    if same { Ok(block) } else { Err(Damage::new(entry.offset, "the block is not the one that the index tells of")) }
}

/// The records of a decompressed payload, held against the block's header.
pub(crate) fn records<'p>(block: &Block<'_>, payload: &'p [u8]) -> Decoded<&'p [Record]> {
    let damage = |what: &str| Damage::new(block.payload_at(), what.to_owned());
    let records = decode_payload(payload).ok_or_else(|| damage("a payload's length is not the one it begins with"))?;
    let header = &block.header;
    if records.len() != header.record_count as usize {
        return Err(damage("a block has another number of records than its trailer says"));
    }
    let ends = (records.first().map(|first| first.ts.get()), records.last().map(|last| last.ts.get()));
    if ends != (Some(header.first_ts), Some(header.last_ts)) {
        return Err(damage("a block's records are not of the time that its header says"));
    }
    // No branch in the loop: it is run over every record of every query.
    let mut last = header.first_ts;
    let mut ordered = true;
    let mut of_symbol = true;
    for record in records {
        let ts = record.ts.get();
        ordered &= last <= ts;
        of_symbol &= record.symbol_id.get() == header.symbol_id.0;
        last = ts.saturating_add(1);
    }
    match (ordered, of_symbol) {
        (true, true) => Ok(records),
        (false, _) => Err(damage("a block's records are out of order")),
        (_, false) => Err(damage("a block has records of another symbol than its header says")),
    }
}

/// Which of these records have `from <= ts < to`.
pub(crate) fn within(records: &[Record], range: &Range<u64>) -> Range<usize> {
    let from = records.partition_point(|record| record.ts.get() < range.start);
    let to = records.partition_point(|record| record.ts.get() < range.end);
    from..to.max(from)
}

/// Adds records to columns.
pub(crate) fn append(records: &[Record], columns: &mut Columns) {
    columns.ts.extend(records.iter().map(|record| record.ts.get()));
    columns.open.extend(records.iter().map(|record| i64::from(record.open.get())));
    columns.high.extend(records.iter().map(|record| i64::from(record.high.get())));
    columns.low.extend(records.iter().map(|record| i64::from(record.low.get())));
    columns.close.extend(records.iter().map(|record| i64::from(record.close.get())));
    columns.volume.extend(records.iter().map(|record| u64::from(record.volume.get())));
    columns.flags.extend(records.iter().map(|record| record.flags));
}

/// How many bytes the payload of so many records has.
pub(crate) const fn payload_len(records: usize) -> usize {
    record::COUNT_LEN + records * record::LEN
}

/// Values that threads borrow one at a time and bring back.
pub(crate) struct Pool<T>(Mutex<Vec<T>>);

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::new()))
    }
}

impl<T: Default> Pool<T> {
    /// One that nobody else has.
    pub(crate) fn take(&self) -> T {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Brings one back.
    pub(crate) fn give(&self, value: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(value);
    }
}
