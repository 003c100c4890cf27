//! A killed or interrupted process leaves nothing half-made.

use std::time::Instant;

use crate::support::{Home, files, trades};

/// A data root that takes long enough to pack and import that a signal arrives in between.
fn data(home: &Home) {
    for i in 0..40 {
        let symbol = format!("S{i:02}");
        home.put(&format!("data/{symbol}/Trade/2024-01-03.jsonl"), trades(&symbol, "2024-01-03", 4000));
    }
}

#[test]
fn a_killed_import_leaves_all_or_nothing() {
    let home = Home::new();
    data(&home);
    let package = home.create(&[]);
    let package = package.to_str().unwrap();
    home.pdp(&["import", package, "--destination", "whole"]).ok();
    let whole = home.files("whole");
    let started = Instant::now();
    home.pdp(&["import", package, "--destination", "timed"]).ok();
    let takes = started.elapsed();
    let (mut before, mut after) = (0, 0);
    for i in 0..20_u32 {
        let there = format!("there{i}");
        let mut child = home.command(&["import", package, "--destination", &there, "--quiet"]).spawn().unwrap();
        std::thread::sleep(takes * i / 16);
        child.kill().unwrap();
        child.wait().unwrap();
        if home.join(&there).exists() {
            assert_eq!(home.files(&there), whole, "killed after {:?}", takes * i / 16);
            after += 1;
        } else {
            before += 1;
        }
    }
    assert!(before > 0, "no import was killed before it was done; {after} were done");
    // The next import sweeps what the killed ones staged.
    home.pdp(&["import", package, "--destination", "last"]).ok();
    let left: Vec<_> = files(home.path()).into_iter().filter(|name| name.contains(".partial")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_killed_import_into_a_full_destination_is_completed_or_undone_by_the_next() {
    let home = Home::new();
    data(&home);
    let package = home.create(&[]);
    let package = package.to_str().unwrap();
    home.pdp(&["import", package, "--destination", "whole"]).ok();
    let mut whole = home.files("whole");
    whole.push("mine.txt".to_owned());
    whole.sort();
    let started = Instant::now();
    home.put("timed/mine.txt", "mine");
    home.pdp(&["import", package, "--destination", "timed"]).ok();
    let takes = started.elapsed();
    for i in 0..12_u32 {
        let there = format!("there{i}");
        home.put(&format!("{there}/mine.txt"), "mine");
        let mut child = home.command(&["import", package, "--destination", &there, "--quiet"]).spawn().unwrap();
        std::thread::sleep(takes * i / 10);
        child.kill().unwrap();
        child.wait().unwrap();
        home.pdp(&["import", package, "--destination", &there]).ok();
        assert_eq!(home.files(&there), whole, "killed after {:?}", takes * i / 10);
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_create_leaves_nothing_and_says_130() {
    let home = Home::new();
    data(&home);
    let started = Instant::now();
    home.pdp(&["create", "--name", "timed"]).ok();
    let takes = started.elapsed();
    let mut interrupted = 0;
    for i in 1..8_u32 {
        let output = format!("out{i}");
        let mut child = home.command(&["create", "--output", &output, "--quiet"]).spawn().unwrap();
        std::thread::sleep(takes * i / 10);
        let signal = if i % 2 == 0 { "-INT" } else { "-TERM" };
        let kill = std::process::Command::new("kill").arg(signal).arg(child.id().to_string()).status();
        assert!(kill.is_ok());
        let status = child.wait().unwrap();
        if status.success() {
            continue;
        }
        interrupted += 1;
        let left = home.files(&output);
        assert!(left.is_empty(), "after {:?}: {left:?}", takes * i / 10);
        // Before the handler is in place the signal itself ends the program.
        assert!(matches!(status.code(), Some(130) | None), "{status}");
    }
    assert!(interrupted > 0);
}
