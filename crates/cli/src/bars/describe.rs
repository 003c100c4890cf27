//! `bars check-connection`, `datasets`, `schemas` and `symbols`.

use std::process::ExitCode;

use pdp_bars::fetch::{Availability, FetchError};
use serde_json::json;

use super::args::{ConnectArgs, SchemasArgs, SymbolsArgs};
use super::databento::{client, told, wait};
use crate::args::Global;
use crate::{commands, exit};

/// Tries the key.
pub(super) fn connection(args: &ConnectArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let client = client(args)?;
    let names = wait(client.dataset_names(&told(global)))?;
    commands::show(global, &json!({ "connected": true, "datasets": names }), |out| {
        writeln!(out, "SUCCESS: connected, the key is good; {} datasets", names.len())?;
        names.iter().filter(|_| !global.quiet).try_for_each(|name| writeln!(out, "{name}"))
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Lists datasets with what they have.
pub(super) fn datasets(args: &ConnectArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let client = client(args)?;
    let datasets = wait(async {
        let mut datasets = Vec::new();
        for name in client.dataset_names(&told(global)).await? {
            datasets.push(client.dataset(&name, &told(global)).await?);
        }
        Ok(datasets)
    })?;
    commands::show(global, &datasets, |out| {
        datasets.iter().try_for_each(|dataset| {
            writeln!(
                out,
                "{:<20} {} to before {}",
                dataset.dataset,
                dataset.start.date_naive(),
                dataset.end.date_naive()
            )
        })
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Lists a dataset's schemas.
pub(super) fn schemas(args: &SchemasArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let client = client(&args.connect)?;
    let schemas = wait(client.schemas(&args.dataset, &told(global)))?;
    commands::show(global, &schemas, |out| {
        schemas.iter().try_for_each(|schema| {
            let price = schema.dollars_per_gigabyte.map_or(String::new(), |price| format!("{price:>8.2} dollars a GB"));
            let ours = if schema.schema.starts_with("ohlcv-") { "  bars: what `pdp bars fetch` takes" } else { "" };
            writeln!(out, "{:<14} {price}{ours}", schema.schema)
        })
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Says on which days symbols can be had.
pub(super) fn symbols(args: &SymbolsArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let client = client(&args.connect)?;
    let found: Availability = wait(async {
        let dataset = client.dataset(&args.dataset, &told(global)).await?;
        let start = args.start.unwrap_or_else(|| dataset.start.date_naive());
        let last = args.end.and_then(|end| end.succ_opt());
        let end = last.unwrap_or_else(|| dataset.end.date_naive());
        if start >= end {
            return Err(FetchError::Request(format!("the first day {start} is behind the last")));
        }
        client.symbols(&args.dataset, &args.symbol, &args.stype, (start, end), &told(global)).await
    })?;
    // A parent is answered with its instruments.
    let parents =
        args.stype == "parent" && found.not_found.is_empty() && found.mappings.values().any(|spans| !spans.is_empty());
    let names: Vec<&String> = if parents { found.mappings.keys().collect() } else { args.symbol.iter().collect() };
    let missing = names.iter().any(|symbol| found.mappings.get(*symbol).is_none_or(Vec::is_empty));
    commands::show(global, &found, |out| {
        for symbol in names {
            match found.mappings.get(symbol).map(Vec::as_slice) {
                None | Some([]) => writeln!(out, "ERROR: {symbol}: not there as {}", found.stype_in)?,
                Some(spans) => {
                    writeln!(out, "SUCCESS: {symbol}: there")?;
                    for span in spans {
                        writeln!(out, "  {} to before {}: instrument {}", span.start_date, span.end_date, span.symbol)?;
                    }
                }
            }
        }
        if missing && args.dataset.starts_with("GLBX") {
            out.write_all(FUTURES.as_bytes())?;
        }
        Ok(())
    })?;
    Ok(if missing { exit::NOT_FOUND.into() } else { ExitCode::SUCCESS })
}

/// How futures are called.
const FUTURES: &str = "
Futures are called, with ES as the root:
  raw_symbol    ESH4     root, month (F G H J K M N Q U V X Z for January to December), last digit of the year
  continuous    ES.c.0   by calendar: the contract that expires next; .1 the one after it; ES.v.0 by volume, ES.n.0 by open interest
  parent        ES.FUT   all contracts of a root
";
