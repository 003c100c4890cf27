//! `fx-store`, which is `pdp fxd`, as a person runs it.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Ran};

pub(crate) const HEADER: &str = "timestamp,symbol,open,high,low,close,volume\n";

/// `fx-store` in a directory, not run yet.
pub(crate) fn fx_command(home: &Home, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fx-store"));
    command.args(args).current_dir(home.path()).env_remove("SOURCE_DATE_EPOCH");
    command
}

/// `fx-store` in a directory.
pub(crate) fn fx(home: &Home, args: &[&str]) -> Ran {
    Ran::of(fx_command(home, args).output().unwrap())
}

/// Minutes of a symbol from a day on, as the converter writes them.
pub(crate) fn minutes(symbol: &str, days: std::ops::Range<u32>, a_day: u32) -> String {
    let mut text = String::new();
    for (day, minute) in days.flat_map(|day| (0..a_day).map(move |minute| (day, minute))) {
        let price = 105_000 + (day * 977 + minute * 31) % 800;
        let at = |units: u32| format!("{}.{:05}", units / 100_000, units % 100_000);
        text += &format!(
            "2024-01-{:02}T{:02}:{:02}:00Z,{symbol},{},{},{},{},{}\n",
            day + 1,
            minute / 60,
            minute % 60,
            at(price),
            at(price + 9),
            at(price - 7),
            at(price + 2),
            minute % 13
        );
    }
    text
}

#[test]
fn the_documented_lines_work_as_they_stand() {
    let home = Home::new();
    let csv = HEADER.to_owned() + &minutes("EURUSD", 0..3, 1440);
    home.put("input.csv", &csv);
    fx(&home, &["convert", "--from", "csv", "--to", "fxd", "input.csv", "output.fxd"]).ok();
    home.pdp(&["fxd", "convert", "input.csv", "data.fxd"]).ok();
    fx(&home, &["convert", "--from", "fxd", "--to", "parquet", "data.fxd", "output.parquet"]).ok();
    // There and back again, by way of Parquet too, and to standard output.
    fx(&home, &["convert", "output.fxd", "back.csv"]).ok();
    assert_eq!(std::fs::read_to_string(home.join("back.csv")).unwrap(), csv);
    fx(&home, &["convert", "output.parquet", "again.fxd"]).ok();
    assert_eq!(fx(&home, &["convert", "again.fxd", "-"]).ok().out, csv);
    // To other blocks.
    fx(&home, &["convert", "data.fxd", "small.fxd", "--block-records", "100"]).ok();
    let rows = ["--format-version", "1", "--overwrite", "--dictionary", "--level", "9"];
    fx(&home, &[["convert", "data.fxd", "small.fxd", "--block-records", "100"].as_slice(), &rows].concat()).ok();
    assert_eq!(fx(&home, &["query", "--file", "small.fxd", "--symbol", "EURUSD"]).ok().out, csv);
    fx(&home, &["verify", "--file", "small.fxd", "--checksums"]).ok();
    let json = fx(&home, &["convert", "--to", "json", "data.fxd", "-"]).ok().out;
    assert!(
        json.starts_with("{\"timestamp\":\"2024-01-01T00:00:00Z\",\"symbol\":\"EURUSD\",\"open\":1.05000,"),
        "{json}"
    );
}

#[cfg(unix)]
#[test]
fn pdp_by_the_name_of_fx_store_is_fx_store() {
    let home = Home::new();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_pdp"), home.join("fx-store")).unwrap();
    let ran = Ran::of(Command::new(home.join("fx-store")).arg("--help").output().unwrap()).ok();
    assert!(ran.out.contains("convert") && !ran.out.contains("keygen"), "{}", ran.out);
}

