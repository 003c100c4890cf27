//! `pdp bars validate`: planted faults are found, and clean bars pass.

use serde_json::Value;

use crate::bars::seconds;
use crate::support::{Home, Ran, shared};

const TO: &str = "data/aggregated/1min/ES.c_0_2024_01_1min.csv";
const CLEAN: [&str; 10] = [
    "bars",
    "validate",
    "--input-dir",
    "data/aggregated/1min",
    "--timeframe",
    "1min",
    "--raw-dir",
    "data/raw_1s",
    "--calendar",
    "24-7",
];

/// Seconds of a symbol, and minutes made of them.
fn made() -> Home {
    let home = Home::new();
    home.put("data/raw_1s/ES.c_0/ES.c_0_2024_01.csv", seconds("2024-01-02T00:00:00Z", 3000));
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
    home
}

fn counts(ran: &Ran) -> Vec<(String, u64)> {
    let json = ran.json();
    let counts = json["series"][0]["counts"].as_object().unwrap();
    counts.iter().map(|(kind, count)| (kind.clone(), count.as_u64().unwrap())).collect()
}

fn finding<'a>(json: &'a Value, kind: &str) -> &'a Value {
    json["series"][0]["findings"].as_array().unwrap().iter().find(|one| one["kind"] == kind).unwrap()
}

#[test]
fn clean_bars_pass_with_the_volume_check() {
    let home = made();
    let ran = home.pdp(&CLEAN).ok();
    assert!(ran.out.contains("SUCCESS: against raw data: volume") && ran.out.contains("nothing wrong"), "{}", ran.out);
    let json = home.pdp(&[CLEAN.as_slice(), &["--json"]].concat()).ok().json();
    assert_eq!((&json["clean"], &json["series"][0]["volume"]["conserved"]), (&true.into(), &true.into()));
    // With bars that fill gaps, too, and of the raw data, whose gaps are longer than what counts as no trade.
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min", "--fill"]).ok();
    home.pdp(&CLEAN).ok();
    let raw =
        home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s", "--calendar", "24-7"]).fails(3, "no bars until");
    assert!(raw.out.contains("ES.c_0 1s in data/raw_1s"), "{}", raw.out);
    home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s", "--calendar", "24-7", "--allow-gaps"]).ok();
}

#[test]
fn a_month_in_two_forms_is_checked_in_each_and_never_added_up() {
    let home = made();
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min", "--format", "fxd"]).ok();
    let ran = home.pdp(&CLEAN).ok();
    for form in ["csv", "fxd"] {
        assert!(ran.out.contains(&format!("ES.c_0 1min in data/aggregated/1min/*.{form}")), "{}", ran.out);
    }
    home.pdp(&[
        "bars",
        "resample",
        "--all",
        "--input-dir",
        "data/aggregated/1min",
        "--output-dir",
        "x",
        "--timeframes",
        "1h",
    ])
    .fails(3, "months are there both as csv and as fxd");
}

/// Bars that say they are made up are held to what they say.
#[test]
fn what_fills_gaps_has_no_volume_and_the_last_price() {
    let home = Home::new();
    let raw =
        "timestamp,open,high,low,close,volume\n2024-01-02T10:00:00Z,5,6,4,5.5,3\n2024-01-02T10:02:00Z,6,7,5,6,4\n";
    home.put("data/raw_1s/S/S_2024_01.csv", raw);
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min", "--fill"]).ok();
    let validate =
        ["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s", "--calendar", "24-7"];
    home.pdp(&validate).ok();
    let file = "data/aggregated/1min/S_2024_01_1min.csv";
    let good = std::fs::read_to_string(home.join(file)).unwrap();
    let fill = good.lines().nth(2).unwrap();
    assert!(fill.ends_with(",5.5,5.5,5.5,5.5,0,6"), "{good}");
    for (bad, kind) in [(",5.5,5.5,5.5,5.5,1000,6", "volume"), (",99,99,99,99,0,6", "price")] {
        home.put(file, good.replace(",5.5,5.5,5.5,5.5,0,6", bad));
        let ran = home.pdp(&validate).fails(3, &format!("line 3: {kind}: 2024-01-02T10:01:00Z: flagged as made up"));
        assert_eq!(ran.out.contains("volume 1007, raw 7"), kind == "volume", "{}", ran.out);
    }
    // Where there is nothing to fill: before the first bar, behind the last raw one, of a symbol that is none.
    let (head, rest) = good.split_once('\n').unwrap();
    let made_up = |time: &str, symbol: &str| format!("{time},{symbol},6,6,6,6,0,6\n");
    for (bad, expected) in [
        (
            format!("{head}\n{}{rest}", made_up("2024-01-02T09:59:00Z", "S")),
            "line 2: price: 2024-01-02T09:59:00Z: flagged as made up, but no bar is before it",
        ),
        (
            good.clone() + &made_up("2024-01-02T10:03:00Z", "S"),
            "line 5: extra: 2024-01-02T10:03:00Z: flagged as made up, but the raw data have no bars behind it",
        ),
        (good.clone() + &made_up("2024-01-02T10:03:00Z", "FAKE"), "line 5: extra: FAKE: 2024-01-02T10:03:00Z"),
    ] {
        home.put(file, bad);
        home.pdp(&validate).fails(3, expected);
    }
}

