//! Bars added to a store that is there.

use std::path::Path;

use fxd::store::{Appended, Appender, OnTaken, WriteOptions};
use fxd::{BadBar, BadBarReason, FxdError};

use super::{ConvertError, Inputs, Told};
use crate::Fit;

/// Adds all bars of the inputs to a store, at its scales and in any order. Bars that are there already are passed over; others
/// at a time that is taken are an error. All of them are added, or none.
///
/// # Errors
/// [`ConvertError::Taken`], and what reading and the store give.
pub fn append(
    mut inputs: Inputs,
    path: &Path,
    options: WriteOptions,
    told: Told<'_>,
) -> Result<Appended, ConvertError> {
    let mut appender = Appender::open(path, options, OnTaken::RefuseDifferent)?;
    let info = appender.info();
    let fit = Fit::of(appender.version());
    inputs.read.fit = Fit { price_scale: info.price_scale, volume_scale: info.volume_scale, ..fit };
    inputs
        .each(told, |piece| Ok(appender.push(piece.symbol, piece.bars)?))
        .and_then(|()| Ok(appender.commit()?))
        .map_err(|error| placed(&inputs, error))
}

fn placed(inputs: &Inputs, error: ConvertError) -> ConvertError {
    let ConvertError::Store(FxdError::Bar(BadBar { symbol, ts, why: BadBarReason::Taken })) = &error else {
        return error;
    };
    match inputs.find(symbol, *ts) {
        Ok(places) if !places.is_empty() => ConvertError::Taken { symbol: symbol.clone(), ts: *ts, places },
        _ => error,
    }
}
