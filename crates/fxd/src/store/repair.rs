//! What can be saved of a damaged store.

mod known;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use self::known::Known;
use super::append::open_locked;
use super::compact::rewrite;
use super::decode::Decoder;
use super::map::Bytes;
use super::options::WriteOptions;
use super::read::Store;
use super::snapshot::Snapshot;
use super::verify::{Verified, look};
use super::write::{Existing, Writer, Written, linked};
use crate::error::At;
use crate::format::ALIGNMENT;
use crate::format::block::{self, Block, BlockHeader};
use crate::format::bytes::slice;
use crate::format::header::{self, Header, HeaderError};
use crate::format::metadata::{Depth, END, Metadata, end_image};
use crate::format::symbol::SymbolId;
use crate::{Bar, Columns, FxdError, Info, Scale, Version};

/// Places that look like the end of a commit, and are looked at.
const MOST_ENDS: usize = 1000;

/// Where a repair took the bars from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The store is sound; nothing was changed but that a tail behind the committed end was dropped, if there was one.
    Sound,
    /// The header was torn; the newest commit is sound to the last byte.
    Commit,
    /// The newest commit is damaged; every committed block whose checksums hold was taken.
    Blocks,
}

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Repaired {
    /// Where the bars are from.
    pub source: Source,
    /// What the store holds.
    pub written: Written,
    /// Where the damaged file lies, if another took its place.
    pub damaged: Option<PathBuf>,
    /// What a person should know: blocks that are lost, names that were.
    pub notes: Vec<String>,
}

/// Repairs a store: takes its newest commit if that is sound, or else every whole block, and writes a fresh file with both
/// indexes and the metadata made anew. The file takes the place of the damaged one, which is kept beside it under its name
/// with `.damaged` behind it; or it goes to `to`, and the damaged one stays where it is. `scales` are the decimals of prices and
/// volumes for a store that does not say its own any more.
///
/// # Errors
/// [`FxdError::NotFxd`] and [`FxdError::Refused`] where nothing is left to be saved, or nothing says the scales;
/// [`FxdError::UnsupportedVersion`] and [`FxdError::UnsupportedFeature`] for a sound store of a newer release; [`FxdError::Locked`]; I/O.
pub fn repair(
    path: impl AsRef<Path>,
    to: Option<&Path>,
    scales: Option<(Scale, Scale)>,
    options: &WriteOptions,
) -> Result<Repaired, FxdError> {
    let path = &linked(path.as_ref());
    let at = At::new(path);
    let locked = open_locked(path)?;
    let bytes = Bytes::map(&locked).map_err(at.io("reading"))?;
    check_newer(&bytes).map_err(|error| at.header(error))?;
    let state = State::of(&bytes);
    if let State::Sound(snapshot, verified) = &state
        && to.is_none()
    {
        let written = drop_tail(&locked, snapshot, verified).map_err(at.io("cutting the tail of"))?;
        return Ok(Repaired { source: Source::Sound, written, damaged: None, notes: Vec::new() });
    }
    let target = to.map_or_else(|| with_suffix(path, ".repaired"), Path::to_owned);
    let mut notes = Vec::new();
    let (source, written) = match state {
        State::Sound(snapshot, _) | State::Torn(snapshot) => {
            notes.push(format!("took commit {}, the newest", snapshot.metadata.commit.number));
            let store = Store::of(at.clone(), *snapshot).with_cached_blocks(0);
            let options = WriteOptions { version: store.header().known_version(), ..options.clone() };
            (Source::Commit, rewrite(&store, &target, &options, Existing::Refuse)?)
        }
        State::Damaged { committed } => {
            (Source::Blocks, salvage(&at, &bytes, committed, scales, &target, options, &mut notes)?)
        }
    };
    match Known::find(&bytes).records {
        Some(records) if records > written.records => notes.push(format!(
            "{} bars that the newest symbol table tells of are left out: {} of {records} are here",
            records - written.records,
            written.records
        )),
        Some(_) => {}
        None => notes.push("no symbol table is left to say how many bars there were".into()),
    }
    let mut damaged = None;
    if to.is_none() {
        let kept = free_name(path);
        std::fs::hard_link(path, &kept).map_err(At::new(&kept).io("keeping the damaged file as"))?;
        std::fs::rename(&target, path).map_err(at.io("replacing"))?;
        damaged = Some(kept);
    }
    drop(locked);
    Ok(Repaired { source, written, damaged, notes })
}

