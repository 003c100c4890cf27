//! A process that dies, or a disk that fails, at every point of an append.
#![allow(clippy::print_stderr)]

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::*;
use crate::Version;
use crate::store::filter::Filter;
use crate::store::verify::{Verified, look};
use crate::store::{Existing, Source, Store, Writer, repair};

/// What was asked of a disk.
#[derive(Debug, Clone)]
enum Step {
    Write(u64, Vec<u8>),
    Len(u64),
    Sync,
}

/// A disk in memory that remembers what was asked of it, and fails from some step on.
#[derive(Debug, Clone, Default)]
struct Recorder {
    bytes: Vec<u8>,
    steps: Vec<Step>,
    good: Option<usize>,
}

impl Recorder {
    fn over(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), ..Self::default() }
    }

    fn take(&mut self, step: Step) -> io::Result<()> {
        if self.good.is_some_and(|good| self.steps.len() >= good) {
            return Err(io::Error::other("the disk failed"));
        }
        apply(&mut self.bytes, &step);
        self.steps.push(step);
        Ok(())
    }
}

impl Storage for Recorder {
    fn write_at(&mut self, bytes: &[u8], at: u64) -> io::Result<()> {
        self.take(Step::Write(at, bytes.to_vec()))
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.take(Step::Len(len))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.take(Step::Sync)
    }

    fn bytes(&self) -> io::Result<Bytes> {
        Ok(Bytes::Owned(self.bytes.as_slice().into()))
    }
}

fn apply(file: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Write(at, bytes) => {
            let at = usize::try_from(*at).unwrap();
            if file.len() < at + bytes.len() {
                file.resize(at + bytes.len(), 0);
            }
            file[at..at + bytes.len()].copy_from_slice(bytes);
        }
        Step::Len(len) => file.resize(usize::try_from(*len).unwrap(), 0),
        Step::Sync => {}
    }
}

const VERSIONS: [Version; 4] = [Version::Rows, Version::Delta, Version::Columns, Version::Rollups];

type Rows = BTreeMap<String, Vec<Bar>>;

fn bar(ts: u64) -> Bar {
    let n = i64::try_from(ts / 60_000_000_000 % 1000).unwrap();
    Bar { ts, open: 100_000 + n, high: 100_010 + n, low: 99_990 - n, close: 100_001, volume: ts % 977, flags: 1 }
}

fn day_of(number: u64, bars: std::ops::Range<u64>) -> Vec<Bar> {
    bars.map(|minute| bar(number * DAY + minute * 60_000_000_000)).collect()
}

fn options(now: u64) -> WriteOptions {
    WriteOptions { block_records: Some(3), now, ..WriteOptions::default() }
}

fn rows(store: &Store) -> Rows {
    let of = |symbol: &Symbol| store.query(symbol.id, 0..u64::MAX, &Filter::default()).unwrap().iter().collect();
    store.series().map(|symbol| (symbol.name.clone(), of(symbol))).collect()
}

fn snapshot(bytes: &[u8]) -> Result<Snapshot, super::super::snapshot::OpenError> {
    Snapshot::of(Bytes::Owned(bytes.into()))
}

fn opened(bytes: &[u8]) -> Option<Rows> {
    let snapshot = snapshot(bytes).ok()?;
    let mut verified = Verified::default();
    look(&snapshot, true, &mut verified);
    assert!(verified.is_sound(), "{:?}", verified.findings);
    Some(rows(&Store::of(At(PathBuf::from("memory")), snapshot)))
}

fn appending<S: Storage>(disk: S, now: u64) -> Result<Appending<S>, FxdError> {
    let snapshot = snapshot(&disk.bytes().unwrap()).map_err(|error| error.at(&At(PathBuf::from("memory"))))?;
    Appending::new(disk, At(PathBuf::from("memory")), snapshot, options(now), OnTaken::Replace)
}

/// A store of 40 days of three symbols, in blocks of three bars.
fn base(directory: &Path, version: Version) -> Vec<u8> {
    let path = directory.join("base.fxd");
    let mut options = WriteOptions { version, ..options(1) };
    if version == Version::Rollups {
        options.info.rollups = vec!["5m".parse().unwrap(), "1d".parse().unwrap()];
    }
    let mut writer = Writer::create(&path, options).unwrap();
    for name in ["AAA", "BBB", "CCC"] {
        let id = writer.symbol(name).unwrap();
        for day in 0..40 {
            writer.push(id, &day_of(2 * day, 10..14)).unwrap();
        }
    }
    writer.finish(Existing::Refuse).unwrap();
    std::fs::read(&path).unwrap()
}

