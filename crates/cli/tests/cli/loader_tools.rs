//! What the loader scripts do beside loading: batches, other tables, checksums and their command line, run by the real
//! interpreters.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{
    Home, Ran, manifest, oracle, program, python, python_pandas3, sample_data, shared, skipped, tell, trades,
};

/// An interpreter and the loader that it runs.
struct Loader {
    program: PathBuf,
    script: &'static str,
}

impl Loader {
    /// The loader as a script, with another working directory than the package's.
    fn run(&self, package: &Path, args: &[&str]) -> Ran {
        let elsewhere = Home::new();
        self.run_in(elsewhere.path(), package, args)
    }

    fn run_in(&self, directory: &Path, package: &Path, args: &[&str]) -> Ran {
        let mut command = Command::new(&self.program);
        command.arg(package.join("scripts").join(self.script)).args(args).current_dir(directory);
        Ran::of(command.env("LC_ALL", "C.UTF-8").env("TZ", "Asia/Tokyo").output().unwrap())
    }
}

/// The loaders that can be run here; each that cannot is said to be skipped.
fn loaders() -> Vec<Loader> {
    let python = python().map(|program| Loader { program, script: "load_data.py" });
    let r = r().map(|program| Loader { program, script: "load_data.R" });
    python.into_iter().chain(r).collect()
}

/// R, where it has what the loader needs.
fn r() -> Option<PathBuf> {
    let rscript = program("Rscript")?;
    let ready = Command::new(&rscript).args(["-e", "library(jsonlite); library(dplyr)"]).output().unwrap();
    if !ready.status.success() {
        skipped("R without jsonlite and dplyr");
        return None;
    }
    Some(rscript)
}

/// Runs lines of Python beside the package's loader, imported as `load_data`.
fn python_lines(python: &Path, package: &Path, lines: &str) -> Ran {
    let before = "import sys; sys.path.insert(0, 'scripts')\n";
    Ran::of(Command::new(python).args(["-c", &format!("{before}{lines}")]).current_dir(package).output().unwrap())
}

fn r_lines(rscript: &Path, package: &Path, lines: &str) -> Ran {
    let line = format!("source('scripts/load_data.R'); {lines}");
    Ran::of(Command::new(rscript).args(["-e", &line]).current_dir(package).env("LC_ALL", "C.UTF-8").output().unwrap())
}

/// Two days of trades in JSON Lines and quotes in CSV.
fn small_package(home: &Home) -> PathBuf {
    home.put("data/AAPL/Trade/2024-01-03.jsonl", trades("AAPL", "2024-01-03", 30));
    home.put("data/AAPL/Trade/2024-01-04.jsonl", trades("AAPL", "2024-01-04", 20));
    home.put(
        "data/SPY/Quote/2024-01-03.csv",
        "timestamp,symbol,bid,note\n2024-01-03T00:00:00Z,SPY,1,\n2024-01-03T00:00:01Z,SPY,2.5,\"a\nb\"\n2024-01-03T00:00:02Z,SPY,3,x\n",
    );
    home.create(&["--format", "folder"])
}

fn packages_of_sample_data_and_real_trees(home: &Home) -> Vec<PathBuf> {
    let real = shared("events").map(|path| path.to_str().unwrap().to_owned());
    let roots = [Some(sample_data()), real].into_iter().flatten().enumerate();
    roots
        .map(|(i, root)| home.create(&["--data-root", &root, "--format", "folder", "--name", &format!("p{i}")]))
        .collect()
}

#[test]
fn python_batches_tables_and_files_hold_the_rows_of_the_whole_with_both_pandas() {
    let home = Home::new();
    let packages = packages_of_sample_data_and_real_trees(&home);
    for (version, python) in [("2.", python()), ("3.", python_pandas3())] {
        let Some(python) = python else { continue };
        for package in &packages {
            let report = oracle(&python, "loader_tools.py", &[package]);
            assert_eq!(report["rows"], manifest(package)["totalEvents"]);
            assert!(report["pandas"].as_str().unwrap().starts_with(version), "{report}");
        }
        oracle(&python, "load_package.py", &[&packages[0]]);
    }
}

