//! Files that change while they are packed: what is recorded is always what is in the package.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Once;

use pdp_packager::manifest::ContainerFormat;
use pdp_packager::{CreateOptions, PackagerError, Progress, Silent, Stage, ValidateOptions, create, validate};

/// Does something to the data root when packing begins, or once some bytes have been read.
struct Meddler<F: Fn() + Sync> {
    at_bytes: u64,
    once: Once,
    act: F,
}

impl<F: Fn() + Sync> Progress for Meddler<F> {
    fn begin(&self, stage: Stage, _: u64, _: u64) {
        if stage == Stage::Packing && self.at_bytes == 0 {
            self.once.call_once(&self.act);
        }
    }

    fn advance(&self, _: u64, bytes: u64) {
        if self.at_bytes > 0 && bytes > 0 {
            self.once.call_once(&self.act);
        }
    }
}

fn line(i: usize) -> String {
    format!(
        "{{\"timestamp\":\"2024-01-03T14:00:00Z\",\"symbol\":\"AAPL\",\"type\":\"Trade\",\"n\":{i},\"pad\":\"{:0>90}\"}}\n",
        i * 7919
    )
}

fn root(home: &Path, lines: usize) -> PathBuf {
    let path = home.join("data/AAPL/Trade/2024-01-03.jsonl");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, (0..lines).map(line).collect::<String>()).unwrap();
    let other = home.join("data/MSFT/Trade/2024-01-03.jsonl");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(other, line(1).replace("AAPL", "MSFT")).unwrap();
    path
}

fn options(home: &Path) -> CreateOptions {
    let mut options =
        CreateOptions::new(home.join("data"), home.join("packages"), "2024-02-01T00:00:00Z".parse().unwrap());
    options.threads = 2;
    options
}

/// Enough for several segments, so that the file is still being read when it changes.
const MANY: usize = 80_000;

#[test]
fn a_file_that_grows_is_packed_as_it_was_when_it_was_opened() {
    for lines in [3, MANY] {
        let home = tempfile::tempdir().unwrap();
        let path = root(home.path(), lines);
        let before = fs::read(&path).unwrap();
        let grow = || {
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            (0..1000).for_each(|i| file.write_all(line(i).as_bytes()).unwrap());
        };
        let meddler = Meddler { at_bytes: 1, once: Once::new(), act: grow };
        let mut options = options(home.path());
        options.format = ContainerFormat::Folder;
        let report = create(&options, &meddler).unwrap();
        let packed = fs::read(report.package_path.join("data/2024-01-03/AAPL/Trade/2024-01-03.jsonl")).unwrap();
        assert!(packed == before, "{lines}");
        assert_eq!(report.total_events, lines as u64 + 1);
        let said = report.warnings.iter().any(|text| text.contains("AAPL/Trade/2024-01-03.jsonl: it grew by"));
        assert!(said, "{:?}", report.warnings);
        assert!(validate(&report.package_path, &ValidateOptions::default(), &Silent).unwrap().valid);
    }
}

#[test]
fn a_file_that_grew_between_scan_and_packing_is_packed_whole() {
    let home = tempfile::tempdir().unwrap();
    let path = root(home.path(), 3);
    let grow = || OpenOptions::new().append(true).open(&path).unwrap().write_all(line(9).as_bytes()).unwrap();
    let meddler = Meddler { at_bytes: 0, once: Once::new(), act: grow };
    let report = create(&options(home.path()), &meddler).unwrap();
    assert_eq!(report.total_events, 5);
    assert!(report.verified.unwrap().valid);
}

#[test]
fn a_file_that_shrinks_is_packed_as_it_was_read() {
    let home = tempfile::tempdir().unwrap();
    let path = root(home.path(), MANY);
    let shrink = || OpenOptions::new().write(true).open(&path).unwrap().set_len(2_000_000).unwrap();
    let meddler = Meddler { at_bytes: 1, once: Once::new(), act: shrink };
    let report = create(&options(home.path()), &meddler).unwrap();
    assert!(report.warnings.iter().any(|text| text.contains("it shrank by")), "{:?}", report.warnings);
    assert!(report.verified.unwrap().valid, "what is recorded is what was packed");
}

#[test]
fn a_file_that_disappears_ends_the_operation_or_is_skipped_by_option() {
    for lines in [3, MANY] {
        let home = tempfile::tempdir().unwrap();
        let path = root(home.path(), lines);
        let vanish = || fs::remove_file(&path).unwrap();
        let error = create(&options(home.path()), &Meddler { at_bytes: 0, once: Once::new(), act: vanish });
        let Err(PackagerError::Unreadable { path: named, .. }) = error else { panic!("{error:?}") };
        assert_eq!(named, Path::new("AAPL/Trade/2024-01-03.jsonl"));
        assert_eq!(fs::read_dir(home.path().join("packages")).unwrap().count(), 0, "nothing half-made");

        let path = root(home.path(), lines);
        let vanish = || fs::remove_file(&path).unwrap();
        let mut options = options(home.path());
        options.skip_unreadable = true;
        let report = create(&options, &Meddler { at_bytes: 0, once: Once::new(), act: vanish }).unwrap();
        assert_eq!((report.total_files, report.skipped.len()), (1, 1));
        assert!(report.verified.unwrap().valid);
    }
}

#[test]
fn nothing_is_left_when_every_file_was_skipped() {
    let home = tempfile::tempdir().unwrap();
    root(home.path(), 1);
    let vanish = || fs::remove_dir_all(home.path().join("data")).unwrap();
    let mut options = options(home.path());
    options.skip_unreadable = true;
    let error = create(&options, &Meddler { at_bytes: 0, once: Once::new(), act: vanish });
    assert!(matches!(error, Err(PackagerError::NoData { .. })), "{error:?}");
    assert_eq!(fs::read_dir(home.path().join("packages")).unwrap().count(), 0);
}