#[test]
fn the_same_bars_make_the_same_bytes_at_a_given_time() {
    let home = Home::new();
    home.put("in.csv", HEADER.to_owned() + &minutes("A", 0..2, 700) + &minutes("B", 0..1, 9));
    let (time, epoch) = ("2024-05-01T00:00:00Z", "1714521600");
    fx(&home, &["convert", "in.csv", "a.fxd", "--created-at", time]).ok();
    Ran::of(fx_command(&home, &["convert", "in.csv", "b.fxd"]).env("SOURCE_DATE_EPOCH", epoch).output().unwrap()).ok();
    // By way of an unordered input, too.
    let rows = minutes("A", 0..2, 700) + &minutes("B", 0..1, 9);
    let reversed: Vec<_> = rows.lines().rev().collect();
    home.put("other/in.csv", HEADER.to_owned() + &reversed.join("\n"));
    fx(&home, &["convert", "other/in.csv", "c.fxd", "--sort", "--created-at", time]).ok();
    assert_eq!(std::fs::read(home.join("a.fxd")).unwrap(), std::fs::read(home.join("b.fxd")).unwrap());
    let of = |file: &str, symbol: &str| fx(&home, &["query", "--file", file, "--symbol", symbol]).ok().out;
    assert_eq!((of("a.fxd", "A"), of("a.fxd", "B")), (of("c.fxd", "A"), of("c.fxd", "B")));
    let left: Vec<_> = home.files("").into_iter().filter(|name| name.contains(".partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn duplicates_and_steps_back_are_refused_by_line_or_dealt_with() {
    let home = Home::new();
    let row = |minute: u32, price: &str| format!("2024-01-02T00:{minute:02}:00Z,{price},{price},{price},{price},0\n");
    let head = "timestamp,open,high,low,close,volume\n".to_owned();
    home.put("twice.csv", head.clone() + &row(0, "1.1") + &row(1, "1.2") + &row(1, "1.3") + &row(2, "1.4"));
    home.put("back.csv", head.clone() + &row(0, "1.1") + &row(2, "1.2") + &row(1, "1.3") + &row(2, "1.4"));
    fx(&home, &["convert", "twice.csv", "a.fxd"]).fails(3, "twice.csv: line 4: twice: 2024-01-02T00:01:00Z");
    fx(&home, &["convert", "back.csv", "a.fxd", "--on-duplicate", "last"]).fails(3, "back.csv: line 4");
    fx(&home, &["convert", "back.csv", "a.fxd"]).fails(3, "--sort");
    let sorted = fx(&home, &["convert", "back.csv", "a.fxd", "--sort"]);
    sorted.fails(3, "back.csv: line 5: back: 2024-01-02T00:02:00Z is there already at back.csv: line 3");
    assert!(!home.join("a.fxd").exists());
    for (file, sort, keep, expected) in [
        ("twice.csv", false, "first", "1.20000"),
        ("twice.csv", false, "last", "1.30000"),
        ("back.csv", true, "first", "1.20000"),
        ("back.csv", true, "last", "1.40000"),
    ] {
        let mut args = vec!["convert", file, "-", "--on-duplicate", keep, "--symbol", "S"];
        args.extend(sort.then_some("--sort"));
        let out = fx(&home, &args).ok().out;
        let at = if sort { "T00:02" } else { "T00:01" };
        let rows: Vec<_> = out.lines().filter(|line| line.contains(at)).collect();
        assert_eq!(rows.len(), 1, "{out}");
        assert!(rows[0].contains(expected), "{file} {keep}: {out}");
    }
    // A file that starts before the earlier one ended.
    home.put("1.csv", head.clone() + &row(5, "1.1"));
    home.put("0.csv", head + &row(4, "1.1"));
    let ran = fx(&home, &["convert", "1.csv", "0.csv", "o.fxd", "--symbol", "S"]);
    ran.fails(3, "0.csv: line 2: S: 2024-01-02T00:04:00Z steps back behind 2024-01-02T00:05:00Z at 1.csv: line 2");
    fx(&home, &["convert", "1.csv", "0.csv", "o.fxd", "--symbol", "S", "--sort"]).ok();
}

#[test]
fn what_is_appended_is_found_and_the_file_stays_sound() {
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..2, 1440));
    home.put("b.csv", HEADER.to_owned() + &minutes("A", 1..4, 1440) + &minutes("B", 0..1, 60));
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    let report = fx(&home, &["append", "--file", "s.fxd", "b.csv", "--json"]).ok().json();
    assert_eq!((&report["added"], &report["skipped"], &report["newSymbols"]), (&2940.into(), &1440.into(), &1.into()));
    assert!(report["blockBytes"].as_u64().unwrap() > 0 && report["otherBytes"].as_u64().unwrap() > 0, "{report}");
    let all = HEADER.to_owned() + &minutes("A", 0..4, 1440);
    let query = || fx(&home, &["query", "--file", "s.fxd", "--symbol", "A"]).ok().out;
    assert_eq!(query(), all);
    fx(&home, &["verify", "--file", "s.fxd", "--checksums"]).ok();
    let before = home.join("s.fxd").metadata().unwrap().len();
    fx(&home, &["compact", "--file", "s.fxd"]).ok();
    assert!(home.join("s.fxd").metadata().unwrap().len() < before);
    assert_eq!(query(), all);
    // What would change a bar is refused with its line, and nothing of its file is added.
    let changed = minutes("A", 5..6, 1) + "2024-01-01T00:00:00Z,A,9,9,9,9,9\n";
    home.put("c.csv", HEADER.to_owned() + &changed);
    fx(&home, &["append", "--file", "s.fxd", "c.csv"]).fails(3, "c.csv: line 3: A: 2024-01-01T00:00:00Z");
    assert_eq!(query(), all);
}

