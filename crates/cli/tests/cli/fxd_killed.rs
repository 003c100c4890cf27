//! A killed append leaves every committed row, and nothing of its own.

use std::time::{Duration, Instant};

use crate::fxd::{HEADER, fx, fx_command, minutes};
use crate::support::{Home, tell};

#[test]
fn what_was_committed_outlives_thirty_kills() {
    let home = Home::new();
    let rows =
        |round: u32| (0..40).map(|symbol| minutes(&format!("S{symbol}R{round}"), 0..4, 1440)).collect::<String>();
    home.put("first.csv", HEADER.to_owned() + &minutes("BASE", 0..5, 1440));
    fx(&home, &["convert", "first.csv", "s.fxd"]).ok();
    home.put("timed.csv", HEADER.to_owned() + &rows(99));
    std::fs::copy(home.join("s.fxd"), home.join("t.fxd")).unwrap();
    let started = Instant::now();
    fx(&home, &["append", "--file", "t.fxd", "timed.csv"]).ok();
    let takes = started.elapsed();
    // A cheap generator of moments; which ones does not matter.
    let mut seed = 0x2545_F491_u32;
    let mut expected: u64 = 5 * 1440;
    let (mut killed, mut committed) = (0, 0);
    for round in 0..30 {
        home.put("more.csv", HEADER.to_owned() + &rows(round));
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let moment = takes.mul_f64(f64::from(seed >> 8) / f64::from(1 << 24) * 1.15) + Duration::from_micros(200);
        let mut child = fx_command(&home, &["append", "--file", "s.fxd", "more.csv", "--quiet"]).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        let done = child.wait().unwrap().success();
        killed += u32::from(!done);
        let verified = fx(&home, &["verify", "--file", "s.fxd", "--checksums", "--json"]).ok().json();
        let records = verified["records"].as_u64().unwrap();
        // All of a commit or nothing; one that was reported is there. One may be there whose report was cut short.
        let whole = 40 * 4 * 1440;
        assert!(records == expected + whole || (!done && records == expected), "{records}, {expected} were committed");
        committed += u32::from(records > expected);
        expected = records;
    }
    tell(&format!("killed {killed} of 30 appends; {committed} commits are there, with {expected} bars in all"));
    assert!(killed > 0);
    // And the next append goes on as if nothing had been.
    home.put("last.csv", HEADER.to_owned() + &minutes("BASE", 4..7, 1440));
    fx(&home, &["append", "--file", "s.fxd", "last.csv"]).ok();
    let out = fx(&home, &["query", "--file", "s.fxd", "--symbol", "BASE"]).ok().out;
    assert_eq!(out, HEADER.to_owned() + &minutes("BASE", 0..7, 1440));
}
