//! The documented spellings, `--package` and its kin, translated into subcommands.

use std::ffi::{OsStr, OsString};

/// An old option and the new one; `true` where it has a value.
type Table = [(&'static str, &'static str, bool)];

const CREATE: &Table = &[
    ("--package-name", "--name", true),
    ("--package-description", "--description", true),
    ("--package-output", "--output", true),
    ("--package-symbols", "--symbols", true),
    ("--package-events", "--events", true),
    ("--package-from", "--from", true),
    ("--package-to", "--to", true),
    ("--package-format", "--format", true),
    ("--package-compression", "--compression", true),
    ("--package-layout", "--layout", true),
    ("--package-tag", "--tag", true),
    ("--package-meta", "--meta", true),
    ("--package-created-at", "--created-at", true),
    ("--package-max-size", "--max-size", true),
    ("--package-profile", "--profile", true),
    ("--profile", "--profile", true),
    ("--package-import-scripts", "--import-scripts", true),
    ("--import-scripts", "--import-scripts", true),
    ("--sign", "--sign", true),
    ("--no-quality-report", "--no-quality-report", false),
    ("--no-data-dictionary", "--no-data-dictionary", false),
    ("--no-loader-scripts", "--no-loader-scripts", false),
    ("--skip-checksums", "--skip-checksums", false),
    ("--follow-links", "--follow-links", false),
    ("--skip-unreadable", "--skip-unreadable", false),
    ("--overwrite", "--overwrite", false),
];

const IMPORT: &Table = &[
    ("--import-destination", "--destination", true),
    ("--skip-validation", "--skip-validation", false),
    ("--merge", "--merge", false),
    ("--on-conflict", "--on-conflict", true),
    ("--public-key", "--public-key", true),
];

const SERVE: &Table = &[
    ("--http-port", "--listen", true),
    ("--packages", "--packages", true),
    ("--listen", "--listen", true),
    ("--token-file", "--token-file", true),
    ("--allow-host", "--allow-host", true),
    ("--read-only", "--read-only", false),
    ("--config", "--config", true),
    ("--open", "--open", false),
];

/// Options that go with every command and are passed on as they are; `true` where they have a value.
const GLOBAL: &[(&str, bool)] = &[
    ("--json", false),
    ("--quiet", false),
    ("-q", false),
    ("--data-root", true),
    ("--threads", true),
    ("--progress", true),
    ("--help", false),
    ("-h", false),
    ("--all", false),
];

/// The options that choose a command: what they are called, the subcommand, whether they have a value, their options.
const COMMANDS: [(&str, &str, bool, &Table); 5] = [
    ("--package", "create", false, CREATE),
    ("--import-package", "import", true, IMPORT),
    ("--list-package", "list", true, &[]),
    ("--validate-package", "validate", true, &[("--public-key", "--public-key", true), ("--deep", "--deep", false)]),
    ("--ui", "serve", false, SERVE),
];

/// Translates a command line in the documented spelling; any other is returned as it is.
///
/// # Errors
/// The documented options are mixed so that no one command is meant.
pub(crate) fn translate(typed: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let mut arguments = typed.iter().skip(1).map(|argument| split(argument)).peekable();
    let chosen: Vec<_> = COMMANDS
        .iter()
        .filter(|command| typed.iter().skip(1).any(|argument| split(argument).0 == OsStr::new(command.0)))
        .collect();
    let (name, subcommand, has_value, table) = match chosen.as_slice() {
        [] => {
            let known =
                |argument: &OsString| CREATE.iter().chain(IMPORT).find(|row| split(argument).0 == OsStr::new(row.0));
            let first = typed.get(1);
            // An option of the documented form before any subcommand says which command was meant.
            return match first.and_then(known) {
                Some((old, ..)) if old.starts_with("--package-") || *old == "--import-scripts" => {
                    Err(format!("{old} goes with --package"))
                }
                Some((old, ..)) if old.starts_with("--import-") => {
                    Err(format!("{old} goes with --import-package FILE"))
                }
                None if first.is_some_and(|first| split(first).0 == OsStr::new("--http-port")) => {
                    Err("--http-port goes with --ui".to_owned())
                }
                _ => Ok(typed),
            };
        }
        [one] => **one,
        [one, other, ..] => return Err(format!("{} and {} cannot be used together", one.0, other.0)),
    };
    let mut out: Vec<OsString> = typed.first().cloned().into_iter().collect();
    out.push(subcommand.into());
    let mut positional = None;
    while let Some((option, value)) = arguments.next() {
        let mut value_of = |needed: bool| -> Result<Option<OsString>, String> {
            match (needed, value.clone()) {
                (true, Some(value)) => Ok(Some(value)),
                (true, None) => {
                    let next = arguments.next().map(|(option, value)| join(&option, value));
                    next.map(Some).ok_or_else(|| format!("{} needs a value", option.display()))
                }
                (false, None) => Ok(None),
                (false, Some(_)) => Err(format!("{} takes no value", option.display())),
            }
        };
        if option == OsStr::new(name) {
            let found = value_of(has_value)?;
            if positional.is_some() && has_value {
                return Err(format!("{name} is given twice"));
            }
            positional = found.or(positional);
        } else if let Some((_, new, needed)) = table.iter().find(|row| option == OsStr::new(row.0)) {
            match value_of(*needed)? {
                // As one word, so that a value may begin with a dash.
                Some(value) => out.push(join(OsStr::new(new), Some(value))),
                None => out.push((*new).into()),
            }
        } else if let Some((known, needed)) = GLOBAL.iter().find(|row| option == OsStr::new(row.0)) {
            match value_of(*needed)? {
                Some(value) => out.push(join(OsStr::new(known), Some(value))),
                None => out.push((*known).into()),
            }
        } else {
            return Err(format!("unexpected argument {} with {name}", option.display()));
        }
    }
    if let Some(path) = positional {
        out.push("--".into());
        out.push(path);
    }
    Ok(out)
}

