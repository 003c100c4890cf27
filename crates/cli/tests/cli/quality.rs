//! What the quality report finds, and that it finds nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Home, oracle, python, sample_data, shared, skipped};

/// A trade of the second `second`, its prices a calm walk.
fn trade(symbol: &str, second: u32, price: &str, sequence: u32) -> String {
    let time = format!("2024-01-03T14:{:02}:{:02}.{:03}+00:00", 30 + second / 60, second % 60, second * 7 % 1000);
    format!(
        "{{\"timestamp\":\"{time}\",\"symbol\":\"{symbol}\",\"type\":3,\"payload\":{{\"kind\":\"trade\",\"timestamp\":\"{time}\",\
         \"symbol\":\"{symbol}\",\"price\":{price},\"size\":100,\"aggressor\":1,\"sequenceNumber\":{sequence}}},\
         \"sequence\":{sequence},\"source\":\"DEMO\",\"schemaVersion\":1,\"tier\":0}}"
    )
}

fn calm(second: u32) -> String {
    format!("{:.2}", 100.0 + f64::from(second * second % 13) * 0.01)
}

fn trades(symbol: &str) -> Vec<String> {
    (0..120).map(|second| trade(symbol, second, &calm(second), second + 1)).collect()
}

fn put(home: &Home, symbol: &str, lines: &[String]) {
    home.put(&format!("data/{symbol}/Trade/2024-01-03.jsonl"), lines.join("\n") + "\n");
}

