//! `pdp bars fetch`, against a local server that the official clients take for the real one.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pdp_databento_server::{Effect, Endpoint, Fault, KEY, Server, Store, WRONG_KEY, date};

use crate::support::{Home, Ran, python, tell};

pub(crate) fn server() -> Server {
    Server::start(Store::sample()).unwrap()
}

/// `pdp bars COMMAND` with the key and the address of a server.
fn command(home: &Home, server: &Server, args: &[&str]) -> Command {
    let mut command = home.command(&["bars"]);
    command.args(args).args(["--base-url", &server.url(), "--retry-wait", "0.01", "--timeout", "5"]);
    command.env("DATABENTO_API_KEY", KEY).env("NO_PROXY", "127.0.0.1").env_remove("DATABENTO_BASE_URL");
    command
}

pub(crate) fn bars(home: &Home, server: &Server, args: &[&str]) -> Ran {
    let ran = Ran::of(command(home, server, args).output().unwrap());
    assert!(!ran.out.contains(KEY) && !ran.err.contains(KEY), "the key was shown: {ran:?}");
    ran
}

pub(crate) const AAPL: [&str; 9] =
    ["fetch", "--symbol", "AAPL", "--dataset", "XNAS.ITCH", "--start", "2024-01-01", "--end", "2024-03-31"];

/// Every file below a directory, with what it holds.
fn contents(home: &Home, below: &str) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| {
        let bytes = std::fs::read(home.join(below).join(&name)).unwrap();
        (name, bytes)
    };
    home.files(below).into_iter().map(read).collect()
}

/// What a fetch without any trouble gives.
fn clean() -> BTreeMap<String, Vec<u8>> {
    let (home, server) = (Home::new(), server());
    bars(&home, &server, &AAPL).ok();
    contents(&home, "data/raw_1s")
}

/// The months that were bought, as the days on which their requests begin.
pub(crate) fn bought(server: &Server) -> Vec<String> {
    let requests = server.requests_to(Endpoint::GetRange);
    let mut starts: Vec<_> = requests.iter().map(|request| request.parameter("start").to_owned()).collect();
    starts.sort();
    starts
}

const JANUARY: &str = "1704067200000000000";
const FEBRUARY: &str = "1706745600000000000";
const MARCH: &str = "1709251200000000000";

#[test]
fn t113_t120_months_are_whole_and_bought_once() {
    let (home, server) = (Home::new(), server());
    let ran = bars(&home, &server, &AAPL).ok();
    assert!(ran.out.contains("SUCCESS: AAPL ohlcv-1s from XNAS.ITCH"), "{}", ran.out);
    assert!(ran.err.contains("degraded") && ran.err.contains("US dollars"), "{}", ran.err);
    let read = |name: &str| std::fs::read_to_string(home.join("data/raw_1s/AAPL").join(name)).unwrap();
    for (month, first, last) in [("01", "01", "31"), ("02", "01", "29"), ("03", "01", "31")] {
        let text = read(&format!("AAPL_2024_{month}.csv"));
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol"));
        let lines: Vec<_> = lines.collect();
        assert!(lines[0].starts_with(&format!("2024-{month}-{first}T00:00:00.000000000Z,32,")), "{}", lines[0]);
        let end = lines.last().unwrap();
        assert!(
            end.starts_with(&format!("2024-{month}-{last}T23:59:59.000000000Z,32,")) && end.ends_with(",AAPL"),
            "{end}"
        );
    }
    let condition: serde_json::Value = serde_json::from_str(&read("condition.json")).unwrap();
    assert_eq!(condition.as_array().unwrap().len(), 91);
    assert!(
        condition.as_array().unwrap().iter().any(|day| day["date"] == "2024-01-15" && day["condition"] == "degraded")
    );
    let symbology: serde_json::Value = serde_json::from_str(&read("symbology.json")).unwrap();
    assert_eq!(symbology["mappings"]["AAPL"].as_array().unwrap().len(), 13);
    assert_eq!(bought(&server), [JANUARY, FEBRUARY, MARCH]);
    // Nothing is bought twice, and nothing changes.
    let before = contents(&home, "data/raw_1s");
    let again = bars(&home, &server, &[AAPL.as_slice(), &["--json"]].concat()).ok().json();
    assert_eq!((&again["kept"], &again["fetched"], &again["cost"]), (&3.into(), &0.into(), &0.0.into()));
    assert_eq!(contents(&home, "data/raw_1s"), before);
    assert_eq!(bought(&server).len(), 3);
    // A month that was changed, cut off or lost is bought again, alone.
    let february = home.join("data/raw_1s/AAPL/AAPL_2024_02.csv");
    let good = std::fs::read(&february).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [Some(flipped), Some(good[..good.len() - 40].to_vec()), None] {
        match &bad {
            Some(bytes) => std::fs::write(&february, bytes).unwrap(),
            None => std::fs::remove_file(&february).unwrap(),
        }
        server.forget_requests();
        bars(&home, &server, &AAPL).ok();
        assert_eq!(bought(&server), [FEBRUARY]);
        assert_eq!(contents(&home, "data/raw_1s"), before);
    }
    // More of a month is bought as a whole; less is there.
    server.forget_requests();
    let part = ["fetch", "--symbol", "MSFT", "--dataset", "XNAS.ITCH", "--start", "2024-01-10", "--end", "2024-01-31"];
    bars(&home, &server, &part).ok();
    bars(&home, &server, &[&part[..5], &["--start", "2024-01-15T12:00:00Z", "--end", "2024-01-16T00:00:00Z"]].concat())
        .ok();
    assert_eq!(bought(&server).len(), 1);
    bars(&home, &server, &[&part[..5], &["--start", "2024-01-01", "--end", "2024-02-29"]].concat()).ok();
    // February has no bars of it: known, and not asked for again.
    assert_eq!(bought(&server).len(), 2);
    let report =
        bars(&home, &server, &[&part[..5], &["--start", "2024-01-01", "--end", "2024-02-29", "--json"]].concat())
            .ok()
            .json();
    assert_eq!((&report["kept"], report["files"].as_array().unwrap().len()), (&2.into(), 1));
}

