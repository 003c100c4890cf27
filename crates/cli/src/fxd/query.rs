//! `query`.

use std::path::PathBuf;
use std::process::ExitCode;

use fxd::store::{Filter, Store};
use fxd::{Columns, FxdError, Scale};
use pdp_bars::WriteOptions;
use pdp_bars::convert::ConvertError;
use serde_json::json;

use super::args::{Format, QueryArgs};
use super::inputs::usage;
use super::output::{may_write, rows};
use super::values::Bound;
use super::words;
use crate::args::Global;
use crate::commands;

/// Queries.
pub(crate) fn run(args: &QueryArgs, global: &Global) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from > to
    {
        return Err(usage("--from is later than --to, and so nothing is asked for"));
    }
    let to_file = args.output.as_ref().filter(|output| output.as_os_str() != "-");
    let format = match (args.format, to_file) {
        (Some(format), _) => format,
        (None, Some(output)) => Format::of(output).ok_or_else(|| {
            usage(format!("{}: the name says no kind of file; give it with --format", output.display()))
        })?,
        (None, None) if global.json => Format::Json,
        (None, None) => Format::Csv,
    };
    if let Some(output) = to_file {
        may_write(output, args.overwrite, &[&args.file])?;
    }
    let store = Store::open(&args.file)?.with_cached_blocks(0);
    let symbol = store.symbol(&args.symbol)?;
    let info = store.info();
    let filter = filter(args, info.price_scale, info.volume_scale)?;
    let range = args.from.unwrap_or(0)..args.to.unwrap_or(u64::MAX);
    let mut options = WriteOptions::new(info.price_scale, info.volume_scale);
    let scan = |take: &mut dyn FnMut(&Columns) -> Result<(), Stopped>| match args.interval {
        None => store.scan(symbol.id, range.clone(), &filter, take),
        Some(interval) => store.scan_interval(symbol.id, range.clone(), interval, &filter, take),
    };
    // The column is there when it says something, which the first line must know.
    options.flags = match scan(&mut |columns| match columns.flags().iter().any(|&flags| flags != 0) {
        true => Err(Stopped::Flags),
        false => Ok(()),
    }) {
        Ok(()) => false,
        Err(Stopped::Flags) => true,
        Err(Stopped::By(error)) => return Err(error.into()),
    };
    let records = rows(to_file.map(PathBuf::as_path), format, &options, |sink| {
        match scan(&mut |columns| Ok(sink.write(&symbol.name, columns).map_err(ConvertError::from)?)) {
            Err(Stopped::By(error)) => Err(error.into()),
            Ok(()) | Err(Stopped::Flags) => Ok(()),
        }
    })?;
    if let Some(output) = to_file {
        let report = json!({ "output": output.to_string_lossy(), "symbol": symbol.name, "records": records });
        commands::show(global, &report, |out| words::queried(output, records, global.quiet, out))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Why a scan ended before its end.
enum Stopped {
    /// A bar has flags.
    Flags,
    By(ConvertError),
}

impl From<FxdError> for Stopped {
    fn from(error: FxdError) -> Self {
        Self::By(error.into())
    }
}

impl From<ConvertError> for Stopped {
    fn from(error: ConvertError) -> Self {
        Self::By(error)
    }
}

/// The bounds in units of the store, rounded inward.
fn filter(args: &QueryArgs, price: Scale, volume: Scale) -> anyhow::Result<Filter> {
    let all = Scale::new(18).unwrap_or(price);
    let reversed = |least: Option<&Bound>, most: Option<&Bound>| {
        least.zip(most).is_some_and(|(least, most)| least.at_least(all) > most.at_most(all))
    };
    if reversed(args.min_price.as_ref(), args.max_price.as_ref()) {
        return Err(usage("--min-price is above --max-price, and so nothing is asked for"));
    }
    if reversed(args.min_volume.as_ref(), args.max_volume.as_ref()) {
        return Err(usage("--min-volume is above --max-volume, and so nothing is asked for"));
    }
    let prices = bounds(args.min_price.as_ref(), args.max_price.as_ref(), price);
    let volumes = bounds(args.min_volume.as_ref(), args.max_volume.as_ref(), volume);
    let clamped = |value: i128| i64::try_from(value.clamp(i64::MIN.into(), i64::MAX.into())).unwrap_or(i64::MAX);
    let positive = |value: i128| u64::try_from(value.clamp(0, u64::MAX.into())).unwrap_or(u64::MAX);
    let none = |bounds: &Option<(i128, i128)>, least: i128| bounds.is_some_and(|(from, to)| from > to || to < least);
    if none(&prices, i64::MIN.into()) || none(&volumes, 0) {
        // No number lies within, and so no bar does.
        #[expect(clippy::reversed_empty_ranges, reason = "nothing is to pass")]
        return Ok(Filter { close: Some(1..=0), ..Filter::default() });
    }
    Ok(Filter {
        price: prices.map(|(least, most)| clamped(least)..=clamped(most)),
        volume: volumes.map(|(least, most)| positive(least)..=positive(most)),
        ..Filter::default()
    })
}

fn bounds(least: Option<&Bound>, most: Option<&Bound>, scale: Scale) -> Option<(i128, i128)> {
    (least.is_some() || most.is_some()).then(|| {
        (least.map_or(i128::MIN, |bound| bound.at_least(scale)), most.map_or(i128::MAX, |bound| bound.at_most(scale)))
    })
}
