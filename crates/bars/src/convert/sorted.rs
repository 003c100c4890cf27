//! Bars in any order, sorted by means of a store that is not kept.

use std::path::Path;

use fxd::store::{Appender, Existing, Filter, OnTaken, Store, WriteOptions, Writer};
use fxd::{BadBar, BadBarReason, Bar, FxdError, Info, Version};

use super::{ConvertError, Inputs, OnDuplicate, Told};

/// Hands over all bars of the inputs, one symbol after the other in the order in which they first appear, each in the order of
/// time; and says how many were dropped as duplicates. What memory cannot hold lies in a file in `directory` meanwhile.
///
/// # Errors
/// [`ConvertError::Duplicate`], and what reading, the store and `take` give.
pub fn sorted(
    inputs: &Inputs,
    directory: &Path,
    told: Told<'_>,
    mut take: impl FnMut(&str, &[Bar]) -> Result<(), ConvertError>,
) -> Result<u64, ConvertError> {
    let io = |source| FxdError::Io { doing: "creating a directory in", path: directory.to_owned(), source };
    let folder = tempfile::Builder::new().prefix(".fxd-").suffix(".partial").tempdir_in(directory).map_err(io)?;
    let path = folder.path().join("sorted.fxd");
    let fit = &inputs.read.fit;
    let info = Info { price_scale: fit.price_scale, volume_scale: fit.volume_scale, ..Info::default() };
    let options = WriteOptions { version: Version::Columns, info, ..WriteOptions::default() };
    Writer::create(&path, options.clone())?.finish(Existing::Refuse)?;
    let on_taken = match inputs.on_duplicate {
        OnDuplicate::Error => OnTaken::Refuse,
        OnDuplicate::Identical => OnTaken::RefuseDifferent,
        OnDuplicate::First => OnTaken::Keep,
        OnDuplicate::Last => OnTaken::Replace,
    };
    let mut appender = Appender::open(&path, options, on_taken)?;
    let appended = inputs
        .each(told, |piece| Ok(appender.push(piece.symbol, piece.bars)?))
        .and_then(|()| Ok(appender.commit()?))
        .map_err(|error| placed(inputs, error))?;
    let store = Store::open(&path)?.with_cached_blocks(0);
    let mut bars: Vec<Bar> = Vec::new();
    for symbol in store.symbols() {
        store.scan(symbol.id, 0..u64::MAX, &Filter::default(), |columns| {
            if told(0).is_break() {
                return Err(ConvertError::Interrupted);
            }
            bars.clear();
            bars.extend(columns.iter());
            take(&symbol.name, &bars)
        })?;
    }
    Ok(appended.skipped + appended.replaced)
}

/// A duplicate with the two places where it is, found by reading once more.
fn placed(inputs: &Inputs, error: ConvertError) -> ConvertError {
    let ConvertError::Store(FxdError::Bar(BadBar { symbol, ts, why: BadBarReason::Taken })) = &error else {
        return error;
    };
    match inputs.find(symbol, *ts).as_deref() {
        Ok([(before, _), (place, _)]) => {
            let (before, place) = (before.clone(), place.clone());
            ConvertError::Duplicate { symbol: symbol.clone(), ts: *ts, place, before }
        }
        _ => error,
    }
}
