//! The disk fails, or the process dies, at every single change that creating and importing make to a disk.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pdp_archive::disk::fault::{self, Fault, Plan};
use pdp_packager::manifest::ContainerFormat;
use pdp_packager::{CreateOptions, ImportOptions, PackagerError, Silent, ValidateOptions, create, import, validate};

/// The plan of faults is one for the whole process.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn lines(day: u32, from: u32, to: u32) -> String {
    (from..to)
        .map(|i| {
            format!(
                "{{\"timestamp\":\"2024-01-{day:02}T10:{:02}:{:02}Z\",\"symbol\":\"AAPL\",\"type\":\"Trade\",\"sequence\":{i},\"price\":{}.5}}\n",
                i / 60,
                i % 60,
                100 + i
            )
        })
        .collect()
}

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Every file below `root` that is not the library's own working place, with its content.
fn snapshot(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_owned()];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if name.contains(".pdp-") {
                continue;
            }
            if path.is_dir() { left.push(path) } else { drop(found.insert(name, std::fs::read(path).unwrap())) }
        }
    }
    found
}

fn leftovers(root: &Path) -> Vec<String> {
    let names = std::fs::read_dir(root).into_iter().flatten().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).filter(|name| name.starts_with(".pdp-")).collect()
}

/// What is tried: an operation in a directory of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    CreateZip,
    CreateTarGz,
    CreateFolder,
    /// Into a destination that does not exist.
    ImportNew,
    /// Over files of which some are the same and some differ.
    ImportOver,
    /// With records to merge.
    ImportMerging,
}

const OPERATIONS: [Operation; 6] = [
    Operation::CreateZip,
    Operation::CreateTarGz,
    Operation::CreateFolder,
    Operation::ImportNew,
    Operation::ImportOver,
    Operation::ImportMerging,
];

/// Where an operation works.
struct Ground {
    home: PathBuf,
}

impl Ground {
    fn source(&self) -> PathBuf {
        self.home.join("source")
    }

    fn output(&self) -> PathBuf {
        self.home.join("packages")
    }

    fn there(&self) -> PathBuf {
        self.home.join("there")
    }

    fn options(&self, format: ContainerFormat) -> CreateOptions {
        let time = pdp_packager::manifest::time::parse("2024-05-06T07:08:09Z").unwrap();
        let mut options = CreateOptions::new(self.source(), self.output(), time);
        options.format = format;
        options.threads = 1;
        options.name = Some("p".parse().unwrap());
        options
    }

    fn create(&self, format: ContainerFormat) -> Result<PathBuf, PackagerError> {
        create(&self.options(format), &Silent).map(|report| report.package_path)
    }

    /// What the operation needs, made anew.
    fn prepare(home: &Path, operation: Operation) -> Self {
        let ground = Self { home: home.to_owned() };
        let _ = std::fs::remove_dir_all(home);
        put(&ground.source(), "AAPL/Trade/2024-01-03.jsonl", &lines(3, 0, 40));
        put(&ground.source(), "AAPL/Trade/2024-01-04.jsonl", &lines(4, 0, 30));
        put(&ground.source(), "MSFT/Trade/2024-01-03.jsonl", &lines(3, 100, 120));
        let there = ground.there();
        match operation {
            Operation::CreateZip | Operation::CreateTarGz | Operation::CreateFolder => {
                std::fs::create_dir_all(ground.output()).unwrap();
            }
            Operation::ImportNew => {}
            Operation::ImportOver | Operation::ImportMerging => {
                put(&there, "mine.txt", "mine");
                put(&there, "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl", &lines(3, 20, 60));
                put(&there, "data/2024-01-04/AAPL/Trade/2024-01-04.jsonl", &lines(4, 0, 30));
            }
        }
        ground
    }