#[test]
fn t120_faults_of_the_server_are_got_over() {
    let expected = clean();
    let all: [(&str, Vec<Fault>); 12] = [
        ("cut", vec![Fault::cut_after(500).times(2)]),
        ("cut at once", vec![Fault::cut_after(0)]),
        ("429", vec![Fault::too_many_requests(1).times(3)]),
        ("500 everywhere", vec![Fault::status(500).on_any().times(4)]),
        ("503", vec![Fault::status(503)]),
        ("a page", vec![Fault::new(Effect::Page)]),
        ("a page for the count", vec![Fault::new(Effect::Page).on(Endpoint::GetRecordCount)]),
        ("half of it", vec![Fault::new(Effect::Truncated).times(3)]),
        ("outside", vec![Fault::new(Effect::Outside)]),
        ("another symbol", vec![Fault::new(Effect::OtherSymbol)]),
        ("no records", vec![Fault::new(Effect::NoRecords).starting(date!(2024 - 02 - 01))]),
        ("no body", vec![Fault::new(Effect::NoBody)]),
    ];
    for (name, faults) in all {
        let (home, server) = (Home::new(), server());
        for fault in faults {
            server.faults().push(fault);
        }
        let ran = bars(&home, &server, &AAPL).ok();
        let again: Vec<_> = ran.err.lines().filter(|line| line.contains(": try ")).collect();
        assert!(
            again.iter().any(|line| line.starts_with("WARNING: ") && line.contains(": try 2 of ")),
            "{name}: {ran:?}"
        );
        assert!(
            name != "503" || again.iter().all(|line| line.contains("503") && line.ends_with(" in 10ms")),
            "{ran:?}"
        );
        assert_eq!(contents(&home, "data/raw_1s"), expected, "{name}");
    }
    // What does not pass is told, and what came stays.
    let (home, server) = (Home::new(), server());
    server.faults().push(Fault::new(Effect::Truncated).starting(date!(2024 - 02 - 01)).always());
    bars(&home, &server, &[AAPL.as_slice(), &["--retries", "2"]].concat()).fails(1, "by the API's own count");
    let files = home.files("data/raw_1s/AAPL");
    assert!(
        files.contains(&"AAPL_2024_03.csv".to_owned()) && !files.contains(&"AAPL_2024_02.csv".to_owned()),
        "{files:?}"
    );
    server.faults().clear();
    server.forget_requests();
    bars(&home, &server, &AAPL).ok();
    assert_eq!(bought(&server), [FEBRUARY]);
    assert_eq!(contents(&home, "data/raw_1s"), expected);
}

