//! `cargo xtask bench bars`: second bars resampled, against DuckDB, polars, pandas and numpy.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use chrono::DateTime;
use clap::{Args, ValueEnum};
use fxd::{Columns, Scale};
use pdp_bars::convert::{InputKind, OnDuplicate};
use pdp_bars::pipeline::{OutputFormat, Resampling, resample};
use pdp_bars::resample::{Cascade, Grid, Timeframe};
use pdp_bars::{Fit, Kind, ReadOptions};
use serde_json::{Value, json};

use super::compare::{Column, Contender, rounds, table};
use super::{machine, report};
use crate::tools;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many second bars
    #[arg(long, default_value_t = 2_910_000)]
    rows: u64,
    /// How often each is measured, turn by turn
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Put the figures into this file, such as docs/benchmarks.md, as a section of their own
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Do this and nothing else: what a process of the benchmark is started for
    #[arg(long, hide = true)]
    work: Option<Work>,
    #[arg(hide = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// CSV to one-minute CSV
    Csv,
    /// CSV to nine timeframes of CSV
    Nine,
    /// Bars in memory to nine timeframes in memory
    Memory,
}

const NINE: [&str; 9] = ["15s", "30s", "45s", "1min", "2min", "5min", "15min", "30min", "1h"];

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    if let Some(work) = options.work {
        let [csv, output] = options.files.as_slice() else { anyhow::bail!("two files are needed") };
        println!("{}", own(work, csv, output)?);
        return Ok(());
    }
    ensure!(options.runs > 0, "there must be a run at least");
    let python = tools::python_bench(root)?;
    let directory = root.join("target/bench/bars");
    fs::create_dir_all(&directory)?;
    let made = |name: &str, zeros: &str| {
        let path = directory.join(format!("{name}-{}.csv", options.rows));
        if !path.is_file() {
            eprintln!("making {}", path.display());
            make(&path, options.rows, zeros)?;
        }
        anyhow::Ok(path)
    };
    let csv = made("seconds", "")?;
    let nine_decimals = made("nine-decimals", "0000000")?;
    let script = root.join("xtask/src/bench/bars_peers.py");
    let program = std::env::current_exe()?;
    let output = directory.join("out");
    let contender_of = |csv: &Path, name: &'static str, ours: bool, does: &str| {
        let mut args: Vec<std::ffi::OsString> = match ours {
            true => ["bench", "bars", "--work", does].map(Into::into).into(),
            false => vec![script.clone().into(), does.into()],
        };
        args.extend([csv.into(), output.clone().into()]);
        Contender { name, ours, program: if ours { program.clone() } else { python.clone() }, args, output: None }
    };
    let contender = |name: &'static str, ours: bool, does: &str| contender_of(&csv, name, ours, does);
    let columns = [Column::time("CPU s", |f| f.all("cpu")), Column::time("wall s", |f| f.all("wall"))];
    let mut text = String::new();
    for (csv, label, title) in [
        (&csv, "minutes", "CSV to one-minute CSV"),
        (
            &nine_decimals,
            "nine decimals",
            "CSV with prices of nine decimals, as Databento writes them, to one-minute CSV",
        ),
    ] {
        let all = rounds(
            label,
            options.runs,
            &[
                contender_of(csv, "pdp bars resample", true, "csv"),
                contender_of(csv, "DuckDB", false, "duckdb"),
                contender_of(csv, "polars", false, "polars"),
                contender_of(csv, "pandas", false, "pandas"),
            ],
        )?;
        let megabytes = report::megabytes(fs::metadata(csv)?.len());
        let _ = write!(
            text,
            "### {title}\n\n{} second bars, {megabytes:.0} MB, all threads. CPU of `pdp` is that of the whole process, of peers \
             without their imports.\n\n",
            options.rows
        );
        text.push_str(&table(&all, &columns));
        text.push('\n');
    }
    let nine = rounds("nine", options.runs, &[contender("pdp bars resample", true, "nine")])?;
    text.push_str("### CSV to nine timeframes of CSV, in one reading\n\n");
    text.push_str(&table(&nine, &columns));
    let mut huge = contender("pdp: cascade, huge pages", true, "memory");
    huge.args.splice(0..0, ["GLIBC_TUNABLES=glibc.malloc.hugetlb=1".into(), huge.program.clone().into()]);
    huge.program = PathBuf::from("env");
    let mut plain = contender("pdp: cascade", true, "memory");
    plain.ours = false;
    let memory = rounds(
        "memory",
        options.runs,
        &[
            huge,
            plain,
            contender("numpy: cascade of reduceat", false, "memory_numpy"),
            contender("polars: cascade", false, "memory_polars"),
        ],
    )?;
    text.push_str(
        "\n### Nine timeframes from memory to memory\n\nBest of three in each process. numpy asks for huge pages for its arrays by itself \
         (madvise); glibc's malloc does with GLIBC_TUNABLES=glibc.malloc.hugetlb=1, which the first row has.\n\n",
    );
    text.push_str(&table(&memory, &[Column::time("CPU ms", |f| f.all("cpu").iter().map(|s| s * 1e3).collect())]));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut head = format!("`cargo xtask bench bars --rows {} --runs {}`\n\n", options.rows, options.runs);
    for line in machine::describe(root, cores) {
        let _ = writeln!(head, "- {line}");
    }
    let text = format!("{head}\n{text}");
    print!("{text}");
    if let Some(path) = &options.markdown {
        report::put(path, "bars", &format!("## bars\n\n{text}"))?;
    }
    Ok(())
}