#[test]
fn a_query_takes_bounds_of_time_price_and_volume() {
    let home = Home::new();
    let rows = minutes("A", 0..3, 1440);
    home.put("a.csv", HEADER.to_owned() + &rows);
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    let query = |more: &[&str]| {
        let mut args = vec!["query", "--file", "s.fxd", "--symbol", "A"];
        args.extend(more);
        fx(&home, &args).ok().out
    };
    let expected = |pass: &dyn Fn(&[&str]) -> bool| {
        let kept = rows.lines().filter(|line| pass(&line.split(',').collect::<Vec<_>>()));
        HEADER.to_owned() + &kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let second = expected(&|row| row[0].starts_with("2024-01-02"));
    assert_eq!(query(&["--from", "2024-01-02", "--to", "2024-01-03"]), second);
    assert_eq!(query(&["--from", "1704153600000000000", "--to", "2024-01-03T01:00:00+01:00"]), second);
    let prices = expected(&|row| row[4] >= "1.05200" && row[3] <= "1.05500" && row[6] == "5");
    assert!(prices.lines().count() > 10);
    let bounds = ["--max-price", "1.055009", "--min-volume", "5", "--max-volume", "5.5"];
    assert_eq!(query(&[&["--min-price", "1.051995"][..], &bounds[..]].concat()), prices);
    assert_eq!(query(&["--min-volume", "5.1", "--max-volume", "5.9"]), HEADER);
    let json = query(&["--to", "2024-01-01T00:01:00Z", "--json"]);
    assert_eq!(json.lines().count(), 1);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["timestamp"], "2024-01-01T00:00:00Z");
    query(&["--format", "parquet", "--output", "q.parquet"]);
    assert_eq!(fx(&home, &["convert", "q.parquet", "-"]).ok().out, HEADER.to_owned() + &rows);
}

#[test]
fn flags_are_written_where_asked_for() {
    let home = Home::new();
    let csv = HEADER.trim_end().to_owned() + ",flags\n2024-01-01T00:00:00Z,A,1.00000,1.00000,1.00000,1.00000,3,5\n";
    home.put("a.csv", &csv);
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    fx(&home, &["convert", "s.fxd", "-"]).fails(1, "--flags");
    assert_eq!(fx(&home, &["convert", "s.fxd", "-", "--flags"]).ok().out, csv);
    assert_eq!(fx(&home, &["query", "--file", "s.fxd", "--symbol", "A"]).ok().out, csv);
}

