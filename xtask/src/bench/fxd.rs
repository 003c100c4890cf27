//! `cargo xtask bench fxd`: the store of bars against Parquet, DuckDB, polars and files mapped by numpy.

mod data;
mod own;
mod plot;
mod real;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use self::own::Work;
use super::compare::{Column, Contender, Figures, rounds, table};
use super::machine;
use super::measure::Spread;
use super::report::{self, Table};
use crate::tools;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Years of minutes of fifty symbols in the store that is asked and scanned; peers have the first of them
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100))]
    years: u64,
    /// About how many rows are read from CSV
    #[arg(long, default_value_t = 5_000_000)]
    rows: u64,
    /// How many days are asked for
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    queries: u64,
    /// How often each is measured, turn by turn
    #[arg(long, default_value_t = 3)]
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

pub(super) fn run(root: &Path, options: &Options) -> Result<()> {
    if let Some(work) = options.work {
        return own::run(work, &options.files);
    }
    ensure!(options.runs > 0, "there must be a run at least");
    let load = machine::load();
    let python = tools::python_bench(root)?;
    let files = data::make(&root.join("target/bench/fxd"), options.years, options.rows, options.queries)?;
    let bench = Bench {
        root: root.to_owned(),
        python,
        script: root.join("xtask/src/bench/fxd_peers.py"),
        own: std::env::current_exe()?,
    };
    let loaded = files.directory.join("peers.loaded");
    if !loaded.is_file() {
        eprintln!("loading the first year into the peers");
        bench.peer("peers", "load", [&files.directory], None).run()?;
        fs::write(&loaded, "")?;
    }
    let text = bench.all(&files, options)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let command = format!(
        "cargo xtask bench fxd --years {} --rows {} --queries {} --runs {}",
        options.years, options.rows, options.queries, options.runs
    );
    let mut head = format!("`{command}`\n\n");
    for line in machine::describe(root, cores) {
        let _ = writeln!(head, "- {line}");
    }
    let _ = writeln!(head, "- Load before: {}\n", load.as_deref().unwrap_or("unknown"));
    let text = format!("{head}{text}");
    print!("{text}");
    if let Some(path) = &options.markdown {
        report::put(path, "fxd", &format!("## fxd\n\n{text}"))?;
    }
    Ok(())
}

struct Bench {
    root: PathBuf,
    python: PathBuf,
    script: PathBuf,
    own: PathBuf,
}

impl Bench {
    fn own<const N: usize>(
        &self,
        name: &'static str,
        work: &str,
        files: [&PathBuf; N],
        output: Option<&Path>,
    ) -> Contender {
        let mut args: Vec<OsString> = ["bench", "fxd", "--work", work].map(OsString::from).into();
        args.extend(files.iter().map(OsString::from));
        args.extend(output.map(OsString::from));
        Contender { name, ours: true, program: self.own.clone(), args, output: output.map(Path::to_owned) }
    }

    fn peer<const N: usize>(
        &self,
        name: &'static str,
        does: &str,
        files: [&PathBuf; N],
        output: Option<&Path>,
    ) -> Contender {
        let mut args = vec![self.script.clone().into_os_string(), does.into()];
        args.extend(files.iter().map(OsString::from));
        args.extend(output.map(OsString::from));
        Contender { name, ours: false, program: self.python.clone(), args, output: output.map(Path::to_owned) }
    }

