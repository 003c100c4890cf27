//! A server on a port of its own, and clients that say exactly what they are told to.

use std::net::SocketAddr;
use std::time::Duration;

use pdp_http::listen::{self, Limits, Served};
use pdp_http::{Settings, State, Token};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(crate) const TOKEN: &str = "correct-horse-battery-staple";

/// Longer than anything that is waited for; a test that reaches it fails.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    end: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<Served>>,
    pub(crate) home: tempfile::TempDir,
}

impl Server {
    /// A server with settings and limits as `adjust` leaves them.
    pub(crate) fn start(adjust: impl FnOnce(&mut Settings, &mut Limits)) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(home.path().join("data"), home.path().join("packages"));
        let mut limits = Limits::default();
        adjust(&mut settings, &mut limits);
        let router = pdp_http::router(State::open(settings).unwrap());
        Self::with(router, limits, home)
    }

    pub(crate) fn plain() -> Self {
        Self::start(|_, _| ())
    }

    pub(crate) fn with_token() -> Self {
        Self::start(|settings, _| settings.token = Some(Token::new(TOKEN).unwrap()))
    }

    pub(crate) fn with(router: axum::Router, limits: Limits, home: tempfile::TempDir) -> Self {
        let listener = listen::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let shutdown = async {
            let _ = ended.await;
        };
        let task = tokio::spawn(listen::serve(vec![listener], router, limits, shutdown));
        Self { address, end, task, home }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Sends `text` over a connection of its own and gives the first answer.
    pub(crate) async fn send(&self, text: &str) -> Answer {
        let mut client = self.connect().await;
        client.say(text).await;
        client.answer().await.expect("no answer")
    }

    /// A request with this line, these fields beside `Host`, and no body.
    pub(crate) async fn ask(&self, line: &str, fields: &str) -> Answer {
        self.send(&format!("{line} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")).await
    }

    /// A request with this line, these fields beside `Host`, and a JSON body.
    pub(crate) async fn post(&self, line: &str, fields: &str, body: &str) -> Answer {
        let length = body.len();
        let text = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n{body}"
        );
        self.send(&text).await
    }

    pub(crate) async fn healthy(&self) {
        assert_eq!(self.ask("GET /health", "").await.status, 200);
    }

    /// Asks the server to end.
    pub(crate) fn end(self) -> JoinHandle<std::io::Result<Served>> {
        self.end.send(()).unwrap();
        self.task
    }
}

/// Says that a test is skipped, past the harness.
pub(crate) fn skipped(reason: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "SKIPPED: {reason}");
}

pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        // The server may have said all it has to say.
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// The next answer; none where the connection ends first.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        tokio::time::timeout(LONG, self.read()).await.expect("no answer and no end")
    }

    /// Whether the server ends the connection without a word.
    pub(crate) async fn ends(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(LONG, self.0.read(&mut byte)).await.expect("the connection stays open");
        !matches!(read, Ok(1..))
    }

    async fn read(&mut self) -> Option<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head: head.to_ascii_lowercase(), body: String::new() };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.ok()?;
        answer.body = String::from_utf8(body).unwrap();
        Some(answer)
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In small letters.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The answer is a problem of this status.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, detail: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["detail"].as_str().unwrap().contains(detail), "expected \"{detail}\" in {problem}");
    }
}