/// Findings of every file that has some, by its symbol: check, count, lines.
fn findings(package: &Path) -> BTreeMap<String, Vec<(String, u64, Vec<u64>)>> {
    let report: Value =
        serde_json::from_slice(&std::fs::read(package.join("metadata/quality_report.json")).unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for file in report["files"].as_array().unwrap() {
        let mut found: Vec<(String, u64, Vec<u64>)> = Vec::new();
        for (check, at) in file["findings"].as_object().unwrap() {
            let lines = at["lines"].as_array().cloned().unwrap_or_default();
            let lines = lines.iter().map(|line| line.as_u64().unwrap()).collect();
            found.push((check.clone(), at["count"].as_u64().unwrap(), lines));
        }
        if !found.is_empty() {
            all.insert(file["symbol"].as_str().unwrap().to_owned(), found);
        }
    }
    all
}

#[test]
fn every_planted_fault_is_found_where_it_is_and_clean_files_have_none() {
    let home = Home::new();
    put(&home, "CLEAN", &trades("CLEAN"));
    let mut gap = trades("GAP");
    gap.drain(40..43);
    gap.remove(80);
    put(&home, "GAP", &gap);
    let mut copy = trades("COPY");
    copy.insert(50, copy[49].clone());
    copy.push(copy[3].clone());
    put(&home, "COPY", &copy);
    let mut back = trades("BACK");
    back[60] = trade("BACK", 5, &calm(60), 61);
    put(&home, "BACK", &back);
    let torn = trades("TORN");
    home.put("data/TORN/Trade/2024-01-03.jsonl", torn.join("\n") + "\n" + &torn[7][..90]);
    let mut broken = trades("BROKEN");
    broken[9].truncate(50);
    put(&home, "BROKEN", &broken);
    let mut spike = trades("SPIKE");
    spike[70] = trade("SPIKE", 70, "107.5", 71);
    put(&home, "SPIKE", &spike);
    let mut negative = trades("NEGATIVE");
    negative[30] = trade("NEGATIVE", 30, "-1.5", 31);
    negative[31] = trade("NEGATIVE", 31, "0", 32);
    put(&home, "NEGATIVE", &negative);
    home.put("data/EMPTY/Trade/2024-01-03.jsonl", "");
    let quote = |second: u32| {
        let bid = if second == 20 { 10.2 } else { 10.0 };
        let time = format!("2024-01-03T14:30:{second:02}Z");
        let payload = json!({"kind": "bbo", "timestamp": time, "symbol": "QUOTES", "bidPrice": bid, "bidSize": 5,
            "askPrice": if second == 30 { 0.0 } else { 10.1 }, "askSize": 7, "sequenceNumber": second});
        json!({"timestamp": time, "symbol": "QUOTES", "type": "BboQuote", "payload": payload, "sequence": second})
            .to_string()
    };
    home.put("data/QUOTES/BboQuote/2024-01-03.jsonl", (0..50).map(quote).collect::<Vec<_>>().join("\n") + "\n");
    let book = |second: u32| {
        let best = if second == 4 { "9.5" } else { "10.5" };
        format!(
            "{{\"timestamp\":\"2024-01-03T14:30:{second:02}Z\",\"symbol\":\"BOOK\",\"type\":1,\"payload\":{{\"kind\":\"l2\",\
             \"bids\":[{{\"side\":0,\"level\":0,\"price\":10.0,\"size\":1}},{{\"side\":0,\"level\":1,\"price\":99.0,\"size\":1}}],\
             \"asks\":[{{\"side\":1,\"level\":0,\"price\":{best},\"size\":1}}]}},\"sequence\":{second}}}"
        )
    };
    home.put("data/BOOK/L2Snapshot/2024-01-03.jsonl", (0..20).map(book).collect::<Vec<_>>().join("\n") + "\n");
    // Two symbols, each with numbers of its own, one after the other and then in turns; one number and one time are amiss.
    let mut several: Vec<String> = (0..60).map(|n| trade("ONE", n, &calm(n), n + 1)).collect();
    several.extend((0..60).map(|n| trade("TWO", n, "5.25", n + 1)));
    for n in 60..100 {
        several.push(trade("ONE", n, &calm(n), n + 1));
        several.push(trade("TWO", if n == 80 { 20 } else { n }, "5.25", if n < 90 { n + 1 } else { n + 4 }));
    }
    put(&home, "SEVERAL", &several);
    let mut bars = String::from("timestamp,symbol,open,high,low,close,volume\n");
    for minute in 0..200 {
        let (high, volume) = (if minute == 9 { 99 } else { 102 }, if minute == 12 { -5 } else { 1000 });
        writeln!(
            bars,
            "2024-01-03T{:02}:{:02}:00Z,BARS,100,{high},99,100.{},{volume}",
            9 + minute / 60,
            minute % 60,
            minute % 7
        )
        .unwrap();
    }
    bars += "2024-01-03T12:20:00Z,BARS,100";
    home.put("data/BARS/AggregateBar/2024-01-03.csv", bars);

    let package = home.create(&["--format", "folder"]);
    let one = |check: &str, lines: &[u64]| (check.to_owned(), u64::try_from(lines.len()).unwrap(), lines.to_vec());
    let expected = [
        ("BACK", vec![one("outOfOrder", &[61])]),
        ("BARS", vec![one("tornLastLine", &[202]), one("negativeSize", &[14]), one("inconsistentBar", &[11])]),
        ("BOOK", vec![one("crossedQuote", &[5])]),
        ("BROKEN", vec![one("unparsable", &[10]), one("sequenceGap", &[11])]),
        ("COPY", vec![one("duplicate", &[51, 122])]),
        ("EMPTY", vec![("empty".to_owned(), 1, vec![])]),
        ("GAP", vec![one("sequenceGap", &[41, 81])]),
        ("NEGATIVE", vec![one("negativePrice", &[31]), one("zeroPrice", &[32])]),
        ("QUOTES", vec![one("crossedQuote", &[21])]),
        ("SEVERAL", vec![one("outOfOrder", &[162]), one("sequenceGap", &[182])]),
        ("SPIKE", vec![one("outlier", &[71])]),
        ("TORN", vec![one("tornLastLine", &[121])]),
    ];
    let found = findings(&package);
    for (symbol, mut expected) in expected.clone() {
        let mut found = found.get(symbol).cloned().unwrap_or_default();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{symbol}");
    }
    assert_eq!(found.len(), expected.len(), "{found:?}");
    if let Some(python) = python() {
        oracle(&python, "check_quality.py", &[&package]);
    }
    let dictionary = std::fs::read_to_string(package.join("metadata/data_dictionary.md")).unwrap();
    for (check, meaning) in [("crossedQuote", "best bid lies above"), ("outlier", "leaps away")] {
        assert!(dictionary.contains(check) && dictionary.contains(meaning), "{dictionary}");
    }
    assert!(dictionary.contains("integrityScore = 100 x (1 - findings / records)"), "{dictionary}");
}

#[test]
fn the_findings_of_real_trees_are_those_that_python_finds() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let real = shared("events").map(|path| path.to_str().unwrap().to_owned());
    if real.is_none() {
        skipped("the real trees of events");
    }
    for (i, root) in [Some(sample_data()), real].into_iter().flatten().enumerate() {
        let package = home.create(&["--data-root", &root, "--format", "folder", "--name", &format!("tree{i}")]);
        oracle(&python, "check_quality.py", &[&package]);
        oracle(&python, "check_schemas.py", &[&package]);
    }
}

