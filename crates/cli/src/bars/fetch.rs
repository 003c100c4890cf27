//! `bars fetch`.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use pdp_bars::fetch::{Event, Fetched, Fetching, Have, Plan, Request};
use pdp_packager::{Progress as _, Stage};
use serde_json::{Value, json};

use super::args::FetchArgs;
use super::databento::{client, retry, wait};
use crate::args::Global;
use crate::{commands, progress};

/// Fetches, or says what it would.
pub(super) fn run(args: &FetchArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let client = client(&args.connect)?;
    let request = Request {
        dataset: args.dataset.clone(),
        schema: args.schema.clone(),
        stype_in: args.stype.clone(),
        symbol: args.symbol.clone(),
        start: args.start.start(),
        end: args.end.end(),
    };
    let of_schema = args.schema.strip_prefix("ohlcv-").unwrap_or(&args.schema);
    let how = Fetching {
        output: args.output_dir.clone().unwrap_or_else(|| global.data_root.join(format!("raw_{of_schema}"))),
        jobs: args.jobs.into(),
        refresh: args.refresh,
        most: args.max_cost,
        replace: args.replace,
    };
    let shown = progress::start(global);
    shown.begin(Stage::Scanning, 0, 0);
    let told = |event: Event<'_>| {
        if let Event::Done { .. } = event {
            shown.advance(1, 0);
        } else if let Some(line) = retry(event).filter(|_| !global.quiet) {
            shown.say(&line);
        }
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let plan = wait(client.plan(&request, &how, &told))?;
    shown.finish();
    for warning in plan.warnings.iter().filter(|_| !global.quiet) {
        let _ = writeln!(io::stderr(), "WARNING: {}", crate::render::printable(warning));
    }
    if args.dry_run {
        commands::show(global, &of_plan(&plan), |out| plan_words(&plan, out))?;
        // What a run without this option would say.
        plan.check_cost(&how)?;
        return Ok(ExitCode::SUCCESS);
    }
    plan.check_cost(&how)?;
    for month in plan.missing().filter(|month| month.have != Have::Nothing && !global.quiet) {
        let _ = writeln!(
            io::stderr(),
            "{}: {} of it is there: bought as a whole, {} to {}",
            month.month,
            match month.have {
                Have::Part => "part",
                Have::Changed => "what is no longer what was fetched",
                Have::Outdated => "what the vendor has changed since",
                _ => "another file",
            },
            month.start.format("%Y-%m-%dT%H:%M:%SZ"),
            month.end.format("%Y-%m-%dT%H:%M:%SZ")
        );
    }
    let missing = plan.missing().count();
    if missing > 0 && !global.quiet {
        let rows: u64 = plan.missing().map(|month| month.rows).sum();
        let months = if missing == 1 { "month" } else { "months" };
        let _ = writeln!(io::stderr(), "Buying {missing} {months}, {rows} bars, for {:.4} US dollars", plan.cost());
    }
    shown.begin(Stage::Fetching, missing as u64, 0);
    let fetched = wait(client.fetch(&plan, &how, &told))?;
    shown.finish();
    commands::show(global, &of_fetched(&plan, &fetched), |out| words(&plan, &fetched, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

fn months(plan: &Plan) -> Vec<Value> {
    let month = |month: &pdp_bars::fetch::Month| {
        json!({
            "month": month.month,
            "start": month.start,
            "end": month.end,
            "have": month.have.name(),
            "fetch": month.fetch,
            "bars": month.rows,
            "bytes": month.bytes,
            "cost": month.cost,
            "file": month.file.to_string_lossy(),
        })
    };
    plan.months.iter().map(month).collect()
}

fn of_plan(plan: &Plan) -> Value {
    json!({
        "symbol": plan.request.symbol,
        "dataset": plan.request.dataset,
        "start": plan.request.start,
        "end": plan.request.end,
        "cost": plan.cost(),
        "warnings": plan.warnings,
        "months": months(plan),
    })
}

fn of_fetched(plan: &Plan, fetched: &Fetched) -> Value {
    json!({
        "symbol": plan.request.symbol,
        "dataset": plan.request.dataset,
        "start": plan.request.start,
        "end": plan.request.end,
        "kept": fetched.kept,
        "fetched": fetched.fetched,
        "bars": fetched.rows,
        "cost": fetched.cost,
        "warnings": plan.warnings,
        "directory": plan.directory.to_string_lossy(),
        "files": fetched.files.iter().map(|file| file.to_string_lossy()).collect::<Vec<_>>(),
    })
}

fn plan_words(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<8} {:<9} {:>10} {:>12} {:>12}", "month", "there", "bars", "bytes", "US dollars")?;
    for month in &plan.months {
        let (bytes, cost) = match month.fetch {
            true => (month.bytes.to_string(), format!("{:.4}", month.cost)),
            false => ("-".to_owned(), "-".to_owned()),
        };
        writeln!(out, "{:<8} {:<9} {:>10} {bytes:>12} {cost:>12}", month.month, month.have.name(), month.rows)?;
    }
    writeln!(
        out,
        "{} of {} months to buy, for {:.4} US dollars",
        plan.missing().count(),
        plan.months.len(),
        plan.cost()
    )
}

fn words(plan: &Plan, fetched: &Fetched, quiet: bool, out: &mut dyn Write) -> io::Result<()> {
    if quiet {
        return fetched.files.iter().try_for_each(|file| writeln!(out, "{}", file.display()));
    }
    writeln!(
        out,
        "SUCCESS: {} {} from {}: {} bars in {} files; {} months fetched, {} there already",
        plan.request.symbol,
        plan.request.schema,
        plan.request.dataset,
        fetched.rows,
        fetched.files.len(),
        fetched.fetched,
        fetched.kept
    )?;
    writeln!(out, "{}", plan.directory.display())
}