#[cfg(unix)]
#[test]
fn t120_killed_at_any_point_it_ends_with_the_same_files() {
    let expected = clean();
    // Held within the stream of each month after so many bytes, and killed there; and at moments of their own.
    let (home, held) = (Home::new(), server());
    let mut kills = 0;
    for month in [date!(2024 - 01 - 01), date!(2024 - 02 - 01), date!(2024 - 03 - 01)] {
        for after in [0, 200, 4000, 12_000] {
            let stall = Fault::new(Effect::Stall { after: Some(after), millis: None }).starting(month);
            held.faults().push(stall);
            let mut child = command(&home, &held, &[AAPL.as_slice(), &["--jobs", "2"]].concat())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let start = Instant::now();
            while held.requests().iter().all(|request| request.fault.is_none()) && child.try_wait().unwrap().is_none() {
                assert!(start.elapsed() < Duration::from_secs(60), "the fault was not met");
                std::thread::sleep(Duration::from_millis(5));
            }
            std::thread::sleep(Duration::from_millis(30));
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            held.faults().clear();
            held.forget_requests();
        }
    }
    for wait in (0..40).map(|step| step * 7) {
        let mut child = command(&home, &held, &[AAPL.as_slice(), &["--jobs", "1"]].concat())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        if wait % 3 == 0 {
            let _ = std::fs::remove_dir_all(home.join("data/raw_1s"));
        }
    }
    bars(&home, &held, &AAPL).ok();
    let mut found = contents(&home, "data/raw_1s");
    // What a killed writer left is overwritten by the next, or stays as what it says it is.
    found.retain(|name, _| !name.ends_with(".partial"));
    assert_eq!(found, expected);
    tell(&format!("fetch was killed {kills} times"));
}

#[test]
fn t120_a_month_that_lacks_its_name_only_gets_it() {
    let (home, server) = (Home::new(), server());
    bars(&home, &server, &AAPL).ok();
    let before = contents(&home, "data/raw_1s");
    let file = home.join("data/raw_1s/AAPL/AAPL_2024_03.csv");
    std::fs::rename(&file, file.with_extension("csv.partial")).unwrap();
    server.forget_requests();
    bars(&home, &server, &AAPL).ok();
    assert!(bought(&server).is_empty());
    assert_eq!(contents(&home, "data/raw_1s"), before);
}

#[test]
fn keys_come_from_the_environment_or_a_file_and_are_never_shown() {
    let (home, server) = (Home::new(), server());
    let run = |key: Option<&str>| {
        let mut command = command(&home, &server, &["check-connection"]);
        match key {
            Some(key) => command.env("DATABENTO_API_KEY", key),
            None => command.env_remove("DATABENTO_API_KEY"),
        };
        let ran = Ran::of(command.output().unwrap());
        let all = format!("{}{}", ran.out, ran.err);
        assert!(key.is_none_or(|key| !all.contains(key)) && !all.contains(KEY), "{all}");
        ran
    };
    let good = run(Some(KEY)).ok();
    assert!(good.out.contains("SUCCESS: connected") && good.out.contains("GLBX.MDP3"), "{}", good.out);
    run(Some(WRONG_KEY)).fails(1, "401");
    run(Some("short")).fails(2, "32 ASCII characters");
    run(Some("db-00000000000000000000000000käse")).fails(2, "32 ASCII characters");
    run(None).fails(2, "there is no key");
    home.put(".env", format!("# of the team\nDATABENTO_API_KEY={KEY}\n"));
    run(None).ok();
}

#[test]
fn datasets_schemas_and_symbols_are_those_of_the_server() {
    let (home, server) = (Home::new(), server());
    let datasets = bars(&home, &server, &["datasets"]).ok().out;
    assert!(datasets.contains("XNAS.ITCH") && datasets.contains("2024-01-01 to before 2024-04-01"), "{datasets}");
    let schemas = bars(&home, &server, &["schemas", "--dataset", "GLBX.MDP3", "--json"]).ok().json();
    assert_eq!((&schemas[0]["schema"], &schemas[0]["dollarsPerGigabyte"]), (&"ohlcv-1s".into(), &280.0.into()));
    let symbols = ["symbols", "--dataset", "GLBX.MDP3", "--stype", "continuous", "--symbol"];
    let found = bars(&home, &server, &[symbols.as_slice(), &["ES.c.0"]].concat()).ok().out;
    assert!(found.contains("2024-01-01 to before 2024-03-15: instrument 17077"), "{found}");
    let missing =
        bars(&home, &server, &[symbols.as_slice(), &["ES.c.0,NQ.c.0"]].concat()).fails(4, "ERROR: NQ.c.0").out;
    assert!(missing.contains("root, month"), "{missing}");
}

