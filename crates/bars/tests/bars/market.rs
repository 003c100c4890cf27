//! Calendars against those of another program, made from the rules alone.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdp_bars::market::Market;

use crate::support::ts;

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PDP_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: PDP_TEST_PYTHON names no Python");
    }
    python
}

/// Spans of the oracle: sessions or halts.
fn spans(python: &Path, market: &str, years: (&str, &str), what: &str) -> Vec<(u64, u64)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/market.py");
    let output = Command::new(python).arg(script).args([market, years.0, years.1, what]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let span = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        (ts(fields[1]), ts(fields[2]))
    };
    text.lines().skip(1).map(span).collect()
}

#[test]
fn t115_sessions_of_thirty_years_are_those_of_another_program() {
    let Some(python) = python() else { return };
    for (market, name, first, last) in
        [(Market::Xnys, "xnys", "2000", "2030"), (Market::CmeEquity, "cme_es", "2010", "2030")]
    {
        let sessions = spans(&python, name, (first, last), "sessions");
        let mut expected: Vec<(u64, u64)> = sessions.windows(2).map(|pair| (pair[0].1, pair[1].0)).collect();
        if market == Market::CmeEquity {
            expected.extend(spans(&python, name, (first, last), "halts"));
        }
        expected.retain(|(start, end)| start < end);
        expected.sort_unstable();
        let range = expected.first().unwrap().0..expected.last().unwrap().1;
        let found: Vec<_> =
            market.closures(range).unwrap().iter().map(|closure| (closure.start, closure.end)).collect();
        assert!(found.len() > 5000, "{}", found.len());
        let differs = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert_eq!((differs, found.len()), (None, expected.len()), "{market}");
    }
}