#[test]
fn a_store_tells_what_it_holds() {
    let home = Home::new();
    home.put("dir/a.csv", HEADER.to_owned() + &minutes("A", 0..2, 1440));
    fx(&home, &["convert", "dir/a.csv", "s.fxd", "--created-at", "2024-05-01T00:00:00Z"]).ok();
    let inspect = |more: &[&str]| {
        let mut args = vec!["inspect", "--file", "s.fxd"];
        args.extend(more);
        fx(&home, &args).ok()
    };
    let text = inspect(&[]).out;
    for part in
        ["2024-05-01T00:00:00Z, 1 commit", "2880 in 1 block", "Source     a.csv", "Symbol     A, ", "times smaller"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json = inspect(&["--json"]).json();
    assert_eq!((&json["recordCount"], &json["info"]["priceScale"]), (&2880.into(), &5.into()));
    assert_eq!(json["symbols"][0]["first"], "2024-01-01T00:00:00Z");
    let parts = inspect(&["--json", "--header", "--index", "--blocks"]).json();
    assert_eq!((&parts["header"]["chained"], &parts["index"][0]["keys"]), (&true.into(), &1.into()));
    assert_eq!(parts["blocks"].as_array().unwrap().len(), 1);
    assert!(parts.get("symbols").is_none() && parts.get("recordCount").is_none());
    assert!(inspect(&["--index"]).out.starts_with("Node       level 0, byte "));
}

#[test]
fn a_damaged_store_is_told_of_and_repaired() {
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..3, 1440));
    fx(&home, &["convert", "a.csv", "s.fxd", "--block-records", "1440"]).ok();
    let blocks = fx(&home, &["inspect", "--file", "s.fxd", "--blocks", "--json"]).ok().json();
    let at = blocks["blocks"][1]["offset"].as_u64().unwrap();
    let mut bytes = std::fs::read(home.join("s.fxd")).unwrap();
    bytes[usize::try_from(at).unwrap() + 100] ^= 1;
    home.put("s.fxd", &bytes);
    let ran = fx(&home, &["verify", "--file", "s.fxd", "--checksums"]);
    // The checksum of the payload stands behind the 36 bytes of the block's header.
    let at = at + 36;
    ran.fails(3, &format!("s.fxd: byte {at}"));
    let json = fx(&home, &["verify", "--file", "s.fxd", "--checksums", "--json"]).json();
    assert_eq!((&json["sound"], &json["findings"][0]["offset"]), (&false.into(), &at.into()));
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "A"]).fails(3, "damaged");
    fx(&home, &["repair", "--file", "s.fxd", "--output", "r.fxd"]).ok();
    let expected = HEADER.to_owned() + &minutes("A", 0..1, 1440) + &minutes("A", 2..3, 1440);
    assert_eq!(fx(&home, &["query", "--file", "r.fxd", "--symbol", "A"]).ok().out, expected);
    fx(&home, &["repair", "--file", "s.fxd"]).ok();
    assert!(home.join("s.fxd.damaged").exists());
    fx(&home, &["verify", "--file", "s.fxd", "--checksums"]).ok();
}

#[test]
fn conflicts_of_an_append_are_named() {
    let home = Home::new();
    let row = |minute: u32, price: &str| format!("2024-01-02T00:{minute:02}:00Z,A,{price},{price},{price},{price},0\n");
    home.put("a.csv", HEADER.to_owned() + &row(0, "1.1"));
    home.put("other.csv", HEADER.to_owned() + &row(1, "1.1") + &row(0, "1.2"));
    home.put("twice.csv", HEADER.to_owned() + &row(5, "1.1") + &row(5, "1.2"));
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    let before = std::fs::read(home.join("s.fxd")).unwrap();
    fx(&home, &["append", "--file", "s.fxd", "other.csv"]).fails(
        3,
        "other.csv: line 3: A: 2024-01-02T00:00:00Z is in the store already, and there open is 1.10000, not 1.20000",
    );
    fx(&home, &["append", "--file", "s.fxd", "twice.csv"])
        .fails(3, "twice.csv: line 3: A: 2024-01-02T00:05:00Z is there already at twice.csv: line 2");
    assert_eq!(std::fs::read(home.join("s.fxd")).unwrap(), before);
    // Compacting twice changes nothing.
    fx(&home, &["compact", "--file", "s.fxd"]).ok();
    assert_eq!(std::fs::read(home.join("s.fxd")).unwrap(), before);
    let text = fx(&home, &["convert", "twice.csv", "t.fxd", "--on-duplicate", "last"]).ok().out;
    assert!(text.contains("Dropped    1 bar, duplicates"), "{text}");
    let json = fx(&home, &["convert", "twice.csv", "t.fxd", "--on-duplicate", "first", "--overwrite", "--json"]).ok();
    assert_eq!(json.json()["dropped"], 1);
}