/// Refuses a store of a version or with a feature that is not known, if that is what its maker meant: the END section repeats it.
fn check_newer(bytes: &[u8]) -> Result<(), HeaderError> {
    let header = bytes.get(..header::LEN).unwrap_or_default();
    match Header::decode(header, bytes.len() as u64) {
        Err(error @ (HeaderError::UnsupportedVersion(_) | HeaderError::UnsupportedFeature(_))) => {
            let meant = memchr_rev(bytes, END)
                .take(MOST_ENDS)
                .any(|at| end_image(bytes, at as u64).is_some_and(|image| image == header));
            if meant { Err(error) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// What a file is found to be.
enum State {
    /// What the header leads to is sound.
    Sound(Box<Snapshot>, Verified),
    /// The header is torn, and the newest commit before is sound.
    Torn(Box<Snapshot>),
    /// The newest commit is not sound. Blocks behind `committed` were never said to be part of the store.
    Damaged { committed: u64 },
}

impl State {
    fn of(bytes: &Bytes) -> Self {
        let sound = |image: &[u8]| {
            let snapshot = Snapshot::with_header(bytes.clone(), image).ok()?;
            let mut verified = Verified::default();
            look(&snapshot, true, &mut verified);
            verified.is_sound().then_some((Box::new(snapshot), verified))
        };
        let header = bytes.get(..header::LEN).unwrap_or_default();
        if let Some((snapshot, verified)) = sound(header) {
            return Self::Sound(snapshot, verified);
        }
        let whole = bytes.len() as u64;
        let newest = ends(bytes).find_map(|(_, image, header)| {
            let metadata = Metadata::decode(bytes, header.metadata_offset(), Depth::All).ok()?;
            Some((image, metadata.end))
        });
        // Where there is more behind the newest metadata, and a header that can be read leads there, it speaks of a commit whose
        // metadata is lost. A header torn in its writing has the newest metadata at the end of its file.
        let further = |end: u64| {
            end < whole && Header::decode(header, u64::MAX).is_ok_and(|header| header.metadata_offset() >= end)
        };
        match newest {
            None => Self::Damaged { committed: whole },
            Some((_, end)) if further(end) => Self::Damaged { committed: whole },
            Some((image, end)) => match sound(&image) {
                Some((snapshot, _)) => Self::Torn(snapshot),
                None => Self::Damaged { committed: end },
            },
        }
    }
}

/// Places that may be END sections, the last first: only those that their own metadata leads to are any, and not bytes that look
/// like it. No more than some are looked at, so that a file made of them costs no more than others.
fn ends(bytes: &[u8]) -> impl Iterator<Item = (u64, [u8; header::LEN], Header)> + '_ {
    let possible = memchr_rev(bytes, END).filter_map(|at| {
        let image = end_image(bytes, at as u64)?;
        let header = Header::decode(&image, bytes.len() as u64).ok()?;
        Some((at as u64, image, header))
    });
    possible.take(MOST_ENDS).filter(|(at, _, header)| {
        Metadata::decode(bytes, header.metadata_offset(), Depth::Open)
            .is_ok_and(|metadata| metadata.sections.last().is_some_and(|end| end.at == *at))
    })
}

/// Where a tag stands in some bytes, the last place first.
fn memchr_rev<'a>(bytes: &'a [u8], tag: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let last = bytes.len().saturating_sub(tag.len());
    (0..=last).rev().filter(move |at| bytes.get(*at..*at + tag.len()) == Some(tag))
}

fn drop_tail(file: &File, snapshot: &Snapshot, verified: &Verified) -> std::io::Result<Written> {
    if file.metadata()?.len() > snapshot.metadata.end {
        file.set_len(snapshot.metadata.end)?;
        file.sync_all()?;
    }
    Ok(Written {
        symbols: verified.symbols,
        series: verified.series,
        blocks: verified.blocks,
        records: verified.records,
        bytes: snapshot.metadata.end,
    })
}

/// Writes every bar of every block that is whole. Where blocks of a symbol overlap in time, the later in the file is the newer,
/// and its bars win.
fn salvage(
    at: &At,
    bytes: &Bytes,
    committed: u64,
    scales: Option<(Scale, Scale)>,
    target: &Path,
    options: &WriteOptions,
    notes: &mut Vec<String>,
) -> Result<Written, FxdError> {
    let known = Known::find(bytes);
    notes.extend(known.notes.iter().cloned());
    let mut places: Vec<Whole> = Vec::new();
    let mut version = known.version;
    let mut bad = 0_u64;
    let mut position = header::LEN as u64;
    while let Some(start) = slice(bytes, position, block::MAGIC.len()).filter(|_| position < committed) {
        let mut step = ALIGNMENT;
        if start == block::MAGIC {
            match Block::decode(bytes, position).and_then(|block| block.check_payload().map(|()| block)) {
                Ok(block) => {
                    version = version.max(block.header.compression.since());
                    let BlockHeader { symbol_id, first_ts, last_ts, .. } = block.header;
                    places.push(Whole { symbol_id, first_ts, last_ts, at: position });
                    step = block.len() as u64;
                }
                Err(_) => bad += 1,
            }
        }
        position += step;
    }
    if places.is_empty() {
        return Err(FxdError::Refused(format!("{}: no whole block is left in it", at.0.display())));
    }
    if bad > 0 {
        let (blocks, are) = if bad == 1 { ("block", "is") } else { ("blocks", "are") };
        notes.push(format!("{bad} damaged {blocks} {are} left out"));
    }
    places.sort_unstable();
    let info = match (known.info.clone(), scales) {
        (Some(info), _) => info,
        (None, Some((price_scale, volume_scale))) => Info { price_scale, volume_scale, ..Info::default() },
        (None, None) => {
            return Err(FxdError::Refused(format!(
                "{}: the metadata that says the decimals of prices and volumes is lost: say them, or every price would be wrong",
                at.0.display()
            )));
        }
    };
    // No version but this has intervals, and without INFO nothing says which.
    if !info.rollups.is_empty() {
        version = Version::Rollups;
    } else if version == Version::Rollups || known.names.iter().any(|(_, rolled)| *rolled) {
        version = version.min(Version::Columns);
        let what =
            "the intervals that bars were rolled up to are lost: their series are left out, `upgrade` makes them anew";
        notes.push(what.into());
    }
    let series = if version == Version::Rollups { info.rollups.len() + 1 } else { 0 };
    let options = WriteOptions { version, info, dictionary: None, ..options.clone() };
    let mut writer = Writer::create(target, options)?;
    for (name, _) in known.names.iter().filter(|(_, rolled)| !rolled) {
        writer.symbol(name)?;
    }
    let mut decoder = Decoder::default();
    let mut payload = Vec::new();
    let mut columns = Columns::default();
    for of_symbol in places.chunk_by(|a, b| a.symbol_id == b.symbol_id) {
        let Some(Whole { symbol_id: id, .. }) = of_symbol.first() else { continue };
        // What is rolled up is made anew. Each symbol is followed by its series, also where the names are lost.
        let by_place = id.position().checked_rem(series).is_some_and(|place| place > 0);
        if known.names.get(id.position()).map_or(by_place, |(_, rolled)| *rolled) {
            continue;
        }
        let name = known.names.get(id.position()).map(|(name, _)| name.clone()).unwrap_or_else(|| {
            let name = format!("SYMBOL-{}", id.position());
            notes.push(format!("the name of symbol {} is lost: it is called {name}", id.position()));
            name
        });
        let written_id = writer.symbol(&name)?;
        // Blocks that overlap together, in the order of the file, so that newer bars come over older ones.
        let mut end = 0;
        let apart = |one: &Whole, next: &Whole| {
            end = one.last_ts.max(end);
            next.first_ts <= end
        };
        for overlapping in of_symbol.chunk_by(apart) {
            let mut offsets: Vec<u64> = overlapping.iter().map(|whole| whole.at).collect();
            offsets.sort_unstable();
            let mut bars: BTreeMap<u64, Bar> = BTreeMap::new();
            for offset in offsets {
                columns.clear();
                let whole = Block::decode(bytes, offset).and_then(|block| {
                    let dictionary = known.dictionary.as_deref();
                    decoder.bars(&block, dictionary, &(0..u64::MAX), &mut payload, &mut columns)?;
                    bars.extend(columns.iter().map(|bar| (bar.ts, bar)));
                    Ok(())
                });
                if let Err(damage) = whole {
                    notes.push(format!("a block of {name} is lost: {damage}"));
                }
            }
            writer.push(written_id, &bars.into_values().collect::<Vec<_>>())?;
        }
    }
    writer.finish(Existing::Refuse)
}

/// A block whose checksums hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Whole {
    symbol_id: SymbolId,
    first_ts: u64,
    last_ts: u64,
    at: u64,
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn free_name(path: &Path) -> PathBuf {
    let first = with_suffix(path, ".damaged");
    let numbered = (2..).map(|number| with_suffix(path, &format!(".damaged-{number}")));
    std::iter::once(first.clone()).chain(numbered).find(|name| !name.exists()).unwrap_or(first)
}
