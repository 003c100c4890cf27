//! The command line.

mod create;
pub(crate) mod serve;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pdp_packager::manifest::Grade;

pub(crate) use self::create::CreateArgs;
use self::serve::ServeArgs;
use crate::bars::args::BarsCommand;
use crate::fxd::args::FxdCommand;

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
  pdp --validate-package FILE
  pdp --ui [--http-port 8080]";

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
    Validate(ValidateArgs),
    /// Show what a package holds
    List {
        /// The package: a .zip or .tar.gz file, or a folder
        package: PathBuf,
        /// Show every file, not only the first 20
        #[arg(long)]
        all: bool,
        /// Print the SHA-256 of every member as `sha256sum` does: the text that a signature is made over
        #[arg(long, conflicts_with_all = ["all", "json"])]
        checksums: bool,
    },
    /// Print one file of a package, verified against its checksum
    Read(ReadArgs),
    /// Say whether the data can be trusted: grade, findings, missing days; and show it as a page
    Report(ReportArgs),
    /// Make a pair of keys for signing packages, as minisign makes them
    Keygen {
        /// Where the secret key goes; the file must not exist
        #[arg(long, value_name = "FILE", default_value = "pdp.key")]
        secret_key: PathBuf,
        /// Where the public key goes; the file must not exist
        #[arg(long, value_name = "FILE", default_value = "pdp.pub")]
        public_key: PathBuf,
        /// Make a secret key without a password; otherwise it is taken from PDP_KEY_PASSWORD
        #[arg(long)]
        no_password: bool,
    },
    /// Unpack a package, verified, all of it or nothing
    Import(ImportArgs),
    /// Serve the packages of a directory, and the data root, over HTTP: an API, its documentation and a page
    Serve(Box<ServeArgs>),
    /// Make longer bars of shorter ones, in directories of months
    Bars {
        /// What to do
        #[command(subcommand)]
        command: Box<BarsCommand>,
    },
    /// Keep OHLCV bars in one small file that can be queried (.fxd): as `fx-store`
    Fxd {
        /// What to do
        #[command(subcommand)]
        command: Box<FxdCommand>,
    },
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
pub(crate) struct ValidateArgs {
    /// The package: a .zip or .tar.gz file, or a folder; or the parts of one, in any order (one part alone brings those
    /// beside it); or several packages
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    /// The minisign public key (a file, or its Base64) that must have signed the package; the signature is looked for in
    /// PACKAGE.minisig
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Option<String>,
    /// Count every record again, and hold it against the schemas in the package
    #[arg(long)]
    pub(crate) deep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    /// The package: a .zip or .tar.gz file, or a folder
    pub(crate) package: PathBuf,
    /// The file's path in the package, as `pdp list` shows it
    pub(crate) member: String,
    /// Write it to this file, which appears when it is whole and verified, replacing what is there; without it, it goes to
    /// standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The package: a .zip or .tar.gz file, or a folder
    pub(crate) package: PathBuf,
    /// Write the report as a page of HTML to this file, replacing it; - for standard output, and nothing else there
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Open the page in the browser; without --html it is written to the directory for temporary files
    #[arg(long)]
    pub(crate) open: bool,
    /// End with exit code 3 when the grade is lower than this one (A, B, C, D, F)
    #[arg(long, value_name = "GRADE", value_parser = values::parse::<Grade>)]
    pub(crate) fail_below: Option<Grade>,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The package: a .zip or .tar.gz file, or a folder; or the parts of one, in any order (one part alone brings those
    /// beside it)
    #[arg(required = true, value_name = "PACKAGE")]
    pub(crate) packages: Vec<PathBuf>,
    /// The minisign public key (a file, or its Base64) that must have signed the package; the signature is looked for in
    /// PACKAGE.minisig
    #[arg(long, value_name = "KEY")]
    pub(crate) public_key: Option<String>,
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