    /// The package that imports read; another of one file beside it. Made once.
    fn packages(home: &Path) -> [PathBuf; 2] {
        let ground = Self::prepare(home, Operation::ImportNew);
        let package = ground.create(ContainerFormat::Zip).unwrap();
        let other = Self::prepare(&home.join("other"), Operation::ImportNew);
        std::fs::remove_dir_all(other.source()).unwrap();
        put(&other.source(), "AAPL/Trade/2024-01-05.jsonl", &lines(5, 0, 3));
        [package, other.create(ContainerFormat::TarGz).unwrap()]
    }

    fn run(&self, operation: Operation, package: &Path) -> Result<(), PackagerError> {
        let mut options = ImportOptions::new(package, self.there());
        options.threads = 1;
        options.merge = operation == Operation::ImportMerging;
        match operation {
            Operation::CreateZip => self.create(ContainerFormat::Zip).map(drop),
            Operation::CreateTarGz => self.create(ContainerFormat::TarGz).map(drop),
            Operation::CreateFolder => self.create(ContainerFormat::Folder).map(drop),
            _ => import(&options, &Silent).map(drop),
        }
    }

    /// The state that counts: of the packages, or of the destination.
    fn state(&self, operation: Operation) -> BTreeMap<String, Vec<u8>> {
        match operation {
            Operation::CreateZip | Operation::CreateTarGz | Operation::CreateFolder => snapshot(&self.output()),
            _ => snapshot(&self.there()),
        }
    }

    /// After a failure or death: what is there is what was before or what comes after, once the next run has been.
    fn check(&self, operation: Operation, known: &Known, what: &str) {
        match operation {
            Operation::CreateZip | Operation::CreateTarGz | Operation::CreateFolder => {
                for entry in std::fs::read_dir(self.output()).unwrap() {
                    let path = entry.unwrap().path();
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    if name.starts_with(".pdp-") || name.ends_with(".sha256") {
                        continue;
                    }
                    let report = validate(&path, &ValidateOptions::default(), &Silent).unwrap();
                    assert!(report.valid, "{what}: {name}: {:?}", report.findings);
                }
                self.run(operation, &known.package).unwrap_or_else(|error| {
                    // A folder cannot be told to hold the same; an archive is left alone when it does.
                    assert!(operation == Operation::CreateFolder, "{what}: {error}");
                });
                assert_eq!(leftovers(&self.output()), Vec::<String>::new(), "{what}");
            }
            _ => {
                // Another import recovers what this one left, and says nothing of its own files.
                let mut options = ImportOptions::new(&known.other, self.there());
                options.threads = 1;
                import(&options, &Silent).unwrap_or_else(|error| panic!("{what}: {error}"));
                let of_the_other = |name: &str| name.contains("2024-01-05");
                let papers = |name: &str| !name.starts_with("data/") && name != "mine.txt";
                let data = |state: &BTreeMap<String, Vec<u8>>| -> BTreeMap<String, Vec<u8>> {
                    state
                        .iter()
                        .filter(|(name, _)| !papers(name) && !of_the_other(name))
                        .map(|(n, b)| (n.clone(), b.clone()))
                        .collect()
                };
                let now = data(&snapshot(&self.there()));
                let (before, after) = (data(&known.before), data(&known.after));
                assert!(now == before || now == after, "{what}: between: {:?}", now.keys());
                self.run(operation, &known.package).unwrap_or_else(|error| panic!("{what}: {error}"));
                assert!(data(&snapshot(&self.there())) == after, "{what}: not there after the next run");
                assert_eq!(leftovers(&self.there()), Vec::<String>::new(), "{what}");
                assert_eq!(leftovers(&self.home), Vec::<String>::new(), "{what}");
            }
        }
    }
}

/// What is known of an operation without faults.
struct Known {
    package: PathBuf,
    other: PathBuf,
    before: BTreeMap<String, Vec<u8>>,
    after: BTreeMap<String, Vec<u8>>,
    calls: u64,
}

fn known(home: &Path, operation: Operation) -> Known {
    let [package, other] = Ground::packages(&home.join("made"));
    let ground = Ground::prepare(&home.join("tried"), operation);
    let before = ground.state(operation);
    fault::plan(Plan { at: u64::MAX, fault: Fault::Short, from_then_on: false });
    ground.run(operation, &package).unwrap();
    let calls = u64::try_from(fault::clear().calls.len()).unwrap();
    let after = ground.state(operation);
    assert!(calls > 10 && before != after, "{operation:?}: {calls} calls");
    Known { package, other, before, after, calls }
}

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