    fn all(&self, files: &data::Files, options: &Options) -> Result<String> {
        let at = |name: &str| files.directory.join(name);
        let mut text = String::new();

        let (csv, directory) = (&files.csv, &files.directory);
        let ingest = rounds(
            "ingest",
            options.runs,
            &[
                self.own("pdp: CSV to .fxd, version 3", "ingest", [csv], Some(&at("out.fxd"))),
                self.own("pdp: version 2", "ingest2", [csv], Some(&at("out.fxd"))),
                self.own("pdp: version 1", "ingest1", [csv], Some(&at("out.fxd"))),
                self.own("pdp: CSV parsed only", "parse", [csv], None),
                self.peer("pyarrow: CSV to Parquet, zstd 3", "ingest_pyarrow", [csv], Some(&at("out-pyarrow.parquet"))),
                self.peer("DuckDB: CSV to native", "ingest_duckdb", [csv], Some(&at("out.duckdb"))),
                self.peer("polars: CSV to Parquet, zstd 3", "ingest_polars", [csv], Some(&at("out-polars.parquet"))),
            ],
        )?;
        let _ = write!(
            text,
            "### Ingest\n\n{} rows of CSV ({:.0} MB), all threads. CPU of `pdp` is that of the whole process, of peers without \
             their imports.\n\n",
            files.csv_rows,
            report::megabytes(fs::metadata(csv)?.len())
        );
        let columns = [
            Column::rate("M rows/CPU s", Figures::rates),
            Column::time("wall s", |f| f.all("wall")),
            Column::plain("bytes/bar", Figures::bytes_of_bar),
        ];
        text.push_str(&table(&ingest, &columns));

        let [newest, second, first] = &files.stores;
        let query = rounds(
            "query",
            options.runs,
            &[
                self.own("pdp: .fxd, version 3, all years", "query", [newest, &files.queries], None),
                self.own("pdp: version 2, all years", "query", [second, &files.queries], None),
                self.own("pdp: version 1, all years", "query", [first, &files.queries], None),
                self.peer(
                    "pyarrow: Parquet per symbol, 8192 a group",
                    "query_parquet",
                    [directory, &files.year_queries],
                    None,
                ),
                self.peer("DuckDB native", "query_duckdb", [directory, &files.year_queries], None),
                self.peer("numpy memmap (a ceiling)", "query_memmap", [directory, &files.year_queries], None),
            ],
        )?;
        let _ = write!(
            text,
            "\n### A day of one symbol of {}\n\n{} queries, warm, one thread, nothing cached by `pdp`. The store has {} years, \
             the peers' data is the first of them.\n\n",
            data::SYMBOLS,
            options.queries,
            options.years
        );
        text.push_str(&table(
            &query,
            &[Column::time("p50 us", |f| f.all("p50")), Column::time("p99 us", |f| f.all("p99"))],
        ));

        let scan = rounds(
            "scan",
            options.runs,
            &[
                self.own("pdp: .fxd, version 3", "scan", [newest], None),
                self.own("pdp: version 2", "scan", [second], None),
                self.own("pdp: version 1", "scan", [first], None),
                self.own("zstd alone, payloads of version 1", "zstd", [first], None),
                self.peer("DuckDB native", "scan_duckdb", [directory], None),
                self.peer("Parquet i32 DELTA, zstd 3", "scan_parquet", [&at("i32")], None),
                self.peer("Parquet f64, zstd 3", "scan_parquet", [&at("f64")], None),
                self.peer("vortex i32", "scan_vortex", [&at("vortex")], None),
                self.peer("vortex i32, compact", "scan_vortex", [&at("compact")], None),
                self.peer("pcodec, plain columns", "scan_pco", [&at("pco")], None),
                self.peer("numpy memmap, copied", "scan_memmap", [directory], None),
            ],
        )?;
        self.plot(&scan)?;
        text.push_str("\n### All bars to columns\n\nOne thread, warm; the peers' data is the first year.\n\n![size against scan speed](images/fxd-scan.svg)\n\n");
        text.push_str(&table(
            &scan,
            &[Column::rate("M rows/CPU s", Figures::rates), Column::plain("bytes/bar", Figures::bytes_of_bar)],
        ));

        let close = rounds(
            "close",
            options.runs,
            &[
                self.own("pdp: .fxd, version 3", "close", [newest], None),
                self.own("pdp: version 1", "close", [first], None),
                self.peer("DuckDB native", "close_duckdb", [directory], None),
                self.peer("Parquet i32 DELTA, zstd 3", "close_parquet", [&at("i32")], None),
            ],
        )?;
        text.push_str("\n### Timestamps and closes alone\n\n");
        text.push_str(&table(&close, &[Column::rate("M rows/CPU s", Figures::rates)]));

        if let Some(real) = real::table(self, &self.root.join("../shared/data"), &at("real"))? {
            text.push_str("\n### Real bars, bytes a bar\n\n");
            text.push_str("Of `.fxd` all bytes of blocks, with headers, trailers and padding; of others the file or the coded columns.\n\n");
            text.push_str(&real);
        }

        let filter = rounds("filter", options.runs, &[self.own("pdp", "filter", [], None)])?;
        text.push_str("\n### Filters\n\nG values (of `apply` and `mask`: bars, price and volume) a CPU second, one thread, a million at a time.\n\n");
        text.push_str(&table(
            &filter,
            &[
                Column::plain("and_signed", |f| f.all("signed")),
                Column::plain("and_signed, 1440 values", |f| f.all("near")),
                Column::plain("Filter::mask", |f| f.all("mask")),
                Column::plain("Filter::apply", |f| f.all("apply")),
            ],
        ));
        Ok(text)
    }
}

impl Bench {
    /// Draws where each format stands.
    fn plot(&self, scan: &[Figures]) -> Result<()> {
        let median = |values: &[f64]| Spread::of(values).map(|spread| spread.median).filter(|value| value.is_finite());
        let points = scan.iter().filter_map(|figures| {
            Some(plot::Point {
                name: figures.name,
                ours: figures.ours,
                bytes: median(&figures.bytes_of_bar())?,
                rate: median(&figures.rates())?,
            })
        });
        let file = self.root.join("docs/images/fxd-scan.svg");
        fs::create_dir_all(file.parent().context("a directory")?)?;
        fs::write(&file, plot::svg(&points.collect::<Vec<_>>())).with_context(|| file.display().to_string())
    }
}