/// A parent's bars are those of all its contracts.
#[test]
fn parents_are_fetched() {
    let (home, server) = (Home::new(), server());
    let parent = ["fetch", "--symbol", "ES.FUT", "--stype", "parent", "--dataset", "GLBX.MDP3"];
    bars(&home, &server, &[parent.as_slice(), &["--start", "2024-03-14", "--end", "2024-03-15"]].concat()).ok();
    let text = std::fs::read_to_string(home.join("data/raw_1s/ES.FUT/ES.FUT_2024_03.csv")).unwrap();
    assert!(text.contains(",ESH4\n") && text.contains(",ESM4\n"));
    let symbols = ["symbols", "--dataset", "GLBX.MDP3", "--stype", "parent", "--symbol", "ES.FUT"];
    assert!(bars(&home, &server, &symbols).ok().out.contains("ESM4: there"));
    let report = home.pdp(&["bars", "resample", "--all", "--timeframes", "1d", "--json"]).ok().json();
    assert_eq!(report[0]["series"].as_array().unwrap().len(), 2);
}

/// A server that is silent holds nobody who wants to stop.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_wait_for_an_answer() {
    let (home, server) = (Home::new(), server());
    server.faults().push(Fault::new(Effect::Stall { after: None, millis: None }).always());
    let mut child = home
        .command(&["bars"])
        .args(AAPL)
        .args(["--base-url", &server.url(), "--timeout", "600"])
        .env("DATABENTO_API_KEY", KEY)
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while server.requests_to(Endpoint::GetRange).is_empty() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
}

/// What the vendor says of days and symbols is brought up to date when all months are there, too.
#[test]
fn what_is_beside_the_data_is_kept_up_to_date() {
    let expected = clean();
    let (home, server) = (Home::new(), server());
    bars(&home, &server, &AAPL).ok();
    home.put("data/raw_1s/AAPL/condition.json", "old");
    home.put("data/raw_1s/AAPL/symbology.json", "{}");
    server.forget_requests();
    bars(&home, &server, &AAPL).ok();
    assert!(bought(&server).is_empty());
    assert_eq!(contents(&home, "data/raw_1s"), expected);
}

/// Two at once: one gives way to the other, and nothing is mixed.
#[test]
fn two_fetches_at_once_do_not_mix() {
    let expected = clean();
    let (home, server) = (Home::new(), server());
    for _ in 0..6 {
        let spawn = || {
            let mut command = command(&home, &server, &AAPL);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let both = [spawn(), spawn()].map(|child| Ran::of(child.wait_with_output().unwrap()));
        assert!(both.iter().any(|ran| ran.code == 0), "{both:?}");
        for ran in both.iter().filter(|ran| ran.code != 0) {
            assert!(ran.err.contains("another fetch"), "{ran:?}");
        }
        assert_eq!(bought(&server), [JANUARY, FEBRUARY, MARCH]);
        server.forget_requests();
        assert_eq!(contents(&home, "data/raw_1s"), expected);
        std::fs::remove_dir_all(home.join("data")).unwrap();
    }
}

/// A server that repeats the key is not repeated.
#[test]
fn a_key_that_a_server_repeats_is_not_shown() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let count = stream.read(&mut request).unwrap();
        let request = String::from_utf8_lossy(&request[..count]).into_owned();
        let sent = request.lines().find(|line| line.to_lowercase().starts_with("authorization")).unwrap_or_default();
        let body = format!(r#"{{"detail":"bad key {KEY}: {sent}"}}"#);
        let head = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        sent.rsplit(' ').next().unwrap().trim().to_owned()
    });
    let home = Home::new();
    let mut command = home.command(&["bars", "check-connection", "--base-url", &url]);
    command.env("DATABENTO_API_KEY", KEY).env("NO_PROXY", "127.0.0.1");
    let ran = Ran::of(command.output().unwrap()).fails(2, "bad key (the key)");
    let sent = answering.join().unwrap();
    assert!(sent.len() > 20 && !format!("{}{}", ran.out, ran.err).contains(&sent) && !ran.err.contains(KEY), "{ran:?}");
}