#[test]
fn short_names_headers_with_gaps_and_what_could_not_be_looked_for() {
    let home = Home::new();
    let agg = |n: u64| {
        let (price, time) = (if n == 10 { "-5" } else { "60000.5" }, 1_715_000_000_000 + n * 1000);
        let back = if n == 15 { 5000 } else { 0 };
        format!(
            "{{\"e\":\"aggTrade\",\"E\":{},\"s\":\"BTC\",\"a\":{n},\"p\":\"{price}\",\"q\":\"0.1\",\"T\":{time}}}",
            time - back
        )
    };
    home.put("data/BTC/Trade/2024-05-06.jsonl", (0..30).map(agg).collect::<Vec<_>>().join("\n") + "\n");
    home.put("data/NOTE/Note/2024-05-06.csv", "title,text\na,b\nc,d\n");
    home.put(
        "data/IDX/Trade/2024-05-06.csv",
        ",timestamp,price,price\n0,2024-05-06T10:00:00Z,1.5,3\n1,2024-05-06T10:00:01Z,0,3\n",
    );
    let package = home.create(&["--format", "folder"]);
    let found = findings(&package);
    assert_eq!(found["BTC"], [("outOfOrder".into(), 1, vec![16]), ("negativePrice".into(), 1, vec![11])]);
    assert_eq!(found["IDX"], [("zeroPrice".into(), 1, vec![3])]);
    let manifest = crate::support::manifest(&package);
    let files = manifest["files"].as_array().unwrap();
    let idx = files.iter().find(|file| file["symbol"] == "IDX").unwrap();
    assert_eq!(idx["eventCount"], 2);
    assert_eq!(idx["csv"]["columns"], json!(["column_1", "timestamp", "price", "price.1"]));
    // `e` and `E` are two fields of one record.
    let fields = manifest["schemas"]["Trade"]["fields"].as_array().unwrap();
    let named = |name: &str| fields.iter().filter(|field| field["name"] == name).count();
    assert_eq!((named("e"), named("E")), (1, 1));
    let ran = home.pdp(&["report", package.to_str().unwrap()]).ok();
    assert!(ran.out.contains("No data for") && ran.out.contains("sequence gaps"), "{}", ran.out);
    assert!(ran.out.contains("prices of zero") || ran.out.contains("price of zero"), "{}", ran.out);
    home.pdp(&["validate", "--deep", package.to_str().unwrap()]).ok();
}

#[test]
fn nothing_is_measured_where_nobody_asks() {
    let home = Home::new();
    put(&home, "A", &trades("A"));
    let package = home.create(&["--format", "folder", "--no-quality-report", "--no-data-dictionary"]);
    assert!(!package.join("metadata/quality_report.json").exists());
    assert!(!package.join("metadata/quality_report.html").exists());
    let manifest: Value = serde_json::from_slice(&std::fs::read(package.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["totalEvents"], 120);
    assert_eq!(manifest["schemas"]["Trade"]["fields"][0]["type"], "datetime");
}
