//! Packages in parts, and signed packages.

use std::path::PathBuf;
use std::process::Command;

use crate::support::{Home, Ran, files, program, trades};

/// A data root of some megabytes that hardly compress.
fn large_root(home: &Home) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for day in 1..=12 {
        let lines: String = (0..20_000)
            .map(|i| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                format!("{{\"timestamp\":\"2024-01-{day:02}T10:00:00Z\",\"symbol\":\"AAPL\",\"type\":\"Trade\",\"sequence\":{i},\"id\":\"{state:016x}\"}}\n")
            })
            .collect();
        home.put(&format!("data/AAPL/Trade/2024-01-{day:02}.jsonl"), lines);
    }
}

fn parts(home: &Home, extra: &[&str]) -> Vec<PathBuf> {
    let args = [&["create", "--json", "--max-size", "1MiB"], extra].concat();
    let report = home.pdp(&args).ok().json();
    report["parts"].as_array().unwrap().iter().map(|path| home.path().join(path.as_str().unwrap())).collect()
}

fn shown(paths: &[PathBuf]) -> Vec<&str> {
    paths.iter().map(|path| path.to_str().unwrap()).collect()
}

#[test]
fn t080_parts_are_packages_and_a_set() {
    for format in ["zip", "tar.gz"] {
        let home = Home::new();
        large_root(&home);
        let parts = parts(&home, &["--format", format, "--name", "p"]);
        assert!(parts.len() > 2, "{parts:?}");
        for (number, part) in (1..).zip(&parts) {
            assert!(part.metadata().unwrap().len() <= 1 << 20);
            let name = part.file_name().unwrap().to_str().unwrap();
            assert!(name.ends_with(&format!(".part{number}of{}.{format}", parts.len())), "{name}");
            if let Some(sha256sum) = program("sha256sum") {
                let mut command = Command::new(sha256sum);
                Ran::of(
                    command
                        .args(["-c", &format!("{name}.sha256")])
                        .current_dir(part.parent().unwrap())
                        .output()
                        .unwrap(),
                )
                .ok();
            }
        }
        // In any order; one part brings the others beside it.
        let mut reversed = shown(&parts);
        reversed.reverse();
        let ran = home.pdp(&[&["validate"], &reversed[..]].concat()).ok();
        assert!(ran.out.contains(&format!("a whole package in {} parts", parts.len())), "{}", ran.out);
        home.pdp(&["validate", reversed[0]]).ok();
        home.pdp(&[&["import", "--destination", "whole"], &reversed[..]].concat()).ok();
        for name in home.files("data") {
            let original = std::fs::read(home.join("data").join(&name)).unwrap();
            let place = format!("whole/data/{0}/AAPL/Trade/{0}.jsonl", &name[11..21]);
            assert!(std::fs::read(home.join(&place)).unwrap() == original, "{place}");
        }
        let before = files(&home.join("whole"));
        let again = home.pdp(&["import", "--destination", "whole", "--json", reversed[1]]).ok().json();
        assert_eq!((&again["added"], &again["bytesWritten"]), (&0.into(), &0.into()));
        assert_eq!(files(&home.join("whole")), before);

        // Names do not count, not even to find the others.
        let renamed = home.join("renamed");
        std::fs::create_dir(&renamed).unwrap();
        let other_names: Vec<PathBuf> =
            (0..parts.len()).map(|i| renamed.join(format!("x{}.{format}", (i + 1) % parts.len()))).collect();
        for (from, to) in parts.iter().zip(&other_names) {
            std::fs::copy(from, to).unwrap();
        }
        home.pdp(&["validate", other_names[0].to_str().unwrap()]).ok();
        for (at, part) in parts.iter().enumerate() {
            let name = parts[(at + 1) % parts.len()].file_name().unwrap();
            std::fs::rename(&other_names[at], renamed.join(name)).unwrap();
            assert!(part.exists());
        }
        let swapped = renamed.join(parts[0].file_name().unwrap());
        home.pdp(&["validate", swapped.to_str().unwrap()]).ok();

        // Missing, twice, foreign.
        let apart = home.join("apart");
        std::fs::create_dir(&apart).unwrap();
        let moved: Vec<PathBuf> = parts.iter().map(|part| apart.join(part.file_name().unwrap())).collect();
        for (from, to) in parts.iter().zip(&moved).skip(1) {
            std::fs::copy(from, to).unwrap();
        }
        let (moved, whole) = (shown(&moved), shown(&parts));
        home.pdp(&["validate", moved[1]]).fails(3, "part 1 is missing");
        home.pdp(&["import", "--destination", "none", moved[1]]).fails(3, "part 1 is missing");
        home.pdp(&[&["validate", moved[1]], &whole[..]].concat()).fails(3, "part 2 is both");
        home.put("other/MSFT/Trade/2024-01-03.jsonl", trades("MSFT", "2024-01-03", 9));
        let other = home.create(&["--data-root", "other", "--name", "other"]);
        home.pdp(&[&["validate", other.to_str().unwrap()], &whole[..]].concat()).fails(3, "of another");
        let more = home.create(&["--data-root", "other", "--name", "more"]);
        let two = [other.to_str().unwrap(), more.to_str().unwrap()];
        assert!(home.pdp(&[&["validate"], &two[..]].concat()).ok().out.contains("VALID              2 packages"));
        home.pdp(&[&["import", "--destination", "none"], &two[..]].concat()).fails(2, "one after the other");
        home.pdp(&[&["import", "--destination", "none", other.to_str().unwrap()], &whole[..]].concat())
            .fails(3, "of another");
        assert!(!home.join("none").exists());
        // One damaged part spoils the set: nothing of the others is imported.
        let mut bytes = std::fs::read(&parts[1]).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&parts[1], bytes).unwrap();
        home.pdp(&[&["import", "--destination", "none"], &whole[..]].concat()).fails(3, "");
        assert!(!home.join("none").exists());
        let cut = std::fs::read(&parts[1]).unwrap();
        std::fs::write(&parts[1], &cut[..cut.len() - 9]).unwrap();
        let name = parts[1].file_name().unwrap().to_str().unwrap();
        home.pdp(&[&["validate"], &whole[..]].concat()).fails(3, name);
    }
}