#[test]
fn r_rows_of_every_file_equal_the_manifests_counts_as_a_whole_and_in_batches() {
    let Some(rscript) = r() else { return };
    let home = Home::new();
    for package in packages_of_sample_data_and_real_trees(&home) {
        let lines = "
            parquet <- requireNamespace('arrow', quietly = TRUE)
            manifest <- jsonlite::read_json('manifest.json')
            tried <- 0
            for (entry in manifest$files) for (most in c(Inf, 97, 100000)) {
                if (entry$format == 'parquet' && !parquet) next
                rows <- 0
                .pdp_loader$each_piece(function(piece) {
                    stopifnot(nrow(piece) <= most)
                    rows <<- rows + nrow(piece)
                    TRUE
                }, entry, batch_rows = most)
                if (rows != entry$eventCount) stop(entry$path, ' has ', rows, ' rows, in the manifest ', entry$eventCount)
                tried <- tried + 1
            }
            symbols <- setdiff(get_symbols(), unlist(lapply(manifest$files, function(e) if (e$format == 'parquet') e$symbol)))
            whole <- load_data(symbols)
            batches <- list()
            counted <- iter_data(function(batch) {
                stopifnot(nrow(batch) > 0, nrow(batch) <= 300)
                batches[[length(batches) + 1]] <<- batch[c('timestamp', 'symbol', 'type')]
            }, symbols, batch_rows = 300)
            joined <- do.call(rbind, batches)
            stopifnot(counted == nrow(whole), identical(as.list(joined), as.list(whole[c('timestamp', 'symbol', 'type')])))
            some <- load_data(symbols[1], columns = c('SYMBOL', 'Timestamp'))
            stopifnot(identical(names(some), c('symbol', 'timestamp')), nrow(some) == sum(whole$symbol == symbols[1]))
            stopifnot(inherits(try(load_data(columns = 'pricee'), silent = TRUE), 'try-error'))
            stopifnot(nrow(verify()) == 0)
            cat(tried)";
        let ran = r_lines(&rscript, &package, lines).ok();
        let files = manifest(&package)["files"].as_array().unwrap().len();
        let parquet = if ran.out.trim() == (files * 3).to_string() { 0 } else { 1 };
        assert_eq!(ran.out.trim(), ((files - parquet) * 3).to_string(), "{}", ran.err);
        if parquet > 0 {
            skipped("Parquet in R, which has no package arrow here");
        }
    }
}

/// A fifth of a gigabyte in one file.
fn large_package(home: &Home, rows: usize) -> (PathBuf, u64) {
    let note = "x".repeat(1000);
    let text: String = (0..rows)
        .map(|i| {
            let (hour, minute, second) = (i / 3600 % 24, i / 60 % 60, i % 60);
            format!(
                "{{\"timestamp\":\"2024-01-03T{hour:02}:{minute:02}:{second:02}Z\",\"symbol\":\"A\",\"type\":\"Trade\",\"price\":{}.5,\"note\":\"{note}\"}}\n",
                100 + i % 7
            )
        })
        .collect();
    let bytes = text.len() as u64;
    home.put("data/A/Trade/2024-01-03.jsonl", text);
    (home.create(&["--format", "folder"]), bytes)
}

