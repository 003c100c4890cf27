//! The commands that do a task: `pdp` in its ways, and what a user would take instead.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::measure::{Contender, Task};
use crate::process;

/// What all commands work on.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    pub(super) pdp: &'a Path,
    /// The data root.
    pub(super) data: &'a Path,
    /// Where outputs go.
    pub(super) work: &'a Path,
    /// The package that is validated and imported.
    pub(super) package: &'a Path,
    /// The same as a compressed tar, and whether it is a package.
    pub(super) tar: Option<(&'a Path, bool)>,
    /// Where programs of our own are, beside the path.
    pub(super) tools: &'a Path,
    pub(super) cores: usize,
}

/// The peers' programs that were looked for: each with a way to ask for its version, or not installed.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: &'static str,
    pub(super) program: Option<PathBuf>,
}

impl Peer {
    pub(super) fn all(tools: &Path) -> Vec<Self> {
        let own = |name: &str| Some(tools.join("bin").join(name)).filter(|path| path.is_file());
        ["zip", "unzip", "7z", "pigz", "tar", "ripunzip", "python3"]
            .map(|name| {
                let program = own(name).or_else(|| process::find(name));
                Self { name, program: if name == "python3" { program.map(real_python) } else { program } }
            })
            .into()
    }

    /// What it calls itself: the first line of its output that holds a version.
    pub(super) fn version(&self) -> Option<String> {
        let question = match self.name {
            "zip" | "unzip" => "-v",
            "7z" => "i",
            _ => "--version",
        };
        let output = Command::new(self.program.as_ref()?).arg(question).output().ok()?;
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let dotted = |word: &str| {
            let mut parts = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
            let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            parts.clone().count() >= 2 && parts.all(number)
        };
        let line = text.lines().find(|line| line.split_whitespace().any(dotted))?;
        let version = line.split_whitespace().find(|word| dotted(word))?;
        Some(format!("{} {}", self.name, version.trim_matches(|c: char| !c.is_ascii_digit())))
    }
}

/// The interpreter itself: what is on the path may be a script that looks for it.
fn real_python(found: PathBuf) -> PathBuf {
    let asked = Command::new(&found).args(["-c", "import sys; print(sys.executable)"]).output();
    let answer = asked.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    answer.map(|path| PathBuf::from(path.trim())).filter(|path| path.is_file()).unwrap_or(found)
}

/// All contenders whose programs are there, `pdp` first.
pub(super) fn contenders(inputs: &Inputs<'_>, peers: &[Peer]) -> Vec<Contender> {
    let mut list = List { inputs, peers, contenders: Vec::new() };
    list.create();
    list.validate();
    list.import();
    list.contenders
}

/// Whether this `pdp` makes and reads compressed tars.
pub(super) fn knows_tar(pdp: &Path) -> bool {
    let help = Command::new(pdp).args(["create", "--help"]).output();
    help.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("tar.gz"))
}

/// The arguments with which `pdp` makes a package of the data, quietly and the same each time; values are not measured,
/// as no peer does that.
pub(super) fn create_args(data: &Path, output: &Path, level: &str) -> Vec<OsString> {
    let fixed = ["create", "--quiet", "--progress", "none", "--name", "bench", "--created-at", "2024-04-01T12:00:00Z"];
    let mut args = fixed.map(OsString::from).to_vec();
    args.extend(["--no-quality-report", "--no-data-dictionary"].map(OsString::from));
    args.extend(["--compression", level, "--data-root"].map(OsString::from));
    args.extend([data.into(), "--output".into(), output.into()]);
    args
}

struct List<'a> {
    inputs: &'a Inputs<'a>,
    peers: &'a [Peer],
    contenders: Vec<Contender>,
}

