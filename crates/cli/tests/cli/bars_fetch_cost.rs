//! `pdp bars fetch` against a local server: what is bought, and for how much.

use pdp_databento_server::{Effect, Fault};

use crate::bars_fetch::{AAPL, bars, bought, server};
use crate::support::Home;

#[test]
fn nothing_is_bought_that_costs_too_much_or_makes_no_sense() {
    let (home, server) = (Home::new(), server());
    let plan = bars(&home, &server, &[AAPL.as_slice(), &["--dry-run"]].concat()).ok();
    assert!(plan.out.contains("3 of 3 months to buy"), "{}", plan.out);
    let plan = bars(&home, &server, &[AAPL.as_slice(), &["--dry-run", "--json"]].concat()).ok().json();
    let (bytes, bars_) = (&plan["months"][0]["bytes"], &plan["months"][0]["bars"]);
    assert_eq!(bytes.as_u64().unwrap(), 56 * bars_.as_u64().unwrap());
    assert!(plan["cost"].as_f64().unwrap() > 0.0);
    bars(&home, &server, &[AAPL.as_slice(), &["--max-cost", "0.00001"]].concat()).fails(1, "nothing was bought");
    assert!(bought(&server).is_empty());
    assert!(home.files("data").is_empty());
    bars(&home, &server, &[AAPL.as_slice(), &["--max-cost", "5"]].concat()).ok();
    let with = |name: &str, value: &str| {
        let mut args: Vec<&str> = AAPL.to_vec();
        match args.iter().position(|arg| *arg == name) {
            Some(at) => args[at + 1] = value,
            None => args.extend([name, value]),
        }
        bars(&home, &server, &args)
    };
    with("--symbol", "NOPE").fails(4, "has no raw_symbol \"NOPE\"");
    with("--symbol", "ALL_SYMBOLS").fails(2, "fetch symbols one by one");
    with("--symbol", "../x").fails(2, "expected a name");
    with("--dataset", "NO.SUCH").fails(2, "NO.SUCH");
    with("--schema", "trades").fails(2, "expected one of bars");
    // A schema that ends earlier than the dataset.
    let days = with("--schema", "ohlcv-1d").ok();
    assert!(days.err.contains("has ohlcv-1d up to 2024-03-30"), "{}", days.err);
    with("--end", "2023-12-31").fails(2, "is not before");
    with("--start", "2019-01-01").fails(2, "has ohlcv-1s from");
    with("--start", "yesterday").fails(2, "expected a day");
    let late = with("--end", "2024-05-31").ok();
    assert!(late.err.contains("WARNING: XNAS.ITCH has ohlcv-1s up to 2024-04-01"), "{}", late.err);
    // Files that were not fetched are not overwritten, unless one says so.
    home.put("own/AAPL/AAPL_2024_01.csv", "mine");
    let own = [AAPL.as_slice(), &["--output-dir", "own"]].concat();
    bars(&home, &server, &own).fails(2, "it was not fetched");
    bars(&home, &server, &[own.as_slice(), &["--replace"]].concat()).ok();
    home.put("imported/AAPL/import.json", "{}");
    bars(&home, &server, &[AAPL.as_slice(), &["--output-dir", "imported"]].concat())
        .fails(2, "bars that were imported");
    // A directory of one thing is not one of another.
    let other = ["--output-dir", "data/raw_1s", "--schema", "ohlcv-1d"];
    bars(&home, &server, &[AAPL.as_slice(), &other].concat()).fails(2, "it holds XNAS.ITCH ohlcv-1s");
    home.put("data/raw_1s/AAPL/fetch.json", "{");
    bars(&home, &server, &AAPL).fails(3, "mend it, or delete it and fetch with --replace");
}

/// Wrong answers were paid for: they are not asked for again and again.
#[test]
fn wrong_answers_are_bought_three_times_at_most() {
    let (home, server) = (Home::new(), server());
    server.faults().push(Fault::new(Effect::OtherSymbol).always());
    let january =
        ["fetch", "--symbol", "AAPL", "--dataset", "XNAS.ITCH", "--start", "2024-01-01", "--end", "2024-01-31"];
    bars(&home, &server, &january).fails(1, "which was not asked for");
    assert_eq!(bought(&server).len(), 3);
    // What is known of the symbol and its days is there all the same.
    assert!(home.files("data/raw_1s/AAPL").contains(&"symbology.json".to_owned()));
}

/// What is bought again because it came wrong does not cost more than is allowed.
#[test]
fn wrong_answers_are_bought_within_the_limit() {
    for (most, times) in [("0.032", 3), ("0.045", 4), ("1", 9)] {
        let (home, server) = (Home::new(), server());
        server.faults().push(Fault::new(Effect::Truncated).always());
        let limited = [AAPL.as_slice(), &["--max-cost", most, "--jobs", "1"]].concat();
        let plan = bars(&home, &server, &[limited.as_slice(), &["--dry-run", "--json"]].concat()).ok().json();
        let dear = plan["months"].as_array().unwrap().iter().map(|month| month["cost"].as_f64().unwrap());
        let ran = bars(&home, &server, &limited);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(times == 9 || ran.err.contains(&format!("could cost more than {most} US dollars")), "{ran:?}");
        let spent = bought(&server).iter().map(|_| dear.clone().fold(0.0, f64::max)).sum::<f64>();
        assert!(bought(&server).len() <= times && spent <= 1.3 * most.parse::<f64>().unwrap(), "{most}: {spent}");
    }
}
