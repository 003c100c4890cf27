//! The import scripts, run by the real engines: what they load is what the data is, once however often they are run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::postgres::Server;
use crate::support::{Home, Ran, files, manifest, python, sample_data, shared, skipped, spark_python};

const ALL: &str = "postgresql,clickhouse,duckdb,spark,sqlite";

/// The sample data, real trees where there are any, and data whose names are what data should not be called.
fn package(home: &Home) -> PathBuf {
    let mut roots = vec![PathBuf::from(sample_data())];
    roots.extend(shared("events"));
    for (i, root) in roots.iter().enumerate() {
        for path in files(root) {
            home.put(&format!("data/tree{i}/{path}"), std::fs::read(root.join(&path)).unwrap());
        }
    }
    odd(home);
    home.create(&["--format", "folder", "--name", "it's */ \"a\" package -- '; $pdp$ \\", "--import-scripts", ALL])
}

/// Records of every form under odd names.
fn odd(home: &Home) {
    let at = |second: usize| format!("2024-01-03T00:00:{second:02}");
    let envelope = format!(
        "\u{feff}{{\"timestamp\":\"{}.123456789Z\",\"symbol\":\"O'NEIL\",\"type\":3,\"payload\":{{\"kind\":\"trade\",\"timestamp\":\"{}+02:00\",\"price\":0.12345678901234567,\"size\":2}},\"receivedAtUtc\":\"0001-01-01T00:00:00+00:00\"}}\n",
        at(0),
        at(1)
    );
    let flat = format!(
        "{{\"timestamp\":\"{}-05:30\",\"symbol\":\"A\",\"type\":\"Trade\",\"price\":1e-7,\"size\":3}}\n",
        at(2)
    );
    let pascal = format!(
        "not a record\n[1]\n\n{{\"Timestamp\":\"{}\",\"Symbol\":\"A\",\"Type\":3,\"Payload\":{{\"Kind\":\"trade\",\"Price\":-3.50,\"Size\":9007199254740993}}}}\n",
        at(3)
    );
    home.put("data/o/it's [1] {a,b} é $x/O'NEIL/Trade/2024-01-03.jsonl", envelope);
    home.put("data/o/[1-9]{}/A/Trade/2024-01-03 $HOME `id` %PATH%.jsonl", flat);
    home.put("data/o/-- ; drop/A/Trade/2024-01-03.jsonl", pascal);
    home.put(
        "data/o/csv/A/Trade/2024-01-03.csv",
        "Timestamp,Symbol,Price,Size\n2024-01-03T00:00:03.5Z,A,4.5,5\n\n2024-01-03 00:00:04,\"B,\"\"C\",+4.25\n1,2,3,4,5,6\n",
    );
    home.put(
        "data/o/semicolon/EURUSD/HistoricalBar/2024-01.csv",
        "20240101 180000;1.0;1.1;0.9;1.0;0\n20240101 180100065;1.0;1.1;0.9;1.0;0\n",
    );
    home.put(
        "data/o/comment/A/Notes/2024-01-03.csv",
        "# made by hand; it's \"old\n# yes\ntime|pri\"ce'; DROP TABLE x; --|Größe|select|a/b~c.d\n1704240000|1.5|x|\"a|b\"|TRUE\n1704240000123|2.5||it's\\|false\n",
    );
    home.put(
        "data/o/words/A/Odd_Type-1/2024-01-03.jsonl",
        "{\"timestamp\":1704240000,\"pri\\\"ce'; --\":1,\"a/b\":{\"c.d\":\"tab\\t, line\\n, \\\\ and 価\"},\"open\":[1.50,{\"x\":\"N1,2\"}],\"mixed\":\"text\",\"flag\":true,\"day\":\"2024-01-03\"}\n\
         {\"timestamp\":1704240001,\"pri\\\"ce'; --\":9223372036854775807,\"a/b\":{\"c.d\":\"\"},\"open\":[],\"mixed\":{\"a\":12345678901234567890.5},\"flag\":null,\"day\":null}\n",
    );
    home.put("data/o/empty/A/Heartbeat/2024-01-03.jsonl", "");
    home.put(
        "data/o/fxd/A/AggregateBar/2024-01-03.jsonl.gz",
        gzip_twice("{\"timestamp\":\"2024-01-03T00:00:00Z\",\"close\":1.25}\n"),
    );
}

