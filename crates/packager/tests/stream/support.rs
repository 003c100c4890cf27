//! Packages to send, and places to receive them in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdp_packager::manifest::ContainerFormat;
use pdp_packager::stream::{ReceiveOptions, SharedProgress, receive, send};
use pdp_packager::{CreateOptions, ImportReport, PackagerError, Silent, create};
use tokio::io::AsyncRead;

pub(crate) fn silent() -> SharedProgress {
    Arc::new(Silent)
}

/// A directory with data files, which packages go beside.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    /// With `lines` records in its largest file.
    pub(crate) fn new(lines: usize) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        for (symbol, count) in [("AAPL", lines), ("MSFT", 2), ("\u{c9}TOILE", 1)] {
            let text: String = (0..count).map(|i| record(symbol, i)).collect();
            let path = home.join(&format!("data/{symbol}/Trade/2024-01-03.jsonl"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        home
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn options(&self, format: ContainerFormat) -> CreateOptions {
        let time = "2024-02-01T00:00:00Z".parse().unwrap();
        let mut options = CreateOptions::new(self.join("data"), self.join("packages"), time);
        options.format = format;
        options.threads = 2;
        options
    }

    pub(crate) fn package(&self, format: ContainerFormat) -> PathBuf {
        create(&self.options(format), &Silent).unwrap().package_path
    }

    /// The stream of a package that holds nothing but what it must.
    pub(crate) async fn small_stream() -> Vec<u8> {
        let home = Self::new(2);
        std::fs::remove_dir_all(home.join("data/\u{c9}TOILE")).unwrap();
        let mut options = home.options(ContainerFormat::Zip);
        (options.loader_scripts, options.data_dictionary, options.quality_report) = (false, false, false);
        sent(&create(&options, &Silent).unwrap().package_path).await
    }

    /// The stream of a package.
    pub(crate) async fn stream(&self, format: ContainerFormat) -> Vec<u8> {
        sent(&self.package(format)).await
    }
}

/// A record whose digits do not repeat, so that it does not compress to nothing.
pub(crate) fn record(symbol: &str, i: usize) -> String {
    let noise = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (minute, second) = (i / 60 % 60, i % 60);
    format!(
        "{{\"timestamp\":\"2024-01-03T14:{minute:02}:{second:02}Z\",\"symbol\":\"{symbol}\",\"type\":\"Trade\",\"n\":{i},\"noise\":{noise}}}\n"
    )
}

pub(crate) async fn sent(package: &Path) -> Vec<u8> {
    let mut stream = Vec::new();
    send(package, &mut stream, silent()).await.unwrap();
    stream
}

/// A place to receive in, of which nothing may be left when it fails.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn destination(&self) -> PathBuf {
        self.0.path().join("here")
    }

    pub(crate) fn options(&self) -> ReceiveOptions {
        ReceiveOptions::new(self.destination())
    }

    pub(crate) async fn receive(&self, input: impl AsyncRead + Unpin + Send) -> Result<ImportReport, PackagerError> {
        receive(input, &self.options(), silent()).await
    }

    pub(crate) fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        tree(&self.destination())
    }

    /// Everything beside and at the destination.
    pub(crate) fn left(&self) -> Vec<String> {
        fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn is_empty(&self) {
        assert_eq!(self.left(), Vec::<String>::new());
    }
}

/// Every file below a directory.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, at: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

/// A program of the system, or a word that the test skips.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    if found.is_none() {
        use std::io::Write as _;
        // Past the harness, which keeps what a passing test prints to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {name} is not installed");
    }
    found
}