/// Appends bars of days that are there, between them and after them, a new symbol, and one without bars; in several writes.
fn append_all<S: Storage>(appending: &mut Appending<S>) -> Result<Appended, FxdError> {
    appending.push("BBB", &day_of(100, 0..7))?;
    appending.push("AAA", &day_of(4, 0..20))?;
    appending.push("CCC", &day_of(5, 0..2))?;
    appending.write_waiting()?;
    appending.push("AAA", &day_of(4, 18..22))?;
    appending.push("NEW", &day_of(4, 0..5))?;
    appending.write_waiting()?;
    appending.push("NEW", &day_of(4, 7..9))?;
    appending.push("BBB", &[Bar { close: 7, ..bar(100 * DAY) }])?;
    appending.push("EMPTY", &[])?;
    appending.commit()
}

fn appended(before: &[u8], now: u64) -> (Recorder, Appended) {
    let mut appending = appending(Recorder::over(before), now).unwrap();
    let report = append_all(&mut appending).unwrap();
    (appending.log.storage().unwrap().clone(), report)
}

/// What is on the disk when only some of the steps arrived.
fn arrived<'a>(before: &[u8], steps: impl IntoIterator<Item = &'a Step>) -> Vec<u8> {
    let mut file = before.to_vec();
    steps.into_iter().for_each(|step| apply(&mut file, step));
    file
}

/// Where a write is cut off: everywhere in short ones.
fn cuts(len: usize) -> Vec<usize> {
    if len <= 64 {
        return (0..len).collect();
    }
    let mut cuts: Vec<usize> = (0..24).map(|part| part * len / 24).collect();
    cuts.extend([1, 35, 36, len - 65, len - 64, len - 1]);
    cuts
}

struct Expected {
    old: Rows,
    new: Rows,
}

impl Expected {
    /// Holds a file against both, and goes on with it; says whether it is the new one.
    fn check(&self, file: &[u8], what: &str) -> bool {
        let found = opened(file).unwrap_or_else(|| panic!("{what}: does not open: {:?}", snapshot(file).err()));
        assert!(found == self.old || found == self.new, "{what}: rows of neither commit");
        let is_new = found == self.new;
        let mut expected = found;
        let mut appending = appending(Recorder::over(file), 3).unwrap();
        let more = day_of(200, 0..4);
        appending.push("BBB", &more).unwrap();
        appending.commit().unwrap();
        expected.get_mut("BBB").unwrap().extend(more);
        assert_eq!(opened(&appending.log.storage().unwrap().bytes), Some(expected), "{what}: after another append");
        is_new
    }
}

/// Stops an append over `before` at every point; says at how many.
fn every_crash(before: &[u8]) -> usize {
    let (disk, report) = appended(before, 2);
    let expected = Expected { old: opened(before).unwrap(), new: opened(&disk.bytes).unwrap() };
    assert_ne!(expected.old, expected.new);
    assert_eq!(report.bytes, disk.bytes.len() as u64);
    let steps = disk.steps;
    let header = steps.iter().rposition(|step| matches!(step, Step::Write(0, _))).unwrap();
    assert!(matches!(steps[header - 1], Step::Sync), "everything is flushed before the header");
    assert!(header >= 5, "several writes come before the header: {}", steps.len());
    let mut points = 0;
    let home = tempfile::tempdir().unwrap();
    for done in 0..=steps.len() {
        // A prefix.
        let whole = arrived(before, &steps[..done]);
        assert_eq!(expected.check(&whole, &format!("{done} steps")), done > header);
        points += 1;
        // And a part of the next write.
        let Some(Step::Write(at, bytes)) = steps.get(done) else { continue };
        for cut in cuts(bytes.len()) {
            let mut file = whole.clone();
            apply(&mut file, &Step::Write(*at, bytes[..cut].to_vec()));
            points += 1;
            let what = format!("{done} steps and {cut} bytes");
            if done != header || file[..64] == before[..64] || file[..64] == bytes[..] {
                let is_new = expected.check(&file, &what);
                assert_eq!(is_new, done == header && file[..64] == bytes[..], "{what}");
                continue;
            }
            // A header that is neither is noticed, and repair finds the commit that had been flushed.
            assert!(snapshot(&file).is_err(), "{what}: opens with a header that was written in part");
            let path = home.path().join(format!("{cut}.fxd"));
            std::fs::write(&path, &file).unwrap();
            let repaired = repair(&path, None, Some((crate::Scale::PRICE, crate::Scale::VOLUME)), &options(9)).unwrap();
            assert_eq!(repaired.source, Source::Commit, "{what}");
            expected.check(&std::fs::read(&path).unwrap(), &what);
        }
    }
    // Of the writes since a flush, any may be missing.
    let mut from = 0;
    for (to, _) in steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Sync)) {
        let group = &steps[from..to];
        assert!(group.len() <= 10, "{} writes without a flush", group.len());
        for mask in 0..1_u32 << group.len() {
            let some = group.iter().enumerate().filter(|(at, _)| mask & 1 << at != 0).map(|(_, step)| step);
            let file = arrived(before, steps[..from].iter().chain(some.clone()));
            let is_new = expected.check(&file, &format!("of steps {from} to {to} only {mask:b}"));
            assert_eq!(is_new, some.clone().any(|step| matches!(step, Step::Write(0, _))) || from > header);
            // In the other order, too.
            let file = arrived(before, steps[..from].iter().chain(some.rev()));
            expected.check(&file, &format!("of steps {from} to {to} only {mask:b}, backwards"));
            points += 2;
        }
        from = to + 1;
    }
    points
}