/// The text as two members of gzip, one after the other.
fn gzip_twice(text: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = Vec::new();
    for _ in 0..2 {
        let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap();
    }
    out
}

fn oracle(python: &Path, engine: &str, package: &Path, work: &Path, more: &[&str]) -> Ran {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/import_scripts.py");
    let mut command = Command::new(python);
    command.arg(script).arg(engine).arg(package).arg(work).args(more).env("TZ", "Asia/Tokyo");
    Ran::of(command.output().unwrap())
}

/// Rows by event type, as the manifest has them.
fn totals(package: &Path) -> BTreeMap<String, u64> {
    let mut totals = BTreeMap::new();
    for entry in manifest(package)["files"].as_array().unwrap() {
        *totals.entry(entry["eventType"].as_str().unwrap().to_owned()).or_default() +=
            entry["eventCount"].as_u64().unwrap_or(0);
    }
    totals
}

/// Loads a package twice and again after a file of it has lost a record, which must fail and change nothing.
fn loads(python: &Path, engine: &str, more: &[&str]) {
    let home = Home::new();
    let package = package(&home);
    let work = home.join("work");
    std::fs::create_dir_all(&work).unwrap();
    let rows = oracle(python, engine, &package, &work, more).ok().json();
    let loaded: Vec<u64> = rows.as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).collect();
    let totals = totals(&package);
    assert_eq!(loaded, totals.values().copied().collect::<Vec<_>>(), "{rows} {totals:?}");
    assert!(totals.len() > 6, "{totals:?}");
    assert_eq!(loaded.iter().sum::<u64>(), manifest(&package)["totalEvents"].as_u64().unwrap());
}

/// Ends a Python that uses chdb with `code`: its threads may crash an interpreter that ends in good order around them.
const CHDB_END: &str = "; s.close(); sys.stdout.flush(); sys.stderr.flush(); __import__('os')._exit(code)";

#[test]
fn sqlite_has_what_the_data_is() {
    let Some(python) = python() else { return };
    loads(&python, "sqlite", &[]);
}

#[test]
fn duckdb_has_what_the_data_is() {
    let Some(python) = with(python(), "duckdb") else { return };
    loads(&python, "duckdb", &[]);
}

#[test]
fn clickhouse_has_what_the_data_is() {
    let Some(python) = with(python(), "chdb") else { return };
    loads(&python, "clickhouse", &[]);
}

#[test]
fn postgresql_has_what_the_data_is() {
    let Some(python) = python() else { return };
    let Some(server) = Server::start() else { return };
    loads(&python, "postgresql", &[&server.connection()]);
}

#[test]
fn spark_has_what_the_data_is() {
    let Some(python) = with(spark_python(), "pyspark") else { return };
    loads(&python, "spark", &[]);
}

/// The Python, if it has this module.
fn with(python: Option<PathBuf>, module: &str) -> Option<PathBuf> {
    let python = python?;
    let ran = Command::new(&python).args(["-c", &format!("import {module}")]).output().unwrap();
    if !ran.status.success() {
        skipped(&format!("Python without {module}"));
        return None;
    }
    Some(python)
}

/// A package of two files, and one of them with a record less after the package was made.
fn damaged(home: &Home) -> (PathBuf, PathBuf) {
    home.put("data/A/Trade/2024-01-03.jsonl", crate::support::trades("A", "2024-01-03", 5));
    home.put(
        "data/B/BboQuote/2024-01-03.jsonl",
        "{\"timestamp\":\"2024-01-03T00:00:00Z\",\"bidPrice\":1.5,\"askPrice\":2}\n",
    );
    let good = home.create(&["--format", "folder", "--name", "good", "--import-scripts", ALL]);
    let bad = home.create(&["--format", "folder", "--name", "bad", "--import-scripts", ALL]);
    let file = files(&bad).into_iter().find(|path| path.contains("Trade") && path.ends_with(".jsonl")).unwrap();
    std::fs::write(bad.join(file), crate::support::trades("A", "2024-01-03", 4)).unwrap();
    (good, bad)
}

