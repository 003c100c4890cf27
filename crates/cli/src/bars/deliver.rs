//! `bars deliver`.

mod checklist;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use pdp_bars::convert::{ConvertError, InputKind};
use pdp_bars::pipeline;
use pdp_bars::resample::Timeframe;
use pdp_packager::manifest::digest::Hasher;
use pdp_packager::manifest::{EventType, PackagePath, Sha256Digest, Symbol};
use pdp_packager::{CreateOptions, Existing, PackagerError, Progress as _, Stage};

use super::args::{Contents, DeliverArgs, ValidateArgs};
use super::report::{self, Format};
use super::validate::{Part, judge};
use crate::args::Global;
use crate::fxd::inputs::usage;
use crate::{commands, exit, progress, render};

/// A symbol's raw files.
type Raw = BTreeMap<String, Vec<(PathBuf, InputKind)>>;

/// Delivers.
pub(super) fn run(args: &DeliverArgs, global: &Global) -> anyhow::Result<ExitCode> {
    let root = &global.data_root;
    let results = root.join("aggregated");
    if !results.is_dir() {
        return Err(PackagerError::NotFound { what: "resampled bars", path: results }.into());
    }
    let raw_dir = args.raw_dir.clone().unwrap_or_else(|| root.join("raw_1s"));
    check_raw(args, root, &raw_dir)?;
    let parts = parts(args, &results)?;
    let raw: Option<Raw> = if raw_dir.is_dir() { Some(pipeline::series(&raw_dir)?) } else { None };
    let shown = progress::start(global);
    shown.begin(Stage::Verifying, 0, 0);
    let told = |bytes| {
        shown.advance(0, bytes);
        if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut reports = judge(&validation(args, &results, &raw_dir), &parts, raw.as_ref(), &told)?;
    let of_results = reports.len();
    if let (Contents::All, Some(raw)) = (args.data, &raw) {
        // Raw bars that are delivered are held to the same rules.
        let delivered = |symbol: &&String| parts.iter().any(|(_, series)| series.contains_key(*symbol));
        let series: Raw =
            raw.iter().filter(|(symbol, _)| delivered(symbol)).map(|(s, f)| (s.clone(), f.clone())).collect();
        let how = ValidateArgs { raw_dir: None, session: None, ..validation(args, &results, &raw_dir) };
        reports.extend(judge(&how, &[(raw_dir.clone(), series)], None, &told)?);
    }
    shown.finish();
    // Where the data lie here is nobody else's concern.
    let below = |path: &mut PathBuf| {
        if let Ok(rest) = path.strip_prefix(root) {
            *path = rest.to_owned();
        }
    };
    for (directory, report) in &mut reports {
        below(directory);
        report.findings.iter_mut().for_each(|finding| below(&mut finding.place.file));
    }
    let found: u64 = reports.iter().map(|(_, report)| report.found()).sum();
    if found > 0 && !args.allow_findings {
        commands::show(global, &report::json(&reports), |out| report::text(&reports, global.quiet, out))?;
        return Ok(exit::INVALID.into());
    }
    let mut facts = checklist::Facts::default();
    facts.raw = raw.is_some();
    let symbols = parts.iter().flat_map(|(_, series)| series);
    for (symbol, made) in symbols.collect::<BTreeMap<_, _>>() {
        let files = raw.as_ref().and_then(|raw| raw.get(symbol)).unwrap_or(made);
        let stopped = |_| if shown.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        match pipeline::days(symbol, files, args.tz, &stopped) {
            Ok(days) => facts.days.extend([(symbol.clone(), days)]),
            Err(ConvertError::Interrupted) => return Err(ConvertError::Interrupted.into()),
            // A finding already, which somebody allows: then nothing is said of these days.
            Err(_) => {}
        }
    }
    let options = options(args, global, &parts, facts, (&reports, of_results), &raw_dir)?;
    let shown = progress::start(global);
    let outcome = pdp_packager::create(&options, &shown);
    shown.finish();
    let report = outcome?;
    if !global.quiet {
        render::warnings(&report)?;
    }
    commands::show(global, &report, |out| render::created(&report, global.quiet, out))?;
    Ok(ExitCode::SUCCESS)
}

/// What raw bars there must be.
fn check_raw(args: &DeliverArgs, root: &Path, raw_dir: &Path) -> anyhow::Result<()> {
    if (args.raw_dir.is_some() || args.data == Contents::All) && !raw_dir.is_dir() {
        return Err(PackagerError::NotFound { what: "raw bars", path: raw_dir.to_owned() }.into());
    }
    let packed = of_raw(raw_dir).is_some()
        && raw_dir.parent().is_some_and(|parent| {
            let whole =
                |path: &Path| if path.as_os_str().is_empty() { Path::new(".") } else { path }.canonicalize().ok();
            whole(parent) == whole(root)
        });
    if args.data == Contents::All && !packed {
        return Err(usage(format!(
            "--data all: {} cannot be packed, expected a directory like raw_1s in the data root {}",
            raw_dir.display(),
            root.display()
        )));
    }
    Ok(())
}

/// The type of raw bars that a directory is called after.
fn of_raw(raw_dir: &Path) -> Option<EventType> {
    EventType::bars_of(raw_dir.file_name()?.to_str()?.strip_prefix("raw_")?)
}

/// The directories of timeframes, with the files of the symbols that are asked for.
fn parts(args: &DeliverArgs, results: &Path) -> anyhow::Result<Vec<Part>> {
    let mut parts = Vec::new();
    for (timeframe, directory) in pipeline::timeframes(results)? {
        if !args.timeframes.is_empty() && !timeframe.is_some_and(|timeframe| args.timeframes.contains(&timeframe)) {
            continue;
        }
        let mut series = pipeline::series(&directory)?;
        series.retain(|symbol, _| args.symbol.is_empty() || args.symbol.contains(symbol));
        if !series.is_empty() {
            parts.push((directory, series));
        }
    }
    let there = |symbol: &&String| parts.iter().any(|(_, series)| series.contains_key(*symbol));
    if let Some(symbol) = args.symbol.iter().find(|symbol| !there(symbol)) {
        return Err(PackagerError::NotFound { what: "resampled bars of the symbol", path: results.join(symbol) }.into());
    }
    if parts.is_empty() {
        return Err(PackagerError::NotFound { what: "resampled bars", path: results.to_owned() }.into());
    }
    Ok(parts)
}

/// The check that results must pass.
fn validation(args: &DeliverArgs, results: &Path, raw_dir: &Path) -> ValidateArgs {
    ValidateArgs {
        input_dir: results.to_owned(),
        symbol: None,
        timeframe: None,
        raw_dir: raw_dir.is_dir().then(|| raw_dir.to_owned()),
        report: Vec::new(),
        calendar: args.calendar.clone(),
        halts: None,
        condition: None,
        no_trade: None,
        allow_negative_prices: args.allow_negative_prices,
        refuse_zero_volume: false,
        allow_gaps: args.allow_gaps,
        merge_instruments: args.merge_instruments,
        session: args.session,
        tz: args.tz,
        on_duplicate: args.on_duplicate,
        most: 1000,
    }
}

/// The package that is made.
fn options(
    args: &DeliverArgs,
    global: &Global,
    parts: &[Part],
    mut facts: checklist::Facts,
    (reports, of_results): (&super::validate::Reports, usize),
    raw_dir: &Path,
) -> anyhow::Result<CreateOptions> {
    let now = match args.created_at {
        Some(time) => time,
        None => commands::source_date_epoch()?.unwrap_or_else(commands::now),
    };
    let mut options = CreateOptions::new(&global.data_root, &args.output, now);
    let name = args.name.clone().unwrap_or_else(|| format!("bars-{}", now.format("%Y%m%d")));
    options.name = Some(name.parse().map_err(|error| usage(format!("--name: {error}")))?);
    options.format = args.format.parse().map_err(|_| usage("--format: expected zip, tar.gz or folder"))?;
    options.threads = global.threads;
    if args.overwrite {
        options.existing = Existing::Replace;
    }
    options.without_data = args.data == Contents::None;
    options.quality_report = !options.without_data;
    let timeframe = |directory: &Path| {
        directory.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse::<Timeframe>().ok())
    };
    let timeframes = parts.iter().filter_map(|(directory, _)| timeframe(directory));
    options.filters.event_types =
        timeframes.filter_map(|timeframe| EventType::bars_of(&timeframe.to_string())).collect();
    if args.data == Contents::All {
        options.filters.event_types.extend(of_raw(raw_dir));
    }
    let symbols: std::collections::BTreeSet<&String> = parts.iter().flat_map(|(_, series)| series.keys()).collect();
    options.filters.symbols = symbols.iter().filter_map(|symbol| symbol.parse::<Symbol>().ok()).collect();
    let mut papers = BTreeMap::new();
    let mut put = |name: &str, text: Vec<u8>| -> anyhow::Result<()> {
        let path: PackagePath =
            format!("metadata/delivery/{name}").parse().map_err(|error| usage(format!("{name}: {error}")))?;
        papers.insert(path, String::from_utf8_lossy(&text).into_owned());
        Ok(())
    };
    put("validation.txt", report::bytes(Format::Text, reports)?)?;
    put("validation.json", report::bytes(Format::Json, reports)?)?;
    put("validation.html", report::bytes(Format::Html, reports)?)?;
    if options.without_data {
        put("SHA256SUMS", sums(global, parts)?.into_bytes())?;
    }
    for symbol in &symbols {
        let directory = raw_dir.join(symbol);
        for name in ["symbology.json", "condition.json", "fetch.json", "import.json"] {
            let path = directory.join(name);
            // A link could lead to what nobody means to deliver.
            if path.symlink_metadata().is_ok_and(|data| data.is_file()) {
                let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
                facts.note(symbol, name, &text);
                put(&format!("{symbol}/{name}"), text)?;
            }
        }
        facts.changed.extend(
            pdp_bars::fetch::changed(&directory)?.into_iter().flatten().map(|month| format!("{symbol} of {month}")),
        );
    }
    if !facts.changed.is_empty() && !args.allow_findings {
        return Err(PackagerError::Invalid {
            summary: "raw bars are no longer what was fetched; --allow-findings delivers all the same:".to_owned(),
            findings: facts.changed,
        }
        .into());
    }
    let (results, raw) = reports.split_at_checked(of_results).unwrap_or((reports, &[]));
    put("CHECKLIST.md", checklist::checklist(args, results, raw, &facts).into_bytes())?;
    options.extras = papers;
    Ok(options)
}

/// The checksums of the data files, by their paths below the data root, as `sha256sum --check` reads them: for data that go another way.
fn sums(global: &Global, parts: &[Part]) -> anyhow::Result<String> {
    let files = parts.iter().flat_map(|(_, series)| series.values().flatten()).map(|(path, _)| path);
    let mut lines = Vec::new();
    for path in files {
        let digest = digest(path).with_context(|| path.display().to_string())?;
        let below = path.strip_prefix(&global.data_root).unwrap_or(path);
        let name = below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        lines.push(format!("{digest}  {name}\n"));
    }
    lines.sort();
    Ok(lines.concat())
}

/// A file's digest, a part of it in memory at a time.
fn digest(path: &Path) -> std::io::Result<Sha256Digest> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}