/// Values beyond 32 bits and more decimals than usual need nothing but the newest version.
#[test]
fn any_values_and_as_many_decimals_as_the_data_has() {
    let home = Home::new();
    let rows = "2024-01-02T00:00:00Z,BTC,88829.5,90186.25,-3.125,88830,0.00000001\n\
                2024-01-02T00:01:00Z,BTC,88830,88830.0000001,88829,88830,123456789.5\n";
    home.put("b.csv", HEADER.to_owned() + rows);
    fx(&home, &["convert", "b.csv", "b.fxd"]).ok();
    let asked = fx(&home, &["query", "--file", "b.fxd", "--symbol", "BTC"]).ok().out;
    let expected = "2024-01-02T00:00:00Z,BTC,88829.5000000,90186.2500000,-3.1250000,88830.0000000,0.00000001\n\
                    2024-01-02T00:01:00Z,BTC,88830.0000000,88830.0000001,88829.0000000,88830.0000000,123456789.50000000\n";
    assert_eq!(asked, HEADER.to_owned() + expected);
    fx(&home, &["verify", "--file", "b.fxd", "--checksums"]).ok();
    fx(&home, &["convert", "b.csv", "o.fxd", "--format-version", "1"]).fails(3, "line 2");
    fx(&home, &["convert", "b.csv", "o.fxd", "--price-scale", "2"]).fails(3, "2 decimals at most");
    fx(&home, &["convert", "b.csv", "-"]).fails(3, "expected a whole volume");
    fx(&home, &["upgrade", "--file", "b.fxd", "--format-version", "2"]).fails(1, "does not fit");
    // There and back through every version.
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..2, 1440));
    fx(&home, &["convert", "a.csv", "a.fxd", "--format-version", "1"]).ok();
    for version in ["2", "3", "1", "3"] {
        fx(&home, &["upgrade", "--file", "a.fxd", "--format-version", version]).ok();
        let json = fx(&home, &["inspect", "--file", "a.fxd", "--json"]).json();
        assert_eq!(json["version"].to_string(), version);
        assert_eq!(
            fx(&home, &["query", "--file", "a.fxd", "--symbol", "A"]).ok().out,
            std::fs::read_to_string(home.join("a.csv")).unwrap()
        );
    }
    // What a bar is sorted by is not limited either.
    home.put("c.csv", HEADER.to_owned() + &rows.lines().rev().map(|line| format!("{line}\n")).collect::<String>());
    fx(&home, &["convert", "c.csv", "c.fxd", "--sort"]).ok();
    assert_eq!(fx(&home, &["query", "--file", "c.fxd", "--symbol", "BTC"]).ok().out, HEADER.to_owned() + expected);
}

