//! T135: ten thousand clients that are slow, and one that asks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::serving::{Server, command, get};
use crate::support::{Home, tell};

const HEALTH: &str = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
const SLOW_BODY: &str = "POST /api/packaging/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{";

#[test]
fn t135_ten_thousand_slow_connections_leave_the_server_able_to_answer() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    // Tests beside this one need some, too.
    let most = limit.maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap()).saturating_sub(500);
    let wanted = 10_000.min(most);
    if wanted < 10_000 {
        tell(&format!("only {wanted} slow connections: the limit of descriptors is {:?}", limit.maximum));
    }
    let home = Home::new();
    // Nobody goes away by himself within the test.
    let server = Server::start(command(&home, &["--header-timeout", "10m", "--log-level", "warn"]));
    let greetings = ["", "GET /health HTTP/1.1\r\nHo", SLOW_BODY, HEALTH];
    let mut crowd = Vec::with_capacity(wanted);
    for greeting in greetings.iter().cycle().take(wanted) {
        let mut client = TcpStream::connect(server.addresses[0]).unwrap();
        // The server may have closed it again already.
        let _ = client.write_all(greeting.as_bytes());
        crowd.push(client);
    }
    for _ in 0..100 {
        assert!(server.ask(&get("/health")).starts_with("HTTP/1.1 200 "));
    }
    // Who came last is still there, and is answered when he asks.
    let last = crowd.iter_mut().rev().nth(3).unwrap();
    last.write_all(HEALTH.as_bytes()).unwrap();
    let mut answer = [0; 12];
    last.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    drop(crowd);
    server.end();
}