#[test]
fn what_is_not_whole_is_not_loaded() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let (good, bad) = damaged(&home);
    let run = |package: &Path, program: &Path, args: &[&str]| {
        let mut command = Command::new(program);
        Ran::of(command.args(args).current_dir(package).env("PYTHON", &python).output().unwrap())
    };
    let database = home.join("market.sqlite");
    let sqlite = ["scripts/import_sqlite.py", database.to_str().unwrap()];
    run(&good, &python, &sqlite).ok();
    run(&bad, &python, &sqlite).fails(1, "trade: 4 rows were loaded, the manifest says 5");
    let count = format!(
        "import sqlite3; print(sqlite3.connect({:?}).execute('SELECT (SELECT count(*) FROM trade), (SELECT count(*) FROM bbo_quote)').fetchone())",
        database.display()
    );
    assert_eq!(run(&good, &python, &["-c", &count]).ok().out.trim(), "(5, 1)");

    if let Some(python) = with(Some(python.clone()), "duckdb") {
        let load = "import duckdb, sys; d = duckdb.connect(sys.argv[1])\ntry:\n d.execute(open('scripts/import_duckdb.sql').read())\nfinally:\n d = duckdb.connect(sys.argv[1]); d.execute('ROLLBACK') if len(sys.argv) > 2 else 0; print(d.execute('SELECT (SELECT count(*) FROM market_data.trade), (SELECT count(*) FROM market_data.bbo_quote)').fetchone())";
        let database = home.join("market.duckdb");
        let database = database.to_str().unwrap();
        assert_eq!(run(&good, &python, &["-c", load, database]).ok().out.trim(), "(5, 1)");
        let failed = run(&bad, &python, &["-c", load, database]);
        failed.fails(1, "trade: 4 rows were loaded, the manifest says 5");
        assert_eq!(run(&good, &python, &["-c", "import duckdb, sys; print(duckdb.connect(sys.argv[1]).execute('SELECT count(*) FROM market_data.trade').fetchone())", database]).ok().out.trim(), "(5,)");
    }
    if let Some(python) = with(Some(python.clone()), "chdb") {
        let load = format!(
            "import sys, traceback; from chdb import session; s = session.Session(sys.argv[1]); code = 0\ntry:\n s.query(open('scripts/import_clickhouse.sql').read())\nexcept Exception:\n code = 1; traceback.print_exc()\nprint(s.query('SELECT (SELECT count() FROM market_data.trade), (SELECT count() FROM market_data.bbo_quote)')){CHDB_END}"
        );
        let load = load.as_str();
        let database = home.join("clickhouse");
        let database = database.to_str().unwrap();
        assert_eq!(run(&good, &python, &["-c", load, database]).ok().out.trim(), "5,1");
        let failed = run(&bad, &python, &["-c", load, database]);
        assert_eq!(failed.out.trim(), "5,1");
        failed.fails(1, "the rows that were loaded are not the 5 that the manifest says");
    }
    if let Some(server) = Server::start() {
        let psql = |package: &Path, args: &[&str]| {
            let connection = server.connection();
            let mut all = vec!["-X", "-q", "-A", "-t", "-d", &connection, "-v", "schema=O'Neil \"x\""];
            all.extend(args);
            run(package, Path::new("psql"), &all)
        };
        psql(&good, &["-f", "scripts/import_postgresql.sql"]).ok();
        psql(&bad, &["-f", "scripts/import_postgresql.sql"]).fails(3, "trade: 4 rows were loaded, the manifest says 5");
        let count = "SELECT (SELECT count(*) FROM \"O'Neil \"\"x\"\"\".trade), (SELECT count(*) FROM \"O'Neil \"\"x\"\"\".bbo_quote)";
        assert_eq!(psql(&good, &["-c", count]).ok().out.trim(), "5|1");
        // The program that psql runs cannot be found, and nothing changes either.
        let mut command = Command::new("psql");
        command.args([
            "-X",
            "-q",
            "-d",
            &server.connection(),
            "-v",
            "schema=other",
            "-f",
            "scripts/import_postgresql.sql",
        ]);
        let ran = Ran::of(command.current_dir(&good).env("PYTHON", "/no/such/python").output().unwrap());
        assert_eq!(ran.code, 3, "{ran:?}");
        assert_eq!(
            psql(&good, &["-c", "SELECT count(*) FROM pg_namespace WHERE nspname = 'other'"]).ok().out.trim(),
            "0"
        );
    }
}