#[test]
#[cfg(target_os = "linux")]
fn batches_need_memory_for_a_batch_and_not_for_the_file() {
    const ROWS: usize = 200_000;
    let home = Home::new();
    let (package, bytes) = large_package(&home, ROWS);
    assert!(bytes > 200 << 20);
    // A batch of 2,000 of these rows is a hundredth of the file. R frees memory late; as a whole it needs several times the
    // file's size.
    let (limit, limit_of_r) = (bytes / 4, bytes / 4 * 3);
    if let Some(python) = python() {
        let lines = "import load_data, resource, pandas
next(load_data.iter_data(batch_rows=10))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
print(sum(map(len, load_data.iter_data(batch_rows=2000))), peak() - before)";
        let ran = python_lines(&python, &package, lines).ok();
        let (rows, grown) = ran.out.trim().split_once(' ').unwrap();
        assert_eq!(rows, ROWS.to_string());
        assert!(grown.parse::<u64>().unwrap() < limit, "{grown} bytes");
        tell(&format!("python batches of a file of {bytes} bytes: {grown} bytes"));
    }
    if let Some(rscript) = r() {
        let lines = "peak <- function() {
                line <- grep('^VmHWM', readLines('/proc/self/status'), value = TRUE)
                as.numeric(gsub('[^0-9]', '', line)) * 1024
            }
            iter_data(function(batch) FALSE, batch_rows = 10)
            before <- peak()
            rows <- iter_data(function(batch) TRUE, batch_rows = 2000)
            cat(format(c(rows, peak() - before), scientific = FALSE, trim = TRUE))";
        let ran = r_lines(&rscript, &package, lines).ok();
        let (rows, grown) = ran.out.trim().split_once(' ').unwrap();
        assert_eq!(rows, ROWS.to_string());
        assert!(grown.parse::<u64>().unwrap() < limit_of_r, "{grown} bytes");
        tell(&format!("R batches of a file of {bytes} bytes: {grown} bytes"));
    }
}

