//! What tests, checks and benchmarks need beside Rust, installed where it can be.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::process;

/// Debian packages that the tests use, and a program by which each is known to be there.
const SYSTEM: [(&str, &str); 10] = [
    ("unzip", "unzip"),
    ("p7zip-full", "7z"),
    ("zstd", "zstd"),
    ("libarchive-tools", "bsdtar"),
    ("minisign", "minisign"),
    ("r-base-core", "Rscript"),
    ("chromium", "chromium"),
    ("chromium-driver", "chromedriver"),
    ("postgresql", "psql"),
    ("default-jre-headless", "java"),
];
/// Debian packages of the peers in benchmarks, and their programs.
const PEERS: [(&str, &str); 4] = [("zip", "zip"), ("unzip", "unzip"), ("p7zip-full", "7z"), ("pigz", "pigz")];
/// The same for the benchmark of downloads: a server, and clients.
const SERVING: [(&str, &str); 3] = [("nginx-light", "nginx"), ("curl", "curl"), ("wrk", "wrk")];
/// Packages of R, which bring no program.
const R_PACKAGES: [&str; 2] = ["jsonlite", "dplyr"];

/// A Python with the packages of `xtask/requirements.txt`, in an environment of its own below `target`.
pub(crate) fn python(root: &Path) -> Result<PathBuf> {
    environment(root, "test-venv", "requirements.txt")
}

/// One with the peers of benchmarks.
pub(crate) fn python_bench(root: &Path) -> Result<PathBuf> {
    environment(root, "bench-venv", "requirements-bench.txt")
}

/// Another with pandas 3, which needs a newer Python than the rest; none where it cannot be made.
pub(crate) fn python_pandas3(root: &Path) -> Option<PathBuf> {
    let made = environment(root, "test-venv-pandas3", "requirements-pandas3.txt");
    made.inspect_err(|error| eprintln!("xtask: tests that need pandas 3 are SKIPPED: {error:#}")).ok()
}

/// A Python with Spark. It is half a gigabyte, so it is apart from the other, and tests can do without.
pub(crate) fn spark(root: &Path) -> Option<PathBuf> {
    process::find("java")?;
    let made = environment(root, "spark-venv", "requirements-spark.txt");
    made.inspect_err(|error| eprintln!("xtask: the tests of Spark are SKIPPED: {error:#}")).ok()
}

/// A Python with the packages that a file beside this crate lists, made anew when the list has changed.
fn environment(root: &Path, name: &str, list: &str) -> Result<PathBuf> {
    let home = root.join("target").join(name);
    let requirements = root.join("xtask").join(list);
    let wanted = std::fs::read_to_string(&requirements).with_context(|| format!("xtask/{list}"))?;
    let program = if cfg!(windows) { home.join("Scripts/python.exe") } else { home.join("bin/python") };
    let stamp = home.join("requirements.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) && program.is_file() {
        return Ok(program);
    }
    let python = process::find("python3").or_else(|| process::find("python")).context("Python 3 is needed")?;
    let shown = home.to_string_lossy();
    if process::run(root, &python, &["-m", "venv", "--clear", &shown]).is_err() {
        // Debian leaves `venv` out of its Python; the package index has the same thing.
        let site = root.join("target/test-virtualenv");
        let site_shown = site.to_string_lossy();
        process::run(root, &python, &["-m", "pip", "install", "--quiet", "--target", &site_shown, "virtualenv"])?;
        let path = [("PYTHONPATH", site_shown.to_string())];
        process::run_with(root, &python, &["-m", "virtualenv", &shown], &path)?;
    }
    let list = requirements.to_string_lossy();
    process::run(root, &program, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", &list])?;
    std::fs::write(&stamp, wanted).context("noting what was installed")?;
    Ok(program)
}

/// Installs the system's packages where that is possible, and says what is missing where it is not.
pub(crate) fn system(root: &Path) {
    let r_ready = || {
        let load = R_PACKAGES.map(|name| format!("library({name})")).join("; ");
        process::find("Rscript").is_some_and(|rscript| {
            std::process::Command::new(rscript).args(["-e", &load]).output().is_ok_and(|output| output.status.success())
        })
    };
    let mut missing = missing(&SYSTEM);
    if !r_ready() {
        missing.extend(R_PACKAGES.map(|name| format!("r-cran-{name}")));
    }
    if !install(root, &missing) {
        eprintln!(
            "xtask: tests that need these are SKIPPED, for they cannot be installed here: {}",
            missing.join(", ")
        );
    }
}

/// Installs the peers of benchmarks where that is possible; a benchmark itself names those that it does not find.
pub(crate) fn peers(root: &Path) {
    install(root, &missing(&PEERS));
}

/// Installs what downloads are compared with; whether all of it is there.
pub(crate) fn serving(root: &Path) -> bool {
    install(root, &missing(&SERVING))
}

/// `ripunzip`, built from the registry into `home`.
pub(crate) fn ripunzip(root: &Path, home: &Path) -> Result<()> {
    if home.join("bin/ripunzip").is_file() {
        return Ok(());
    }
    let home = home.to_string_lossy();
    process::run(root, process::cargo(), &["install", "ripunzip", "--locked", "--root", &home])
}

/// `cargo fuzz`, installed when it is not there.
pub(crate) fn cargo_fuzz(root: &Path) -> Result<()> {
    if process::output(root, &process::cargo(), &["fuzz", "--version"]).is_ok() {
        return Ok(());
    }
    process::run(root, process::cargo(), &["install", "cargo-fuzz", "--locked", "--debug"])
}

/// The packages whose programs are not on the path.
fn missing(packages: &[(&str, &str)]) -> Vec<String> {
    let absent = packages.iter().filter(|(_, program)| process::find(program).is_none());
    absent.map(|(package, _)| (*package).to_owned()).collect()
}

/// Installs packages of the system where we may; whether they are there afterwards.
fn install(root: &Path, packages: &[String]) -> bool {
    if packages.is_empty() {
        return true;
    }
    if process::find("apt-get").is_none() || !is_root() {
        return false;
    }
    let quiet = [("DEBIAN_FRONTEND", "noninteractive".to_owned())];
    let mut args = vec!["install", "-y", "-qq", "--no-install-recommends"];
    args.extend(packages.iter().map(String::as_str));
    let installed = process::run_with(root, "apt-get", &["update", "-qq"], &quiet)
        .and_then(|()| process::run_with(root, "apt-get", &args, &quiet));
    if let Err(error) = &installed {
        eprintln!("xtask: {error:#}");
    }
    installed.is_ok()
}

/// Whether we may install the system's packages.
pub(crate) fn is_root() -> bool {
    process::output(Path::new("."), "id", &["-u"]).is_ok_and(|id| id.trim() == "0")
}

/// `cargo deny`, installed when it is not there.
pub(crate) fn cargo_deny(root: &Path) -> Result<()> {
    const VERSION: &str = "0.20.2";
    if process::output(root, &process::cargo(), &["deny", "--version"]).is_ok() {
        return Ok(());
    }
    process::run(root, process::cargo(), &["install", "cargo-deny", "--version", VERSION, "--locked", "--debug"])?;
    if process::output(root, &process::cargo(), &["deny", "--version"]).is_err() {
        bail!("cargo-deny was installed but cargo does not find it; is cargo's bin directory on the path?");
    }
    Ok(())
}
