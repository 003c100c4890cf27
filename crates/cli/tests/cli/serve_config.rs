//! `pdp serve`: where its settings come from, what it refuses, how it ends, and what it logs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::serving::{Server, ask, command, get};
use crate::support::{Home, Ran, program};

const TOKEN: &str = "correct-horse-battery-staple";

fn printed(home: &Home, args: &[&str], environment: &[(&str, &str)]) -> String {
    let mut command = command(home, args);
    command.arg("--print-config").envs(environment.iter().copied());
    Ran::of(command.output().unwrap()).ok().out
}

/// The line of a setting, without the spaces that align it.
fn line(text: &str, name: &str) -> String {
    let found = text.lines().find(|line| line.trim_start_matches("# ").starts_with(name));
    found.unwrap_or_else(|| panic!("no {name} in {text}")).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn options_win_over_the_environment_over_the_file_over_defaults() {
    let home = Home::new();
    home.put("pdp.toml", "packages = \"file\"\ndata-root = \"file\"\nqueue = 1\njobs = 2\nheader-timeout = 3\n");
    let environment = [("PDP_PACKAGES", "environment"), ("PDP_DATA_ROOT", "environment"), ("PDP_QUEUE", "4")];
    let text = printed(&home, &["--config", "pdp.toml", "--packages", "option"], &environment);
    for (name, expected) in [
        ("packages", "packages = \"option\" # --packages"),
        ("data-root", "data-root = \"environment\" # PDP_DATA_ROOT"),
        ("queue", "queue = 4 # PDP_QUEUE"),
        ("jobs", "jobs = 2 # --config"),
        ("header-timeout", "header-timeout = \"3s\" # --config"),
        ("read-only", "read-only = false # default"),
        ("listen", "listen = [\"localhost:8080\"] # default"),
        ("max-packages-size", "# max-packages-size is not set # default"),
    ] {
        assert_eq!(line(&text, name), expected);
    }
    // The file may be named in the environment, and options of all commands may stand before this one.
    let mut command = home.command(&["--data-root", "option", "serve", "--print-config"]);
    let ran = Ran::of(command.env("PDP_CONFIG", "pdp.toml").output().unwrap()).ok();
    assert_eq!(line(&ran.out, "data-root"), "data-root = \"option\" # --data-root");
    assert_eq!(line(&ran.out, "packages"), "packages = \"file\" # --config");
}

#[test]
fn every_setting_has_an_option_a_variable_and_a_place_in_the_file() {
    let home = Home::new();
    let all = [
        ("packages", "p \"q\"", "'p \"q\"'"),
        ("data-root", "d", "\"d\""),
        ("listen", "[::1]:9000,8081", "[\"[::1]:9000\", \"localhost:8081\"]"),
        ("allow-host", "a.example,b.example:8443", "[\"a.example\", \"b.example:8443\"]"),
        ("read-only", "true", "true"),
        ("max-connections", "100", "100"),
        ("header-timeout", "1500ms", "\"1500ms\""),
        ("max-upload-size", "2GB", "\"2GB\""),
        ("max-packages-size", "3TiB", "\"3TiB\""),
        ("jobs", "2", "2"),
        ("queue", "0", "0"),
        ("log-format", "json", "\"json\""),
        ("log-level", "trace", "\"trace\""),
        ("token-file", "t.txt", "\"t.txt\""),
    ];
    let options: Vec<String> = all.iter().map(|(name, value, _)| format!("--{name}={value}")).collect();
    let by_options = printed(&home, &options.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let variable = |name: &str| format!("PDP_{}", name.to_uppercase().replace('-', "_"));
    let names: Vec<String> = all.iter().map(|(name, ..)| variable(name)).collect();
    let environment: Vec<(&str, &str)> =
        names.iter().zip(all).map(|(name, (_, value, _))| (name.as_str(), value)).collect();
    let by_environment = printed(&home, &[], &environment);
    // What is printed is a file that means the same.
    home.put("pdp.toml", &by_options);
    let by_file = printed(&home, &["--config", "pdp.toml"], &[]);
    for (name, _, shown) in all {
        assert_eq!(line(&by_options, name), format!("{name} = {shown} # --{name}"));
        assert_eq!(line(&by_environment, name), format!("{name} = {shown} # {}", variable(name)));
        assert_eq!(line(&by_file, name), format!("{name} = {shown} # --config"));
    }
}

#[test]
fn the_token_is_never_printed() {
    let home = Home::new();
    home.put("token.txt", TOKEN);
    let text = printed(&home, &["--token-file", "token.txt"], &[("PDP_TOKEN", TOKEN)]);
    assert!(text.contains("the token is set") && !text.contains("horse"), "{text}");
    let text = printed(&home, &[], &[("PDP_TOKEN", ""), ("PDP_TOKEN_FILE", "")]);
    assert!(text.contains("# token-file is not set") && !text.contains("the token is set"), "{text}");
    let help = Ran::of(command(&home, &["--help"]).env("PDP_TOKEN", TOKEN).output().unwrap()).ok();
    assert!(!help.out.contains("horse") && help.out.contains("--token-file"), "{}", help.out);
}

#[test]
fn what_cannot_be_is_refused() {
    let home = Home::new();
    home.put("short.txt", "short");
    home.put("token.txt", TOKEN);
    for (text, expected) in [
        ("queue = 1\nfoo = 2\n", "line 2"),
        ("queue = 1\n\nlisten = [\"example.org:80\"]\n", "line 3"),
        ("token = \"secret-secret-secret\"\n", "unknown field `token`"),
        ("allow-host = [\"https://a.example\"]\n", "no scheme"),
        ("jobs = -1\n", "line 1"),
        ("jobs = \n", "line 1"),
        ("log-level = \"loud\"\n", "unknown variant `loud`"),
        ("[server]\njobs = 1\n", "unknown field `server`"),
    ] {
        home.put("pdp.toml", text);
        let ran = Ran::of(command(&home, &["--config", "pdp.toml"]).output().unwrap());
        ran.fails(2, expected);
    }
    for (args, environment, expected) in [
        (&["--config", "nowhere.toml"][..], &[][..], "nowhere.toml"),
        (&["--listen", "127.0.0.1"], &[], "with a port it is 127.0.0.1:8080"),
        (&["--listen", "::1"], &[], "with a port it is [::1]:8080"),
        (&["--allow-host", "http://x"], &[], "no scheme"),
        (&["--header-timeout", "0"], &[], "at most a day"),
        (&["--token-file", "nowhere.txt"], &[], "token file nowhere.txt"),
        (&["--token-file="], &[], "token file"),
        (&["--token-file", "short.txt"], &[], "at least 16 characters"),
        (&[], &[("PDP_TOKEN", "with space with space")], "no spaces"),
        (&[], &[("PDP_TOKEN", TOKEN), ("PDP_TOKEN_FILE", "token.txt")], "unset one of them"),
        (&["--token", TOKEN], &[], "--token"),
    ] {
        let ran = Ran::of(command(&home, args).envs(environment.iter().copied()).output().unwrap());
        ran.fails(2, expected);
    }
}

#[test]
fn t134_what_others_can_reach_needs_a_token() {
    let home = Home::new();
    for listen in ["0.0.0.0:0", "[::]:0", "192.168.1.5:8080", "[::ffff:127.0.0.1]:0", "8080,0.0.0.0:0"] {
        let ran = Ran::of(command(&home, &["--listen", listen]).output().unwrap()).fails(2, "a token is needed");
        assert!(ran.err.contains("--token-file token.txt"), "{}", ran.err);
    }
    home.put("token.txt", format!("{TOKEN}\n"));
    let server = Server::start(command(&home, &["--listen", "0.0.0.0:0", "--token-file", "token.txt"]));
    let everywhere = *server.addresses.iter().find(|address| address.ip().is_unspecified()).unwrap();
    let here = SocketAddr::new("127.0.0.1".parse().unwrap(), everywhere.port());
    assert!(ask(here, &get("/api/packaging/list")).starts_with("HTTP/1.1 401 "));
    server.end();
}

#[test]
fn t134_by_default_only_this_machine_is_listened_to() {
    let home = Home::new();
    let server = Server::start(command(&home, &[]));
    assert!(server.addresses.iter().all(|address| address.ip().is_loopback()), "{:?}", server.addresses);
    let ports: std::collections::BTreeSet<u16> = server.addresses.iter().map(SocketAddr::port).collect();
    assert_eq!(ports.len(), 1, "{:?}", server.addresses);
    for address in &server.addresses {
        let text = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        assert!(ask(*address, &text).starts_with("HTTP/1.1 200 "), "{address}");
    }
    let taken = server.addresses[0].to_string();
    let second = Ran::of(command(&home, &["--listen", &taken]).output().unwrap());
    second.fails(1, &taken);
    let log = server.end();
    assert!(log.contains("Listening on http://127.0.0.1:"), "{log}");
    assert!(home.join("packages").is_dir());
}

#[test]
fn the_documented_spelling() {
    let home = Home::new();
    let ran = home.pdp(&["--ui", "--http-port", "x"]);
    ran.fails(2, "localhost:8080 or 8080");
    let mut command = home.command(&["--ui", "--http-port", "0", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut text = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut text).unwrap();
    assert!(text.contains("http://127.0.0.1:"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn signals_end_the_server_in_good_order_and_a_second_one_at_once() {
    let home = Home::new();
    for signal in ["-INT", "-TERM"] {
        let server = Server::start(command(&home, &[]));
        server.signal(signal);
        let (status, log) = server.wait();
        assert!(status.success(), "{status}: {log}");
    }
    // A request whose body does not come keeps the server from ending until its time is over.
    let server = Server::start(command(&home, &[]));
    let mut slow = TcpStream::connect(server.addresses[0]).unwrap();
    let head = "POST /api/packaging/validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    slow.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    server.signal("-INT");
    // The first signal is being heard when nobody can connect any more.
    while TcpStream::connect(server.addresses[0]).is_ok() {
        std::thread::sleep(Duration::from_millis(10));
    }
    server.signal("-INT");
    let (status, log) = server.wait();
    assert_eq!(status.code(), Some(130), "{log}");
}

#[test]
fn t133_t143_logs_hold_no_secret_and_nothing_that_speaks_to_a_terminal() {
    for format in ["text", "json"] {
        let home = Home::new();
        let mut start = command(&home, &["--log-format", format, "--log-level", "trace"]);
        start.env("PDP_TOKEN", TOKEN);
        let server = Server::start(start);
        let body = format!("{{\"token\":\"{TOKEN}\"}}");
        let session = server.ask(&format!(
            "POST /api/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let (_, rest) = session.split_once("pdp_session=").unwrap();
        let cookie = rest.split(';').next().unwrap();
        for fields in [format!("Authorization: Bearer {TOKEN}"), format!("Cookie: pdp_session={cookie}")] {
            let path = format!("/api/x\u{1b}[2J?token={TOKEN}");
            let text = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n\r\n");
            server.ask(&text);
            server.ask(&text.replace('\u{1b}', "%1b%0a\u{9b}\u{202e}"));
        }
        server.ask(&get(&format!("/api/wrong?token={TOKEN}")));
        let log = server.end();
        assert!(!log.contains(TOKEN) && !log.contains(cookie) && !log.contains("horse"), "{log}");
        let active = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!log.contains(active), "{log:?}");
        assert!(log.contains("/api/wrong") && log.contains("401") && log.contains("204"), "{log}");
        if format == "json" {
            let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            let wrong = lines.iter().find(|line| line["path"] == "/api/wrong").unwrap();
            assert_eq!(
                (&wrong["status"], &wrong["method"], &wrong["complete"]),
                (&401.into(), &"GET".into(), &true.into())
            );
            for name in ["time", "level", "target", "message", "id", "peer", "bytes", "ms"] {
                assert!(!wrong[name].is_null(), "{name} in {wrong}");
            }
            assert!(lines.iter().any(|line| line["message"] == "listening"), "{log}");
        }
    }
}

#[test]
fn a_server_without_a_word_is_quiet() {
    let home = Home::new();
    let server = Server::start(command(&home, &["--quiet", "--log-level", "off"]));
    server.ask(&get("/health"));
    assert_eq!(server.end(), "");
}

#[test]
fn the_page_is_opened_where_the_server_is() {
    if program("sh").is_none() {
        return;
    }
    let home = Home::new();
    let script = home.put("bin/xdg-open", "#!/bin/sh\necho \"$1\" > opened.part && mv opened.part opened\n");
    Command::new("chmod").arg("+x").arg(&script).status().unwrap();
    let mut start = command(&home, &["--open"]);
    start.env("PATH", format!("{}:{}", home.join("bin").display(), std::env::var("PATH").unwrap()));
    let server = Server::start(start);
    while !home.join("opened").exists() {
        std::thread::sleep(Duration::from_millis(10));
    }
    let opened = std::fs::read_to_string(home.join("opened")).unwrap();
    assert_eq!(opened.trim(), format!("http://{}/", server.addresses[0]));
    server.end();
}

#[test]
fn the_unit_for_systemd_is_sound() {
    let Some(analyze) = program("systemd-analyze") else { return };
    let home = Home::new();
    let unit = std::fs::read_to_string(crate::support::workspace().join("docs/guide/pdp.service")).unwrap();
    // The program need not be installed here.
    let path = home.put("pdp.service", unit.replace("/usr/local/bin/pdp", env!("CARGO_BIN_EXE_pdp")));
    let ran = Ran::of(Command::new(analyze).arg("verify").arg("--man=no").arg(&path).output().unwrap());
    let about_us: Vec<&str> = ran.err.lines().filter(|line| line.contains("pdp.service")).collect();
    assert!(about_us.is_empty(), "{about_us:#?}");
}