#[test]
fn verify_passes_what_is_whole_and_names_what_is_not() {
    let home = Home::new();
    for loader in loaders() {
        let package = small_package(&home);
        let members = manifest(&package)["files"].as_array().unwrap().len()
            + manifest(&package)["supplementaryFiles"].as_array().unwrap().len();
        let ran = loader.run(&package, &["--verify"]).ok();
        assert_eq!(ran.out, format!("verified {members} of {members} members; packageChecksum matches\n"));
        // What nobody declared is not its matter.
        std::fs::write(package.join("notes.txt"), "mine").unwrap();
        loader.run(&package, &["--verify"]).ok();

        let day = package.join("data/2024-01-03/AAPL/Trade/2024-01-03.jsonl");
        let whole = std::fs::read(&day).unwrap();
        let mut flipped = whole.clone();
        flipped[100] ^= 1;
        std::fs::write(&day, &flipped).unwrap();
        std::fs::remove_file(package.join("README.md")).unwrap();
        let other = package.join("data/2024-01-04/AAPL/Trade/2024-01-04.jsonl");
        let longer = [std::fs::read(&other).unwrap(), b"\n".to_vec()].concat();
        std::fs::write(&other, &longer).unwrap();
        let ran = loader.run(&package, &["--verify"]).fails(1, "INVALID");
        let digest = |bytes: &[u8]| pdp_packager::manifest::Sha256Digest::of(bytes).to_string();
        for finding in [
            format!(
                "INVALID            data/2024-01-03/AAPL/Trade/2024-01-03.jsonl: sha256\n    expected       {}\n    actual         {}\n",
                digest(&whole),
                digest(&flipped)
            ),
            format!(
                "INVALID            data/2024-01-04/AAPL/Trade/2024-01-04.jsonl: size\n    expected       {} bytes\n    actual         {} bytes\n",
                longer.len() - 1,
                longer.len()
            ),
            "INVALID            README.md: presence\n    expected       a file\n    actual         nothing\n"
                .to_owned(),
            format!("verified {} of {members} members; packageChecksum matches\n", members - 3),
        ] {
            assert!(ran.out.contains(&finding), "{finding}\n{}", ran.out);
        }
        assert_eq!(ran.out.matches("INVALID").count(), 3, "{}", ran.out);
        // The reader's own tool says the same of the same members.
        let theirs = home.pdp(&["validate", package.to_str().unwrap()]);
        assert!(theirs.out.contains(&format!("    actual         {}", digest(&flipped))), "{}", theirs.out);

        // A manifest that was fitted to changed data no longer fits its own checksum.
        std::fs::write(&other, &longer[..longer.len() - 1]).unwrap();
        std::fs::write(package.join("README.md"), "x").unwrap();
        let path = package.join("manifest.json");
        let forged = std::fs::read_to_string(&path).unwrap().replace(&digest(&whole), &digest(&flipped));
        std::fs::write(&path, forged).unwrap();
        let ran = loader.run(&package, &["--verify"]).fails(1, "manifest.json: packageChecksum");
        assert!(!ran.out.contains("2024-01-03.jsonl"), "{}", ran.out);
        assert!(ran.out.contains("packageChecksum differs"), "{}", ran.out);

        std::fs::write(&path, "{").unwrap();
        let ran = loader.run(&package, &["--verify"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("error: ") && !ran.err.contains("Traceback"), "{ran:?}");
        std::fs::remove_dir_all(&package).unwrap();
    }
}

#[test]
fn verify_finds_data_that_an_import_put_above_the_papers_of_the_package() {
    let home = Home::new();
    let first = home.create(&["--data-root", &sample_data(), "--symbols", "SPY", "--name", "first"]);
    let second = home.create(&["--data-root", &sample_data(), "--symbols", "AAPL", "--name", "second"]);
    for package in [&first, &second] {
        home.pdp(&["import", package.to_str().unwrap(), "--destination", "lake"]).ok();
    }
    let papers = std::fs::read_dir(home.join("lake/packages")).unwrap().next().unwrap().unwrap().path();
    for loader in loaders() {
        let ran = loader.run(&papers, &["--verify"]).ok();
        assert!(ran.out.contains("packageChecksum matches"), "{ran:?}");
        // The README of the package above is not this one's.
        std::fs::rename(papers.join("README.md"), papers.join("README")).unwrap();
        loader.run(&papers, &["--verify"]).fails(1, "README.md: presence");
        std::fs::rename(papers.join("README"), papers.join("README.md")).unwrap();
    }
}

#[test]
fn plain_python_verifies_and_lists() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let package = small_package(&home);
    let lines = "sys.modules.update(pandas=None, numpy=None)
import load_data
assert load_data.verify() == [] and len(load_data.get_symbols()) == 2
assert load_data._main(['--verify']) == 0 and load_data._main(['--list', '--date', '2024-01-04']) == 0
assert load_data._main([]) == 0
assert load_data._main(['--count']) == 1
load_data.load_data()";
    let ran = python_lines(&python, &package, lines);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("data/2024-01-04/AAPL/Trade/2024-01-04.jsonl  AAPL    Trade"), "{}", ran.out);
    assert!(!ran.out.contains("data/2024-01-03"), "{}", ran.out);
    assert!(
        ran.err.contains("load_data.py: error: this loader needs the pandas package: pip install pandas"),
        "{ran:?}"
    );
    assert!(ran.err.trim_end().ends_with("ImportError: this loader needs the pandas package: pip install pandas"));
    for (hidden, call) in [("polars", "to_polars=True"), ("pyarrow", "to_polars=True"), ("pyarrow", "to_arrow=True")] {
        for function in ["load_data", "iter_data"] {
            let lines = format!("import load_data; sys.modules['{hidden}'] = None; load_data.{function}({call})");
            let expected = format!("needs the {hidden} package: pip install {hidden}");
            python_lines(&python, &package, &lines).fails(1, &expected);
        }
    }
}