/// Rows that would be taken for something else are not taken at all.
#[test]
fn rows_that_are_not_what_they_seem_are_refused() {
    const HEAD: &str = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n";
    let row = |second: u32, rtype: &str, price: &str, volume: &str| {
        format!("2024-01-02T10:00:{second:02}Z,{rtype},2,7,{price},{price},{price},{price},{volume},S\n")
    };
    let good = [HEAD, &row(0, "32", "5.25", "3"), &row(1, "32", "5.50", "4")].concat();
    let long = format!("{good}{}", row(2, "32", "5.25", "3").replace(",S\n", &format!(",{}\n", "S".repeat(1 << 20))));
    let cases = [
        (good.clone() + &row(2, "33", "5.25", "1"), "line 4: rtype is \"33\", expected 32, as in the first row"),
        (good.clone() + &row(2, "32", "5.25", ""), "line 4: volume is \"\", expected a number; nothing is not 0"),
        (good.replace('\n', "\r"), "CR alone"),
        // What stands in quotes in the first row is not the same without them.
        (
            good.replace(",S\n", ",\"S,T\"\n") + &row(2, "32", "5.25", "1").replace(",S\n", ",S,T\n"),
            "line 4: 11 fields, expected 10",
        ),
        ([HEAD, &row(0, "32", "5000", "3")].concat(), "under Databento's names a price with a point"),
        (good.clone() + &row(2, "32", "5.0000000000001", "1"), "expected 12 decimals at most"),
        (long, "line 4: expected a line of 1048576 bytes at most"),
    ];
    let home = Home::new();
    for (text, expected) in cases {
        home.put("data/raw_1s/S/S_2024_01.csv", &text);
        home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).fails(3, expected);
        let ran = home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s"]);
        assert!(ran.code == 3, "{expected}: {ran:?}");
    }
    // The time of a row that cannot be read is said, where it can be.
    home.put("data/raw_1s/S/S_2024_01.csv", good.clone() + &row(2, "32", "nan", "1") + &row(3, "32", "1.5", "-1"));
    let json = home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s", "--json"]).json();
    let times: Vec<_> =
        ["unreadable", "negative-volume"].iter().map(|kind| finding(&json, kind)["timestamp"].clone()).collect();
    assert_eq!(times, ["2024-01-02T10:00:02Z", "2024-01-02T10:00:03Z"]);
    // Whole prices among those with a point are what they say, if they are no number of 1e-9.
    home.put("data/raw_1s/S/S_2024_01.csv", good.clone() + &row(2, "32", "168", "1"));
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1s"]).ok();
    let made = std::fs::read_to_string(home.join("data/aggregated/1s/S_2024_01_1s.csv")).unwrap();
    assert!(made.contains("10:00:02Z,S,2,7,168.00,168.00,168.00,168.00,1"), "{made}");
    home.put("data/raw_1s/S/S_2024_01.csv", good.clone() + &row(2, "32", "5250000000", "1"));
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1s"]).fails(3, "line 4: open is \"5250000000\"");
    home.put("data/raw_1s/S/S_2024_01.csv", [HEAD, "\n", &row(0, "32", "-5000", "3")].concat());
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1s"]).fails(3, "line 3: open is \"-5000\"");
    // A file that is called after another symbol is not taken for this one's without a word.
    home.put("data/raw_1s/S/S_2024_01.csv", &good);
    home.put(
        "data/raw_1s/S/T_2024_02.csv",
        good.replace("2024-01", "2024-02").replace(",symbol", "").replace(",S\n", "\n"),
    );
    let ran = home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
    assert!(ran.err.contains("WARNING: data/raw_1s/S/T_2024_02.csv: read as S"), "{}", ran.err);
}

