//! `pdp serve` as a process, and what it is asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::support::{Home, Ran};

/// `pdp serve` with nothing of the tests' own environment.
pub(crate) fn command(home: &Home, args: &[&str]) -> Command {
    let mut all = vec!["serve"];
    all.extend(args);
    let mut command = home.command(&all);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PDP_") {
            command.env_remove(name);
        }
    }
    command
}

/// A server that runs.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) addresses: Vec<SocketAddr>,
}

impl Server {
    /// Starts `command` on any port and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        command.args(["--json", "--listen", "0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut text = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut text).unwrap();
        let Ok(report) = serde_json::from_str::<Value>(&text) else {
            panic!("{:?}", Ran::of(child.wait_with_output().unwrap()));
        };
        let address = |page: &Value| page.as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
        let addresses = report["listening"].as_array().unwrap().iter().map(address).collect();
        Self { child, addresses }
    }

    pub(crate) fn ask(&self, text: &str) -> String {
        ask(self.addresses[0], text)
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// Waits for the end, and gives what went to standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (self.child.wait().unwrap(), text)
    }

    pub(crate) fn end(self) -> String {
        self.signal("-TERM");
        let (status, log) = self.wait();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

pub(crate) fn ask(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

impl Drop for Server {
    /// A test that fails leaves no server behind.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