#[test]
fn sizes_that_make_no_sense_are_said() {
    let home = Home::new();
    large_root(&home);
    home.pdp(&["create", "--max-size", "1000"]).fails(2, "at least 1048576");
    home.pdp(&["create", "--max-size", "many"]).fails(2, "500MB");
    let whole: String = (1..=12)
        .map(|day| std::fs::read_to_string(home.join(&format!("data/AAPL/Trade/2024-01-{day:02}.jsonl"))).unwrap())
        .collect();
    home.put("one/AAPL/Trade/2024-01-01.jsonl", whole);
    home.pdp(&["create", "--data-root", "one", "--max-size", "1MiB"]).fails(2, "alone makes a part");
    assert_eq!(home.files("packages"), Vec::<String>::new());
    // What fits is one package under its usual name.
    let report = home.pdp(&["create", "--max-size", "1GB", "--json", "--name", "n"]).ok().json();
    assert_eq!(report["parts"], serde_json::json!([]));
    assert!(!report["packagePath"].as_str().unwrap().contains("part"));
}

#[test]
fn t078_signatures_tell_missing_other_key_and_changed_apart() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 50));
    home.pdp(&["keygen"]).fails(2, "PDP_KEY_PASSWORD");
    home.pdp(&["keygen", "--no-password"]).ok();
    home.pdp(&["keygen", "--no-password"]).fails(2, "pdp.key");
    home.pdp(&["keygen", "--no-password", "--secret-key", "b.key", "--public-key", "b.pub"]).ok();
    for format in ["zip", "tar.gz", "folder"] {
        let time = ["--created-at", "2024-05-06T07:08:09Z", "--format", format, "--name", format];
        let package = home.create(&[&time[..], &["--sign", "pdp.key"]].concat());
        let shown = package.to_str().unwrap();
        let signature = PathBuf::from(format!("{shown}.minisig"));
        let first = std::fs::read(&signature).unwrap();
        let ran = home.pdp(&["validate", shown, "--public-key", "pdp.pub"]).ok();
        assert!(ran.out.contains("signature          by key"), "{}", ran.out);
        home.pdp(&["import", shown, "--public-key", "pdp.pub", "--destination", format]).ok();
        home.pdp(&["validate", shown, "--public-key", "b.pub"]).fails(3, "signature key");
        home.pdp(&["import", shown, "--public-key", "b.pub", "--destination", "none"]).fails(3, "signature key");
        // The same package and key: the same signature.
        if format != "folder" {
            home.create(&[&time[..], &["--sign", "pdp.key"]].concat());
            assert_eq!(std::fs::read(&signature).unwrap(), first);
        }
        // Minisign itself checks it over the listing.
        let listing = home.pdp(&["list", "--checksums", shown]).ok().out;
        home.put("listing", &listing);
        if let Some(minisign) = program("minisign") {
            let mut command = Command::new(minisign);
            command.args(["-Vm", "listing", "-p", "pdp.pub", "-x"]).arg(&signature).current_dir(home.path());
            let ran = Ran::of(command.output().unwrap()).ok();
            assert!(ran.out.contains("Signature and comment signature verified"), "{}", ran.out);
        }
        if let Some(sha256sum) = program("sha256sum") {
            let mut command = Command::new(sha256sum);
            Ran::of(command.args(["-c", "../listing"]).current_dir(home.join(format)).output().unwrap()).ok();
        }
        // A listing that was signed for something else.
        let text = String::from_utf8(first.clone()).unwrap();
        let other = home.create(&[
            "--name",
            "other",
            "--created-at",
            "2024-05-06T07:08:10Z",
            "--sign",
            "pdp.key",
            "--description",
            "x",
            "--format",
            format,
        ]);
        let foreign = std::fs::read(format!("{}.minisig", other.display())).unwrap();
        std::fs::write(&signature, foreign).unwrap();
        home.pdp(&["validate", shown, "--public-key", "pdp.pub"]).fails(3, "signed something else");
        std::fs::write(&signature, text.replace("timestamp:", "timestamq:")).unwrap();
        home.pdp(&["validate", shown, "--public-key", "pdp.pub"]).fails(3, "signature comment");
        std::fs::write(&signature, "not a signature\n").unwrap();
        home.pdp(&["validate", shown, "--public-key", "pdp.pub"]).fails(3, "signature form");
        std::fs::remove_file(&signature).unwrap();
        home.pdp(&["validate", shown, "--public-key", "pdp.pub"]).fails(3, "signature missing");
        home.pdp(&["import", shown, "--public-key", "pdp.pub", "--destination", "none"]).fails(3, "signature missing");
        assert!(!home.join("none").exists());
        home.pdp(&["validate", shown]).ok();
    }
}

#[test]
fn a_protected_key_needs_its_password() {
    let home = Home::new();
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 5));
    let with =
        |args: &[&str], password: &str| Ran::of(home.command(args).env("PDP_KEY_PASSWORD", password).output().unwrap());
    with(&["keygen", "--secret-key", "k", "--public-key", "p"], "secret").ok();
    home.pdp(&["create", "--sign", "k"]).fails(2, "PDP_KEY_PASSWORD");
    with(&["create", "--sign", "k"], "wrong").fails(2, "password");
    let ran = with(&["create", "--sign", "k", "--quiet"], "secret").ok();
    home.pdp(&["validate", ran.out.trim(), "--public-key", "p"]).ok();
}