#[test]
fn series_are_rolled_up_and_stay_right() {
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..1, 600));
    home.put("b.csv", HEADER.to_owned() + &minutes("A", 0..2, 700) + &minutes("B", 0..1, 90));
    fx(&home, &["convert", "a.csv", "s.fxd", "--rollups", "5m,1h"]).ok();
    fx(&home, &["append", "--file", "s.fxd", "b.csv"]).ok();
    fx(&home, &["convert", "b.csv", "plain.fxd", "--format-version", "1"]).ok();
    for interval in ["5m", "15m", "1h", "7m", "1d"] {
        let of = |file: &str| fx(&home, &["query", "--file", file, "--symbol", "A", "--interval", interval]).ok().out;
        let (ours, plain) = (of("s.fxd"), of("plain.fxd"));
        assert!(ours.lines().count() > 2 && ours == plain, "{interval}: {ours} {plain}");
    }
    let series = fx(&home, &["query", "--file", "s.fxd", "--symbol", "A@1h", "--from", "2024-01-02"]).ok().out;
    assert!(series.lines().nth(1).is_some_and(|line| line.starts_with("2024-01-02T00:00:00Z,A@1h,")), "{series}");
    // What comes out is what went in.
    assert_eq!(fx(&home, &["convert", "s.fxd", "-"]).ok().out, std::fs::read_to_string(home.join("b.csv")).unwrap());
    let text = fx(&home, &["verify", "--file", "s.fxd", "--checksums"]).ok().out;
    assert!(text.contains("1490 bars of 2 symbols, with 4 series of longer intervals"), "{text}");
    let json = fx(&home, &["inspect", "--file", "s.fxd", "--json"]).json();
    assert_eq!((&json["version"], &json["symbolCount"], &json["seriesCount"]), (&4.into(), &2.into(), &4.into()));
    fx(&home, &["upgrade", "--file", "s.fxd"]).ok();
    assert_eq!(fx(&home, &["inspect", "--file", "s.fxd", "--json"]).json()["seriesCount"], 4);
    fx(&home, &["upgrade", "--file", "s.fxd", "--rollups", "1d"]).ok();
    assert_eq!(fx(&home, &["inspect", "--file", "s.fxd", "--json"]).json()["seriesCount"], 2);
    fx(&home, &["upgrade", "--file", "s.fxd", "--format-version", "3"]).ok();
    assert_eq!(fx(&home, &["inspect", "--file", "s.fxd", "--json"]).json()["seriesCount"], 0);
}