impl List<'_> {
    fn output(&self) -> PathBuf {
        self.inputs.work.join(format!("out-{}", self.contenders.len()))
    }

    fn push(&mut self, task: Task, name: String, program: &Path, args: Vec<OsString>) {
        let (directory, output) = (self.inputs.data.to_owned(), self.output());
        let ours = program == self.inputs.pdp;
        self.contenders.push(Contender { task, name, ours, program: program.to_owned(), args, directory, output });
    }

    /// A peer, when its program is there; `args` are given the output's directory.
    fn peer(&mut self, task: Task, name: &str, program: &str, args: impl FnOnce(&Path) -> Vec<OsString>) {
        let peers = self.peers;
        if let Some(found) = peers.iter().find(|peer| peer.name == program).and_then(|peer| peer.program.as_ref()) {
            let args = args(&self.output());
            self.push(task, name.to_owned(), found, args);
        }
    }

    fn python(&mut self, task: Task, name: &str, args: impl FnOnce(&Path) -> Vec<OsString>) {
        let script = include_str!("peer.py");
        self.peer(task, name, "python3", |out| {
            let mut all: Vec<OsString> = vec!["-c".into(), script.into()];
            all.extend(args(out));
            all
        });
    }

    fn create(&mut self) {
        let Inputs { pdp, data, cores, .. } = *self.inputs;
        let zip = |level: &'static str| {
            move |out: &Path| vec!["-q".into(), "-r".into(), level.into(), out.join("out.zip").into(), ".".into()]
        };
        for level in ["balanced", "fast"] {
            let mut args = create_args(data, &self.output(), level);
            args.push("--skip-checksums".into());
            self.push(Task::Create, format!("pdp {level}"), pdp, args);
            let args = create_args(data, &self.output(), level);
            self.push(Task::Create, format!("pdp {level}, read back"), pdp, args);
        }
        let unmeasured = |arg: &OsString| arg == "--no-quality-report" || arg == "--no-data-dictionary";
        let mut args = create_args(data, &self.output(), "balanced");
        args.retain(|arg| !unmeasured(arg));
        args.push("--skip-checksums".into());
        self.push(Task::Create, "pdp balanced, with quality".to_owned(), pdp, args);
        if knows_tar(pdp) {
            let mut args = create_args(data, &self.output(), "balanced");
            args.extend(["--skip-checksums", "--format", "tar.gz"].map(OsString::from));
            self.push(Task::Create, "pdp balanced, tar.gz".to_owned(), pdp, args);
        }
        self.peer(Task::Create, "zip -6", "zip", zip("-6"));
        self.peer(Task::Create, "zip -1", "zip", zip("-1"));
        self.peer(Task::Create, "7z -mx=1", "7z", |out| {
            let fixed = ["a", "-tzip", "-mx=1", &format!("-mmt={cores}"), "-bso0", "-bsp0"];
            let mut args = fixed.map(OsString::from).to_vec();
            args.extend([out.join("out.zip").into(), ".".into()]);
            args
        });
        // A shell waits for both, so that what they used is counted together.
        let pigz = self.peers.iter().find(|peer| peer.name == "pigz").and_then(|peer| peer.program.clone());
        if let (Some(pigz), Some(shell)) = (pigz, process::find("sh")) {
            let script = format!("tar cf - . | \"$1\" -p{cores} -6 > \"$2\"");
            let args = ["-c".into(), script.into(), "sh".into(), pigz.into(), self.output().join("out.tar.gz").into()];
            self.push(Task::Create, "tar, pigz -6".to_owned(), &shell, args.into());
        }
        self.python(Task::Create, "python zipfile, sha256", |out| {
            vec!["create".into(), data.into(), out.join("out.zip").into()]
        });
    }

    fn validate(&mut self) {
        let Inputs { pdp, package, tar, .. } = *self.inputs;
        let quiet = |package: &Path| vec!["validate".into(), "--quiet".into(), package.into()];
        self.push(Task::Validate, "pdp".to_owned(), pdp, quiet(package));
        if let Some((tar, true)) = tar {
            self.push(Task::Validate, "pdp, tar.gz".to_owned(), pdp, quiet(tar));
        }
        self.peer(Task::Validate, "unzip -t", "unzip", |_| vec!["-tqq".into(), package.into()]);
        self.peer(Task::Validate, "7z t", "7z", |_| vec!["t".into(), "-bso0".into(), "-bsp0".into(), package.into()]);
        self.python(Task::Validate, "python zipfile, sha256", |_| vec!["validate".into(), package.into()]);
    }

    fn import(&mut self) {
        let Inputs { pdp, package, tar, .. } = *self.inputs;
        let import = |package: &Path, out: PathBuf| {
            vec!["import".into(), "--quiet".into(), package.into(), "--destination".into(), out.into()]
        };
        let out = self.output();
        self.push(Task::Import, "pdp".to_owned(), pdp, import(package, out));
        if let Some((tar, true)) = tar {
            let out = self.output();
            self.push(Task::Import, "pdp, tar.gz".to_owned(), pdp, import(tar, out));
        }
        self.peer(Task::Import, "unzip", "unzip", |out| vec!["-q".into(), package.into(), "-d".into(), out.into()]);
        self.peer(Task::Import, "ripunzip", "ripunzip", |out| {
            vec!["unzip-file".into(), "-d".into(), out.into(), package.into()]
        });
        self.peer(Task::Import, "7z x", "7z", |out| {
            let mut into = OsString::from("-o");
            into.push(out);
            vec!["x".into(), "-y".into(), "-bso0".into(), "-bsp0".into(), into, package.into()]
        });
        if let Some((tar, _)) = tar {
            self.peer(Task::Import, "tar xzf", "tar", |out| vec!["xzf".into(), tar.into(), "-C".into(), out.into()]);
        }
        self.python(Task::Import, "python extractall", |out| vec!["extract".into(), package.into(), out.into()]);
    }
}
