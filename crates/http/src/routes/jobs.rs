//! Jobs: looking at them, following them, stopping them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State as Extract;
use axum::http::{Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::State;
use crate::extract::Segment;
use crate::jobs::{Job, JobView};
use crate::openapi::{Api, Operation};
use crate::problem::{Kind, Problem};

/// How often progress is told at most.
const INTERVAL: Duration = Duration::from_millis(200);
const EXAMPLE: &str = "00000001-0123456789abcdef";

/// The jobs of a server.
#[derive(Debug, Serialize, JsonSchema)]
struct JobList {
    /// Each, the newest first, without its report.
    jobs: Vec<JobView>,
}

pub(super) fn add(api: &mut Api) {
    let schema = api.schema::<JobList>();
    api.on(
        Operation::new(Method::GET, "/api/jobs", "listJobs", "jobs")
            .says(
                "List the jobs",
                "Those that wait, those that run, and the last two hundred that ended; without reports.",
            )
            .gives(200, "The jobs", schema),
        list,
    );
    let schema = api.schema::<JobView>();
    api.on(
        Operation::new(Method::GET, "/api/jobs/{id}", "getJob", "jobs")
            .says("Show a job", "How far it is and, once it has ended, what came of it.")
            .segment("id", "The job", EXAMPLE)
            .gives(200, "The job", schema.clone())
            .problems(&[Kind::NotFound]),
        show,
    );
    api.on(
        Operation::new(Method::GET, "/api/jobs/{id}/events", "followJob", "jobs")
            .says(
                "Follow a job",
                "Server-sent events: `progress` with the job, at most five a second, then `done` with the job as it ended, \
                 which is the last.",
            )
            .segment("id", "The job", EXAMPLE)
            .gives_as(200, "The events", &[("text/event-stream", json!({}))])
            .problems(&[Kind::NotFound]),
        follow,
    );
    api.on(
        Operation::new(Method::DELETE, "/api/jobs/{id}", "deleteJob", "jobs")
            .says(
                "Cancel or forget a job",
                "One that waits or runs is stopped and leaves nothing behind; one that has ended is forgotten.",
            )
            .segment("id", "The job", EXAMPLE)
            .gives(202, "It is being stopped", schema)
            .gives_as(204, "It was forgotten", &[])
            .problems(&[Kind::NotFound]),
        delete,
    );
}

async fn list(Extract(state): Extract<State>) -> Json<JobList> {
    let without_report = |job: Arc<Job>| JobView { result: None, ..job.view() };
    Json(JobList { jobs: state.jobs().list().into_iter().map(without_report).collect() })
}

async fn show(Extract(state): Extract<State>, Segment(id): Segment) -> Result<Json<JobView>, Problem> {
    Ok(Json(state.jobs().get(&id)?.view()))
}

async fn delete(Extract(state): Extract<State>, Segment(id): Segment) -> Result<Response, Problem> {
    let job = state.jobs().get(&id)?;
    let jobs = {
        let job = Arc::clone(&job);
        move || state.jobs().cancel(&job)
    };
    let failed = |_| Problem::new(Kind::Failed, "an error of this program; see its log");
    match tokio::task::spawn_blocking(jobs).await.map_err(failed)? {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Ok((StatusCode::ACCEPTED, Json(job.view())).into_response()),
    }
}

async fn follow(Extract(state): Extract<State>, Segment(id): Segment) -> Result<Response, Problem> {
    let job = state.jobs().get(&id)?;
    let (events, stream) = mpsc::channel::<Result<Event, Infallible>>(4);
    tokio::spawn(async move {
        let mut told = None;
        loop {
            let ended = tokio::time::timeout(INTERVAL, job.ended()).await.is_ok();
            let view = job.view();
            let now = (view.state, view.progress.clone());
            if !ended && told.as_ref() == Some(&now) {
                // Nothing to tell; whoever has gone shows here.
                if events.is_closed() {
                    return;
                }
                continue;
            }
            let event = Event::default().event(if ended { "done" } else { "progress" });
            let Ok(event) = event.json_data(&view) else { return };
            if events.send(Ok(event)).await.is_err() || ended {
                return;
            }
            told = Some(now);
        }
    });
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(ReceiverStream::new(stream)).keep_alive(keep_alive).into_response())
}
