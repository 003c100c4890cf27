//! A server on a port of its own, and a client that says exactly what it is told to.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use pdp_http::{Settings, State};
use pdp_packager::manifest::ContainerFormat;
use pdp_packager::{CreateOptions, Silent};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Longer than anything that is waited for; a test that reaches it fails.
const LONG: Duration = Duration::from_secs(120);

pub(crate) struct Server {
    pub(crate) home: TempDir,
    pub(crate) address: SocketAddr,
    state: State,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(tempfile::tempdir().unwrap(), change)
    }

    /// A server on directories that are there.
    pub(crate) fn on(home: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(home.path().join("data"), home.path().join("packages"));
        change(&mut settings);
        let state = State::open(settings).unwrap();
        let router = pdp_http::router(state.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { home, address, state, _runtime: runtime }
    }

    /// Ends the server; its directories stay.
    pub(crate) fn end(self) -> TempDir {
        self.state.shutdown();
        let Self { home, .. } = self;
        home
    }

    pub(crate) fn packages(&self) -> PathBuf {
        self.home.path().join("packages")
    }

    /// Writes a file into the directory of packages.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.packages().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Makes a package of a few trades, and of `padding` bytes that nothing makes smaller; gives its file name.
    pub(crate) fn package(&self, name: &str, format: ContainerFormat, padding: usize) -> String {
        let report = package_in(&self.packages(), name, format, padding);
        report.file_name().unwrap().to_str().unwrap().to_owned()
    }

    /// The names in the directory of packages, but for those of what the server keeps for itself.
    pub(crate) fn names(&self) -> Vec<String> {
        let own = [".pdp-uploads", ".pdp-server"];
        names(&self.packages()).into_iter().filter(|name| !own.contains(&name.as_str())).collect()
    }

    /// What is left of uploads.
    pub(crate) fn uploads(&self) -> Vec<String> {
        names(&self.packages().join(".pdp-uploads"))
    }

    /// Sends a request and reads the head of the answer.
    pub(crate) fn open(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut request = Sending::begin(self, method, path, fields, body.len());
        request.say(body);
        request.reply()
    }

    /// Sends a request and reads the whole answer.
    pub(crate) fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        self.open(method, path, fields, body).rest()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    pub(crate) fn download(&self, name: &str, fields: &[(&str, &str)]) -> Answer {
        self.ask("GET", &format!("/api/packaging/download/{name}"), fields, b"")
    }
}

/// Says that a test is skipped, past the harness.
pub(crate) fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

/// Names in a directory, sorted; none where there is none.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Bytes that no compression makes smaller, always the same.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_be_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// The file of padding in a package, as a member.
pub(crate) const PADDING: &str = "data/2024-01-03/MSFT/Trade/2024-01-03.jsonl";
/// The file of trades.
pub(crate) const TRADES: &str = "data/2024-01-03/AAPL/Trade/2024-01-03.jsonl";

pub(crate) fn trades() -> String {
    let line = |i| {
        format!(
            "{{\"timestamp\":\"2024-01-03T14:30:{:02}Z\",\"symbol\":\"AAPL\",\"type\":\"Trade\",\"price\":1.5,\"sequence\":{i}}}\n",
            i % 60
        )
    };
    (1..=50).map(line).collect()
}

/// Makes a package in `output` and gives its path.
pub(crate) fn package_in(output: &Path, name: &str, format: ContainerFormat, padding: usize) -> PathBuf {
    let data = tempfile::tempdir().unwrap();
    let put = |symbol: &str, bytes: &[u8]| {
        let directory = data.path().join(symbol).join("Trade");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("2024-01-03.jsonl"), bytes).unwrap();
    };
    put("AAPL", trades().as_bytes());
    if padding > 0 {
        let text: String = hex::encode(noise(padding));
        put("MSFT", format!("{{\"timestamp\":\"2024-01-03T14:30:00Z\",\"note\":\"{text}\"}}\n").as_bytes());
    }
    let now: DateTime<Utc> = "2024-02-01T12:00:00Z".parse().unwrap();
    let mut options = CreateOptions::new(data.path(), output, now);
    options.name = Some(name.parse().unwrap());
    options.format = format;
    pdp_packager::create(&options, &Silent).unwrap().package_path
}

/// A request whose body is sent piece by piece.
pub(crate) struct Sending {
    stream: TcpStream,
    head: bool,
}

impl Sending {
    pub(crate) fn begin(server: &Server, method: &str, path: &str, fields: &[(&str, &str)], length: usize) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        let is_said = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding"));
        if !is_said && (length > 0 || !matches!(method, "GET" | "HEAD")) {
            text.push_str(&format!("Content-Length: {length}\r\n"));
        }
        for (name, value) in fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut sending = Self { stream, head: method == "HEAD" };
        sending.say(text.as_bytes());
        sending
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        // A server that refuses a body may hang up on what is left of it.
        let _ = self.stream.write_all(bytes);
    }

    /// Goes away in the middle.
    pub(crate) fn hang_up(self) {
        self.stream.shutdown(std::net::Shutdown::Both).unwrap();
    }

    pub(crate) fn reply(self) -> Reply {
        let mut stream = BufReader::new(self.stream);
        let mut line = || {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line();
        let status = status.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {status:?}")).parse().unwrap();
        let mut fields = Vec::new();
        loop {
            let field = line();
            let Some((name, value)) = field.split_once(':') else { break };
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        Reply { status, fields, stream, bodiless: self.head || matches!(status, 204 | 304) }
    }
}

/// An answer whose head was read.
pub(crate) struct Reply {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) stream: BufReader<TcpStream>,
    bodiless: bool,
}

impl Reply {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Reads the body to its end, or to where it breaks off.
    pub(crate) fn rest(mut self) -> Answer {
        let mut body = Vec::new();
        let length: Option<u64> = self.field("content-length").map(|length| length.parse().unwrap());
        let whole = match length {
            _ if self.bodiless => true,
            Some(length) => {
                let read = (&mut self.stream).take(length).read_to_end(&mut body);
                read.is_ok() && body.len() as u64 == length
            }
            None => self.chunks(&mut body).is_some(),
        };
        Answer { status: self.status, fields: self.fields, body, whole }
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Option<()> {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).ok()?;
            let length = u64::from_str_radix(line.trim(), 16).ok()?;
            let before = body.len() as u64;
            (&mut self.stream).take(length).read_to_end(body).ok()?;
            if body.len() as u64 != before + length {
                return None;
            }
            let mut end = [0; 2];
            self.stream.read_exact(&mut end).ok()?;
            if length == 0 {
                return Some(());
            }
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) whole: bool,
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.given(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.fields))
    }

    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{:?} {}", self.fields, self.text().chars().take(600).collect::<String>());
        self
    }

    /// A problem of this status whose text says this, and nothing of the host.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, says: &str) -> Self {
        let answer = self.is(status);
        assert_eq!(answer.field("content-type"), "application/problem+json");
        let text = answer.text();
        assert!(text.contains(says), "expected \"{says}\" in {text}");
        assert!(!text.contains("/tmp") && !text.contains("/proc"), "{text}");
        answer
    }
}

/// Waits until this process has no file of this name open any more.
#[cfg(target_os = "linux")]
pub(crate) fn until_closed(name: &str) {
    let is_open = || {
        let entries = fs::read_dir("/proc/self/fd").unwrap().flatten();
        entries.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|path| path.to_string_lossy().contains(name))
    };
    let start = std::time::Instant::now();
    while is_open() {
        assert!(start.elapsed() < LONG, "{name} is still open");
        std::thread::sleep(Duration::from_millis(20));
    }
}
