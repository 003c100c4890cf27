//! `import --merge`: two packages of the same day become one file of records.

use std::path::Path;
use std::process::Command;

use crate::support::{Home, Ran, files, program, python, trades};

/// Two packages of one file each, with records that overlap.
fn two(home: &Home, name: &str, one: &[u8], other: &[u8]) -> [String; 2] {
    [("one", one), ("other", other)].map(|(root, bytes)| {
        home.put(&format!("{root}/AAPL/Trade/{name}"), bytes);
        let package = home.create(&["--data-root", root, "--name", root]);
        package.to_str().unwrap().to_owned()
    })
}

fn lines(text: &str, from: usize, to: usize) -> String {
    text.lines().skip(from).take(to - from).map(|line| format!("{line}\n")).collect()
}

fn compressed(program_name: &str, text: &str) -> Option<Vec<u8>> {
    let mut child = Command::new(program(program_name)?)
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
    Some(child.wait_with_output().unwrap().stdout)
}

#[test]
fn t081_records_of_both_in_order_and_twice_changes_nothing() {
    let day = trades("AAPL", "2024-01-03", 300);
    let (early, late) = (lines(&day, 0, 200), lines(&day, 150, 300));
    let mut kinds = vec![("2024-01-03.jsonl", early.clone().into_bytes(), late.clone().into_bytes(), "cat")];
    if let (Some(one), Some(other)) = (compressed("gzip", &early), compressed("gzip", &late)) {
        kinds.push(("2024-01-03.jsonl.gz", one, other, "gunzip"));
    }
    if let (Some(one), Some(other)) = (compressed("zstd", &early), compressed("zstd", &late)) {
        kinds.push(("2024-01-03.jsonl.zst", one, other, "unzstd"));
    }
    for (name, one, other, reader) in kinds {
        let home = Home::new();
        // The later part first: the order is that of the records, not of the imports.
        let [first, second] = two(&home, name, &other, &one);
        home.pdp(&["import", &first, "--destination", "there"]).ok();
        let report = home.pdp(&["import", &second, "--destination", "there", "--merge", "--json"]).ok().json();
        let merged = &report["merged"][0];
        assert_eq!(merged["path"], format!("data/2024-01-03/AAPL/Trade/{name}"));
        let numbers = ["existingRecords", "addedRecords", "identicalRecords", "conflictingRecords"];
        assert_eq!(numbers.map(|key| merged[key].as_u64().unwrap()), [150, 150, 50, 0], "{name}");
        let path = home.join("there").join(merged["path"].as_str().unwrap());
        let text = Ran::of(
            Command::new(program(reader).unwrap()).stdin(std::fs::File::open(&path).unwrap()).output().unwrap(),
        );
        assert_eq!(text.ok().out, day, "{name}");

        let before = snapshot(&home.join("there"));
        for package in [&first, &second] {
            let again = home.pdp(&["import", package, "--destination", "there", "--merge", "--json"]).ok().json();
            assert_eq!((&again["bytesWritten"], &again["merged"]), (&0.into(), &serde_json::json!([])), "{name}");
        }
        assert_eq!(snapshot(&home.join("there")), before);
    }
}

/// Every file with its content and the time of its last change.
fn snapshot(root: &Path) -> Vec<(String, Vec<u8>, std::time::SystemTime)> {
    let fact = |name: String| {
        let path = root.join(&name);
        (name, std::fs::read(&path).unwrap(), path.metadata().unwrap().modified().unwrap())
    };
    files(root).into_iter().map(fact).collect()
}

#[test]
fn records_that_contradict_are_kept_and_counted() {
    let home = Home::new();
    let day = trades("AAPL", "2024-01-03", 5);
    let [one, other] = two(&home, "2024-01-03.jsonl", day.as_bytes(), day.replace("102.25", "102.75").as_bytes());
    home.pdp(&["import", &one, "--destination", "there"]).ok();
    let ran = home.pdp(&["import", &other, "--destination", "there", "--merge"]).ok();
    assert!(ran.out.contains("1 record added to 5, 4 identical, 2 that share time and sequence number"), "{}", ran.out);
}

#[test]
fn rows_of_csv_are_merged_as_pandas_would() {
    let home = Home::new();
    let rows = |from: u32, to: u32| -> String {
        (from..to).map(|i| format!("2024-01-03T10:{:02}:{:02}Z,{}.5,\"a, b\"\n", i / 60, i % 60, 100 + i)).collect()
    };
    let head = "timestamp,price,note\n";
    let [one, other] = two(
        &home,
        "2024-01-03.csv",
        format!("{head}{}", rows(0, 80)).as_bytes(),
        format!("{head}{}", rows(60, 120)).as_bytes(),
    );
    home.pdp(&["import", &one, "--destination", "there"]).ok();
    home.pdp(&["import", &other, "--destination", "there", "--merge"]).ok();
    let path = home.join("there/data/2024-01-03/AAPL/Trade/2024-01-03.csv");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{head}{}", rows(0, 120)));
    if let Some(python) = python() {
        let script = "import sys, pandas\none, other, merged = (pandas.read_csv(p) for p in sys.argv[1:])\nexpected = pandas.concat([one, other]).drop_duplicates().sort_values('timestamp').reset_index(drop=True)\nassert expected.equals(merged), merged";
        let ran = Command::new(python)
            .args(["-c", script, "one/AAPL/Trade/2024-01-03.csv", "other/AAPL/Trade/2024-01-03.csv"])
            .arg(&path)
            .current_dir(home.path())
            .output();
        Ran::of(ran.unwrap()).ok();
    }
}

#[test]
fn binary_files_that_differ_need_a_word() {
    let home = Home::new();
    let Some(python) = python() else { return };
    for (root, price) in [("one", 1.5), ("other", 2.5)] {
        std::fs::create_dir_all(home.join(root).join("AAPL/Trade")).unwrap();
        let script = format!(
            "import pyarrow as pa, pyarrow.parquet as pq\npq.write_table(pa.table({{'price': [{price}]}}), '{root}/AAPL/Trade/2024-01-03.parquet')"
        );
        Ran::of(Command::new(&python).args(["-c", &script]).current_dir(home.path()).output().unwrap()).ok();
    }
    let packages = ["one", "other"].map(|root| home.create(&["--data-root", root, "--name", root]));
    let [one, other] = packages.each_ref().map(|path| path.to_str().unwrap());
    home.pdp(&["import", one, "--destination", "there"]).ok();
    let before = snapshot(&home.join("there"));
    let import = |extra: &[&str]| home.pdp(&[&["import", other, "--destination", "there", "--merge"], extra].concat());
    import(&[]).fails(1, "--on-conflict");
    assert_eq!(snapshot(&home.join("there")), before);
    import(&["--on-conflict", "keep"]).ok();
    let place = home.join("there/data/2024-01-03/AAPL/Trade/2024-01-03.parquet");
    let bytes = |root: &str| std::fs::read(home.join(root).join("AAPL/Trade/2024-01-03.parquet")).unwrap();
    assert!(std::fs::read(&place).unwrap() == bytes("one"));
    import(&["--on-conflict", "rename"]).ok();
    assert!(std::fs::read(place.with_file_name("2024-01-03.2.parquet")).unwrap() == bytes("other"));
    import(&["--on-conflict", "replace"]).ok();
    assert!(std::fs::read(&place).unwrap() == bytes("other"));
}
