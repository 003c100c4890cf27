//! The command line.

mod create;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::create::CreateArgs;

/// Turn collected market data into packages that anybody can verify and use.
#[derive(Debug, Parser)]
#[command(name = "pdp", version, max_term_width = 100, arg_required_else_help = true, after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 invalid package, 4 not found, 130 interrupted.

The documented spellings work as they stand and mean the same:
  pdp --package [--package-symbols AAPL,MSFT] [--package-from 2024-01-01] ...
  pdp --import-package FILE [--import-destination DIR] [--skip-validation] [--merge]
  pdp --list-package FILE
  pdp --validate-package FILE";

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Print the report as JSON on standard output
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// Print nothing but the result and errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Where collected data lies, and where packages are imported to by default
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_name = "DIR",
        env = "PDP_DATA_ROOT",
        default_value = "data"
    )]
    pub(crate) data_root: PathBuf,
    /// Threads to use; 0 for as many as there are cores
    #[arg(long, global = true, help_heading = "Global options", value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
    /// Progress on standard error: auto (a bar on a terminal), bar, json (an object a line), none
    #[arg(long, global = true, help_heading = "Global options", value_name = "HOW", value_enum, hide_possible_values = true, default_value_t = ProgressMode::Auto)]
    pub(crate) progress: ProgressMode,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    Auto,
    Bar,
    Json,
    None,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Pack collected data into a package
    Create(Box<CreateArgs>),
    /// Check structure, sizes, every checksum and every sum against what a package claims
    Validate {
        /// The package: a .zip or .tar.gz file, or a folder
        package: PathBuf,
    },
    /// Show what a package holds
    List {
        /// The package: a .zip or .tar.gz file, or a folder
        package: PathBuf,
        /// Show every file, not only the first 20
        #[arg(long)]
        all: bool,
    },
    /// Unpack a package, verified, all of it or nothing
    Import(ImportArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands to a directory
    Man {
        /// Where to write pdp.1, pdp-create.1 and the others
        #[arg(long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The package: a .zip or .tar.gz file, or a folder
    pub(crate) package: PathBuf,
    /// Where its files go; the data root by default
    #[arg(long, short, value_name = "DIR")]
    pub(crate) destination: Option<PathBuf>,
    /// Do not verify checksums (faster, less safe); unsafe archives are refused all the same
    #[arg(long)]
    pub(crate) skip_validation: bool,
    /// Keep existing files: JSON Lines and CSV get the package's records beside their own, in the order of time and
    /// sequence, identical ones once; other files that differ end the import. Without it, files are replaced
    #[arg(long)]
    pub(crate) merge: bool,
    /// What to do with files that differ and cannot be merged: keep the existing file, replace it, or put the
    /// package's file beside it under a name with a number
    #[arg(long, value_enum, value_name = "ACTION", requires = "merge")]
    pub(crate) on_conflict: Option<OnConflict>,
}

/// See [`pdp_packager::OnConflict`].
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnConflict {
    Keep,
    Replace,
    Rename,
}