#[test]
fn names_say_kinds_and_links_stay() {
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..1, 9));
    // Options may stand anywhere.
    fx(&home, &["convert", "a.csv", "--block-records", "9", "real.fxd"]).ok();
    let asked = ["query", "--file", "real.fxd", "--symbol", "A", "-o"];
    fx(&home, &[asked.as_slice(), &["out.parquet"]].concat()).ok();
    assert!(std::fs::read(home.join("out.parquet")).unwrap().starts_with(b"PAR1"));
    fx(&home, &[asked.as_slice(), &["out.jsonl"]].concat()).ok();
    assert!(std::fs::read(home.join("out.jsonl")).unwrap().starts_with(b"{"));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("real.fxd", home.join("link.fxd")).unwrap();
        let before = std::fs::read(home.join("real.fxd")).unwrap();
        fx(&home, &["compact", "--file", "link.fxd", "--block-records", "4"]).ok();
        assert!(home.join("link.fxd").is_symlink());
        assert_ne!(std::fs::read(home.join("real.fxd")).unwrap(), before);
        std::os::unix::fs::symlink("out.jsonl", home.join("link.csv")).unwrap();
        fx(&home, &[asked.as_slice(), &["link.csv", "--overwrite"]].concat()).ok();
        assert!(home.join("link.csv").is_symlink());
        assert!(std::fs::read(home.join("out.jsonl")).unwrap().starts_with(b"timestamp"));
    }
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let home = Home::new();
    home.put("a.csv", HEADER.to_owned() + &minutes("A", 0..1, 9));
    home.put("local.csv", "20240102 000000;1.1;1.1;1.1;1.1;0\n");
    home.put("bad.csv", HEADER.to_owned() + "2024-01-01T00:00:00Z,A,1,1,1,x,0\n");
    home.put("not.fxd", "nothing of the kind, but long enough that it could be a header of 64 bytes in all");
    fx(&home, &["convert", "a.csv", "s.fxd"]).ok();
    fx(&home, &["convert", "a.csv", "s.fxd"]).fails(1, "--overwrite");
    fx(&home, &["convert", "a.csv", "s.fxd", "--overwrite"]).ok();
    fx(&home, &["convert", "a.csv", "v.fxd", "--format-version", "4"]).fails(2, "--rollups");
    fx(&home, &["convert", "a.csv", "v.fxd", "--format-version", "3", "--rollups", "5m"]).fails(2, "version 4");
    fx(&home, &["convert", "a.csv", "v.fxd", "--rollups", "5x"]).fails(2, "no interval");
    fx(&home, &["convert", "a.csv", "v.fxd", "--rollups", "5m,5min"]).fails(2, "twice");
    fx(&home, &["convert", "a.csv", "v.csv", "--rollups", "5m"]).fails(2, "for stores");
    fx(&home, &["verify", "--file", "."]).fails(3, "not a regular file");
    fx(&home, &["convert", "a.csv", "v.fxd", "--format-version", "5"]).fails(2, "expected 1, 2, 3 or 4");
    fx(&home, &["convert", "a.csv", "v.fxd", "--level", "9"]).fails(2, "for versions 1 and 2");
    fx(&home, &["convert", "a.csv", "v.fxd", "--dictionary"]).fails(2, "for versions 1 and 2");
    fx(&home, &["convert", "a.csv", "v.xlsx"]).fails(2, "--to");
    fx(&home, &["convert", "a.csv", "-", "--to", "fxd"]).fails(2, "standard output");
    fx(&home, &["convert", "a.csv", "v.fxd", "--level", "99"]).fails(2, "-7 to 22");
    fx(&home, &["convert", "local.csv", "v.fxd"]).fails(2, "--tz");
    fx(&home, &["convert", "local.csv", "-", "--tz", "-05:00"]).ok();
    fx(&home, &["convert", "bad.csv", "v.fxd"]).fails(3, "line 2");
    fx(&home, &["convert", "none.csv", "v.fxd"]).fails(4, "none.csv");
    fx(&home, &["query", "--file", "none.fxd", "--symbol", "A"]).fails(4, "none.fxd");
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "C"]).fails(4, "it has A");
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "A", "--interval", "5"]).fails(2, "no interval");
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "A", "--from", "01/02/2024"]).fails(2, "expected a time");
    let asked = ["query", "--file", "s.fxd", "--symbol", "A"];
    for (options, why) in [
        (["--from", "2024-01-02", "--to", "2024-01-01"], "--from is later"),
        (["--min-price", "1.2", "--max-price", "1.1"], "--min-price is above"),
        (["--min-volume", "2", "--max-volume", "1"], "--min-volume is above"),
    ] {
        fx(&home, &[asked.as_slice(), options.as_slice()].concat()).fails(2, why);
    }
    fx(&home, &["convert", "v.fxd"]).fails(2, "an input and an output");
    let long = "A-NAME-THAT-IS-LONGER-THAN-A-STORE-TAKES";
    home.put(
        "long.csv",
        HEADER.to_owned() + &format!("2024-01-01T00:00:00Z,A,1,1,1,1,0\n2024-01-01T00:00:00Z,{long},1,1,1,1,0\n"),
    );
    fx(&home, &["convert", "long.csv", "v.fxd"]).fails(3, "line 3");
    fx(&home, &["convert", "a.csv", "none/v.fxd"]).fails(4, "no such directory");
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "A", "-o", "q.csv.gz"]).fails(2, "--format");
    assert!(fx(&home, &["query", "--file", "s.fxd", "--symbol", "A", "-o", "-"]).ok().out.starts_with("timestamp"));
    fx(&home, &["query", "--file", "s.fxd", "--symbol", "A", "-o", "none/q.csv"]).fails(4, "none");
    fx(&home, &["convert", "a.csv", "v.fxd", "--symbol", ""]).fails(2, "--symbol");
    fx(&home, &["convert", "a.csv", "v.fxd", "--symbol", long]).fails(2, "--symbol");
    for command in ["inspect", "verify", "compact"] {
        fx(&home, &[command, "--file", "not.fxd"]).fails(3, "not an fxd file");
        fx(&home, &[command, "--file", "none.fxd"]).fails(4, "none.fxd");
    }
    let json = fx(&home, &["inspect", "--file", "none.fxd", "--json"]).json();
    assert_eq!(json["error"]["exitCode"], 4);
    assert!(!home.join("v.fxd").exists());
    assert!(Path::new(&home.join("s.fxd")).exists());
}
