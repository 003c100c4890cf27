//! What a person or CI runs on this workspace: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod bench;
mod ci;
mod fixtures;
mod fuzz;
mod layers;
mod process;
mod spec;
mod test;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of the Portable Data Packager workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Make the committed fixtures anew: sample data, test packages, published schemas
    Fixtures {
        /// Fail when a committed fixture is not what would be made; write nothing
        #[arg(long)]
        check: bool,
    },
    /// Install what the tests need and run all of them
    Test {
        /// Arguments for `cargo test`, such as a package or a filter
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Everything that must hold before a change lands: format, lints, layers, licences, docs, tests
    Ci,
    /// Install cargo-fuzz, make seeds and run fuzz targets; fails when one crashes
    Fuzz {
        /// Which ones; all when none is named
        targets: Vec<String>,
        /// How long each
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Print the graph of the workspace's crates and hold it against ARCHITECTURE.md
    Layers,
    /// Hold the tables and the dump of the format specifications against the code
    SpecCheck {
        /// Print the dump of the smallest store as the code makes it, and check nothing
        #[arg(long)]
        dump: bool,
    },
    /// Run a benchmark against its peers, or list the benchmarks
    Bench {
        /// Which one; all are listed when none is named
        #[command(subcommand)]
        bench: Option<bench::Bench>,
    },
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Fixtures { check } => fixtures::run(&root(), check),
        Task::Test { args } => test::run(&root(), &args),
        Task::Ci => ci::run(&root()),
        Task::Fuzz { targets, seconds } => fuzz::run(&root(), &targets, seconds),
        Task::Layers => layers::run(&root()),
        Task::SpecCheck { dump } => spec::run(&root(), dump),
        Task::Bench { bench } => bench::run(&root(), bench.as_ref()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's directory.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}
