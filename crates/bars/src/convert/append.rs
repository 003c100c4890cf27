//! Bars added to a store that is there.

use std::path::Path;

use fxd::store::{Appended, Appender, Filter, OnTaken, Store, WriteOptions};
use fxd::{BadBar, BadBarReason, Bar, FxdError};

use super::{ConvertError, Inputs, Told};
use crate::Fit;
use crate::decimal::decimal_text;

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
        .map_err(|error| placed(&inputs, path, error))
}

/// A conflict with where it is: of a line with the store, or of two lines.
fn placed(inputs: &Inputs, path: &Path, error: ConvertError) -> ConvertError {
    let ConvertError::Store(FxdError::Bar(BadBar { symbol, ts, why: BadBarReason::Taken })) = &error else {
        return error;
    };
    let (symbol, ts) = (symbol.clone(), *ts);
    let Ok(given) = inputs.find(&symbol, ts) else { return error };
    let there = Store::open(path).ok().and_then(|store| {
        let id = store.symbol(&symbol).ok()?.id;
        store.query(id, ts..ts.saturating_add(1), &Filter::default()).ok()?.get(0)
    });
    match (there, given.as_slice()) {
        (Some(there), given) => {
            let Some((field, there, bar)) = given.iter().find_map(|(_, bar)| differs(&inputs.read.fit, &there, bar))
            else {
                return error;
            };
            let places = given.iter().map(|(place, _)| place.clone()).collect();
            ConvertError::Taken { symbol, ts, field, there, given: bar, places }
        }
        (None, [(before, _), (place, _)]) => {
            ConvertError::Duplicate { symbol, ts, place: place.clone(), before: before.clone() }
        }
        _ => error,
    }
}

/// The first field in which two bars differ, and what it is in each.
fn differs(fit: &Fit, there: &Bar, given: &Bar) -> Option<(&'static str, String, String)> {
    let fields = |bar: &Bar| {
        let price = |value: i64| decimal_text(value.into(), fit.price_scale);
        [
            ("open", price(bar.open)),
            ("high", price(bar.high)),
            ("low", price(bar.low)),
            ("close", price(bar.close)),
            ("volume", decimal_text(bar.volume.into(), fit.volume_scale)),
            ("flags", bar.flags.to_string()),
        ]
    };
    let both = fields(there).into_iter().zip(fields(given));
    both.into_iter().find(|(one, other)| one.1 != other.1).map(|((field, there), (_, given))| (field, there, given))
}