/// An id that goes and comes again leaves no gap where the other's bars are, in stores as little as in CSV.
#[test]
fn series_of_a_store_are_seen_in_the_order_of_time() {
    let home = Home::new();
    let mut text = "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n".to_owned();
    for hour in 0..240 {
        let id = [7, 9, 7][hour / 80];
        let (day, hour) = (1 + hour / 24, hour % 24);
        text += &format!("2024-01-{day:02}T{hour:02}:00:00Z,34,1,{id},5.0,6.0,4.0,5.5,3,S\n");
    }
    home.put("data/raw_1h/S/S_2024_01.csv", text);
    let check = |directory: &str, more: &[&str]| {
        let args = ["bars", "validate", "--raw-dir", "data/raw_1h", "--calendar", "24-7", "--input-dir", directory];
        home.pdp(&[args.as_slice(), more].concat()).ok()
    };
    for format in ["csv", "fxd"] {
        let to = ["--timeframes", "1h", "--format", format, "--output-dir", format, "--input-dir", "data/raw_1h"];
        home.pdp(&[["bars", "resample", "--all"].as_slice(), &to].concat()).ok();
        let ran = check(format, &[]);
        assert!(ran.out.contains("volume 720 is that of 240 raw bars"), "{}", ran.out);
    }
    // A store of series is read as one symbol's where that is asked for.
    std::fs::create_dir_all(home.join("stores/S")).unwrap();
    std::fs::rename(home.join("fxd/1h/S_2024_01_1h.fxd"), home.join("stores/S/S_2024_01.fxd")).unwrap();
    let merged = ["--timeframes", "1d", "--merge-instruments", "--input-dir", "stores", "--output-dir", "merged"];
    home.pdp(&[["bars", "resample", "--all"].as_slice(), &merged].concat()).ok();
    let made = std::fs::read_to_string(home.join("merged/1d/S_2024_01_1d.csv")).unwrap();
    assert_eq!(made.lines().count(), 11, "{made}");
    check("merged", &["--merge-instruments"]);
}

/// A month without a file is said to be missing where it should be; what was dropped by order is no finding.
#[test]
fn what_is_missing_is_said_of_its_month_and_duplicates_as_they_were_dealt_with() {
    let home = Home::new();
    let rows = |month: u8| {
        format!(
            "timestamp,open,high,low,close,volume\n2024-{month:02}-02T10:00:00Z,5,6,4,5,3\n2024-{month:02}-02T10:00:00Z,5,6,4,5.5,4\n"
        )
    };
    for month in [1, 2, 3] {
        home.put(&format!("data/raw_1s/S/S_2024_{month:02}.csv"), rows(month));
    }
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min", "--on-duplicate", "last"]).ok();
    let validate = ["bars", "validate", "--input-dir", "data/aggregated", "--raw-dir", "data/raw_1s", "--allow-gaps"];
    let json = home.pdp(&[validate.as_slice(), &["--json"]].concat()).fails(3, "").json();
    let raw = finding(&json, "raw");
    assert_eq!((&raw["line"], &raw["timestamp"]), (&3.into(), &"2024-01-02T10:00:00Z".into()), "{raw}");
    let validate = [validate.as_slice(), &["--on-duplicate", "last"]].concat();
    home.pdp(&validate).ok();
    std::fs::remove_file(home.join("data/aggregated/1min/S_2024_02_1min.csv")).unwrap();
    home.pdp(&validate).fails(3, "data/aggregated/1min: missing: 2024-02-02T10:00:00Z");
}