#[test]
fn options_choose_count_list_and_write() {
    let home = Home::new();
    let package = small_package(&home);
    for loader in loaders() {
        let run = |args: &[&str]| loader.run_in(home.path(), &package, args).ok();
        assert_eq!(run(&["--count"]).out, "53\n");
        assert_eq!(run(&["--count", "--symbol", "aapl"]).out, "50\n");
        assert_eq!(run(&["--count", "--symbol=AAPL,SPY", "--date", "2024-01-03"]).out, "33\n");
        assert_eq!(run(&["--count", "--symbol", "AAPL", "--symbol", "SPY", "--event-type", "quote"]).out, "3\n");
        assert_eq!(run(&["--count", "--date", "2024-01-03,2024-01-04"]).out, "53\n");
        let listed = run(&["--list", "--symbol", "AAPL"]).out;
        assert_eq!(listed.lines().count(), 3, "{listed}");
        assert!(listed.starts_with("path "), "{listed}");
        let head = run(&["--head", "2", "--columns", "price,timestamp", "--date", "2024-01-04"]).out;
        assert_eq!(head.lines().count(), 3, "{head}");
        let names: Vec<&str> = head.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(names, ["price", "timestamp"]);
        assert!(head.contains("100.25") && head.contains("2024-01-04 14:00:01"), "{head}");
        // Just a selection shows how it begins.
        assert_eq!(run(&["--symbol", "SPY", "--columns", "bid"]).out.lines().count(), 4);
        let help = run(&["--help"]).out;
        for option in
            ["--symbol", "--event-type", "--date", "--columns", "--head", "--count", "--list", "--verify", "--out"]
        {
            assert!(help.contains(option), "{help}");
        }

        assert_eq!(run(&["--symbol", "SPY", "--out", "x.csv"]).out, "3 rows written to x.csv\n");
        // The scripts differ in quotes, in the digits of times and in whether a whole number of a column of others is 1.0.
        let mut text = std::fs::read_to_string(home.join("x.csv")).unwrap().replace('"', "");
        for (theirs, plain) in [(".000000000Z", "Z"), (".000000Z", "Z"), (",1.0,", ",1,"), (",3.0,", ",3,")] {
            text = text.replace(theirs, plain);
        }
        assert_eq!(
            text,
            "timestamp,symbol,bid,note,type\n2024-01-03T00:00:00Z,SPY,1,,Quote\n2024-01-03T00:00:01Z,SPY,2.5,a\nb,Quote\n\
             2024-01-03T00:00:02Z,SPY,3,x,Quote\n"
        );
        // The head is what is written, over what was there.
        run(&["--head", "2", "--out", "x.csv"]);
        let text = std::fs::read_to_string(home.join("x.csv")).unwrap();
        assert!(text.contains("AAPL") && text.lines().count() == 3, "{text}");
        assert!(!home.files(".").iter().any(|name| name.contains(".load_data-")), "{:?}", home.files("."));
    }
}

#[test]
fn wrong_options_and_what_cannot_be_had_are_said_without_a_traceback() {
    let home = Home::new();
    let package = small_package(&home);
    let kept = home.put("kept.csv", "kept");
    for loader in loaders() {
        for (args, code, message) in [
            (vec!["--head", "0"], 2, "must be a whole number from 1"),
            (vec!["--head"], 2, "--head"),
            (vec!["--date", "yesterday"], 2, "YYYY-MM-DD"),
            (vec!["--date", "2024-02-30"], 2, "YYYY-MM-DD"),
            (vec!["--colour", "red"], 2, "--colour"),
            (vec!["--out", "x.xlsx"], 2, ".csv"),
            (vec!["--out", "nowhere/x.csv"], 2, "nowhere"),
            (vec!["--count", "--head", "1"], 2, "--count"),
            (vec!["--count", "--out", "x.csv"], 2, "no rows to write"),
            (vec!["--verify", "--symbol", "AAPL"], 2, "--verify checks the whole package"),
            (vec!["--symbol", "NOPE"], 1, "nothing matches"),
            (vec!["--symbol", "NOPE", "--out", "kept.csv"], 1, "nothing matches"),
            (vec!["--list", "--symbol", "NOPE"], 1, "path"),
            (vec!["--columns", "pricee"], 1, "pricee"),
        ] {
            let ran = loader.run_in(home.path(), &package, &args).fails(code, message);
            assert!(!ran.err.contains("Traceback") && !ran.err.contains("Execution halted"), "{args:?} {ran:?}");
        }
        // What fails midway leaves what was there, and no part of a file.
        let broken = small_package(&home);
        std::fs::remove_file(broken.join("data/2024-01-04/AAPL/Trade/2024-01-04.jsonl")).unwrap();
        let ran = loader.run_in(home.path(), &broken, &["--out", "kept.csv"]).fails(1, "2024-01-04.jsonl");
        assert!(ran.err.contains("error: "), "{ran:?}");
        assert_eq!(std::fs::read_to_string(&kept).unwrap(), "kept");
        assert!(!home.files(".").iter().any(|name| name.contains(".load_data-")), "{:?}", home.files("."));
        std::fs::remove_dir_all(broken).unwrap();
    }
}

