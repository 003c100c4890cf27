//! `pdp serve`, started for a test and ended with it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use crate::support::Home;

/// The token of servers that are started with one.
pub(crate) const TOKEN: &str = "correct-horse-battery-staple";

/// A server on a free port.
pub(crate) struct Served {
    child: Child,
    /// Where it is, with a slash at the end.
    pub(crate) url: String,
}

impl Served {
    /// Serves these directories of `home`, with a token where `token` says so.
    pub(crate) fn start(home: &Home, data: &str, packages: &str, token: bool, more: &[&str]) -> Self {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--data-root", data, "--packages", packages];
        args.extend(more);
        let mut command = home.command(&args);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PDP_")) {
            command.env_remove(name);
        }
        if token {
            command.env("PDP_TOKEN", TOKEN);
        }
        #[allow(clippy::zombie_processes, reason = "one that ends by itself ends the test, too")]
        let mut child = command.spawn().unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while told.read_line(&mut seen).unwrap() > 0 {
            if let Some(at) = seen.find("http://127.0.0.1:") {
                let url: String = seen[at..].chars().take_while(|c| !c.is_whitespace() && *c != '"').collect();
                // What it says from here on goes nowhere; it must not wait for a reader.
                std::thread::spawn(move || std::io::copy(&mut told, &mut std::io::sink()));
                return Self { child, url: format!("{}/", url.trim_end_matches('/')) };
            }
        }
        panic!("it ended without saying where it listens: {seen}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
