//! What is said of several commands' inputs on standard error.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;

use pdp_bars::convert::InputKind;
use pdp_bars::pipeline::Month;

use crate::args::Global;

/// Says which files are read as a symbol's although they are called after another.
pub(super) fn of_names(series: &BTreeMap<String, Vec<(PathBuf, InputKind)>>, global: &Global) {
    for (symbol, files) in series.iter().filter(|_| !global.quiet) {
        let is_other = |path: &&PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            Month::of(&name).is_some_and(|month| month.symbol != symbol)
        };
        let mut others = files.iter().map(|(path, _)| path).filter(is_other);
        if let Some(first) = others.next() {
            let and = match others.count() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let _ = writeln!(
                io::stderr(),
                "WARNING: {}{and}: read as {symbol}, whose directory it is in, where rows name no other symbol; files are called \
                 {symbol}_YYYY_MM here",
                crate::render::printable(&first.display().to_string())
            );
        }
    }
}

/// Says which symbols are done when another fails.
pub(super) fn of_done<'a>(done: impl Iterator<Item = &'a str>, all: usize, global: &Global) {
    let done: Vec<&str> = done.collect();
    if !global.quiet && !done.is_empty() {
        let text = format!("WARNING: of {all} symbols these were done before the next failed: {}", done.join(", "));
        let _ = writeln!(io::stderr(), "{}", crate::render::printable(&text));
    }
}
