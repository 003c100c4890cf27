//! A PostgreSQL server of a test's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{program, skipped};

/// A server on a socket in a directory of its own, gone with the value.
pub(crate) struct Server {
    home: PathBuf,
    programs: PathBuf,
}

impl Server {
    /// Starts one, or says that the test skips.
    pub(crate) fn start() -> Option<Self> {
        program("psql")?;
        let Some(programs) = programs() else {
            skipped("PostgreSQL's initdb is not installed");
            return None;
        };
        // A short path of its own: a socket's name may have 107 bytes, and the server must not be root's.
        let home = PathBuf::from(run(as_somebody(Path::new("mktemp")), &["-d", "/tmp/pdp-pg.XXXXXX"]).trim());
        let server = Self { home, programs };
        let (data, log) = (server.home.join("data"), server.home.join("log"));
        let options = format!("-c listen_addresses= -c fsync=off -k {}", server.home.display());
        let data = data.to_str().unwrap();
        run(server.command("initdb"), &["-D", data, "-U", "pdp", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        run(server.command("pg_ctl"), &["-D", data, "-l", log.to_str().unwrap(), "-o", &options, "-w", "start"]);
        Some(server)
    }

    /// What `psql -d` takes.
    pub(crate) fn connection(&self) -> String {
        format!("host={} user=pdp dbname=postgres", self.home.display())
    }

    fn command(&self, name: &str) -> Command {
        as_somebody(&self.programs.join(name))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.home.join("data");
        let _ = self.command("pg_ctl").arg("-D").arg(&data).args(["-m", "immediate", "stop"]).output();
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// The directory of the server's programs, which Debian keeps off the path.
fn programs() -> Option<PathBuf> {
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).find(|directory| directory.join("initdb").is_file())
}

/// A program as a user who is not root, which the server refuses to be.
fn as_somebody(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}

/// Runs a command that has to work and gives what it says.
fn run(mut command: Command, args: &[&str]) -> String {
    // A server that is started keeps the pipe of its starter; a file does not wait for it.
    let said = tempfile::NamedTempFile::new().unwrap();
    let status = command.args(args).stdout(said.reopen().unwrap()).stderr(said.reopen().unwrap()).status().unwrap();
    let text = std::fs::read_to_string(said.path()).unwrap();
    assert!(status.success(), "{command:?}: {text}");
    text
}
