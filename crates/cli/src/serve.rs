//! `pdp serve`: the HTTP interface and its page, until a signal ends it.

mod config;
mod log;

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ArgMatches;
use pdp_http::listen::{self, Limits};
use pdp_http::{Settings, State};
use tokio::net::TcpListener;

use self::config::Config;
use crate::args::Global;
use crate::args::serve::{Address, LogFormat, ServeArgs};
use crate::{browser, exit, render};

/// Runs the command.
pub(crate) fn run(args: ServeArgs, global: &Global, given: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (print, open) = (args.print_config, args.open);
    let config = Config::resolve(args, global.data_root.clone(), given)?;
    if print {
        io::stdout().write_all(config.print().as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut settings = Settings::new(&config.data_root.value, &config.packages.value);
    settings.token = config.token()?;
    settings.read_only = config.read_only.value;
    settings.allowed_hosts.clone_from(&config.allow_host.value);
    settings.threads = global.threads;
    settings.running_jobs = config.jobs.value;
    settings.queued_jobs = config.queue.value;
    settings.max_upload_bytes = config.max_upload_size.value.0;
    settings.max_packages_bytes = config.max_packages_size.as_ref().map(|set| set.value.0);
    let mut limits = Limits::default();
    limits.max_connections = config.max_connections.value;
    limits.header_timeout = config.header_timeout.value.0;
    log::start(config.log_format.value, config.log_level.value);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting threads")?;
    runtime.block_on(serve(settings, limits, &config, global, open))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(
    mut settings: Settings,
    limits: Limits,
    config: &Config,
    global: &Global,
    open: bool,
) -> anyhow::Result<()> {
    // From here on a signal is heard, so that one that comes early ends the server in good order too.
    let mut signals = Signals::new().context("listening for signals")?;
    let mut listeners = Vec::new();
    for address in &config.listen.value {
        let bound = bind(*address).with_context(|| format!("listening on {address}"))?;
        listeners.extend(bound);
    }
    let addresses: Vec<SocketAddr> = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
    // Nobody can make a browser believe that a name is an address; so addresses that are listened on are good names.
    let concrete = addresses.iter().filter(|address| !address.ip().is_unspecified());
    settings.allowed_hosts.extend(concrete.map(ToString::to_string));
    if listens_everywhere(&addresses) && config.allow_host.value.is_empty() {
        let note =
            "Note: requests to localhost alone are answered until --allow-host names what others call this machine\n";
        io::stderr().write_all(note.as_bytes())?;
    }
    let state = State::open(settings).context("starting")?;
    announce(&addresses, config.log_format.value, global)?;
    if let (true, Some(address)) = (open, addresses.first()) {
        let page = format!("http://{}/", reachable(*address));
        std::thread::spawn(move || {
            if let Err(error) = browser::open(OsStr::new(&page)) {
                exit::say(&format!("{error:#}; open {page} yourself"));
            }
        });
    }
    let ending = state.clone();
    let shutdown = async move {
        signals.next().await;
        tracing::info!("ending when the requests in flight are answered; a second signal ends at once");
        // Jobs stop in good order meanwhile, and those who wait for them get their answers.
        tokio::task::spawn_blocking(move || ending.shutdown());
        tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
    };
    let served = listen::serve(listeners, pdp_http::router(state.clone()), limits, shutdown).await?;
    tokio::task::spawn_blocking(move || state.shutdown()).await?;
    let listen::Served { accepted, evicted, refused, cut, .. } = served;
    tracing::info!(accepted, evicted, refused, cut, "ended");
    Ok(())
}

/// Listens on an address; on this machine's loopback in both families where there are both, on one port.
fn bind(address: Address) -> io::Result<Vec<TcpListener>> {
    let port = match address {
        Address::At(address) => return Ok(vec![listen::bind(address)?]),
        Address::Loopback(port) => port,
    };
    // A port that is free in one family may be taken in the other.
    for _ in 0..16 {
        let first = listen::bind((Ipv4Addr::LOCALHOST, port).into())?;
        match listen::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port()).into()) {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && port == 0 => {}
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            // No IPv6 here.
            Err(_) => return Ok(vec![first]),
        }
    }
    Err(io::Error::new(io::ErrorKind::AddrInUse, "no port is free for both 127.0.0.1 and [::1]"))
}

/// Says where the server is: to programs on standard output, to people on standard error.
fn announce(addresses: &[SocketAddr], format: LogFormat, global: &Global) -> io::Result<()> {
    let pages: Vec<String> = addresses.iter().map(|address| format!("http://{address}")).collect();
    if global.json {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", serde_json::json!({ "listening": pages }))?;
        out.flush()?;
    }
    for page in pages {
        match format {
            LogFormat::Json => tracing::info!(address = page, "listening"),
            LogFormat::Text if global.quiet => {}
            LogFormat::Text => {
                let line = format!("Listening on {page}\n");
                io::stderr().write_all(render::printable(&line).as_bytes())?;
            }
        }
    }
    Ok(())
}

/// Whether an address stands for all that the machine has.
fn listens_everywhere(addresses: &[SocketAddr]) -> bool {
    addresses.iter().any(|address| address.ip().is_unspecified())
}

/// Where a browser on this machine finds what listens on `address`.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address {
        SocketAddr::V4(at) if at.ip().is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(at) if at.ip().is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other.ip(),
    };
    SocketAddr::new(ip, address.port())
}

/// The signals that ask a program to end.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that ask a program to end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