#[test]
fn the_readme_names_every_script_and_its_command() {
    let home = Home::new();
    let (good, _) = damaged(&home);
    let readme = std::fs::read_to_string(good.join("README.md")).unwrap();
    for (script, command) in [
        (
            "import_clickhouse.sql",
            "clickhouse local --path market_data.clickhouse --queries-file scripts/import_clickhouse.sql",
        ),
        ("import_duckdb.sql", "duckdb market.duckdb -f scripts/import_duckdb.sql"),
        ("import_postgresql.sql", "psql -d DATABASE -f scripts/import_postgresql.sql"),
        ("import_spark.py", "spark-submit scripts/import_spark.py"),
        ("import_sqlite.py", "python scripts/import_sqlite.py market.sqlite"),
    ] {
        assert!(good.join("scripts").join(script).is_file(), "{script}");
        assert!(readme.contains(&format!("`{command}`")), "{command}");
    }
    home.pdp(&["validate", good.to_str().unwrap()]).ok();
}

#[test]
fn scripts_come_when_asked_for_and_in_either_spelling() {
    let home = Home::new();
    home.put("data/A/Trade/2024-01-03.jsonl", crate::support::trades("A", "2024-01-03", 5));
    let scripts = |args: &[&str]| {
        let report = home.pdp(args).ok().json();
        let package = home.path().join(report["packagePath"].as_str().unwrap());
        let listed = home.pdp(&["list", "--json", "--all", package.to_str().unwrap()]).ok().json();
        assert!(listed.is_object());
        let listing = home.pdp(&["list", "--checksums", package.to_str().unwrap()]).ok().out;
        listing
            .lines()
            .filter_map(|line| line.split_once("scripts/import_"))
            .map(|(_, name)| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(scripts(&["create", "--json"]), Vec::<String>::new());
    assert_eq!(
        scripts(&["create", "--json", "--name", "a", "--import-scripts", "DuckDB,clickhouse"]),
        ["clickhouse.sql", "duckdb.sql"]
    );
    let old = ["--package", "--json", "--package-name", "b", "--package-import-scripts", "postgres"];
    assert_eq!(scripts(&old), ["postgresql.sql", "rows.py"]);
    assert_eq!(
        scripts(&["--package", "--json", "--package-name", "c", "--import-scripts=pyspark"]),
        ["rows.py", "spark.py"]
    );
    home.pdp(&["create", "--import-scripts", "oracle"])
        .fails(2, "allowed: postgresql, clickhouse, duckdb, spark, sqlite");
    home.pdp(&["--import-scripts", "duckdb"]).fails(2, "--import-scripts goes with --package");
}

#[test]
fn what_cannot_be_loaded_is_named() {
    let Some(python) = python() else { return };
    let home = Home::new();
    home.put("data/A/Trade/2024-01-03.jsonl", crate::support::trades("A", "2024-01-03", 5));
    home.put("data/A/AggregateBar/it's.fxd", b"FXD: whatever it holds");
    let package = home.create(&["--format", "folder", "--import-scripts", ALL]);
    let left_out = files(&package).into_iter().find(|path| path.ends_with(".fxd")).unwrap();
    let run = |args: &[&str]| Ran::of(Command::new(&python).args(args).current_dir(&package).output().unwrap());
    let ran = run(&["scripts/import_sqlite.py", home.join("market.sqlite").to_str().unwrap()]).ok();
    assert_eq!(ran.out.trim(), "trade: 5 rows");
    assert_eq!(ran.err.trim(), format!("NOT LOADED: {left_out}: fxd: convert it first, pdp fxd convert"));
    for script in ["clickhouse.sql", "duckdb.sql", "postgresql.sql", "rows.py"] {
        let text =
            std::fs::read_to_string(package.join("scripts/import_").as_os_str().to_str().unwrap().to_owned() + script)
                .unwrap();
        assert!(text.contains("fxd: convert it first"), "{script}");
    }
    run(&["scripts/import_rows.py", "nothing"]).fails(1, "usage: import_rows.py TABLE, one of: trade");
}

/// Two packages of one event type with other fields each, and one of them once more.
#[test]
fn packages_share_tables() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let trade = |day: u32, more: &str| {
        format!("{{\"timestamp\":\"2024-01-{day:02}T00:00:00.1Z\",\"symbol\":\"A\",\"price\":1.25{more}}}\n")
    };
    home.put("one/A/Trade/2024-01-03.jsonl", trade(3, ",\"size\":3") + &trade(3, ",\"size\":4"));
    home.put("two/A/Trade/2024-01-04.jsonl", trade(4, ",\"venue\":\"X\",\"size\":5"));
    let make =
        |name: &str| home.create(&["--data-root", name, "--format", "folder", "--name", name, "--import-scripts", ALL]);
    let packages = [make("one"), make("two")];
    let database = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let query = "SELECT count(*), sum(size), count(venue), count(price) FROM";
    let run = |package: &Path, program: &Path, args: &[&str]| {
        Ran::of(Command::new(program).args(args).current_dir(package).env("PYTHON", &python).output().unwrap()).ok().out
    };
    let [one, two] = &packages;
    for package in [two, one, two] {
        run(package, &python, &["scripts/import_sqlite.py", &database("sqlite"), "--prefix", "a_"]);
    }
    let count =
        format!("import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute('{query} a_trade').fetchone())");
    assert_eq!(run(one, &python, &["-c", &count, &database("sqlite")]).trim(), "3 12 1 3");
    if let Some(python) = with(Some(python.clone()), "duckdb") {
        let load = format!(
            "import duckdb, sys; d = duckdb.connect(sys.argv[1]); d.execute(open('scripts/import_duckdb.sql').read()); print(*d.execute('{query} market_data.trade').fetchone())"
        );
        let out = [two, one, two].map(|package| run(package, &python, &["-c", &load, &database("duckdb")]));
        assert_eq!(out[2].trim(), "3 12 1 3");
    }
    if let Some(python) = with(Some(python.clone()), "chdb") {
        let load = format!(
            "import sys; from chdb import session; s = session.Session(sys.argv[1]); code = 0; s.query(open('scripts/import_clickhouse.sql').read()); print(s.query('{query} market_data.trade')){CHDB_END}"
        );
        let out = [two, one, two].map(|package| run(package, &python, &["-c", &load, &database("clickhouse")]));
        assert_eq!(out[2].trim(), "3,12,1,3");
    }
    if let Some(server) = Server::start() {
        let connection = server.connection();
        for package in [two, one, two] {
            run(package, Path::new("psql"), &["-X", "-q", "-d", &connection, "-f", "scripts/import_postgresql.sql"]);
        }
        let query = format!("{query} market_data.trade");
        assert_eq!(
            run(one, Path::new("psql"), &["-X", "-A", "-t", "-d", &connection, "-c", &query]).trim(),
            "3|12|1|3"
        );
    }
}

/// Where another package is already, the scripts go to a folder of their own and find the data from there.
#[test]
fn scripts_work_from_a_shared_folder() {
    let Some(python) = python() else { return };
    let home = Home::new();
    let there = home.join("shared");
    for name in ["one", "two"] {
        home.put(&format!("{name}/{name}/Trade/2024-01-03.jsonl"), crate::support::trades(name, "2024-01-03", 5));
        let package = home.create(&["--data-root", name, "--name", name, "--import-scripts", "sqlite,duckdb"]);
        home.pdp(&["import", package.to_str().unwrap(), "--destination", there.to_str().unwrap(), "--merge"]).ok();
    }
    let scripts = files(&there).into_iter().filter(|path| path.ends_with("import_sqlite.py")).collect::<Vec<_>>();
    assert_eq!(scripts.len(), 2, "{scripts:?}");
    let database = home.join("market.sqlite");
    for script in scripts {
        let mut command = Command::new(&python);
        Ran::of(command.arg(there.join(script)).arg(&database).current_dir("/").output().unwrap()).ok();
    }
    let count = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*), count(DISTINCT symbol) FROM trade').fetchone())";
    let ran = Command::new(&python).args(["-c", count]).arg(&database).output().unwrap();
    assert_eq!(Ran::of(ran).ok().out.trim(), "(10, 2)");
}
