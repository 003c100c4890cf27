//! Bars that wait until all of their timeframe are known.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use fxd::Bar;

use crate::BarsError;

/// How many bars are held in memory, 56 bytes each.
const HELD: usize = 1 << 20;
/// How many bars are read back at once.
const BATCH: u64 = 4096;
/// Bytes of a bar in the file.
const BYTES: usize = 49;

/// Lanes of bars, each in order of time. What memory does not hold lies in a file without a name.
#[derive(Debug)]
pub(crate) struct Spool {
    directory: PathBuf,
    most: usize,
    file: Option<File>,
    end: u64,
    held: usize,
    lanes: Vec<Lane>,
}

/// Bars of one series and timeframe.
#[derive(Debug, Default)]
struct Lane {
    bars: Vec<Bar>,
    /// Where earlier bars lie in the file, and how many.
    spilled: Vec<(u64, u64)>,
}

/// Where the reading of a lane is.
#[derive(Debug)]
pub(crate) struct Cursor {
    lane: usize,
    part: usize,
    /// Bars of the part that were loaded.
    loaded: u64,
    bars: std::vec::IntoIter<Bar>,
}

impl Spool {
    /// Its file, if there must be one, is made in a directory.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory, most: HELD, file: None, end: 0, held: 0, lanes: Vec::new() }
    }

    #[cfg(test)]
    fn holding(directory: PathBuf, most: usize) -> Self {
        Self { most, ..Self::new(directory) }
    }

    /// Adds bars behind those of a lane.
    pub(crate) fn push(&mut self, lane: usize, bars: &[Bar]) -> Result<(), BarsError> {
        if self.lanes.len() <= lane {
            self.lanes.resize_with(lane + 1, Lane::default);
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.bars.extend_from_slice(bars);
            self.held += bars.len();
        }
        if self.held > self.most { self.spill() } else { Ok(()) }
    }

    fn failed(&self, source: io::Error) -> BarsError {
        BarsError::read(&self.directory, source)
    }

    #[cold]
    fn spill(&mut self) -> Result<(), BarsError> {
        if self.file.is_none() {
            let file = std::fs::create_dir_all(&self.directory)
                .and_then(|()| tempfile::tempfile_in(&self.directory))
                .map_err(|source| self.failed(source))?;
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let mut bytes = Vec::new();
        for lane in &mut self.lanes {
            if lane.bars.is_empty() {
                continue;
            }
            bytes.clear();
            for bar in &lane.bars {
                bytes.extend_from_slice(&bar.ts.to_le_bytes());
                for price in [bar.open, bar.high, bar.low, bar.close] {
                    bytes.extend_from_slice(&price.to_le_bytes());
                }
                bytes.extend_from_slice(&bar.volume.to_le_bytes());
                bytes.push(bar.flags);
            }
            file.write_all(&bytes).map_err(|source| BarsError::read(&self.directory, source))?;
            lane.spilled.push((self.end, lane.bars.len() as u64));
            self.end += bytes.len() as u64;
            lane.bars.clear();
        }
        self.held = 0;
        Ok(())
    }

    /// The beginning of a lane. Nothing may be added while cursors read.
    pub(crate) fn cursor(&self, lane: usize) -> Cursor {
        Cursor { lane, part: 0, loaded: 0, bars: Vec::new().into_iter() }
    }

    /// The next bar of a lane.
    pub(crate) fn next(&mut self, cursor: &mut Cursor) -> Result<Option<Bar>, BarsError> {
        if let Some(bar) = cursor.bars.next() {
            return Ok(Some(bar));
        }
        let Some(lane) = self.lanes.get_mut(cursor.lane) else { return Ok(None) };
        let bars = match lane.spilled.get(cursor.part) {
            Some((at, count)) => {
                let now = (count - cursor.loaded).min(BATCH);
                let at = at + cursor.loaded * BYTES as u64;
                cursor.loaded += now;
                if cursor.loaded == *count {
                    (cursor.part, cursor.loaded) = (cursor.part + 1, 0);
                }
                match &mut self.file {
                    Some(file) => load(file, at, now).map_err(|source| BarsError::read(&self.directory, source))?,
                    None => Vec::new(),
                }
            }
            None => std::mem::take(&mut lane.bars),
        };
        cursor.bars = bars.into_iter();
        Ok(cursor.bars.next())
    }
}

/// Reads bars back.
fn load(file: &mut File, at: u64, count: u64) -> io::Result<Vec<Bar>> {
    let mut bytes = vec![0; usize::try_from(count).unwrap_or(0) * BYTES];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    let bar = |bytes: &[u8; BYTES]| {
        let mut words = bytes.as_chunks::<8>().0.iter();
        let mut word = || words.next().map_or(0, |word| u64::from_le_bytes(*word));
        let (ts, open, high, low, close, volume) = (word(), word(), word(), word(), word(), word());
        let [open, high, low, close] = [open, high, low, close].map(u64::cast_signed);
        Bar { ts, open, high, low, close, volume, flags: bytes[BYTES - 1] }
    };
    Ok(bytes.as_chunks::<BYTES>().0.iter().map(bar).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_come_back_whether_they_were_held_or_not() {
        let directory = tempfile::tempdir().unwrap();
        for most in [0, 3, 1000, 20_000, 1 << 20] {
            let mut spool = Spool::holding(directory.path().to_owned(), most);
            let bar = |lane: usize, at: u64| Bar {
                ts: at,
                open: -5 - at.cast_signed(),
                high: i64::MAX,
                low: i64::MIN,
                close: i64::try_from(lane).unwrap(),
                volume: u64::MAX - at,
                flags: u8::try_from(at % 256).unwrap(),
            };
            let mut counts = [0_u64; 3];
            for (round, size) in [(0, 1), (1, 5000), (0, 9000), (2, 1), (0, 3)] {
                let bars: Vec<Bar> = (0..size).map(|at| bar(round, counts[round] + at)).collect();
                counts[round] += size;
                spool.push(round, &bars).unwrap();
            }
            for (lane, count) in counts.into_iter().enumerate() {
                let mut cursor = spool.cursor(lane);
                for at in 0..count {
                    assert_eq!(spool.next(&mut cursor).unwrap(), Some(bar(lane, at)), "{most} {lane} {at}");
                }
                assert_eq!(spool.next(&mut cursor).unwrap(), None);
            }
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}