/// Seconds with trade of some months, always the same, with the columns of Databento's CSV; prices have two decimals and these zeros.
fn make(path: &Path, rows: u64, zeros: &str) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(file, "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol")?;
    let (mut state, mut price, mut seconds) = (88_172_645_463_325_252_u64, 500_000_u64, 1_704_067_200_i64);
    for _ in 0..rows {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let bits = state >> 20;
        let close = (price + bits % 7).saturating_sub(3).max(100);
        let (high, low) = (price.max(close) + bits / 7 % 3, price.min(close) - bits / 21 % 3);
        let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%dT%H:%M:%S.000000000Z");
        let at = |price: u64| format!("{}.{:02}{zeros}", price / 100, price % 100);
        let (open, volume) = (at(price), bits / 63 % 500);
        writeln!(file, "{time},32,2,15144,{open},{},{},{},{volume},SYM", at(high), at(low), at(close))?;
        price = close;
        seconds += [1, 1, 1, 2, 5].get(usize::try_from(bits / 40_000 % 5)?).copied().unwrap_or(1);
    }
    Ok(file.flush()?)
}

fn own(work: Work, csv: &Path, output: &Path) -> Result<Value> {
    let timeframes = |texts: &[&str]| texts.iter().map(|text| text.parse()).collect::<Result<Vec<Timeframe>, _>>();
    let start = Instant::now();
    if work == Work::Memory {
        return memory(csv, &timeframes(&NINE)?);
    }
    let how = Resampling {
        timeframes: timeframes(if work == Work::Csv { &["1min"] } else { &NINE })?,
        grid: Grid::Epoch,
        fill: false,
        zone: None,
        on_duplicate: OnDuplicate::Error,
        by_publisher: false,
        merge_instruments: false,
        format: OutputFormat::Csv,
    };
    let files = [(csv.to_owned(), InputKind::Bars(Kind::Csv))];
    let made = resample("SYM", &files, output, &how, &|_| ControlFlow::Continue(()))?;
    Ok(json!({ "rows": made.bars, "wall": start.elapsed().as_secs_f64() }))
}

fn memory(csv: &Path, timeframes: &[Timeframe]) -> Result<Value> {
    let scale = Scale::new(2).unwrap_or(Scale::PRICE);
    let mut source = pdp_bars::open(csv, None, &ReadOptions::new(Fit::any(scale, Scale::VOLUME)))?;
    // Columns, as the peers have them.
    let mut bars: Vec<Columns> = Vec::new();
    let mut rows = 0;
    while let Some(chunk) = source.next()? {
        for piece in chunk.runs.iter().flat_map(|run| run.bars.chunks(8192)) {
            let mut columns = Columns::with_capacity(piece.len());
            piece.iter().for_each(|bar| columns.push(*bar));
            rows += columns.len();
            bars.push(columns);
        }
    }
    // The best of three, as of the peers.
    let mut best: Option<(f64, f64)> = None;
    for _ in 0..3 {
        let figures = roll_up(&bars, timeframes)?;
        best = Some(best.filter(|best| best.0 <= figures.0).unwrap_or(figures));
    }
    let (cpu, wall) = best.unwrap_or_default();
    Ok(json!({ "rows": rows, "cpu": cpu, "wall": wall }))
}

/// CPU and wall seconds.
fn roll_up(bars: &[Columns], timeframes: &[Timeframe]) -> Result<(f64, f64)> {
    let (start, cpu) = (Instant::now(), super::measure::thread_cpu());
    let made = Cascade::all(Grid::Epoch, timeframes, bars);
    let cpu = super::measure::thread_cpu() - cpu;
    black_box(&made.map_err(|error| anyhow::anyhow!("too much volume at {}", error.ts))?);
    Ok((cpu, start.elapsed().as_secs_f64()))
}
