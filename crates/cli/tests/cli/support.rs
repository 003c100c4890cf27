//! Running `pdp` and its companions.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A directory of the test's own.
pub(crate) struct Home(tempfile::TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and the directories it needs.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// `pdp` in this directory.
    pub(crate) fn pdp(&self, args: &[&str]) -> Ran {
        Ran::of(self.command(args).output().unwrap())
    }

    /// `pdp` in this directory, not run yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pdp"));
        command.args(args).current_dir(self.path()).env_remove("SOURCE_DATE_EPOCH").env_remove("PDP_DATA_ROOT");
        command
    }

    /// Creates a package and gives its path.
    pub(crate) fn create(&self, args: &[&str]) -> PathBuf {
        let mut all = vec!["create", "--json"];
        all.extend(args);
        let report = self.pdp(&all).ok().json();
        self.path().join(report["packagePath"].as_str().unwrap())
    }

    /// Paths of all files below a directory, sorted, relative to it.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        files(&self.join(below))
    }
}

/// Paths of all files below a directory, hidden ones too, sorted, relative to it.
pub(crate) fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, at: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(at).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(root, root, &mut found);
    found.sort();
    found
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn fails(self, code: i32, message: &str) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        assert!(self.err.contains(message) || self.out.contains(message), "expected \"{message}\" in {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

/// The manifest of a package folder.
pub(crate) fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap()
}

/// The workspace.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The committed sample data.
pub(crate) fn sample_data() -> String {
    workspace().join("fixtures/sample-data").to_str().unwrap().to_owned()
}

/// Says that a test is skipped.
pub(crate) fn skipped(reason: &str) {
    tell(&format!("SKIPPED: {reason}"));
}

/// Says something past the harness, which keeps what a passing test prints to itself.
pub(crate) fn tell(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Real files beside the workspace, which are not part of it.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = workspace().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    skipped(&format!("no real data at ../shared/data/{name}"));
    None
}

/// The Python that `cargo xtask test` made ready. Without it a test says that it skips.
pub(crate) fn python() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PDP_TEST_PYTHON") {
        return Some(path.into());
    }
    let own = workspace().join("target/test-venv/bin/python");
    if own.is_file() {
        return Some(own);
    }
    skipped("no Python with pandas; `cargo xtask test` makes one");
    None
}

/// A Python with pandas 3, whose types of text and time differ. Without it a test says that it skips.
pub(crate) fn python_pandas3() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PDP_TEST_PYTHON_PANDAS3") {
        return Some(path.into());
    }
    let own = workspace().join("target/test-venv-pandas3/bin/python");
    if own.is_file() {
        return Some(own);
    }
    skipped("no Python with pandas 3; `cargo xtask test` makes one where Python is new enough");
    None
}

/// The Python with Spark that `cargo xtask test` made ready, or the other one. Without one a test says that it skips.
pub(crate) fn spark_python() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PDP_TEST_SPARK_PYTHON") {
        return Some(path.into());
    }
    let own = workspace().join("target/spark-venv/bin/python");
    if own.is_file() { Some(own) } else { python() }
}

/// A program of the system, or a word that the test skips.
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    if found.is_none() {
        skipped(&format!("{name} is not installed"));
    }
    found
}

/// Runs one of the scripts in `tests/oracle`.
#[track_caller]
pub(crate) fn oracle(python: &Path, script: &str, args: &[&Path]) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(script);
    let output = Command::new(python).arg(script).args(args).output().unwrap();
    Ran::of(output).ok().json()
}

/// A day of trades as JSON Lines.
pub(crate) fn trades(symbol: &str, date: &str, count: usize) -> String {
    (0..count)
        .map(|i| {
            let (minute, second) = (i / 60 % 60, i % 60);
            format!(
                "{{\"timestamp\":\"{date}T14:{minute:02}:{second:02}Z\",\"symbol\":\"{symbol}\",\"type\":\"Trade\",\"payload\":{{\"kind\":\"trade\",\"price\":{}.25,\"size\":{}}},\"sequence\":{},\"source\":\"TEST\",\"schemaVersion\":1}}\n",
                100 + i % 5, 10 + i, i + 1
            )
        })
        .collect()
}
