//! The server as the official Python client sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use pdp_databento_server::{Endpoint, KEY, OhlcvMsg, Schema, Server, Store, WRONG_KEY, date};
use serde_json::{Value, json};

/// How many checks the script has.
const CHECKS: usize = 15;

fn python() -> Option<PathBuf> {
    let python = std::env::var_os("PDP_TEST_PYTHON").map(PathBuf::from);
    if python.is_none() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: PDP_TEST_PYTHON names no Python with databento");
    }
    python
}

fn nanos(day: pdp_databento_server::Date) -> u64 {
    u64::try_from(day.midnight().assume_utc().unix_timestamp_nanos()).unwrap()
}

fn row(bar: &OhlcvMsg) -> Value {
    let OhlcvMsg { hd, open, high, low, close, volume } = bar;
    json!([hd.ts_event, hd.publisher_id, hd.instrument_id, open, high, low, close, volume])
}

/// What the sample holds, for the script to compare with.
fn held() -> Value {
    let store = Store::sample();
    let of = |dataset: &str, days: std::ops::Range<_>, wanted: &dyn Fn(&OhlcvMsg) -> bool| -> Value {
        let bars = store.get(dataset).unwrap().all_bars(Schema::Ohlcv1S).iter();
        let range = nanos(days.start)..nanos(days.end);
        bars.filter(|bar| range.contains(&bar.hd.ts_event) && wanted(bar)).map(row).collect()
    };
    let roll = nanos(date!(2024 - 03 - 15));
    let front = |bar: &OhlcvMsg| (bar.hd.instrument_id == 17_077) == (bar.hd.ts_event < roll);
    // Of each week one instrument: the first one has the number 6800.
    let week = |bar: &OhlcvMsg| 6800 + (bar.hd.ts_event - nanos(date!(2024 - 01 - 01))) / (7 * 86_400 * 1_000_000_000);
    let apple = |bar: &OhlcvMsg| u64::from(bar.hd.instrument_id) == week(bar);
    json!({
        "january": of("XNAS.ITCH", date!(2024 - 01 - 01)..date!(2024 - 02 - 01), &apple),
        "roll": of("GLBX.MDP3", date!(2024 - 03 - 14)..date!(2024 - 03 - 16), &front),
        "venues": of("DBEQ.BASIC", date!(2024 - 01 - 15)..date!(2024 - 01 - 16), &|_| true),
    })
}

#[test]
fn the_python_client_gets_what_the_store_holds_and_its_own_errors() {
    let Some(python) = python() else { return };
    let server = Server::start(Store::sample()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("held.json");
    std::fs::write(&file, held().to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/client.py");
    let output = Command::new(python)
        .arg(script)
        .args([server.url().as_str(), KEY, WRONG_KEY])
        .arg(&file)
        .env("NO_PROXY", "127.0.0.1")
        .output()
        .unwrap();
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{error}");
    assert_eq!(out.lines().count(), CHECKS, "{out}");
    for endpoint in Endpoint::ALL {
        assert!(!server.requests_to(*endpoint).is_empty(), "{endpoint} was not asked");
    }
}