/// `--option=value` as its two halves.
fn split(argument: &OsStr) -> (OsString, Option<OsString>) {
    match argument.to_str().and_then(|text| text.split_once('=')) {
        Some((option, value)) if option.starts_with("--") => (option.into(), Some(value.into())),
        _ => (argument.to_owned(), None),
    }
}

fn join(option: &OsStr, value: Option<OsString>) -> OsString {
    let mut out = option.to_owned();
    if let Some(value) = value {
        out.push("=");
        out.push(value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<String, String> {
        let words = line.split(' ').map(OsString::from).collect();
        translate(words).map(|out| out.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn documented_lines() {
        for (old, new) in [
            ("pdp --package", "pdp create"),
            (
                "MarketDataCollector --package --package-symbols AAPL,MSFT,SPY",
                "MarketDataCollector create --symbols=AAPL,MSFT,SPY",
            ),
            (
                "pdp --package --package-from 2024-01-01 --package-to=2024-12-31",
                "pdp create --from=2024-01-01 --to=2024-12-31",
            ),
            ("pdp --package-name -x --package --skip-checksums", "pdp create --name=-x --skip-checksums"),
            (
                "pdp --import-package a.zip --import-destination d --merge",
                "pdp import --destination=d --merge -- a.zip",
            ),
            ("pdp --skip-validation --import-package=a=b.zip", "pdp import --skip-validation -- a=b.zip"),
            ("pdp --package --package-import-scripts duckdb,spark", "pdp create --import-scripts=duckdb,spark"),
            ("pdp --package --import-scripts=sqlite", "pdp create --import-scripts=sqlite"),
            ("pdp --list-package a.zip --json", "pdp list --json -- a.zip"),
            ("pdp --validate-package a.zip --threads 2", "pdp validate --threads=2 -- a.zip"),
            ("pdp --ui", "pdp serve"),
            ("pdp --ui --http-port 9000 --data-root d", "pdp serve --listen=9000 --data-root=d"),
            ("pdp create --name x", "pdp create --name x"),
            ("pdp --version", "pdp --version"),
        ] {
            assert_eq!(run(old).as_deref(), Ok(new), "{old}");
        }
    }

    #[test]
    fn mixtures_are_refused() {
        for (line, expected) in [
            ("pdp --package --list-package x", "cannot be used together"),
            ("pdp --list-package", "needs a value"),
            ("pdp --package --import-destination d", "unexpected argument --import-destination"),
            ("pdp --package-symbols A", "goes with --package"),
            ("pdp --import-destination d", "goes with --import-package"),
            ("pdp --import-scripts duckdb", "goes with --package"),
            ("pdp --ui --package", "cannot be used together"),
            ("pdp --http-port 80", "goes with --ui"),
            ("pdp --package=x", "takes no value"),
            ("pdp --package extra", "unexpected argument extra"),
        ] {
            let error = run(line);
            assert!(error.as_ref().is_err_and(|text| text.contains(expected)), "{line}: {error:?}");
        }
    }
}
