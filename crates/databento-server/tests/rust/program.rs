//! The program: its first line, its faults, its files.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use databento::dbn::Schema;
use pdp_databento_server::{KEY, Server, Store};
use time::macros::date;

use crate::support::{XNAS, client, client_of, fetch, seconds};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(arguments: &[&str]) -> (Running, String) {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_databento-server")).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), line.trim().to_owned())
}

#[tokio::test]
async fn it_says_where_it_is_and_does_what_it_was_told() {
    let (_running, url) =
        start(&["--sample", "--fault", "get_range:status=500", "--fault", "any:page:start=2024-03-01"]);
    let mut client = client_of(&url, KEY, Duration::from_secs(60));
    let asked = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 01 - 02));
    assert_eq!(fetch(&mut client, &asked).await.refusal(), (500, "Internal Server Error".to_owned()));
    assert!(!fetch(&mut client, &asked).await.whole().1.is_empty());
}

#[tokio::test]
async fn it_serves_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("aapl.dbn.zst");
    let sample = Server::start(Store::sample()).unwrap();
    let asked = seconds(XNAS, "AAPL", date!(2024 - 01 - 01), date!(2024 - 01 - 02));
    client(&sample).timeseries().get_range_to_file(&asked.clone().with_path(&file)).await.unwrap();
    let (_running, url) = start(&["--dbn", file.to_str().unwrap()]);
    let mut client = client_of(&url, KEY, Duration::from_secs(60));
    assert_eq!(client.metadata().list_datasets(None).await.unwrap(), [XNAS]);
    assert_eq!(client.metadata().list_schemas(XNAS).await.unwrap(), [Schema::Ohlcv1S]);
    let bars = fetch(&mut client, &asked).await.whole().1;
    assert_eq!(bars.len(), sample.requests()[0].records.unwrap());
}

#[test]
fn what_it_cannot_serve_it_says() {
    for (arguments, said) in
        [(["--dbn", "/no/such/file"], "/no/such/file"), (["--fault", "get_range:pag"], "found \"pag\"")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_databento-server")).args(arguments).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
}
