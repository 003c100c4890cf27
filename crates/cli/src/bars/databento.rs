//! The connection to Databento: the key, and a runtime to wait in.

use std::io::{self, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use pdp_bars::fetch::{Connect, Event, FetchError, Historical};

use super::args::ConnectArgs;
use crate::args::Global;

const KEY: &str = "DATABENTO_API_KEY";

/// A client with the key of the environment or of the file.
pub(super) fn client(args: &ConnectArgs) -> anyhow::Result<Historical> {
    let key = match std::env::var(KEY) {
        // As it may stand in a script or a container's file of variables.
        Ok(key) if !key.trim().is_empty() => unquoted(key.trim()).to_owned(),
        _ => in_file(&args.env_file)?
            .ok_or(FetchError::Key("there is no key: DATABENTO_API_KEY is neither in the environment nor in .env"))?,
    };
    let mut connect = Connect::new(key);
    // An empty variable is an unset one.
    connect.base_url = args.base_url.clone().filter(|url| !url.is_empty());
    (connect.retries, connect.wait, connect.timeout) = (args.retries, args.retry_wait, args.timeout);
    Ok(Historical::new(&connect)?)
}

/// The key in a file of lines like `NAME=value`.
fn in_file(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(find(text.trim_start_matches('\u{feff}'))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path == Path::new(".env") => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

fn find(text: &str) -> Option<String> {
    let mut values = text.lines().filter_map(|line| {
        let line = line.trim_start();
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        (name.trim() == KEY).then_some(value.trim())
    });
    let value = values.next_back()?;
    Some(unquoted(value).to_owned()).filter(|value| !value.is_empty())
}

/// A value without its quotes, or what is before a comment.
fn unquoted(value: &str) -> &str {
    let quoted =
        |quote: char| value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).map(|(inside, _)| inside);
    let bare = value.split_once(" #").map_or(value, |(value, _)| value.trim_end());
    quoted('"').or_else(|| quoted('\'')).unwrap_or(bare)
}

/// Waits for what is done over the network.
pub(super) fn wait<T>(work: impl Future<Output = Result<T, FetchError>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting the network")?;
    Ok(runtime.block_on(work)?)
}

/// Says when a request is tried again; nobody stops it.
pub(super) fn told(global: &Global) -> impl Fn(Event<'_>) -> ControlFlow<()> {
    let quiet = global.quiet;
    move |event| {
        if let Some(line) = retry(event).filter(|_| !quiet) {
            let _ = writeln!(io::stderr(), "{line}");
        }
        ControlFlow::Continue(())
    }
}

/// What is said of a request that is tried again.
pub(super) fn retry(event: Event<'_>) -> Option<String> {
    let Event::Retry { why, tried, most, wait } = event else { return None };
    let when = if wait.is_zero() { "now".to_owned() } else { format!("in {wait:?}") };
    Some(format!("WARNING: {}: try {} of {most} {when}", crate::render::printable(why), tried + 1))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn keys_are_found_in_files_as_people_write_them() {
        for (text, expected) in [
            ("DATABENTO_API_KEY=db-1", Some("db-1")),
            ("# DATABENTO_API_KEY=no\nOTHER=x\n  export DATABENTO_API_KEY = \"db-2\" # mine\r\n", Some("db-2")),
            ("DATABENTO_API_KEY='db-3'", Some("db-3")),
            ("DATABENTO_API_KEY=db-4 # mine", Some("db-4")),
            ("DATABENTO_API_KEY=", None),
            ("DATABENTO_API_KEYS=db-5", None),
            ("", None),
        ] {
            assert_eq!(find(text).as_deref(), expected, "{text}");
        }
    }
}