#[test]
fn an_append_that_is_stopped_anywhere_leaves_the_old_or_the_new_store() {
    for version in VERSIONS {
        stopped_anywhere(version);
    }
}

fn stopped_anywhere(version: Version) {
    let home = tempfile::tempdir().unwrap();
    let before = base(home.path(), version);
    let mut points = every_crash(&before);
    // A store that was appended to.
    let mut again = appending(Recorder::over(&before), 1).unwrap();
    again.push("AAA", &day_of(300, 0..9)).unwrap();
    again.push("CCC", &day_of(4, 0..9)).unwrap();
    again.commit().unwrap();
    let longer = again.log.storage().unwrap().bytes.clone();
    points += every_crash(&longer);
    // What an append left that did not come to its end: shorter and longer than what follows.
    let (disk, _) = appended(&before, 2);
    let mut tail = disk.bytes;
    tail[..64].copy_from_slice(&before[..64]);
    points += every_crash(&tail);
    tail.extend_from_slice(&[0xA5; 50_000]);
    points += every_crash(&tail);
    eprintln!("{version}, crash points of appends: {points}");
}

#[test]
fn a_disk_that_fails_anywhere_gives_an_error_and_leaves_the_old_or_the_new_store() {
    VERSIONS.into_iter().for_each(fails_anywhere);
}

fn fails_anywhere(version: Version) {
    let home = tempfile::tempdir().unwrap();
    let before = base(home.path(), version);
    let (disk, _) = appended(&before, 2);
    let (old, new) = (opened(&before).unwrap(), opened(&disk.bytes).unwrap());
    for good in 0..disk.steps.len() {
        let mut failing = Recorder { good: Some(good), ..Recorder::over(&before) };
        let done = appending(&mut failing, 2).and_then(|mut appending| append_all(&mut appending));
        assert!(matches!(done, Err(FxdError::Io { .. })), "{good}: {done:?}");
        let found = opened(&failing.bytes);
        // The last step is the flush of the header.
        assert_eq!(found.as_ref(), Some(if good + 1 == disk.steps.len() { &new } else { &old }), "{good}");
    }
    eprintln!("failures of the disk: {}", disk.steps.len());
}

#[test]
fn an_append_writes_nothing_before_the_committed_end_but_the_header() {
    let home = tempfile::tempdir().unwrap();
    let before = base(home.path(), Version::Columns);
    let (disk, report) = appended(&before, 2);
    let mut headers = 0;
    for step in &disk.steps {
        match step {
            Step::Write(0, bytes) => {
                assert_eq!(bytes.len(), 64);
                headers += 1;
            }
            Step::Write(at, _) => assert!(*at >= before.len() as u64),
            Step::Len(len) => assert_eq!(*len, before.len() as u64),
            Step::Sync => {}
        }
    }
    assert_eq!(headers, 1);
    assert_eq!(disk.bytes[64..before.len()], before[64..]);
    let written = report.block_bytes + report.other_bytes;
    assert_eq!(written, (disk.bytes.len() - before.len() + 64) as u64);
    let names: BTreeSet<String> = opened(&disk.bytes).unwrap().into_keys().collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["AAA", "BBB", "CCC", "EMPTY", "NEW"]);
}

#[test]
fn a_commit_of_symbols_alone_keeps_all_bars_and_has_metadata_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let before = base(home.path(), Version::Columns);
    let mut appending = appending(Recorder::over(&before), 2).unwrap();
    appending.push("EMPTY", &[]).unwrap();
    appending.commit().unwrap();
    let after = appending.log.storage().unwrap().bytes.clone();
    let mut expected = opened(&before).unwrap();
    expected.insert("EMPTY".into(), Vec::new());
    assert_eq!(opened(&after), Some(expected));
}