#[test]
fn formats_without_a_reader_are_named_with_what_to_do() {
    let home = Home::new();
    home.put("data/F/Trade/2024-01-03.fxd", b"FXD\x01\0\0\0\0");
    let alone = home.create(&["--format", "folder", "--name", "alone"]);
    home.put("data/A/Trade/2024-01-03.jsonl", trades("A", "2024-01-03", 3));
    let beside = home.create(&["--format", "folder", "--name", "beside"]);
    for loader in loaders() {
        for args in [vec!["--count"], vec!["--head", "1"], vec!["--out", "x.csv"]] {
            let ran = loader.run(&alone, &args).fails(1, "pdp fxd convert");
            assert!(ran.err.contains("2024-01-03.fxd") && !ran.err.contains("Traceback"), "{ran:?}");
        }
        let ran = loader.run(&alone, &[]).ok();
        assert!(ran.out.contains("pdp fxd convert"), "{ran:?}");
        let ran = loader.run(&beside, &["--count"]).ok();
        assert_eq!(ran.out, "3\n");
        assert!(ran.err.contains("warning: skipped") && ran.err.contains("pdp fxd convert"), "{ran:?}");
        loader.run(&alone, &["--verify"]).ok();
    }
    if let Some(python) = python() {
        python_lines(&python, &alone, "import load_data; load_data.iter_data()").fails(1, "pdp fxd convert");
    }
    if let Some(rscript) = r() {
        r_lines(&rscript, &alone, "iter_data(identity)").fails(1, "pdp fxd convert");
    }
}

#[test]
fn compressed_data_of_several_members_and_torn_data_come_in_batches_too() {
    let home = Home::new();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let days: Vec<String> = ["A", "B", "C"].map(|symbol| trades(symbol, "2024-01-03", 4000)).into();
    let several: Vec<u8> = days.iter().flat_map(|day| gzip(day)).chain([0; 10_000]).collect();
    home.put("data/M/Trade/2024-01-03.jsonl.gz", &several);
    let whole = gzip(&days.concat());
    home.put("data/T/Trade/2024-01-03.jsonl.gz", &whole[..whole.len() * 2 / 3]);
    let package = home.create(&["--format", "folder"]);
    let manifest = manifest(&package);
    let total = manifest["totalEvents"].as_u64().unwrap();
    assert!((12_001..24_000).contains(&total), "{total}");
    for loader in loaders() {
        let ran = loader.run(&package, &["--count"]).ok();
        assert_eq!(ran.out.trim(), total.to_string(), "{}", ran.err);
        assert!(ran.err.contains("warning: the compressed data of"), "{}", ran.err);
    }
    if let Some(python) = python() {
        let lines =
            "import load_data; print(len(load_data.load_data()), sum(map(len, load_data.iter_data(batch_rows=999))))";
        assert_eq!(python_lines(&python, &package, lines).ok().out.trim(), format!("{total} {total}"));
    }
    if let Some(rscript) = r() {
        let lines = "cat(nrow(load_data()), iter_data(identity, batch_rows = 999))";
        assert_eq!(r_lines(&rscript, &package, lines).ok().out.trim(), format!("{total} {total}"));
    }
}
