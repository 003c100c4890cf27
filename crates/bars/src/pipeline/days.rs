//! On which days there are bars, and of which instruments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate};

use super::resample::{apart, scaled};
use crate::Zone;
use crate::calendar::DAY;
use crate::convert::{ConvertError, InputKind, OnDuplicate, Told};

/// The days in UTC on which a symbol's files have bars, by `instrument_id`; nothing where rows have none.
///
/// # Errors
/// What reading gives.
pub fn days(
    symbol: &str,
    files: &[(PathBuf, InputKind)],
    zone: Option<Zone>,
    told: Told<'_>,
) -> Result<BTreeMap<Option<u32>, BTreeSet<NaiveDate>>, ConvertError> {
    let mut inputs = apart(symbol, files, zone, OnDuplicate::Error);
    scaled(&mut inputs, |inputs| {
        let mut found: BTreeMap<Option<u32>, BTreeSet<NaiveDate>> = BTreeMap::new();
        inputs.each(told, |piece| {
            let days = found.entry(piece.ids.instrument).or_default();
            let mut end = 0;
            for bar in piece.bars {
                // Bars of a day mostly follow one another.
                if bar.ts < end && bar.ts >= end - DAY {
                    continue;
                }
                end = (bar.ts - bar.ts % DAY).saturating_add(DAY);
                let seconds = i64::try_from(bar.ts / 1_000_000_000).unwrap_or(i64::MAX);
                days.extend(DateTime::from_timestamp(seconds, 0).map(|time| time.date_naive()));
            }
            Ok(())
        })?;
        Ok(found)
    })
}
