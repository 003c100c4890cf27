//! Servers that run while they are measured.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::tools;

/// A server, which ends when this value is dropped.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) name: String,
    /// What comes before a package's name.
    base: String,
    child: Child,
    /// How it is told to end, when killing it would leave processes behind.
    stop: Option<PathBuf>,
}

/// What a server's processes have used since they began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Used {
    /// User and system.
    pub(super) cpu: f64,
    /// Most memory at a time, in bytes, of all processes together.
    pub(super) peak: u64,
}

impl Server {
    /// `pdp serve`, with the packages below `place`.
    pub(super) fn pdp(program: &Path, place: &Path) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(["serve", "--json", "--listen", "127.0.0.1:0", "--packages"]).arg(place.join("packages"));
        command.arg("--data-root").arg(place.join("data"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("pdp serve")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let report: Value = serde_json::from_str(&line).with_context(|| format!("pdp serve said {line:?}"))?;
        let page = report.pointer("/listening/0").and_then(Value::as_str).context("pdp serve does not listen")?;
        let base = format!("{}/api/packaging/download/", page.trim_end_matches('/'));
        Ok(Self { name: "pdp serve".to_owned(), base, child, stop: None })
    }

    /// nginx as Debian sets it up, but for its directory, its log and, where that is asked for, without sendfile.
    pub(super) fn nginx(place: &Path, name: &str, sendfile: bool) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let home = place.join(if sendfile { "nginx" } else { "nginx-without" });
        fs::create_dir_all(&home)?;
        let (user, on) = (if tools::is_root() { "user root;" } else { "" }, if sendfile { "on" } else { "off" });
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("  {what}_temp_path {}/{what};\n", home.display()))
            .concat();
        let text = format!(
            "{user}\ndaemon off;\nworker_processes auto;\npid {home}/pid;\nerror_log {home}/error.log;\n\
             events {{ worker_connections 768; }}\nhttp {{\n{temporary}  sendfile {on};\n  tcp_nopush on;\n  access_log off;\n\
             \x20 types {{ application/zip zip; }}\n  server {{ listen 127.0.0.1:{port}; root {packages}; }}\n}}\n",
            home = home.display(),
            packages = place.join("packages").display(),
        );
        let config = home.join("nginx.conf");
        fs::write(&config, text)?;
        let child = Command::new("nginx").arg("-c").arg(&config).arg("-p").arg(&home).spawn().context("nginx")?;
        let server =
            Self { name: name.to_owned(), base: format!("http://127.0.0.1:{port}/"), child, stop: Some(config) };
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("nginx does not listen; see {}/error.log", home.display())
    }

    pub(super) fn url(&self, package: &str) -> String {
        format!("{}{package}", self.base)
    }

    /// What its processes have used by now.
    pub(super) fn used(&self) -> Result<Used> {
        let own = self.child.id();
        let mut used = Used::default();
        for entry in fs::read_dir("/proc")?.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
            let Some((_, ticks)) = stat(id).filter(|(parent, _)| id == own || *parent == own) else { continue };
            // Ticks are hundredths of a second on every Linux.
            used.cpu += ticks as f64 / 100.0;
            used.peak += peak(id).unwrap_or(0);
        }
        Ok(used)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(config) = &self.stop {
            let _ = Command::new("nginx").arg("-c").arg(config).args(["-s", "stop"]).status();
        } else {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A process's parent, and the ticks that it has run.
fn stat(id: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name may have anything in it, parentheses too.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some((u32::try_from(number(1)?).ok()?, number(11)? + number(12)?))
}

/// The most memory that a process has had.
fn peak(id: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}
