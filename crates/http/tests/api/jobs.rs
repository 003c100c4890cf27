//! Jobs: bounded, followed, cancelled, and done in spite of a restart.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::Server;

async fn ended(server: &Server, id: &str) -> Value {
    for _ in 0..600 {
        let job = server.get(&format!("/api/jobs/{id}")).await.json();
        if ["succeeded", "failed", "cancelled"].contains(&job["state"].as_str().unwrap()) {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("job {id} does not end");
}

/// So much data that a job takes a while.
fn much_data(server: &Server) {
    let line = |at: u64| {
        format!(
            "{{\"Timestamp\":\"2024-02-01T14:{:02}:{:02}.{:03}Z\",\"Symbol\":\"BIG\",\"Price\":{}.5,\"Size\":{at}}}\n",
            at / 60_000 % 60,
            at / 1000 % 60,
            at % 1000,
            100 + at % 7
        )
    };
    for file in 0..8 {
        let text: String = (0..150_000).map(|at| line(at + file)).collect();
        let directory = server.home.path().join(format!("data/BIG{file}/Trade"));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("2024-02-01.jsonl"), text).unwrap();
    }
}

#[tokio::test]
async fn a_job_tells_its_progress_and_its_report() {
    let server = Server::new();
    let body = r#"{"name":"async","createdAt":"2024-01-03T12:00:00Z"}"#;
    let answer = server.post("/api/packaging/create?async=true", body).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.headers["location"], format!("/api/jobs/{id}"));
    let events = server.get(&format!("/api/jobs/{id}/events")).await;
    assert_eq!(events.headers["content-type"], "text/event-stream");
    let text = events.text();
    let last = text.rsplit("event: ").next().unwrap();
    assert!(last.starts_with("done\n"), "{text}");
    let told: Value = serde_json::from_str(last.split_once("data: ").unwrap().1.trim()).unwrap();
    let job = ended(&server, &id).await;
    assert_eq!((told["state"].as_str(), job["state"].as_str()), (Some("succeeded"), Some("succeeded")));
    // The report is that of the request that waits.
    let waited = server.post("/api/packaging/create", body).await.json();
    assert_eq!(job["result"], waited);
    assert_eq!(job["progress"]["files"], job["progress"]["totalFiles"]);
    assert_eq!(server.get("/api/jobs").await.json()["jobs"][1]["id"], id.as_str());
    assert_eq!(server.delete(&format!("/api/jobs/{id}")).await.status, 204);
    assert_eq!(server.get(&format!("/api/jobs/{id}")).await.status, 404);
    server.end();
}

#[tokio::test]
async fn t141_fifty_at_once_are_queued_or_refused_and_all_can_be_cancelled() {
    let server = Server::with(|settings| settings.queued_jobs = 10);
    much_data(&server);
    let mut ids = Vec::new();
    let mut refused = 0;
    for number in 0..50 {
        let body = json!({"name": format!("n{number}")}).to_string();
        let answer = server.post("/api/packaging/create?async=true", body).await;
        match answer.status.as_u16() {
            202 => ids.push(answer.json()["id"].as_str().unwrap().to_owned()),
            429 => {
                refused += 1;
                assert_eq!(answer.headers["content-type"], "application/problem+json");
                assert!(answer.headers.contains_key("retry-after"));
            }
            other => panic!("{other}: {}", answer.text()),
        }
    }
    let counts = server.get("/health").await.json();
    assert!(refused >= 30 && ids.len() >= 10, "{refused} refused, {} queued, {counts}", ids.len());
    // What waits, and what runs.
    for id in ids.iter().rev() {
        assert!(server.delete(&format!("/api/jobs/{id}")).await.status.is_success());
    }
    let mut cancelled = 0;
    for id in &ids {
        let job = server.get(&format!("/api/jobs/{id}")).await;
        if job.status == 200 {
            let job = ended(&server, id).await;
            cancelled += usize::from(job["state"] == "cancelled");
        }
    }
    assert!(cancelled + 2 >= ids.len(), "{cancelled} of {} were cancelled", ids.len());
    let left: Vec<_> = std::fs::read_dir(server.home.path().join("packages"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(server.get("/health").await.json()["jobs"], json!({"running": 0, "queued": 0}));
    server.end();
}

#[tokio::test]
async fn t141_a_restart_goes_on_with_what_was_asked_for() {
    let server = Server::new();
    much_data(&server);
    let mut ids = Vec::new();
    for name in ["first", "second", "third"] {
        let body = json!({"name": name, "createdAt": "2024-02-01T12:00:00Z"}).to_string();
        let answer = server.post("/api/packaging/create?async=true", body).await;
        ids.push(answer.json()["id"].as_str().unwrap().to_owned());
    }
    // The first runs, or has not begun; nothing is half done when the server has ended.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let home = tokio::task::spawn_blocking(move || server.end()).await.unwrap();
    let archives = |home: &std::path::Path| -> Vec<String> {
        let names = std::fs::read_dir(home.join("packages")).unwrap();
        let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".zip") || name.contains("partial"));
        names.sort();
        names
    };
    assert!(archives(home.path()).len() < 3, "all was done before the server ended; the test shows nothing");
    let server = Server::on(home, |_| {});
    for id in &ids {
        let job = ended(&server, id).await;
        assert_eq!(job["state"], "succeeded", "{job}");
    }
    assert_eq!(
        archives(server.home.path()),
        ["first_20240201_120000.zip", "second_20240201_120000.zip", "third_20240201_120000.zip"]
    );
    // Finished ones are known to the next server, too.
    let server = Server::on(server.end(), |_| {});
    assert_eq!(server.get("/api/jobs").await.json()["jobs"].as_array().unwrap().len(), 3);
    server.end();
}

#[tokio::test]
async fn a_client_that_leaves_stops_its_job() {
    let server = Server::new();
    much_data(&server);
    let request = server.post("/api/packaging/create", r#"{"name":"left"}"#);
    assert!(tokio::time::timeout(Duration::from_millis(150), request).await.is_err(), "it was done at once");
    for _ in 0..600 {
        if server.get("/health").await.json()["jobs"]["running"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let jobs = server.get("/api/jobs").await.json();
    assert_eq!(jobs["jobs"][0]["state"], "cancelled", "{jobs}");
    server.end();
}

#[tokio::test]
async fn two_servers_do_not_share_their_packages_but_one_may_read() {
    let server = Server::new();
    let (data, packages) = (server.home.path().join("data"), server.home.path().join("packages"));
    let again = pdp_http::State::open(pdp_http::Settings::new(&data, &packages));
    assert!(again.is_err_and(|error| error.to_string().contains("another server")));
    let mut settings = pdp_http::Settings::new(&data, &packages);
    settings.read_only = true;
    let reader = pdp_http::State::open(settings).unwrap();
    reader.shutdown();
    server.end();
}
