//! The server: a thread, a runtime of its own, and the routes.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use tokio::sync::oneshot;

use crate::api::{self, Answer};
use crate::fault::Fault;
use crate::log::Log;
use crate::parameters::Parameters;
use crate::refusal::Refusal;
use crate::{Endpoint, Faults, Request, Store, control, deliver, key};

/// A running server, on this machine only. It ends when this is dropped, with whatever is being answered then.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    faults: Faults,
    log: Log,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the requests of a server share.
#[derive(Clone)]
pub(crate) struct Shared {
    store: Arc<Store>,
    pub(crate) faults: Faults,
    pub(crate) log: Log,
    count: Arc<AtomicU64>,
}

impl Server {
    /// Serves a store at a port that is free.
    ///
    /// # Errors
    /// If no port can be had, or no thread.
    pub fn start(store: Store) -> io::Result<Self> {
        Self::start_at(store, 0)
    }

    /// Serves a store at this port; 0 is any that is free.
    ///
    /// # Errors
    /// As of [`Self::start`].
    pub fn start_at(store: Store, port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (faults, log) = (Faults::default(), Log::default());
        let shared = Shared { store: Arc::new(store), faults: faults.clone(), log: log.clone(), count: Arc::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("databento-server".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // It only ends with an error that nobody could do anything about.
                    _ = serve(listener, shared) => {}
                    _ = stopped => {}
                }
            });
            // Connections that are still open end here, even those that stall for ever.
        })?;
        Ok(Self { address, faults, log, stop: Some(stop), thread: Some(thread) })
    }

    /// Its URL, such as `http://127.0.0.1:41234`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What is to go wrong.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.log.all()
    }

    /// What was asked of this endpoint so far.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Request> {
        let mut requests = self.log.all();
        requests.retain(|request| request.is_to(endpoint));
        requests
    }

    /// Forgets what was asked.
    pub fn forget_requests(&self) {
        self.log.clear();
    }

    /// Waits until the server ends, which it does not by itself.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Shared) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router =
        Router::new().merge(control::routes()).route("/v0/{method}", any(asked)).fallback(nowhere).with_state(shared);
    axum::serve(listener, router).await
}

async fn nowhere() -> Response {
    deliver::response(Refusal::text(StatusCode::NOT_FOUND, "Not Found").into(), None, 0).await
}

async fn asked(
    State(shared): State<Shared>,
    method: Method,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let given = match method {
        Method::POST => Parameters::of_form(&body),
        _ => Parameters::of_query(query.as_deref().unwrap_or_default()),
    };
    let (answer, fault) = answer(&shared, &method, &name, &headers, &given);
    shared.log.push(Request {
        endpoint: name,
        parameters: given.all().clone(),
        status: answer.status.as_u16(),
        records: answer.records,
        fault: fault.as_ref().map(Fault::to_string),
    });
    let number = shared.count.fetch_add(1, Ordering::Relaxed) + 1;
    deliver::response(answer, fault.as_ref().map(Fault::effect), number).await
}

fn answer(
    shared: &Shared,
    method: &Method,
    name: &str,
    headers: &HeaderMap,
    given: &Parameters,
) -> (Answer, Option<Fault>) {
    let Some(endpoint) = Endpoint::ALL.iter().copied().find(|endpoint| endpoint.as_str() == name) else {
        return (Refusal::text(StatusCode::NOT_FOUND, "Not Found").into(), None);
    };
    if *method != endpoint.method() {
        let mut answer = Answer::from(Refusal::text(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"));
        answer
            .headers
            .extend(HeaderValue::from_str(endpoint.method().as_str()).map(|allowed| (header::ALLOW, allowed)));
        return (answer, None);
    }
    if !key::is_let_in(headers) {
        return (Refusal::key().into(), None);
    }
    let fault = shared.faults.take(endpoint, given);
    let effect = fault.as_ref().map(Fault::effect);
    let answer = effect
        .and_then(deliver::instead)
        .unwrap_or_else(|| api::answer(&shared.store, endpoint, given, effect).unwrap_or_else(Answer::from));
    (answer, fault)
}