/// A fault: what it does to the rows, what is found, and where.
type Fault = (&'static str, fn(&mut Vec<String>), &'static [(&'static str, u64)], u64);

/// Puts other text into a field of a row: 0 is the header.
fn set(rows: &mut [String], row: usize, field: usize, text: &str) {
    let mut fields: Vec<&str> = rows[row].split(',').collect();
    fields[field] = text;
    rows[row] = fields.join(",");
}

#[test]
fn planted_faults_of_every_kind_are_found() {
    const HEADER: &str = "timestamp,symbol,publisher_id,instrument_id,open,high,low,close,volume";
    let faults: [Fault; 15] = [
        ("a duplicate", |rows| rows.insert(11, rows[10].clone()), &[("duplicate", 1)], 12),
        (
            "another duplicate",
            |rows| {
                rows.insert(11, rows[10].clone());
                set(rows, 11, 8, "77777");
            },
            &[("duplicate", 1)],
            12,
        ),
        (
            "a step back",
            |rows| {
                let row = rows.remove(10);
                rows.insert(12, row);
            },
            &[("missing", 1), ("order", 1)],
            13,
        ),
        (
            "high below low",
            |rows| {
                set(rows, 10, 5, "1.00");
                set(rows, 10, 6, "2.00");
            },
            &[("ohlc", 1), ("price", 2)],
            11,
        ),
        (
            "high below close",
            |rows| {
                set(rows, 10, 7, "99999.00");
            },
            &[("ohlc", 1), ("price", 1)],
            11,
        ),
        ("NaN", |rows| set(rows, 10, 4, "NaN"), &[("missing", 1), ("unreadable", 1)], 11),
        ("a negative volume", |rows| set(rows, 10, 8, "-5"), &[("missing", 1), ("negative-volume", 1)], 11),
        ("a negative price", |rows| set(rows, 10, 6, "-1.00"), &[("negative-price", 1), ("price", 1)], 11),
        (
            "another second",
            |rows| {
                let text = rows[10].replace(":00Z", ":07Z");
                rows[10] = text;
            },
            &[("alignment", 1), ("extra", 1), ("missing", 1)],
            11,
        ),
        (
            "another month",
            |rows| {
                let text = rows[1].replace("2024-01-02T00:00", "2023-12-31T23:59");
                rows[1] = text;
            },
            &[("extra", 1), ("missing", 1), ("month", 1)],
            2,
        ),
        (
            "volume of one",
            |rows| {
                let one: u64 = rows[10].rsplit(',').next().unwrap().parse().unwrap();
                set(rows, 10, 8, &(one + 1).to_string());
            },
            &[("volume", 1)],
            11,
        ),
        (
            "a bar too few",
            |rows| {
                rows.remove(10);
            },
            &[("missing", 1)],
            0,
        ),
        (
            "a bar too many",
            |rows| {
                let last = rows.last().unwrap().replace("2024-01-0", "2024-01-1");
                rows.push(last);
            },
            &[("extra", 1)],
            0,
        ),
        ("too few fields", |rows| rows[10].truncate(30), &[("missing", 1), ("unreadable", 1)], 11),
        ("text", |rows| set(rows, 10, 0, "yesterday"), &[("missing", 1), ("unreadable", 1)], 11),
    ];
    let home = made();
    let good = std::fs::read_to_string(home.join(TO)).unwrap();
    assert_eq!(good.lines().next(), Some(HEADER));
    for (name, plant, expected, line) in faults {
        let mut rows: Vec<String> = good.lines().map(str::to_owned).collect();
        plant(&mut rows);
        home.put(TO, rows.join("\n") + "\n");
        let ran = home.pdp(&[CLEAN.as_slice(), &["--json"]].concat());
        assert_eq!(ran.code, 3, "{name}: {}", ran.out);
        // Gaps count apart: what is left out of the bars may leave one.
        let found: Vec<_> = counts(&ran).into_iter().filter(|(kind, _)| kind != "gap").collect();
        let mut expected: Vec<_> = expected.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect();
        let mut sorted = found.clone();
        sorted.sort();
        expected.sort();
        assert_eq!(sorted, expected, "{name}: {}", ran.out);
        let json = ran.json();
        if line > 0 {
            let kind = sorted.iter().find(|(kind, _)| !["extra", "missing", "price"].contains(&kind.as_str())).unwrap();
            assert_eq!(finding(&json, &kind.0)["line"], line, "{name}");
        }
        let text = home.pdp(&CLEAN).fails(3, "ERROR");
        assert!(text.out.contains(TO.rsplit('/').next().unwrap()), "{name}: {}", text.out);
    }
    // Prices below zero are legal where they are said to be; volume is none unless it is asked for.
    home.put(TO, good);
    let zero = format!("{HEADER}\n2020-04-20T18:30:00Z,CL,,,-37.63,-10.00,-40.32,-37.63,0\n");
    home.put("cl/CL_2020_04_1min.csv", zero);
    let cl = ["bars", "validate", "--input-dir", "cl"];
    home.pdp(&cl).fails(3, "expected no price below zero");
    home.pdp(&[cl.as_slice(), &["--allow-negative-prices"]].concat()).ok();
    home.pdp(&[cl.as_slice(), &["--allow-negative-prices", "--refuse-zero-volume"]].concat()).fails(3, "volume is 0");
}

/// Minutes of a market's days, without some of them.
fn minutes(home: &Home, days: &[(&str, &str)]) {
    let mut text = "timestamp,symbol,open,high,low,close,volume\n".to_owned();
    for (open, close) in days {
        let [open, close] = [open, close].map(|text| chrono::DateTime::parse_from_rfc3339(text).unwrap());
        let mut at = open;
        while at < close {
            text += &format!("{},SPY,1.5,1.5,1.5,1.5,1\n", at.format("%Y-%m-%dT%H:%M:%SZ"));
            at += chrono::Duration::minutes(1);
        }
    }
    home.put("bars/SPY_2024_11_1min.csv", text);
}

#[test]
fn t115_gaps_have_the_right_reasons() {
    let home = Home::new();
    minutes(
        &home,
        &[
            ("2024-11-27T14:30:00Z", "2024-11-27T16:00:00Z"),
            ("2024-11-27T16:05:00Z", "2024-11-27T17:00:00Z"),
            ("2024-11-27T18:00:00Z", "2024-11-27T19:00:00Z"),
            ("2024-11-27T19:15:00Z", "2024-11-27T21:00:00Z"),
            // Thanksgiving, then a half day.
            ("2024-11-29T14:30:00Z", "2024-11-29T18:00:00Z"),
        ],
    );
    home.put("halts.csv", "start,end,why\n2024-11-27T19:00:00Z,2024-11-27T19:15:00Z,circuit breaker\n");
    let validate = ["bars", "validate", "--input-dir", "bars", "--calendar", "xnys", "--json"];
    let parts = |ran: &Ran| -> Vec<String> {
        let json = ran.json();
        let parts = json["series"][0]["gaps"][0]["parts"].as_array().unwrap().clone();
        let text = |part: &Value, name: &str| part[name].as_str().unwrap().to_owned();
        parts
            .iter()
            .map(|part| format!("{} {} {}", &text(part, "start")[..16], text(part, "reason"), text(part, "why")))
            .collect()
    };
    let ran = home.pdp(&[validate.as_slice(), &["--halts", "halts.csv"]].concat());
    assert_eq!(ran.code, 3);
    assert_eq!(
        parts(&ran),
        [
            "2024-11-27T17:00 unknown nothing explains it",
            "2024-11-27T19:00 halt circuit breaker",
            "2024-11-27T21:00 closed Thanksgiving",
        ]
    );
    assert_eq!(ran.json()["series"][0]["gaps"][0]["reasons"]["no-trade"]["count"], 1);
    assert_eq!(finding(&ran.json(), "gap")["line"], 92 + 55);
    // The vendor's word: a whole day has no gaps but those of trade, a degraded one may.
    home.put("whole.json", r#"[{"date":"2024-11-27","condition":"available"}]"#);
    home.put("bad.json", r#"[{"date":"2024-11-27","condition":"degraded"}]"#);
    home.pdp(&[validate.as_slice(), &["--condition", "whole.json"]].concat()).ok();
    home.pdp(&[validate.as_slice(), &["--condition", "bad.json"]].concat()).fails(3, "the vendor says degraded");
    // A calendar of one's own, and one that does not go so far.
    home.put("own.csv", "date,open,close\n2024-11-27,2024-11-27T14:30:00Z,2024-11-27T17:00:00Z\n2024-11-27,2024-11-27T18:00:00Z,2024-11-27T19:00:00Z\n2024-11-27,2024-11-27T19:15:00Z,2024-11-27T21:00:00Z\n2024-11-29,2024-11-29T14:30:00Z,2024-11-29T18:00:00Z\n");
    home.pdp(&["bars", "validate", "--input-dir", "bars", "--calendar", "own.csv"]).ok();
    home.pdp(&["bars", "validate", "--input-dir", "bars", "--calendar", "nyse"]).fails(2, "no calendar and no file");
    home.put(
        "old/SPY_1999_11_1min.csv",
        "timestamp,open,high,low,close,volume\n1999-11-01T15:00:00Z,1,1,1,1,1\n1999-11-01T16:00:00Z,1,1,1,1,1\n",
    );
    home.pdp(&["bars", "validate", "--input-dir", "old", "--calendar", "xnys"]).fails(2, "covers 2000 to 2030");
}

#[test]
fn reports_are_written_as_their_names_say() {
    let home = made();
    let args = ["--report", "out/report.txt", "--report", "out/report.json", "--report", "out/report.html"];
    home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s"].iter().chain(&args).copied().collect::<Vec<_>>());
    let read = |name: &str| std::fs::read_to_string(home.join(name)).unwrap();
    assert!(read("out/report.txt").contains("SUCCESS: duplicates"));
    let json: Value = serde_json::from_str(&read("out/report.json")).unwrap();
    assert_eq!(json["series"][0]["timeframe"], "1s");
    let html = read("out/report.html");
    assert!(html.contains(">2024-01-02</text>") && html.contains(">21:00</text>"), "{html}");
    assert!(html.contains("<svg") && html.contains("ES.c_0") && !html.contains("<script"), "{html}");
    home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s", "--report", "report.pdf"])
        .fails(2, ".txt, .json or .html");
    home.pdp(&["bars", "validate", "--input-dir", "nowhere"]).fails(4, "nowhere");
    home.pdp(&["bars", "validate", "--input-dir", "data/raw_1s", "--symbol", "QQQ"]).fails(4, "QQQ");
}

/// Real files: those that are known to repeat rows, with the lines at which they do.
#[test]
fn real_files_are_judged() {
    let Some(zip) = shared("histdata/HISTDATA_COM_ASCII_EURUSD_M12019.zip") else { return };
    let home = Home::new();
    home.put("raw/EURUSD/EURUSD.zip", std::fs::read(zip).unwrap());
    let args = ["bars", "validate", "--input-dir", "raw", "--tz", "EST", "--calendar", "fx", "--json", "--allow-gaps"];
    let ran = home.pdp(&args);
    let json = ran.json();
    // Sixty rows are there twice: the last of them is that of the last time.
    assert_eq!(counts(&ran), [("duplicate".to_owned(), 1), ("order".to_owned(), 59)]);
    assert_eq!(finding(&json, "order")["line"], 306_019);
    assert_eq!(json["series"][0]["bars"], 372_530);
}

/// What raw data lack as well may be no trade, but not for a day; and what cannot be unpacked is a finding among others.
#[test]
fn lost_days_and_damaged_files_are_findings() {
    let home = Home::new();
    let days: Vec<_> = (1..=5).map(|day| seconds(&format!("2024-01-0{day}T00:00:00Z"), 600)).collect();
    let header = days[0].lines().next().unwrap();
    let rows: String =
        [0, 1, 4].iter().flat_map(|day| days[*day].lines().skip(1)).map(|line| format!("{line}\n")).collect();
    home.put("data/raw_1s/ES.c_0/ES.c_0_2024_01.csv", format!("{header}\n{rows}"));
    home.pdp(&["bars", "resample", "--all", "--timeframes", "1min"]).ok();
    home.pdp(&CLEAN).fails(3, "no bars until");
    let whole = std::fs::read(home.join(TO)).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, &whole).unwrap();
    let gz = gz.finish().unwrap();
    home.put("cut/ES.c_0_2024_01_1min.csv.gz", &gz[..gz.len() / 2]);
    home.put("cut/OTHER_2024_01_1min.csv", &whole);
    let ran = home.pdp(&["bars", "validate", "--input-dir", "cut", "--allow-gaps"]).fails(3, "unreadable");
    assert!(ran.out.contains("OTHER 1min"), "{}", ran.out);
}