#[test]
fn t092_every_call_fails_in_every_way() {
    let _alone = alone();
    let home = common::in_memory();
    let (mut points, mut survived) = (0, 0);
    for operation in OPERATIONS {
        let known = known(home.path(), operation);
        for (fault, from_then_on) in [
            (Fault::Error(EIO), false),
            (Fault::Error(EIO), true),
            (Fault::Error(ENOSPC), false),
            (Fault::Error(ENOSPC), true),
            (Fault::Short, false),
            (Fault::Short, true),
            (Fault::Interrupted, false),
        ] {
            for at in 1.. {
                let ground = Ground::prepare(&home.path().join("tried"), operation);
                fault::plan(Plan { at, fault, from_then_on });
                let outcome = ground.run(operation, &known.package);
                let report = fault::clear();
                if !report.struck {
                    assert!(at > known.calls.min(10), "{operation:?}: only {at} points");
                    break;
                }
                points += 1;
                survived += u32::from(outcome.is_ok());
                let what = format!(
                    "{operation:?}, call {at} ({:?}): {fault:?}",
                    report.calls[usize::try_from(at - 1).unwrap()]
                );
                if matches!(fault, Fault::Short | Fault::Interrupted) {
                    outcome.unwrap_or_else(|error| panic!("{what}: {error}"));
                    assert!(ground.state(operation) == known.after, "{what}");
                } else if outcome.is_ok() {
                    // What may fail without harm, such as a removal, may be passed over; the result is whole then.
                    assert!(ground.state(operation) == known.after, "{what}: done, and not the same");
                }
                ground.check(operation, &known, &what);
            }
        }
    }
    tell(&format!("faults: {points} points tried, {survived} of them without consequence"));
}

const CHILD: &str = "PDP_FAULT_CHILD";

/// Run in a process of its own by the test below, and there killed.
#[test]
fn t086_child() {
    let Ok(order) = std::env::var(CHILD) else { return };
    let mut parts = order.split('|');
    let mut next = || parts.next().unwrap().to_owned();
    let operation = OPERATIONS[next().parse::<usize>().unwrap()];
    let at = next().parse().unwrap();
    let fault = if next() == "half" { Fault::KillHalfway } else { Fault::Kill };
    let ground = Ground { home: next().into() };
    fault::plan(Plan { at, fault, from_then_on: false });
    let outcome = ground.run(operation, Path::new(&next()));
    // Reached only when there was no such call.
    std::process::exit(if outcome.is_ok() { 77 } else { 78 });
}

#[test]
fn t086_t087_the_process_dies_at_every_call() {
    let _alone = alone();
    let home = common::in_memory();
    let mut points = 0;
    for (number, operation) in OPERATIONS.into_iter().enumerate() {
        let known = known(home.path(), operation);
        for how in ["before", "half"] {
            for at in 1.. {
                let ground = Ground::prepare(&home.path().join("tried"), operation);
                let order = [
                    number.to_string(),
                    at.to_string(),
                    how.to_owned(),
                    ground.home.to_str().unwrap().to_owned(),
                    known.package.to_str().unwrap().to_owned(),
                ];
                let mut child = Command::new(std::env::current_exe().unwrap());
                child.args(["--exact", "t086_child", "--nocapture", "--quiet"]).env(CHILD, order.join("|"));
                let status = child.output().unwrap().status;
                let what = format!("{operation:?}, killed at call {at} ({how})");
                match status.code() {
                    Some(77) => break,
                    Some(other) => panic!("{what}: exit {other}"),
                    None => {}
                }
                points += 1;
                ground.check(operation, &known, &what);
                assert!(at < 10_000, "{what}");
            }
        }
    }
    tell(&format!("kills: {points} points tried, every one recovered"));
}
