//! A store written anew, symbol after symbol, without what nothing refers to any more.

use std::path::Path;

use super::append::open_locked;
use super::filter::Filter;
use super::options::WriteOptions;
use super::read::Store;
use super::write::{Existing, Writer, Written, linked};
use crate::{Bar, FxdError};

/// Writes a store anew in the place of the old one, with blocks as the options say; its info and dictionary stay. The same
/// bars give the same bytes, whatever appends they came by. Readers that have the old file open go on with it.
///
/// # Errors
/// [`FxdError::Locked`] while somebody else writes; damage of the store, which then stays as it is; I/O.
pub fn compact(path: impl AsRef<Path>, options: &WriteOptions) -> Result<Written, FxdError> {
    let path = &linked(path.as_ref());
    let locked = open_locked(path)?;
    let store = Store::open(path)?.with_cached_blocks(0);
    let written = rewrite(&store, path, options, Existing::Replace)?;
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
    let options = WriteOptions {
        info: store.info().clone(),
        created: Some(store.header().created_ts),
        dictionary: options.dictionary.clone().or_else(|| store.dictionary().map(<[u8]>::to_vec)),
        ..options.clone()
    };
    let mut writer = Writer::create(to, options)?;
    for symbol in store.symbols() {
        writer.symbol(&symbol.name)?;
    }
    let mut bars: Vec<Bar> = Vec::new();
    for symbol in store.symbols() {
        store.scan(symbol.id, 0..u64::MAX, &Filter::default(), |columns| {
            bars.clear();
            bars.extend(columns.iter());
            writer.push(symbol.id, &bars)
        })?;
    }
    writer.finish(existing)
}