#[test]
fn t118_a_roll_and_several_venues_go_through_the_pipeline() {
    let (home, server) = (Home::new(), server());
    let es = ["fetch", "--symbol", "ES.c.0", "--stype", "continuous", "--dataset", "GLBX.MDP3"];
    bars(&home, &server, &[es.as_slice(), &["--start", "2024-03-14", "--end", "2024-03-15"]].concat()).ok();
    let spy = ["fetch", "--symbol", "SPY", "--dataset", "DBEQ.BASIC", "--start", "2024-01-01", "--end", "2024-01-31"];
    bars(&home, &server, &spy).ok();
    let report = home.pdp(&["bars", "resample", "--symbol", "ES.c.0", "--timeframes", "1d", "--json"]).ok().json();
    let series = report[0]["series"].as_array().unwrap();
    assert_eq!(
        (series.len(), &series[0]["instrumentId"], &series[1]["instrumentId"]),
        (2, &17_077.into(), &5602.into())
    );
    home.pdp(&["bars", "resample", "--symbol", "SPY", "--timeframes", "1min"]).fails(3, "--by-publisher");
    home.pdp(&["bars", "resample", "--symbol", "SPY", "--timeframes", "1min", "--by-publisher"]).ok();
    let validate = ["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s", "--allow-gaps"];
    let ran = home.pdp(&validate).ok();
    assert!(
        ran.out.contains("SPY 1min") && ran.out.contains("ES.c.0 1d") && ran.out.contains("to the unit"),
        "{}",
        ran.out
    );
    // Stores tell series apart by what is behind their symbols: they are as good against the raw bars.
    for format in ["parquet", "fxd"] {
        for symbol in ["SPY", "ES.c.0"] {
            let to = ["--output-dir", format, "--format", format, "--timeframes", "1min,1d", "--by-publisher"];
            home.pdp(&[["bars", "resample", "--symbol", symbol].as_slice(), &to].concat()).ok();
        }
        let input = ["bars", "validate", "--input-dir", format, "--raw-dir", "data/raw_1s", "--allow-gaps"];
        let ran = home.pdp(&input).ok();
        assert_eq!(ran.out.matches("raw bars to the unit").count(), 4, "{}", ran.out);
    }
    // Bars that are seldom are of a second all the same: the directory says so, or if it does not, the bars do.
    let raw = ["bars", "validate", "--allow-gaps", "--input-dir"];
    let ran = home.pdp(&[raw.as_slice(), &["data/raw_1s"]].concat()).ok();
    assert!(ran.out.contains("ES.c.0 1s in") && ran.out.contains("SPY 1s in"), "{}", ran.out);
    std::fs::rename(home.join("data/raw_1s"), home.join("data/bought")).unwrap();
    let ran = home.pdp(&[raw.as_slice(), &["data/bought"]].concat()).ok();
    assert!(ran.out.contains("ES.c.0 1s in") && ran.out.contains("SPY 1s in"), "{}", ran.out);
    std::fs::rename(home.join("data/bought"), home.join("data/raw_1s")).unwrap();
    // Ids of shares change from week to week here: they are one series if one says so.
    bars(&home, &server, &AAPL).ok();
    let apart = home.pdp(&["bars", "resample", "--symbol", "AAPL", "--timeframes", "1d", "--json"]).ok().json();
    assert!(apart[0]["series"].as_array().unwrap().len() > 5, "{apart}");
    let one = ["bars", "resample", "--symbol", "AAPL", "--timeframes", "1d", "--merge-instruments", "--json"];
    assert_eq!(home.pdp(&one).ok().json()[0]["series"].as_array().unwrap().len(), 1);
    home.pdp(&[validate.as_slice(), &["--symbol", "AAPL", "--merge-instruments"]].concat()).ok();
}

/// The official Python client writes of the same server what we wrote.
const PYTHON: &str = r#"
import sys
from databento.historical.api.timeseries import TimeseriesHttpAPI
url, key, ours = sys.argv[1:]
api = TimeseriesHttpAPI(key, url)
for month, end in [("01", "2024-02-01"), ("02", "2024-03-01"), ("03", "2024-04-01")]:
    store = api.get_range(dataset="XNAS.ITCH", symbols="AAPL", schema="ohlcv-1s", start=f"2024-{month}-01", end=end)
    store.to_csv("theirs.csv")
    theirs, mine = open("theirs.csv", "rb").read(), open(f"{ours}/AAPL_2024_{month}.csv", "rb").read()
    assert theirs == mine, (month, theirs[:400], mine[:400])
    assert b"T23:59:59" in mine
print("same")
"#;

#[test]
fn the_official_python_client_writes_the_same_bytes() {
    let Some(python) = python() else { return };
    let (home, server) = (Home::new(), server());
    bars(&home, &server, &AAPL).ok();
    home.put("theirs.py", PYTHON);
    let mut command = Command::new(python);
    command
        .args(["theirs.py", &server.url(), KEY, "data/raw_1s/AAPL"])
        .current_dir(home.path())
        .env("NO_PROXY", "127.0.0.1");
    let ran = Ran::of(command.output().unwrap()).ok();
    assert!(ran.out.contains("same"), "{ran:?}");
}
