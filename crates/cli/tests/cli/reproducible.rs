//! The same input and options: the same bytes.

use std::path::Path;

use crate::support::{Home, Ran, program, sample_data, trades};

fn digest(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn t079_threads_time_zone_umask_and_order_do_not_matter() {
    let home = Home::new();
    // A member of several segments beside many small ones.
    let large = trades("BIG", "2024-01-03", 70_000);
    assert!(large.len() > 9 << 20);
    let names: Vec<(String, String)> = (0..20)
        .map(|i| (format!("S{i:02}/Trade/2024-01-03.jsonl"), trades(&format!("S{i:02}"), "2024-01-03", 10 * i + 1)))
        .collect();
    home.put("a/BIG/Trade/2024-01-03.jsonl", &large);
    names.iter().for_each(|(name, text)| drop(home.put(&format!("a/{name}"), text)));
    names.iter().rev().for_each(|(name, text)| drop(home.put(&format!("b/{name}"), text)));
    home.put("b/BIG/Trade/2024-01-03.jsonl", &large);

    let mut made = Vec::new();
    for (i, (root, threads, zone)) in
        [("a", "1", "UTC"), ("a", "2", "Asia/Tokyo"), ("b", "5", "America/St_Johns"), ("b", "0", "UTC")]
            .into_iter()
            .enumerate()
    {
        let output = format!("out{i}");
        let args = ["create", "--data-root", root, "--output", &output, "--name", "x", "--threads", threads, "--quiet"];
        let ran = home.command(&args).env("SOURCE_DATE_EPOCH", "1704283200").env("TZ", zone).output().unwrap();
        let ran = Ran::of(ran).ok();
        assert_eq!(ran.out.trim(), format!("{output}/x_20240103_120000.zip"));
        made.push(digest(&home.join(ran.out.trim())));
    }
    if let Some(shell) = program("sh") {
        let line = "umask 077; exec \"$0\" create --data-root a --output masked --name x --quiet";
        let mut command = std::process::Command::new(shell);
        command.arg("-c").arg(line).arg(env!("CARGO_BIN_EXE_pdp")).current_dir(home.path());
        Ran::of(command.env("SOURCE_DATE_EPOCH", "1704283200").output().unwrap()).ok();
        made.push(digest(&home.join("masked/x_20240103_120000.zip")));
    }
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]));

    let mut made = Vec::new();
    for (root, threads, zone) in [("a", "1", "UTC"), ("a", "2", "Asia/Tokyo"), ("b", "5", "UTC")] {
        let args = ["create", "--data-root", root, "--output", threads, "--name", "x", "--threads", threads, "--quiet"];
        let mut command = home.command(&args);
        command.args(["--format", "tar.gz"]).env("SOURCE_DATE_EPOCH", "1704283200").env("TZ", zone);
        let ran = Ran::of(command.output().unwrap()).ok();
        assert_eq!(ran.out.trim(), format!("{threads}/x_20240103_120000.tar.gz"));
        made.push(digest(&home.join(ran.out.trim())));
    }
    assert!(made.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn the_options_time_wins_over_the_environments() {
    let home = Home::new();
    let sample = sample_data();
    let args = ["create", "--data-root", &sample, "--created-at", "2025-06-07T08:09:10Z", "--quiet", "--name", "n"];
    let ran = home.command(&args).env("SOURCE_DATE_EPOCH", "1704283200").output().unwrap();
    assert_eq!(Ran::of(ran).ok().out.trim(), "packages/n_20250607_080910.zip");
    let ran = home.command(&args[..3]).env("SOURCE_DATE_EPOCH", "yesterday").output().unwrap();
    Ran::of(ran).fails(2, "SOURCE_DATE_EPOCH");
}

#[test]
fn the_same_package_again_is_left_alone_and_another_is_not_overwritten() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 3));
    let args = ["create", "--created-at", "2024-01-03T12:00:00Z", "--name", "n"];
    home.pdp(&args).ok();
    let first = digest(&home.join("packages/n_20240103_120000.zip"));
    home.pdp(&args).ok();
    home.put("data/AAPL/Trade/2024-01-04.jsonl", trades("AAPL", "2024-01-04", 3));
    home.pdp(&args).fails(1, "exists already and holds something else");
    assert_eq!(digest(&home.join("packages/n_20240103_120000.zip")), first);
    home.pdp(&[&args[..], &["--overwrite"]].concat()).ok();
    assert_ne!(digest(&home.join("packages/n_20240103_120000.zip")), first);
    assert_eq!(home.files("packages").len(), 2, "the package and its sidecar");
    // Without a given time, two packages within a second get two names.
    let names: Vec<_> = (0..3).map(|_| home.create(&["--name", "now"])).collect();
    assert!(names[0] != names[1] && names[1] != names[2]);
}
