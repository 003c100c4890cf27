//! A store written anew, symbol after symbol, without what nothing refers to any more.

use std::path::Path;

use super::append::open_locked;
use super::filter::Filter;
use super::options::WriteOptions;
use super::read::Store;
use super::write::{Existing, Writer, Written, linked};
use crate::format::header::Header;
use crate::{Bar, FxdError, Info, Version};

/// Writes a store anew in the place of the old one, with blocks as the options say; its version, times, info and dictionary stay. Stores
/// that agree in these, in the order of their symbols and in their bars become the same bytes, whatever appends they came by. Readers that have the old file open go on with it.
///
/// # Errors
/// [`FxdError::Locked`] while somebody else writes; damage of the store, which then stays as it is; I/O.
pub fn compact(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Written, FxdError> {
    // The bars do not change, and so neither does the time at which they did.
    in_place(path.as_ref(), |header| WriteOptions {
        version: header.known_version(),
        now: header.modified_ts,
        ..options.clone()
    })
}

/// Writes a store anew in the place of the old one, in the version that the options say.
///
/// # Errors
/// As [`compact`], and [`FxdError::Bar`] where the version cannot hold a bar; the store then stays as it is.
pub fn upgrade(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Written, FxdError> {
    in_place(path.as_ref(), |_| options.clone())
}

fn in_place(path: &Path, options: impl FnOnce(&Header) -> WriteOptions) -> Result<Written, FxdError> {
    let path = &linked(path);
    let locked = open_locked(path)?;
    let store = Store::open(path)?.with_cached_blocks(0);
    let written = rewrite(&store, path, &options(store.header()), Existing::Replace)?;
    drop(locked);
    Ok(written)
}

/// Writes all bars of a store to a file.
pub(crate) fn rewrite(
    store: &Store,
    to: &Path,
    options: &WriteOptions,
    existing: Existing,
) -> Result<Written, FxdError> {
    // Columns take no dictionary.
    let kept = store.dictionary().filter(|_| options.version.has_rows()).map(<[u8]>::to_vec);
    let rollups = match options.version {
        Version::Rollups if options.info.rollups.is_empty() => store.info().rollups.clone(),
        Version::Rollups => options.info.rollups.clone(),
        _ => Vec::new(),
    };
    let options = WriteOptions {
        info: Info { rollups, ..store.info().clone() },
        created: Some(store.header().created_ts),
        dictionary: options.dictionary.clone().or(kept),
        ..options.clone()
    };
    let mut writer = Writer::create(to, options)?;
    let mut ids = Vec::new();
    for symbol in store.series() {
        ids.push((symbol.id, writer.symbol(&symbol.name)?));
    }
    let mut bars: Vec<Bar> = Vec::new();
    for (id, new) in ids {
        store.scan(id, 0..u64::MAX, &Filter::default(), |columns| {
            bars.clear();
            bars.extend(columns.iter());
            writer.push(new, &bars)
        })?;
    }
    writer.finish_locked(existing)
}
