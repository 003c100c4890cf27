//! `databento-server`: the server as a program. Its first line on standard output is its URL.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use pdp_databento_server::{Fault, Server, Store};

/// Serve Databento's historical API on this machine, for tests.
///
/// Any key of 32 characters that begins with `db-` is taken, except db-0000000000000000000000revoked.
#[derive(Debug, Parser)]
#[command(name = "databento-server", version)]
struct Arguments {
    /// The port; 0 is any that is free
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve the made-up datasets, as without --dbn
    #[arg(long)]
    sample: bool,
    /// Serve the bars of DBN files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    dbn: Vec<PathBuf>,
    /// Let something go wrong, such as get_range:cut-after=1000:times=2
    #[arg(long, value_name = "FAULT")]
    fault: Vec<Fault>,
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "databento-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> io::Result<()> {
    let mut store = if arguments.sample || arguments.dbn.is_empty() { Store::sample() } else { Store::new() };
    for file in &arguments.dbn {
        store = store.with_dbn(file)?;
    }
    let server = Server::start_at(store, arguments.port)?;
    arguments.fault.into_iter().for_each(|fault| server.faults().push(fault));
    let mut out = io::stdout();
    writeln!(out, "{}", server.url())?;
    out.flush()?;
    server.wait();
    Ok(())
}
