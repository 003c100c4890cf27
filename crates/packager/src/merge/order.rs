//! Putting records in order without holding them all.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _};
use std::path::Path;

use chrono::DateTime;

use super::records::{Key, Record, Records};

/// Bytes of records that are sorted at a time.
const PIECE: usize = 64 << 20;
/// Most bytes of records that share one time and sequence number.
const GROUP_MAX: usize = 64 << 20;

/// Records in order: those of a file, or a sorted piece of one.
pub(super) enum Source {
    File(Records),
    Piece(BufReader<File>),
}

impl Source {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Self::File(records) => records.next(),
            Self::Piece(piece) => read_record(piece),
        }
    }
}

/// Whether all records are in order.
pub(super) fn in_order(mut records: Records) -> io::Result<bool> {
    let mut previous: Option<Key> = None;
    while let Some(record) = records.next()? {
        if previous.is_some_and(|previous| previous > record.key) {
            return Ok(false);
        }
        previous = Some(record.key);
    }
    Ok(true)
}

/// Sorted pieces of a file, in temporary files that nobody else sees.
pub(super) fn sort(mut records: Records, scratch: &Path) -> io::Result<Vec<Source>> {
    let mut pieces = Vec::new();
    loop {
        let (mut piece, mut size) = (Vec::new(), 0);
        while size < PIECE {
            let Some(record) = records.next()? else { break };
            size += record.bytes.len() + size_of::<Record>();
            piece.push(record);
        }
        if piece.is_empty() {
            return Ok(pieces);
        }
        // Equal keys keep the order they had.
        piece.sort_by_key(|record| record.key);
        let mut out = BufWriter::with_capacity(256 << 10, tempfile::tempfile_in(scratch)?);
        for record in piece {
            write_record(&mut out, &record)?;
        }
        let mut file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        pieces.push(Source::Piece(BufReader::with_capacity(64 << 10, file)));
    }
}

fn write_record(out: &mut impl io::Write, record: &Record) -> io::Result<()> {
    let (time, sequence) = record.key;
    out.write_all(&time.timestamp().to_le_bytes())?;
    out.write_all(&time.timestamp_subsec_nanos().to_le_bytes())?;
    out.write_all(&[u8::from(sequence.is_some())])?;
    out.write_all(&sequence.unwrap_or(0).to_le_bytes())?;
    out.write_all(&(record.bytes.len() as u64).to_le_bytes())?;
    out.write_all(&record.bytes)
}

fn read_record(input: &mut impl Read) -> io::Result<Option<Record>> {
    let mut seconds = [0; 8];
    match input.read_exact(&mut seconds) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let (mut nanos, mut numbered, mut sequence, mut len) = ([0; 4], [0], [0; 8], [0; 8]);
    for field in [&mut nanos[..], &mut numbered, &mut sequence, &mut len] {
        input.read_exact(field)?;
    }
    let time = DateTime::from_timestamp(i64::from_le_bytes(seconds), u32::from_le_bytes(nanos));
    let time = time.ok_or_else(|| io::Error::other("a temporary file changed"))?;
    let mut bytes = vec![0; usize::try_from(u64::from_le_bytes(len)).map_err(io::Error::other)?];
    input.read_exact(&mut bytes)?;
    Ok(Some(Record { key: (time, (numbered != [0]).then_some(u64::from_le_bytes(sequence))), bytes }))
}

/// Takes records that share a key, each with whether it comes from the new file.
type Take<'a> = dyn FnMut(&[(bool, Record)]) -> io::Result<()> + 'a;

/// Hands on all records in order, those with one key together, in the order of their sources.
pub(super) fn grouped(mut sources: Vec<(bool, Source)>, take: &mut Take<'_>) -> io::Result<()> {
    let mut heads: BinaryHeap<Reverse<(Key, usize)>> = BinaryHeap::new();
    let mut waiting: Vec<Option<Record>> = Vec::new();
    for (at, (_, source)) in sources.iter_mut().enumerate() {
        let record = source.next()?;
        heads.extend(record.as_ref().map(|record| Reverse((record.key, at))));
        waiting.push(record);
    }
    let mut group: Vec<(bool, Record)> = Vec::new();
    let mut size = 0;
    while let Some(Reverse((key, at))) = heads.pop() {
        if group.first().is_some_and(|(_, first)| first.key != key) {
            take(&group)?;
            group.clear();
            size = 0;
        }
        let (Some((is_new, source)), Some(slot)) = (sources.get_mut(at), waiting.get_mut(at)) else { break };
        let next = source.next()?;
        heads.extend(next.as_ref().map(|record| Reverse((record.key, at))));
        if let Some(record) = std::mem::replace(slot, next) {
            size += record.bytes.len() + size_of::<Record>();
            group.push((*is_new, record));
        }
        if size > GROUP_MAX {
            let reason = format!("more than {GROUP_MAX} bytes of records at one time, {}", key.0);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
    }
    if group.is_empty() { Ok(()) } else { take(&group) }
}
